// An app that is edited while it runs: Vite's development server replaces modules, React Fast Refresh runs effects anew, and
// StrictMode runs each of them twice. One worker at most, whatever is edited, and later edits work.

import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import react from '@vitejs/plugin-react';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

import { startStandIns } from '../../scripts/stand-ins.mjs';
import { CHROMIUM } from './browsers.mjs';
import { project, ROOT } from './support.mjs';

test('edits of a component and of the configuration', async (t) => {
  const standIns = await startStandIns();
  t.after(() => standIns.stop());
  const root = await project(t, 'hot');
  for (const name of ['react', 'react-dom']) {
    await symlink(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [react()],
    server: { host: '127.0.0.1', port: 0 },
  });
  t.after(() => server.close());
  await server.listen();
  const browser = await chromium.launch(CHROMIUM);
  t.after(() => browser.close());
  const page = await browser.newPage();
  let loads = 0;
  page.on('load', () => (loads += 1));
  await page.goto(`http://127.0.0.1:${server.httpServer.address().port}/?groq=${encodeURIComponent(standIns.groqUrl)}`);

  let edits = 0;
  const told = async () => {
    const answers = page.locator('output').filter({ hasText: `edit ${edits}: ` });
    await answers.waitFor({ timeout: 60_000 });
    return (await answers.textContent()).slice(`edit ${edits}: `.length);
  };
  const edit = async (file, from, to) => {
    const path = join(root, file);
    const text = await readFile(path, 'utf8');
    assert.match(text, from);
    await writeFile(path, text.replace(from, to));
  };
  const component = async () => {
    edits += 1;
    await edit('App.jsx', /edit \d+/u, `edit ${edits}`);
    return told();
  };
  const opened = () => page.evaluate(() => globalThis.gates.size);
  assert.match(await told(), /^answered/u);

  for (let turn = 0; turn < 3; turn += 1) assert.match(await component(), /^answered/u);
  assert.deepEqual([await opened(), page.workers().length], [1, 1], 'the same gate all along');

  for (const ttlMs of [1, 2, 3]) {
    await edit('config.js', /ttlMs: \d+/u, `ttlMs: ${ttlMs}`);
    await page.waitForFunction((count) => globalThis.gates.size > count, ttlMs);
    assert.match(await component(), /^answered/u);
    assert.equal(page.workers().length, 1, 'another gate took the place of the old one');
  }

  await edit('config.js', /model: '[^']+'/u, "model: ''");
  await page.locator('output').filter({ hasText: 'config_invalid' }).waitFor();
  assert.equal(page.workers().length, 1, 'a mistake takes nobody’s place');
  await edit('config.js', /model: ''/u, "model: 'openai/gpt-oss-20b'");
  await page.locator('output').filter({ hasText: 'answered' }).waitFor();
  assert.match(await component(), /^answered/u);
  assert.deepEqual([loads, page.workers().length], [1, 1], 'without a reload');
});

// The packed command and the packed Vite plugin, as a project has them.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { BIN, NODES, output, project, ROOT } from './support.mjs';

const key = () => `gsk_${randomBytes(64).toString('base64').replace(/[+/=]/gu, '').slice(0, 52)}`;

for (const node of NODES) {
  test(`npx tidegate, ${node}`, async (t) => {
    const cwd = await project(t, 'cli');
    const env = { ...process.env, PATH: `${join(node, '..')}:${process.env.PATH}` };
    const tidegate = (...args) => output('npx', ['--no-install', 'tidegate', ...args], { cwd, env });
    assert.match(await tidegate('scan', '.'), /No keys found\./u);
    const leaked = key();
    writeFileSync(join(cwd, 'src/leak.js'), `export const key = '${leaked}';\n`);
    await assert.rejects(tidegate('scan'), (error) => {
      assert.equal(error.cause.code, 1);
      assert.match(error.cause.stdout, /src\/leak\.js:1:21/u);
      assert.ok(!error.cause.stdout.includes(leaked));
      return true;
    });
    writeFileSync(join(cwd, '.env'), `VITE_GROQ_KEY=${leaked}\n`);
    await assert.rejects(tidegate('validate'), (error) => {
      assert.equal(error.cause.code, 1);
      assert.match(error.cause.stdout, /VITE_GROQ_KEY is published by its name/u);
      return true;
    });
    await assert.rejects(tidegate('scan', 'nowhere'), (error) => {
      assert.equal(error.cause.code, 2);
      assert.match(error.cause.stderr, /nowhere: no such file or folder/u);
      return true;
    });
  });
}

test('the plugin in the configuration of a fresh app', async (t) => {
  const cwd = await project(t, 'cli');
  symlinkSync(join(ROOT, 'node_modules/vite'), join(cwd, 'node_modules/vite'));
  const vite = () => output(join(BIN, 'vite'), ['build'], { cwd });
  await vite();
  assert.ok(existsSync(join(cwd, 'dist/index.html')));
  const leaked = key();
  writeFileSync(join(cwd, 'src/main.js'), `document.body.append('${leaked}');\n`);
  await assert.rejects(vite(), (error) => {
    assert.match(error.cause.stderr, /src\/main\.js:1:23/u);
    assert.ok(!error.cause.stderr.includes(leaked));
    return true;
  });
});

test("the plugin's types fit Vite's", async (t) => {
  const cwd = await project(t, 'cli');
  symlinkSync(join(ROOT, 'node_modules/vite'), join(cwd, 'node_modules/vite'));
  // Vite's own types want those of Node.
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--lib', 'esnext,dom'];
  const how = ['--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext'];
  await output(join(BIN, 'tsc'), [...options, ...how, 'consumer.ts'], { cwd });
});

// The packed package on servers: both Nodes, a server-side render, workerd.

import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { build } from 'vite';

import { throwAwayKeys } from '../../scripts/demo-worker.mjs';
import { startStandIns } from '../../scripts/stand-ins.mjs';
import { BIN, NODES, output, project } from './support.mjs';

const CAP = 10_000_000;
const told = async (node, cwd, ...args) => JSON.parse(await output(node, args, { cwd }));

for (const node of NODES) {
  test(`chats in Node, ${node}`, async (t) => {
    const cwd = await project(t, 'server');
    const memory = await told(node, cwd, 'chat.mjs', '', '3');
    assert.deepEqual(memory.codes, { ok: 3 });
    assert.equal(memory.ledger, 'memory');
    const file = await told(node, cwd, 'chat.mjs', 'ledger', '3');
    assert.equal(file.ledger, 'file');
    assert.equal(file.budget.spentNanoUsd, memory.budget.spentNanoUsd);
    const again = await told(node, cwd, 'chat.mjs', 'ledger', '1');
    assert.ok(again.budget.spentNanoUsd > file.budget.spentNanoUsd, 'the file remembers');
  });

  test(`importing does nothing, ${node}`, async (t) => {
    const cwd = await project(t, 'server');
    const { done, busy, servers, pages } = await told(node, cwd, 'import.mjs');
    assert.deepEqual({ done, busy }, { done: [], busy: [] });
    assert.deepEqual(servers, pages);
    assert.ok(pages.includes('Tidegate') && pages.includes('init'));
  });
}

test('two processes that share a ledger file never pass the cap together', async (t) => {
  const cwd = await project(t, 'server');
  const pair = [NODES[0], NODES.at(-1)];
  const both = await Promise.all(pair.map((node) => told(node, cwd, 'chat.mjs', 'shared', '20', '2')));
  const answered = both.reduce((sum, { codes }) => sum + (codes.ok ?? 0), 0);
  for (const { codes, most } of both) {
    assert.deepEqual(Object.keys(codes).sort(), ['budget_exceeded', 'ok']);
    assert.ok(most <= CAP, `${most} held`);
  }
  assert.equal(both[0].budget.limitNanoUsd, CAP);
  const { budget } = await told(pair[0], cwd, 'chat.mjs', 'shared', '0');
  assert.equal(budget.reservedNanoUsd, 0);
  const each = (await told(pair[0], cwd, 'chat.mjs', '', '1')).budget.spentNanoUsd;
  assert.equal(budget.spentNanoUsd, answered * each, 'every answer is in the books, once');
});

test('where a bundle has left the Wasm behind, the error says how to keep the package out of it', async (t) => {
  const cwd = await project(t, 'server');
  rmSync(join(cwd, 'node_modules/tidegate/wasm/tidegate-server_bg.wasm'));
  const script = `import { scan, Tidegate } from 'tidegate';
    const told = (error) => ({ name: error.name, code: error.code, message: error.message });
    console.log(JSON.stringify(await Promise.all([Tidegate.open(), scan('x')].map((work) => work.catch(told)))));`;
  for (const { name, code, message } of await told(process.execPath, cwd, '--input-type=module', '-e', script)) {
    assert.deepEqual([name, code], ['TidegateError', 'internal']);
    assert.match(message, /serverExternalPackages: \['tidegate'\]/u);
  }
});

test('where the process may not read the Wasm, the error says so, and of no bundle', async (t) => {
  const cwd = await project(t, 'server');
  const own = join(cwd, 'node_modules/tidegate');
  const readable = ['dist/*', 'package.json', 'wasm/tidegate-server.js', 'wasm/snippets/*'].map((path) =>
    join(own, path),
  );
  const may = [join(cwd, 'package.json'), ...readable].map((path) => `--allow-fs-read=${path}`);
  const script = `import { Tidegate } from 'tidegate';
    Tidegate.open().catch(({ code, message }) => console.log(JSON.stringify({ code, message })));`;
  const args = ['--permission', ...may, '--input-type=module', '-e', script];
  const { code, message } = await told(process.execPath, cwd, ...args);
  assert.equal(code, 'internal');
  assert.match(message, /may not read .*tidegate-server_bg\.wasm/u);
});

// Bundled into one file, the Wasm stays behind (Vite takes it along for browsers only): enough to render a page.
for (const [how, ssr, renders] of [
  ['left outside, as is the default', {}, 'memory'],
  ['bundled', { noExternal: true }, 'nothing'],
]) {
  test(`a server-side render built by Vite, the package ${how}`, async (t) => {
    const root = await project(t, 'server');
    await build({ root, configFile: false, logLevel: 'error', build: { ssr: 'render.mjs' }, ssr });
    const [entry] = readdirSync(join(root, 'dist')).filter((file) => /^render\.m?js$/u.test(file));
    const rendered = pathToFileURL(join(root, 'dist', entry)).href;
    const script = `import { render } from ${JSON.stringify(rendered)}; console.log(await render('${renders}'));`;
    const html = await output(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
    assert.equal(html.trim(), `<p>${renders} false</p>`);
  });
}

test('workerd: bundled by wrangler, run by miniflare', async (t) => {
  const cwd = await project(t, 'worker');
  await output(join(BIN, 'wrangler'), ['deploy', '--dry-run', '--outdir', 'out'], {
    cwd,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  });
  const out = join(cwd, 'out');
  const [wasm, ...more] = readdirSync(out).filter((file) => file.endsWith('.wasm'));
  assert.deepEqual(more, []);
  const standIns = await startStandIns();
  t.after(() => standIns.stop());
  const worker = {
    name: 'packed',
    modulesRoot: out,
    modules: [
      { type: 'ESModule', path: join(out, 'worker.js') },
      { type: 'CompiledWasm', path: join(out, wasm) },
    ],
    compatibilityDate: '2026-08-22',
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [worker] }));
  t.after(() => miniflare.dispose());
  const query = new URLSearchParams({ groq: standIns.groqUrl, key: throwAwayKeys().groq });
  const response = await miniflare.dispatchFetch(`http://worker/?${query}`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const answered = JSON.parse(text);
  assert.equal(answered.target, 'groq/openai/gpt-oss-20b');
  assert.equal(answered.ledger, 'memory');
  assert.ok(answered.spent > 0, text);
});

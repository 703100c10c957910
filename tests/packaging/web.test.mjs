// The packed package in a page: through Vite without any configuration, and as plain files.

import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { build as esbuild } from 'esbuild';
import { build, createServer } from 'vite';

import { throwAwayKeys } from '../../scripts/demo-worker.mjs';
import { startStandIns } from '../../scripts/stand-ins.mjs';
import { BROWSERS, where } from './browsers.mjs';
import { serve } from './static.mjs';
import { PASSPHRASE, project, ROOT } from './support.mjs';

let standIns;
const browsers = {};
before(
  async () => {
    // One by one: what has begun is there to be stopped when the next one fails.
    standIns = await startStandIns();
    for (const [name, open] of Object.entries(BROWSERS)) if (!where(name).skip) browsers[name] = await open();
  },
  { timeout: 60_000 },
);
after(() => Promise.all([standIns?.stop(), ...Object.values(browsers).map((browser) => browser.close())]));

/** Opens the page in each browser, at the default level and in the page, and expects an answer that was paid for. */
async function chats(t, url) {
  for (const name of Object.keys(BROWSERS)) {
    for (const isolation of ['worker', 'page']) {
      await t.test(`${name}, in the ${isolation}`, where(name), async () => {
        const { groq: key } = throwAwayKeys();
        const query = new URLSearchParams({ name: isolation, groq: standIns.groqUrl, passphrase: PASSPHRASE, key });
        if (isolation === 'page') query.set('isolation', isolation);
        const text = await browsers[name].text(`${url}?${query}`);
        assert.ok(text.startsWith('{'), text);
        const told = JSON.parse(text);
        assert.equal(told.target, 'groq/openai/gpt-oss-20b');
        assert.ok(told.text.length > 0 && told.spent > 0, text);
        assert.equal(told.ledger, 'indexeddb');
        assert.equal(told.isolation, isolation);
        const journal = await (await fetch(`${standIns.controlUrl}/journal`)).json();
        assert.equal(journal.requests.at(-1).authorization, `Bearer ${key}`);
      });
    }
  }
}

for (const base of ['/', '/sub/dir/']) {
  test(`vite build, base ${base}`, async (t) => {
    const root = await project(t, 'browser');
    await build({ root, base, configFile: false, logLevel: 'error' });
    const { url, lost } = await serve(t, `${root}/dist`, { base });
    await chats(t, url);
    assert.deepEqual(lost, []);
  });

  test(`vite dev, base ${base}`, async (t) => {
    const root = await project(t, 'browser');
    const server = await createServer({
      root,
      base,
      configFile: false,
      logLevel: 'error',
      server: { host: '127.0.0.1', port: 0 },
    });
    t.after(() => server.close());
    await server.listen();
    await chats(t, `http://127.0.0.1:${server.httpServer.address().port}${base}`);
  });
}

test('vite build, under the headers that SECURITY.md asks for, Trusted Types among them', async (t) => {
  const root = await project(t, 'browser');
  await build({ root, configFile: false, logLevel: 'error' });
  const security = await readFile(join(ROOT, 'SECURITY.md'), 'utf8');
  const [, documented] = /^Content-Security-Policy: (.*frame-ancestors 'none'.*)$/mu.exec(security);
  assert.match(documented, /require-trusted-types-for 'script'; trusted-types tidegate/u);
  const policy = documented.replace('https://api.groq.com https://openrouter.ai', new URL(standIns.groqUrl).origin);
  const { url, lost } = await serve(t, `${root}/dist`, { headers: { 'content-security-policy': policy } });
  await chats(t, url);
  assert.deepEqual(lost, []);
});

const bundledBy = (root, outdir, more) =>
  esbuild({ entryPoints: [join(root, 'main.js')], outdir, bundle: true, format: 'esm', splitting: true, ...more });

test('esbuild, which takes no files along: copied as README.md says', async (t) => {
  const root = await project(t, 'browser');
  const own = (folder) => join(root, 'node_modules/tidegate', folder);
  const site = join(root, 'site');
  await bundledBy(root, join(site, 'assets'), { minify: true });
  for (const [from, to, ends] of [
    ['dist', 'assets', /^worker.*\.js$/u],
    ['wasm', 'wasm', /\.wasm$/u],
  ]) {
    await mkdir(join(site, to), { recursive: true });
    const files = (await readdir(own(from))).filter((file) => ends.test(file));
    for (const file of files) await copyFile(join(own(from), file), join(site, to, file));
  }
  const page = await readFile(join(root, 'index.html'), 'utf8');
  await writeFile(join(site, 'index.html'), page.replace('./main.js', './assets/main.js'));
  const { url, lost } = await serve(t, site, { base: '/sub/dir/' });
  await chats(t, url);
  assert.deepEqual(lost, []);
});

test('a bundler that leaves the package out, and an import map beside it, as README.md says for Angular', async (t) => {
  const root = await project(t, 'browser');
  const site = join(root, 'site');
  await bundledBy(root, site, { external: ['tidegate'] });
  await cp(join(root, 'node_modules/tidegate'), join(site, 'tidegate'), { recursive: true });
  const [map] = /<script type="importmap">.*<\/script>/u.exec(await readFile(join(ROOT, 'README.md'), 'utf8'));
  const page = await readFile(join(root, 'index.html'), 'utf8');
  await writeFile(join(site, 'index.html'), page.replace('<body>', `<body>${map}`));
  const { url, lost } = await serve(t, site, { base: '/sub/dir/' });
  await chats(t, url);
  assert.deepEqual(lost, []);
});

test('plain files, no bundler, no import map, a server that does not know Wasm', async (t) => {
  const root = await project(t, 'plain');
  const { url, lost } = await serve(t, root, { wasmType: 'application/octet-stream' });
  await chats(t, url);
  assert.deepEqual(lost, []);
});

// Files that cannot be had, or may not run: the app was published anew while a page was open (old names are gone, or lead
// to the app's own page), a policy without Wasm, a server that knows no type of it. A typed error says what helps.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { openFirefox } from '../packaging/browsers.mjs';
import { failure, KEY, launch, open, openGate, provider, ROOT, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const RELOAD = /published anew.*reload/u;
const ask = (content = 'plain') =>
  globalThis.gate.chat({ messages: [{ role: 'user', content }], max_tokens: 8 }).then(({ choices }) => choices.length);
const stream = async () => {
  const request = { messages: [{ role: 'user', content: 'streamed' }], max_tokens: 8, stream: true };
  for await (const _chunk of await globalThis.gate.chat(request));
};
const sdk = () =>
  globalThis.gate.fetch('https://api.groq.com/openai/v1/chat/completions', { method: 'POST', body: '{}' });
const create = () => globalThis.gate.vault.create(new TextEncoder().encode('correct horse battery staple'));
const status = () => globalThis.gate.status();
const opening = (page, config) =>
  failure(
    page,
    async (config) => {
      const { Tidegate } = await globalThis.tidegate;
      await Tidegate.open(config);
    },
    config,
  );
const isRejected = (told, message) => {
  assert.deepEqual({ code: told.code, name: told.name }, { code: 'internal', name: 'TidegateError' }, told.message);
  assert.match(told.message, message);
};
/** What a host says of files that were there before. */
const GONE = {
  'not found': { status: 404 },
  "the app's own page": { contentType: 'text/html', body: '<!doctype html>' },
};
/** A page whose rejections that nobody took are seen. */
async function start(t, sent) {
  const opened = {};
  // First of all that is done at the end, while there is a page.
  t.after(async () => assert.deepEqual(await opened.page?.evaluate(() => globalThis.unhandled), []));
  const [origin, ours] = await Promise.all([site(t, sent), provider(t)]);
  const page = (opened.page = await open(t, browser, origin));
  await page.evaluate(() => {
    globalThis.unhandled = [];
    addEventListener('unhandledrejection', ({ reason }) => globalThis.unhandled.push(String(reason)));
  });
  return { page, ours };
}

/** A gate in the page loaded anew, without the status that `openGate` asks for, which is of what loads later. */
async function openAnew(page, url, isolation) {
  await page.reload();
  await page.evaluate(
    async ([url, isolation, key]) => {
      globalThis.unhandled = [];
      addEventListener('unhandledrejection', ({ reason }) => globalThis.unhandled.push(String(reason)));
      const { Tidegate } = await globalThis.tidegate;
      const targets = [{ provider: 'groq', model: 'openai/gpt-oss-20b' }];
      globalThis.gate = await Tidegate.open({ isolation, targets, providers: { groq: { baseUrl: url } } });
      await globalThis.gate.vault.putForSession('groq', key);
    },
    [url, isolation, KEY],
  );
}

/** The file as it is, but for the name that the parts of one build know each other by. */
async function ofAnother(route) {
  const response = await route.fetch();
  const { module } = WebAssembly.Module.imports(
    new WebAssembly.Module(await readFile(`${ROOT}/pkg/wasm/tidegate-rest_bg.wasm`)),
  ).find(({ name }) => name === 'memory');
  const text = (await response.body()).toString('latin1');
  assert.ok(text.includes(module), route.request().url());
  await route.fulfill({ response, body: Buffer.from(text.replaceAll(module, 'Other0'), 'latin1') });
}

for (const isolation of ['page', 'worker']) {
  describe(`level ${isolation}`, () => {
    for (const [how, answer] of Object.entries(GONE)) {
      test(`what loads later is gone: ${how}`, async (t) => {
        const { page, ours } = await start(t);
        await openGate(page, ours.url, { isolation, cache: { ttlMs: 0 } }, null);
        await openAnew(page, ours.url, isolation);
        await page.route(
          (url) => /rest|later|kdf/u.test(url.pathname),
          (route) => route.fulfill(answer),
        );
        for (const work of [stream, create, status]) isRejected(await failure(page, work), RELOAD);
        if (isolation === 'page') isRejected(await failure(page, sdk), RELOAD);
        assert.equal(ours.seen.length, 0, 'nothing was sent for them');
        assert.equal((await failure(page, ask)).code, 'none', 'what is there works');
        await page.unrouteAll();
        const { budget } = await page.evaluate(status);
        assert.equal(budget.reservedNanoUsd, 0);
      });

      test(`what loads first is gone: ${how}`, async (t) => {
        for (const [build, config] of Object.entries({
          tidegate: {},
          'tidegate-dialects': { dialects: 'all' },
          'tidegate-all': { queue: {} },
        })) {
          const { page } = await start(t);
          await page.route(`**/${build}_bg.wasm`, (route) => route.fulfill(answer));
          isRejected(await opening(page, { isolation, ...config }), RELOAD);
          await page.unrouteAll();
          assert.equal((await opening(page, { isolation, ...config })).code, 'none', 'asked for anew');
        }
      });

      test(`what derives keys is gone: ${how}`, async (t) => {
        const { page, ours } = await start(t);
        await openGate(page, ours.url, { isolation });
        await page.route('**/kdf_bg.wasm', (route) => route.fulfill(answer));
        isRejected(await failure(page, create), RELOAD);
        await page.unrouteAll();
        assert.equal((await failure(page, create)).code, 'none');
      });
    }

    test('parts of two builds, one of them from a cache, do not run together', async (t) => {
      const { page, ours } = await start(t);
      await page.route('**/tidegate_bg.wasm', ofAnother);
      isRejected(await opening(page, { isolation }), RELOAD);
      await page.unrouteAll();
      const glue = isolation === 'page' ? /tidegate-rest\.js$/u : /worker-later\.js$/u;
      for (const part of [/tidegate-rest_bg\.wasm$/u, glue]) {
        await openAnew(page, ours.url, isolation);
        await page.route((url) => part.test(url.pathname), ofAnother);
        isRejected(await failure(page, status), RELOAD);
        assert.equal((await failure(page, ask)).code, 'none', 'what is there works');
        await page.unrouteAll();
      }
    });

    test('a policy without Wasm is named', async (t) => {
      const { page } = await start(t, { headers: { 'content-security-policy': "script-src 'self'" } });
      isRejected(await opening(page, { isolation }), /'wasm-unsafe-eval'/u);
    });

    test('a server that knows no type of Wasm', async (t) => {
      const { page, ours } = await start(t);
      await page.route('**/*.wasm', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, headers: { ...response.headers(), 'content-type': 'text/plain' } });
      });
      await openGate(page, ours.url, { isolation });
      for (const work of [ask, stream, create]) assert.equal((await failure(page, work)).code, 'none');
    });

    test('a page that may not wait in the middle of a call has all of it from the start', async (t) => {
      const { page, ours } = await start(t, { headers: { 'permissions-policy': 'sync-xhr=()' } });
      await openGate(page, ours.url, { isolation, retry: { maxRetries: 0 } });
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
      const key = `gsk_${Array.from({ length: 52 }, (_, at) => letters[(at * at * 31 + at * 17 + 7) % 61]).join('')}`;
      assert.equal((await failure(page, ask, `What is ${key} for?`)).code, 'none');
      assert.equal((await failure(page, ask)).code, 'none');
    });
  });
}

test('a cross-origin isolated page: with its header on each file, and without', async (t) => {
  const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
  const { page, ours } = await start(t, { headers: isolated });
  assert.equal((await openGate(page, ours.url)).isolation, 'worker');
  for (const work of [ask, stream, create]) assert.equal((await failure(page, work)).code, 'none');

  const other = await start(t, { headers: (path) => (path.startsWith('/pkg/') ? {} : isolated) });
  const { code, message } = await opening(other.page, {});
  assert.equal(code, 'isolation_failed');
  assert.match(message, /Cross-Origin-Embedder-Policy/u);
});

test('a service worker, which imports nothing later, is named', async (t) => {
  const host = `import { Tidegate } from '/pkg/dist/web.js';
    onmessage = ({ source }) => Tidegate.open().catch(({ code, message }) => source.postMessage({ code, message }));`;
  const { page } = await start(t, { files: { '/host.js': host } });
  const told = await page.evaluate(async () => {
    const { serviceWorker } = navigator;
    const answered = new Promise((resolve) => (serviceWorker.onmessage = ({ data }) => resolve(data)));
    await serviceWorker.register('/host.js', { type: 'module' });
    (await serviceWorker.ready).active.postMessage('open');
    return answered;
  });
  assert.equal(told.code, 'internal');
  assert.match(told.message, /service worker/u);
});

test("a worker's script that is gone", async (t) => {
  const { page } = await start(t);
  await page.route('**/worker.js', (route) => route.fulfill({ status: 404 }));
  const { code, message } = await opening(page, {});
  assert.equal(code, 'isolation_failed');
  assert.match(message, RELOAD);
});

test('Firefox: a policy without Wasm is named', async (t) => {
  const firefox = await openFirefox();
  t.after(() => firefox.close());
  const origin = await site(t, { headers: { 'content-security-policy': "script-src 'self'" } });
  for (const isolation of ['page', 'worker']) {
    const { opens } = JSON.parse(await firefox.text(`${origin}/environment.html?isolation=${isolation}&only=opens`));
    assert.match(opens, /^internal .*'wasm-unsafe-eval'/u);
  }
});

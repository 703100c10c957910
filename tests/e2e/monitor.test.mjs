// `tidegate/monitor` in a page that leaks keys in every place.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchBrowser } from './support.mjs';

const PKG = fileURLToPath(new URL('../../pkg', import.meta.url));
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
const key = () => {
  const letters = randomBytes(96).toString('base64').replace(/[+/=]/gu, '');
  return `gsk_${letters.slice(0, 52)}`;
};

const KEYS = Object.fromEntries(
  ['global', 'local', 'session', 'cookie', 'query', 'text', 'attribute', 'comment', 'inline', 'script', 'request'].map(
    (place) => [place, key()],
  ),
);
const PAGE = `<!doctype html><html><body>
<main id="main"><p>Your key is ${KEYS.text}.</p><a data-key="${KEYS.attribute}">x</a><!-- ${KEYS.comment} --></main>
<script>globalThis.own = "${KEYS.inline}".length;</script>
<script>
  globalThis.getterCalls = 0;
  Object.defineProperty(globalThis, 'trap', { enumerable: true, get() { getterCalls += 1; throw new Error('no'); } });
  globalThis.__STATE__ = { user: { tokens: [1, { groq: atob("${Buffer.from(KEYS.global).toString('base64')}") }] } };
  __STATE__.self = __STATE__;
  localStorage.setItem('settings', JSON.stringify({ key: atob("${Buffer.from(KEYS.local).toString('base64')}") }));
  sessionStorage.setItem(atob("${Buffer.from(KEYS.session).toString('base64')}"), 'the key is the name');
  document.cookie = 'session=' + atob("${Buffer.from(KEYS.cookie).toString('base64')}");
  for (const node of document.querySelectorAll('script')) node.remove();
</script>
<script>globalThis.kept = "${KEYS.inline}".length;</script>
<script src="/own.js"></script>
</body></html>`;

let browser;
let server;
let base;
const asked = [];
before(async () => {
  server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    asked.push(pathname);
    if (pathname === '/') return response.setHeader('content-type', 'text/html').end(PAGE);
    if (pathname === '/own.js') {
      response.setHeader('content-type', 'text/javascript').setHeader('cache-control', 'max-age=600');
      return response.end(`globalThis.fromScript = "${KEYS.script}".length;`);
    }
    const bytes = await readFile(join(PKG, normalize(pathname))).catch(() => undefined);
    if (!bytes) return response.writeHead(404).end();
    response.setHeader('content-type', TYPES[extname(pathname)] ?? 'text/plain');
    return response.end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

async function open(t, query = '') {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${base}/${query}`);
  await page.evaluate(async () => {
    const { monitor } = await import('/dist/monitor/monitor.js');
    globalThis.begin = ({ throws, ...options } = {}) => {
      const told = [];
      const onFinding = ({ place, where, rule, preview, node }) => {
        told.push({ place, where, rule, preview, node: node?.nodeName });
        if (throws) throw new Error('the handler is broken');
      };
      return { ...monitor({ everyMs: 3_600_000, ...options, onFinding }), told };
    };
  });
  return page;
}

test('finds what lies in each place, once, and tells it without the key', async (t) => {
  const page = await open(t, `?token=${KEYS.query}`);
  await page.evaluate((leak) => fetch(`/ping?key=${leak}`), KEYS.request);
  const told = await page.evaluate(async () => {
    globalThis.running = globalThis.begin();
    await globalThis.running.round();
    return globalThis.running.told;
  });
  const at = (place) => told.filter((one) => one.place === place);
  const preview = (name) => told.filter((one) => one.preview.endsWith(KEYS[name].slice(-4)));
  for (const name of Object.keys(KEYS)) {
    assert.ok(preview(name).length > 0, `${name} was not found: ${JSON.stringify(told, null, 1)}`);
  }
  assert.ok(at('globals').some(({ where }) => where === 'window.__STATE__.user.tokens.1.groq'));
  assert.ok(at('storage').some(({ where }) => where === 'localStorage: settings'));
  assert.ok(at('cookies').some(({ where }) => where === 'cookie: session'));
  assert.ok(at('dom').some(({ where, node }) => where === 'main#main > p' && node === '#text'));
  assert.ok(at('dom').some(({ where }) => where.endsWith('[data-key]')));
  assert.ok(
    at('scripts').some(({ where }) => where === '/own.js'),
    'from the cache',
  );
  assert.ok(at('url').length > 0 && at('requests').length > 0);
  const all = JSON.stringify(told);
  for (const [name, secret] of Object.entries(KEYS)) assert.ok(!all.includes(secret), `${name} is told whole`);
  assert.equal(await page.evaluate(() => globalThis.getterCalls), 0, 'no getter is called');

  asked.length = 0;
  const later = await page.evaluate(async (fresh) => {
    const before = globalThis.running.told.length;
    await globalThis.running.round();
    const same = globalThis.running.told.length - before;
    document.querySelector('main').append(` and now ${fresh}`);
    await globalThis.running.round();
    return { same, more: globalThis.running.told.slice(before + same) };
  }, key());
  assert.equal(later.same, 0, 'each once');
  assert.deepEqual(
    later.more.map(({ place, where }) => [place, where]),
    [['dom', 'main#main']],
  );
  assert.deepEqual(asked, [], 'nothing goes to the network');
});

test('looks into databases, within bounds, and changes nothing there', async (t) => {
  const page = await open(t);
  const secrets = { deep: key(), name: key(), bytes: key(), late: key() };
  const result = await page.evaluate(async (secrets) => {
    const settled = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const made = indexedDB.open('app', 3);
    made.onupgradeneeded = () => {
      made.result.createObjectStore('settings');
      made.result.createObjectStore('many', { autoIncrement: true });
    };
    const db = await settled(made);
    const write = db.transaction(['settings', 'many'], 'readwrite');
    const settings = write.objectStore('settings');
    const cyclic = { user: { tokens: new Map([['groq', [secrets.deep]]]) } };
    cyclic.self = cyclic;
    settings.put(cyclic, 'profile');
    settings.put('the key is the name', secrets.name);
    settings.put(new TextEncoder().encode(`{"key":"${secrets.bytes}"}`), 'blob');
    const many = write.objectStore('many');
    for (let at = 0; at < 990; at += 1) many.put({ at, words: 'nothing to see' });
    many.put({ words: `the 991st: ${secrets.late}` });
    for (let at = 0; at < 500; at += 1) many.put({ at });
    await new Promise((resolve) => (write.oncomplete = resolve));
    const running = globalThis.begin({ places: ['storage'] });
    await running.round();
    // Whoever changes the database is not held up by the monitor.
    db.close();
    const again = indexedDB.open('app', 4);
    let blocked = false;
    again.onblocked = () => (blocked = true);
    (await settled(again)).close();
    const names = (await indexedDB.databases()).map(({ name, version }) => `${name} ${version}`);
    return { told: running.told, blocked, names };
  }, secrets);
  for (const [name, secret] of Object.entries(secrets)) {
    const found = result.told.filter(({ preview }) => preview.endsWith(secret.slice(-4)));
    assert.ok(found.length > 0, `${name}: ${JSON.stringify(result.told)}`);
    assert.equal(found[0].where, name === 'late' ? 'IndexedDB: app/many' : 'IndexedDB: app/settings');
  }
  assert.deepEqual([result.blocked, result.names], [false, ['app 4']]);
});

test('looks only where it is told to, and not at all once it is stopped', async (t) => {
  const page = await open(t, `?token=${KEYS.query}`);
  const result = await page.evaluate(async () => {
    const some = globalThis.begin({ places: ['url', 'cookies'] });
    await some.round();
    const stopped = globalThis.begin();
    stopped.stop();
    await stopped.round();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { places: [...new Set(some.told.map(({ place }) => place))].sort(), stopped: stopped.told };
  });
  assert.deepEqual(result, { places: ['cookies', 'url'], stopped: [] });
});

test('works in slices of idle time; a broken handler breaks nothing', async (t) => {
  const page = await open(t);
  page.on('pageerror', () => undefined);
  const result = await page.evaluate(async (secret) => {
    const main = document.querySelector('main');
    for (let index = 0; index < 20_000; index += 1) {
      main.append(Object.assign(document.createElement('p'), { textContent: `paragraph number ${index} of many` }));
    }
    main.append(`the last is ${secret}`);
    let slices = 0;
    const real = globalThis.requestIdleCallback;
    globalThis.requestIdleCallback = (...args) => ((slices += 1), real(...args));
    globalThis.running = globalThis.begin({ places: ['dom'], sliceMs: 1, throws: true });
    await globalThis.running.round();
    return { slices, told: globalThis.running.told.length };
  }, key());
  assert.ok(result.slices > 3, `${result.slices} slices`);
  assert.equal(result.told, 4);
});

test('refuses what it cannot do', async (t) => {
  const page = await open(t);
  const refused = await page.evaluate(async () => {
    const { monitor } = await import('/dist/monitor/monitor.js');
    return [{}, { onFinding() {}, sliceMs: 0 }, { onFinding() {}, sliceMs: NaN }, { onFinding() {}, everyMs: 10 }].map(
      (options) => {
        try {
          monitor(options);
          return 'no';
        } catch (error) {
          return error.message;
        }
      },
    );
  });
  assert.match(refused.join('\n'), /onFinding.*\n.*sliceMs.*\n.*sliceMs.*\n.*everyMs/u);
});

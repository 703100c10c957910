// The package under the headers that SECURITY.md asks for, Trusted Types among them, and what is said where a worker
// cannot be started: never a silent fall to the page.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { failure, launch, open, openGate, provider, ROOT, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const security = await readFile(`${ROOT}/SECURITY.md`, 'utf8');
/** The policies as they are documented, with the provider of the test for the two of the example. */
const documented = (providerUrl) =>
  [...security.matchAll(/^Content-Security-Policy: (.*frame-ancestors 'none'.*)$/gmu)].map(([, policy]) =>
    policy.replace('https://api.groq.com https://openrouter.ai', providerUrl),
  );

const ask = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'under a policy' }], max_tokens: 8 });
/** Opens a gate in the page; the error. */
const opening = (page, config, hooks) =>
  failure(
    page,
    async ([config, hooked]) => {
      const { Tidegate } = await globalThis.tidegate;
      await Tidegate.open(config, hooked ? { [hooked]: () => undefined } : {});
    },
    [config, hooks],
  );

test('the documented headers, on every file', async (t) => {
  const ours = await provider(t);
  const [all] = documented(ours.url);
  assert.match(all, /require-trusted-types-for 'script'; trusted-types tidegate/u);
  const page = await open(t, browser, await site(t, { headers: { 'content-security-policy': all } }));
  const { isolation } = await openGate(page, ours.url);
  assert.equal(isolation, 'worker');
  await page.evaluate(async () => {
    await globalThis.gate.vault.create('a passphrase');
    const stream = await globalThis.gate.chat({ messages: [{ role: 'user', content: 'streamed' }], stream: true });
    for await (const _chunk of stream);
  });
  assert.equal(ours.seen.length, 1);
  assert.deepEqual(page.problems, []);
  // Trusted Types are in force, and the policy of ours makes no address of anybody else's.
  const refused = await page.evaluate(() => {
    try {
      return String(new Worker('/pkg/dist/worker.js'));
    } catch ({ name }) {
      return name;
    }
  });
  assert.equal(refused, 'TypeError');
});

test('the narrower header of the page: it may not even speak to the providers, its worker may', async (t) => {
  const ours = await provider(t);
  const [all, narrow] = documented(ours.url);
  const files = { '/pkg/dist/worker.js': await readFile(`${ROOT}/pkg/dist/worker.js`, 'utf8') };
  const origin = await site(t, {
    files,
    headers: (path) => ({ 'content-security-policy': path === '/pkg/dist/worker.js' ? all : narrow }),
  });
  const page = await open(t, browser, origin);
  await openGate(page, ours.url);
  assert.equal((await failure(page, ask)).code, 'none');
  const direct = await page.evaluate(
    (url) =>
      fetch(url).then(
        () => 'went',
        () => 'refused',
      ),
    ours.url,
  );
  assert.equal(direct, 'refused');
});

test('a policy that lets no worker start, or knows no policy of ours, is named', async (t) => {
  for (const policy of ["worker-src 'none'", "require-trusted-types-for 'script'; trusted-types others"]) {
    const page = await open(t, browser, await site(t, { headers: { 'content-security-policy': policy } }));
    const { code, shouldRetry, message } = await opening(page, {});
    assert.deepEqual({ code, shouldRetry }, { code: 'isolation_failed', shouldRetry: false }, policy);
    assert.match(message, /worker\.js/u);
  }
});

test('a worker that is not there, is none, or is another build', async (t) => {
  const page = await open(t, browser, await site(t));
  for (const workerUrl of [
    '/missing.js',
    '/index.html',
    '/page.js',
    '/pkg/dist/worker-all.js',
    '/pkg/dist/worker-dialects.js',
  ]) {
    if (workerUrl === '/page.js') await page.clock.install();
    const told = opening(page, { workerUrl });
    if (workerUrl === '/page.js') await page.clock.runFor(31_000);
    const { code, shouldRetry, message } = await told;
    assert.deepEqual({ code, shouldRetry }, { code: 'isolation_failed', shouldRetry: false }, workerUrl);
    // What a person meets first whose bundler takes no files along.
    if (workerUrl === '/missing.js') assert.match(message, /missing\.js .*bundler left it out/u);
    if (workerUrl === '/page.js') await page.clock.resume();
  }
  for (const workerUrl of ['', 'https://', 'http://[']) {
    assert.equal((await opening(page, { workerUrl })).code, 'config_invalid', workerUrl);
  }
  assert.equal((await opening(page, {})).code, 'none', 'the default is there');
});

test('functions do not cross', async (t) => {
  const page = await open(t, browser, await site(t));
  // With `join` that is neither true nor false, and with names that are no hooks.
  for (const hook of ['fetch', 'ledger', 'join', 'fecth']) {
    const { code, fields } = await opening(page, {}, hook);
    assert.equal(code, 'config_invalid');
    assert.equal(fields[0].path, `hooks.${hook}`);
  }
});

test('a ledger that no browser has is refused in the worker, too, and all that is wrong is told at once', async (t) => {
  const page = await open(t, browser, await site(t));
  const wrong = async (config) => {
    const { code, fields } = await opening(page, config);
    return [code, ...(fields ?? []).map(({ path }) => path)];
  };
  for (const ledger of ['redis', { file: 'ledger' }, 7]) {
    assert.deepEqual(await wrong({ ledger }), ['config_invalid', 'ledger']);
  }
  assert.deepEqual(await wrong({ ledger: 'redis', limits: { maxConcurrent: 0 } }), [
    ...['config_invalid', 'ledger', 'limits.maxConcurrent'],
  ]);
  assert.deepEqual(await wrong({ isolation: 'shed', ledger: 'redis', limits: { maxConcurrent: 0 } }), [
    ...['config_invalid', 'isolation', 'ledger', 'limits.maxConcurrent'],
  ]);
});

test('a package from another origin needs a worker of this one', async (t) => {
  const ours = await provider(t);
  const cors = { 'access-control-allow-origin': '*' };
  const library = await site(t, { headers: cors });
  const origin = await site(t, {
    files: { '/page.js': `globalThis.tidegate = import('${library}/pkg/dist/web.js');` },
  });
  const page = await open(t, browser, origin);
  const { code, message } = await opening(page, {});
  assert.equal(code, 'isolation_failed');
  assert.match(message, /workerUrl/u);
  const status = await openGate(page, ours.url, { workerUrl: '/pkg/dist/worker.js' });
  assert.equal(status.isolation, 'worker');
  assert.equal((await failure(page, ask)).code, 'none');
});

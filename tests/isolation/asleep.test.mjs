// A computer that slept, or a tab that was frozen: the clock has gone on, and no timer ran.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { failure, launch, open, openGate, PASSPHRASE, provider, site } from './support.mjs';

const HOUR = 3_600_000;

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const ask = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'after' }], max_tokens: 8 });

/** A page with an unlocked vault. `sleep` lets its time pass without its timers. */
async function start(t, isolation) {
  const [origin, ours] = await Promise.all([site(t), provider(t)]);
  const page = await open(t, browser, origin);
  if (isolation === 'page') await page.clock.install();
  const workerUrl = isolation === 'worker' ? '/fragile-worker.js' : undefined;
  await openGate(page, ours.url, { isolation, workerUrl, cache: { ttlMs: 0 } }, null);
  await page.evaluate(async (passphrase) => {
    globalThis.locks = [];
    globalThis.gate.on('vault-lock', ({ reason }) => globalThis.locks.push(reason));
    await globalThis.gate.vault.create(passphrase);
    await globalThis.gate.vault.put('groq', `gsk_${'Zq7W'.repeat(13)}`);
  }, PASSPHRASE);
  const sleep = async (millis) => {
    if (isolation === 'page') return page.clock.setSystemTime(Date.now() + millis);
    await page.evaluate((shift) => new BroadcastChannel('break').postMessage({ shift }), millis);
    await page.waitForTimeout(100);
  };
  return { page, sleep };
}

for (const isolation of ['page', 'worker']) {
  for (const [how, wake] of [
    [
      'a pointer that moves',
      async (page) => {
        // Not so soon after the last one that it is not told.
        await page.waitForTimeout(1_100);
        await page.mouse.move(50, 50);
        await page.mouse.move(60, 60);
      },
    ],
    ['a page that is seen again', (page) => page.evaluate(() => globalThis.gate.vault.presence('shown'))],
    ['a request', async (page) => assert.equal((await failure(page, ask)).code, 'vault_locked')],
  ]) {
    test(`${how} does not undo that nobody was there for hours: level ${isolation}`, async (t) => {
      const { page, sleep } = await start(t, isolation);
      await sleep(HOUR / 12);
      await wake(page).catch((error) => error.code === 'ERR_ASSERTION' || Promise.reject(error));
      assert.equal(await page.evaluate(() => globalThis.gate.vault.state()), 'unlocked', 'five minutes are few');
      await sleep(8 * HOUR);
      await wake(page);
      await page.waitForFunction(() => globalThis.locks.length > 0);
      assert.deepEqual(await page.evaluate(() => globalThis.locks), ['auto']);
      assert.equal(await page.evaluate(() => globalThis.gate.vault.state()), 'locked');
      await page.evaluate((passphrase) => globalThis.gate.vault.unlock(passphrase), PASSPHRASE);
      assert.equal((await failure(page, ask)).code, 'none');
    });
  }
}

test('a clock that is set back keeps no vault open until it is where it was', async (t) => {
  const { page, sleep } = await start(t, 'page');
  // By the clock that is wrong.
  assert.equal((await failure(page, ask)).code, 'none');
  await sleep(-24 * HOUR);
  await page.clock.runFor(HOUR / 6);
  assert.equal(await page.evaluate(() => globalThis.gate.vault.state()), 'unlocked', 'ten minutes are few');
  await page.clock.runFor(HOUR / 6);
  assert.deepEqual(await page.evaluate(() => globalThis.locks), ['auto']);
});

test('a worker that was starting is waited for, as if no time had passed', async (t) => {
  const origin = await site(t);
  const page = await open(t, browser, origin);
  await page.clock.install();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const asked = new Promise((resolve) =>
    page.route('**/worker.js', async (route) => {
      resolve();
      await held;
      await route.continue();
    }),
  );
  const opening = failure(page, async () => {
    const { Tidegate } = await globalThis.tidegate;
    await Tidegate.open();
  });
  await asked;
  await page.clock.fastForward(HOUR);
  await page.waitForTimeout(200);
  release();
  assert.equal((await opening).code, 'none');
});

test('a database that was opening is waited for, too, but not for ever', async (t) => {
  const origin = await site(t);
  const page = await open(t, browser, origin);
  await page.clock.install();
  const other = await page.context().newPage();
  await other.goto(`${origin}/page.js`);
  // Another tab that does not make way for who deletes it: nobody else comes to it meanwhile.
  await other.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open('tidegate:default', 1);
        request.onupgradeneeded = () =>
          ['ledger', 'vault', 'cache'].forEach((table) => request.result.createObjectStore(table));
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          globalThis.database = request.result;
          indexedDB.deleteDatabase('tidegate:default').onblocked = resolve;
        };
      }),
  );
  const start = () =>
    failure(page, async () => {
      const { Tidegate } = await globalThis.tidegate;
      await Tidegate.open({ isolation: 'page' });
    });
  const first = start();
  await page.waitForTimeout(1_000);
  await page.clock.runFor(16_000);
  const { code, message } = await first;
  assert.equal(code, 'internal');
  assert.match(message, /Another tab/);
  const second = start();
  await page.waitForTimeout(1_000);
  await page.clock.fastForward(HOUR);
  await page.waitForTimeout(200);
  await other.evaluate(() => globalThis.database.close());
  assert.equal((await second).code, 'none');
});

/** Deletes databases from a page; `blocked` if somebody holds one open who does not make way. */
const deleted = (page, names) =>
  page.evaluate(
    (names) =>
      Promise.all(
        names.map(
          (name) =>
            new Promise((resolve, reject) => {
              const request = indexedDB.deleteDatabase(name);
              request.onsuccess = () => resolve('deleted');
              request.onerror = () => reject(request.error);
              // A worker that does nothing at all is not even asked.
              setTimeout(resolve, 3_000, 'blocked');
            }),
        ),
      ),
    names,
  );

test('a page that is put to sleep holds no database open that others could wait for', async (t) => {
  const [origin, ours] = await Promise.all([site(t), provider(t)]);
  const page = await open(t, browser, origin);
  await page.evaluate(() => {
    globalThis.databases = [];
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (...args) {
      const request = open.apply(this, args);
      request.addEventListener('success', () => globalThis.databases.push(request.result));
      return request;
    };
  });
  await openGate(page, ours.url, { isolation: 'page', queue: {}, autoLock: { frozen: false } });
  await page.evaluate(async (passphrase) => {
    const { gate } = globalThis;
    await gate.vault.create(passphrase);
    await gate.queue.enqueue({ messages: [{ role: 'user', content: 'later' }], max_tokens: 8 });
    while ((await gate.queue.stats()).completed < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    // From now on nobody makes way, as nobody does who sleeps.
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    for (const database of globalThis.databases) database.onversionchange = null;
  }, PASSPHRASE);
  assert.equal((await failure(page, ask)).code, 'none', 'opened again by the next use');
  await page.evaluate(() => {
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    for (const database of globalThis.databases) database.onversionchange = null;
  });
  assert.deepEqual(await deleted(page, ['tidegate:default', 'tidegate:default:queue']), ['deleted', 'deleted']);
});

test('nor does a worker that sleeps with its page, also where its lock has written', async (t) => {
  const { page } = await start(t, 'worker');
  assert.equal((await failure(page, ask)).code, 'none');
  await page.evaluate(async () => {
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    while ((await globalThis.gate.vault.state()) !== 'locked') await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await globalThis.gate.vault.presence('frozen');
    new BroadcastChannel('break').postMessage({ how: 'loop' });
  });
  assert.deepEqual(await deleted(page, ['tidegate:default']), ['deleted']);
});

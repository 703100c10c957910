// IndexedDB that fails: deleted, cleared, held by an older tab, newer, somebody else's, with garbage in it. In each case a
// typed error or none, nothing lost, and nothing waited for without an end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { BROWSERS, where } from '../packaging/browsers.mjs';
import { failure, launch, open, openGate, provider, site } from './support.mjs';

const AS_IT_SHOULD = {
  deletedWhileOpen: 'ok',
  newerFromTheStart: 'vault_corrupt',
  newerMeanwhile: [false, 'vault_corrupt', 'vault_corrupt', 'ok'],
  ofSomebodyElse: 'vault_corrupt',
  garbageLedger: 'vault_corrupt true',
  garbageAnswers: 'ok,ok',
  garbageHeader: 'locked,vault_corrupt,vault_corrupt',
  queueOfSomebodyElse: 'vault_corrupt',
  walkThroughAQueue: '1+2 3+4 5',
  strangersOnTheChannel: 'ok,unlocked,0,locked,1',
  garbageInAQueue: 'completed',
  heldQueue: [['internal', true], 'ok'],
  held: ['internal', true],
  heldMeanwhile: [true, true, true, 'ok'],
  unhandled: [],
};

for (const [name, start] of Object.entries(BROWSERS)) {
  test(name, where(name), async (t) => {
    const driven = await start();
    t.after(() => driven.close());
    const [origin, ours] = await Promise.all([site(t), provider(t)]);
    for (const isolation of ['page', 'worker']) {
      const query = new URLSearchParams({ isolation, provider: ours.url });
      assert.deepEqual(JSON.parse(await driven.text(`${origin}/storage.html?${query}`)), AS_IT_SHOULD, isolation);
    }
  });
}

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const ask = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'cleared' }], max_tokens: 8 });
const enqueue = async () => {
  // Data that was cleared is gone: the vault's key is still at hand, and what is queued anew is sealed with it.
  await globalThis.gate.queue.enqueue({ messages: [{ role: 'user', content: 'cleared' }], max_tokens: 8 });
};
for (const isolation of ['page', 'worker']) {
  test(`the site's data is cleared in the middle of decisions: level ${isolation}`, async (t) => {
    const [origin, ours] = await Promise.all([site(t), provider(t)]);
    const page = await open(t, browser, origin);
    await openGate(page, ours.url, { isolation, cache: { ttlMs: 0 }, queue: {} });
    await page.evaluate(() => {
      globalThis.unhandled = [];
      addEventListener('unhandledrejection', ({ reason }) => globalThis.unhandled.push(String(reason)));
      return globalThis.gate.vault.create('correct horse battery staple');
    });
    const devtools = await page.context().newCDPSession(page);
    for (let round = 0; round < 10; round += 1) {
      const work = round % 2 ? ask : enqueue;
      const asking = failure(page, work);
      await devtools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
      let told = await asking;
      // Chromium at times forgets who is just opening the database: that is an error after a while, and not for good.
      for (let tries = 0; tries < 3 && told.code !== 'none'; tries += 1) {
        assert.equal(told.code, 'internal', `round ${round}`);
        assert.match(told.message, /storage failed|Another tab/, `round ${round}`);
        told = await failure(page, work);
      }
      assert.equal(told.code, 'none', `round ${round}`);
    }
    assert.deepEqual(await page.evaluate(() => globalThis.unhandled), []);
  });
}

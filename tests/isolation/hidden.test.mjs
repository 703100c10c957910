// A tab behind another one, in a window: its timers are late, or do not run at all, and what follows is decided by the clock.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchWindow, windowed } from './headed.mjs';
import { failure, KEY, openGate, PASSPHRASE, provider, site } from './support.mjs';

let window;
before(async () => {
  if (!windowed.skip) window = await launchWindow();
});
after(() => window?.close());

/** A tab of the site, in front of the others. */
async function tab(t, origin) {
  const page = await window.context.newPage();
  t.after(() => page.close());
  await page.goto(origin);
  await page.bringToFront();
  return page;
}

/** Another tab comes in front of this one. */
async function hide(t, page) {
  await tab(t, 'about:blank');
  await page.waitForFunction(() => document.visibilityState === 'hidden', undefined, { polling: 100 });
}

const ask = (content) => globalThis.gate.chat({ messages: [{ role: 'user', content }], max_tokens: 8 });

for (const isolation of ['page', 'worker']) {
  test(`time-outs, retries and a queue go on where timers are throttled: level ${isolation}`, windowed, async (t) => {
    const [origin, ours] = await Promise.all([site(t), provider(t)]);
    const page = await tab(t, origin);
    const config = { isolation, cache: { ttlMs: 0 }, queue: {}, timeouts: { attemptMs: 1_500 } };
    await openGate(page, ours.url, { ...config, retry: { maxRetries: 1 }, breaker: { failures: 50 } });
    await hide(t, page);
    await page.evaluate(() => {
      globalThis.ticks = 0;
      setInterval(() => (globalThis.ticks += 1), 100);
    });
    // Until a chain of timers is woken once a minute.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    const ticks = await page.evaluate(() => globalThis.ticks);
    assert.ok(ticks < 12, `throttled, and not ${ticks} times in 8 s`);
    ours.mode = 'fail';
    assert.equal((await failure(page, ask, 'one')).attempts.length, 2);
    ours.mode = 'hang';
    const began = Date.now();
    const { code, timeout } = await failure(page, ask, 'two');
    const tookMs = Date.now() - began;
    assert.deepEqual([code, timeout], ['timeout', 'attempt']);
    assert.ok(tookMs > 3_000 && tookMs < 12_000, `${tookMs} ms for two attempts and a wait`);
    ours.mode = 'answer';
    ours.seen.length = 0;
    await page.evaluate(async () => {
      const ended = new Set();
      const all = new Promise((resolve) =>
        globalThis.gate.on('queue-progress', ({ requestId, status }) => {
          if (status === 'completed' && ended.add(requestId).size === 6) resolve();
        }),
      );
      for (let n = 0; n < 6; n += 1) {
        await globalThis.gate.queue.enqueue({ messages: [{ role: 'user', content: `${n}` }], max_tokens: 8 });
      }
      await all;
    });
    assert.equal(ours.seen.length, 6);
    const { inFlight, budget } = await page.evaluate(() => globalThis.gate.status());
    assert.deepEqual([inFlight, budget.reservedNanoUsd], [0, 0]);
  });

  test(
    `an answer that came while the tab was frozen is not asked for again: level ${isolation}`,
    windowed,
    async (t) => {
      const [origin, ours] = await Promise.all([site(t), provider(t)]);
      const page = await tab(t, origin);
      await openGate(page, ours.url, {
        isolation,
        cache: { ttlMs: 0 },
        timeouts: { attemptMs: 3_000 },
        retry: { maxRetries: 1 },
      });
      ours.mode = 'slow';
      const answer = page.evaluate(() =>
        globalThis.gate.chat({ messages: [{ role: 'user', content: 'frozen' }], max_tokens: 8 }),
      );
      while (ours.seen.length === 0) await page.waitForTimeout(20);
      await hide(t, page);
      const devtools = await window.context.newCDPSession(page);
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      await devtools.send('Page.setWebLifecycleState', { state: 'active' });
      const { tidegate } = await answer;
      assert.deepEqual([tidegate.attempts, tidegate.costSource, ours.seen.length], [1, 'computed', 1]);
    },
  );

  test(
    `a vault that is opened behind another tab locks as one that was left: level ${isolation}`,
    windowed,
    async (t) => {
      const [origin, ours] = await Promise.all([site(t), provider(t)]);
      const page = await tab(t, origin);
      await hide(t, page);
      await openGate(page, ours.url, { isolation, autoLock: { hiddenMs: 2_000 } }, null);
      const state = await page.evaluate(
        async ([passphrase, key]) => {
          const locked = new Promise((resolve) => globalThis.gate.on('vault-lock', ({ reason }) => resolve(reason)));
          await globalThis.gate.vault.create(passphrase);
          await globalThis.gate.vault.put('groq', key);
          return Promise.race([locked, new Promise((resolve) => setTimeout(resolve, 10_000, 'open'))]);
        },
        [PASSPHRASE, KEY],
      );
      assert.equal(state, 'auto');
    },
  );
}

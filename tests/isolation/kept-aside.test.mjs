// A page that the browser keeps aside to come back to (its back/forward cache): what was under way goes on when it is back,
// and the next request is like any other.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { CHROMIUM } from '../packaging/browsers.mjs';
import { open, openGate, provider, site } from './support.mjs';

let browser;
before(async () => {
  // Playwright turns it off.
  browser = await chromium.launch({ ...CHROMIUM, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
});
after(() => browser?.close());

for (const isolation of ['page', 'worker']) {
  test(`a stream goes on, and money is held once: level ${isolation}`, async (t) => {
    const [origin, ours] = await Promise.all([site(t), provider(t)]);
    const page = await open(t, browser, origin);
    await openGate(page, ours.url, { isolation, cache: { ttlMs: 0 } });
    ours.mode = 'endless';
    await page.evaluate(async () => {
      globalThis.told = [];
      addEventListener('pageshow', ({ persisted }) => globalThis.told.push(persisted ? 'kept' : 'new'));
      addEventListener('unhandledrejection', ({ reason }) => globalThis.told.push(String(reason)));
      globalThis.chunks = 0;
      const stream = await globalThis.gate.chat({
        messages: [{ role: 'user', content: 'long' }],
        max_tokens: 8,
        stream: true,
      });
      void (async () => {
        for await (const chunk of stream) if (chunk) globalThis.chunks += 1;
      })().catch(({ code }) => globalThis.told.push(code));
    });
    await page.waitForFunction(() => globalThis.chunks > 3);
    await page.goto(`${origin}/sandboxed.html`);
    await page.waitForTimeout(500);
    // Nothing is loaded again: there is only the commit to wait for, and Playwright is not told of that one either.
    await page.evaluate(() => history.back());
    await page.waitForURL(`${origin}/`, { waitUntil: 'commit' });
    const seen = await page.evaluate(() => globalThis.chunks);
    assert.ok(seen > 3, 'the same page');
    await page.waitForFunction((seen) => globalThis.chunks > seen + 3, seen);
    assert.deepEqual(await page.evaluate(() => globalThis.told), ['kept']);
    assert.equal(ours.left, 0, 'nobody hung up');
    ours.mode = 'answer';
    const after = await page.evaluate(async () => {
      const { gate } = globalThis;
      const answer = await gate.chat({ messages: [{ role: 'user', content: 'next' }], max_tokens: 8 });
      const { inFlight, budget } = await gate.status();
      return [answer.choices[0].message.content, inFlight, budget.reservedNanoUsd > 0];
    });
    assert.deepEqual(after, ['Hello.', 1, true]);
  });
}

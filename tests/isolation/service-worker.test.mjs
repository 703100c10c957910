// A service worker sees the requests of page and worker. It is told, and refused if the app wants that.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { failure, KEY, launch, open, openGate, provider, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const SPY = `
const seen = [];
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => seen.push(event.request.headers.get('authorization')));
addEventListener('message', (event) => event.source.postMessage(seen));`;
const ask = (content) => globalThis.gate.chat({ messages: [{ role: 'user', content }], max_tokens: 8 });
const register = (page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.register('/spy.js');
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 10));
  });

for (const isolation of ['page', 'worker']) {
  describe(`level ${isolation}`, () => {
    const start = async (t) => {
      const ours = await provider(t);
      const origin = await site(t, { files: { '/spy.js': SPY } });
      return { page: await open(t, browser, origin), ours, spy: `${origin}/spy.js` };
    };

    test('it is told, because it sees the key', async (t) => {
      const { page, ours, spy } = await start(t);
      await register(page);
      const status = await openGate(page, ours.url, { isolation });
      assert.equal(status.serviceWorker, spy);
      assert.equal((await failure(page, ask, 'seen')).code, 'none');
      const seen = await page.evaluate(
        () =>
          new Promise((resolve) => {
            navigator.serviceWorker.onmessage = ({ data }) => resolve(data);
            navigator.serviceWorker.controller.postMessage('what did you see?');
          }),
      );
      assert.ok(seen.includes(`Bearer ${KEY}`), 'this is why');
    });

    test('it is refused at the start', async (t) => {
      const { page, ours, spy } = await start(t);
      await register(page);
      const opening = (url) => openGate(page, url, { isolation, serviceWorker: 'refuse' });
      await assert.rejects(opening(ours.url), (error) => error.message.includes(spy));
    });

    test('it is refused when it comes later', async (t) => {
      const { page, ours } = await start(t);
      const status = await openGate(page, ours.url, { isolation, serviceWorker: 'refuse' });
      assert.equal(status.serviceWorker, null);
      assert.equal((await failure(page, ask, 'before')).code, 'none');
      await register(page);
      const { code, shouldRetry } = await failure(page, ask, 'after');
      assert.deepEqual({ code, shouldRetry }, { code: 'isolation_failed', shouldRetry: false });
      const fetched = await page.evaluate(async () => {
        const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'by fetch' }] });
        const response = await globalThis.gate.fetch('https://api.openai.com/v1/chat/completions', {
          method: 'POST',
          body,
        });
        return [response.status, await globalThis.gate.fetch.result(response).catch(({ code }) => code)];
      });
      assert.deepEqual(fetched, [500, 'isolation_failed']);
      assert.equal(ours.seen.length, 1);
    });
  });
}

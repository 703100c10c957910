// A worker that breaks or hangs is noticed and started anew; what was in flight is told, what it held runs out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { failure, KEY, launch, open, openGate, provider, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const ask = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'in flight' }], max_tokens: 100 });
const start = async (t, config = {}) => {
  const [origin, ours] = await Promise.all([site(t), provider(t)]);
  const page = await open(t, browser, origin);
  await openGate(page, ours.url, { workerUrl: '/fragile-worker.js', cache: { ttlMs: 0 }, ...config });
  return { page, ours };
};
const tell = (page, message) => page.evaluate((message) => new BroadcastChannel('break').postMessage(message), message);
const reserved = (page) => page.evaluate(async () => (await globalThis.gate.budget.status()).reservedNanoUsd);
const reached = async (ours, count) => {
  for (const until = Date.now() + 10_000; ours.seen.length < count; await new Promise((go) => setTimeout(go, 20))) {
    assert.ok(Date.now() < until, 'the provider was not asked');
  }
};

test('an uncaught error: requests in flight are told, events go on, holds run out by their lease', async (t) => {
  const { page, ours } = await start(t, { timeouts: { attemptMs: 5_000, totalMs: 5_000 } });
  await page.evaluate(() => {
    globalThis.heard = [];
    globalThis.gate.on('request-end', ({ ok }) => globalThis.heard.push(ok));
  });
  ours.mode = 'hang';
  const whole = failure(page, ask);
  await reached(ours, 1);
  ours.mode = 'endless';
  const streamed = failure(page, async () => {
    const request = { messages: [{ role: 'user', content: 'a stream' }], max_tokens: 100, stream: true };
    const stream = await globalThis.gate.chat(request);
    globalThis.result = stream.result.catch(({ code }) => code);
    for await (const _chunk of stream);
  });
  await reached(ours, 2);
  await page.waitForTimeout(300);
  await page.waitForTimeout(1_000);
  await tell(page, { how: 'throw' });
  for (const { code, shouldRetry, name } of [await whole, await streamed]) {
    assert.deepEqual(
      { code, shouldRetry, name },
      { code: 'isolation_failed', shouldRetry: true, name: 'TidegateError' },
    );
  }
  assert.equal(await page.evaluate(() => globalThis.result), 'isolation_failed');
  await page.waitForTimeout(100);
  assert.equal(ours.left, 2, 'its connections ended with it');

  const held = await reserved(page);
  assert.ok(held > 0, 'held: the provider may be at work');
  ours.mode = 'answer';
  assert.equal((await failure(page, ask)).code, 'no_target', 'the keys of the session are gone with it');
  await page.evaluate((key) => globalThis.gate.vault.putForSession('groq', key), KEY);
  assert.equal((await failure(page, ask)).code, 'none');
  assert.deepEqual(await page.evaluate(() => globalThis.heard), [false, true], 'told by the new worker');
  await tell(page, { shift: 180_000 });
  await page.waitForTimeout(100);
  assert.equal((await failure(page, ask)).code, 'none');
  assert.equal(await reserved(page), 0, 'a lease outlasts the total deadline by a minute');
});

test('a worker that hangs is given up after some questions without an answer', async (t) => {
  const { page, ours } = await start(t);
  await page.clock.install();
  ours.mode = 'hang';
  const asking = failure(page, ask);
  await reached(ours, 1);
  await tell(page, { how: 'hang' });
  await page.clock.runFor(60_000);
  const { code, shouldRetry } = await asking;
  assert.deepEqual({ code, shouldRetry }, { code: 'isolation_failed', shouldRetry: true });
  ours.mode = 'answer';
  await page.evaluate((key) => globalThis.gate.vault.putForSession('groq', key), KEY);
  assert.equal((await failure(page, ask)).code, 'none', 'the new one works');
});

test('a worker that is busy for long is not given up', async (t) => {
  const { page, ours } = await start(t);
  await page.clock.install();
  ours.mode = 'hang';
  const asking = failure(page, ask);
  await reached(ours, 1);
  for (let beats = 0; beats < 12; beats += 1) {
    await page.clock.runFor(5_000);
    await page.waitForTimeout(20);
  }
  assert.equal(ours.left, 0);
  await page.evaluate(() => globalThis.gate.close());
  assert.equal((await asking).code, 'closed');
});

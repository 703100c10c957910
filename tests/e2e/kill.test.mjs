// SIGKILL to workerd in the middle of 100 running and 500 queued requests, its storage kept: nothing is lost, nothing is
// recorded twice, and once the leases have run out the budget is exactly what the provider may have billed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { BILL, bindingsOf, BOUND, budgetOf, LEASES_MS, PRICED, startHeldProvider } from './held-provider.mjs';
import { ask, bundled, call, folder, MASTER_KEY, startWorkerd, TOKEN, until } from './workerd.mjs';

const RUNNING = 100;
const QUEUED = 500;
// As many as the platform lets run in one object.
const CONCURRENCY = 6;
const LIMIT_USD = 5;
/** Fewer than what the end asks for and what the kills left behind together. */
const SLOTS = 400;

let bundle;
let storage;
let provider;
let worker;
before(async () => {
  storage = folder('kill');
  [bundle, provider] = [bundled(), await startHeldProvider()];
});
after(async () => {
  provider?.stop();
  await worker?.dispose();
  for (const one of [bundle, storage]) one?.remove();
});

async function start() {
  const limits = { maxConcurrent: SLOTS };
  const config = { ...PRICED, limits, budget: budgetOf(LIMIT_USD), queue: { concurrency: CONCURRENCY, baseMs: 10 } };
  const bindings = bindingsOf(provider, config, { TIDEGATE_TOKEN: TOKEN, TIDEGATE_MASTER_KEY: MASTER_KEY });
  worker = await startWorkerd({ bundle, storage: storage.path, bindings });
  [worker.url] = worker.urls;
}

async function budget() {
  const { body } = await call(worker.url, '/api/ai/status');
  const { spentNanoUsd: spent, reservedNanoUsd: reserved, overshootNanoUsd: overshoot } = body.budget;
  return { spent, reserved, overshoot, inFlight: body.inFlight };
}

async function enqueue(index) {
  const messages = [{ role: 'user', content: `queued ${index}` }];
  const body = { messages, max_tokens: 1_000, idempotencyKey: `key ${index}`, timeoutMs: 600_000 };
  const answer = await call(worker.url, '/api/ai/queue', { method: 'POST', body });
  assert.equal(answer.status, 202, answer.text);
  return answer.body.requestId;
}

const held = () => provider.journal.filter(({ answered }) => !answered).length;

test('100 running and 500 queued requests survive a kill, and the budget is exact', { timeout: 120_000 }, async () => {
  await start();
  const first = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(worker.url, `answered ${index}`)));
  for (const { status } of first) assert.equal(status, 200);
  assert.deepEqual(await budget(), { spent: 40 * BILL, reserved: 0, overshoot: 0, inFlight: 0 });

  provider.holding = true;
  const running = Array.from({ length: RUNNING }, (_, index) =>
    // Some as streams, which are held before their first byte like the others.
    ask(worker.url, `running ${index}`, { stream: index % 4 === 0 }).catch((failure) => ({ failure })),
  );
  const ids = [];
  for (let from = 0; from < QUEUED; from += 50) {
    ids.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => enqueue(from + index)))));
  }
  await until(() => held() === RUNNING + CONCURRENCY);
  const lost = held();
  assert.deepEqual(await budget(), { spent: 40 * BILL, reserved: lost * BOUND, overshoot: 0, inFlight: lost });
  worker.kill();
  for (const one of await Promise.all(running)) assert.ok(one.failure, 'nobody was answered');
  await worker.dispose();

  // The provider may have billed what it was asked: until the leases run out, all of that stays reserved.
  await start();
  await until(() => held() === lost + CONCURRENCY);
  assert.equal((await budget()).reserved, (lost + CONCURRENCY) * BOUND);
  for (const [index, id] of ids.entries()) if (index % 50 === 0) assert.equal(await enqueue(index), id);
  const asked = provider.journal.length;
  provider.release();
  const stats = async () => (await call(worker.url, '/api/ai/queue?action=stats')).body;
  // Killed once more, wherever it happens to be.
  await until(() => provider.journal.length > asked + 100);
  worker.kill();
  await worker.dispose();
  await start();
  await until(async () => (await stats()).completed === QUEUED);
  const { dead, cancelled, queued, running: still, delayed } = await stats();
  assert.deepEqual([dead, cancelled, queued, still, delayed], [0, 0, 0, 0, 0], 'nothing is lost, nothing is twice');
  const results = ids.map((id) => call(worker.url, `/api/ai/queue?action=status&requestId=${id}`));
  for (const [index, { body }] of (await Promise.all(results)).entries()) {
    assert.equal(body.result.choices[0].message.content, `heard: queued ${index}`);
  }

  // Each exchange is either settled at its bill or reserved at its bound, and none is neither.
  const now = await budget();
  const unsettled = now.reserved / BOUND;
  const settled = now.spent / BILL;
  assert.ok(Number.isInteger(settled) && Number.isInteger(unsettled), JSON.stringify(now));
  assert.equal(now.inFlight, unsettled);
  assert.ok(unsettled >= lost, 'what the first kill hit waits for its lease');
  // The second kill may have come between a settlement and the record of the result: that one was asked again.
  assert.ok(
    settled >= 40 + QUEUED && settled + unsettled <= lost + 40 + QUEUED + 2 * CONCURRENCY,
    `${settled} settled`,
  );
  assert.ok(settled + unsettled >= provider.journal.length, 'what the provider was asked is covered');

  await call(worker.url, `/clock?aheadMs=${LEASES_MS}`);
  const spent = settled * BILL + unsettled * BOUND;
  assert.deepEqual(await budget(), { spent, reserved: 0, overshoot: 0, inFlight: 0 }, 'after the leases');
  await call(worker.url, `/clock?aheadMs=${2 * LEASES_MS}`);
  assert.equal((await budget()).spent, spent, 'once');

  // What is left admits exactly what fits.
  const fits = Math.floor((LIMIT_USD * 1e9 - spent) / BOUND);
  assert.ok(fits < SLOTS && fits + unsettled > SLOTS, 'slots that were not free again would be missing');
  provider.holding = true;
  let refused = 0;
  const last = Array.from({ length: fits + 20 }, async (_, index) => {
    const answer = await ask(worker.url, `last ${index}`);
    if (answer.status !== 200) refused += 1;
    return answer;
  });
  await until(() => refused === 20 && held() === fits);
  provider.release();
  const codes = (await Promise.all(last)).flatMap(({ status, body }) => (status === 200 ? [] : [body.error.code]));
  assert.deepEqual([codes.length, [...new Set(codes)]], [20, ['budget_exceeded']]);
  assert.equal((await budget()).spent, spent + fits * BILL);
});

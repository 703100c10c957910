// Leased slices in workerd for real: several isolates spend one organisation's cap out of one object, in its process and
// in another one, which is killed while it holds slices.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { BILL, bindingsOf, BOUND, budgetOf, LEASES_MS, PRICED, startHeldProvider } from './held-provider.mjs';
import { ask, bundled, call, folder, pause, startWorkerd, TOKEN, until } from './workerd.mjs';

/** Requests that the cap holds. */
const CAP = 400;
const WINDOW_MS = 1_000;
const CONFIG = {
  ...PRICED,
  budget: budgetOf((CAP * BOUND) / 1e9),
  leases: { windowMs: WINDOW_MS, share: 16 },
};

let bundle;
let provider;
const started = [];
before(async () => {
  [bundle, provider] = [bundled(), await startHeldProvider()];
});
afterEach(async () => {
  for (const one of started.splice(0)) await one.dispose?.();
  provider.journal.length = 0;
});
after(() => {
  provider?.stop();
  bundle?.remove();
});

async function start(isolates, { tiers = {}, ...more } = {}) {
  const rates = { ...CONFIG.rates, tiers: { ...CONFIG.rates.tiers, ...tiers } };
  const bindings = bindingsOf(provider, { ...CONFIG, rates }, { TIDEGATE_TOKEN: TOKEN });
  const worker = await startWorkerd({ bundle, bindings, isolates, ...more });
  started.push(worker);
  return worker;
}

async function budget(url) {
  const { body } = await call(url, '/api/ai/status');
  const { spentNanoUsd: spent, reservedNanoUsd: reserved, overshootNanoUsd: overshoot } = body.budget;
  return { spent, reserved, overshoot };
}

const held = () => provider.journal.filter(({ answered }) => !answered).length;

/** So many at once by each isolate, held by the provider until all are decided. What came of them. */
async function barrier(urls, each) {
  provider.holding = true;
  let decided = 0;
  const before = held();
  const all = urls.flatMap((url, isolate) =>
    Array.from({ length: each }, async (_, index) => {
      const answer = await ask(url, `${isolate} ${index} of ${provider.journal.length}`);
      if (answer.status !== 200) decided += 1;
      return answer;
    }),
  );
  await until(() => decided + held() - before === urls.length * each);
  const admitted = held() - before;
  const most = await budget(urls[0]);
  assert.ok(most.spent + most.reserved <= CAP * BOUND, JSON.stringify(most));
  provider.release();
  const answers = await Promise.all(all);
  const refused = answers.filter(({ status }) => status !== 200);
  assert.equal(refused.length, answers.length - admitted);
  for (const { status, text, body } of refused)
    assert.deepEqual([status, body.error?.code], [402, 'budget_exceeded'], text);
  return { admitted, most };
}

test(
  'several isolates at once never pass the cap, and give back what they do not use',
  { timeout: 120_000 },
  async () => {
    const isolates = Array.from({ length: 4 }, (_, index) => ({ name: `isolate-${index}`, objectsOf: 'gateway' }));
    const { urls } = await start([{ name: 'gateway' }, ...isolates]);
    // Warm: each has leased, so that slices are spent and not only asked for.
    for (const url of urls) await ask(url, 'first');
    let answered = urls.length;
    const first = await barrier(urls, 20);
    answered += first.admitted;
    assert.ok(first.most.reserved > first.admitted * BOUND, 'what is leased is reserved, used or not');
    const crowd = await barrier(urls, CAP / 4);
    answered += crowd.admitted;
    // What one holds and does not use is missing elsewhere, for as long as it runs something on it.
    assert.ok(crowd.admitted > CAP / 2, `only ${crowd.admitted}`);
    await until(async () => (await budget(urls[0])).reserved === 0);
    assert.deepEqual(await budget(urls[0]), { spent: answered * BILL, reserved: 0, overshoot: 0 });
  },
);

test('slices of a process that is killed count as spent, and no more than they', { timeout: 120_000 }, async () => {
  const registry = folder('registry');
  try {
    const own = await start([{ name: 'gateway' }], { registry: registry.path });
    const other = await start(
      [
        { name: 'far-1', objectsOf: 'gateway' },
        { name: 'far-2', objectsOf: 'gateway' },
      ],
      { registry: registry.path },
    );
    const [near] = own.urls;
    for (const url of [...other.urls, near]) {
      const { status, text } = await ask(url, 'first');
      assert.equal(status, 200, text);
    }
    // The object's own isolate gives its slice back before the others are killed.
    await pause(2 * WINDOW_MS);
    provider.holding = true;
    const lost = other.urls.flatMap((url) =>
      Array.from({ length: 20 }, (_, index) => ask(url, `lost ${index}`).catch((failure) => ({ failure }))),
    );
    await until(() => held() === 40);
    const at = await budget(near);
    assert.ok(at.reserved > 40 * BOUND, 'more is leased than runs');
    other.kill();
    for (const one of await Promise.all(lost)) assert.ok(one.failure ?? one.status >= 500);
    provider.release();
    // Nobody can tell what was spent of it: until the lease has run out it is reserved, then it is spent, once.
    await pause(2 * WINDOW_MS);
    assert.deepEqual(await budget(near), at);
    const counted = { spent: at.spent + at.reserved, reserved: 0, overshoot: 0 };
    for (const times of [1, 2]) {
      await call(near, `/clock?aheadMs=${times * LEASES_MS}`);
      assert.deepEqual(await budget(near), counted);
    }

    // Exact near the cap, whoever holds what: together they never pass it.
    const { urls } = await start([{ name: 'far-3', objectsOf: 'gateway' }], { registry: registry.path });
    const left = Math.floor((CAP * BOUND - counted.spent) / BOUND);
    const { admitted } = await barrier([near, ...urls], left);
    assert.ok(admitted <= left && admitted > left / 2, `${admitted} of ${left}`);
    await until(async () => (await budget(near)).reserved === 0);
    assert.deepEqual(await budget(near), { ...counted, spent: counted.spent + admitted * BILL });
  } finally {
    registry.remove();
  }
});

test('who comes once, and at whatever time, leaves nothing leased behind', { timeout: 60_000 }, async () => {
  const { urls } = await start([{ name: 'gateway' }], { tiers: { pro: { perMinute: 60_000 } } });
  const [url] = urls;
  const tokens = [];
  for (const user of ['ann', 'bob']) {
    const made = await call(url, '/api/admin/tokens', { method: 'POST', body: { user, tier: 'pro' } });
    tokens.push(made.body.token);
  }
  // Each has a slice of their own, and the second one's is still open when the first one's is given back.
  for (const token of tokens) {
    assert.equal((await ask(url, 'once', { token })).status, 200);
    await pause(0.6 * WINDOW_MS);
  }
  assert.ok((await budget(url)).reserved > 0, 'they were leased');
  await pause(3 * WINDOW_MS);
  assert.deepEqual(await budget(url), { spent: tokens.length * BILL, reserved: 0, overshoot: 0 });
});

// 1,000 different requests of 20 organisations at once, from a process of its own, to workerd run directly: each
// organisation is admitted exactly what its tier and its caps allow, while no answer has come.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { bindingsOf, BOUND, budgetOf, PRICED, startHeldProvider } from './held-provider.mjs';
import { bundled, call, startWorkerd, TOKEN, until } from './workerd.mjs';

const ORGANISATIONS = 20;
const EACH = 50;
/** How many of 50 are admitted, and what says no to the others. */
const TIERS = [
  { tier: 'free', admits: 5, refusals: { rate_limited: 45 } },
  { tier: 'pro', admits: 12, refusals: { rate_limited: 20, budget_exceeded: 18 } },
  { tier: 'enterprise', admits: 20, refusals: { budget_exceeded: 30 } },
];
const STATUS = { rate_limited: 429, budget_exceeded: 402 };
const CONFIG = {
  ...PRICED,
  budget: budgetOf((20 * BOUND) / 1e9),
  budgets: [{ of: 'token', tier: 'pro', per: 'week', limitUsd: '0.12' }],
  rates: {
    ...PRICED.rates,
    tiers: {
      free: { perMinute: 1, burst: 5 },
      pro: { perMinute: 1, burst: 30 },
      enterprise: { perMinute: 1, burst: 100 },
    },
  },
};

let bundle;
let provider;
let worker;
before(async () => {
  [bundle, provider] = [bundled(), await startHeldProvider()];
  worker = await startWorkerd({ bundle, bindings: bindingsOf(provider, CONFIG, { TIDEGATE_TOKEN: TOKEN }) });
});
after(async () => {
  provider?.stop();
  await worker?.dispose();
  bundle?.remove();
});

const held = () => provider.journal.filter(({ answered }) => !answered).length;

async function organisation(index) {
  const [url] = worker.urls;
  const { tier } = TIERS[index % TIERS.length];
  const name = `company-${index}`;
  const set = await call(url, `/api/admin/organisations/${name}`, { method: 'PUT', body: { tiers: [tier] } });
  assert.equal(set.status, 200, set.text);
  const body = { tier, scopes: ['chat', 'admin'] };
  const made = await call(url, `/api/admin/tokens?organisation=${name}`, { method: 'POST', body });
  assert.equal(made.status, 201, made.text);
  return { token: made.body.token, count: EACH };
}

test('1,000 requests of 20 organisations from another process are admitted exactly', { timeout: 60_000 }, async () => {
  const [url] = worker.urls;
  const callers = await Promise.all(Array.from({ length: ORGANISATIONS }, (_, index) => organisation(index)));
  provider.holding = true;
  const child = spawn(process.execPath, [fileURLToPath(new URL('load-client.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ url, callers }));
  const answers = [];
  const lines = createInterface({ input: child.stdout }).on('line', (line) => answers.push(JSON.parse(line)));
  const ended = once(lines, 'close');
  // All decisions are in once what was refused is here, and what was admitted waits.
  await until(() => answers.length + held() === ORGANISATIONS * EACH);
  const admitted = held();
  assert.ok(answers.every(({ status }) => status !== 200));
  provider.release();
  await ended;
  assert.equal(answers.length, ORGANISATIONS * EACH);
  const limits = callers.map((_, index) => TIERS[index % TIERS.length]);
  assert.equal(
    admitted,
    limits.reduce((sum, { admits }) => sum + admits, 0),
  );
  assert.equal(provider.journal.length, admitted);

  for (const [caller, { tier, admits, refusals }] of limits.entries()) {
    const own = answers.filter((answer) => answer.caller === caller);
    const good = own.filter(({ status }) => status === 200);
    assert.deepEqual([tier, good.length], [tier, admits]);
    // Nobody's answer is another's.
    for (const { index, heard } of good) assert.equal(heard, `heard: ${caller} asks ${index}`);
    const refused = own.filter(({ status }) => status !== 200);
    const counts = Object.fromEntries(
      Object.keys(STATUS).map((code) => [code, refused.filter((answer) => answer.code === code).length]),
    );
    assert.deepEqual([tier, counts], [tier, { rate_limited: 0, budget_exceeded: 0, ...refusals }]);
    for (const { status, code, retryAfter } of refused) {
      assert.equal(status, STATUS[code]);
      assert.ok(Number(retryAfter) >= 1, `${code} says when to come back`);
    }
  }
});

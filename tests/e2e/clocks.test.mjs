// Isolates whose clocks are minutes apart from their object's, in workerd for real: what they hold there is held for as long
// as was meant.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { BILL, bindingsOf, BOUND, budgetOf, PRICED, startHeldProvider } from './held-provider.mjs';
import { ask, bundled, call, startWorkerd, TOKEN, until } from './workerd.mjs';

const MINUTES = 60_000;

let bundle;
let provider;
before(async () => {
  [bundle, provider] = [bundled(), await startHeldProvider()];
});
after(() => {
  provider?.stop();
  bundle?.remove();
});

test('money is held while an attempt runs, and billed once, whatever an isolate’s clock says', async (t) => {
  const config = { ...PRICED, budget: budgetOf((100 * BOUND) / 1e9) };
  const bindings = bindingsOf(provider, config, { TIDEGATE_TOKEN: TOKEN });
  const isolates = ['behind', 'ahead'].map((name) => ({ name, objectsOf: 'gateway' }));
  const { urls, dispose } = await startWorkerd({ bundle, bindings, isolates: [{ name: 'gateway' }, ...isolates] });
  t.after(dispose);
  const [own, behind, ahead] = urls;
  await call(behind, `/clock?aheadMs=${-15 * MINUTES}`);
  await call(ahead, `/clock?aheadMs=${15 * MINUTES}`);
  const budget = async () => {
    const { spentNanoUsd, reservedNanoUsd } = (await call(own, '/api/ai/status')).body.budget;
    return [spentNanoUsd, reservedNanoUsd];
  };
  for (const [index, url] of [behind, ahead].entries()) {
    provider.holding = true;
    const asked = ask(url, `by an isolate of its own time, ${index}`);
    await until(() => provider.journal.some(({ answered }) => !answered));
    assert.deepEqual(await budget(), [index * BILL, BOUND], 'it runs, and is not taken for one that vanished');
    provider.release();
    assert.equal((await asked).status, 200);
    await until(async () => (await budget())[1] === 0);
    assert.deepEqual(await budget(), [(index + 1) * BILL, 0]);
  }
  // One that vanishes is not held for longer either.
  provider.holding = true;
  const lost = ask(ahead, 'one that seems lost');
  await until(() => provider.journal.some(({ answered }) => !answered));
  await call(own, `/clock?aheadMs=${12 * MINUTES}`);
  assert.deepEqual(await budget(), [2 * BILL + BOUND, 0], 'its lease has run out');
  provider.release();
  assert.equal((await lost).status, 200);
  await until(async () => (await budget())[0] === 3 * BILL);
});

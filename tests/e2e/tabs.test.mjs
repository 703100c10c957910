// Several tabs of one origin share one budget, also when one of them is killed in the middle of a request.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { demoForAll } from './demo-hooks.mjs';
import { GROQ, openApp, steps } from './support.mjs';

const TABS = 5;
const LIMIT = 400_000;
const QUERY = { limitUsd: '0.0004', targets: GROQ };

describe('tabs', () => {
  let demo;
  let browser;
  demoForAll(['--no-worker'], (started) => ([demo, browser] = started));
  beforeEach(() => demo.reset());

  /** Another tab of the same person, with the vault unlocked. */
  const another = async (first) => {
    const page = await first.context.newPage();
    await page.goto(first.url);
    const tab = { page, ...steps(page) };
    await tab.vaultState('Vault locked');
    await tab.unlock();
    await page.getByTestId('target-groq').getByText('Ready').waitFor();
    return tab;
  };

  const openFirst = async (query = {}) => {
    const first = await openApp(browser, demo, { ...QUERY, ...query });
    await first.createVault();
    await first.addKey('Groq', await demo.demoKey('groq'));
    await first.page.getByTestId('target-groq').getByText('Ready').waitFor();
    return first;
  };

  test('that spend at once never pass the cap together', async (t) => {
    const first = await openFirst();
    t.after(() => first.context.close());
    const tabs = [first];
    while (tabs.length < TABS) tabs.push(await another(first));

    // Every answer is held until every tab's request has been decided.
    await demo.fault('groq', 'slow', { delayMs: 6_000 });
    const asking = Promise.all(tabs.map((tab, index) => tab.ask(`The question of tab ${index}`)));
    await first.page.waitForTimeout(4_000);
    const reserved = await first.reserved();
    const admitted = await demo.calls('groq');
    const bound = reserved / admitted;
    assert.ok(reserved <= LIMIT, `${reserved} is reserved`);
    assert.ok(admitted >= 1 && admitted < TABS, `${admitted} of ${TABS} were admitted`);
    assert.equal(admitted, Math.floor(LIMIT / bound), 'as many as fit, and no more');

    const outcomes = await asking;
    const answered = outcomes.filter((outcome) => !outcome.code);
    assert.equal(answered.length, admitted);
    for (const outcome of outcomes) if (outcome.code) assert.equal(outcome.code, 'budget_exceeded');
    const cost = answered.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
    for (const tab of tabs) {
      await tab.page.locator(`[data-testid="budget-spent"][data-nano-usd="${cost}"]`).waitFor();
      await tab.page.locator('[data-testid="budget-reserved"][data-nano-usd="0"]').waitFor();
    }
  });

  test('killed in mid-request are settled at their bound, and give back their slot and their probe', async (t) => {
    // In the page, whose clock can be set; a worker has its own. One slot, and a circuit that one failure opens.
    const timers = { attemptMs: '5000', totalMs: '5000', openMs: '1000' };
    const scarce = { failures: '1', maxRetries: '0', maxConcurrent: '1' };
    const first = await openFirst({ ...timers, ...scarce, isolation: 'page' });
    t.after(() => first.context.close());
    const second = await another(first);
    await demo.fault('groq', 'fail');
    assert.equal((await first.ask('A question that opens the circuit')).code, 'upstream_failed');
    await second.breaker('groq', 'open');
    await demo.fault('groq', 'hang');
    await second.page.getByTestId('target-groq').getByText('probe in').waitFor({ state: 'hidden' });
    await second.page.getByLabel('Your message').fill('A question whose tab is killed');
    await second.button('Send').click();
    await first.page.locator('[data-testid="budget-reserved"]:not([data-nano-usd="0"])').waitFor();
    const bound = await first.reserved();
    assert.ok(bound > 0);
    await first.breaker('groq', 'half-open');
    await second.page.close();
    await demo.fault('groq', 'none');

    await first.page.waitForTimeout(1_500);
    assert.equal(await first.reserved(), bound, 'held: the provider may be at work');
    const asked = await demo.calls('groq');
    assert.match((await first.ask('A question while both are held')).code, /^(queue_full|circuit_open)$/);
    assert.equal(await demo.calls('groq'), asked);

    // A lease outlasts the total deadline by 60 s; the tab that is left sees three minutes pass.
    await first.page.clock.install({ time: Date.now() + 180_000 });
    await first.page.reload();
    await first.vaultState('Vault locked');
    await first.unlock();
    await first.vaultState('Vault unlocked');
    await first.page.locator(`[data-testid="budget-spent"][data-nano-usd="${bound}"]`).waitFor();
    assert.equal(await first.reserved(), 0);
    assert.equal((await first.ask('A question that finds slot and probe free')).target, GROQ);
    await first.breaker('groq', 'closed');
  });
});

// One chat request through the whole gateway, in the built app, against the running stand-ins.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { demoForAll } from './demo-hooks.mjs';
import { GROQ, openApp, OPENROUTER } from './support.mjs';

describe('the app', () => {
  let demo;
  let browser;
  let app;

  const open = async (query) => (app = await openApp(browser, demo, query));

  demoForAll(['--no-worker'], (started) => ([demo, browser] = started));
  beforeEach(() => demo.reset());
  afterEach(async () => {
    await app?.context.close();
    app = undefined;
  });

  test('Groq answers, with its tokens and its cost', async () => {
    await open();
    await app.setUp();
    const answer = await app.ask('Why is the sea salty?');
    assert.equal(answer.target, GROQ);
    assert.match(answer.text, /sea salty/);
    assert.equal(answer.cache, 'Fresh answer');
    assert.ok(answer.costNanoUsd > 0, `a cost above zero, not ${answer.costNanoUsd}`);
    assert.equal(await app.spent(), answer.costNanoUsd);
    assert.match(await app.page.getByTestId('answer-tokens').innerText(), /^[1-9]\d* in, [1-9]\d* out$/);
    const { count, requests } = await demo.journal('groq');
    assert.equal(count, 1);
    assert.equal(requests[0].model, 'openai/gpt-oss-20b');
    assert.equal(requests[0].authorization, `Bearer ${await demo.demoKey('groq')}`);
    assert.equal(await demo.calls('openrouter'), 0);
  });

  test('the same question again is answered from the cache at no cost', async () => {
    await open();
    await app.setUp();
    const first = await app.ask('What does a tide gate do?');
    const again = await app.ask('What does a tide gate do?');
    assert.equal(again.cache, 'From the cache');
    assert.equal(again.text, first.text);
    assert.equal(again.costNanoUsd, 0);
    assert.match(await app.page.getByTestId('answer-saved').innerText(), /^\$0\.0*[1-9]/);
    assert.match(await app.page.getByTestId('answer-age').innerText(), /\d (ms|s)$/);
    assert.equal(await app.spent(), first.costNanoUsd);
    assert.equal(await demo.calls('groq'), 1);

    await app.page.getByLabel('Skip the cache').check();
    assert.equal((await app.ask('What does a tide gate do?')).cache, 'Cache skipped');
    assert.equal(await demo.calls('groq'), 2);

    await app.page.getByLabel('Skip the cache').uncheck();
    await app.button('Clear the cache').click();
    await app.page.getByTestId('cache-entries').getByText('0', { exact: true }).waitFor();
    assert.equal((await app.ask('What does a tide gate do?')).cache, 'Fresh answer');
    assert.equal(await demo.calls('groq'), 3);
  });

  test('a broken Groq is tried again, then OpenRouter answers', async () => {
    await open();
    await app.setUp();
    await demo.fault('groq', 'fail');
    const answer = await app.ask('Name three uses of a lock.');
    assert.equal(answer.target, OPENROUTER);
    assert.equal(await demo.calls('groq'), 4);
    assert.equal(await demo.calls('openrouter'), 1);
    const [{ authorization }] = (await demo.journal('openrouter')).requests;
    assert.equal(authorization, `Bearer ${await demo.demoKey('openrouter')}`);
    const steps = (await app.traceSteps()).join('\n');
    assert.match(steps, /Asking Groq/);
    assert.equal(steps.match(/Retry at Groq/g)?.length, 3);
    assert.equal(steps.match(/Waited/g)?.length, 3);
    assert.match(steps, /Fallback to OpenRouter/);
  });

  test('five failures open the circuit, and one probe closes it', async () => {
    await open({ openMs: '6000' });
    await app.setUp();
    await demo.fault('groq', 'fail');
    await app.ask('First question while Groq is broken');
    await app.ask('Second question while Groq is broken');
    await app.breaker('groq', 'open');
    assert.equal(await demo.calls('groq'), 5);
    assert.match(await app.page.getByTestId('target-groq').innerText(), /probe in \d+ s/);

    assert.equal((await app.ask('Third question, the circuit is open')).target, OPENROUTER);
    assert.equal(await demo.calls('groq'), 5, 'Groq is not called while its circuit is open');

    await demo.fault('groq', 'none');
    await app.page.getByTestId('target-groq').getByText('probe in').waitFor({ state: 'hidden' });
    assert.equal((await app.ask('Fourth question, the probe')).target, GROQ);
    await app.breaker('groq', 'closed');
    assert.equal(await demo.calls('groq'), 6);
  });

  test('a probe that fails opens the circuit again', async () => {
    await open({ openMs: '1500' });
    await app.setUp();
    await demo.fault('groq', 'fail');
    await app.ask('First question');
    await app.ask('Second question');
    await app.breaker('groq', 'open');
    const before = await demo.calls('groq');
    await app.page.getByTestId('target-groq').getByText('probe in').waitFor({ state: 'hidden' });
    assert.equal((await app.ask('Third question, a probe that fails')).target, OPENROUTER);
    assert.equal(await demo.calls('groq'), before + 1);
    assert.match((await app.traceSteps()).join('\n'), /circuit of Groq opened/);
  });

  test('a rate limit cools Groq and does not count as a failure', async () => {
    await open();
    await app.setUp();
    await demo.fault('groq', 'rate-limit', { retryAfterSeconds: 30 });
    assert.equal((await app.ask('A question to a limited Groq')).target, OPENROUTER);
    assert.equal((await app.ask('Another question to a limited Groq')).target, OPENROUTER);
    assert.equal(await demo.calls('groq'), 1);
    await app.breaker('groq', 'closed');
    assert.match(await app.page.getByTestId('target-groq').innerText(), /cooling for/);
  });

  test('the cap is a clear refusal with the time of the reset', async () => {
    // Room for a few answers of the demo's model, with the bound of each reserved first.
    await open({ limitUsd: '0.0003', targets: GROQ });
    await app.createVault();
    await app.addKey('Groq', await demo.demoKey('groq'));
    await app.page.getByTestId('target-groq').getByText('Ready').waitFor();
    let outcome;
    let answered = 0;
    for (let asked = 0; asked < 20; asked += 1) {
      outcome = await app.ask(`Question number ${asked} of a series that ends at the cap`);
      assert.ok((await app.spent()) <= 300_000, 'never above the cap');
      if (outcome.code) break;
      answered += 1;
    }
    assert.ok(answered > 0, 'the first question fits the cap');
    assert.equal(outcome.code, 'budget_exceeded');
    assert.match(outcome.words, /of \$0\.0003 is spent/);
    assert.match(outcome.words, /It resets \w{3}, \d\d:\d\d/);
    assert.equal(await demo.calls('groq'), answered, 'the refused request never left the page');
  });

  test('after a reload the vault is locked and the budget is kept', async () => {
    await open();
    await app.setUp();
    await app.ask('A question before the reload');
    const spent = await app.spent();
    assert.ok(spent > 0);

    await app.page.reload();
    await app.vaultState('Vault locked');
    assert.equal(await app.spent(), spent);
    assert.equal((await app.ask('A question to a locked vault')).code, 'vault_locked');

    await app.unlock('not the passphrase');
    await app.page.getByTestId('vault-problem').getByText('vault_locked').waitFor();
    assert.equal(await app.page.getByLabel('Passphrase', { exact: true }).inputValue(), '');

    await app.unlock();
    await app.vaultState('Vault unlocked');
    assert.equal((await app.ask('A question after the reload')).target, GROQ);
  });

  test('stopping a request frees it at once', async () => {
    await open();
    await app.setUp();
    await demo.fault('groq', 'hang');
    await app.page.getByLabel('Your message').fill('A question that nobody answers');
    await app.button('Send').click();
    await app.page.getByText('1 request running').waitFor();
    await app.button('Stop').click();
    await app.page.getByTestId('problem').getByText('aborted').waitFor();
    await app.page.getByText('1 request running').waitFor({ state: 'hidden' });
    await app.breaker('groq', 'closed');
    assert.equal(await demo.calls('openrouter'), 0);
  });

  test('a bad setting is named', async (t) => {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${demo.url}?limitUsd=plenty`);
    const problem = page.getByTestId('problem');
    await problem.waitFor();
    assert.equal(await problem.getAttribute('data-code'), 'config_invalid');
    assert.match(await problem.innerText(), /budget\.limitUsd/);
  });
});

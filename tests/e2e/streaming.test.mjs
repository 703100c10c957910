// A streamed answer in the built app, in each of the ways in which it can end.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { demoForAll } from './demo-hooks.mjs';
import { GROQ, openApp, OPENROUTER } from './support.mjs';

/** Slow enough to look at, fast enough to wait for: a usual answer takes a second. */
const PACE = ['--no-worker', '--tokens-per-second', '50'];

describe('a streamed answer', () => {
  let demo;
  let browser;
  let app;

  const open = async (query, look) => {
    app = await openApp(browser, demo, query, look);
    await app.setUp();
  };
  const text = () => app.page.getByTestId('answer-text');
  const cost = async () => Number(await app.page.getByTestId('answer-cost').getAttribute('data-nano-usd'));
  const target = () => app.page.getByTestId('answer-target').getAttribute('data-target');
  const focused = () => app.page.evaluate(() => document.activeElement?.textContent);

  demoForAll(PACE, (started) => ([demo, browser] = started));
  beforeEach(() => demo.reset());
  afterEach(async () => {
    await app?.context.close();
    app = undefined;
  });

  test('shows its first words before its end, then its account', async () => {
    await open();
    await app.send('Why is the sea salty, in detail?');
    await app.phase('streaming');
    await text().waitFor();
    const begun = await text().innerText();
    assert.equal(await target(), GROQ);
    assert.equal(await app.words('announcer'), 'The answer begins.');
    assert.match(await app.words('answer-first'), /^\d+(\.\d+)? m?s$/);
    assert.equal(await app.words('answer-cost'), '–', 'what it costs is known at the end');
    assert.ok((await app.reserved()) > 0, 'its bound is held');
    assert.match((await app.traceSteps()).join(), /first token [\d.]+ m?s, streaming/);

    await app.phase('done');
    const whole = await text().innerText();
    assert.ok(whole.startsWith(begun) && whole.length > begun.length, `${begun} … ${whole}`);
    assert.match(whole, /sea salty/);
    assert.equal(await app.words('answer-cache'), 'Fresh answer');
    assert.match(await app.words('answer-tokens'), /^[1-9]\d* in, [1-9]\d* out$/);
    assert.ok((await cost()) > 0);
    assert.equal(await app.spent(), await cost());
    assert.equal(await app.words('announcer'), 'The answer is complete, from Groq.');
    assert.match((await app.traceSteps()).join(), /first token [\d.]+ m?s, answered/);
  });

  test('nothing moves while it grows', async () => {
    await open();
    await app.send('Why is the sea salty?');
    await app.phase('streaming');
    // In the page, not in the window: the answer is brought into sight when it begins.
    const top = () => app.page.getByTestId('trace').evaluate((panel) => panel.getBoundingClientRect().top + scrollY);
    const before = await top();
    await app.phase('done');
    assert.equal(await top(), before);
  });

  test('is brought into sight on a small screen', async () => {
    await open({}, { viewport: { width: 390, height: 640 }, reducedMotion: 'reduce' });
    await app.page.getByLabel('Your message').fill('Why is the sea salty?');
    await app.page.getByLabel('Your message').press('Control+Enter');
    await app.phase('streaming');
    const { top, bottom } = await app.page
      .locator('.answer-body')
      .evaluate((body) => body.getBoundingClientRect().toJSON());
    assert.ok(top >= 0 && bottom <= 640, `from ${top} to ${bottom}`);
    assert.ok(await app.button('Stop').evaluate((button) => button.getBoundingClientRect().top >= 0));
  });

  test('stops at once when it is told to, and keeps what came', async () => {
    await open();
    await app.send('Name three uses of a lock, in detail.');
    await text().getByText('uses of a lock').first().waitFor();
    await app.button('Stop').click();
    await app.phase('stopped');
    const kept = await text().innerText();
    assert.match(kept, /uses of a lock/);
    assert.equal(await app.words('answer-phase'), 'Stopped by you');
    assert.match(await app.words('stopped'), /^What arrived stays\. \$0\.0*[1-9]\d* was charged/);
    assert.equal(await focused(), 'Send', 'the focus is not lost with the button');
    assert.equal(await app.words('announcer'), 'Stopped. What arrived stays on the page.');
    assert.ok((await cost()) > 0, 'the provider may bill it');
    assert.equal(await app.spent(), await cost());
    assert.equal(await app.reserved(), 0);
    assert.match(await app.words('trace'), /Request stopped/);
    await app.breaker('groq', 'closed');
    assert.equal(await demo.calls('openrouter'), 0);
    assert.equal(await text().innerText(), kept);
  });

  test('cut after its first output: what came stays, marked, charged, and can be asked again', async () => {
    await open();
    await demo.fault('groq', 'cut', { times: 1, afterOutputs: 20 });
    await app.send('What does a tide gate do?');
    await app.phase('interrupted');
    const part = await text().innerText();
    assert.equal(part.length, 100, 'all twenty pieces of five characters');
    assert.equal(await app.words('answer-phase'), 'Interrupted');
    const notice = app.page.getByTestId('interrupted');
    assert.equal(await notice.getAttribute('data-code'), 'stream_interrupted');
    assert.equal(await notice.getAttribute('role'), 'alert');
    assert.match(await notice.innerText(), /\$0\.0*[1-9]\d* was charged[\s\S]*The connection was lost\./);
    const charged = await cost();
    assert.equal(await app.spent(), charged);
    assert.equal(await demo.calls('groq'), 1, 'nobody else is asked once something was shown');
    assert.equal(await demo.calls('openrouter'), 0);

    await app.button('Send again').click();
    await app.phase('done');
    const whole = await text().innerText();
    assert.ok(whole.startsWith(part) && whole.length > part.length);
    assert.equal(await app.words('answer-cache'), 'Fresh answer', 'half an answer is not kept');
    assert.equal(await app.spent(), charged + (await cost()));
    assert.equal(await focused(), 'Send');
  });

  test('a stall and an error in mid-stream are told apart', async () => {
    await open({ idleMs: '400' });
    await demo.fault('groq', 'stall', { times: 1 });
    await app.send('A question whose answer stalls');
    await app.phase('interrupted');
    assert.match(await app.words('interrupted'), /Nothing more came for too long\./);
    assert.ok((await text().innerText()).length > 0);

    await demo.fault('groq', 'error-event', { times: 1, afterOutputs: 5 });
    await app.send('A question whose answer fails on its way');
    await app.phase('interrupted');
    assert.doesNotMatch(await app.words('interrupted'), /Nothing more came/);
    assert.equal((await text().innerText()).length, 25);
  });

  test('what fails before the first output is not seen: OpenRouter answers', async () => {
    await open();
    await demo.fault('groq', 'error-event');
    await app.send('Which way does the water run?');
    await app.phase('done');
    assert.equal(await target(), OPENROUTER);
    assert.match(await text().innerText(), /water run/);
    assert.equal(await app.page.getByRole('alert').count(), 0);
    const steps = (await app.traceSteps()).join('\n');
    assert.match(steps, /Asking Groq[\s\S]*Fallback to OpenRouter[\s\S]*first token [\d.]+ m?s, answered/);
    assert.equal(steps.match(/first token/g).length, 1, 'Groq never came to its first output');
  });

  test('a first token that is too late goes to the next target', async () => {
    await open({ firstOutputMs: '300', maxRetries: '0' });
    await demo.fault('groq', 'slow-start', { delayMs: 60_000 });
    await app.send('Who is quicker?');
    await app.phase('waiting');
    assert.equal(await app.page.getByText('Waiting for the first token …').count(), 1);
    await app.phase('done');
    assert.equal(await target(), OPENROUTER);
    assert.match((await app.traceSteps()).join('\n'), /Asking Groq[\s\S]*timeout[\s\S]*Fallback to OpenRouter/);
  });

  test('is replayed from the cache at once, streamed or whole', async () => {
    await open();
    const first = await app.ask('What does a tide gate do?');
    const again = await app.ask('What does a tide gate do?');
    assert.equal(again.cache, 'From the cache');
    assert.equal(again.text, first.text);
    assert.equal(again.costNanoUsd, 0);
    const took = /^(\d+) ms$/.exec(await app.words('answer-took'));
    assert.ok(took && Number(took[1]) < 500, `at once, not in ${await app.words('answer-took')}`);
    assert.equal(await app.words('announcer'), 'The answer is complete, from the cache.');

    await app.page.getByRole('switch', { name: 'Stream' }).uncheck();
    const whole = await app.ask('What does a tide gate do?');
    assert.deepEqual([whole.cache, whole.text], ['From the cache', first.text]);
    assert.equal(await demo.calls('groq'), 1);
  });

  test('can be had whole', async () => {
    await open();
    await app.page.getByRole('switch', { name: 'Stream' }).uncheck();
    const answer = await app.ask('Why is the sea salty?');
    assert.equal(answer.target, GROQ);
    assert.equal(await app.page.getByTestId('answer-first').count(), 0);
    assert.equal(await app.spent(), answer.costNanoUsd);
  });

  test('shows reasoning that can be folded away, and a tool call as it comes', async () => {
    await open();
    await app.button('When is high tide in Lisbon?').click();
    assert.equal(await app.page.getByLabel('Offer a tool').isChecked(), true);
    await app.send('Think step by step: when is high tide in Lisbon?');
    const reasoning = app.page.getByTestId('answer-reasoning');
    await reasoning.getByText('First, what is known').waitFor();
    await app.phase('streaming');
    const call = app.page.getByTestId('tool-call');
    await call.waitFor();
    assert.match(await call.innerText(), /tide_times/);
    await app.phase('done');
    assert.deepEqual(JSON.parse(await call.locator('pre').innerText()), { place: 'Lisbon', day: 'today' });
    assert.match(await app.words('answer-tokens'), /[1-9]\d* of them reasoning/);
    assert.equal(await app.words('announcer'), 'The answer calls the tool tide_times.');

    await reasoning.getByText('Reasoning', { exact: true }).press('Enter');
    await reasoning.getByText('First, what is known').waitFor({ state: 'hidden' });
  });

  describe('on a small screen', () => {
    const box = () => app.page.locator('.answer-body');
    const place = () =>
      box().evaluate(({ scrollTop, scrollHeight, clientHeight }) => [
        scrollTop,
        scrollHeight - clientHeight - scrollTop,
      ]);
    const grows = async () => {
      const grown = await text().innerText();
      await app.page.waitForFunction(
        (old) => document.querySelector('.answer-text').innerText.length > old + 50,
        grown.length,
      );
    };
    const followed = async () => {
      await open({}, { viewport: { width: 390, height: 480 } });
      await app.send('Name three uses of a lock, in detail.');
      await app.page.waitForFunction(() => document.querySelector('.answer-body').scrollTop > 50);
      assert.ok((await place())[1] < 24, 'it follows');
    };

    test('is followed to its end, unless its reader has scrolled away', async () => {
      await followed();
      // A wheel scrolls smoothly: what grows meanwhile moves nothing, least of all the place that it scrolls to.
      await box().hover();
      await app.page.mouse.wheel(0, -1000);
      await app.button('Follow the text').waitFor();
      // Not always the top itself: a text that grew before the page had heard of the wheel has moved the scroll's end along.
      await app.page.waitForFunction(
        ([was]) => was.at === (was.at = document.querySelector('.answer-body').scrollTop),
        [await app.page.evaluateHandle(() => ({}))],
        { polling: 300 },
      );
      const [put, left] = await place();
      assert.ok(left > 24, `${left} px from the end`);
      await grows();
      assert.equal((await place())[0], put, 'it stays where it was put');

      await app.button('Follow the text').click();
      assert.ok((await place())[1] < 24, 'it follows again');
      await app.button('Follow the text').waitFor({ state: 'hidden' });
      await app.button('Stop').click();
      await app.phase('stopped');
    });

    test('a line back is as good as a page: nobody is pushed to the end again', async () => {
      await followed();
      const put = await box().evaluate((element) => (element.scrollTop -= 10));
      await grows();
      assert.equal((await place())[0], put);
    });
  });
});

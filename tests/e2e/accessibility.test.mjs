// The page passes axe in every state a person meets, light and dark, wide and narrow, and works by keyboard alone.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

import { demoForAll } from './demo-hooks.mjs';
import { GROQ, openApp, PASSPHRASE } from './support.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const violations = async (page) => {
  // Through the debugger: the page's own policy refuses foreign scripts, and rightly so.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' | ')}`);
};

const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);

describe('the page', () => {
  let demo;
  let browser;
  demoForAll(['--no-worker'], (started) => ([demo, browser] = started));

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 390]) {
      test(`passes axe, ${colorScheme}, ${width} px`, async (t) => {
        await demo.reset();
        // Reduced motion: no colour is measured halfway through a change.
        const look = { colorScheme, viewport: { width, height: 844 }, reducedMotion: 'reduce' };
        const app = await openApp(browser, demo, { openMs: '60000', idleMs: '60000' }, look);
        t.after(() => app.context.close());
        const check = async (state) => {
          assert.deepEqual(await violations(app.page), [], state);
          assert.equal(await sideways(app.page), 0, `${state}: nothing to scroll sideways`);
        };
        await check('no vault');
        await app.setUp();
        await app.ask('Why is the sea salty?');
        await check('an answer');
        await demo.fault('groq', 'stall', { afterOutputs: 150, times: 1 });
        await app.send('Say everything about locks, in detail.');
        await app.page
          .getByTestId('answer-text')
          .getByText('“Say everything about locks, in detail”')
          .first()
          .waitFor();
        await check('a stream');
        await app.button('Stop').click();
        await app.phase('stopped');
        await check('a stopped stream');
        await demo.fault('groq', 'cut', { times: 1 });
        await app.send('A question whose answer is cut');
        await app.phase('interrupted');
        await check('an interrupted stream');
        await app.page.getByLabel('Offer a tool').check();
        await app.send('Think step by step: when is high tide in Lisbon?');
        await app.phase('done');
        await check('reasoning and a tool call');
        await app.page.getByLabel('Offer a tool').uncheck();
        await demo.fault('groq', 'fail');
        await app.ask('First question while Groq is broken');
        await app.ask('Second question while Groq is broken');
        await app.breaker('groq', 'open');
        await check('an open circuit');
        await demo.fault('openrouter', 'wrong-key');
        assert.ok((await app.ask('A question that nobody can answer')).code);
        await check('a problem');
        await app.button('Lock the vault').click();
        await app.vaultState('Vault locked');
        await check('a locked vault');
      });
    }
  }

  test('needs no scrolling sideways with letters twice as large, also on a phone', async (t) => {
    await demo.reset();
    for (const [width, standard] of [
      [1280, 32],
      [390, 32],
      [320, 28],
    ]) {
      const app = await openApp(browser, demo, { name: `large-${width}` }, { viewport: { width, height: 844 } });
      t.after(() => app.context.close());
      const devtools = await app.context.newCDPSession(app.page);
      await devtools.send('Page.setFontSizes', { fontSizes: { standard } });
      assert.equal(await sideways(app.page), 0, `${width} px, no vault`);
      await app.setUp();
      await app.ask('Why is the sea salty?');
      await app.page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
      assert.equal(await sideways(app.page), 0, `${width} px, everything open`);
    }
  });

  test('leaves nothing to press that is below 24 px, folded or open', async (t) => {
    await demo.reset();
    const app = await openApp(browser, demo, {}, { viewport: { width: 390, height: 844 } });
    t.after(() => app.context.close());
    await app.setUp();
    await app.ask('Why is the sea salty?');
    await app.page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    const sizes = await app.page.locator('a, button, input, select, summary, textarea').evaluateAll((all) =>
      all.map((one) => {
        // A label is pressed like its field.
        const { width, height } = (one.closest('label') ?? one).getBoundingClientRect();
        return { what: one.textContent || one.getAttribute('aria-label') || one.outerHTML, width, height };
      }),
    );
    assert.ok(sizes.length > 30, `${sizes.length}`);
    const small = sizes.filter(({ width, height }) => height > 0 && (width < 24 || height < 24));
    assert.deepEqual(small, []);
  });

  test('works by keyboard alone', async (t) => {
    await demo.reset();
    const app = await openApp(browser, demo);
    t.after(() => app.context.close());
    const { keyboard } = app.page;
    const focus = async (name) => {
      for (let presses = 0; presses < 40; presses += 1) {
        await keyboard.press('Tab');
        const focused = await app.page.evaluate(() => {
          const element = document.activeElement;
          return element?.labels?.[0]?.textContent?.trim() || element?.textContent?.trim();
        });
        // The label of a text area holds its text, too.
        if (focused?.startsWith(name)) return;
      }
      assert.fail(`${name} was not reached with the Tab key`);
    };
    await focus('New passphrase');
    await keyboard.type(PASSPHRASE);
    await focus('The same again');
    await keyboard.type(PASSPHRASE);
    await keyboard.press('Enter');
    await app.vaultState('Vault unlocked');
    await focus('Use the demo keys');
    await keyboard.press('Enter');
    await app.page.getByTestId('target-groq').getByText('Ready').waitFor();
    // The button is gone: the focus is where it was, not at the top of the page.
    await app.page.waitForFunction(() => document.activeElement?.textContent === 'Vault');
    await focus('Your message');
    await keyboard.press('Control+a');
    await keyboard.type('A question asked by keyboard');
    await keyboard.press('Control+Enter');
    await app.page.getByTestId('answer').waitFor();
    await app.phase('done');
    assert.equal(await app.page.getByTestId('answer-target').getAttribute('data-target'), GROQ);

    await demo.fault('groq', 'stall', { times: 1 });
    await keyboard.press('Control+a');
    await keyboard.type('A question that is stopped by keyboard');
    await keyboard.press('Control+Enter');
    await app.phase('streaming');
    await keyboard.press('Escape');
    await app.phase('stopped');
    const focused = await app.page.evaluate(() => document.activeElement?.tagName);
    assert.equal(focused, 'TEXTAREA', 'the focus stays where the person is');
  });

  test('what a passphrase must be, and what is wrong with it, stands beside its fields, also on a small screen', async (t) => {
    await demo.reset();
    const app = await openApp(browser, demo, {}, { viewport: { width: 390, height: 844 } });
    t.after(() => app.context.close());
    const first = app.page.getByLabel('New passphrase');
    const second = app.page.getByLabel('The same again');
    await first.fill(PASSPHRASE);
    await second.fill('another one');
    await app.button('Create the vault').click();
    const problem = app.page.getByText('The two passphrases differ.');
    await problem.waitFor();
    const parts = [
      app.page.getByText('At least 15 characters.'),
      first,
      second,
      problem,
      app.button('Create the vault'),
    ];
    const tops = await Promise.all(parts.map(async (part) => (await part.boundingBox()).y));
    assert.deepEqual(
      tops,
      tops.toSorted((one, other) => one - other),
    );
    const snapshot = await first.ariaSnapshot();
    assert.match(snapshot, /textbox "New passphrase"/);
    const hint = await first.getAttribute('aria-describedby');
    assert.match(await app.page.locator(`[id="${hint}"]`).innerText(), /^At least 15 characters/);
    await second.fill(PASSPHRASE);
    await app.button('Create the vault').click();
    await app.vaultState('Vault unlocked');
  });

  test('a gateway whose worker was lost is back by itself once it runs again', async (t) => {
    await demo.reset();
    const app = await openApp(browser, demo, {}, { viewport: { width: 1280, height: 844 } });
    t.after(() => app.context.close());
    await app.setUp();
    // The worker answers nothing more, and then comes to a bad end with a call in flight.
    await app.page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message, ...rest) {
        if (message[0] === 'ping' || this === globalThis.lost) return undefined;
        if (!globalThis.lost) {
          globalThis.lost = this;
          setTimeout(() => this.dispatchEvent(new ErrorEvent('error', { message: 'lost', cancelable: true })), 50);
          return undefined;
        }
        return postMessage.call(this, message, ...rest);
      };
    });
    await app.page.getByTestId('problem').waitFor();
    assert.equal(await app.page.getByTestId('problem').getAttribute('data-code'), 'isolation_failed');
    await app.vaultState('Vault locked');
    await app.unlock();
    await app.vaultState('Vault unlocked');
    assert.equal((await app.ask('A question after the loss')).target, GROQ);
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`before the gateway is open, and where it does not open, passes axe and says what helps, ${colorScheme}`, async (t) => {
      const viewport = { width: 390, height: 844 };
      const context = await browser.newContext({ colorScheme, viewport, reducedMotion: 'reduce' });
      t.after(() => context.close());
      const page = await context.newPage();
      const checked = async (state) => {
        assert.deepEqual(await violations(page), [], state);
        assert.equal(await sideways(page), 0, state);
      };
      const workers = /\/assets\/worker[^/]*\.js$/;
      let letGo;
      const held = new Promise((resolve) => (letGo = resolve));
      await page.route(workers, (route) => held.then(() => route.abort()));
      await page.goto(demo.url);
      await page.getByRole('status').getByText('Opening the gateway').waitFor();
      await checked('opening');
      letGo();
      const problem = page.getByTestId('problem');
      await problem.waitFor();
      assert.equal(await problem.getAttribute('data-code'), 'isolation_failed');
      assert.match(await problem.innerText(), /The worker http.*could not be started\..* reload the page/s);
      await checked('not open');
      await page.unroute(workers);
      await page.getByRole('button', { name: 'Reload the page' }).click();
      await page.getByTestId('vault').waitFor();
    });
  }

  test('says which fault is chosen, and what happened, where colours are forced', async (t) => {
    await demo.reset();
    const app = await openApp(browser, demo, {}, { forcedColors: 'active' });
    t.after(() => app.context.close());
    const grounds = await app.page.locator('.choice').evaluateAll((choices) =>
      choices.map((choice) => {
        const { backgroundColor } = getComputedStyle(choice.querySelector('span'));
        return [choice.querySelector('input').checked, backgroundColor];
      }),
    );
    const [chosen, others] = [true, false].map(
      (checked) => new Set(grounds.flatMap(([is, ground]) => (is === checked ? [ground] : []))),
    );
    assert.deepEqual([chosen.size, others.size], [1, 1]);
    assert.notDeepEqual(chosen, others);
    await app.setUp();
    await app.ask('Why is the sea salty?');
    const [dot, ground] = await app.page
      .locator('.step')
      .first()
      .evaluate((step) => {
        const colourOf = (element, part) => getComputedStyle(element, part).backgroundColor;
        return [colourOf(step, '::before'), colourOf(step.closest('.panel'))];
      });
    assert.notEqual(dot, ground, 'the dots of what happened are seen');
  });

  test('sets what is written from right to left so, in the question and in the answer', async (t) => {
    await demo.reset();
    const app = await openApp(browser, demo);
    t.after(() => app.context.close());
    await app.setUp();
    const field = app.page.getByLabel('Your message');
    const directionOf = () => field.evaluate((area) => getComputedStyle(area).direction);
    await field.fill('Why is the sea salty?');
    assert.equal(await directionOf(), 'ltr');
    await app.ask('لماذا البحر مالح؟');
    assert.equal(await directionOf(), 'rtl');
    // Until what renders Markdown has come, the words stand in a paragraph that then goes.
    const bidi = await app.page
      .getByTestId('answer-text')
      .locator('p:not(.as-written)')
      .first()
      .evaluate((paragraph) => getComputedStyle(paragraph).unicodeBidi);
    assert.equal(bidi, 'plaintext');
  });
});

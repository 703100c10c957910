// The part of the app that finds keys in what is pasted, chosen or dropped.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

import { demoForAll } from './demo-hooks.mjs';
import { openApp } from './support.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const key = () => `gsk_${randomBytes(96).toString('base64').replace(/[+/=]/gu, '').slice(0, 52)}`;
/** Where screenshots go, if somebody wants to look at them. */
const SHOTS = process.env.TIDEGATE_SCREENSHOTS;

describe('finding keys in the app', () => {
  let demo;
  let browser;
  demoForAll(['--no-worker'], (started) => ([demo, browser] = started));

  const opened = async (t, look) => {
    const app = await openApp(browser, demo, {}, look);
    t.after(() => app.context.close());
    const panel = app.page.getByTestId('key-scan');
    return {
      ...app,
      panel,
      text: panel.getByLabel('Text to look through'),
      summary: (words) => panel.getByTestId('scan-summary').getByText(words).waitFor(),
    };
  };

  test('shows what a text holds, masked, while it is typed', async (t) => {
    const { page, panel, text, summary } = await opened(t);
    const secret = key();
    await text.fill(`nothing yet\n`);
    await summary('No keys found');
    await text.fill(`one\ntwo ${secret}\n`);
    await summary('1 secret');
    const finding = panel.getByTestId('finding');
    assert.match(await finding.innerText(), /line 2, column 5/u);
    const shown = await panel.getByTestId('scanned').innerText();
    assert.ok(!shown.includes(secret) && shown.includes(secret.slice(-4)));
    await panel.getByRole('button', { name: 'Start over' }).click();
    assert.equal(await text.inputValue(), '');
    assert.equal(await finding.count(), 0);
    await panel.getByRole('button', { name: 'Show an example' }).click();
    await summary('2 secrets, 1 public key');
    await page.getByTestId('key-scan').getByText('in base64').waitFor();
  });

  test('shows the first of many, and the rest on demand', async (t) => {
    const { panel, text, summary } = await opened(t);
    await text.fill(Array.from({ length: 45 }, key).join('\n'));
    await summary('45 secrets');
    assert.equal(await panel.getByTestId('finding').count(), 20);
    await panel.getByRole('button', { name: 'Show 25 more' }).click();
    assert.equal(await panel.getByTestId('finding').count(), 45);
    assert.equal(await panel.getByRole('button', { name: /^Show \d/u }).count(), 0);
  });

  test('copies a text without its secrets', async (t) => {
    const { context, page, panel, text } = await opened(t);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const secret = key();
    await text.fill(`GROQ_API_KEY=${secret}\nPORT=80\n`);
    await panel.getByRole('button', { name: 'Copy without the secrets' }).click();
    await panel.getByText('Copied', { exact: true }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^GROQ_API_KEY=\[REDACTED:groq:[^\]]+\]\nPORT=80\n$/u);
  });

  test('streams files, chosen and dropped, and says how far it is', async (t) => {
    const { page, panel, summary } = await opened(t);
    const [first, second] = [key(), key()];
    const filler = Buffer.alloc(8 * 1024 * 1024, 'all quiet on the water, nothing to see\n');
    await panel.getByTestId('files').setInputFiles([
      { name: 'small.env', mimeType: 'text/plain', buffer: Buffer.from(`GROQ_API_KEY=${first}\n`) },
      { name: 'big.log', mimeType: 'text/plain', buffer: Buffer.concat([filler, Buffer.from(`\nkey ${second}\n`)]) },
    ]);
    await summary('2 secrets');
    const names = await panel.getByTestId('scanned').getByRole('heading').allInnerTexts();
    assert.deepEqual(
      names.map((name) => name.split(' ')[0]),
      ['big.log', 'small.env'],
    );
    assert.equal(await panel.getByTestId('scan-progress').count(), 0);
    const transfer = await page.evaluateHandle((secret) => {
      const data = new DataTransfer();
      data.items.add(new File([`dropped ${secret}`], 'dropped.txt'));
      return data;
    }, key());
    await panel.getByTestId('drop').dispatchEvent('drop', { dataTransfer: transfer });
    await summary('3 secrets');
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 390]) {
      test(`passes axe, ${colorScheme}, ${width} px`, async (t) => {
        const { page, panel, summary } = await opened(t, {
          colorScheme,
          viewport: { width, height: 900 },
          reducedMotion: 'reduce',
        });
        const check = async (state) => {
          await page.evaluate(axe);
          const found = await page.evaluate(() =>
            globalThis.axe.run('[data-testid=key-scan]', { resultTypes: ['violations'] }),
          );
          assert.deepEqual(
            found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`),
            [],
            state,
          );
          const sideways = await page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
          assert.equal(sideways, 0, `${state}: nothing to scroll sideways`);
          if (SHOTS) await panel.screenshot({ path: `${SHOTS}/${colorScheme}-${width}-${state}.png` });
        };
        await check('empty');
        await panel.getByRole('button', { name: 'Show an example' }).click();
        await summary('2 secrets, 1 public key');
        await panel
          .getByTestId('files')
          .setInputFiles([
            { name: `${'a-long-name-'.repeat(8)}.json`, mimeType: 'text/plain', buffer: Buffer.from('{}') },
          ]);
        await panel.getByText('No keys in here').waitFor();
        await check('found');
      });
    }
  }

  test('works by keyboard alone', async (t) => {
    const { page, panel, text, summary } = await opened(t);
    // From now on, since the browser takes a while to hand choosers over: one that it opened itself is never told.
    const chooser = page.waitForEvent('filechooser', { timeout: 60_000 });
    await text.focus();
    await page.keyboard.type('nothing');
    await summary('No keys found');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await summary('2 secrets, 1 public key');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await (await chooser).setFiles([{ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('clean') }]);
    await panel.getByText('No keys in here').waitFor();
    const link = panel.getByRole('link').first();
    await link.focus();
    assert.match(await link.getAttribute('href'), /^https:/u);
  });
});

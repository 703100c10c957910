// What a model writes in Markdown is shown as such, and what is hostile in it is not there; it makes the page no wider.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { demoForAll } from './demo-hooks.mjs';
import { openApp } from './support.mjs';

const ANSWER = `# Locks and sluices

A lock lifts **boats**; see [its page](https://example.com/locks) or [this](javascript:alert(1)).
The second line stands by itself.

- a chamber, with \`inlineCode\`
- two gates
  1. upper
  2. lower

\`\`\`js
const level = chambers.map((chamber) => chamber.height).reduce((all, height) => all + height, 0) / chambers.length;
\`\`\`

> Mind the gates.

| Name | Length | Width | Rise | Boats a day | Since | Remarks |
| --- | --: | --: | --: | --: | :-: | --- |
| Northern_upper_lock | 120 m | 12 m | 4.2 m | 31 | 1886 | ${'https://example.com/'.padEnd(90, 'a')} |

<script>window.harmed = 1</script><img src="https://example.com/pixel.gif" onerror="window.harmed = 1">

The end.
`;

/** The answer as a stream, in pieces of a few letters. */
const stream = (text) => {
  const event = (choice, more = {}) =>
    `data: ${JSON.stringify({ id: 'one', object: 'chat.completion.chunk', created: 1, model: 'openai/gpt-oss-20b', choices: [{ index: 0, ...choice }], ...more })}\n\n`;
  const usage = { prompt_tokens: 9, completion_tokens: 300, total_tokens: 309 };
  return [
    ...text.match(/[^]{1,9}/g).map((content) => event({ delta: { content } })),
    event({ delta: {}, finish_reason: 'stop' }, { usage }),
    'data: [DONE]\n\n',
  ].join('');
};

describe('an answer in Markdown', () => {
  let demo;
  let browser;
  demoForAll(['--no-worker'], (started) => ([demo, browser] = started));

  for (const width of [1280, 390]) {
    test(`is rendered, harmless, and fits into ${width} px`, async (t) => {
      const app = await openApp(browser, demo, {}, { viewport: { width, height: 844 } });
      t.after(() => app.context.close());
      const problems = [];
      app.page.on('pageerror', (error) => problems.push(error.message));
      const loaded = [];
      app.page.on('request', (request) => loaded.push(request.url()));
      await app.context.route('**/chat/completions', (route) =>
        route.fulfill({
          contentType: 'text/event-stream',
          headers: { 'access-control-allow-origin': '*' },
          body: stream(ANSWER),
        }),
      );
      await app.setUp();
      await app.ask('What is a lock?');
      const shown = app.page.getByTestId('answer-text');
      await shown.locator('h1').waitFor();
      assert.match(await shown.innerText(), /The end\.$/);
      for (const [selector, count] of [
        ['strong', 1],
        ['ul > li', 2],
        ['ol > li', 2],
        ['pre > code.language-js', 1],
        ['blockquote', 1],
        ['tbody td', 7],
        ['a[rel~="noopener"][href^="https:"]', 2],
        ['a', 2],
        ['script, img', 0],
      ])
        assert.equal(await shown.locator(selector).count(), count, selector);
      assert.equal(await app.page.evaluate(() => globalThis.harmed), undefined);
      assert.deepEqual(
        loaded.filter((url) => url.includes('example.com')),
        [],
      );
      assert.equal(
        await app.page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth),
        0,
        'nothing to scroll sideways',
      );
      const of = (selector, property) =>
        shown
          .locator(selector)
          .first()
          .evaluate((node, name) => node[name], property);
      assert.ok((await of('pre', 'scrollWidth')) <= (await of('pre', 'clientWidth')), 'code is wrapped');
      assert.equal(
        await app.page.locator('.answer-body').getAttribute('tabindex'),
        '0',
        'what scrolls has the keyboard',
      );
      assert.deepEqual(problems, []);
    });
  }
});

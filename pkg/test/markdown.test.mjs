import assert from 'node:assert/strict';
import { test } from 'node:test';

import { htmlOf } from '../dist/react/markdown.js';

const WORDS = 'Some **bold** words, a `code`, _more_ of them and a [link](https://example.com/a_b?c=d). ';

test('what models write is rendered', () => {
  const answer = Array.from({ length: 60 }, (_, at) => `## Part ${at}\n\n${WORDS.repeat(12)}\n\n- one *a*\n- two\n`);
  const html = htmlOf(answer.join('\n'));
  assert.equal(html.match(/<strong>bold<\/strong>/g)?.length, 720);
  assert.equal(html.match(/<em>more<\/em>/g)?.length, 720);
  assert.equal(html.match(/<li>one <em>a<\/em>/g)?.length, 60);
  assert.ok(htmlOf('- [x] done').includes('☑ done'));
});

// Each of them would keep marked busy for many seconds.
for (const piece of ['~~a~ ', '_a', '_a.', '(_a', 'a-', '|', '__a', '[_a']) {
  test(`a paragraph of ${JSON.stringify(piece)} is left as it is, and what is around it is not`, () => {
    const hostile = `${piece.repeat(40_000 / piece.length)}@x **b**`;
    const html = htmlOf(`**a**\n\n${hostile}\n\n<i>**c**</i>`);
    assert.match(html, /^<p><strong>a<\/strong><\/p>/);
    assert.ok(html.includes('@x **b**'));
    assert.ok(html.endsWith('<p><i><strong>c</strong></i></p>\n'));
  });
}

test('many such paragraphs take no longer than a few', () => {
  const html = htmlOf(Array.from({ length: 160 }, () => `${'_a.'.repeat(400)} **b**`).join('\n\n'));
  assert.match(html, /<strong>b<\/strong>/);
  assert.match(html, /\*\*b\*\*<\/p>\n$/);
});

test('what is left as it is is text, whatever it says', () => {
  assert.ok(htmlOf(`${'_a'.repeat(20_000)} <img src=x onerror=alert(1)>`).includes('&lt;img src=x'));
});

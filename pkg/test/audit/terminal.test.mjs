// What a person sees on a terminal: the line of a long run, wide characters, colours.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { columnsOf, endOf, wrapped } from '../../dist/cli/columns.js';
import { progress } from '../../dist/cli/progress.js';
import { painted, width } from '../../dist/cli/text.js';
import { folder, groqKey, tidegate } from './support.mjs';

test('columns of wide and combining characters', () => {
  for (const [text, columns] of [
    ['abc', 3],
    ['鍵のファイル', 12],
    ['e\u0301', 1],
    ['🔑', 2],
    ['한글', 4],
    ['', 0],
  ])
    assert.equal(columnsOf(text), columns, text);
  assert.deepEqual(wrapped('鍵鍵鍵 鍵鍵 a', 8), ['鍵鍵鍵', '鍵鍵 a']);
});

test('of a long path the end is kept', () => {
  assert.equal(endOf('src/a/b.ts', 10), 'src/a/b.ts');
  assert.equal(endOf('src/a/bc.ts', 10), '…c/a/bc.ts');
  assert.equal(endOf('鍵/鍵鍵.ts', 8), '…鍵鍵.ts');
  assert.equal(endOf('abc', 0), '');
});

test('the line of a long run fits the terminal, whatever a path holds, and is taken away', () => {
  for (const columns of [20, 40, 80, 200]) {
    let now = 0;
    const written = [];
    const bar = progress({ isTTY: true, columns, write: (text) => written.push(text) }, () => now);
    for (const path of ['a.ts', 'x'.repeat(300), `${'鍵'.repeat(60)}.ts`, 'evil\u001b[2J\r\n.ts']) {
      now += 1_000;
      bar.file(path);
    }
    bar.clear();
    const lines = written.map((text) => text.replace('\r\u001b[2K', ''));
    assert.equal(lines.length, 5);
    for (const line of lines) assert.ok(columnsOf(line) < columns && !/\p{Cc}/u.test(line), `${columns}: ${line}`);
    assert.equal(lines.at(-1), '');
    if (columns >= 40) assert.match(lines[2], /鍵\.ts$/u);
  }
});

test('colours: on a terminal, or where they are forced; never where they are not wanted', async (t) => {
  const terminal = { isTTY: true };
  for (const [stream, env, on] of [
    [terminal, {}, true],
    [terminal, { NO_COLOR: '1' }, false],
    [terminal, { NO_COLOR: '' }, true],
    [terminal, { TERM: 'dumb' }, false],
    [{}, {}, false],
    [{}, { FORCE_COLOR: '1' }, true],
    [terminal, { FORCE_COLOR: '0' }, false],
    [{}, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])
    assert.equal(painted(stream, env), on, JSON.stringify([stream, env]));
  assert.deepEqual([width(40), width(200), width(10)], [36, 92, 20]);
  const cwd = folder(t, { 'a.js': `x = "${groqKey()}"` });
  assert.ok(!(await tidegate(cwd, ['scan'])).stdout.includes('\u001b['));
});

// The codes of errors stand in four places, for the gateway, for editors and for people: they are the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, code]) => code);

/** What has no place in the Wasm: the realm that it runs in could not be had. */
const OURS = ['isolation_failed'];

const codes = all(read('src/error/code.rs'), /^ {4}[A-Z]\w+ = "([a-z_]+)", /gmu)
  .concat(OURS)
  .sort();

test('the types name every code that there is', () => {
  assert.ok(codes.length > 25);
  const [, union] = /export type ErrorCode =\n(.*?);\n\n/su.exec(read('pkg/src/errors.ts'));
  assert.deepEqual(all(union, /'([a-z_]+)'/gu).sort(), codes);
});

test('the README says of each what helps, and of no other', () => {
  const [table] = /^## Errors\n.*?^## /msu.exec(read('README.md'));
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  assert.deepEqual(rows.flatMap((row) => all(row.split('|')[1], /`([a-z_]+)`/gu)).sort(), codes);
});

test('the app has words for each', () => {
  const [, words] = /const WORDS.*? = \{\n(.*?)\n\};/su.exec(read('www/src/problem.ts'));
  assert.deepEqual(all(words, /^ {2}([a-z_]+): \[/gmu).sort(), codes);
});

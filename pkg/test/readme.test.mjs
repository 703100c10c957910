// The README's example is run as it stands, but for the answers of the person and of the provider.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import * as tidegate from '../dist/node.js';

const completion = {
  id: 'c',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Rayleigh.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 3 },
};

test("the README's example works when pasted", async (context) => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example] = readme.match(/```js\n([\s\S]*?)```/);
  const code = example.replace(/^import (\{.*\}) from 'tidegate';$/m, 'const $1 = tidegate;');
  assert.notEqual(code, example, 'the example imports the package');
  const asked = [];
  context.mock.method(globalThis, 'fetch', async (url, init) => {
    asked.push([url, init.headers.authorization]);
    return new Response(JSON.stringify(completion), { headers: { 'content-type': 'application/json' } });
  });
  const lines = [];
  const person = (question) =>
    question === 'Groq key' ? `gsk_${'aB3dE6gH9j'.repeat(6).slice(0, 52)}` : 'a passphrase';
  const AsyncFunction = (async () => {}).constructor;
  await new AsyncFunction('tidegate', 'prompt', 'console', code)(tidegate, person, {
    log: (...words) => lines.push(words),
  });
  assert.equal(asked.length, 1);
  assert.equal(asked[0][0], 'https://api.groq.com/openai/v1/chat/completions');
  assert.match(asked[0][1], /^Bearer gsk_/);
  assert.equal(lines[0][0], 'Rayleigh.');
  assert.equal(lines[0][1].costNanoUsd, 12 * 75 + 3 * 300);
  const gate = await tidegate.Tidegate.open();
  await gate.close();
});

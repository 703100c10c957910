// What the gateway reads in recorded answers is what the provider's own SDK reads in the same bytes; and what it
// writes of them for callers of every dialect, their SDKs read the same. That nothing depends on how the bytes are
// cut is tested natively (tests/fixtures/splits.rs).

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { FOLDER, recordings } from './recordings.mjs';
import { read } from './sdks.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What is no answer of a model. */
const OTHERS = new Set(['google-429-retry-info', 'openai-embedding']);

/** Where we differ from the provider's SDK, and why. */
const DIFFERENCES = {
  // Anthropic's SDK refuses a second `message_start`. A server that says it twice, word for word, says nothing
  // wrong: nothing of it is lost or counted twice.
  'duplicate-message-start': 'read by the gateway alone',
  // Another answer begins inside the first. The SDK refuses it, and so does the gateway.
  'spliced-message-start': 'refused by both',
  // The server counts its calls from 1. OpenAI's SDK falls over the hole at 0; its bytes reach it as they came.
  'anthropic-fallback-tool-call': 'read by the gateway alone',
};

/** Our reading of each answer, by one run of examples/decode.rs. */
function ours(answers) {
  const input = answers.map((answer) => JSON.stringify(answer)).join('\n');
  const cargo = ['run', '--quiet', '--all-features', '--example', 'decode'];
  const ended = spawnSync('cargo', cargo, { cwd: ROOT, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ended.status !== 0) throw new Error(`decode ended with ${ended.status}: ${ended.stderr}`);
  return ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Only what both know: we also count signatures and tokens written to a cache. */
function comparable({ id, model, choices, usage }) {
  const choice = ({ text, refusal, reasoning, calls, finish }) => ({ text, refusal, reasoning, calls, finish });
  const { input, cachedInput, output, reasoning } = usage ?? {};
  return { id, model, choices: choices.map(choice), usage: usage ? { input, cachedInput, output, reasoning } : null };
}

const all = recordings().filter(({ name }) => !OTHERS.has(name));
if (all.length === 0) {
  test('recorded answers', { skip: `skipped: no recordings in ${FOLDER}` }, () => {});
} else {
  const readings = ours(all);
  for (const [index, answer] of all.entries()) {
    const reading = readings[index];
    const form = answer.stream ? 'streamed' : 'whole';
    test(`${answer.name}, ${form}`, async (t) => {
      const difference = DIFFERENCES[answer.name];
      if (difference) {
        await assert.rejects(read(answer));
        assert.equal(reading === null, difference === 'refused by both');
        for (const [dialect, text] of Object.entries(reading?.written ?? {})) {
          if (dialect === answer.dialect) assert.equal(text, answer.text, 'passed on as it came');
          else sameWritten(dialect, await read({ dialect, stream: answer.stream, text }), reading.said);
        }
        return;
      }
      const theirs = await read(answer);
      await t.test('is read as its SDK reads it', () => sameReading(answer, reading.said, theirs));
      for (const [dialect, text] of Object.entries(reading.written)) {
        await t.test(`says the same to callers of ${dialect}`, async () => {
          if (answer.stream && dialect === answer.dialect) assert.equal(text, answer.text, 'passed on as it came');
          else sameWritten(dialect, await read({ dialect, stream: answer.stream, text }), reading.said);
        });
      }
    });
  }
}

function sameReading(answer, said, theirs) {
  const [own, other] = [comparable(said), comparable(theirs)];
  // Gemini has no ids for calls, so the gateway makes some up from the answer's own.
  for (const [index, call] of other.choices[0].calls.entries()) call.id ??= `call_${other.id}_${index}`;
  assert.deepEqual(own, other);
  assert.equal(said.unmapped.length > 0, theirs.others === true, 'what has no neutral form is named');
}

function sameWritten(dialect, theirs, said) {
  const [own, other] = [comparable(said), comparable(theirs)];
  // Gemini has no place for the text of a refusal but the text.
  if (dialect === 'google') {
    for (const choice of own.choices) Object.assign(choice, { text: choice.refusal + choice.text, refusal: '' });
  }
  // Anthropic's answers never lack usage: what is unknown is written as zero.
  if (dialect === 'anthropic') own.usage ??= { input: 0, cachedInput: 0, output: 0, reasoning: 0 };
  assert.deepEqual(other, own);
}

// Clients of each dialect whose questions a provider of another dialect answers.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { CLIENTS } from './run.mjs';
import { AFTER_TOOL, ARGUMENTS, OBJECT, textOf, USAGE } from './stand-in/replies.mjs';
import { inNode } from './transports/node.mjs';

const CALLERS = [
  'openai',
  'openai responses',
  '@anthropic-ai/sdk',
  '@google/genai',
  '@ai-sdk/openai',
  '@ai-sdk/google',
];
const ANSWERING = ['openai', 'groq', 'openrouter', 'anthropic', 'google'];

describe('through gate.fetch to a provider of another dialect', () => {
  let transport;
  let questions = 0;
  before(async () => (transport = await inNode()));
  after(() => transport?.stop());
  beforeEach(() => transport.standIn.reset());

  for (const client of CALLERS) {
    for (const provider of ANSWERING.filter((one) => one !== CLIENTS[client].provider)) {
      const ask = async (op) => {
        const question = `Why is translated sea ${(questions += 1)} salty?`;
        const outcome = await transport.run(
          client,
          { client, op, question, setup: { maxRetries: 0 } },
          `via ${provider}`,
        );
        assert.ok(outcome.value, JSON.stringify(outcome.error));
        assert.ok(transport.standIn.journal.every((entry) => entry.provider === provider));
        return { question, value: outcome.value, pieces: outcome.pieces };
      };
      describe(`${client} to ${provider}`, () => {
        test('plain', async () => {
          const { question, value } = await ask('plain');
          assert.equal(value.text, textOf(question));
          assert.deepEqual(value.usage, USAGE);
        });
        test('streamed', async () => {
          const { question, value, pieces } = await ask('stream');
          assert.equal(value.text, textOf(question));
          assert.equal(pieces.join(''), textOf(question));
          assert.deepEqual(value.usage, USAGE);
        });
        test('a tool and its result', async () => {
          const { value } = await ask('tools');
          assert.deepEqual([value.name, value.args, value.text], ['weather', ARGUMENTS, AFTER_TOOL]);
        });
        test('an object of a schema', async () => {
          assert.deepEqual((await ask('json')).value, OBJECT);
        });
      });
    }
  }
});

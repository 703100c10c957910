// Every client against aimock, somebody else's idea of the same providers: what the stand-in says has to be understood in
// the same way.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { LLMock } from '@copilotkit/aimock';

import { CLIENTS, run } from './run.mjs';

const CONTENT = 'Rivers carry salt – naïvely 🌊 – to the sea.';

// It does not know the path that @google/genai takes of itself.
const OLDER = { apiVersion: 'v1beta' };

describe('aimock', () => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', journalMaxEntries: 100 });
  before(async () => {
    mock.on({}, () => ({ content: CONTENT, finishReason: 'stop' }));
    await mock.start();
  });
  after(() => mock.stop());

  const chaos = async (rates) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${mock.url}/__aimock/chaos`, {
      method: rates ? 'POST' : 'DELETE',
      headers,
      ...(rates ? { body: JSON.stringify(rates) } : {}),
    });
    assert.ok(answer.ok, await answer.text());
  };
  const ask = (client, op) =>
    run({ client, op, question: 'Why?', setup: { origin: mock.url, apiKey: 'sk-aimock', maxRetries: 0, ...OLDER } });

  for (const name of Object.keys(CLIENTS)) {
    describe(name, () => {
      for (const op of ['plain', 'stream']) {
        test(op, async () => {
          const { value, error } = await ask(name, op);
          assert.equal(value?.text, CONTENT, JSON.stringify(error));
        });
      }
      for (const [fault, kind] of Object.entries({ dropRate: 'upstream', rateLimitRate: 'limited' })) {
        test(`${fault} is ${kind}`, async (t) => {
          t.after(() => chaos());
          await chaos({ [fault]: 1 });
          assert.equal((await ask(name, 'plain')).error?.kind, kind);
        });
      }
    });
  }
});

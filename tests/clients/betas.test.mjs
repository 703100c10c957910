// Anthropic's betas through `gate.fetch`: sent on, refused by name, never left out unsaid.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { Tidegate } from 'tidegate';

import { startStandIn } from './stand-in.mjs';
import { KEYS, settings } from './transports/gates.mjs';

const MODEL = 'claude-sonnet-4-5';

describe("Anthropic's betas", () => {
  let standIn;
  let gate;
  let questions = 0;

  before(async () => {
    standIn = await startStandIn();
    gate = await Tidegate.open({
      name: 'betas',
      targets: [{ provider: 'anthropic', model: MODEL }],
      providers: { anthropic: { baseUrl: `${standIn.root('anthropic')}/v1` } },
      ledger: 'memory',
      ...settings(),
    });
    await gate.vault.putForSession('anthropic', KEYS.anthropic);
  });
  after(async () => {
    await gate?.close();
    await standIn?.stop();
  });
  beforeEach(() => standIn.reset());

  const ask = (headers) =>
    new Anthropic({ apiKey: 'tidegate', maxRetries: 0, fetch: gate.fetch }).messages.create(
      {
        model: MODEL,
        max_tokens: 99,
        messages: [{ role: 'user', content: `Why is beta sea ${(questions += 1)} salty?` }],
      },
      { headers },
    );
  const sent = () => standIn.journal.map(({ headers }) => headers['anthropic-beta']);

  test('go upstream as they came', async () => {
    await ask({});
    await ask({ 'anthropic-beta': 'interleaved-thinking-2025-05-14,new-2026-01-01' });
    assert.deepEqual(sent(), [undefined, 'interleaved-thinking-2025-05-14,new-2026-01-01']);
  });

  for (const value of ['a;b', 'a'.repeat(1_025)]) {
    test(`${value.slice(0, 12)} is refused by the header's name`, async () => {
      await assert.rejects(ask({ 'anthropic-beta': value }), (error) => {
        assert.ok(error instanceof Anthropic.BadRequestError, String(error));
        assert.match(error.message, /anthropic-beta/);
        return true;
      });
      assert.deepEqual(sent(), []);
    });
  }
});

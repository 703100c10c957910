// A target with `relay`: the gateway in the tab asks the project's own Worker, which asks the provider. Budget and account
// are those of a target that is asked directly.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { Tidegate } from 'tidegate';

import { launch, open as openPage, site } from '../isolation/support.mjs';
import { CLIENTS, run } from './run.mjs';
import { AFTER_TOOL, ARGUMENTS, textOf, USAGE } from './stand-in/replies.mjs';
import { startStandIn } from './stand-in.mjs';
import { KEYS, PROVIDERS, settings } from './transports/gates.mjs';
import { startWorker, TOKEN } from './transports/worker.mjs';

const CALLERS = ['openai', 'openai responses', '@anthropic-ai/sdk', '@google/genai'];
const { model: MODEL } = CLIENTS.openai;
/** Nano-dollars for what the stand-in says it used: $0.40 and $1.60 a million. */
const COST = USAGE.input * 400 + USAGE.output * 1_600;

describe('a relay target', () => {
  let standIn;
  let worker;
  let gate;
  let accounts;
  let questions = 0;

  before(async () => {
    standIn = await startStandIn();
    worker = await startWorker(CLIENTS.openai, standIn.url, 'normal');
  });
  after(async () => {
    await worker?.harness.close();
    await standIn?.stop();
  });
  const open = async (relay, token = TOKEN) => {
    gate = await Tidegate.open({
      name: 'relay',
      targets: [{ provider: 'openai', model: MODEL, ...(relay ? { relay: 'own' } : {}) }],
      providers: { own: { baseUrl: `${worker.url}/v1` }, openai: { baseUrl: `${standIn.root('openai')}/v1` } },
      ledger: 'memory',
      ...settings(),
    });
    await gate.vault.putForSession(relay ? 'own' : 'openai', relay ? token : KEYS.openai);
    accounts = [];
    gate.on('attempt-end', ({ target, costNanoUsd }) => accounts.push({ target, costNanoUsd }));
  };
  beforeEach(async () => {
    standIn.reset();
    await open(true);
  });
  afterEach(() => gate.close());

  const asked = () => `Why is relayed sea ${(questions += 1)} salty?`;
  const ask = (client, op, question = asked()) => {
    const [origin] = PROVIDERS[CLIENTS[client].provider];
    const setup = {
      origin,
      apiKey: 'not-a-key',
      maxRetries: 0,
      ...(client.startsWith('openai') ? {} : { model: 'auto' }),
    };
    return run({ client, op, question, setup }, gate.fetch);
  };

  for (const client of CALLERS) {
    for (const op of ['plain', 'stream']) {
      test(`${client}, ${op}`, async () => {
        const question = asked();
        const { value, error } = await ask(client, op, question);
        assert.ok(value, JSON.stringify(error));
        assert.equal(value.text, textOf(question));
        assert.deepEqual(value.usage, USAGE);
        assert.equal(standIn.journal.length, 1);
        assert.equal(standIn.journal[0].key, KEYS.openai, 'the key of the Worker');
        assert.deepEqual(accounts, [{ target: `openai/${MODEL}`, costNanoUsd: COST }]);
        assert.equal((await gate.status()).budget.spentNanoUsd, COST);
      });
    }
  }

  test('a tool and its result', async () => {
    const { value, error } = await ask('openai', 'tools');
    assert.ok(value, JSON.stringify(error));
    assert.deepEqual([value.name, value.args, value.text], ['weather', ARGUMENTS, AFTER_TOOL]);
  });

  test('the account is the one of the same target asked directly', async () => {
    await ask('openai', 'plain');
    const [relayed, spent] = [accounts, (await gate.status()).budget.spentNanoUsd];
    await gate.close();
    await open(false);
    await ask('openai', 'plain');
    assert.deepEqual([accounts, (await gate.status()).budget.spentNanoUsd], [relayed, spent]);
  });

  test('a token that the Worker does not take is the key’s mistake, and nobody is billed', async () => {
    await gate.close();
    await open(true, 'not-its-token');
    const messages = [{ role: 'user', content: asked() }];
    await assert.rejects(gate.chat({ messages }), { code: 'authentication', provider: 'openai' });
    assert.equal(standIn.journal.length, 0);
    assert.equal((await gate.status()).budget.spentNanoUsd, 0);
  });

  test('from a page, which the Worker lets in by its origin alone', async (t) => {
    const [ours, others] = [await site(t), await site(t)];
    const letsIn = await startWorker(CLIENTS.openai, standIn.url, 'normal', { ALLOWED_ORIGINS: ours });
    const browser = await launch();
    t.after(() => Promise.all([browser.close(), letsIn.harness.close()]));
    const asks = async ([base, token, model, question]) => {
      const { Tidegate } = await globalThis.tidegate;
      const gate = await Tidegate.open({
        targets: [{ provider: 'openai', model, relay: 'own' }],
        providers: { own: { baseUrl: `${base}/v1` } },
        retry: { maxRetries: 0 },
      });
      await gate.vault.putForSession('own', token);
      const messages = [{ role: 'user', content: question }];
      try {
        const { choices, tidegate } = await gate.chat({ messages, max_tokens: 99 });
        let streamed = '';
        const chunks = await gate.chat({
          messages: [{ role: 'user', content: `${question} ` }],
          max_tokens: 99,
          stream: true,
        });
        for await (const { choices } of chunks) streamed += choices[0]?.delta?.content ?? '';
        return { text: choices[0].message.content, target: tidegate.target, cost: tidegate.costNanoUsd, streamed };
      } catch ({ code, network }) {
        return { code, network };
      }
    };
    const question = asked();
    const from = async (origin) => {
      const page = await openPage(t, browser, origin);
      return page.evaluate(asks, [letsIn.url, TOKEN, MODEL, question]);
    };
    assert.deepEqual(await from(ours), {
      text: textOf(question),
      target: `openai/${MODEL}`,
      cost: COST,
      streamed: textOf(`${question} `),
    });
    assert.equal(standIn.journal.length, 2);
    assert.deepEqual(await from(others), { code: 'upstream_failed', network: 'cors' });
    assert.equal(standIn.journal.length, 2);
  });
});

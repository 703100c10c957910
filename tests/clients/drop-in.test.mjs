// What `gate.fetch` and streamed chats promise beside answers: accounts, the cache, whose key is sent, what is given back.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { Tidegate } from 'tidegate';

import { textOf, USAGE } from './stand-in/replies.mjs';
import { startStandIn } from './stand-in.mjs';
import { KEYS, settings } from './transports/gates.mjs';

const MODEL = 'gpt-4.1-mini';
/** Nano-dollars for what the stand-in says it used: $0.40 and $1.60 a million. */
const COST = USAGE.input * 400 + USAGE.output * 1_600;

describe('gate.fetch as it is handed to an SDK', () => {
  let standIn;
  let gate;
  let gates = 0;
  let questions = 0;

  before(async () => (standIn = await startStandIn()));
  after(() => standIn?.stop());
  beforeEach(async () => {
    standIn.reset();
    gate = await Tidegate.open({
      name: `drop-in-${(gates += 1)}`,
      targets: [
        { provider: 'openai', model: MODEL },
        { provider: 'google', model: 'gemini-3.7-flash' },
      ],
      providers: {
        openai: { baseUrl: `${standIn.root('openai')}/v1` },
        google: { baseUrl: `${standIn.root('google')}/v1beta` },
      },
      ...settings(),
    });
    await gate.vault.putForSession('openai', KEYS.openai);
    await gate.vault.putForSession('google', KEYS.google);
  });
  afterEach(() => gate.close());

  const messages = (content = `Why is drop-in sea ${(questions += 1)} salty?`) => [{ role: 'user', content }];
  const client = (fetch = gate.fetch, more = {}) => new OpenAI({ apiKey: 'not-a-key', fetch, ...more });
  const create = (sdk, more = {}) =>
    sdk.chat.completions.create({ model: MODEL, max_tokens: 99, messages: messages(), ...more }).withResponse();
  const heldNothing = async () => {
    for (let waited = 0; waited < 2_000; waited += 10) {
      const { inFlight, budget } = await gate.status();
      if (inFlight === 0 && budget.reservedNanoUsd === 0) return budget;
      await sleep(10);
    }
    throw new Error(`held: ${JSON.stringify(await gate.status())}`);
  };

  /** What the provider got of the question that was asked last, not of a test before. */
  const own = () => standIn.journal.filter(({ body }) => JSON.stringify(body).includes(`sea ${questions} salty`));
  const hungUp = async () => {
    const gone = () => own().length > 0 && own().every(({ aborted }) => aborted);
    for (let waited = 0; !gone() && waited < 15_000; waited += 10) await sleep(10);
    assert.ok(gone(), 'the provider is hung up on');
  };

  test('needs no `this`, and sends the key of the vault, never the one of the SDK', async () => {
    const { fetch } = gate;
    await create(client(fetch));
    const [{ key, headers }] = own();
    assert.equal(key, KEYS.openai);
    assert.doesNotMatch(JSON.stringify(headers), /not-a-key|stainless/);
  });

  test('the account of a whole answer', async () => {
    const { response } = await create(client());
    assert.equal(response.headers.get('x-tidegate-target'), `openai/${MODEL}`);
    assert.equal(response.headers.get('x-tidegate-attempts'), '1');
    assert.equal(response.headers.get('x-tidegate-cache'), 'miss');
    assert.equal(response.headers.get('x-tidegate-cost-nano-usd'), String(COST));
    const account = await gate.fetch.result(response);
    assert.deepEqual([account.costNanoUsd, account.costSource], [COST, 'computed']);
    assert.equal((await heldNothing()).spentNanoUsd, COST);
  });

  test('the account of a stream comes at its end; until then it holds its bound', async () => {
    const { data, response } = await create(client(), { stream: true });
    const reserved = Number(response.headers.get('x-tidegate-reserved-nano-usd'));
    assert.ok(reserved > COST, `${reserved}`);
    assert.equal((await gate.status()).budget.reservedNanoUsd, reserved);
    let text = '';
    for await (const chunk of data) {
      assert.ok(chunk.choices.length > 0, 'usage that nobody asked for is not handed out');
      text += chunk.choices[0].delta.content ?? '';
    }
    assert.equal(text, textOf(own()[0].body.messages[0].content));
    assert.equal((await gate.fetch.result(response)).costNanoUsd, COST);
    assert.equal((await heldNothing()).spentNanoUsd, COST);
  });

  for (const [how, leave] of Object.entries({
    'that is left': async (stream) => {
      for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
    },
    'that is aborted': async (stream) => {
      for await (const chunk of stream) if (chunk.choices[0].delta.content) stream.controller.abort();
    },
  })) {
    test(`a stream ${how} is settled, and its provider hung up on`, async () => {
      standIn.faults('openai', [{ kind: 'stall', after: 2 }]);
      const { data, response } = await create(client(), { stream: true });
      await leave(data);
      const account = await gate.fetch.result(response);
      assert.ok(account.costNanoUsd > 0);
      assert.equal((await heldNothing()).spentNanoUsd, account.costNanoUsd);
      await hungUp();
      assert.equal((await gate.status()).targets[0].breaker, 'closed');
    });
  }

  test('the same question is answered from the cache, whole or streamed', async () => {
    const same = messages();
    const sdk = client();
    const first = await create(sdk, { messages: same });
    const again = await create(sdk, { messages: same });
    assert.equal(again.response.headers.get('x-tidegate-cache'), 'hit');
    assert.equal(again.response.headers.get('x-tidegate-cost-nano-usd'), '0');
    assert.equal(again.data.choices[0].message.content, first.data.choices[0].message.content);
    const streamed = await create(sdk, { messages: same, stream: true });
    assert.equal(streamed.response.headers.get('x-tidegate-cache'), 'hit');
    let text = '';
    for await (const chunk of streamed.data) text += chunk.choices[0]?.delta.content ?? '';
    assert.equal(text, first.data.choices[0].message.content);
    assert.equal(standIn.journal.length, 1);
  });

  test('a stream that came to its end answers the next one', async () => {
    const same = messages();
    for (const cache of ['miss', 'hit']) {
      const { data, response } = await create(client(), { messages: same, stream: true });
      assert.equal(response.headers.get('x-tidegate-cache'), cache);
      let text = '';
      for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? '';
      assert.equal(text, textOf(same[0].content));
    }
    assert.equal(standIn.journal.length, 1);
  });

  test('options for all requests of a client, or for one', async () => {
    const same = messages();
    await create(client(), { messages: same });
    const skipping = await create(client(gate.fetch.with({ cache: { skipRead: true } })), { messages: same });
    assert.equal(skipping.response.headers.get('x-tidegate-cache'), 'bypass');
    const headers = { 'x-tidegate-tenant': 'another' };
    const tenant = await create(client(gate.fetch, { defaultHeaders: headers }), { messages: same });
    assert.equal(tenant.response.headers.get('x-tidegate-cache'), 'miss');
    assert.equal(standIn.journal.length, 3);
  });

  test('in place of the global fetch, for an SDK that takes none', async (t) => {
    const replaced = globalThis.fetch;
    t.after(() => (globalThis.fetch = replaced));
    globalThis.fetch = gate.fetch;
    assert.equal((await fetch(`${standIn.url}/control/journal`)).status, 200, 'other addresses are passed on');
    const google = new GoogleGenAI({ apiKey: 'not-a-key' });
    const [{ content }] = messages();
    const answer = await google.models.generateContent({ model: 'gemini-3.7-flash', contents: content });
    assert.equal(answer.text, textOf(content));
    assert.equal(own()[0].key, KEYS.google);
  });

  test('a locked vault is 423 before anything is sent, and the SDK does not try again', async () => {
    await gate.vault.create('correct horse battery staple');
    await gate.vault.put('openai', KEYS.openai);
    await gate.vault.lock();
    await assert.rejects(create(client()), (error) => error.status === 423 && error.code === 'vault_locked');
    assert.equal(standIn.journal.length, 0);
  });

  describe('gate.chat with stream: true', () => {
    const chat = (options) => gate.chat({ messages: messages(), model: MODEL, max_tokens: 99, stream: true }, options);

    test('chunks, then the account', async () => {
      const stream = await chat();
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      assert.equal(text, textOf(own()[0].body.messages[0].content));
      assert.equal((await stream.result).costNanoUsd, COST);
      await heldNothing();
    });

    test('the same again, from the cache', async () => {
      const same = { messages: messages(), model: MODEL, max_tokens: 99, stream: true };
      for (const cache of ['miss', 'hit']) {
        const stream = await gate.chat(same);
        let text = '';
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        assert.equal(text, textOf(same.messages[0].content));
        assert.equal((await stream.result).cache, cache);
      }
    });

    test('what fails before the first chunk rejects the call', async () => {
      standIn.faults('openai', [], { kind: 'status', status: 500 });
      standIn.faults('google', [], { kind: 'status', status: 500 });
      await assert.rejects(chat(), { name: 'TidegateError', code: 'upstream_failed' });
    });

    test('a cut throws after the chunks that came', async () => {
      standIn.faults('openai', [{ kind: 'cut', after: 3 }]);
      const stream = await chat();
      let count = 0;
      await assert.rejects(
        async () => {
          for await (const chunk of stream) count += chunk.choices[0]?.delta.content ? 1 : 0;
        },
        { name: 'TidegateError', code: 'stream_interrupted' },
      );
      assert.equal(count, 3);
      assert.equal((await stream.result).error.code, 'stream_interrupted');
      await heldNothing();
    });

    test('a stall runs into the timer between outputs', async () => {
      const impatient = await Tidegate.open({
        name: 'impatient',
        targets: [{ provider: 'openai', model: MODEL }],
        providers: { openai: { baseUrl: `${standIn.root('openai')}/v1` } },
        ...settings(),
        timeouts: { idleMs: 300 },
      });
      await impatient.vault.putForSession('openai', KEYS.openai);
      standIn.faults('openai', [{ kind: 'stall', after: 3 }]);
      const stream = await impatient.chat({ messages: messages(), stream: true });
      await assert.rejects(
        async () => {
          for await (const chunk of stream) assert.ok(chunk);
        },
        { name: 'TidegateError', code: 'stream_interrupted' },
      );
      await impatient.close();
      await hungUp();
    });

    test('an abort throws `aborted`, and is settled', async () => {
      standIn.faults('openai', [{ kind: 'stall', after: 2 }]);
      const controller = new AbortController();
      const stream = await chat({ signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      await assert.rejects(
        async () => {
          for await (const chunk of stream) assert.ok(chunk);
        },
        { name: 'TidegateError', code: 'aborted' },
      );
      await heldNothing();
    });
  });
});

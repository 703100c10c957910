// Whose key is sent: the vault's, whatever key comes with a request; with `keys: 'passthrough'` the request's own, to its own
// provider alone, and nobody reads what was paid with another.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { Tidegate } from 'tidegate';

import { textOf } from './stand-in/replies.mjs';
import { startStandIn } from './stand-in.mjs';
import { KEYS, PROVIDERS, settings } from './transports/gates.mjs';

/** Not keys of anybody, in the shape of real ones, and not the vault's. */
const PASTED = `sk-proj-${'Zy9xW8vU'.repeat(6)}`;
const OTHER = `sk-proj-${'Qr5sT6uV'.repeat(6)}`;
const MODELS = { openai: 'gpt-4.1-mini', anthropic: 'claude-sonnet-4-5', google: 'gemini-3.7-flash' };

/** A request of each dialect, with a key in one of the places where clients put it. */
const asks = {
  openai: (question) => [
    '/v1/chat/completions',
    { model: MODELS.openai, messages: [{ role: 'user', content: question }] },
  ],
  anthropic: (question) => [
    '/v1/messages',
    { model: MODELS.anthropic, max_tokens: 99, messages: [{ role: 'user', content: question }] },
  ],
  google: (question) => [
    `/v1beta/models/${MODELS.google}:generateContent`,
    { contents: [{ role: 'user', parts: [{ text: question }] }] },
  ],
};
const PLACES = {
  'authorization: Bearer': (key) => [{ authorization: `Bearer ${key}` }, ''],
  'authorization: bearer, in another way': (key) => [{ Authorization: `bearer   ${key} ` }, ''],
  'x-api-key': (key) => [{ 'X-Api-Key': key }, ''],
  'x-goog-api-key': (key) => [{ 'x-goog-api-key': key }, ''],
  'the query': (key) => [{}, `?key=${key}`],
};

describe('keys that come with a request', () => {
  let standIn;
  let gate;
  let told;
  let gates = 0;
  let questions = 0;

  before(async () => (standIn = await startStandIn()));
  after(() => standIn?.stop());
  const open = async (config = {}, keyed = ['openai', 'anthropic', 'google']) => {
    await gate?.close();
    gate = await Tidegate.open({
      name: `keys-${(gates += 1)}`,
      targets: Object.entries(MODELS).map(([provider, model]) => ({ provider, model })),
      providers: Object.fromEntries(
        Object.keys(MODELS).map((id) => [id, { baseUrl: standIn.root(id) + PROVIDERS[id][1] }]),
      ),
      ledger: 'memory',
      ...settings(),
      ...config,
    });
    for (const provider of keyed) await gate.vault.putForSession(provider, KEYS[provider]);
    told = [];
    gate.on('key-in-request', ({ provider }) => told.push(provider));
  };
  beforeEach(async () => {
    standIn.reset();
    await open();
  });
  afterEach(() => gate.close());

  const asked = () => `Why is keyed sea ${(questions += 1)} salty?`;
  const ask = (provider, headers, query = '', question = asked()) => {
    const [path, body] = asks[provider](question);
    const url = PROVIDERS[provider][0] + path + query;
    return gate.fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  /** Everything that reached the stand-in, and everything that is told about it. */
  const anywhere = async () => JSON.stringify([standIn.journal, await gate.records(), await gate.status()]);

  for (const provider of Object.keys(asks)) {
    for (const [place, put] of Object.entries(PLACES)) {
      test(`${provider}, a real one in ${place}: taken off, told, and the vault's is sent`, async () => {
        const [headers, query] = put(PASTED);
        const question = asked();
        const answer = await ask(provider, headers, query, question);
        assert.equal(answer.status, 200);
        assert.ok((await answer.text()).includes(JSON.stringify(textOf(question)).slice(1, -1)));
        assert.deepEqual(
          standIn.journal.map(({ provider, key }) => [provider, key]),
          [[provider, KEYS[provider]]],
        );
        assert.ok(!(await anywhere()).includes(PASTED));
        assert.deepEqual(told, [provider]);
      });
    }

    test(`${provider}: a made-up one is nothing to tell`, async () => {
      await (
        await ask(provider, { authorization: 'Bearer tidegate', 'x-api-key': 'tidegate' }, '?key=tidegate')
      ).text();
      assert.deepEqual(
        standIn.journal.map(({ key }) => key),
        [KEYS[provider]],
      );
      assert.deepEqual(told, []);
    });
  }

  test('where nothing is served, a key goes nowhere', async () => {
    const headers = { authorization: `Bearer ${PASTED}` };
    const answer = await gate.fetch('https://api.openai.com/v1/files', { headers });
    assert.equal(answer.status, 501);
    const { error } = await answer.json();
    assert.equal(error.code, 'unsupported_endpoint');
    assert.match(error.message, /ask the provider for it directly/);
    assert.deepEqual(standIn.journal, []);
  });

  describe("with keys: 'passthrough'", () => {
    const bearer = (key) => ({ authorization: `Bearer ${key}` });
    beforeEach(() => open({ keys: 'passthrough' }));

    test('it is the one that is sent, and the vault needs none', async () => {
      await open({ keys: 'passthrough' }, []);
      assert.equal((await ask('openai', bearer(PASTED))).status, 200);
      assert.deepEqual(
        standIn.journal.map(({ key }) => key),
        [PASTED],
      );
      assert.deepEqual(told, []);
      assert.ok(!JSON.stringify([await gate.records(), await gate.status()]).includes(PASTED));
    });

    test('a made-up one is replaced by the vault’s all the same', async () => {
      assert.equal((await ask('openai', bearer('tidegate'))).status, 200);
      assert.deepEqual(
        standIn.journal.map(({ key }) => key),
        [KEYS.openai],
      );
    });

    test('no other provider gets it, nor the vault’s key in its place', async () => {
      standIn.faults('openai', [], { kind: 'status', status: 503 });
      const failed = await ask('openai', bearer(PASTED));
      assert.equal((await failed.json()).error.code, 'upstream_failed');
      assert.ok(standIn.journal.length > 0);
      assert.ok(standIn.journal.every(({ provider, key }) => provider === 'openai' && key === PASTED));
    });

    test('it is bound to the address that the request named', async () => {
      await open({ keys: 'passthrough', targets: [{ provider: 'google', model: MODELS.google }] });
      const refused = await ask('openai', bearer(PASTED));
      assert.ok(refused.status >= 400);
      assert.deepEqual(standIn.journal, []);
    });

    test('what was paid with one key is read with no other', async () => {
      const question = asked();
      const cache = async (key) => (await ask('openai', bearer(key), '', question)).headers.get('x-tidegate-cache');
      assert.deepEqual(
        [await cache(PASTED), await cache(OTHER), await cache('tidegate'), await cache(PASTED), await cache(OTHER)],
        ['miss', 'miss', 'miss', 'hit', 'hit'],
      );
      assert.deepEqual(
        standIn.journal.map(({ key }) => key),
        [PASTED, OTHER, KEYS.openai],
      );
    });

    test('equal requests at once share an answer only under one key', async () => {
      const question = asked();
      const all = [PASTED, OTHER, PASTED, OTHER].map((key) => ask('openai', bearer(key), '', question));
      await Promise.all(all.map(async (one) => (await one).text()));
      assert.deepEqual(standIn.journal.map(({ key }) => key).sort(), [OTHER, PASTED].sort());
    });
  });
});

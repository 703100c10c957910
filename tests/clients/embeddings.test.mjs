// Vectors and lists of models through `gate.fetch`, as SDKs ask for them.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { Tidegate } from 'tidegate';

import { KEYS, settings } from './transports/gates.mjs';

const MODELS = { openai: 'text-embedding-3-small', google: 'gemini-embedding-001' };
const VECTORS = [
  [0.5, -0.25, 1],
  [0, 2, -4],
];
const base64 = (vector) => Buffer.from(Float32Array.from(vector).buffer).toString('base64');
const numbers = (vectors) => vectors.map((vector) => Array.from(vector));

/** Both providers, as far as vectors go. */
function answer(url, body) {
  if (url.includes('/v1/embeddings')) {
    const inputs = [body.input].flat();
    const data = inputs.map((_, index) => ({
      object: 'embedding',
      index,
      embedding: body.encoding_format === 'base64' ? base64(VECTORS[index]) : VECTORS[index],
    }));
    return { object: 'list', model: body.model, data, usage: { prompt_tokens: 7, total_tokens: 7 } };
  }
  if (url.endsWith(':batchEmbedContents')) {
    return { embeddings: body.requests.map((_, index) => ({ values: VECTORS[index] })) };
  }
  return { embedding: { values: VECTORS[0] } };
}

for (const provider of Object.keys(MODELS)) {
  describe(`vectors of ${provider}`, () => {
    const sent = [];
    let gate;
    let texts = 0;
    before(async () => {
      const real = async (url, { headers, body }) => {
        sent.push({ url: String(url), key: headers.authorization ?? headers['x-goog-api-key'] });
        return Response.json(answer(String(url), JSON.parse(body)));
      };
      gate = await Tidegate.open(
        {
          name: `vectors-${provider}`,
          targets: [{ provider, model: MODELS[provider] }],
          prices: [{ provider, model: MODELS[provider], inputUsd: '1', outputUsd: '0' }],
          ledger: 'memory',
          ...settings(),
        },
        { fetch: real },
      );
      await gate.vault.putForSession(provider, KEYS[provider]);
    });
    after(() => gate?.close());
    beforeEach(() => sent.splice(0));

    const pair = () => [`first ${(texts += 1)}`, `second ${texts}`];
    const openai = () => new OpenAI({ apiKey: 'not-a-key', fetch: gate.fetch, maxRetries: 0 });
    const google = () => new GoogleGenAI({ apiKey: 'not-a-key', httpOptions: { fetch: gate.fetch } });
    const once = () => {
      assert.equal(sent.length, 1);
      assert.ok(sent[0].key.endsWith(KEYS[provider]));
      assert.ok(!sent[0].url.includes('key='));
    };

    for (const encoding of [undefined, 'float']) {
      test(`asked by openai, ${encoding ?? 'in base64, as it does by itself'}`, async () => {
        const input = pair();
        const { data } = await openai().embeddings.create({
          model: MODELS[provider],
          input,
          encoding_format: encoding,
        });
        assert.deepEqual(numbers(data.map(({ embedding }) => embedding)), VECTORS);
        once();
      });
    }

    test('asked by openai, for one text; the same again costs nothing', async () => {
      const [input] = pair();
      for (const cache of ['miss', 'hit']) {
        const asked = openai().embeddings.create({ model: MODELS[provider], input }).withResponse();
        const { data, response } = await asked;
        assert.deepEqual(numbers(data.data.map(({ embedding }) => embedding)), [VECTORS[0]]);
        assert.equal(response.headers.get('x-tidegate-cache'), cache);
        assert.equal(response.headers.get('x-tidegate-target'), `${provider}/${MODELS[provider]}`);
      }
      once();
    });

    test('asked by @google/genai', async () => {
      const { embeddings } = await google().models.embedContent({ model: MODELS[provider], contents: pair() });
      assert.deepEqual(numbers(embeddings.map(({ values }) => values)), VECTORS);
      once();
    });

    test('which model is said: vectors of two models are nothing to one another', async () => {
      const [input] = pair();
      await assert.rejects(openai().embeddings.create({ model: 'auto', input }), { status: 400, param: 'model' });
      assert.deepEqual(sent, []);
    });

    test('the list of models is the gate’s own, and one of them', async () => {
      const name = `${provider}/${MODELS[provider]}`;
      const listed = [];
      for await (const { id } of openai().models.list()) listed.push(id);
      assert.ok(listed.includes(name) || listed.includes(MODELS[provider]), listed.join());
      assert.equal((await openai().models.retrieve(listed[0])).id, listed[0]);
      await assert.rejects(openai().models.retrieve('none-such'), (error) => error.status === 404);
      const pages = [];
      for await (const { name } of await google().models.list()) pages.push(name);
      assert.equal(pages.length, listed.length);
      assert.deepEqual(sent, []);
    });
  });
}

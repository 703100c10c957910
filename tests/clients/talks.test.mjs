// Agents on real SDKs, in several steps, while providers of every dialect take turns in answering: no provider may get a
// conversation that the real one refuses.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { Tidegate } from 'tidegate';

import { accepted } from './talks/accepts.mjs';
import { AGENTS } from './talks/agents.mjs';
import { answer } from './talks/providers.mjs';
import { KEYS } from './transports/gates.mjs';

const MODELS = {
  openai: ['gpt-5', 'openai'],
  anthropic: ['claude-haiku-4-5', 'anthropic'],
  google: ['gemini-3.7-flash', 'google'],
  groq: ['openai/gpt-oss-20b', 'chat'],
  openrouter: ['openai/gpt-5', 'chat'],
  deepseek: ['deepseek-v4-pro', 'chat'],
  mistral: ['mistral-large-latest', 'chat'],
  mine: ['llama', 'chat'],
};
/** One of each dialect, and those that are particular. */
const OTHERS = ['openai', 'anthropic', 'google', 'groq', 'deepseek', 'mistral'];
const MORE_KEYS = { mistral: 'Ab3dE6gHAb3dE6gHAb3dE6gHAb3dE6gH', mine: 'a-key-of-my-own-0123456789' };

const dialectOf = (path) => {
  if (/\/responses$/.test(path)) return 'responses';
  if (/\/messages$/.test(path)) return 'anthropic';
  return path.includes('enerateContent') ? 'google' : 'chat';
};

/** The providers: who is not `next` is out of order. */
class Providers {
  refused = [];
  answered = [];
  next = () => true;

  fetch = async (url, { body: text }) => {
    const { hostname, pathname, href } = new URL(url);
    const provider = hostname.split('.')[0];
    const body = JSON.parse(text);
    const dialect = dialectOf(pathname);
    const json = (status, told) =>
      new Response(JSON.stringify(told), { status, headers: { 'content-type': 'application/json' } });
    if (!this.next(provider, this.answered.length)) return json(500, { error: { message: 'out of order' } });
    const model = body.model ?? /models\/([^:]+):/.exec(pathname)[1];
    const stream = body.stream === true || href.includes('stream');
    try {
      const step = accepted(dialect, provider, model, body);
      const at = this.answered.push(provider);
      const thinks = body.thinking !== undefined && body.thinking.type !== 'disabled';
      const said = answer(dialect, step, at, { provider, model, stream, thinks });
      if (!stream) return json(200, said);
      return new Response(said, { headers: { 'content-type': 'text/event-stream' } });
    } catch (error) {
      this.refused.push(`${provider} (${dialect}): ${error.message}\n${text}`);
      return json(400, { error: { message: error.message } });
    }
  };
}

describe('agents while providers take turns', () => {
  const gates = [];
  after(() => Promise.all(gates.map((gate) => gate.close())));

  async function open(providers, names) {
    const gate = await Tidegate.open(
      {
        name: `talks-${gates.length}`,
        dialects: 'all',
        ledger: 'memory',
        targets: names.map((provider) => ({ provider, model: MODELS[provider][0] })),
        providers: Object.fromEntries(
          names.map((provider) => [provider, { baseUrl: `https://${provider}.example/v1` }]),
        ),
        prices: names.map((provider) => ({
          provider,
          model: MODELS[provider][0],
          inputUsd: 1,
          outputUsd: 1,
          context: 100_000,
          maxOutput: 8_000,
        })),
        retry: { maxRetries: 0, budgetFloor: 10_000 },
        breaker: { failures: 1_000 },
        budget: { limitUsd: '1000' },
        cache: { ttlMs: 0 },
      },
      { fetch: providers.fetch },
    );
    for (const provider of names) await gate.vault.putForSession(provider, KEYS[provider] ?? MORE_KEYS[provider]);
    gates.push(gate);
    return gate;
  }

  for (const [title, { provider: own, talk }] of Object.entries(AGENTS)) {
    for (const other of OTHERS.filter((name) => name !== own)) {
      for (const stream of [false, true]) {
        test(`${title}, and ${other}${stream ? ', streamed' : ''}`, async () => {
          const providers = new Providers();
          const gate = await open(providers, [own, other]);
          for (const turn of [0, 1]) {
            providers.answered = [];
            // One answers each second request, the other what lies between.
            providers.next = (name, at) => name === [own, other][(at + turn) % 2];
            // To each SDK it is its own provider's address.
            const fetch = (url, init) => gate.fetch(url, init);
            const asked = { fetch, model: MODELS[own][0], stream };
            const text = await talk(asked).catch((error) => `${error}`);
            assert.deepEqual(providers.refused, []);
            assert.match(text, /Done \d+\.$/);
            assert.equal(providers.answered.length, 8, `${providers.answered}`);
          }
        });
      }
    }
  }
});

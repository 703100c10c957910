import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { type Env } from '../../src/env';
import { calm, journal, type ErrorBody } from '../client';

beforeEach(calm);

const context = { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext;

/** A Worker that starts anew with other variables. */
async function started(variables: Partial<Record<string, unknown>>) {
  vi.resetModules();
  const { default: worker } = await import('../../src/index');
  const own = { ...env, ...variables } as unknown as Env;
  return async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}` };
    const response = await worker.fetch(
      new Request(`https://gateway.example${path}`, { headers, ...init }),
      own,
      context,
    );
    return { status: response.status, text: await response.text() };
  };
}

const MASKED = 'gsk_…abcd';

describe('readiness says what is wrong', () => {
  it.each([
    ['no token', { TIDEGATE_TOKEN: undefined }, 'TIDEGATE_TOKEN: is not set'],
    [
      'no key',
      { GROQ_API_KEY: '', OPENROUTER_API_KEY: '' },
      'targets: none has a key; set GROQ_API_KEY or OPENROUTER_API_KEY',
    ],
    [
      'no price',
      { TIDEGATE_CONFIG: '{"targets":[{"provider":"groq","model":"unheard-of"}]}' },
      'targets: none with a key has a known price; give prices of groq/unheard-of in TIDEGATE_CONFIG',
    ],
    ['a key that is none', { GROQ_API_KEY: MASKED }, 'GROQ_API_KEY: key was copied from where it is shown shortened'],
    ['a configuration that is no JSON', { TIDEGATE_CONFIG: '{' }, 'gateway: TIDEGATE_CONFIG must be JSON'],
    [
      'a misspelt limit',
      { TIDEGATE_CONFIG: '{"budget":{"limitUSD":5}}' },
      'gateway: budget.limitUSD is not a known field',
    ],
    [
      'a rate of what is no route',
      { TIDEGATE_CONFIG: '{"rates":{"routes":{"embedding":{"perMinute":1}}}}' },
      'gateway: rates.routes.embedding is none of the routes',
    ],
    [
      'a rate of a target that there is not',
      { TIDEGATE_CONFIG: '{"rates":{"targets":{"openai":{"perMinute":1}}}}' },
      'gateway: rates.targets.openai must be one of `targets`',
    ],
    [
      'a part of the configuration that is no JSON',
      { TIDEGATE_CONFIG_PRICES: '{' },
      'gateway: TIDEGATE_CONFIG_PRICES must be JSON',
    ],
    ['one that is a list', { TIDEGATE_CONFIG_PRICES: [] }, 'gateway: TIDEGATE_CONFIG_PRICES must be an object'],
    [
      'a field that is in two of them',
      { TIDEGATE_CONFIG: '{"budget":{}}', TIDEGATE_CONFIG_MORE: '{"budget":{}}' },
      'gateway: TIDEGATE_CONFIG_MORE has budget, which is elsewhere, too',
    ],
    [
      'a field that is twice in one of them',
      { TIDEGATE_CONFIG: '{"budget":{"limitUsd":5,"limitUsd":500}}' },
      'gateway: TIDEGATE_CONFIG has budget.limitUsd twice',
    ],
    [
      'a field of who may call that is there twice',
      { TIDEGATE_AUTH: '{"session":{"jwt":false,"jwt":true}}' },
      'TIDEGATE_AUTH.session.jwt must not be there twice',
    ],
    ['a field that is unknown', { TIDEGATE_CONFIG_MORE: { budgt: {} } }, 'gateway: budgt is not a known field'],
    ['a configuration of another type', { TIDEGATE_CONFIG: '[]' }, 'gateway: TIDEGATE_CONFIG must be an object'],
    [
      'a part of it whose name goes on in small letters',
      { TIDEGATE_CONFIG_prices: { price: [] } },
      'gateway: price is not a known field',
    ],
    [
      'a key sent in the clear',
      { GROQ_BASE_URL: 'http://example.com/v1' },
      'gateway: providers.groq.baseUrl must be an https URL',
    ],
    [
      'an origin that matches no page',
      { ALLOWED_ORIGINS: 'https://app.example/' },
      'ALLOWED_ORIGINS: https://app.example/ is no origin',
    ],
    [
      'all hosts of a domain',
      { ALLOWED_ORIGINS: 'https://*.app.example' },
      'ALLOWED_ORIGINS: https://*.app.example is no origin',
    ],
    ['origins as a list', { ALLOWED_ORIGINS: ['https://app.example'] }, 'ALLOWED_ORIGINS: must be a text'],
    ['a trailer that is a number', { TIDEGATE_TRAILER: 1 }, 'TIDEGATE_TRAILER: must be a text'],
    ['a trailer by another word', { TIDEGATE_TRAILER: 'yes' }, 'TIDEGATE_TRAILER must be "1" or "0"'],
    ['a log by another word', { TIDEGATE_LOG: 'error' }, 'TIDEGATE_LOG: must be one of all, errors, none'],
    ['a token that no header has', { TIDEGATE_TOKEN: 'two words' }, 'TIDEGATE_TOKEN: must be printable ASCII'],
    ['a master key that is none', { TIDEGATE_MASTER_KEY: 'short' }, 'TIDEGATE_MASTER_KEY must be 32 random bytes'],
    [
      'a last master key that is none',
      { TIDEGATE_MASTER_KEY_PREVIOUS: 'short' },
      'TIDEGATE_MASTER_KEY_PREVIOUS must be 32 random bytes',
    ],
    [
      'an environment without its objects',
      { TENANT_LEDGER: undefined, FIGURES: undefined },
      'FIGURES, TENANT_LEDGER: not bound; durable_objects has to be in each environment',
    ],
    ['a key that is no text', { GROQ_API_KEY: { get: 1 } }, 'GROQ_API_KEY: must be a text'],
    ['an origin that is no address', { ALLOWED_ORIGINS: 'app.example' }, 'ALLOWED_ORIGINS: app.example is no origin'],
    [
      'no key for sessions',
      { TIDEGATE_AUTH: { session: { cookie: '__Host-session' } }, TIDEGATE_SESSION_KEY: undefined },
      'TIDEGATE_SESSION_KEY: is not set',
    ],
    [
      'a key for sessions that is too short',
      { TIDEGATE_AUTH: { session: { cookie: '__Host-session' } }, TIDEGATE_SESSION_KEY: 'short' },
      'TIDEGATE_SESSION_KEY: must have 32 characters',
    ],
    [
      'Turnstile without its secret',
      {
        TIDEGATE_AUTH: { session: { turnstile: { organisation: 'public', hostnames: ['app.example'] } } },
        TIDEGATE_SESSION_KEY: 'k'.repeat(32),
        TURNSTILE_SECRET: undefined,
      },
      'TURNSTILE_SECRET: is not set',
    ],
  ])('%s', async (_, variables, reason) => {
    const send = await started(variables);
    const ready = await send('/readyz');
    expect(ready.status).toBe(503);
    const { reasons } = JSON.parse(ready.text) as { reasons: string[] };
    expect(reasons.some((one) => one.startsWith(reason))).toBe(true);
    expect((await send('/livez')).status).toBe(200);
  });

  it('is ready with the configuration in several variables, which are one', async () => {
    const prices = [{ provider: 'groq', model: 'own', inputUsd: '1', outputUsd: '2' }];
    const targets = [{ provider: 'groq', model: 'own' }];
    const send = await started({
      TIDEGATE_CONFIG: { cache: { ttlMs: 0 } },
      TIDEGATE_CONFIG_TARGETS: JSON.stringify({ targets }),
      TIDEGATE_CONFIG_PRICES: { prices },
    });
    expect(await send('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}' });
    expect((await send('/api/ai/status')).text).toContain('"target":"groq/own"');
  });

  it('is ready with no configuration at all', async () => {
    const send = await started({ TIDEGATE_CONFIG: null, TIDEGATE_CONFIG_PRICES: null, TIDEGATE_AUTH: null });
    expect(await send('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}' });
  });

  describe('a provider with a dash, which no variable has,', () => {
    const TIDEGATE_CONFIG = {
      targets: [{ provider: 'my-llm', model: 'own' }],
      prices: [{ provider: 'my-llm', model: 'own', inputUsd: '1', outputUsd: '2' }],
      providers: { 'my-llm': { baseUrl: 'https://elsewhere.example/v1' } },
    };

    it('misses its key by the name that one can have', async () => {
      expect((await (await started({ TIDEGATE_CONFIG }))('/readyz')).text).toContain('set MY_LLM_API_KEY');
    });

    it('has key and address there', async () => {
      const [MY_LLM_API_KEY, MY_LLM_BASE_URL] = ['Zq8dE6gHx2Ab3dE6gH', env.GROQ_BASE_URL];
      const send = await started({ TIDEGATE_CONFIG, MY_LLM_API_KEY, MY_LLM_BASE_URL });
      expect(await send('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}' });
      const body = '{"messages":[{"role":"user","content":"by another name"}]}';
      expect(await send('/v1/chat/completions', { method: 'POST', body })).toMatchObject({ status: 200 });
      const [sent] = await journal();
      expect(sent?.authorization).toBe(`Bearer ${MY_LLM_API_KEY}`);
    });
  });

  it('is ready with the configuration as an object, and with any origin if that is said', async () => {
    const send = await started({ TIDEGATE_CONFIG: { cache: { ttlMs: 0 } }, ALLOWED_ORIGINS: '*' });
    expect(await send('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}' });
  });

  it('is not ready when the ledger does not answer', async () => {
    const TENANT_LEDGER = { idFromName: () => '', get: () => ({ decide: () => Promise.reject(new Error('down')) }) };
    const ready = await (await started({ TENANT_LEDGER }))('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.text).toContain('gateway: The gateway or its storage failed.');
  });
});

it('is looked at once in a second, however often anybody asks', async () => {
  let asked = 0;
  const real = env.TENANT_LEDGER;
  const get = (id: DurableObjectId) => {
    asked += 1;
    return real.get(id);
  };
  const send = await started({ TENANT_LEDGER: { idFromName: (name: string) => real.idFromName(name), get } });
  const ready = async () => (await send(asked % 2 === 0 ? '/readyz' : '/health')).status;
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
  for (let times = 0; times < 20; times += 1) expect(await ready()).toBe(200);
  const now = Date.now();
  clock.mockReturnValue(now + 999);
  expect(await ready()).toBe(200);
  expect(asked).toBe(1);
  clock.mockReturnValue(now + 1_000);
  expect(await ready()).toBe(200);
  expect(asked).toBe(2);
  clock.mockRestore();
});

it('answers pages also where the origins are no text', async () => {
  const send = await started({ ALLOWED_ORIGINS: ['https://app.example'] });
  const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, origin: 'https://app.example' };
  expect(await send('/v1/models', { headers })).toMatchObject({ status: 200 });
  expect(await send('/v1/models', { method: 'OPTIONS', headers })).toMatchObject({ status: 204 });
});

describe('the trailer', () => {
  const stream = { method: 'POST', body: '{"stream":true,"messages":[{"role":"user","content":"x"}]}' };

  it('can be the rule, with exceptions', async () => {
    const send = await started({ TIDEGATE_TRAILER: '1' });
    expect((await send('/v1/chat/completions', stream)).text).toMatch(/\n: tidegate \{.*\}\n\n$/);
    const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, 'x-tidegate-trailer': '0' };
    expect((await send('/v1/chat/completions', { ...stream, headers })).text).not.toContain(': tidegate');
  });

  it('is not the caller’s mistake where the variable is wrong', async () => {
    const answer = await (await started({ TIDEGATE_TRAILER: 'yes' }))('/v1/chat/completions', stream);
    expect(answer.status).toBe(500);
    expect((JSON.parse(answer.text) as ErrorBody).error).toMatchObject({
      code: 'config_invalid',
      param: 'TIDEGATE_TRAILER',
    });
  });
});

describe('requests are refused', () => {
  const chat = { method: 'POST', body: '{"messages":[{"role":"user","content":"x"}]}' };

  it('without a token set, whatever the caller sends', async () => {
    const send = await started({ TIDEGATE_TOKEN: '' });
    for (const authorization of ['', 'Bearer ', 'Bearer undefined']) {
      const answer = await send('/v1/chat/completions', { ...chat, headers: { authorization } });
      expect(answer.status).toBe(500);
      expect((JSON.parse(answer.text) as ErrorBody).error).toMatchObject({
        code: 'config_invalid',
        param: 'TIDEGATE_TOKEN',
      });
    }
  });

  it('with an invalid configuration, by the field', async () => {
    const answer = await (await started({ TIDEGATE_CONFIG: '{"budget":{"limitUsd":-1}}' }))('/v1/models');
    expect(answer.status).toBe(500);
    expect((JSON.parse(answer.text) as ErrorBody).error).toMatchObject({
      code: 'config_invalid',
      param: 'budget.limitUsd',
    });
  });

  it('as each kind of client reads it', async () => {
    const send = await started({ TIDEGATE_CONFIG: '[]' });
    const anthropic = await send('/v1/messages', chat);
    expect(anthropic.status).toBe(500);
    expect(JSON.parse(anthropic.text)).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    const google = await send('/v1beta/models/m:generateContent', chat);
    expect(JSON.parse(google.text)).toMatchObject({ error: { code: 500, status: 'INTERNAL' } });
  });

  it('after the deadline when the gateway never answers, and the next one finds a new gate', async () => {
    let hangs = true;
    const real = env.TENANT_LEDGER;
    const TENANT_LEDGER = {
      idFromName: (name: string) => real.idFromName(name),
      get: (id: DurableObjectId) => (hangs ? { decide: () => new Promise(() => {}) } : real.get(id)),
    };
    const send = await started({ TENANT_LEDGER, TIDEGATE_CONFIG: '{"timeouts":{"attemptMs":10,"totalMs":10}}' });
    const started_ = Date.now();
    const stuck = await send('/readyz');
    expect(stuck.status).toBe(503);
    expect(Date.now() - started_).toBeLessThan(7_000);
    hangs = false;
    await vi.waitUntil(async () => (await send('/readyz')).status === 200, { timeout: 5_000 });
  });
});

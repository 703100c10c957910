import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { ask, calm, call, contentOf, errorOf, journal, post, script } from '../client';

beforeEach(calm);

const TARGETS = ['groq/openai/gpt-oss-20b', 'openrouter/qwen/qwen3-coder:free'];

describe('chat completions', () => {
  it('answers with the provider’s own JSON and says what was done', async () => {
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(contentOf(answer)).toMatch(/^groq heard: question \d+$/);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-tidegate-target')).toBe(TARGETS[0]);
    expect(answer.headers.get('x-tidegate-attempts')).toBe('1');
    expect(answer.headers.get('x-tidegate-cache')).toBe('miss');
    // 10 tokens in at $0.075 and 5 out at $0.30 a million.
    expect(answer.headers.get('x-tidegate-cost-nano-usd')).toBe('2250');
    expect(answer.headers.get('x-request-id')).toMatch(/^tg-[0-9a-f]+$/);
    const [sent] = await journal();
    expect(sent?.authorization).toBe(`Bearer ${env.GROQ_API_KEY}`);
    expect(JSON.parse(sent?.body ?? '')).toMatchObject({ model: 'openai/gpt-oss-20b', messages: [{ role: 'user' }] });
  });

  it('answers the same question from the cache at no cost, as far as the caller allows it', async () => {
    const again = (headers: Record<string, string>) =>
      ask({ messages: [{ role: 'user', content: 'cached' }] }, headers);
    await again({});
    const hit = await again({});
    expect(hit.headers.get('x-tidegate-cache')).toBe('hit');
    expect(hit.headers.get('x-tidegate-cost-nano-usd')).toBe('0');
    expect((await journal()).length).toBe(1);
    expect((await again({ 'x-tidegate-cache': 'skip' })).headers.get('x-tidegate-cache')).toBe('bypass');
    expect((await again({ 'x-tidegate-cache': 'refresh' })).headers.get('x-tidegate-cache')).not.toBe('hit');
    expect((await again({ 'x-tidegate-namespace': 'other' })).headers.get('x-tidegate-cache')).toBe('miss');
    expect((await journal()).length).toBe(3);
  });

  it('stores nothing where the caller says so', async () => {
    const once = (headers: Record<string, string>) =>
      ask({ messages: [{ role: 'user', content: 'no trace' }] }, headers);
    await once({ 'x-tidegate-cache': 'no-store' });
    expect((await once({ 'x-tidegate-cache': 'no-store, skip' })).headers.get('x-tidegate-cache')).toBe('bypass');
    await once({ 'x-tidegate-cache-ttl-ms': '1' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await once({})).headers.get('x-tidegate-cache')).toBe('miss');
  });

  it.each([
    ['x-tidegate-cache', 'perhaps'],
    ['x-tidegate-cache-ttl-ms', '-1'],
    ['x-tidegate-cache-ttl-ms', '1e3'],
  ])('refuses %s: %s', async (name, value) => {
    const answer = await ask({}, { [name]: value });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'invalid_request', type: 'invalid_request_error', param: name });
    expect(await journal()).toEqual([]);
  });

  it('does not stream yet, and says so', async () => {
    const answer = await ask({ stream: true });
    expect(answer.status).toBe(501);
    expect(errorOf(answer)).toMatchObject({ code: 'unsupported_endpoint', param: 'stream' });
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });

  it('passes a wait on in whole seconds, rounded up, and in milliseconds', async () => {
    await script('groq', { status: 429, headers: { 'retry-after-ms': '3200' } });
    await script('openrouter', { status: 503 });
    const answer = await ask();
    expect(answer.status).toBe(429);
    expect(errorOf(answer)).toMatchObject({ code: 'upstream_limited', type: 'rate_limit_error' });
    expect(answer.headers.get('retry-after')).toBe('4');
    expect(Number(answer.headers.get('retry-after-ms'))).toBeGreaterThan(3000);
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });
});

describe('the other routes', () => {
  it('lists the configured targets as models', async () => {
    const answer = await call('/v1/models');
    expect(answer.status).toBe(200);
    const { object, data } = JSON.parse(answer.text) as { object: string; data: { id: string; object: string }[] };
    expect(object).toBe('list');
    expect(data.map(({ id }) => id)).toEqual(TARGETS);
    expect(data[0]).toEqual({ id: TARGETS[0], object: 'model', created: 0, owned_by: 'groq' });
    // What is listed can be asked for.
    expect((await ask({ model: data[1]?.id })).headers.get('x-tidegate-target')).toBe(TARGETS[1]);
  });

  it('lives, and is ready without asking a provider', async () => {
    const anonymous = { headers: { authorization: '' } };
    expect(await call('/livez', anonymous)).toMatchObject({ status: 200, text: '{"status":"live"}' });
    expect(await call('/readyz', anonymous)).toMatchObject({ status: 200, text: '{"status":"ready"}' });
    expect(await journal()).toEqual([]);
  });

  it.each(['/', '/v2/models', '/v1', '/livez/x', '/chat/completions'])('answers 404 at %s', async (path) => {
    const answer = await call(path);
    expect(answer.status).toBe(path === '/v1' ? 501 : 404);
    expect(errorOf(answer).type).toBe('invalid_request_error');
  });

  it.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/models', 'GET'],
    ['POST', '/livez', 'GET'],
    ['PUT', '/readyz', 'GET'],
  ])('answers 405 to %s %s', async (method, path, allowed) => {
    const answer = await call(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allowed);
    expect(errorOf(answer).code).toBe('invalid_request');
  });

  it.each(['/v1/embeddings', '/v1/responses', '/v1/models/x', '/v1/chat/completions/x'])(
    'answers 501 at %s',
    async (path) => {
      const answer = await call(path, { method: 'POST' });
      expect(answer.status).toBe(501);
      expect(errorOf(answer).code).toBe('unsupported_endpoint');
    },
  );
});

describe('the token', () => {
  it.each([
    ['none', ''],
    ['another', 'Bearer another'],
    ['a prefix', `Bearer ${env.TIDEGATE_TOKEN.slice(0, -1)}`],
    ['one more letter', `Bearer ${env.TIDEGATE_TOKEN}x`],
    ['another scheme', `Basic ${env.TIDEGATE_TOKEN}`],
    ['the bare token', env.TIDEGATE_TOKEN],
  ])('lets nobody in with %s', async (_, authorization) => {
    for (const path of ['/v1/chat/completions', '/v1/models', '/v1/embeddings']) {
      const answer = await call(path, { method: 'POST', headers: { authorization }, body: '{}' });
      expect(answer.status).toBe(401);
      expect(errorOf(answer)).toMatchObject({ code: 'unauthorized', type: 'authentication_error' });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.text).not.toContain(env.TIDEGATE_TOKEN);
    }
    expect(await journal()).toEqual([]);
  });

  it('takes the scheme in any case', async () => {
    expect((await call('/v1/models', { headers: { authorization: `bearer ${env.TIDEGATE_TOKEN}` } })).status).toBe(200);
  });

  it('is checked before the body is read', async () => {
    const answer = await post('{', { authorization: 'Bearer another' });
    expect(answer.status).toBe(401);
  });
});

import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { ask, calm, call, contentOf, errorOf, journal, post, question, script } from '../client';

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

  it.each(['/v1', '/openai/v1', '/api/v1', '/v1beta/openai'])(
    'are at %s, where a client insists on it',
    async (prefix) => {
      const body = JSON.stringify({ messages: [{ role: 'user', content: question() }] });
      const answer = await call(`${prefix}/chat/completions`, { method: 'POST', body });
      expect(contentOf(answer)).toMatch(/^groq heard/);
      const models = await call(`${prefix}/models`);
      expect((JSON.parse(models.text) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(TARGETS);
    },
  );

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

describe('embeddings', () => {
  const post = (path: string, body: unknown) =>
    call(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  const model = TARGETS[0]!;

  it('answer OpenAI’s clients, and are paid', async () => {
    const answer = await post('/v1/embeddings', { model, input: ['a', 'b'], encoding_format: 'float' });
    expect(answer.status).toBe(200);
    const { data } = JSON.parse(answer.text) as { data: { embedding: number[] }[] };
    expect(data.map(({ embedding }) => embedding)).toEqual([
      [0.25, -0.5, 0],
      [0.25, -0.5, 1],
    ]);
    // 4 tokens at $0.075 a million.
    expect(answer.headers.get('x-tidegate-cost-nano-usd')).toBe('300');
    expect((await journal())[0]?.path).toBe('/groq/v1/embeddings');
  });

  it('answer Gemini’s clients, one and many', async () => {
    const content = (text: string) => ({ content: { parts: [{ text }] } });
    const path = `/v1beta/models/${encodeURIComponent(model)}`;
    const one = await post(`${path}:embedContent`, content('one'));
    expect(JSON.parse(one.text)).toMatchObject({ embedding: { values: [0.25, -0.5, 0] } });
    const requests = ['two', 'three'].map((text) => ({ model: `models/${model}`, ...content(text) }));
    const many = await post(`${path}:batchEmbedContents`, { requests });
    expect(JSON.parse(many.text)).toMatchObject({
      embeddings: [{ values: [0.25, -0.5, 0] }, { values: [0.25, -0.5, 1] }],
    });
  });
});

describe('models', () => {
  interface List {
    object?: string;
    data?: { id: string; type?: string }[];
    models?: { name: string }[];
  }
  const list = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await call(path, { headers });
    expect(answer.status).toBe(200);
    const id = answer.headers.get('x-request-id');
    expect(id).toMatch(/^tg-/);
    // Where Anthropic's clients look for it, and nobody else's.
    expect(answer.headers.get('request-id')).toBe('anthropic-version' in headers ? id : null);
    return JSON.parse(answer.text) as List;
  };

  it('are the configured targets', async () => {
    const { object, data } = await list('/v1/models');
    expect(object).toBe('list');
    expect(data?.map(({ id }) => id)).toEqual(TARGETS);
    expect(data?.[0]).toMatchObject({ id: TARGETS[0], object: 'model', created: 0, owned_by: 'groq' });
    // What is listed can be asked for.
    expect((await ask({ model: data?.[1]?.id })).headers.get('x-tidegate-target')).toBe(TARGETS[1]);
  });

  it('are listed as the caller’s kind of client reads them', async () => {
    const anthropic = await list('/v1/models', { 'anthropic-version': '2023-06-01' });
    expect(anthropic.data?.map(({ id, type }) => [id, type])).toEqual(TARGETS.map((id) => [id, 'model']));
    for (const google of [
      await list('/v1beta/models'),
      await list('/v1/models', { authorization: '', 'x-goog-api-key': env.TIDEGATE_TOKEN }),
    ]) {
      expect(google.models?.map(({ name }) => name)).toEqual(TARGETS.map((id) => `models/${id}`));
    }
  });

  it('answer HEAD as they do GET', async () => {
    for (const [path, status] of [
      ['/v1/models', 200],
      [`/v1/models/${TARGETS[0]}`, 200],
      ['/v1beta/models', 200],
      ['/v1/models/nobody', 404],
      ['/v1/chat/completions', 405],
    ] as const) {
      const answer = await call(path, { method: 'HEAD' });
      expect([path, answer.status, answer.text]).toEqual([path, status, '']);
    }
  });

  it('are there one by one', async () => {
    for (const id of [TARGETS[0]!, encodeURIComponent(TARGETS[0]!)]) {
      expect(await list(`/v1/models/${id}`)).toMatchObject({ id: TARGETS[0], object: 'model' });
    }
    const unknown = await call('/v1/models/nobody');
    expect(unknown.status).toBe(404);
    expect(errorOf(unknown).code).toBe('invalid_request');
  });
});

describe('the other routes', () => {
  it('lives, and is ready without asking a provider', async () => {
    const anonymous = { headers: { authorization: '' } };
    expect(await call('/livez', anonymous)).toMatchObject({ status: 200, text: '{"status":"live"}' });
    expect(await call('/readyz', anonymous)).toMatchObject({ status: 200, text: '{"status":"ready"}' });
    expect(await journal()).toEqual([]);
  });

  it.each(['/', '/v2/models', '/v1', '/livez/x', '/openapi_json', '/chat/completions'])(
    'answers 404 at %s',
    async (path) => {
      const answer = await call(path);
      expect(answer.status).toBe(path === '/v1' ? 501 : 404);
      expect(errorOf(answer).type).toBe('invalid_request_error');
    },
  );

  it.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['PUT', '/v1/responses', 'POST'],
    ['GET', '/v1/embeddings', 'POST'],
    ['DELETE', '/v1/models', 'GET'],
    ['POST', '/v1/models/x', 'GET'],
    ['POST', '/livez', 'GET'],
    ['PUT', '/readyz', 'GET'],
  ])('answers 405 to %s %s', async (method, path, allowed) => {
    const answer = await call(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allowed);
    expect(errorOf(answer)).toMatchObject({ code: 'invalid_request', message: `This endpoint takes ${allowed}.` });
  });

  it.each([
    '/v1/files',
    '/v1/completions',
    '/v1/responses/resp_1',
    '/openai/v1/audio/speech',
    '/v1/chat/completions/x',
  ])('answers 501 at %s', async (path) => {
    const answer = await call(path, { method: 'POST' });
    expect(answer.status).toBe(501);
    expect(errorOf(answer).code).toBe('unsupported_endpoint');
  });
});

describe('the token', () => {
  it.each([
    ['none', ''],
    ['another', 'Bearer another'],
    ['a prefix', `Bearer ${env.TIDEGATE_TOKEN.slice(0, -1)}`],
    ['one more letter', `Bearer ${env.TIDEGATE_TOKEN}x`],
    ['another scheme', `Basic ${env.TIDEGATE_TOKEN}`],
    ['a scheme that ends so', `Forbearer ${env.TIDEGATE_TOKEN}`],
    ['something behind it', `Bearer ${env.TIDEGATE_TOKEN} x`],
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

  const places = (token: string): [string, string, Record<string, string>][] => [
    ['bearer token', '', { authorization: `bearer ${token}` }],
    ['x-api-key', '', { 'x-api-key': token }],
    ['x-goog-api-key', '', { 'x-goog-api-key': token }],
    ['key in the address', `&key=${token}`, {}],
  ];

  it.each(places(env.TIDEGATE_TOKEN))('is taken as %s, and goes nowhere', async (_, query, headers) => {
    const init = { method: 'POST', headers: { authorization: '', ...headers } };
    const body = JSON.stringify({ messages: [{ role: 'user', content: question() }] });
    const answer = await call(`/v1/chat/completions?beta=true${query}`, { ...init, body });
    expect(answer.status).toBe(200);
    expect(JSON.stringify([await journal(), answer.text, [...answer.headers]])).not.toContain(env.TIDEGATE_TOKEN);
  });

  it.each(places('another'))('is not another one as %s', async (_, query, headers) => {
    const refused = await call(`/v1/models?a=b${query}`, { headers: { authorization: '', ...headers } });
    expect(refused.status).toBe(401);
    // But one that is right is enough: some clients send a key of their own beside it.
    const right = query || `&key=${env.TIDEGATE_TOKEN}`;
    expect((await call(`/v1/models?a=b${right}`, { headers })).status).toBe(200);
  });

  it('is found beside a longer one that is wrong', async () => {
    const headers = { authorization: `Bearer ${'x'.repeat(200)}`, 'x-api-key': env.TIDEGATE_TOKEN };
    expect((await call('/v1/models', { headers })).status).toBe(200);
  });

  it('is checked before the body is read', async () => {
    const answer = await post('{', { authorization: 'Bearer another' });
    expect(answer.status).toBe(401);
  });
});

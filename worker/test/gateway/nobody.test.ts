// Who is nobody we know costs nothing but a look at what they send; and what the document says of answers is true.

import { env } from 'cloudflare:workers';
import { beforeEach, expect, it, vi } from 'vitest';

import type { Env } from '../../src/env';
import { forget } from '../../src/organisation/standing';
import { newSession } from '../../src/session/token';
import { calm, call } from '../client';
import { idp } from '../idp';
import { made, organised } from '../organisations';
import { calling } from '../started';

interface Operation {
  parameters: { name: string; in: string; schema: { enum?: string[] } }[];
  requestBody?: { content: Record<string, { schema: Body }> };
  responses: Record<string, { content: Record<string, unknown> }>;
  security: unknown[];
}
interface Body {
  properties?: Record<string, unknown>;
  required?: string[];
  additionalProperties?: boolean;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

beforeEach(async () => {
  await calm();
  await forget('acme');
  await organised('acme', ['pro']);
});

async function operations(): Promise<{ method: string; path: string; operation: Operation }[]> {
  const { paths } = JSON.parse((await call('/openapi.json')).text) as {
    paths: Record<string, Record<string, Operation>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

it('no object is asked for who sends no token, or what can be none; one is for what may be a token', async () => {
  const asked: string[] = [];
  const names = ['DIRECTORY', 'FIGURES', 'ORGANISATION', 'REQUEST_QUEUE', 'TENANT_LEDGER'] as const;
  const watched = names.map((name) => {
    const get = (id: DurableObjectId) => {
      asked.push(name);
      return (env[name] as DurableObjectNamespace).get(id);
    };
    return [name, { idFromName: (id: string) => env[name].idFromName(id), get }];
  });
  const session = { jwt: true, cookie: '__Host-session' };
  const send = calling({
    ...Object.fromEntries(watched),
    ...{ TIDEGATE_AUTH: { session }, TIDEGATE_SESSION_KEY: 'k'.repeat(32) },
  });
  const none = [
    {},
    bearer('made-up'),
    bearer('eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.'),
    bearer('tg_session_a.b.c'),
    bearer(`tg_live_${'a'.repeat(58)}`),
    { cookie: '__Host-session=x.y.z', 'sec-fetch-site': 'same-origin' },
  ] as Record<string, string>[];
  const odd = ['/', '/v1', '//v1/models', '/v1//models', '/V1/models', '/v1/%2e%2e/api/ai/status', '/api%2Fai/status'];
  const all = (await operations()).filter(({ path }) => !/^\/(readyz|health)$/.test(path));
  for (const { method, path, body } of [
    ...all.map(({ method, path, operation }) => ({ method, path, body: operation.requestBody ? '{}' : null })),
    ...odd.flatMap((path) => ['GET', 'POST'].map((method) => ({ method, path, body: null }))),
  ]) {
    for (const headers of none) {
      for (const upgrade of [{}, { upgrade: 'websocket' }] as Record<string, string>[]) {
        await send(path.replace(/\{\w+\}/g, 'x'), { method, headers: { ...headers, ...upgrade }, body });
        expect(asked, `${method} ${path} ${JSON.stringify(headers)}`).toEqual([]);
      }
    }
  }
  const { status } = await send('/v1/models', { headers: bearer(`tg_live_${'a'.repeat(59)}`) });
  expect([status, asked]).toEqual([401, ['ORGANISATION']]);
});

it('every answer has a status and a type that the document says, and is neither kept nor guessed at', async () => {
  const admin = (await made('acme', { scopes: ['chat', 'admin', 'metrics'], user: 'ann' })).token;
  const chat = (await made('acme')).token;
  const { issuer, jwks, sign, publish } = await idp('fails', env.STAND_IN);
  const send = calling({ TIDEGATE_AUTH: { issuers: [{ issuer, jwks, audience: 'tidegate', organisation: 'acme' }] } });
  await publish({ status: 500, body: 'x' });
  vi.spyOn(console, 'error').mockReturnValue();
  const tokens = [admin, chat, env.TIDEGATE_TOKEN, await sign(), ''];
  const queries = [
    ['x', ''],
    ['%20', 'organisation=%20&limit=x&after=-1&shard=99&requestId=x'],
    ['x', `organisation=other&limit=1&shard=0&requestId=rq_${'0'.repeat(44)}`],
  ] as const;
  const seen = new Set<string>();
  /** What is not as it is said, with a request that shows it. */
  const wrong = new Map<string, string>();
  for (const { method, path, operation } of await operations()) {
    const check = async (token: string, [id, query]: readonly [string, string], body: string | null) => {
      const headers: Record<string, string> = token === '' ? {} : bearer(token);
      const read = (part: string) => operation.parameters.some(({ name }) => part.startsWith(`${name}=`));
      const parts = query.split('&').filter((part) => part.startsWith('organisation=') || read(part));
      const address = `${path.replace('{kind}', 'ip').replace(/\{\w+\}/g, id)}?${parts.join('&')}`;
      // An answer without an end is told by its head.
      const answer = await send(address, { method: query.includes('=events') ? 'HEAD' : method, headers, body });
      const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
      const kept = [answer.headers.get('x-content-type-options'), answer.headers.get('cache-control')].join();
      const types = Object.keys(operation.responses[answer.status]?.content ?? {});
      if (!types.includes(type) || kept !== 'nosniff,no-store')
        wrong.set(`${method} ${path} ${answer.status} ${type} ${kept}`, `${address} ${body?.slice(0, 20)}`);
      seen.add(`${method} ${path} ${answer.status}`);
    };
    const body = operation.requestBody ? '{}' : null;
    const actions = operation.parameters.find(({ name }) => name === 'action')?.schema.enum ?? [];
    const all = queries.flatMap(([id, query]) =>
      ['', ...actions.map((action) => `action=${action}&`), ...(actions.length > 0 ? ['action=none&'] : [])].map(
        (action) => [id, action + query] as const,
      ),
    );
    for (const token of tokens) for (const query of all) await check(token, query, body);
    if (body === null) continue;
    for (const other of ['', '{', '[]', '{"kind":"ip"}', 'x'.repeat(70_000)]) await check(admin, queries[0], other);
  }
  vi.restoreAllMocks();
  expect([...wrong]).toEqual([]);
  expect(seen.size).toBeGreaterThan(100);
  expect([...seen].filter((one) => one.endsWith(' 503')).length).toBeGreaterThan(10);
}, 120_000);

it('what the document says of bodies is what is read: each field that it has, and no other', async () => {
  const bodies = (await operations()).flatMap(({ method, path, operation }) => {
    const body = operation.requestBody?.content['application/json']?.schema;
    return body?.additionalProperties === false ? [{ method, path, body }] : [];
  });
  expect(bodies.length).toBeGreaterThan(4);
  const send = calling({ TIDEGATE_AUTH: { session: { jwt: true } }, TIDEGATE_SESSION_KEY: 'k'.repeat(32) });
  for (const { method, path, body } of bodies) {
    const { properties = {}, required = [] } = body;
    const problems = async (given: object) => {
      const address = path.replace(/\{\w+\}/g, 'x');
      const answer = await send(address, { method, headers: bearer(env.TIDEGATE_TOKEN), body: JSON.stringify(given) });
      const { error } = JSON.parse(answer.text) as {
        error: { tidegate: { fields?: { path: string; problem: string }[] } };
      };
      return error.tidegate.fields ?? [];
    };
    const wrong = Object.fromEntries(Object.keys(properties).map((name) => [name, null]));
    const told = await problems({ ...wrong, other: 1 });
    expect(told.map((one) => one.path).sort(), path).toEqual([...Object.keys(properties), 'other'].sort());
    const unknown = told.filter(({ problem }) => problem.startsWith('is not a known field'));
    expect(
      unknown.map((one) => one.path),
      path,
    ).toEqual(['other']);
    const missing = (await problems({ other: 1 })).map((one) => one.path);
    expect(missing.sort(), path).toEqual([...required, 'other'].sort());
  }
});

it('what the document says of queries is what is read: a misspelt one is not passed over', async () => {
  const own = (await operations()).filter(
    ({ path, operation }) => /^\/(api|metrics)/.test(path) && operation.security.length > 0,
  );
  expect(own.length).toBeGreaterThan(15);
  const headers = bearer(env.TIDEGATE_TOKEN);
  const send = calling({});
  for (const { method, path, operation } of own) {
    const ask = async (query: string) => {
      const answer = await send(`${path.replace(/\{\w+\}/g, 'x')}?${query}`, { method, headers });
      const { error } = JSON.parse(answer.text || '{}') as { error?: { param?: string | null } };
      return [answer.status, error?.param ?? null];
    };
    const [status, param] = await ask('organization=acme');
    expect([status, param], `${method} ${path}`).toEqual([400, 'organization']);
    // About another organisation are those alone that say so.
    if (operation.parameters.some(({ name }) => name === 'organisation')) continue;
    expect(await ask('organisation=acme'), `${method} ${path}`).toEqual([400, 'organisation']);
  }
  expect((await call('/api/ai/usage?organisation=default')).status).toBe(200);
  expect((await call(`/api/ai/usage?key=${encodeURIComponent(env.TIDEGATE_TOKEN ?? '')}`)).status).toBe(200);
});

it('a session’s token may chat in its own organisation: nothing else, nowhere else, and not after its end', async () => {
  const TIDEGATE_SESSION_KEY = 'k'.repeat(32);
  const send = calling({ TIDEGATE_AUTH: { session: { jwt: true } }, TIDEGATE_SESSION_KEY });
  const session = (organisation: string, seconds: number, key = TIDEGATE_SESSION_KEY) =>
    newSession({ organisation, user: 'ann', tier: 'pro', scopes: ['chat'] }, seconds, {
      ...env,
      TIDEGATE_SESSION_KEY: key,
    } as unknown as Env);
  const [own, others] = [await session('acme', 300), await session('other', 300)];
  const none = [await session('acme', -31), await session('acme', 300, 'x'.repeat(32)), own.slice(0, -2), `${own}.x`];
  const chat = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 });
  const closed = (await operations()).filter(({ operation }) => operation.security.length > 0);
  const may = new Set(['/api/ai/status', '/api/ai/usage', '/api/ai/queue']);
  const got = new Map<string, number>();
  for (const { method, path, operation } of closed) {
    const ask = async (token: string, query = '', more: Record<string, string> = {}) => {
      const body = operation.requestBody ? (path.startsWith('/api/admin') ? '{}' : chat) : null;
      const address = `${path.replace('{kind}', 'ip').replace(/\{\w+\}/g, 'x')}?${query}`;
      const answer = await send(address, { method, headers: { ...bearer(token), ...more }, body });
      return { status: answer.status, origin: answer.headers.get('access-control-allow-origin') };
    };
    const what = `${method} ${path}`;
    for (const token of none) expect((await ask(token)).status, what).toBe(401);
    const { status } = await ask(own);
    got.set(what, status);
    const ours = path.startsWith('/api/') || path === '/metrics';
    if (ours && !may.has(path)) expect(status, what).toBe(403);
    else expect([401, 403, 500], what).not.toContain(status);
    // Of another organisation it is none, whatever it asks for.
    if (ours) expect((await ask(others, 'organisation=acme')).status, what).toBe(403);
    // It is bound to no origin: which pages may read answers is said by ALLOWED_ORIGINS.
    const elsewhere = await ask(own, '', { origin: 'https://evil.example' });
    expect([elsewhere.status, elsewhere.origin], what).toEqual([status, null]);
    expect((await ask(own, '', { origin: 'https://app.example' })).origin, what).toBe('https://app.example');
  }
  expect(got.size).toBeGreaterThan(20);
  expect(got.get('POST /v1/chat/completions')).toBe(200);
  expect(got.get('GET /api/ai/status')).toBe(200);
}, 60_000);

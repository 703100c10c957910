import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { figuresOf, told } from '../../src/figures/counted';
import { forget, organisationOf } from '../../src/organisation/standing';
import { ask, calm, call, contentOf, type Answer } from '../client';
import { made, organised, send } from '../organisations';
import { calling } from '../started';

interface Operation {
  parameters?: { name: string; in: string; schema: { enum?: string[] } }[];
  requestBody?: unknown;
  security: unknown[];
}

/** What the document says of a request to a model. */
interface Documented {
  parameters: { name?: string }[];
  requestBody?: { required: boolean };
  responses: Record<string, { headers: object }>;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = (answer: Answer) => JSON.parse(answer.text) as Record<string, unknown>;
const outside = calling({ TIDEGATE_MASTER_KEY: btoa('m'.repeat(32)) });

/** Every route that the Worker says it has: one that is added is tried, too. */
async function operations(): Promise<{ method: string; path: string; operation: Operation }[]> {
  const { paths } = json(await call('/openapi.json')) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** What acme has, by words that stand nowhere else. */
const MARKS = { user: 'ann-of-acme', note: 'note-of-acme', ip: '198.51.100.77', said: 'what acme asked in confidence' };

let acme: { token: string; id: string };
let mallory: string;
let requestId: string;

beforeEach(async () => {
  for (const organisation of ['acme', 'other']) await told(organisation);
  await calm();
  for (const organisation of ['acme', 'other']) {
    await forget(organisation);
    await organised(organisation, ['pro']);
  }
  acme = await made('acme', { user: MARKS.user, note: MARKS.note, scopes: ['chat', 'admin'] });
  mallory = (await made('other', { scopes: ['chat', 'admin', 'metrics'] })).token;
  await send('POST', '/api/admin/blocks?organisation=acme', { kind: 'ip', value: MARKS.ip });
  await outside('/api/admin/keys/groq', {
    ...{ method: 'PUT', headers: bearer(acme.token) },
    body: JSON.stringify({ key: `gsk_${'Zz9yX8wV'.repeat(7).slice(0, 52)}` }),
  });
  const answer = await outside('/v1/chat/completions', {
    ...{ method: 'POST', headers: bearer(acme.token) },
    body: JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: MARKS.said }] }),
  });
  expect(answer.status).toBe(200);
  requestId = answer.headers.get('x-request-id') ?? '';
  await told('acme');
});

/** All that is kept of acme. */
async function kept() {
  const object = await organisationOf('acme', env);
  return {
    standing: await object.standing(),
    tokens: await object.listTokens(100, 0),
    usage: await (await figuresOf('acme', env)).usage(undefined, 100, 0),
  };
}

/** What the operation reads of a query: anything else would be all that it is refused for. */
const taken = ({ parameters = [] }: Operation, query: string) =>
  `?${query
    .split('&')
    .filter((part) => parameters.some(({ name }) => part.startsWith(`${name}=`)))
    .join('&')}`;

describe('another organisation’s token', () => {
  it('sees and changes nothing by any route, with any id', async () => {
    const before = await kept();
    expect(before.usage).toHaveLength(1);
    const ids = [acme.id, MARKS.user, MARKS.ip, 'acme', requestId, 'groq', 'ip'];
    const marks = [acme.id, requestId, ...Object.values(MARKS), acme.token, 'acme'];
    const all = await operations();
    expect(all.length).toBeGreaterThan(20);
    let tried = 0;
    for (const { method, path, operation } of all.filter((one) => one.operation.security.length > 0)) {
      const actions = operation.parameters?.find(({ name }) => name === 'action')?.schema.enum ?? [];
      for (const id of ids) {
        for (const query of [
          ...['', '?organisation=acme', taken(operation, `organisation=other&requestId=${id}&id=${MARKS.user}`)],
          // A stream of events has no end.
          ...actions.filter((action) => action !== 'events').map((action) => `?action=${action}&requestId=${id}`),
        ]) {
          const address = path.replace('{kind}', 'ip').replace(/\{\w+\}/g, encodeURIComponent(id)) + query;
          const body = operation.requestBody ? JSON.stringify({ kind: 'user', value: 'x', user: MARKS.user }) : null;
          const headers = { ...bearer(mallory), 'x-tidegate-tenant': 'acme', 'x-tidegate-namespace': 'acme' };
          const answer = await outside(address, { method, headers, body });
          const shown = [answer.text, ...[...answer.headers].map(([name, value]) => `${name}: ${value}`)].join('\n');
          // What the caller itself sent may be repeated to it, as its own.
          const foreign = marks.filter((mark) => !address.includes(encodeURIComponent(mark)) && mark !== MARKS.user);
          expect(
            foreign.filter((mark) => shown.includes(mark)),
            `${method} ${address}`,
          ).toEqual([]);
          if (query === '?organisation=acme' && /^\/(api|metrics)/.test(path)) {
            expect(answer.status, `${method} ${address}`).toBe(403);
          }
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(300);
    await told('other');
    await forget('acme');
    expect(await kept()).toEqual(before);
    expect((await outside('/api/ai/status', { headers: bearer(acme.token) })).status).toBe(200);
  }, 120_000);

  it('gets no answer from the cache of the first, whatever it says it is', async () => {
    const question = { max_tokens: 1000, messages: [{ role: 'user', content: MARKS.said }] };
    const of = (token: string, headers: Record<string, string> = {}) => ask(question, { ...bearer(token), ...headers });
    expect((await of(acme.token)).headers.get('x-tidegate-cache')).toBe('miss');
    expect((await of(acme.token)).headers.get('x-tidegate-cache')).toBe('hit');
    for (const headers of <Record<string, string>[]>[
      {},
      { 'x-tidegate-tenant': 'acme' },
      { 'x-request-id': requestId },
    ]) {
      const answer = await of(mallory, { ...headers, 'x-tidegate-namespace': JSON.stringify(headers) });
      expect(answer.headers.get('x-tidegate-cache')).toBe('miss');
      expect(contentOf(answer)).toContain('heard');
    }
    expect((await of(env.TIDEGATE_TOKEN)).headers.get('x-tidegate-cache')).toBe('miss');
  });

  it('spends its own money, and none of the other’s', async () => {
    const spent = async (token: string) => {
      const status = await call('/api/ai/status', { headers: bearer(token) });
      return (json(status).budget as { spentNanoUsd: number }).spentNanoUsd;
    };
    const before = await spent(acme.token);
    expect(await spent(mallory)).toBe(0);
    await ask({}, bearer(mallory));
    expect(await spent(mallory)).toBe(2_250);
    expect(await spent(acme.token)).toBe(before);
  });

  it('may name its users and requests as the other does: they are its own', async () => {
    const all = ['chat', 'admin', 'metrics'];
    const tokens: Record<string, string> = {};
    for (const organisation of ['acme', 'other']) {
      tokens[organisation] = (await made(organisation, { user: MARKS.user, scopes: all })).token;
    }
    const of = (organisation: string) => bearer(tokens[organisation] ?? '');
    const usage = async (organisation: string, path: string) =>
      (json(await call(path, { headers: of(organisation) })) as { usage: { requests: number }[] }).usage;
    const before = (await usage('acme', '/api/ai/usage'))[0]?.requests ?? 0;
    const same = { messages: [{ role: 'user', content: 'the same words' }] };
    const named = { 'x-request-id': 'the-same-id', 'idempotency-key': 'the-same-key' };
    for (const organisation of ['acme', 'other']) {
      const answer = await ask(same, { ...of(organisation), ...named });
      expect([answer.status, answer.headers.get('x-tidegate-cache')]).toEqual([200, 'miss']);
      expect(answer.headers.get('x-request-id')).toBe('the-same-id');
    }
    for (const path of ['/api/ai/usage', '/api/ai/export']) {
      expect((await usage('other', path)).map(({ requests }) => requests)).toEqual([1]);
      expect((await usage('acme', path)).map(({ requests }) => requests)).toEqual([before + 1]);
    }
    const counted = async (organisation: string) =>
      /tidegate_requests_total\{[^}]*outcome="ok"\} (\d+)/.exec(
        (await call('/metrics', { headers: of(organisation) })).text,
      )?.[1];
    expect(await counted('other')).toBe('1');
    const acmes = await counted('acme');
    expect((await call(`/api/ai/users/${MARKS.user}`, { method: 'DELETE', headers: of('other') })).status).toBe(200);
    expect((await usage('acme', '/api/ai/usage'))[0]?.requests).toBe(before + 1);
    expect(await counted('acme')).toBe(acmes);
  });
});

describe('without a token', () => {
  it('every route but those for anybody is closed', async () => {
    for (const { method, path, operation } of await operations()) {
      const address = path.replace(/\{\w+\}/g, 'x');
      const body = operation.requestBody ? '{}' : null;
      const { status } = await outside(address, { method, body });
      if (operation.security.length > 0) expect([401], `${method} ${path}`).toContain(status);
      else expect([200, 404, 503], `${method} ${path}`).toContain(status);
    }
  });
});

/** What providers have to be posted to. */
const CALLS = [
  ...['/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/messages', '/v1/completions', '/v1/files'],
  ...['/v1/audio/speech', '/v1/images/generations', '/v1/moderations', '/v1/batches', '/v1/messages/count_tokens'],
  ...['generateContent', 'streamGenerateContent', 'embedContent', 'batchEmbedContents', 'countTokens'].map(
    (action) => `/v1beta/models/{model}:${action}`,
  ),
];

describe('the OpenAPI document', () => {
  it('has what the gateway serves, and only that', async () => {
    const { asked, load } = await import('../../src/wasm');
    const { SERVED } = await import('../../src/routes/openapi');
    load();
    const servedAs = (method: string, path: string) => (asked(method, path, []) as string[])[2];
    for (const [method, path, , query] of SERVED) {
      const alt = query ? '?alt=sse' : '';
      expect(servedAs(method, path.replace('{model}', 'm') + alt), path).toBe(method);
    }
    // Whatever a client may call that is served, by the names of its provider's own document.
    for (const path of CALLS) {
      const known = SERVED.some((one) => one[1] === path);
      expect([path, servedAs('POST', `${path.replace('{model}', 'm')}?alt=sse`) === 'POST']).toEqual([path, known]);
    }
    const all = await operations();
    for (const [method, path] of SERVED)
      expect(all.some((one) => one.method === method && one.path === path)).toBe(true);
    // Each says which headers it takes.
    const { components } = json(await call('/openapi.json')) as { components: { parameters: object } };
    const taken = Object.keys(components.parameters).map((name) => ({ $ref: `#/components/parameters/${name}` }));
    expect(taken.map(({ $ref }) => $ref.split('/').at(-1))).toEqual(['x-request-id', 'traceparent']);
    for (const { operation } of all) expect(operation.parameters).toEqual(expect.arrayContaining(taken));
  });

  it('names what requests to models may ask by headers, and what every answer says in them', async () => {
    const { paths } = json(await call('/openapi.json')) as { paths: Record<string, Record<string, Documented>> };
    const chat = paths['/v1/chat/completions']?.post;
    const asks = chat?.parameters.flatMap(({ name }) => name ?? []);
    expect(asks).toEqual(['cache', 'cache-ttl-ms', 'namespace', 'trailer'].map((name) => `x-tidegate-${name}`));
    expect(paths['/api/ai/queue']?.post?.parameters.some(({ name }) => name === 'idempotency-key')).toBe(true);
    expect(paths['/api/ai/queue']?.post?.requestBody?.required).toBe(false);
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'named' }] });
    const post = { method: 'POST', body };
    for (const init of [post, { method: 'PUT' }, { ...post, body: '{' }, { ...post, headers: { authorization: '' } }]) {
      const answer = await call('/v1/chat/completions', init);
      const named = Object.keys(chat?.responses[answer.status]?.headers ?? {});
      const said = [...answer.headers.keys()].filter((name) => /^(x-tidegate|allow|www-|x-request|trace)/.test(name));
      expect([answer.status, said.filter((name) => !named.includes(name))]).toEqual([answer.status, []]);
      expect(said.length).toBeGreaterThan(2);
    }
  });
});

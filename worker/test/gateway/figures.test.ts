import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { counted, figuresOf, told } from '../../src/figures/counted';
import { TidegateError } from '../../../pkg/src/errors';
import { shownUser } from '../../src/log';
import { Notes } from '../../src/notes';
import { forget } from '../../src/organisation/standing';
import { ask, begin, calm, call, journal, question, read, script, type Answer } from '../client';
import { made, organised } from '../organisations';
import { calling } from '../started';

beforeEach(async () => {
  for (const organisation of ['acme', 'other', 'default']) await told(organisation);
  await calm();
  for (const organisation of ['acme', 'other']) {
    await forget(organisation);
    await organised(organisation, ['pro']);
  }
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = (answer: Answer) => JSON.parse(answer.text) as Record<string, never>;
const sample = (text: string, name: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? 0,
  );

describe('figures', () => {
  it('count what an organisation did, and show it to nobody else', async () => {
    const { token } = await made('acme', { user: 'ann', scopes: ['chat', 'metrics'] });
    const { token: other } = await made('other', { user: 'ann', scopes: ['chat', 'admin'] });
    await ask({}, bearer(token));
    await read(await begin({}, bearer(token)));
    await ask({ messages: 7 }, bearer(token));
    const own = (await call('/metrics', { headers: bearer(token) })).text;
    expect(sample(own, 'tidegate_requests_total{dialect="chat",outcome="ok"}')).toBe(2);
    expect(sample(own, 'tidegate_requests_total{dialect="chat",outcome="invalid_request"}')).toBe(1);
    expect(sample(own, 'tidegate_tokens_total{kind="output"}')).toBe(10);
    expect(sample(own, 'tidegate_cost_nano_usd_total')).toBe(4_500);
    expect(sample(own, 'tidegate_request_duration_seconds_count')).toBe(3);
    expect(sample(own, 'tidegate_time_to_first_token_seconds_bucket{le="600"}')).toBe(2);
    expect(sample(own, 'tidegate_budget_nano_usd{kind="spent"}')).toBe(4_500);
    expect(own).toContain('tidegate_breaker_state{target="groq/openai/gpt-oss-20b",state="closed"} 1');
    expect(own).not.toContain('ann');
    const theirs = (await call('/metrics', { headers: bearer(other) })).text;
    expect(theirs).not.toContain('tidegate_requests_total');
    expect(sample(theirs, 'tidegate_budget_nano_usd{kind="spent"}')).toBe(0);
    expect((await call('/metrics?organisation=acme', { headers: bearer(other) })).status).toBe(403);
    // All together, for the operator.
    await ask({}, bearer(other));
    await told('other');
    const all = (await call('/metrics')).text;
    expect(sample(all, 'tidegate_requests_total{dialect="chat",outcome="ok"}')).toBe(3);
  });

  it('are told by the next request if the one that waited to tell them was ended', async () => {
    const asked = () =>
      counted({ organisation: 'ended', tier: 'pro' }, { dialect: 'chat', code: 'ok', totalMs: 1 }, env);
    // Its timer never rings.
    const timer = vi.spyOn(globalThis, 'setTimeout').mockReturnValue(0 as never);
    asked();
    asked();
    expect(timer).toHaveBeenCalledOnce();
    vi.restoreAllMocks();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 11_000);
    asked();
    clock.mockRestore();
    const own = await figuresOf('ended', env);
    const name = 'tidegate_requests_total{dialect="chat",outcome="ok"}';
    await vi.waitUntil(async () => (await own.counters())[name] === 3, { timeout: 10_000 });
  });

  it('that cannot be told fail nobody, and are named nowhere', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const FIGURES = { idFromName: () => '', get: () => ({ add: () => Promise.reject(new RangeError('of lost')) }) };
    counted({ organisation: 'lost', user: 'ann', tier: 'pro' }, { dialect: 'chat', code: 'ok', totalMs: 1 }, {
      ...env,
      FIGURES,
    } as unknown as typeof env);
    await told('lost');
    expect(log.mock.calls).toEqual([['figures: not told:', 'RangeError']]);
    vi.restoreAllMocks();
  });

  it('by day are found without a look at every row', async () => {
    counted({ organisation: 'plans', tier: 'pro' }, { dialect: 'chat', code: 'ok', totalMs: 1 }, env);
    await told('plans');
    await runInDurableObject(await figuresOf('plans', env), (_, { storage: { sql } }) => {
      for (const query of [
        'DELETE FROM usage WHERE day < 1',
        'SELECT * FROM usage ORDER BY day DESC, user LIMIT 5 OFFSET 5',
        "SELECT * FROM usage WHERE user = 'ann' ORDER BY day DESC LIMIT 5",
      ]) {
        const plan = sql.exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`).toArray();
        const steps = plan.map(({ detail }) => detail).join('; ');
        expect(steps).not.toMatch(/TEMP B-TREE|SCAN usage(?! USING (COVERING )?INDEX usage_by_day)/);
      }
    });
  });

  it('have no label that a name of the configuration could end', async () => {
    await forget('labels');
    await organised('labels', ['pro']);
    const { token } = await made('labels', { scopes: ['metrics'] });
    const targets = [{ provider: 'groq', model: 'a"} 1 evil{b="\\' }];
    const { status, text } = await calling({ TIDEGATE_CONFIG: { targets } })('/metrics', { headers: bearer(token) });
    expect(status).toBe(200);
    expect(text).toContain('tidegate_breaker_state{target="groq/a');
    expect(text.split('\n').filter((line) => !/^(#.*|\w+(\{(\w+="[^"\\]*",?)+\})? [\d.]+|)$/.test(line))).toEqual([]);
  });

  it('of usage are the caller’s own, the organisation’s for its admins, and can be erased', async () => {
    const { token: ann } = await made('acme', { user: 'ann' });
    const { token: bob } = await made('acme', { user: 'bob' });
    const { token: admin } = await made('acme', { scopes: ['admin'] });
    const { token: other } = await made('other', { user: 'ann', scopes: ['chat', 'admin'] });
    await ask({}, bearer(ann));
    await ask({}, bearer(ann));
    await ask({}, bearer(bob));
    const day = new Date().toISOString().slice(0, 10);
    const figures = { inputTokens: 20, outputTokens: 10, costNanoUsd: 4_500, requests: 2 };
    expect(json(await call('/api/ai/usage', { headers: bearer(ann) }))).toEqual({
      usage: [{ day, user: 'ann', ...figures }],
    });
    expect(json(await call('/api/ai/usage', { headers: bearer(other) }))).toEqual({ usage: [] });
    expect((await call('/api/ai/export', { headers: bearer(ann) })).status).toBe(403);
    expect(json(await call('/api/ai/export', { headers: bearer(admin) })).usage).toMatchObject([
      { user: 'ann' },
      { user: 'bob' },
    ]);
    expect(json(await call('/api/ai/export?limit=1', { headers: bearer(admin) }))).toMatchObject({ after: 1 });
    expect(json(await call('/api/ai/export', { headers: bearer(other) })).usage).toEqual([]);
    // An admin of another organisation erases nothing of it.
    await call('/api/ai/users/ann', { method: 'DELETE', headers: bearer(other) });
    expect(json(await call('/api/ai/export', { headers: bearer(admin) })).usage).toHaveLength(2);
    const erased = await call('/api/ai/users/ann', { method: 'DELETE', headers: bearer(admin) });
    expect(json(erased)).toEqual({ user: 'ann', erased: { days: 1, tokens: 1, queued: 0 } });
    const left = await call('/api/ai/export', { headers: bearer(admin) });
    expect(left.text).not.toContain('ann');
    expect(json(left).usage).toMatchObject([{ user: '', ...figures }, { user: 'bob' }]);
    expect((await ask({}, bearer(ann))).status).toBe(401);
  });
});

describe('what is kept of figures', () => {
  const usage = (user: string, requests = 1) => ({ user, requests, inputTokens: 1, outputTokens: 1, costNanoUsd: 1 });

  it('is as many counters as there may be, and no day older than it says', async () => {
    const object = await figuresOf('many', env);
    await object.add(Object.fromEntries(Array.from({ length: 2_100 }, (_, index) => [`c${index}`, 1])), []);
    await object.add({ c1: 1, c2099: 1, more: 1 }, [usage('ann')]);
    const counters = await object.counters();
    expect([Object.keys(counters).length, counters.c1, counters.c2099, counters.more]).toEqual([
      2_000,
      2,
      ...[undefined, undefined],
    ]);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 92 * 86_400_000);
    await object.add({}, [usage('bob')]);
    expect((await object.usage(undefined, 9, 0)).map(({ user }) => user)).toEqual(['bob', 'ann']);
    clock.mockReturnValue(Date.now() + 86_400_000);
    await object.add({}, [usage('cid')]);
    expect((await object.usage(undefined, 9, 0)).map(({ user }) => user)).toEqual(['cid', 'bob']);
    clock.mockRestore();
  });

  it('is nobody’s once, and stays so', async () => {
    const object = await figuresOf('nobodys', env);
    await object.add({}, [usage('', 3), usage('ann', 4)]);
    expect([await object.eraseUser(''), await object.eraseUser('ann'), await object.eraseUser('ann')]).toEqual([
      0, 1, 0,
    ]);
    expect(await object.usage(undefined, 9, 0)).toMatchObject([{ user: '', requests: 7 }]);
  });

  it('is shown to a caller without a user as nobody’s, not as everybody’s', async () => {
    const { token } = await made('acme');
    await ask({}, bearer((await made('acme', { user: 'ann' })).token));
    await ask({}, bearer(token));
    expect(json(await call('/api/ai/usage', { headers: bearer(token) })).usage).toMatchObject([
      { user: '', requests: 1 },
    ]);
  });

  it('has what failed attempts cost, once for each request', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const notes = new Notes(undefined, 'chat', { ...env, TIDEGATE_LOG: 'all' });
    notes.caller = { organisation: 'failing', tier: 'pro', user: 'ann' };
    const data = { code: 'timeout', message: 'x', status: 504, shouldRetry: false, attempts: [], costNanoUsd: 7 };
    for (let times = 0; times < 2; times += 1) await notes.failed(new TidegateError(data));
    await told('failing');
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
    const own = await (await figuresOf('failing', env)).usage(undefined, 9, 0);
    expect(own).toMatchObject([{ user: 'ann', requests: 1, costNanoUsd: 7 }]);
  });
});

describe('status', () => {
  it('says who the caller is and how models stand; the budget is for admins', async () => {
    const { token } = await made('acme', { user: 'ann' });
    await ask({}, bearer(token));
    const own = json(await call('/api/ai/status', { headers: bearer(token) }));
    expect(own).toMatchObject({
      caller: { organisation: 'acme', user: 'ann', tier: 'pro', scopes: ['chat'] },
      models: [{ provider: 'groq', breaker: 'closed', keyed: true, priced: true }, { provider: 'openrouter' }],
    });
    expect(own.budget).toBeUndefined();
    expect(own.limits).toMatchObject({ budgets: [] });
    const { token: admin } = await made('acme', { scopes: ['chat', 'admin'] });
    expect(json(await call('/api/ai/status', { headers: bearer(admin) })).limits).toMatchObject({
      budgets: [{ of: 'organisation' }],
    });
    // Of the operator's own organisation, in which nobody asked anything.
    expect(json(await call('/api/ai/status'))).toMatchObject({ budget: { spentNanoUsd: 0 } });
    expect((await call('/api/ai/status', { headers: { authorization: '' } })).status).toBe(401);
  });
});

describe('logs', () => {
  it('are a line of JSON for each request, without content, tokens or names', async () => {
    const { token } = await made('acme', { user: 'ann-the-user' });
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    const send = calling({ TIDEGATE_LOG: 'all' });
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const secret = question();
    const headers = {
      ...bearer(token),
      traceparent: trace,
      'x-request-id': 'my-request-1',
      'cf-connecting-ip': '192.0.2.9',
    };
    const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: secret }] });
    await journal();
    const answer = await send('/v1/chat/completions', { method: 'POST', headers, body });
    const own = answer.headers.get('traceparent') ?? '';
    expect(own).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
    expect((await journal()).map(({ trace }) => trace)).toEqual([own]);
    // In two parts, so that no scanner takes it for one.
    const pasted = ['gsk_', 'k3JQ9vT2mXw8ZrB5nLc7YdH1pFs6GaE4uKqW0tVoRiNjMbCxPzDy'].join('');
    await send('/v1/chat/completions?key=wrong-key', { method: 'POST', headers: { 'x-request-id': pasted }, body });
    await vi.waitUntil(() => lines.length === 2);
    log.mockRestore();
    const [good, refused] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(good).toMatchObject({
      ...{ event: 'request', level: 'info', code: 'ok', organisation: 'acme', tier: 'pro', cache: 'miss' },
      ...{ trace: own, givenId: 'my-request-1', requestId: answer.headers.get('x-tidegate-request-id') },
    });
    expect(refused).toMatchObject({ level: 'warn', code: 'unauthorized', givenId: '[REDACTED:groq]' });
    for (const unwanted of [secret, token, 'ann-the-user', '192.0.2.9', 'wrong-key', pasted, env.GROQ_API_KEY]) {
      expect(lines.join('\n')).not.toContain(unwanted);
    }
    expect(answer.headers.get('x-request-id')).toBe('my-request-1');
  });

  it('tell of the Worker’s own routes who did what, not to whom or with what, and how it ended', async () => {
    const { token, id } = await made('acme', { user: 'ann-the-user', scopes: ['chat', 'admin'] });
    const lines: Record<string, unknown>[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)));
    const send = calling({ TIDEGATE_LOG: 'all' });
    const headers = { ...bearer(token), 'x-request-id': 'my-request-2' };
    const block = JSON.stringify({ kind: 'ip', value: '192.0.2.77', seconds: 60 });
    const done = await send('/api/admin/blocks', { method: 'POST', headers, body: block });
    await send('/api/ai/users/bob-of-acme', { method: 'DELETE', headers: bearer('made-up') });
    await send('/api/ai/export?organisation=other', { headers });
    await send('/livez');
    await send('/livez', { method: 'POST' });
    await send('/openapi.json');
    await send('/api/ai/export', { method: 'PUT', headers });
    await vi.waitUntil(() => lines.length >= 4);
    vi.restoreAllMocks();
    expect(lines.map(({ method, route, status, code }) => [method, route, status, code])).toEqual([
      ['POST', '/api/admin/blocks', done.status, 'ok'],
      ['DELETE', '/api/ai/users/:id', 401, 'unauthorized'],
      ['GET', '/api/ai/export', 403, 'forbidden'],
      ['PUT', '/api/ai/export', 405, 'invalid_request'],
    ]);
    expect(lines[0]).toMatchObject({
      ...{ event: 'request', level: 'info', organisation: 'acme', tier: 'pro', token: id, givenId: 'my-request-2' },
      ...{ requestId: done.headers.get('x-tidegate-request-id'), trace: done.headers.get('traceparent') },
    });
    expect(JSON.stringify(lines)).not.toMatch(/ann-the-user|bob-of-acme|192\.0\.2|made-up|tg_live/);
  });

  it('name a user otherwise in each organisation', async () => {
    expect(await shownUser('acme', 'ann')).toMatch(/^[0-9a-f]{16}$/);
    expect(await shownUser('acme', 'ann')).not.toBe(await shownUser('other', 'ann'));
  });

  it('are of failures alone if that is wanted', async () => {
    const lines: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    const send = calling({ TIDEGATE_LOG: 'errors' });
    const headers = bearer(env.TIDEGATE_TOKEN);
    const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: question() }] });
    expect((await send('/v1/chat/completions', { method: 'POST', headers, body })).status).toBe(200);
    expect((await send('/api/ai/status', { headers })).status).toBe(200);
    await send('/v1/chat/completions', { method: 'POST', headers, body: '{' });
    await vi.waitUntil(() => lines.length > 0);
    vi.restoreAllMocks();
    expect(lines.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual(['invalid_request']);
  });

  it.each([
    'x',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  ])('begin a trace in place of %j', async (traceparent) => {
    await journal();
    const answer = await ask({}, { traceparent });
    const own = answer.headers.get('traceparent') ?? '';
    expect(own).toMatch(/^00-(?!0af7651916cd43dd8448eb211c80319c)(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
    expect((await journal()).map(({ trace }) => trace)).toEqual([own]);
  });

  it('go on with a trace of a later version, with the flags that are known', async () => {
    const answer = await ask({}, { traceparent: '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-more' });
    expect(answer.headers.get('traceparent')).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-03$/);
  });

  it.each(['short', 'with blank inside', 'x'.repeat(129), 'quote"inside', 'Ünïcödé-id'])(
    'take no id such as %j',
    async (id) => {
      const answer = await call('/livez', {
        headers: { 'x-request-id': encodeURI(id).slice(0, 200) },
      });
      expect(answer.headers.get('x-request-id')).toMatch(/^tg-/);
    },
  );

  it('are bounded as everything else of a request is', async () => {
    const long = await call('/v1/models', { headers: { 'x-long': 'x'.repeat(33_000) } });
    expect([long.status, long.headers.get('x-request-id')]).toEqual([431, expect.stringMatching(/^tg-/)]);
    expect((await call(`/v1/models?${'x'.repeat(33_000)}`)).status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-many-${index}`, 'x']));
    expect((await call('/v1/models', { headers: many })).status).toBe(431);
    expect((await call('/v1/models', { headers: { 'x-long': 'x'.repeat(30_000) } })).status).toBe(200);
  });
});

describe('components', () => {
  const components = async (more: Record<string, unknown> = {}) =>
    (
      JSON.parse((await calling(more)('/api/ai/status', { headers: bearer(env.TIDEGATE_TOKEN ?? '') })).text) as {
        components: Record<string, string>;
      }
    ).components;

  it('say which part of an organisation’s gateway is off, wrong or resting', async () => {
    const session = { TIDEGATE_AUTH: { session: { cookie: '__Host-session' } } };
    expect(await components()).toEqual({
      ...{ gateway: 'ready', ledger: 'ready', targets: 'ready', queue: 'ready', sessions: 'off' },
    });
    expect(await components({ TIDEGATE_MASTER_KEY: '' })).toMatchObject({ queue: 'off' });
    expect(await components({ TIDEGATE_MASTER_KEY: 'short' })).toMatchObject({ queue: 'misconfigured' });
    expect(await components({ ...session, TIDEGATE_SESSION_KEY: 'short' })).toMatchObject({
      sessions: 'misconfigured',
    });
    expect(await components({ ...session, TIDEGATE_SESSION_KEY: 'k'.repeat(32) })).toMatchObject({ sessions: 'ready' });
    await script('groq', { status: 500, body: '{}' });
    await script('openrouter', { status: 500, body: '{}' });
    for (let index = 0; index < 4; index += 1) await ask();
    expect(await components()).toMatchObject({ targets: 'resting' });
  });
});

describe('readiness', () => {
  it('ends while every target rests', async () => {
    expect((await call('/health')).status).toBe(200);
    await script('groq', { status: 500, body: '{}' });
    await script('openrouter', { status: 500, body: '{}' });
    for (let index = 0; index < 4; index += 1) await ask();
    await vi.waitUntil(async () => (await call('/readyz')).status === 503, { timeout: 5_000 });
    expect((await call('/readyz')).text).toContain('targets: all of them rest');
    expect((await call('/livez')).status).toBe(200);
  });
});

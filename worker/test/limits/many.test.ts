import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { TidegateError } from '../../../pkg/src/errors';
import { gateOf } from '../../src/gates';
import { TenantLedger } from '../../src/ledger';
import { forget } from '../../src/organisation/standing';
import { ask, calm, call, errorOf, script, seen, until, type Answer } from '../client';
import { made, organised } from '../organisations';

beforeEach(calm);

/** As vitest.config.ts sets them: how many of 50 are admitted, and what says no to the others. */
const TIERS = [
  { tier: 'free', admits: 5, rate_limited: 45, budget_exceeded: 0, budget: {} },
  { tier: 'pro', admits: 12, rate_limited: 20, budget_exceeded: 18, budget: { of: 'token', per: 'week' } },
  { tier: 'enterprise', admits: 20, rate_limited: 0, budget_exceeded: 30, budget: { limitNanoUsd: 200_000_000 } },
] as const;
const STATUS = { rate_limited: 429, budget_exceeded: 402 } as const;
const ORGANISATIONS = 20;
const EACH = 50;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const rate = ({ headers }: Answer) =>
  ['limit', 'remaining', 'reset'].map((name) => Number(headers.get(`x-ratelimit-${name}`) ?? NaN));

async function caller(organisation: string, tier: string, more: Record<string, unknown> = {}) {
  await forget(organisation);
  await organised(organisation, [tier]);
  return bearer((await made(organisation, { tier, ...more })).token);
}

describe('1,000 different requests of 20 organisations at once', () => {
  it('are admitted exactly as each organisation’s tier and caps allow, while no answer has come', async () => {
    const callers = await Promise.all(
      Array.from({ length: ORGANISATIONS }, async (_, index) => {
        const limits = TIERS[index % TIERS.length]!;
        return { limits, headers: await caller(`org-${index}`, limits.tier), answers: [] as Answer[] };
      }),
    );
    await script('groq', { hold: true, outputTokens: 1000 });
    const all = callers.flatMap(({ headers, answers }) =>
      Array.from({ length: EACH }, async () => void answers.push(await ask({}, headers))),
    );
    const admitted = callers.reduce((sum, { limits }) => sum + limits.admits, 0);
    const over = () => callers.reduce((sum, { answers }) => sum + answers.length, 0);
    await until(() => over() >= ORGANISATIONS * EACH - admitted);
    // Only refusals so far: the others are held until every decision is in.
    for (const { limits, answers } of callers) expect(answers.length).toBe(EACH - limits.admits);
    await script('groq', { outputTokens: 1000 });
    await Promise.all(all);
    expect((await seen()).length).toBe(admitted);

    for (const { limits, answers } of callers) {
      const refused = answers.filter(({ status }) => status !== 200);
      expect([limits.tier, answers.length - refused.length]).toEqual([limits.tier, limits.admits]);
      for (const code of ['rate_limited', 'budget_exceeded'] as const) {
        const own = refused.filter((answer) => errorOf(answer).code === code);
        expect([limits.tier, code, own.length]).toEqual([limits.tier, code, limits[code]]);
        for (const answer of own) {
          expect(answer.status).toBe(STATUS[code]);
          if (code === 'budget_exceeded') expect(errorOf(answer).tidegate.budget).toMatchObject(limits.budget);
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
        }
      }
      for (const answer of answers) {
        const [limit, remaining, reset] = rate(answer);
        expect(limit).toBe({ free: 5, pro: 30, enterprise: 100 }[limits.tier]);
        expect(remaining).toBeLessThan(limit!);
        expect(reset).toBeGreaterThan(0);
      }
    }
  }, 120_000);
});

describe('a caller’s rate', () => {
  it('is told on answers, hits and errors alike, and counted once for each', async () => {
    const headers = await caller('told', 'enterprise');
    const left = async (answer: Promise<Answer>) => rate(await answer)[1];
    const body = { messages: [{ role: 'user', content: 'the same again' }] };
    expect(await left(ask(body, headers))).toBe(99);
    const hit = await ask(body, headers);
    expect([hit.headers.get('x-tidegate-cache'), rate(hit)[1]]).toEqual(['hit', 98]);
    const broken = await ask({ messages: 'none' }, headers);
    expect([broken.status, rate(broken)[1]]).toEqual([400, 97]);
    await script('groq', { status: 500 });
    const failed = await ask({}, headers);
    expect([failed.status, rate(failed)[1]], 'its retries are not requests').toEqual([502, 96]);
    await script('groq');
    expect(await left(ask({ stream: true }, headers))).toBe(95);
    // Listing models asks none: it is counted by its route.
    const models = await call('/v1/models', { headers });
    expect(rate(models).slice(0, 2)).toEqual([1_000_000, 999_999]);
  });

  it('is told and counted also where the Worker itself refuses, whatever for', async () => {
    const headers = await caller('early', 'enterprise', { scopes: ['chat', 'admin'] });
    const [chats, scrapes] = await Promise.all(
      ['chat', 'metrics'].map(async (scope) =>
        bearer((await made('early', { tier: 'enterprise', scopes: [scope] })).token),
      ),
    );
    const post = (path: string, body: string, more = {}) =>
      call(path, { method: 'POST', body, headers: { ...headers, ...more } });
    const huge = `"${'x'.repeat(11_000_000)}"`;
    const refused: [status: number, answering: Promise<Answer>, limit?: number][] = [
      [501, post('/v1/files', '{}')],
      [405, post('/v1/models', '{}')],
      [400, ask({}, { ...headers, 'x-tidegate-cache': 'perhaps' })],
      [413, post('/v1/chat/completions', huge)],
      [415, post('/v1/chat/completions', '{}', { 'content-type': 'multipart/form-data; boundary=x' })],
      [403, call('/api/ai/export?organisation=told', { headers })],
      [404, call('/api/ai/queue?action=status&requestId=none', { headers })],
      // Without the scope, too.
      [403, call('/metrics', { headers: chats }), 60],
      [403, call('/api/ai/export', { headers: chats })],
      [403, ask({}, scrapes)],
      [403, call('/api/ai/status', { headers: scrapes }), 300],
    ];
    for (const [status, answering, limit = 1_000_000] of refused) {
      const answer = await answering;
      expect([answer.status, rate(answer)[0]]).toEqual([status, limit]);
      // What is taken flows back within a millisecond: it was taken just now.
      expect(rate(answer)[1]).toBeLessThan(limit);
    }
  });

  it('that is used up is told in the place of what the Worker refuses, and no failure to count is', async () => {
    const headers = await caller('early', 'enterprise');
    const fails = (code: string, status: number) =>
      new TidegateError({ code, message: 'no', status, shouldRetry: false, attempts: [] });
    const { core } = gateOf('early', env);
    const enter = vi.spyOn(core, 'enter');
    for (const [failure, status] of [
      [fails('rate_limited', 429), 429],
      [fails('internal', 500), 501],
    ] as const) {
      enter.mockRejectedValueOnce(failure);
      expect((await call('/v1/files', { method: 'POST', body: '{}', headers })).status).toBe(status);
    }
    enter.mockRestore();
  });

  it('is one for all tokens of a user', async () => {
    const first = await caller('team', 'free', { user: 'ann' });
    const second = bearer((await made('team', { tier: 'free', user: 'ann' })).token);
    const other = bearer((await made('team', { tier: 'free', user: 'bob' })).token);
    const statuses = [];
    for (const headers of [first, second, first, second, first, second, other])
      statuses.push((await ask({}, headers)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 200]);
  });

  it('costs the object nothing where it is known to be used up', async () => {
    const headers = await caller('flooded', 'free');
    for (let sent = 0; sent < 5; sent += 1) expect((await ask({}, headers)).status).toBe(200);
    const first = await ask({}, headers);
    const decide = vi.spyOn(TenantLedger.prototype, 'decide');
    try {
      for (let sent = 0; sent < 20; sent += 1) {
        const answer = await ask({}, headers);
        expect([answer.status, errorOf(answer).code, rate(answer)[1]]).toEqual([429, 'rate_limited', 0]);
        expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(Number(first.headers.get('retry-after')));
      }
      expect(decide).not.toHaveBeenCalled();
      // Another caller's requests are its own.
      expect((await ask({}, await caller('flooded', 'free', { user: 'bob' }))).status).toBe(200);
      expect(decide).toHaveBeenCalled();
    } finally {
      decide.mockRestore();
    }
  });

  it('of hits, which are only counted, survives the object, too', async () => {
    const { evictAllDurableObjects } = await import('cloudflare:test');
    const headers = await caller('hits', 'free');
    const body = { messages: [{ role: 'user', content: 'of hits alone' }] };
    const wait = () => new Promise((done) => setTimeout(done, 1_000));
    expect((await ask(body, headers)).status).toBe(200);
    for (let hits = 1; hits <= 4; hits += 1) {
      expect((await ask(body, headers)).headers.get('x-tidegate-cache')).toBe('hit');
      // Written more than once.
      if (hits % 2 === 0) await wait();
    }
    await evictAllDurableObjects();
    expect((await ask(body, headers)).status).toBe(429);
  });

  it('survives the object and the isolate', async () => {
    const { evictAllDurableObjects } = await import('cloudflare:test');
    const headers = await caller('evicted', 'free');
    for (let sent = 0; sent < 5; sent += 1) expect((await ask({}, headers)).status).toBe(200);
    // Counts are written within half a second.
    await new Promise((done) => setTimeout(done, 1_000));
    await evictAllDurableObjects();
    const answer = await ask({}, headers);
    expect([answer.status, rate(answer)[1]]).toEqual([429, 0]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(30);
  });
});

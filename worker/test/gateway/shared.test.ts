import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { told } from '../../src/figures/counted';
import { drop } from '../../src/gates';
import { Flights, WAIT_MS } from '../../src/organisation/flights';
import { forget } from '../../src/organisation/standing';
import { calm, call, contentOf, journal, question, script, type Answer } from '../client';
import { made, organised } from '../organisations';
import { calling } from '../started';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const send = calling({ TIDEGATE_SHARED_CACHE: 'single-flight' });
const cached = (answer: Answer) => [answer.status, answer.headers.get('x-tidegate-cache')];

const asking = (token: string, content: string) =>
  send('/v1/chat/completions', {
    ...{ method: 'POST', headers: bearer(token) },
    body: JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 10, temperature: 0 }),
  });

let puts: [string, Uint8Array][] = [];

beforeEach(async () => {
  for (const organisation of ['acme', 'other']) await told(organisation);
  await calm();
  for (const organisation of ['acme', 'other']) {
    drop(organisation);
    await forget(organisation);
    await organised(organisation, ['pro']);
  }
  puts = [];
  // Arguments are kept, and what is called is the platform's.
  const put = Cache.prototype.put;
  vi.spyOn(Cache.prototype, 'put').mockImplementation(async function (this: Cache, at, response) {
    const bytes = new Uint8Array(await response.arrayBuffer());
    await put.call(this, at, new Response(bytes, response));
    puts.push([String(at), bytes]);
  });
  return () => vi.restoreAllMocks();
});

const kept = (count: number) => vi.waitUntil(() => puts.length === count, { timeout: 10_000 });

describe('answers that isolates share', () => {
  it('are hits of another isolate of the organisation, sealed, and no other’s', async () => {
    const [acme, other] = [(await made('acme')).token, (await made('other')).token];
    const content = question();
    expect(cached(await asking(acme, content))).toEqual([200, 'miss']);
    await kept(1);
    drop('acme');
    const again = await asking(acme, content);
    expect(cached(again)).toEqual([200, 'hit']);
    expect(again.headers.get('x-tidegate-cost-nano-usd')).toBe('0');
    expect(await journal()).toHaveLength(1);
    expect(cached(await asking(other, content))).toEqual([200, 'miss']);
    await kept(2);
    const [[mine = '', sealed] = [], [theirs = ''] = []] = puts;
    expect(mine.split('/').at(-1)).not.toBe(theirs.split('/').at(-1));
    const text = new TextDecoder('latin1').decode(sealed);
    for (const secret of [content, contentOf(again) ?? '', 'acme', 'groq']) expect(mine + text).not.toContain(secret);
    // Under the other's name it does not open.
    await (await caches.open('tidegate-answers')).put(theirs, new Response(sealed as BodyInit));
    drop('other');
    await journal();
    expect(cached(await asking(other, content))).toEqual([200, 'miss']);
    expect(await journal()).toHaveLength(1);
  });

  it('lie below the Worker’s own host, since the cache would look others up', async () => {
    const { token } = await made('acme');
    await asking(token, question());
    await kept(1);
    expect(puts[0]?.[0]).toMatch(/^https:\/\/gateway\.example\/\.tidegate\//);
  });

  it('are a miss once one bit is another', async () => {
    const { token } = await made('acme');
    const content = question();
    await asking(token, content);
    await kept(1);
    const [[at = '', sealed = new Uint8Array()] = []] = puts;
    const cache = await caches.open('tidegate-answers');
    for (const place of [0, sealed.length >> 1, sealed.length - 1]) {
      const bent = sealed.with(place, (sealed[place] ?? 0) ^ 1);
      await cache.put(at, new Response(bent, { headers: { 'cache-control': 'max-age=60' } }));
      drop('acme');
      await journal();
      expect(cached(await asking(token, content))).toEqual([200, 'miss']);
      expect(await journal()).toHaveLength(1);
    }
  });

  it('are asked for once, and billed once, by all who ask at the same time', async () => {
    const { token } = await made('acme', { scopes: ['chat', 'admin'] });
    const content = question();
    await journal();
    await script('groq', { delayMs: 500 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => asking(token, content)));
    expect(await journal()).toHaveLength(1);
    expect(answers.map(cached).sort()).toEqual([...Array<unknown>(4).fill([200, 'hit']), [200, 'miss']]);
    const costs = answers.map((answer) => Number(answer.headers.get('x-tidegate-cost-nano-usd')));
    const { budget, sharedCache } = JSON.parse((await send('/api/ai/status', { headers: bearer(token) })).text) as {
      budget: { spentNanoUsd: number };
      sharedCache: string;
    };
    expect(costs.filter((cost) => cost > 0)).toEqual([budget.spentNanoUsd]);
    expect(sharedCache).toBe('single-flight');
  });

  it('need nobody else where only the data centre’s cache is asked', async () => {
    const { token } = await made('acme');
    const real = env.ORGANISATION;
    const landed = vi.fn();
    const get = (id: DurableObjectId) => ({
      standing: (hash?: string) => real.get(id).standing(hash),
      board: landed,
      land: landed,
    });
    const ORGANISATION = { idFromName: (name: string) => real.idFromName(name), get };
    const body = JSON.stringify({ messages: [{ role: 'user', content: question() }], max_tokens: 10, temperature: 0 });
    const asked = calling({ TIDEGATE_SHARED_CACHE: 'cache', ORGANISATION });
    const answer = await asked('/v1/chat/completions', { method: 'POST', headers: bearer(token), body });
    expect(cached(answer)).toEqual([200, 'miss']);
    await kept(1);
    expect(landed).not.toHaveBeenCalled();
  });

  it('that fail are asked for by each', async () => {
    const { token } = await made('acme');
    const content = question();
    await journal();
    await script('groq', { status: 401, delayMs: 300 });
    await script('openrouter', { status: 401 });
    const answers = await Promise.all([asking(token, content), asking(token, content)]);
    expect(answers.map(({ status }) => status).every((status) => status >= 400)).toBe(true);
    await script('groq');
    expect(cached(await asking(token, question()))).toEqual([200, 'miss']);
  });

  it('are none without a master key, which the status says, and of another word', async () => {
    const { token } = await made('acme', { scopes: ['chat', 'admin'] });
    const bare = calling({ TIDEGATE_SHARED_CACHE: 'cache', TIDEGATE_MASTER_KEY: '' });
    const status = await bare('/api/ai/status', { headers: bearer(token) });
    expect(JSON.parse(status.text)).toMatchObject({ sharedCache: 'no-master-key' });
    drop('acme');
    const wrong = calling({ TIDEGATE_SHARED_CACHE: 'yes' });
    expect((await wrong('/api/ai/status', { headers: bearer(token) })).text).toContain('TIDEGATE_SHARED_CACHE');
    drop('acme');
    expect(JSON.parse((await call('/api/ai/status')).text)).toMatchObject({ sharedCache: 'off' });
    expect(env.TIDEGATE_MASTER_KEY).not.toBe('');
  });
});

describe('a flight', () => {
  it('is led by one, and everybody else waits for it, but not for ever', async () => {
    const flights = new Flights();
    expect(await flights.board('a')).toEqual({ leads: true });
    const waits = [flights.board('a'), flights.board('a')];
    expect(await flights.board('b')).toEqual({ leads: true });
    flights.land('a', Uint8Array.of(7));
    expect(await Promise.all(waits)).toEqual([{ entry: Uint8Array.of(7) }, { entry: Uint8Array.of(7) }]);
    const started = Date.now();
    expect(await flights.board('b')).toEqual({});
    expect(Date.now() - started).toBeGreaterThanOrEqual(WAIT_MS - 50);
    const failed = flights.board('b');
    flights.land('b');
    expect(await failed).toEqual({});
    expect(await flights.board('b')).toEqual({ leads: true });
  }, 20_000);
});

describe('flights', () => {
  const MOST = 1_000;

  it('are as many as there is room for, and those whose leader has gone make some', async () => {
    const flights = new Flights();
    for (let name = 0; name < MOST; name += 1) expect(await flights.board(String(name))).toEqual({ leads: true });
    const waiting = flights.board('7');
    expect(await flights.board('more')).toEqual({});
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 30_001);
    expect(await flights.board('more')).toEqual({ leads: true });
    expect(await waiting).toEqual({});
    expect(await flights.board('7')).toEqual({ leads: true });
  });

  it('are waited for by as many as there is room for', async () => {
    const flights = new Flights();
    await flights.board('a');
    const waiting = Array.from({ length: MOST }, () => flights.board('a'));
    expect(await flights.board('a')).toEqual({});
    flights.land('a', Uint8Array.of(7));
    expect(new Set((await Promise.all(waiting)).map(({ entry }) => entry?.[0]))).toEqual(new Set([7]));
  });
});

it('the cache’s keys lie below another host than the platform’s, once there is one', async () => {
  vi.resetModules();
  const { came, cacheHost } = await import('../../src/shelf');
  const hosts = ['one.workers.dev', 'two.workers.dev', 'first.example:8443', 'second.example', 'three.workers.dev'];
  const below = hosts.map((host) => {
    came(`https://${host}/v1/models`);
    return cacheHost();
  });
  expect(below).toEqual(['one.workers.dev', 'two.workers.dev', ...Array<string>(3).fill('first.example:8443')]);
});

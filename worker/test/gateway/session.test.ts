import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { SignJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { forget, organisationOf } from '../../src/organisation/standing';
import { calm, errorOf, journal, type Answer } from '../client';
import { idp, type Idp } from '../idp';
import { organised, send } from '../organisations';
import { calling } from '../started';

let clerk: Idp;
beforeAll(async () => {
  clerk = await idp('clerk', env.STAND_IN);
});
beforeEach(async () => {
  await calm();
  await forget('acme');
  await forget('public');
  await siteverify({ success: true, hostname: 'app.example', action: 'chat' });
});
afterEach(() => vi.restoreAllMocks());

const KEY = 'k'.repeat(32);
const ORIGIN = { origin: 'https://app.example' };

/** What Turnstile says next. */
const siteverify = async (verdict: unknown, status = 200) => {
  const script = { provider: 'turnstile', status, body: JSON.stringify(verdict) };
  await (await fetch(`${env.STAND_IN}/script`, { method: 'POST', body: JSON.stringify(script) })).text();
};

function gateway(session?: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const issuer = { issuer: clerk.issuer, jwks: clerk.jwks, audience: 'tidegate', organisation: 'acme' };
  const TIDEGATE_AUTH = { issuers: [issuer], ...(session && { session }) };
  return calling({ TIDEGATE_AUTH, TIDEGATE_SESSION_KEY: KEY, TURNSTILE_SECRET: 'turnstile-secret', ...more });
}
const turnstile = (more: Record<string, unknown> = {}) => ({
  turnstile: { organisation: 'public', hostnames: ['app.example'], siteverify: `${env.STAND_IN}/turnstile`, ...more },
});
const asked = (call: ReturnType<typeof gateway>, headers: Record<string, string> = {}, body: unknown = {}) =>
  call('/api/session', { method: 'POST', headers, body: JSON.stringify(body) });
const tokenIn = (answer: Answer) => (JSON.parse(answer.text) as { token: string }).token;
const chat = (call: ReturnType<typeof gateway>, token: string, path = '/v1/chat/completions') => {
  const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: crypto.randomUUID() }] });
  return call(path, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body });
};

describe('a session', () => {
  it('is off by default, whoever asks', async () => {
    const bearer = { authorization: `Bearer ${await clerk.sign()}` };
    expect((await asked(gateway(), bearer)).status).toBe(404);
    // On, but not in this way.
    expect((await asked(gateway({}), bearer)).status).toBe(401);
    const cookie = { cookie: `__Host-session=${await clerk.sign()}`, 'sec-fetch-site': 'same-origin' };
    expect((await asked(gateway({ jwt: true }), cookie)).status).toBe(401);
    expect((await asked(gateway({ jwt: true }), ORIGIN, { turnstile: 'solved' })).status).toBe(401);
  });

  it.each<[string, Record<string, string>]>([
    ['an Origin alone', ORIGIN],
    ['a browser’s headers', { ...ORIGIN, 'sec-fetch-site': 'same-origin', referer: 'https://app.example/' }],
    ['the operator’s token', { authorization: `Bearer ${env.TIDEGATE_TOKEN}` }],
    ['a cookie that is none', { cookie: '__Host-session=x', 'sec-fetch-site': 'same-origin' }],
  ])('is not given for %s', async (_, headers) => {
    const call = gateway({ jwt: true, cookie: '__Host-session', ...turnstile() });
    const answer = await asked(call, headers);
    expect([answer.status, errorOf(answer).code]).toEqual([401, 'unauthorized']);
  });

  it('is given for a JWT, may chat for five minutes and nothing else', async () => {
    const call = gateway({ jwt: true });
    const answer = await asked(call, { authorization: `Bearer ${await clerk.sign()}` });
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toMatchObject({ expiresInSeconds: 300 });
    const token = tokenIn(answer);
    expect(token).toMatch(/^tg_session_eyJ/);
    expect((await chat(call, token)).status).toBe(200);
    const bearer = { authorization: `Bearer ${token}` };
    expect((await call('/api/admin/tokens', { headers: bearer })).status).toBe(403);
    expect((await asked(call, bearer)).status).toBe(401);
    // Whoever is known by a header has nothing more to say.
    const silent = { method: 'POST', headers: { authorization: `Bearer ${await clerk.sign()}` } };
    expect((await call('/api/session', silent)).status).toBe(201);
    // Wherever a client puts its key.
    expect((await asked(call, { 'x-api-key': await clerk.sign() })).status).toBe(201);
    // By a clock that is as far ahead as clocks may be, like a JWT: and no further.
    for (const [ahead, status] of [
      [328_000, 200],
      [331_000, 401],
    ] as const) {
      vi.useFakeTimers({ now: Date.now() + ahead, toFake: ['Date'] });
      expect((await chat(call, token)).status).toBe(status);
      vi.useRealTimers();
    }
  });

  it('is not made by others', async () => {
    const call = gateway({ jwt: true });
    const claims = () => new SignJWT({ org: 'acme', sub: 'ann', tier: 'enterprise' }).setExpirationTime('5m');
    const forged = (header: { alg: string; typ?: string }, key: string) =>
      claims().setProtectedHeader(header).sign(new TextEncoder().encode(key));
    const typ = 'tidegate-session';
    expect((await chat(call, `tg_session_${await forged({ alg: 'HS256', typ }, KEY)}`)).status).toBe(200);
    expect((await chat(call, `tg_session_${await forged({ alg: 'HS256', typ }, 'x'.repeat(32))}`)).status).toBe(401);
    expect((await chat(call, `tg_session_${await forged({ alg: 'HS256' }, KEY)}`)).status).toBe(401);
    expect((await chat(call, `tg_session_${await forged({ alg: 'HS512', typ }, KEY)}`)).status).toBe(401);
    const endless = new SignJWT({ org: 'acme', sub: 'ann', tier: 'pro' }).setProtectedHeader({ alg: 'HS256', typ });
    expect((await chat(call, `tg_session_${await endless.sign(new TextEncoder().encode(KEY))}`)).status).toBe(401);
    expect((await chat(call, await forged({ alg: 'HS256', typ }, KEY))).status).toBe(401);
    expect((await chat(call, `tg_session_${await clerk.sign()}`)).status).toBe(401);
    // With another key all of them end.
    const other = gateway({ jwt: true }, { TIDEGATE_SESSION_KEY: 'y'.repeat(32) });
    expect((await chat(other, `tg_session_${await forged({ alg: 'HS256', typ }, KEY)}`)).status).toBe(401);
    const short = await asked(gateway({ jwt: true }, { TIDEGATE_SESSION_KEY: 'short' }), {
      authorization: `Bearer ${await clerk.sign()}`,
    });
    expect(errorOf(short)).toMatchObject({ code: 'config_invalid', param: 'TIDEGATE_SESSION_KEY' });
  });

  it('is given for a first-party cookie, sent by a page of this host', async () => {
    const call = gateway({ cookie: '__Host-session' });
    const cookie = `a=b; __Host-session=${await clerk.sign()}; c=d`;
    expect((await asked(call, { cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    for (const site of ['cross-site', 'same-site', 'none']) {
      expect((await asked(call, { cookie, ...ORIGIN, 'sec-fetch-site': site })).status).toBe(401);
    }
    expect((await asked(call, { cookie })).status).toBe(401);
    // A browser that another host made send one beside it.
    const two = {
      cookie: `__Host-session=${await clerk.sign({ sub: 'eve' })}; ${cookie}`,
      'sec-fetch-site': 'same-origin',
    };
    expect((await asked(call, two)).status).toBe(401);
    // Another cookie of the app's, whose name goes on.
    const beside = { cookie: `__Host-session-theme=dark; ${cookie}`, 'sec-fetch-site': 'same-origin' };
    expect((await asked(call, beside)).status).toBe(201);
    const wrong = { cookie: `session=${await clerk.sign()}`, 'sec-fetch-site': 'same-origin' };
    expect((await asked(call, wrong)).status).toBe(401);
    expect((await gateway({ cookie: 'session' })('/readyz')).text).toContain('TIDEGATE_AUTH.session.cookie');
  });
});

describe('Turnstile', () => {
  it('lets somebody in whom nobody knows, in an organisation of its own', async () => {
    const call = gateway(turnstile({ action: 'chat' }));
    const from = { 'cf-connecting-ip': '192.0.2.1' };
    const answer = await asked(call, from, { turnstile: 'solved' });
    expect(answer.status).toBe(201);
    const [sent] = await journal();
    const form = new URLSearchParams(sent?.body);
    expect(Object.fromEntries(form)).toEqual({
      ...{ secret: 'turnstile-secret', response: 'solved', remoteip: '192.0.2.1' },
    });
    expect((await chat(call, tokenIn(answer))).status).toBe(200);
    const [, claims = ''] = tokenIn(answer).split('.');
    const { org, sub } = JSON.parse(atob(claims)) as Record<string, string>;
    expect(org).toBe('public');
    expect(sub).toMatch(/^anonymous:[0-9a-f]{24}$/);
  });

  it('knows a network by one name, which does not lead back to it', async () => {
    const call = gateway(turnstile());
    const subject = async (address: string, as = call) => {
      const answer = await asked(as, { 'cf-connecting-ip': address }, { turnstile: 'solved' });
      return (JSON.parse(atob(tokenIn(answer).split('.')[1] ?? '')) as { sub: string }).sub;
    };
    const ours = await subject('2001:db8:1:2::9');
    expect(await subject('2001:0db8:0001:0002:ffff::1')).toBe(ours);
    expect(await subject('2001:db8:1:3::9')).not.toBe(ours);
    // Who does not know the key cannot try networks out.
    expect(await subject('2001:db8:1:2::9', gateway(turnstile(), { TIDEGATE_SESSION_KEY: 'y'.repeat(32) }))).not.toBe(
      ours,
    );
    expect(await subject('192.0.2.1')).not.toBe(await subject('192.0.2.2'));
  });

  it('is asked also about who brings a JWT and a cookie that are none, and from nowhere', async () => {
    const call = gateway({ jwt: true, cookie: '__Host-session', ...turnstile() });
    const none = { authorization: 'Bearer e30.e30.e30', cookie: '__Host-session=x', 'sec-fetch-site': 'same-origin' };
    const answer = await asked(call, none, { turnstile: 'solved' });
    expect(answer.status).toBe(201);
    const [sent] = await journal();
    expect([...new URLSearchParams(sent?.body).keys()]).toEqual(['secret', 'response']);
  });

  it.each<[string, unknown]>([
    ['a failure', { success: false, hostname: 'app.example', action: 'chat' }],
    ['a word for true', { success: 'true', hostname: 'app.example', action: 'chat' }],
    ['another host', { success: true, hostname: 'evil.example', action: 'chat' }],
    ['another action', { success: true, hostname: 'app.example', action: 'login' }],
    ['nothing', null],
  ])('keeps out after %s', async (_, verdict) => {
    await siteverify(verdict);
    expect((await asked(gateway(turnstile({ action: 'chat' })), {}, { turnstile: 'x' })).status).toBe(401);
  });

  it('that does not answer lets nobody in', async () => {
    await siteverify({}, 500);
    const answer = await asked(gateway(turnstile()), {}, { turnstile: 'x' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    const bare = await asked(gateway(turnstile(), { TURNSTILE_SECRET: '' }), {}, { turnstile: 'x' });
    expect(errorOf(bare)).toMatchObject({ code: 'config_invalid', param: 'TURNSTILE_SECRET' });
  });
});

describe('the budget of a day', () => {
  it('is each subject’s and everybody’s', async () => {
    const call = gateway({ jwt: true, perSubjectPerDay: 2, perDay: 3 });
    const of = async (sub: string) => asked(call, { authorization: `Bearer ${await clerk.sign({ sub })}` });
    expect((await of('ann')).status).toBe(201);
    expect((await of('ann')).status).toBe(201);
    const third = await of('ann');
    expect([third.status, errorOf(third).code]).toEqual([429, 'rate_limited']);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await of('bob')).status).toBe(201);
    expect((await of('cid')).status).toBe(429);
    vi.useFakeTimers({ now: Date.now() + 86_400_000, toFake: ['Date'] });
    expect((await of('cid')).status).toBe(201);
    vi.useRealTimers();
  });

  it('is not begun anew by a clock that goes back', async () => {
    const call = gateway({ jwt: true, perDay: 1 });
    const once = async () => asked(call, { authorization: `Bearer ${await clerk.sign()}` });
    vi.useFakeTimers({ now: Date.now() + 86_400_000, toFake: ['Date'] });
    expect((await once()).status).toBe(201);
    vi.useRealTimers();
    const back = await once();
    expect(back.status).toBe(429);
    expect(Number(back.headers.get('retry-after'))).toBeGreaterThan(86_400);
  });

  it('begins anew for a subject who had sessions the day before', async () => {
    const call = gateway({ jwt: true, perSubjectPerDay: 2, perDay: 2 });
    const once = async () =>
      (await asked(call, { authorization: `Bearer ${await clerk.sign({ sub: 'ann' })}` })).status;
    expect([await once(), await once(), await once()]).toEqual([201, 201, 429]);
    vi.useFakeTimers({ now: Date.now() + 86_400_000, toFake: ['Date'] });
    expect([await once(), await once(), await once()]).toEqual([201, 201, 429]);
    vi.useRealTimers();
  });

  it('names nobody who was erased, also where nobody set the organisation up', async () => {
    const call = gateway({ jwt: true });
    for (const sub of ['ann', 'bob']) await asked(call, { authorization: `Bearer ${await clerk.sign({ sub })}` });
    const subjects = async () =>
      runInDurableObject(await organisationOf('acme', env), (_, { storage }) =>
        storage.sql.exec('SELECT subject FROM session ORDER BY subject').toArray(),
      );
    expect(await subjects()).toEqual([{ subject: 'ann' }, { subject: 'bob' }]);
    expect((await send('DELETE', '/api/ai/users/ann?organisation=acme')).status).toBe(200);
    expect(await subjects()).toEqual([{ subject: 'bob' }]);
  });

  it('is exact when many ask at once', async () => {
    const call = gateway({ jwt: true, perSubjectPerDay: 7, perDay: 1_000 });
    const authorization = `Bearer ${await clerk.sign({ sub: 'dan' })}`;
    const all = await Promise.all(Array.from({ length: 40 }, () => asked(call, { authorization })));
    expect(all.filter(({ status }) => status === 201)).toHaveLength(7);
  });

  it('is not spent by who is blocked, and sessions can be ended by a block', async () => {
    await organised('acme', ['free']);
    const call = gateway({ jwt: true, perDay: 1 });
    const authorization = `Bearer ${await clerk.sign({ sub: 'eve' })}`;
    await send('POST', '/api/admin/blocks?organisation=acme', { kind: 'user', value: 'eve' });
    expect((await asked(call, { authorization })).status).toBe(403);
    const other = await asked(call, { authorization: `Bearer ${await clerk.sign({ sub: 'ann' })}` });
    expect(other.status).toBe(201);
    await send('POST', '/api/admin/blocks?organisation=acme', { kind: 'token', value: 'session' });
    expect((await chat(call, tokenIn(other))).status).toBe(403);
    const anew = await asked(call, { authorization: `Bearer ${await clerk.sign({ sub: 'bob' })}` });
    expect(anew.status).toBe(403);
  });
});

import { env } from 'cloudflare:workers';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { type Caller } from '../../src/auth';
import { callerOf, needs } from '../../src/auth';
import { type Env } from '../../src/env';
import { forget } from '../../src/organisation/standing';
import { calm, errorOf, journal, read, type Init } from '../client';
import { idp, type Idp } from '../idp';
import { organised, send } from '../organisations';

let clerk: Idp;
let other: Idp;
let auth: Record<string, unknown>;

beforeAll(async () => {
  clerk = await idp('clerk', env.STAND_IN);
  other = await idp('other', env.STAND_IN);
});

beforeEach(async () => {
  await calm();
  await forget('clerk:o1');
  auth = {
    issuers: [
      {
        ...{ issuer: clerk.issuer, jwks: clerk.jwks, audience: 'tidegate', algorithms: ['ES256'] },
        claims: { organisation: 'org.id', user: 'sub', tier: 'https://app.example/plan' },
        ...{ organisationPrefix: 'clerk:', tier: 'free', tiers: { gold: 'pro' } },
      },
      { issuer: other.issuer, jwks: other.jwks, audience: ['x', 'tidegate'], organisation: 'fixed', scopes: ['admin'] },
    ],
  };
});
afterEach(() => vi.restoreAllMocks());

const own = (more: Record<string, unknown> = {}): Env => ({ ...env, TIDEGATE_AUTH: auth, ...more }) as unknown as Env;
const request = new Request('https://gateway.example/');
const caller = async (token: string, scope: 'chat' | 'admin' = 'chat', as = own()): Promise<Caller> => {
  const found = await callerOf(request, [token], as);
  needs(scope, found);
  return found;
};
const refusal = (token: string, as = own()) =>
  caller(token, 'chat', as).then(
    () => undefined,
    (thrown: { code: string; status: number; fields?: { path: string }[] }) => thrown,
  );
const ORG = { org: { id: 'o1' } };

describe('a JWT of a configured issuer', () => {
  it('says who is calling, by the configured claims', async () => {
    expect(await caller(await clerk.sign({ ...ORG, 'https://app.example/plan': 'gold' }))).toEqual({
      ...{ organisation: 'clerk:o1', user: 'ann', tier: 'pro', scopes: ['chat'] },
    });
    expect(await caller(await clerk.sign({ ...ORG, sub: 'bob', 'https://app.example/plan': 'root' }))).toMatchObject({
      ...{ user: 'bob', tier: 'free' },
    });
    expect(await caller(await other.sign(), 'admin')).toMatchObject({ organisation: 'fixed', scopes: ['admin'] });
    expect(await refusal(await other.sign())).toMatchObject({ code: 'forbidden', status: 403 });
  });

  it.each([
    ['pro', 'pro'],
    ['', 'slow'],
    ['No tier!', 'slow'],
    [7, 'slow'],
  ])('without a table of tiers names one by its own name, or none: %j', async (plan, tier) => {
    const [, issuer] = auth.issuers as Record<string, unknown>[];
    const named = { ...issuer, claims: { tier: 'plan' }, tier: 'slow', scopes: ['chat'] };
    const as = own({ TIDEGATE_AUTH: { issuers: [named] } });
    expect(await caller(await other.sign({ plan }), 'chat', as)).toMatchObject({ tier });
  });

  it.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['without an issuer', { iss: undefined }],
    ['for another audience', { aud: 'another' }],
    ['for no audience', { aud: undefined }],
    ['that has ended', { exp: Math.floor(Date.now() / 1_000) - 60 }],
    ['without an end', { exp: undefined }],
    ['that has not begun', { nbf: Math.floor(Date.now() / 1_000) + 600 }],
  ])('is refused %s', async (_, claims) => {
    expect(await refusal(await clerk.sign({ ...ORG, ...claims }))).toMatchObject({ code: 'unauthorized', status: 401 });
  });

  it('is refused if it is longer than any is', async () => {
    const long = await clerk.sign({ ...ORG, more: 'x'.repeat(6_200) });
    expect(long.length).toBeGreaterThan(8_192);
    expect(await refusal(long)).toMatchObject({ status: 401 });
    expect(await refusal(await clerk.sign({ ...ORG, more: 'x'.repeat(5_000) }))).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>]>([
    ['an end that is a text', { exp: String(Math.floor(Date.now() / 1_000) + 300) }],
    ['an end before all time', { exp: -1 }],
    ['a beginning that is a text', { nbf: '0' }],
    ['a time of issue that is a text', { iat: 'now' }],
    ['an audience that only begins so', { aud: ['tidegate2', 'https://tidegate'] }],
  ])('is refused with %s', async (_, claims) => {
    expect(await refusal(await clerk.sign({ ...ORG, ...claims }))).toMatchObject({ status: 401 });
  });

  it('may end after all time', async () => {
    expect(await caller(await clerk.sign({ ...ORG, exp: 1e308 }))).toMatchObject({ user: 'ann' });
  });

  it('may be off by the tolerance of the clock, and no more, also where it is remembered', async () => {
    const now = Date.now();
    const token = await clerk.sign({ ...ORG, exp: Math.floor(now / 1_000) - 10 });
    for (const _ of ['looked at', 'remembered'])
      expect(await caller(token)).toMatchObject({ organisation: 'clerk:o1' });
    vi.spyOn(Date, 'now').mockReturnValue(now + 21_000);
    expect(await refusal(token)).toMatchObject({ status: 401 });
  });

  it('that was let in says nothing once the configuration is another', async () => {
    const token = await clerk.sign(ORG);
    expect(await caller(token)).toMatchObject({ organisation: 'clerk:o1' });
    const [issuer] = auth.issuers as Record<string, unknown>[];
    const as = own({ TIDEGATE_AUTH: { issuers: [{ ...issuer, audience: 'another' }] } });
    expect(await refusal(token, as)).toMatchObject({ status: 401 });
    expect(await refusal(token, own({ TIDEGATE_AUTH: {} }))).toMatchObject({ status: 401 });
  });

  it('is refused if nobody signed it, or somebody else did', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const claims = { ...ORG, sub: 'ann' };
    const unsigned = new UnsecuredJWT(claims).setIssuer(clerk.issuer).setAudience('tidegate').setExpirationTime('5m');
    expect(await refusal(unsigned.encode())).toMatchObject({ status: 401 });
    // By another key of the same name, by the public key as if it were a secret, with parts of another token.
    const forged = await idp('forger', env.STAND_IN);
    expect(await refusal(await forged.sign({ ...claims, iss: clerk.issuer }, { kid: 'clerk-1' }))).toMatchObject({
      status: 401,
    });
    const published = new TextEncoder().encode(await (await fetch(clerk.jwks)).text());
    const confused = new SignJWT({ ...claims, iss: clerk.issuer, aud: 'tidegate' }).setExpirationTime('5m');
    expect(await refusal(await confused.setProtectedHeader({ alg: 'HS256' }).sign(published))).toMatchObject({
      status: 401,
    });
    const [head, , signature] = (await clerk.sign(claims)).split('.');
    const [, body] = (await clerk.sign({ ...claims, org: { id: 'o2' } })).split('.');
    expect(await refusal(`${head}.${body}.${signature}`)).toMatchObject({ status: 401 });
    expect(await refusal(`${head}.${body}.`)).toMatchObject({ status: 401 });
    expect(log).not.toHaveBeenCalled();
  });

  it('is refused by an algorithm or a party that is not listed', async () => {
    const [issuer] = auth.issuers as Record<string, unknown>[];
    const token = await clerk.sign({ ...ORG, azp: 'https://app.example' });
    const changed = (more: Record<string, unknown>) => own({ TIDEGATE_AUTH: { issuers: [{ ...issuer, ...more }] } });
    expect(await refusal(token, changed({ algorithms: ['RS256'] }))).toMatchObject({ status: 401 });
    expect(await refusal(token, changed({ authorizedParties: ['https://evil.example'] }))).toMatchObject({
      status: 401,
    });
    expect(await refusal(token, changed({ authorizedParties: ['https://app.example'] }))).toBeUndefined();
    const nobodys = await clerk.sign(ORG);
    expect(await refusal(nobodys, changed({ authorizedParties: ['https://app.example'] }))).toMatchObject({
      status: 401,
    });
  });

  it.each([
    ['no organisation', {}],
    ['an organisation of another type', { org: { id: 7 } }],
    ['an organisation with a blank', { org: { id: 'a b' } }],
    ['an inherited one', { org: 'constructor' }],
    ['no user', { ...ORG, sub: undefined }],
  ])('is of no use with %s', async (_, claims) => {
    expect(await refusal(await clerk.sign(claims))).toMatchObject({ code: 'forbidden', status: 403 });
  });

  it('never speaks for the operator’s organisation', async () => {
    const [issuer] = auth.issuers as Record<string, unknown>[];
    const { organisationPrefix: _, ...bare } = issuer ?? {};
    const as = own({ TIDEGATE_AUTH: { issuers: [bare] } });
    expect(await refusal(await clerk.sign({ org: { id: 'default' } }), as)).toMatchObject({ status: 403 });
    expect(await caller(await clerk.sign({ org: { id: 'o1' } }), 'chat', as)).toMatchObject({ organisation: 'o1' });
    // Unless the configuration names it.
    const fixed = own({ TIDEGATE_AUTH: { issuers: [{ ...bare, claims: {}, organisation: 'default' }] } });
    expect(await caller(await clerk.sign(), 'chat', fixed)).toMatchObject({ organisation: 'default' });
  });

  it.each([undefined, 'c', 'clerk'])(
    'with the prefix %s never speaks for another issuer’s',
    async (organisationPrefix) => {
      const [first, second] = auth.issuers as Record<string, unknown>[];
      const { organisation: _, ...bare } = second ?? {};
      const claims = { organisation: 'org' };
      const mine = { ...bare, claims, scopes: ['chat'], ...(organisationPrefix && { organisationPrefix }) };
      const as = own({ TIDEGATE_AUTH: { issuers: [first, mine] } });
      const prefix = organisationPrefix ?? '';
      const org = `clerk:o1`.slice(prefix.length);
      expect(await refusal(await other.sign({ org }), as)).toMatchObject({ code: 'forbidden', status: 403 });
      const organisation = `${prefix}lerks`;
      expect(await caller(await other.sign({ org: 'lerks' }), 'chat', as)).toMatchObject({ organisation });
      expect(await caller(await clerk.sign(ORG), 'chat', as)).toMatchObject({ organisation: 'clerk:o1' });
    },
  );

  it('can be blocked by its user', async () => {
    await organised('clerk:o1', ['free']);
    await send('POST', '/api/admin/blocks?organisation=clerk:o1', { kind: 'user', value: 'ann' });
    await forget('clerk:o1');
    expect(await refusal(await clerk.sign(ORG))).toMatchObject({ code: 'forbidden', status: 403 });
    expect(await caller(await clerk.sign({ ...ORG, sub: 'bob' }))).toMatchObject({ user: 'bob' });
  });

  it('is answered by the whole Worker, in the words of the client', async () => {
    const { default: worker } = await import('../../src/index');
    const context = { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext;
    const post = async (path: string, init: Init) =>
      read(
        await worker.fetch(new Request(`https://gateway.example${path}`, { method: 'POST', ...init }), own(), context),
      );
    const body = '{"max_tokens":9,"messages":[{"role":"user","content":"x"}]}';
    const good = await post('/v1/chat/completions', {
      body,
      headers: { authorization: `Bearer ${await clerk.sign(ORG)}` },
    });
    expect(good.status).toBe(200);
    const bad = await post('/v1/messages', { body, headers: { 'x-api-key': await clerk.sign({ aud: 'another' }) } });
    expect([bad.status, JSON.parse(bad.text)]).toMatchObject([
      401,
      { type: 'error', error: { type: 'authentication_error' } },
    ]);
    expect(errorOf(await post('/v1/chat/completions', { body })).code).toBe('unauthorized');
    expect(JSON.stringify(await journal())).not.toContain('eyJ');
  });
});

describe('an issuer’s keys', () => {
  const later = (ms: number) => vi.spyOn(Date, 'now').mockReturnValue(Date.now() + ms);
  const asked = async () => (await journal()).filter(({ provider }) => provider.startsWith('jwks')).length;

  it('are fetched anew for a key that is not known, but not each time', async () => {
    const idp1 = await idp('rotates', env.STAND_IN);
    auth = { issuers: [{ issuer: idp1.issuer, jwks: idp1.jwks, audience: 'tidegate', organisation: 'o' }] };
    const first = await idp1.sign({ sub: 'first' });
    expect(await caller(first)).toMatchObject({ user: 'first' });
    expect(await asked()).toBe(1);
    await idp1.rotate();
    const second = await idp1.sign({ sub: 'second', exp: Math.floor(Date.now() / 1_000) + 9_000 });
    expect(await refusal(second)).toMatchObject({ status: 401 });
    expect(await asked()).toBe(0);
    later(31_000);
    expect(await caller(second)).toMatchObject({ user: 'second' });
    for (let index = 0; index < 20; index += 1) {
      expect(await refusal(await idp1.sign({}, { kid: `made-up-${index}` }))).toMatchObject({ status: 401 });
    }
    expect(await asked()).toBe(1);
  });

  it('are not asked for by the tokens of others, and not waited for for ever', async () => {
    const waits = await idp('waits', env.STAND_IN);
    auth = { issuers: [{ issuer: waits.issuer, jwks: waits.jwks, audience: 'tidegate', organisation: 'o' }] };
    expect(await refusal(await clerk.sign(ORG))).toMatchObject({ status: 401 });
    expect(await asked()).toBe(0);
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
    expect(await refusal(await waits.sign())).toMatchObject({ status: 503 });
    expect(timeout).toHaveBeenCalledWith(5_000);
  });

  it('are fetched anew where the clock was set back', async () => {
    const back = await idp('back', env.STAND_IN);
    auth = { issuers: [{ issuer: back.issuer, jwks: back.jwks, audience: 'tidegate', organisation: 'o' }] };
    const [first = '', second = ''] = await Promise.all(['ann', 'bob'].map((sub) => back.sign({ sub })));
    expect(await caller(first)).toMatchObject({ user: 'ann' });
    await back.rotate();
    later(-1_200_000);
    expect(await refusal(second)).toMatchObject({ status: 401 });
  });

  it('that were withdrawn let nobody in after ten minutes', async () => {
    const withdraws = await idp('withdraws', env.STAND_IN);
    auth = { issuers: [{ issuer: withdraws.issuer, jwks: withdraws.jwks, audience: 'tidegate', organisation: 'o' }] };
    const exp = Math.floor(Date.now() / 1_000) + 9_000;
    const [first = '', second = '', third = ''] = await Promise.all(
      ['ann', 'bob', 'cid'].map((sub) => withdraws.sign({ exp, sub })),
    );
    expect(await caller(first)).toMatchObject({ user: 'ann' });
    await withdraws.rotate();
    const clock = later(590_000);
    expect(await caller(second)).toMatchObject({ user: 'bob' });
    clock.mockRestore();
    later(610_000);
    expect(await refusal(third)).toMatchObject({ status: 401 });
  });

  it('are asked for once in half a minute while their issuer fails', async () => {
    const fails = await idp('fails', env.STAND_IN);
    auth = { issuers: [{ issuer: fails.issuer, jwks: fails.jwks, audience: 'tidegate', organisation: 'o' }] };
    const exp = Math.floor(Date.now() / 1_000) + 9_000;
    expect(await caller(await fails.sign({ exp }))).toMatchObject({ user: 'ann' });
    await fails.publish({ status: 500, body: 'x' });
    await journal();
    later(700_000);
    for (const sub of ['bob', 'cid', 'dan']) expect(await caller(await fails.sign({ exp, sub }))).toBeDefined();
    expect(await asked()).toBe(1);
  });

  it('that cannot be had let nobody in, and are used for an hour once they were there', async () => {
    const broken = await idp('breaks', env.STAND_IN);
    auth = { issuers: [{ issuer: broken.issuer, jwks: broken.jwks, audience: 'tidegate', organisation: 'o' }] };
    const exp = Math.floor(Date.now() / 1_000) + 90_000;
    let now = Date.now();
    const clock = vi.spyOn(Date, 'now');
    const later = (ms: number) => clock.mockReturnValue((now += ms));
    for (const how of [
      { status: 500, body: 'x' },
      { body: '{"keys":[]}' },
      { body: '[]' },
      { body: '{' },
      { status: 302, body: '', headers: { location: clerk.jwks } },
      { body: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' },
      { body: JSON.stringify({ keys: Array.from({ length: 65 }, () => ({ kty: 'EC' })) }) },
      { body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` },
    ]) {
      await broken.publish(how);
      later(6_000);
      expect(await refusal(await broken.sign({ exp }))).toMatchObject({ code: 'internal', status: 503 });
    }
    await broken.publish();
    later(6_000);
    expect(await caller(await broken.sign({ exp }))).toMatchObject({ organisation: 'o' });
    await broken.publish({ status: 500, body: 'x' });
    later(3_000_000);
    expect(await caller(await broken.sign({ exp, sub: 'bob' }))).toMatchObject({ user: 'bob' });
    later(1_000_000);
    for (const sub of ['eve', 'eva', 'ewa']) {
      // Not the first alone: what is too old stays so while the issuer is not asked again.
      expect(await refusal(await broken.sign({ exp, sub }))).toMatchObject({ status: 503 });
      later(100);
    }
  });

  it.each([
    ['ES256', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
    ['ES256', { kty: 'EC', crv: 'P-256' }],
    ['RS256', { kty: 'RSA', n: 'AQ', e: 'AQAB' }],
    ['RS256', { kty: 'RSA', n: 'w'.repeat(171), e: 'AQAB' }],
    ['RS256', { kty: 'RSA', n: 5, e: null }],
  ])('that are of no use let nobody in, whom a token of %s names them by: %o', async (alg, key) => {
    const name = `useless-${JSON.stringify(key).length}`;
    const useless = await idp(name, env.STAND_IN);
    await useless.publish({ body: JSON.stringify({ keys: [{ ...key, kid: 'k', alg }] }) });
    auth = { issuers: [{ issuer: useless.issuer, jwks: useless.jwks, audience: 'tidegate', organisation: 'o' }] };
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const [, body, signature] = (await useless.sign()).split('.');
    const head = btoa(JSON.stringify({ alg, kid: 'k' })).replaceAll('=', '');
    expect(await refusal(`${head}.${body}.${signature}`)).toMatchObject({ code: 'unauthorized', status: 401 });
    expect(log).toHaveBeenCalledOnce();
  });

  it('does not make us call an issuer that fails for each made-up token', async () => {
    const down = await idp('down', env.STAND_IN);
    auth = { issuers: [{ issuer: down.issuer, jwks: down.jwks, audience: 'tidegate', organisation: 'o' }] };
    await down.publish({ status: 500, body: 'x' });
    await journal();
    for (let sent = 0; sent < 20; sent += 1) {
      expect(await refusal(await down.sign({ sub: `x${sent}` }))).toMatchObject({ status: 503 });
    }
    expect((await journal()).length).toBeLessThan(3);
  });
});

describe('TIDEGATE_AUTH', () => {
  const problems = async (config: unknown) => (await refusal('aaa.bbb.ccc', own({ TIDEGATE_AUTH: config })))?.fields;

  it('is read with every problem named by its path', async () => {
    expect(await problems('{')).toEqual([{ path: 'TIDEGATE_AUTH', problem: 'must be JSON' }]);
    expect(await problems({ issuer: [] })).toEqual([
      {
        path: 'TIDEGATE_AUTH.issuer',
        problem: expect.stringMatching(/^is not a known field; known are .*issuers/u) as string,
      },
    ]);
    const one = { issuer: 'https://a.example', jwks: 'http://a.example/jwks', algorithms: ['HS256', 'none'] };
    const other = { ...one, jwks: 'ftp://localhost/jwks', audience: 'x', algorithms: ['ES256'], organisation: 'o' };
    expect((await problems({ issuers: [other] }))?.map(({ path }) => path)).toEqual(['TIDEGATE_AUTH.issuers[0].jwks']);
    expect((await problems({ issuers: [one, 7] }))?.map(({ path }) => path)).toEqual(
      ['jwks', 'audience', 'algorithms[0]', 'algorithms[1]']
        .map((name) => `TIDEGATE_AUTH.issuers[0].${name}`)
        .concat('TIDEGATE_AUTH.issuers[1]'),
    );
    const operator = {
      ...one,
      jwks: 'https://a.example/jwks',
      audience: 'x',
      algorithms: ['ES256'],
      organisation: 'o',
    };
    expect(await problems({ issuers: [{ ...operator, scopes: ['operator'] }] })).toMatchObject([
      { path: 'TIDEGATE_AUTH.issuers[0].scopes[0]' },
    ]);
    const both = { ...one, jwks: 'https://a.example/jwks', audience: 'x', algorithms: ['ES256'] };
    expect(await problems({ issuers: [both] })).toMatchObject([{ path: 'TIDEGATE_AUTH.issuers[0].organisation' }]);
  });
});

import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { hashOf, homeOf, newToken } from '../../src/auth/token';
import type { Env } from '../../src/env';
import { forget, organisationObject, organisationOf, STALE_MS, tokenOf } from '../../src/organisation/standing';
import { tiersOf } from '../../src/routes/admin/tokens';
import { load, withoutKeys } from '../../src/wasm';
import { ask, calm, call, errorOf, type Answer } from '../client';
import { made, organised, send } from '../organisations';
import { calling } from '../started';

beforeEach(async () => {
  load();
  await calm();
  await forget('acme');
  await forget('other');
  await organised('acme', ['pro', 'free']);
  await organised('other', ['free']);
});

const objectOf = async (organisation: string) => await organisationOf(organisation, env);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = (answer: Answer) => JSON.parse(answer.text) as Record<string, unknown>;

describe('an API token', () => {
  it('is shown once, kept as a hash, and lets its holder in', async () => {
    const { token, id } = await made('acme', { user: 'ann', note: 'laptop' });
    expect(token).toMatch(/^tg_live_[0-9A-Za-z]{59}$/);
    expect(withoutKeys(`a ${token} b`)).toBe('a [REDACTED:tidegate] b');
    expect((await ask({}, bearer(token))).status).toBe(200);
    expect((await ask({}, { authorization: '', 'x-api-key': token })).status).toBe(200);
    const listed = await call('/api/admin/tokens?organisation=acme');
    expect(json(listed).tokens).toMatchObject([{ id, user: 'ann', tier: 'pro', scopes: ['chat'], note: 'laptop' }]);
    const stored = await runInDurableObject(await objectOf('acme'), (_, state) =>
      JSON.stringify(state.storage.sql.exec('SELECT * FROM token').toArray()),
    );
    expect(stored).toContain(await hashOf(token));
    for (const text of [listed.text, stored]) expect(text).not.toContain(token.slice(24));
  });

  it.each([
    ['one letter', (token: string) => `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`],
    ['its length', (token: string) => token.slice(0, -1)],
    ['its prefix', (token: string) => token.slice(8)],
    ['the organisation in it', (token: string, other: string) => other.slice(0, 24) + token.slice(24)],
  ])('is refused when it differs in %s', async (_, change) => {
    const { token } = await made('acme');
    const { token: other } = await made('other');
    const answer = await ask({}, bearer(change(token, other)));
    expect(answer.status).toBe(401);
    expect(errorOf(answer).code).toBe('unauthorized');
  });

  it('has each scope once', async () => {
    const scopes = ['chat', 'metrics', 'chat'];
    const answer = await send('POST', '/api/admin/tokens?organisation=acme', { scopes });
    expect(json(answer)).toMatchObject({ scopes: ['chat', 'metrics'] });
  });

  it('that is made up leaves nothing stored', async () => {
    const token = `tg_live_${'A'.repeat(16)}${'b'.repeat(43)}`;
    expect((await ask({}, bearer(token))).status).toBe(401);
    const tables = await runInDurableObject(organisationObject(env, 'A'.repeat(16)), (_, state) =>
      state.storage.sql.exec('SELECT name FROM sqlite_master').toArray(),
    );
    expect(tables.filter(({ name }) => !String(name).startsWith('_cf'))).toEqual([]);
  });

  it('that is good is found behind one that is not', async () => {
    const { token } = await made('acme');
    const headers = { ...bearer(`tg_live_${'A'.repeat(59)}`), 'x-api-key': 'x.y.z', 'x-goog-api-key': token };
    expect((await ask({}, headers)).status).toBe(200);
  });

  it('that is made up is asked about once, and makes nothing go that is remembered', async () => {
    const { token } = await made('acme');
    let asked = 0;
    const ORGANISATION = {
      idFromName: (name: string) => name,
      get: (home: string) => {
        asked += 1;
        return home === token.slice(8, 24) ? organisationObject(env, home) : { standing: () => Promise.resolve() };
      },
    };
    const own = { ...env, ORGANISATION } as unknown as Env;
    expect(await tokenOf(token, own)).toMatchObject({ standing: { organisation: 'acme' } });
    for (let home = 0; home < 1_001; home += 1) {
      const madeUp = newToken(String(home).padStart(16, 'x'));
      for (let times = 0; times < 2; times += 1) expect(await tokenOf(madeUp, own)).toBeUndefined();
    }
    expect(await tokenOf(token, own)).toBeDefined();
    expect(asked).toBe(1_002);
  });

  it('has 256 random bits', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, async () => newToken(await homeOf('acme'))));
    // Fewer bits would be fewer letters, after zeros.
    expect(tokens.filter((token) => token.slice(24).startsWith('000'))).toEqual([]);
    expect(new Set(tokens).size).toBe(50);
  });

  it('is refused in the words of each kind of client', async () => {
    const headers = bearer(`tg_live_${'A'.repeat(59)}`);
    const anthropic = await call('/v1/messages', { method: 'POST', headers, body: '{}' });
    expect([anthropic.status, json(anthropic)]).toMatchObject([
      401,
      { type: 'error', error: { type: 'authentication_error' } },
    ]);
    const google = await call('/v1beta/models/m:generateContent', { method: 'POST', headers, body: '{}' });
    expect(json(google)).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } });
  });

  it('ends with its time, also where it is remembered', async () => {
    const { token } = await made('acme', { expiresInSeconds: 60 });
    expect((await ask({}, bearer(token))).status).toBe(200);
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 40_000);
    // Asked about anew, and remembered for longer than it is good.
    expect((await ask({}, bearer(token))).status).toBe(200);
    clock.mockReturnValue(now + 60_001);
    expect((await ask({}, bearer(token))).status).toBe(401);
    clock.mockRestore();
  });

  it('ends at once where it is revoked, and elsewhere within the time that is promised', async () => {
    const { token, id } = await made('acme');
    const { token: second, id: secondId } = await made('acme');
    expect((await ask({}, bearer(token))).status).toBe(200);
    expect((await ask({}, bearer(second))).status).toBe(200);
    expect((await call(`/api/admin/tokens/${id}?organisation=acme`, { method: 'DELETE' })).status).toBe(200);
    expect((await ask({}, bearer(second))).status).toBe(200);
    expect((await ask({}, bearer(token))).status).toBe(401);
    // As another isolate would do it.
    await (await objectOf('acme')).revokeToken(secondId);
    expect((await ask({}, bearer(second))).status).toBe(200);
    const { token: third, id: thirdId } = await made('acme');
    const { token: another } = await made('acme');
    expect((await ask({}, bearer(third))).status).toBe(200);
    await (await objectOf('acme')).revokeToken(thirdId);
    await forget('acme');
    // Once this isolate was told, no other caller of the organisation brings it back.
    for (const [token, status] of [
      [third, 401],
      [another, 200],
      [third, 401],
    ] as const)
      expect((await ask({}, bearer(token))).status).toBe(status);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + STALE_MS);
    expect((await ask({}, bearer(second))).status).toBe(401);
    clock.mockRestore();
  });

  it('is not made by a body that is no UTF-8: a lenient reader would take other letters than were sent', async () => {
    const body = Uint8Array.from('{"note":"\xff"}', (letter) => letter.charCodeAt(0));
    const answer = await call('/api/admin/tokens?organisation=acme', { method: 'POST', body });
    expect([answer.status, errorOf(answer).tidegate.fields]).toEqual([
      400,
      [{ path: 'body', problem: 'must be JSON' }],
    ]);
  });

  it('says which fields of a wish are wrong, and stores nothing', async () => {
    const answer = await send('POST', '/api/admin/tokens?organisation=acme', {
      ...{ user: 'a b', tier: 'enterprise', scopes: ['operator'], expiresInSeconds: 1.5, colour: 'red' },
    });
    expect(answer.status).toBe(400);
    const paths = errorOf(answer).tidegate.fields?.map(({ path }) => path);
    expect(paths?.sort()).toEqual(['colour', 'expiresInSeconds', 'scopes[0]', 'user']);
    const tier = await send('POST', '/api/admin/tokens?organisation=acme', { tier: 'enterprise' });
    expect(errorOf(tier)).toMatchObject({ code: 'invalid_request', param: 'tier' });
    for (const body of ['', '[]', '{', 'null', '"x"', '['.repeat(60_000)]) {
      const refused = await call('/api/admin/tokens?organisation=acme', { method: 'POST', body });
      expect(refused.status).toBe(400);
    }
    const deep = `{"note":${'{"a":['.repeat(4)}"["${']}'.repeat(4)}}`;
    for (const [body, path] of [
      ['{"tier":"free","tier":"pro"}', 'tier'],
      ['{"tier":"pro","ti\\u0065r":"free"}', 'tier'],
      ['{"scopes":["chat"],"note":"a","scopes":["admin"]}', 'scopes'],
    ]) {
      const twice = await call('/api/admin/tokens?organisation=acme', { method: 'POST', body });
      expect(errorOf(twice).tidegate.fields).toEqual([{ path, problem: 'must not be there twice' }]);
    }
    const nested = await call('/api/admin/tokens?organisation=acme', { method: 'POST', body: deep });
    expect(nested.status).toBe(400);
    expect(errorOf(nested).tidegate.fields).toEqual([
      { path: 'body', problem: 'must not be nested deeper than 8 levels' },
    ]);
    // Brackets in a text nest nothing.
    const flat = await send('POST', '/api/admin/tokens?organisation=acme', { note: '[{\\"['.repeat(9), tier: 'none' });
    expect(errorOf(flat).param).toBe('tier');
    const long = await call('/api/admin/tokens', { method: 'POST', body: `{"note":"${'x'.repeat(70_000)}"}` });
    expect(long.status).toBe(413);
    expect(json(await call('/api/admin/tokens?organisation=acme')).tokens).toEqual([]);
  });
});

describe('scopes', () => {
  it('decide what a token may do, in its own organisation', async () => {
    const { token: chat } = await made('acme');
    const { token: admin } = await made('acme', { scopes: ['admin'] });
    const { id } = await made('other');
    const status = async (method: string, path: string, token: string, body?: unknown) =>
      (await send(method, path, body, bearer(token))).status;

    expect(await status('GET', '/api/admin/tokens', chat)).toBe(403);
    expect((await ask({}, bearer(admin))).status).toBe(403);
    expect(await status('POST', '/api/admin/tokens', admin, { tier: 'free' })).toBe(201);
    // Nothing of another organisation, by its name or by its ids.
    for (const method of ['GET', 'POST']) {
      expect(await status(method, '/api/admin/tokens?organisation=other', admin, {})).toBe(403);
      expect(await status(method, '/api/admin/blocks?organisation=other', admin, { kind: 'user', value: 'u' })).toBe(
        403,
      );
    }
    expect(await status('DELETE', `/api/admin/tokens/${id}`, admin)).toBe(404);
    expect(await status('GET', '/api/admin/organisations', admin)).toBe(403);
    expect(await status('PUT', '/api/admin/organisations/acme', admin, { tiers: ['enterprise'] })).toBe(403);
    expect(await status('GET', '/api/admin/blocks?everywhere', admin)).toBe(403);
    const listed = await send('GET', '/api/admin/tokens', undefined, bearer(admin));
    expect(listed.text).not.toContain(id);
  });

  it('of an admin whom an issuer names leave the tiers alone that the operator gives meanwhile', async () => {
    const caller = { organisation: 'named', tier: 'enterprise', scopes: ['admin'] } as const;
    await forget('named');
    expect(await (await objectOf('named')).standing()).toBeUndefined();
    // This isolate has been told that nobody set it up; another one does.
    expect((await ask({}, bearer('x'))).status).toBe(401);
    const { standingOf } = await import('../../src/organisation/standing');
    expect(await standingOf('named', env)).toBeUndefined();
    await (await objectOf('named')).put('named', ['free']);
    expect(await tiersOf('named', caller, env)).toEqual(['free']);
    expect(await (await objectOf('named')).standing()).toMatchObject({ tiers: ['free'] });
  });

  it('and tiers are those that were set last, at once', async () => {
    const wish = (tier: string) => send('POST', '/api/admin/tokens?organisation=acme', { tier });
    expect([(await wish('pro')).status, (await wish('gold')).status]).toEqual([201, 400]);
    await organised('acme', ['gold']);
    expect([(await wish('pro')).status, (await wish('gold')).status]).toEqual([400, 201]);
    expect(json(await send('POST', '/api/admin/tokens?organisation=acme', { scopes: ['chat', 'chat'] }))).toMatchObject(
      {
        ...{ tier: 'gold', scopes: ['chat'] },
      },
    );
  });

  it('of an admin whom an issuer names are for its own tier', async () => {
    await forget('alone');
    const caller = { organisation: 'alone', tier: 'free', scopes: ['admin'] } as const;
    expect(await tiersOf('alone', caller, env)).toEqual(['free']);
    expect(await (await objectOf('alone')).standing()).toMatchObject({ organisation: 'alone', tiers: ['free'] });
    // The operator knows of it, and of no more than there may be.
    expect(json(await call('/api/admin/organisations'))).toEqual({ organisations: ['acme', 'alone', 'other'] });
    await forget('more');
    const full = { ...env, DIRECTORY: { idFromName: () => '', get: () => ({ add: () => Promise.resolve(false) }) } };
    await expect(tiersOf('more', { ...caller, organisation: 'more' }, full as unknown as Env)).rejects.toMatchObject({
      status: 409,
    });
    expect(await (await objectOf('more')).standing()).toBeUndefined();
  });

  it('of the operator rule over all', async () => {
    const listed = await call('/api/admin/organisations');
    expect(json(listed)).toEqual({ organisations: ['acme', 'other'] });
    expect(json(await call('/api/admin/organisations?limit=1&after=acme'))).toEqual({ organisations: ['other'] });
    const nobody = await call('/api/admin/tokens?organisation=nobody', { method: 'POST', body: '{}' });
    expect([nobody.status, errorOf(nobody).param]).toEqual([404, 'organisation']);
    const odd = await call('/api/admin/tokens?organisation=%20acme');
    expect([odd.status, errorOf(odd).param]).toEqual([400, 'organisation']);
    for (const limit of ['0', '', '1e2', '0x9', '-1', '1001']) {
      expect((await call(`/api/admin/organisations?limit=${limit}`)).status).toBe(400);
    }
    // Its own organisation needs no set-up.
    const own = await send('POST', '/api/admin/tokens', {});
    expect(json(own)).toMatchObject({ organisation: 'default', tier: 'enterprise' });
  });
});

describe('a block', () => {
  const from = (ip: string, token: string) => ({ ...bearer(token), 'cf-connecting-ip': ip });
  const block = (body: unknown, query = '?organisation=acme') => send('POST', `/api/admin/blocks${query}`, body);

  it('keeps an address out of the organisation until it is lifted', async () => {
    const { token } = await made('acme');
    const { token: other } = await made('other');
    expect((await block({ kind: 'ip', value: '192.0.2.7', seconds: 60 })).status).toBe(201);
    const refused = await ask({}, from('192.0.2.7', token));
    expect([refused.status, errorOf(refused).code]).toEqual([403, 'forbidden']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await ask({}, from('::ffff:192.0.2.7', token))).status).toBe(403);
    expect((await ask({}, from('192.0.2.8', token))).status).toBe(200);
    expect((await ask({}, from('192.0.2.7', other))).status).toBe(200);
    expect((await send('DELETE', '/api/admin/blocks/ip/192.0.2.7?organisation=acme')).status).toBe(200);
    expect((await send('DELETE', '/api/admin/blocks/ip/192.0.2.7?organisation=acme')).status).toBe(404);
    expect((await ask({}, from('192.0.2.7', token))).status).toBe(200);
  });

  it('by the operator holds in every organisation, and ends by itself', async () => {
    const { token } = await made('other');
    expect((await block({ kind: 'ip', value: '2001:db8:1:2::9', seconds: 20, everywhere: true })).status).toBe(201);
    const neighbour = from('2001:0db8:0001:0002:ffff::1', token);
    expect((await ask({}, neighbour)).status).toBe(403);
    expect((await ask({}, from('2001:db8:1:3::9', token))).status).toBe(200);
    // The operator himself is never kept out.
    expect((await ask({}, from('2001:db8:1:2::9', env.TIDEGATE_TOKEN))).status).toBe(200);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 20_001);
    expect((await ask({}, neighbour)).status).toBe(200);
    clock.mockRestore();
  });

  it('by the operator is lifted by the operator alone, in every organisation', async () => {
    const lifted = (headers = {}) =>
      send('DELETE', '/api/admin/blocks/ip/192.0.2.9?everywhere', undefined, headers).then(({ status }) => status);
    expect(await lifted()).toBe(404);
    const { token } = await made('other', { scopes: ['chat', 'admin'] });
    expect((await block({ kind: 'ip', value: '192.0.2.9', everywhere: true })).status).toBe(201);
    expect(await lifted(bearer(token))).toBe(403);
    expect((await ask({}, from('192.0.2.9', token))).status).toBe(403);
    expect(await lifted()).toBe(200);
    expect((await ask({}, from('192.0.2.9', token))).status).toBe(200);
    expect(await lifted()).toBe(404);
  });

  it('may also be of a token or of a user', async () => {
    const { token, id } = await made('acme', { user: 'ann' });
    const { token: second } = await made('acme', { user: 'ann' });
    await block({ kind: 'token', value: id });
    expect((await ask({}, bearer(token))).status).toBe(403);
    expect((await ask({}, bearer(second))).status).toBe(200);
    await block({ kind: 'user', value: 'ann' });
    expect((await ask({}, bearer(second))).status).toBe(403);
  });

  it('has no letters that nothing could be found by again', async () => {
    for (const [field, body] of [
      ['value', { kind: 'user', value: '\ud800' }],
      ['note', { kind: 'user', value: 'ann', note: 'x\udfff' }],
    ] as const) {
      const answer = await block(body);
      expect([answer.status, errorOf(answer).param]).toEqual([400, field]);
    }
    expect(json(await call('/api/admin/blocks?organisation=acme'))).toEqual({ blocks: [] });
  });

  it('is of the one whose kind it says, until its end', async () => {
    const { token, id } = await made('acme', { user: 'ann' });
    for (const [kind, value] of [
      ['user', id],
      ['token', 'ann'],
    ])
      await block({ kind, value, seconds: 60 });
    expect((await ask({}, bearer(token))).status).toBe(200);
    await block({ kind: 'token', value: id, seconds: 20 });
    expect((await send('DELETE', `/api/admin/blocks/user/${id}?organisation=acme`)).status).toBe(200);
    expect((await ask({}, bearer(token))).status).toBe(403);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 20_001);
    const { blocks } = json(await call('/api/admin/blocks?organisation=acme'));
    clock.mockRestore();
    expect(blocks).toMatchObject([{ kind: 'token', value: 'ann' }]);
  });

  it('of a network is lifted as the list shows it', async () => {
    await block({ kind: 'ip', value: '2001:db8:1:2::9' });
    const { blocks } = json(await call('/api/admin/blocks?organisation=acme')) as { blocks: { value: string }[] };
    const shown = encodeURIComponent(blocks[0]?.value ?? '');
    expect((await send('DELETE', `/api/admin/blocks/ip/${shown}?organisation=acme`)).status).toBe(200);
    expect(json(await call('/api/admin/blocks?organisation=acme'))).toEqual({ blocks: [] });
  });

  it.each(['ORGANISATION', 'DIRECTORY'])('that cannot be looked up lets nobody in: %s', async (name) => {
    const { token } = await made('acme');
    await forget('acme');
    const down = () => Promise.reject(new Error('down'));
    const broken = { idFromName: () => '', get: () => ({ standing: down, blocks: down }) };
    vi.spyOn(console, 'error').mockReturnValue();
    const answer = await calling({ [name]: broken })('/v1/models', { headers: bearer(token) });
    expect([answer.status, errorOf(answer).code]).toEqual([500, 'internal']);
    vi.restoreAllMocks();
  });

  it('of a token or a user is its organisation’s alone', async () => {
    for (const kind of ['token', 'user']) {
      const answer = await block({ kind, value: 'ann', everywhere: true });
      expect([answer.status, errorOf(answer).param]).toEqual([400, 'everywhere']);
    }
  });

  it.each(['300.1.1.1', '010.1.1.1', '1.2.3', 'localhost', '::', ':::1', '2001:db8::/48', '1.2.3.4/8', ''])(
    'is not of %j',
    async (value) => {
      expect((await block({ kind: 'ip', value })).status).toBe(400);
    },
  );
});

// An organisation that the operator keeps out: whatever its callers come with, and nobody else.

import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, errorOf } from '../client';
import { idp, type Idp } from '../idp';
import { made, organised, send } from '../organisations';
import { calling } from '../started';

let clerk: Idp;
beforeAll(async () => {
  clerk = await idp('blocked', env.STAND_IN);
});
beforeEach(async () => {
  await calm();
  for (const name of ['acme', 'other']) {
    await forget(name);
    await organised(name, ['pro']);
  }
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const block = (fields: Record<string, unknown> = {}, headers = {}) =>
  send('POST', '/api/admin/blocks', { kind: 'organisation', value: 'acme', everywhere: true, ...fields }, headers);

it('lets in neither its tokens, nor its JWTs, nor its sessions, until it is lifted or over', async () => {
  const issuer = { issuer: clerk.issuer, jwks: clerk.jwks, audience: 'tidegate', organisation: 'acme' };
  const as = calling({
    TIDEGATE_AUTH: { issuers: [{ ...issuer, algorithms: ['ES256'] }], session: { jwt: true } },
    TIDEGATE_SESSION_KEY: 'k'.repeat(32),
  });
  const jwt = await clerk.sign();
  const session = JSON.parse((await as('/api/session', { method: 'POST', headers: bearer(jwt) })).text) as {
    token: string;
  };
  const own = [(await made('acme', { scopes: ['chat', 'admin'] })).token, jwt, session.token];
  const { token: other } = await made('other');
  const statuses = () =>
    Promise.all([...own, other].map(async (token) => (await as('/api/ai/status', { headers: bearer(token) })).status));
  expect(await statuses()).toEqual([200, 200, 200, 200]);

  expect((await block({ seconds: 60 })).status).toBe(201);
  expect(await statuses()).toEqual([403, 403, 403, 200]);
  expect((await as('/api/session', { method: 'POST', headers: bearer(jwt) })).status).toBe(403);
  // Nor can its admin undo it, and the operator still rules there.
  const headers = bearer(own[0] ?? '');
  expect((await send('DELETE', '/api/admin/blocks/organisation/acme', undefined, headers)).status).toBe(403);
  expect((await send('GET', '/api/ai/export?organisation=acme')).status).toBe(200);

  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_001);
  expect((await as('/api/ai/status', { headers })).status).toBe(200);
  clock.mockRestore();
  expect((await block()).status).toBe(201);
  expect((await send('DELETE', '/api/admin/blocks/organisation/acme?everywhere')).status).toBe(200);
  expect(await statuses()).toEqual([200, 200, 200, 200]);
});

it('is the operator’s word alone, about a name that can be one', async () => {
  const { token } = await made('other', { scopes: ['chat', 'admin'] });
  expect((await block({}, bearer(token))).status).toBe(403);
  for (const [fields, param] of [
    [{ everywhere: false }, 'everywhere'],
    [{ value: 'no name' }, 'value'],
    [{ kind: 'user' }, 'everywhere'],
  ] as const) {
    const refused = await block(fields);
    expect([refused.status, errorOf(refused).param]).toEqual([400, param]);
  }
});

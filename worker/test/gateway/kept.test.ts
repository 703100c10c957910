import { env } from 'cloudflare:workers';
import { evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { putKey } from '../../src/organisation/keys';
import { directoryObject, forget, organisationOf } from '../../src/organisation/standing';
import { usableToken } from '../../src/organisation/tokens';
import { Recent } from '../../src/recent';
import { calm, call } from '../client';
import { made, organised, send } from '../organisations';

afterEach(() => vi.restoreAllMocks());

describe('what an isolate remembers', () => {
  it('is forgotten after its time, and where the clock was set back', () => {
    const recent = new Recent<number>(10, 1_000);
    const now = Date.now();
    const at = (ms: number) => void vi.spyOn(Date, 'now').mockReturnValue(now + ms);
    for (const [later, found] of [
      [999, 7],
      [1_000, undefined],
      [-1, undefined],
    ] as const) {
      at(0);
      recent.keep('a', 7);
      at(later);
      expect(recent.find('a')).toBe(found);
    }
  });

  it('makes room for what is new: who was not asked for longest goes', () => {
    const recent = new Recent<number>(2, 1_000);
    for (const [name, value] of Object.entries({ a: 1, b: 2 })) recent.keep(name, value);
    expect(recent.find('a')).toBe(1);
    recent.keep('c', 3);
    expect(['a', 'b', 'c'].map((name) => recent.find(name))).toEqual([1, undefined, 3]);
  });
});

describe('what an organisation keeps', () => {
  beforeEach(async () => {
    await calm();
    await forget('acme');
    await organised('acme', ['pro']);
  });
  const sql = async (work: (sql: SqlStorage) => void) =>
    runInDurableObject(await organisationOf('acme', env), (_, state) => work(state.storage.sql));
  const rows = (count: number, insert: string) =>
    sql((sql) => {
      sql.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) ${insert}`);
    });

  it('is no token any more that has come to its end, or was revoked, also where nobody remembers it', async () => {
    const usable = async (id: string, now: number) => {
      let found: string | undefined;
      await sql((sql) => void (found = usableToken(sql, `hash of ${id}`, now)?.id));
      return found;
    };
    const token = (id: string, columns: string, values: string) =>
      `INSERT INTO token (id, hash, tier, scopes, created${columns}) VALUES ('${id}', 'hash of ${id}', 'pro', 'chat', 1${values})`;
    await sql((sql) => {
      sql.exec(token('ends', ', expires', ', 1000'));
      sql.exec(token('stays', '', ''));
      sql.exec(token('ended', ', revoked', ', 5'));
      sql.exec(token('both', ', revoked, expires', ', 5, 1000'));
    });
    expect([await usable('ends', 999), await usable('ends', 1_000), await usable('ends', 1_001)]).toEqual([
      ...['ends', undefined, undefined],
    ]);
    expect(await usable('stays', Number.MAX_SAFE_INTEGER)).toBe('stays');
    // What ends later is revoked all the same, and revoked by a clock that was ahead is revoked.
    for (const id of ['ended', 'both', 'nobody']) expect(await usable(id, 1)).toBeUndefined();
  });

  it('are 5,000 tokens at most', async () => {
    await rows(
      4_999,
      `INSERT INTO token (id, hash, tier, scopes, created) SELECT 't' || i, 'h' || i, 'pro', 'chat', 1 FROM n`,
    );
    await made('acme');
    expect((await send('POST', '/api/admin/tokens?organisation=acme', {})).status).toBe(409);
    // One that ended a month ago makes room.
    await sql((sql) => void sql.exec("UPDATE token SET revoked = 1 WHERE id = 't7'"));
    await made('acme');
  });

  it('are tokens that ended, for a month, until their user is erased', async () => {
    const { id } = await made('acme', { user: 'ann' });
    await made('acme', { user: 'ann' });
    await send('DELETE', `/api/admin/tokens/${id}?organisation=acme`);
    await made('acme');
    const list = async () => {
      const { text } = await call('/api/admin/tokens?organisation=acme');
      return (JSON.parse(text) as { tokens: { id: string }[] }).tokens.map((token) => token.id);
    };
    expect(await list()).toContain(id);
    const erased = await send('DELETE', '/api/ai/users/ann?organisation=acme');
    expect(JSON.parse(erased.text)).toMatchObject({ erased: { tokens: 2 } });
    expect(await list()).toHaveLength(1);
  });

  it('are tables that an older Worker leaves as they are', async () => {
    await made('acme');
    const tables = async () =>
      runInDurableObject(await organisationOf('acme', env), (_, state) =>
        state.storage.sql.exec('SELECT * FROM schema, organisation, token').toArray(),
      );
    await sql((sql) => void sql.exec('UPDATE schema SET version = 99'));
    const before = await tables();
    await evictAllDurableObjects();
    await forget('acme');
    vi.spyOn(console, 'error').mockReturnValue();
    expect((await send('POST', '/api/admin/tokens?organisation=acme', {})).status).toBe(500);
    expect(await tables()).toEqual(before);
  });

  it('are 100,000 organisations at most, which a Worker knows', async () => {
    const insert = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
      INSERT INTO organisation SELECT 'o' || i, 1 FROM n`;
    await runInDurableObject(directoryObject(env), (_, { storage }) => void storage.sql.exec(insert));
    expect([(await organised('one-more', ['free'])).status, (await organised('acme', ['free'])).status]).toEqual([
      409, 200,
    ]);
  });

  it('are 1,000 blocks at most', async () => {
    await rows(999, `INSERT INTO block SELECT 'user', 'u' || i, NULL, 1, 9000000000000 FROM n`);
    const block = async (value: string) =>
      (await send('POST', '/api/admin/blocks?organisation=acme', { kind: 'user', value })).status;
    expect([await block('ann'), await block('bob'), await block('ann')]).toEqual([201, 409, 201]);
  });

  it('are keys of 64 providers at most, each change at a time of its own', async () => {
    await rows(64, `INSERT INTO provider_key SELECT 'p' || i, x'00', 1 FROM n`);
    await sql((sql) => {
      const sealed = new Uint8Array([1]);
      expect(putKey(sql, 'groq', sealed, 5)).toBe(false);
      for (let times = 0; times < 2; times += 1) expect(putKey(sql, 'p7', sealed, 5)).toBe(true);
      expect(sql.exec("SELECT changed FROM provider_key WHERE provider = 'p7'").one()).toEqual({ changed: 6 });
    });
    const key = `gsk_${'Zz9yX8wV'.repeat(7).slice(0, 52)}`;
    expect((await send('PUT', '/api/admin/keys/groq?organisation=acme', { key })).status).toBe(409);
  });
});

describe('what was asked of the Wasm before', () => {
  it('is asked anew for a client of another kind', async () => {
    const refused = async (headers: Record<string, string>) =>
      Object.keys(
        JSON.parse((await call('/v1/models', { headers: { authorization: '', ...headers } })).text) as object,
      );
    expect(await refused({})).toEqual(['error']);
    expect(await refused({ 'anthropic-version': '2023-06-01' })).toContain('type');
    expect(await refused({})).toEqual(['error']);
  });
});

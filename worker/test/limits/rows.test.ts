import { env } from 'cloudflare:workers';
import { evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, it, vi } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { ask, calm, errorOf, journal, script } from '../client';
import { made, organised, send } from '../organisations';
import { bearer } from '../queue';

const ORGANISATION = 'rows';
const sql = <T>(run: (sql: SqlStorage) => T) =>
  runInDurableObject(env.TENANT_LEDGER.get(env.TENANT_LEDGER.idFromName(ORGANISATION)), (_, { storage }) =>
    run(storage.sql),
  );
const rows = () =>
  sql((own) =>
    own
      .exec<{ key: string; row: ArrayBuffer }>('SELECT key, row FROM rows ORDER BY key')
      .toArray()
      .map(({ key, row }) => `${key} ${[...new Uint8Array(row)].join()}`),
  );

beforeEach(calm);

it('a decision of which one row cannot be written writes none, and is not taken', async () => {
  await forget(ORGANISATION);
  await organised(ORGANISATION, ['pro']);
  await script('groq', { outputTokens: 1000 });
  const { token } = await made(ORGANISATION, { tier: 'pro', user: 'ann' });
  expect((await ask({}, bearer(token))).status).toBe(200);
  // The settlement is written by now: nothing but what is asked next changes a row.
  await new Promise((done) => setTimeout(done, 700));
  const before = await rows();
  expect(before.length).toBeGreaterThan(1);
  for (const change of ['INSERT', 'UPDATE']) {
    const full = `BEFORE ${change} ON rows WHEN NEW.key <> 'ledger' BEGIN SELECT RAISE(ABORT, 'full'); END`;
    await sql((own) => void own.exec(`CREATE TRIGGER full_${change} ${full}`));
  }
  await journal();
  const refused = await ask({}, bearer(token));
  expect(refused.status).toBe(500);
  expect(errorOf(refused).code).toBe('internal');
  expect(await journal()).toEqual([]);
  expect(await rows()).toEqual(before);

  await sql((own) => void own.exec('DROP TRIGGER full_INSERT; DROP TRIGGER full_UPDATE'));
  expect((await ask({}, bearer(token))).status).toBe(200);
  expect(await rows()).not.toEqual(before);
});

it('a user who is erased has rows again once they ask again, and none of them goes where one cannot', async () => {
  await forget(ORGANISATION);
  await organised(ORGANISATION, ['pro']);
  const asks = async () => {
    const { token } = await made(ORGANISATION, { tier: 'pro', user: 'ann' });
    expect((await ask({}, bearer(token))).status).toBe(200);
    await new Promise((done) => setTimeout(done, 700));
  };
  const keys = async () => (await rows()).map((row) => row.split(' ')[0]).filter((key) => key === 'uann');
  const erase = async () => (await send('DELETE', `/api/ai/users/ann?organisation=${ORGANISATION}`)).status;
  for (const kind of ['u', 't']) {
    await asks();
    expect(await keys()).toEqual(['uann']);
    const before = await rows();
    const stays = `BEFORE DELETE ON rows WHEN OLD.key GLOB '${kind}*' BEGIN SELECT RAISE(ABORT, 'full'); END`;
    await sql((own) => void own.exec(`CREATE TRIGGER stays ${stays}`));
    expect(await erase()).toBe(500);
    expect(await rows()).toEqual(before);
    await sql((own) => void own.exec('DROP TRIGGER stays'));
  }
  // At the same time a row is owed the same as the one that went.
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
  await asks();
  expect(await erase()).toBe(200);
  expect(await keys()).toEqual([]);
  // Nor are there books of the tokens that ended when the ledger could not follow.
  expect((await rows()).filter((row) => row.startsWith('t'))).toEqual([]);
  await asks();
  clock.mockRestore();
  expect(await keys()).toEqual(['uann']);
});

it('a row that cannot be read keeps its user out, and nobody who is decided together with them', async () => {
  await forget(ORGANISATION);
  await organised(ORGANISATION, ['pro']);
  const callers = await Promise.all(
    ['ann', 'bob'].map(async (user) => bearer((await made(ORGANISATION, { tier: 'pro', user })).token)),
  );
  for (const headers of callers) expect((await ask({}, headers)).status).toBe(200);
  await new Promise((done) => setTimeout(done, 700));
  await sql((own) => void own.exec("UPDATE rows SET row = x'09' WHERE key = 'uann'"));
  await evictAllDurableObjects();
  // So many are decided in one turn.
  const all = [...callers, ...callers, ...callers, ...callers];
  const answers = await Promise.all(all.map((headers) => ask({}, headers)));
  const told = answers.map((answer) => (answer.status === 200 ? 'ok' : errorOf(answer).code));
  expect(told).toEqual(all.map((headers) => (headers === callers[0] ? 'vault_corrupt' : 'ok')));
  expect(await rows()).toContain('uann 9');
  // Whoever runs it may have them begin anew.
  expect((await send('DELETE', `/api/ai/users/ann?organisation=${ORGANISATION}`)).status).toBe(200);
  const { token } = await made(ORGANISATION, { tier: 'pro', user: 'ann' });
  expect((await ask({}, bearer(token))).status).toBe(200);
});

it('counts that could not be written are read anew, and what comes is decided', async () => {
  await forget(ORGANISATION);
  await organised(ORGANISATION, ['pro']);
  const headers = bearer((await made(ORGANISATION, { tier: 'pro', user: 'ann' })).token);
  const body = { messages: [{ role: 'user', content: 'counted alone' }] };
  const left = async () => Number((await ask(body, headers)).headers.get('x-ratelimit-remaining'));
  expect(await left()).toBe(29);
  await new Promise((done) => setTimeout(done, 700));
  const before = await rows();
  const log = vi.spyOn(console, 'error').mockReturnValue();
  const full = `BEFORE UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'full'); END`;
  await sql((own) => void own.exec(`CREATE TRIGGER full ${full}`));
  // A hit is only counted.
  expect(await left()).toBe(28);
  await vi.waitUntil(() => log.mock.calls.some(([text]) => text === 'ledger: not written:'), { timeout: 5_000 });
  log.mockRestore();
  expect(await rows()).toEqual(before);
  await sql((own) => void own.exec('DROP TRIGGER full'));
  // The ledger knows no more than its rows do.
  expect(await left()).toBe(28);
});

it('rows to which nothing is owed go once there are more than 100,000, the oldest first', async () => {
  const ledger = env.TENANT_LEDGER.get(env.TENANT_LEDGER.idFromName(ORGANISATION));
  expect(await ledger.eraseUser('nobody', [])).toBe(true);
  await sql((own) => {
    const some = (count: number, kind: string, owed: number) =>
      own.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
        INSERT INTO rows SELECT '${kind}' || i, x'09', ${owed} FROM n`);
    some(50, 'uold', 1);
    some(50, 'uolder', 0);
    some(99_960, 'uowed', 9e15);
  });
  await runInDurableObject(ledger, async (own) => {
    for (let times = 0; times < 4_096; times += 1) own.eraseUser('nobody', []);
    await Promise.resolve();
  });
  const count = (kind: string) =>
    sql((own) => own.exec<{ n: number }>(`SELECT count(*) AS n FROM rows WHERE key GLOB '${kind}[0-9]*'`).one().n);
  expect([await count('uolder'), await count('uowed')]).toEqual([0, 99_960]);
  expect(await count('uold')).toBeLessThan(50);
  expect(await count('uold')).toBeGreaterThan(30);
});

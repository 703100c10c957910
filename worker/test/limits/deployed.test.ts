// Another configuration over what was stored under the one before: nothing is lost by it, and nobody is answered 500.

import { env } from 'cloudflare:workers';
import { evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, it } from 'vitest';

import { drop } from '../../src/gates';
import { forget } from '../../src/organisation/standing';
import { calm, errorOf, question, script, until, type Answer } from '../client';
import { made, organised } from '../organisations';
import { bearer, object, PATH, type Status } from '../queue';
import { calling } from '../started';

const ORGANISATION = 'deployed';
type Config = Record<string, unknown> & { rates: { tiers: object }; budgets: object[] };
/** With a queue that is quick. */
const queue = { baseMs: 50, capMs: 400 };
const BEFORE = { ...(JSON.parse(env.TIDEGATE_CONFIG as unknown as string) as Config), queue };
const CENT = 10_000_000;

/** The Worker as it is after a deploy: whatever was at hand is gone, and what is stored is read anew. */
async function deployed(config: object): Promise<ReturnType<typeof calling>> {
  const TIDEGATE_CONFIG = JSON.stringify(config);
  await evictAllDurableObjects();
  drop(ORGANISATION);
  await forget(ORGANISATION);
  const ledger = env.TENANT_LEDGER.get(env.TENANT_LEDGER.idFromName(ORGANISATION));
  for (const stub of [ledger, object(ORGANISATION)] as DurableObjectStub[]) {
    await runInDurableObject(stub, (instance) => void Reflect.set(instance, 'env', { ...env, TIDEGATE_CONFIG }));
  }
  return calling({ TIDEGATE_CONFIG });
}

let headers: { authorization: string };
let call: ReturnType<typeof calling>;
beforeEach(async () => {
  await calm();
  await script('groq', { outputTokens: 1000 });
  await forget(ORGANISATION);
  await organised(ORGANISATION, ['pro']);
  headers = bearer((await made(ORGANISATION, { tier: 'pro', user: 'ann', scopes: ['chat', 'admin'] })).token);
  call = await deployed(BEFORE);
});

const ask = () => {
  const body = JSON.stringify({ messages: [{ role: 'user', content: question() }], max_tokens: 1000 });
  return call('/v1/chat/completions', { method: 'POST', headers, body });
};
const codeOf = (answer: Answer) => (answer.status === 200 ? 'ok' : errorOf(answer).code);

interface Book {
  of: string;
  per: string;
  limitNanoUsd: number;
  spentNanoUsd: number;
  reservedNanoUsd: number;
}
/** What the books say, in cents: limit, spent, reserved. */
async function books(): Promise<Record<string, number[]>> {
  const answer = await call('/api/ai/status', { headers });
  expect(answer.status, answer.text).toBe(200);
  const { limits } = JSON.parse(answer.text) as { limits: { budgets: Book[] } };
  const cents = (one: Book) => [one.limitNanoUsd, one.spentNanoUsd, one.reservedNanoUsd].map((nano) => nano / CENT);
  return Object.fromEntries(limits.budgets.map((one) => [`${one.of} ${one.per}`, cents(one)]));
}
/** Spends cents. Waits for settlements, which follow their answers. */
async function spend(count: number): Promise<void> {
  for (let times = 0; times < count; times += 1) expect(codeOf(await ask())).toBe('ok');
  await until(async () => Object.values(await books()).every(([, , reserved]) => reserved === 0));
}

it('a tier that goes, or has another name, lets its callers on at the slowest rate, and what they spent is known', async () => {
  await spend(3);
  const { pro, ...others } = BEFORE.rates.tiers as Record<string, object>;
  for (const tiers of [others, { ...others, gold: pro }]) {
    call = await deployed({ ...BEFORE, budgets: [], rates: { ...BEFORE.rates, tiers } });
    expect(await books()).toEqual({ 'organisation day': [20, 3, 0] });
    expect((await call('/api/admin/tokens', { headers })).status).toBe(200);
  }
  await spend(1);
  call = await deployed(BEFORE);
  expect(await books()).toEqual({ 'organisation day': [20, 4, 0], 'token week': [12, 3, 0] });
});

it('a budget of a tier that is no more holds for those who have it', async () => {
  const { pro: _, ...tiers } = BEFORE.rates.tiers as Record<string, object>;
  await spend(2);
  call = await deployed({ ...BEFORE, rates: { ...BEFORE.rates, tiers } });
  await spend(1);
  expect((await books())['token week']).toEqual([12, 3, 0]);
});

it('a cap below what is spent and held refuses until there is room, and ends what runs as it was admitted', async () => {
  await spend(3);
  await script('groq', { hold: true, outputTokens: 1000 });
  const running = ask();
  await until(async () => (await books())['token week']?.[2] === 1);
  const { budget } = BEFORE as unknown as { budget: object };
  const lower = {
    ...BEFORE,
    budget: { ...budget, limitUsd: '0.02' },
    budgets: [{ of: 'token', per: 'week', limitUsd: '0.01' }],
  };
  call = await deployed(lower);
  expect(codeOf(await ask())).toBe('budget_exceeded');
  expect(await books()).toEqual({ 'organisation day': [2, 3, 1], 'token week': [1, 3, 1] });
  await script('groq', { outputTokens: 1000 });
  expect(codeOf(await running)).toBe('ok');
  await until(async () => (await books())['token week']?.[2] === 0);
  expect(await books()).toEqual({ 'organisation day': [2, 4, 0], 'token week': [1, 4, 0] });
  call = await deployed(BEFORE);
  await spend(1);
  expect(await books()).toEqual({ 'organisation day': [20, 5, 0], 'token week': [12, 5, 0] });
});

it('a budget of another span begins with nothing, and the one before is as it was left', async () => {
  await spend(2);
  call = await deployed({ ...BEFORE, budgets: [{ of: 'token', per: 'month', limitUsd: '0.03' }] });
  expect(await books()).toEqual({ 'organisation day': [20, 2, 0], 'token month': [3, 0, 0] });
  await spend(3);
  expect(codeOf(await ask())).toBe('budget_exceeded');
  call = await deployed(BEFORE);
  expect(await books()).toEqual({ 'organisation day': [20, 5, 0], 'token week': [12, 2, 0] });
});

it('another time zone finds the day again that it has in common, and the old one finds its own', async () => {
  await spend(2);
  const { budget } = BEFORE as unknown as { budget: object };
  const now = new Date();
  // Twelve hours to either side: one of them has another date.
  for (const timeZone of ['Etc/GMT+12', 'Etc/GMT-12']) {
    call = await deployed({ ...BEFORE, budget: { ...budget, timeZone } });
    const date = new Intl.DateTimeFormat('en-CA', { timeZone }).format(now);
    const same = date === now.toISOString().slice(0, 10);
    expect((await books())['organisation day']).toEqual([20, same ? 2 : 0, 0]);
  }
  call = await deployed(BEFORE);
  expect((await books())['organisation day']).toEqual([20, 2, 0]);
});

it('a target that goes while it rests, runs and is waited for keeps nothing held and nothing waiting', async () => {
  const queued = async (fields: object) => {
    const messages = [{ role: 'user', content: question() }];
    const body = JSON.stringify({ messages, max_tokens: 1000, maxRetries: 3, timeoutMs: 20_000, ...fields });
    const answer = await call(PATH, { method: 'POST', headers, body });
    expect(answer.status, answer.text).toBe(202);
    return (JSON.parse(answer.text) as Status).requestId;
  };
  // Its breaker is open, and requests wait for it by its name and without.
  await script('groq', { status: 500, body: '{}' });
  const ids = [await queued({ provider: 'groq', model: 'priced' }), await queued({})];
  await until(async () => {
    const answer = await call('/api/ai/status', { headers });
    return /"breaker":"open"/.test(answer.text);
  });
  const targets = [{ provider: 'openrouter', model: 'priced' }];
  const prices = [{ provider: 'openrouter', model: 'priced', inputUsd: '0', outputUsd: '10' }];
  await script('openrouter', { outputTokens: 1000 });
  call = await deployed({ ...BEFORE, targets, prices });
  expect(codeOf(await ask())).toBe('ok');
  const status = async (id: string) =>
    JSON.parse((await call(`${PATH}?action=status&requestId=${id}`, { headers })).text) as Status;
  for (const id of ids) await until(async () => ['completed', 'dead'].includes((await status(id)).status));
  expect((await status(ids[1] ?? '')).status).toBe('completed');
  // Whoever named it is told that there is no such target any more.
  const fields = [{ path: 'model', problem: expect.stringContaining('configured target') as string }];
  expect(await status(ids[0] ?? '')).toMatchObject({ status: 'dead', error: { code: 'invalid_request', fields } });
  await until(async () => Object.values(await books()).every(([, , reserved]) => reserved === 0));
  // It comes back, and its breaker is what it was, or half-open by now.
  call = await deployed(BEFORE);
  await script('groq', { outputTokens: 1000 });
  await until(async () => codeOf(await ask()) === 'ok');
});

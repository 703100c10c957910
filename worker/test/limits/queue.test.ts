import { beforeEach, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { ask, calm, call, seen, until } from '../client';
import { made, organised } from '../organisations';
import { bearer, enqueued, PATH } from '../queue';

beforeEach(async () => {
  await calm();
  await forget('acme');
  await organised('acme', ['free', 'pro']);
});

const stats = async (headers: Record<string, string>) =>
  JSON.parse((await call(`${PATH}?action=stats`, { headers })).text) as Record<string, number>;

/** Queues so many, waits until none of them runs or could at once; how many were answered. */
async function answered(count: number, headers: Record<string, string>): Promise<number> {
  for (let sent = 0; sent < count; sent += 1) await enqueued({ max_tokens: 1_000 }, headers);
  let now: Record<string, number> = {};
  await until(async () => {
    now = await stats(headers);
    return (now.queued ?? 0) + (now.running ?? 0) === 0;
  });
  expect((now.completed ?? 0) + (now.delayed ?? 0)).toBe(count);
  return now.completed ?? 0;
}

it('the queue is no way around the rate of a user', async () => {
  const headers = bearer((await made('acme', { tier: 'free', user: 'ann' })).token);
  expect(await answered(8, headers)).toBe(5);
  expect((await ask({}, headers)).status).toBe(429);
  // Another one's is its own.
  expect((await ask({}, bearer((await made('acme', { tier: 'free', user: 'bob' })).token))).status).toBe(200);
  expect((await seen()).length).toBe(6);
});

it('the queue is no way around the budget of a token', async () => {
  const { token } = await made('acme', { tier: 'pro', user: 'ann' });
  const spent = async () => {
    const { limits } = JSON.parse((await call('/api/ai/status', { headers: bearer(token) })).text) as {
      limits: { budgets: { of: string; spentNanoUsd: number }[] };
    };
    return limits.budgets.find((one) => one.of === 'token')?.spentNanoUsd;
  };
  expect(await answered(3, bearer(token))).toBe(3);
  expect(await spent()).toBe(3 * 50_000);
});

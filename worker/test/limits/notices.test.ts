import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { noticed } from '../../src/notices';
import { forget } from '../../src/organisation/standing';
import { ask, calm, script } from '../client';
import { made, organised } from '../organisations';
import { bearer } from '../queue';

const lines: Record<string, unknown>[] = [];

beforeEach(async () => {
  await calm();
  lines.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)));
});
afterEach(() => vi.restoreAllMocks());

it('the log tells once of each budget that it reaches a threshold, and whose', async () => {
  await forget('acme');
  await organised('acme', ['pro', 'enterprise']);
  const ledger = env.TENANT_LEDGER.get(env.TENANT_LEDGER.idFromName('acme'));
  await runInDurableObject(ledger, (object) => Reflect.set(object, 'env', { ...env, TIDEGATE_LOG: 'errors' }));
  // A cent each: of 12 for the token, of 20 for all.
  await script('groq', { outputTokens: 1000 });
  const pro = await made('acme', { tier: 'pro', user: 'ann' });
  const enterprise = await made('acme', { tier: 'enterprise', user: 'bob' });
  for (let asked = 0; asked < 12; asked += 1) expect((await ask({}, bearer(pro.token))).status).toBe(200);
  for (let asked = 0; asked < 8; asked += 1) expect((await ask({}, bearer(enterprise.token))).status).toBe(200);
  expect((await ask({}, bearer(enterprise.token))).status).toBe(402);
  await vi.waitUntil(() => lines.length >= 6);
  const told = lines.map(({ of, token, percent }) => [of ?? 'organisation', token, percent]);
  expect(told.filter(([of]) => of === 'token')).toEqual([80, 95, 100].map((percent) => ['token', pro.id, percent]));
  expect(told.filter(([of]) => of !== 'token').map(([, , percent]) => percent)).toEqual([80, 95, 100]);
  expect(lines[0]).toMatchObject({ event: 'budget-threshold', level: 'warn', organisation: 'acme', per: 'week' });
  expect(JSON.stringify(lines)).not.toMatch(/question|heard|ann|bob/);
});

it('a user is told apart and not named, and nothing is told that nobody needs', async () => {
  const told = { of: 'user', per: 'day', who: 'ann', percent: 80, spentNanoUsd: 8, limitNanoUsd: 10, at: 1 };
  await noticed('acme', 'budget-threshold', JSON.stringify(told), { ...env, TIDEGATE_LOG: 'all' });
  await noticed('acme', 'lease-expired', '{"at":1}', { ...env, TIDEGATE_LOG: 'all' });
  await noticed('acme', 'budget-threshold', JSON.stringify(told), { ...env, TIDEGATE_LOG: 'none' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ of: 'user', percent: 80, user: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
  expect(JSON.stringify(lines)).not.toContain('ann');
});

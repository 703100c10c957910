import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it, vi } from 'vitest';

import { told } from '../../src/figures/counted';
import { forget } from '../../src/organisation/standing';
import { calm, call, script } from '../client';
import { made, organised } from '../organisations';
import { bearer, enqueued, object, reached } from '../queue';

beforeEach(async () => {
  await told('acme');
  await calm();
  await forget('acme');
  await organised('acme', ['pro']);
});

const sample = (text: string, name: string) => Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1] ?? 0);
const count = (text: string, outcome: string) =>
  sample(text, `tidegate_requests_total\\{dialect="queue",outcome="${outcome}"\\}`);

it('what was queued counts as what was asked at once: in figures, usage and the log', async () => {
  const lines: Record<string, unknown>[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  await runInDurableObject(object('acme'), (queue) => Reflect.set(queue, 'env', { ...env, TIDEGATE_LOG: 'all' }));
  const ann = bearer((await made('acme', { user: 'ann', scopes: ['chat', 'metrics'] })).token);
  const { requestId } = await enqueued({}, ann);
  const done = await reached(requestId, ['completed'], ann);
  await vi.waitUntil(() => lines.some(({ dialect }) => dialect === 'queue'));
  const text = (await call('/metrics', { headers: ann })).text;
  expect(count(text, 'ok')).toBe(1);
  const cost = done.result?.tidegate.costNanoUsd ?? 0;
  expect(cost).toBeGreaterThan(0);
  expect(sample(text, 'tidegate_cost_nano_usd_total')).toBe(cost);
  const { usage } = JSON.parse((await call('/api/ai/usage', { headers: ann })).text) as { usage: unknown[] };
  expect(usage).toMatchObject([{ user: 'ann', requests: 1, costNanoUsd: cost }]);
  const [line] = lines.filter(({ dialect }) => dialect === 'queue');
  expect(line).toMatchObject({ event: 'request', code: 'ok', organisation: 'acme', costNanoUsd: cost });
  expect(line).toHaveProperty('firstMs');
  expect(JSON.stringify(line)).not.toMatch(/question|heard|ann/);
});

it('a try that fails is counted by its code', async () => {
  const ann = bearer((await made('acme', { user: 'ann', scopes: ['chat', 'metrics'] })).token);
  await script('groq', { status: 400, body: '{"error":{"message":"no"}}' });
  const { requestId } = await enqueued({}, ann);
  await reached(requestId, ['dead'], ann);
  await vi.waitUntil(async () => count((await call('/metrics', { headers: ann })).text, 'upstream_rejected') === 1);
});

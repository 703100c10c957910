import { beforeEach, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, call, errorOf, journal, script, seen, until } from '../client';
import { made, organised, send } from '../organisations';
import { about, bearer, enqueue, enqueued, kept, PATH, reached, statusIn } from '../queue';

beforeEach(calm);

interface Asked {
  messages: { content: string }[];
}

const ask = (content: string, priority: string) => ({ messages: [{ role: 'user', content }], priority });

it('runs the urgent first and equals in their order', async () => {
  await script('groq', { hold: true });
  const { requestId: first } = await enqueued(ask('first', 'low'));
  await reached(first, ['running']);
  for (const [content, priority] of [
    ['low', 'low'],
    ['normal', 'normal'],
    ['critical', 'critical'],
  ] as const) {
    await enqueued(ask(content, priority));
  }
  const { requestId: last } = await enqueued(ask('normal again', 'normal'));
  expect(statusIn(await about('GET', 'status', last)).ahead).toBe(2);
  await script('groq');
  await until(async () => (await seen()).length === 5);
  const asked = (await journal()).map(({ body }) => (JSON.parse(body) as Asked).messages[0]?.content);
  expect(asked).toEqual(['first', 'critical', 'normal', 'normal again', 'low']);
});

it('ends what waits at its deadline, also while all hands are busy for longer', async () => {
  await script('groq', { hold: true });
  const { requestId: first } = await enqueued();
  await reached(first, ['running']);
  const { requestId: hasty } = await enqueued({ timeoutMs: 300 });
  expect(await reached(hasty, ['dead'])).toMatchObject({ code: 'timeout', attempts: 0 });
  expect(statusIn(await about('GET', 'status', first))).toMatchObject({ status: 'running', failures: 0 });
  await script('groq');
  await reached(first, ['completed']);
});

it('is full when as many wait and run as it takes', async () => {
  await script('groq', { hold: true });
  for (let count = 0; count < 5; count += 1) await enqueued();
  const refused = await enqueue({ priority: 'critical' });
  expect([refused.status, errorOf(refused).code, refused.headers.get('retry-after')]).toEqual([503, 'queue_full', '1']);
  const stats = JSON.parse((await call(`${PATH}?action=stats`)).text) as { queued: number; running: number };
  expect(stats.queued + stats.running).toBe(5);
  await script('groq');
  await until(async () => (await enqueue()).status === 202);
});

it('gives no user more room than is left for others, and has an erased one’s again', async () => {
  await forget('full');
  await organised('full', ['pro']);
  const [ann, bob, cay] = await Promise.all(
    ['ann', 'bob', 'cay'].map(async (user) => bearer((await made('full', { user })).token)),
  );
  const fill = async (headers?: Record<string, string>) => {
    for (let count = 0; ; count += 1) {
      const answer = await enqueue({}, headers);
      if (answer.status === 202) continue;
      expect([answer.status, errorOf(answer).code]).toEqual([503, 'queue_full']);
      return count;
    }
  };
  await script('groq', { hold: true });
  expect([await fill(ann), await fill(bob), await fill(cay), await fill(ann)]).toEqual([3, 1, 1, 0]);
  expect((await send('DELETE', '/api/ai/users/ann?organisation=full')).status).toBe(200);
  expect([await fill(bob), await fill(cay)]).toEqual([1, 1]);
  await script('groq');
});

it('knows how much room a user has who took some back', async () => {
  await forget('shared');
  await organised('shared', ['pro']);
  const [ann, bob] = await Promise.all(
    ['ann', 'bob'].map(async (user) => bearer((await made('shared', { user })).token)),
  );
  await script('groq', { hold: true });
  const own = [await enqueued({}, ann), await enqueued({}, ann), await enqueued({}, ann)];
  expect((await enqueue({}, ann)).status, 'three of five are as many as one may have').toBe(503);
  for (const { requestId } of own.slice(1)) expect((await about('POST', 'cancel', requestId, ann)).status).toBe(200);
  for (let count = 0; count < 2; count += 1) await enqueued({}, bob);
  await enqueued({}, ann);
  expect((await enqueue({}, ann)).status).toBe(503);
  await script('groq');
});

it('has as much room for a user who was erased as for a new one', async () => {
  await forget('erased');
  await organised('erased', ['pro']);
  const { token } = await made('erased', { scopes: ['chat', 'admin'] });
  const headers = bearer(token);
  await script('groq', { hold: true });
  const own = async (user: string) => (await enqueue({ user }, headers)).status;
  expect([await own('ann'), await own('ann'), await own('ann'), await own('ann')]).toEqual([202, 202, 202, 503]);
  expect((await call('/api/ai/users/ann', { method: 'DELETE', headers })).status).toBe(200);
  expect([await own('bob'), await own('bob'), await own('ann'), await own('ann')]).toEqual([202, 202, 202, 202]);
  await script('groq');
});

it('erases what is done after its time to live, by itself', async () => {
  const { requestId } = await enqueued(ask('kept for a moment', 'normal'));
  await reached(requestId, ['completed']);
  expect(await kept()).toHaveLength(1);
  await until(async () => (await kept()).length === 0);
  expect((await about('GET', 'status', requestId)).status).toBe(404);
  expect((await call(`${PATH}?action=stats`)).text).toContain('"completed":0');
});

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { calm, call, errorOf, journal, script, until } from '../client';
import { about, enqueue, enqueued, kept, PATH, reached, statusIn } from '../queue';

beforeEach(calm);

const DOWN = { status: 500 };

describe('a queued request', () => {
  it('is answered later, once, with the account of the gateway', async () => {
    const asked = {
      messages: [{ role: 'user', content: 'a very private question' }],
      user: 'ann',
      conversation: 'c-1',
    };
    const { requestId, status, priority } = await enqueued(asked);
    expect(requestId).toMatch(/^rq_[0-9a-f]{44}$/);
    expect(['queued', 'running']).toContain(status);
    expect(priority).toBe('normal');
    const done = await reached(requestId, ['completed']);
    expect(done).toMatchObject({ attempts: 1, failures: 0, user: 'ann', conversation: 'c-1' });
    expect(done.result?.choices[0]?.message.content).toBe('groq heard: a very private question');
    expect(done.result?.tidegate.target).toBe('groq/openai/gpt-oss-20b');
    expect(done.erasedAt).toBe((done.endedAt ?? 0) + 86_400_000);
    expect(await journal()).toHaveLength(1);
  });

  it('has an id of its own, also beside others of the same millisecond', async () => {
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await enqueued()).requestId));
    clock.mockRestore();
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) await reached(id, ['completed']);
  });

  it('is kept sealed, and the question goes when the answer is there', async () => {
    await script('groq', { hold: true });
    const { requestId } = await enqueued({ messages: [{ role: 'user', content: 'a private question' }], user: 'ann' });
    await reached(requestId, ['running']);
    const [during] = await kept();
    await script('groq');
    await reached(requestId, ['completed']);
    const [after] = await kept();
    for (const row of [during, after]) {
      expect(row).toMatch(/TGVT/);
      expect(row).not.toMatch(/private|heard|ann|openai/);
    }
    expect(during?.match(/TGVT/g)).toHaveLength(1);
    expect(after?.match(/TGVT/g)).toHaveLength(1);
  });

  it('goes to the provider and model that it names', async () => {
    const { requestId } = await enqueued({ provider: 'openrouter', model: 'qwen/qwen3-coder:free' });
    const done = await reached(requestId, ['completed']);
    expect(done.result?.tidegate.target).toBe('openrouter/qwen/qwen3-coder:free');
    expect((await journal()).map(({ provider }) => provider)).toEqual(['openrouter']);
  });

  it('is the same request under the same key, in the body or as a header', async () => {
    const messages = [{ role: 'user', content: 'once' }];
    const first = await enqueued({ messages, idempotencyKey: 'k' });
    const again = await enqueued({ messages }, { 'idempotency-key': 'k' });
    expect(again.requestId).toBe(first.requestId);
    await reached(first.requestId, ['completed']);
    expect((await enqueued({ messages, idempotencyKey: 'k' })).requestId).toBe(first.requestId);
    const other = await enqueue({ messages: [{ role: 'user', content: 'twice' }], idempotencyKey: 'k' });
    expect([other.status, errorOf(other).param]).toEqual([422, 'idempotencyKey']);
    expect((await enqueued({ messages, idempotencyKey: 'l' })).requestId).not.toBe(first.requestId);
    await until(async () => (await call(`${PATH}?action=stats`)).text.includes('"completed":2'));
    expect(await journal()).toHaveLength(2);
  });

  it('waits after a failure, is tried again, and then answered', async () => {
    await script('groq', DOWN);
    await script('openrouter', DOWN);
    const { requestId } = await enqueued({ maxRetries: 10 });
    await until(async () => statusIn(await about('GET', 'status', requestId)).failures >= 2);
    await script('groq');
    const done = await reached(requestId, ['completed']);
    expect(done.failures).toBeGreaterThanOrEqual(2);
    expect(done.attempts).toBe(done.failures + 1);
  });

  it('is a dead letter after its retries, and can be queued again', async () => {
    await script('groq', DOWN);
    await script('openrouter', DOWN);
    const { requestId } = await enqueued({ maxRetries: 1 });
    const dead = await reached(requestId, ['dead']);
    expect(dead).toMatchObject({
      attempts: 2,
      failures: 2,
      code: 'upstream_failed',
      error: { code: 'upstream_failed' },
    });
    expect(JSON.stringify(dead)).not.toMatch(/question/);
    const listed = JSON.parse((await call(`${PATH}?action=dead`)).text) as { dead: unknown[] };
    expect(listed.dead).toEqual([dead]);
    await script('groq');
    expect((await about('POST', 'requeue', requestId)).status).toBe(200);
    const done = await reached(requestId, ['completed']);
    expect(done).toMatchObject({ attempts: 3, failures: 0 });
    expect((await about('POST', 'requeue', requestId)).status).toBe(409);
    expect((await call(`${PATH}?action=dead`)).text).toBe('{"dead":[]}');
  });

  it('that no provider will ever take is dead at once', async () => {
    await script('groq', { status: 400, body: '{"error":{"message":"no"}}' });
    const { requestId } = await enqueued();
    expect(await reached(requestId, ['dead'])).toMatchObject({ attempts: 1, code: 'upstream_rejected' });
  });

  it('can be taken back, before and while it runs', async () => {
    await script('groq', { hold: true });
    const { requestId: running } = await enqueued();
    await until(async () => (await reached(running, ['running'])).attempts === 1);
    const cancelled = statusIn(await about('DELETE', '', running));
    expect(cancelled.status).toBe('cancelled');
    await script('groq');
    expect(await reached(running, ['cancelled'])).toMatchObject({ attempts: 1 });
    expect(statusIn(await about('POST', 'cancel', running)).status).toBe('cancelled');
    const { requestId: done } = await enqueued();
    await reached(done, ['completed']);
    expect(statusIn(await about('DELETE', '', done)).status).toBe('completed');
  });

  it('is given up at its deadline', async () => {
    await script('groq', { hold: true });
    const { requestId } = await enqueued({ timeoutMs: 200 });
    expect(await reached(requestId, ['dead'])).toMatchObject({ code: 'timeout', attempts: 1 });
    await script('groq');
  });
});

it('tells figures and cleans up', async () => {
  await script('groq', { hold: true });
  for (const priority of ['low', 'critical', 'normal', 'normal', 'high', 'low']) await enqueued({ priority });
  const figures = async () => JSON.parse((await call(`${PATH}?action=stats`)).text) as Record<string, number>;
  await until(async () => (await figures()).running === 4);
  expect(await figures()).toMatchObject({ queued: 2, open: { critical: 1, high: 1, normal: 2, low: 2 }, shards: 1 });
  expect((await figures()).oldestQueuedAt).toBeGreaterThan(Date.now() - 10_000);
  await script('groq');
  await until(async () => (await figures()).completed === 6);
  expect(JSON.parse((await call(`${PATH}?action=cleanup`)).text)).toEqual({ changed: 0, erased: 0 });
});

describe('what cannot be queued is told by its field', () => {
  it.each([
    ['messages', { messages: [] }, 400],
    ['priority', { priority: 'urgent' }, 400],
    ['maxRetries', { maxRetries: -1 }, 400],
    ['timeoutMs', { timeoutMs: 1e9 }, 400],
    ['stream', { stream: true }, 400],
    ['model', { provider: 'groq' }, 400],
    ['organisation', { organisation: 'another' }, 403],
  ])('%s', async (param, fields, status) => {
    const answer = await enqueue(fields);
    expect([answer.status, errorOf(answer).param]).toEqual([status, param]);
  });

  it('and actions, methods and ids that are none', async () => {
    expect((await call(`${PATH}?action=other`)).status).toBe(400);
    expect((await call(`${PATH}?action=other`, { method: 'POST', body: '{}' })).status).toBe(400);
    expect((await call(PATH, { method: 'PUT' })).status).toBe(405);
    const without = await call(PATH);
    expect([without.status, errorOf(without).param]).toEqual([400, 'requestId']);
    for (const id of ['', 'rq_', `rq_${'0'.repeat(44)}`, 'x'.repeat(5_000)]) {
      for (const method of ['GET', 'DELETE']) {
        expect((await call(`${PATH}?requestId=${id}`, { method })).status).toBe(404);
      }
    }
    expect((await call(PATH, { method: 'POST', body: '{' })).status).toBe(400);
    const bytes = Uint8Array.from('{"messages":[{"role":"user","content":"\xff"}]}', (letter) => letter.charCodeAt(0));
    const odd = await call(PATH, { method: 'POST', body: bytes });
    expect([odd.status, errorOf(odd).tidegate.fields]).toEqual([400, [{ path: 'body', problem: 'must be UTF-8' }]]);
    expect((await call(PATH, { method: 'POST', body: `"${'x'.repeat(1_100_000)}"` })).status).toBe(413);
  });
});

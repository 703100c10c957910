import { env } from 'cloudflare:workers';
import { abortAllDurableObjects, evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Drain } from '../../../pkg/src/queue/drain';
import type { RequestQueue } from '../../src/queue/object';
import { drop } from '../../src/gates';
import { calm, script, seen, until } from '../client';
import { about, enqueued, object, reached } from '../queue';

// What the platform does to objects, and a machine of one's own does not.

beforeEach(calm);
afterEach(() => vi.restoreAllMocks());

/** Runs in the object, which begins anew with other variables. */
async function anew<T>(
  variables: Record<string, unknown>,
  run: (queue: RequestQueue, storage: DurableObjectStorage) => Promise<T>,
): Promise<T> {
  await evictAllDurableObjects();
  return runInDurableObject(object(), (queue, { storage }) => {
    Reflect.set(queue, 'env', { ...env, ...variables });
    return run(queue, storage);
  });
}

/** How long an alarm may take there. */
const LIMIT_MS = 15 * 60_000;

/** Something is kept that is to be erased in a day; nothing happens until then. */
async function quiet() {
  const { requestId } = await enqueued();
  await reached(requestId, ['completed']);
  return requestId;
}

const rung = (_: RequestQueue, storage: DurableObjectStorage) => storage.getAlarm();
const DAY_MS = 86_400_000;

describe('the alarm', () => {
  it('never fails and is set again, since the platform gives up one that fails', async () => {
    await quiet();
    const said = vi.spyOn(console, 'error').mockReturnValue();
    const broken = await anew({ TIDEGATE_MASTER_KEY: 'none' }, async (queue, storage) => {
      await queue.alarm();
      return rung(queue, storage);
    });
    expect(said).toHaveBeenCalledWith('queue: nothing was run:', 'config_invalid');
    expect(broken! - Date.now()).toBeGreaterThan(30_000);
    expect(broken! - Date.now()).toBeLessThan(90_000);
    const right = await anew({}, async (queue, storage) => {
      await queue.alarm();
      return rung(queue, storage);
    });
    expect(right! - Date.now()).toBeGreaterThan(DAY_MS - 60_000);
  });

  it('runs again what was running when the object ended', async () => {
    await script('groq', { hold: true });
    const { requestId } = await enqueued();
    await reached(requestId, ['running']);
    await abortAllDurableObjects();
    await script('groq');
    expect((await reached(requestId, ['completed'])).attempts).toBe(2);
  });

  it('fails where it cannot be set again, so that the platform rings it once more', async () => {
    await quiet();
    await anew({}, async (queue, storage) => {
      const full = vi.spyOn(Object.getPrototypeOf(storage) as typeof storage, 'setAlarm');
      full.mockRejectedValue(new Error('Exceeded the spending cap'));
      await expect(queue.alarm()).rejects.toThrow('spending');
      full.mockRestore();
      await queue.alarm();
      expect(await storage.getAlarm()).not.toBeNull();
    });
  });

  it('is set by the next request where it could not be for the one before', async () => {
    await quiet();
    const full = await runInDurableObject(object(), (_, { storage }) =>
      vi.spyOn(Object.getPrototypeOf(storage) as typeof storage, 'setAlarm'),
    );
    full.mockRejectedValue(new Error('Exceeded the spending cap'));
    const waiting = await enqueued();
    await until(() => Promise.resolve(full.mock.calls.length > 0));
    full.mockRestore();
    const { requestId } = await enqueued();
    await reached(requestId, ['completed']);
    await reached(waiting.requestId, ['completed']);
  });

  it('that was given up is set again once anybody asks', async () => {
    const id = await quiet();
    await anew({}, (_, storage) => storage.deleteAlarm());
    await evictAllDurableObjects();
    await about('GET', 'status', id);
    await until(async () => (await runInDurableObject(object(), (_, { storage }) => storage.getAlarm())) !== null);
  });

  it('is not set for rows that cannot be read, which are never due', async () => {
    await quiet();
    await anew({}, async (queue, storage) => {
      await storage.deleteAlarm();
      storage.sql.exec("UPDATE items SET due = 0, bytes = X'00'");
      await queue.alarm();
      expect(
        storage.sql
          .exec('SELECT lane FROM items')
          .toArray()
          .map(({ lane }) => lane),
      ).toContain(9);
      expect(await storage.getAlarm()).toBeNull();
      storage.sql.exec('DELETE FROM items');
    });
  });

  it('leaves what a later release has written, which goes on once that one is there again', async () => {
    for (const provider of ['groq', 'openrouter'] as const) await script(provider, { status: 503, body: '{}' });
    const config = JSON.parse(env.TIDEGATE_CONFIG as unknown as string) as object;
    await anew({ TIDEGATE_CONFIG: { ...config, queue: { baseMs: 2_000, capMs: 2_000 } } }, () => Promise.resolve());
    const { requestId } = await enqueued({ maxRetries: 10 });
    await reached(requestId, ['delayed']);
    /** The row as a release of such a version would have written it. */
    const written = (version: number, { sql }: DurableObjectStorage) => {
      const { bytes } = sql.exec<{ bytes: ArrayBuffer }>('SELECT bytes FROM items').one();
      sql.exec('UPDATE items SET bytes = ?', new Uint8Array(bytes).with(0, version));
    };
    const aside = () =>
      anew({}, async (queue, storage) => {
        await queue.alarm();
        return storage.sql.exec('SELECT lane, due FROM items').one();
      });
    await anew({}, async (_, storage) => {
      written(2, storage);
      storage.sql.exec('UPDATE items SET due = 0');
    });
    // Put out of the way, and left there by every object of this release that looks.
    for (const _ of [1, 2]) expect(await aside()).toEqual({ lane: 9, due: Number.MAX_SAFE_INTEGER });
    for (const provider of ['groq', 'openrouter'] as const) await script(provider);
    await anew({}, async (_, storage) => written(1, storage));
    await evictAllDurableObjects();
    expect(await reached(requestId, ['completed', 'dead'])).toMatchObject({ status: 'completed' });
  });

  it('begins nothing that could last for longer than the platform lets it ring', async () => {
    await quiet();
    const drain = vi.spyOn(Drain.prototype, 'drain');
    await anew({}, (queue) => queue.alarm());
    const [most, end] = drain.mock.lastCall!;
    expect(most).toBeLessThanOrEqual(50);
    // Of this configuration a run takes 25 seconds at most.
    expect(end! - Date.now() + 25_000).toBeLessThan(LIMIT_MS);
    drop('default');
    await anew({ TIDEGATE_CONFIG: { timeouts: { totalMs: DAY_MS } } }, (queue) => queue.alarm());
    drop('default');
    const left = drain.mock.lastCall![1]! - Date.now();
    expect(left).toBeGreaterThan(30_000);
    expect(left + 13 * 60_000).toBeLessThan(LIMIT_MS);
  });
});

it('no more run at once than the platform lets exchanges wait for their headers', async () => {
  await script('groq', { hold: true });
  const config = JSON.parse(String(env.TIDEGATE_CONFIG)) as { queue: object };
  const crowded = object('crowded');
  await runInDurableObject(crowded, (queue) => {
    const TIDEGATE_CONFIG = { ...config, queue: { ...config.queue, concurrency: 50 } };
    Reflect.set(queue, 'env', { ...env, TIDEGATE_CONFIG });
  });
  for (let count = 0; count < 9; count += 1) {
    const messages = [{ role: 'user', content: `one of ${count}` }];
    await crowded.enqueue('crowded', 0, JSON.stringify({ messages }), undefined, undefined, ['enterprise']);
  }
  await until(async () => (await seen()).length >= 6);
  await new Promise((done) => setTimeout(done, 300));
  expect(await seen()).toHaveLength(6);
  await script('groq');
  await until(async () => (await seen()).length === 9);
});

describe('what rows cannot hold', () => {
  const answer = (length: number) =>
    JSON.stringify({
      ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
      choices: [{ index: 0, message: { role: 'assistant', content: 'é'.repeat(length / 2) }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });

  it('an answer that just fits is kept', async () => {
    await script('groq', { body: answer(1_890_000) });
    const { requestId } = await enqueued({ user: 'u'.repeat(256), conversation: 'c'.repeat(256) });
    const done = await reached(requestId, ['completed', 'dead']);
    expect(done.result?.choices[0]?.message.content).toHaveLength(945_000);
  });

  it('one that does not is told, and not asked for again', async () => {
    await script('groq', { body: answer(1_950_000) });
    const { requestId } = await enqueued({ maxRetries: 10 });
    expect(await reached(requestId, ['dead'])).toMatchObject({ attempts: 1, code: 'invalid_request' });
    expect(await seen()).toHaveLength(1);
  });
});

import { expect, it } from 'vitest';

import { Drain } from '../../../pkg/src/queue/drain';
import { Engine } from '../../../pkg/src/queue/engine';
import { memoryRows } from '../../../pkg/src/queue/memory';
import type { Change, Found, Query, Rows } from '../../../pkg/src/queue/rows';
import { load, Queue, queuePlace } from '../../src/wasm';
import { until } from '../client';

/** Rows in memory that remember how many contents were read at once. */
function watchedRows(): Rows & { most: number } {
  const rows = memoryRows();
  const watched = {
    ...rows,
    most: 0,
    step<T>(query: Query, decide: (found: Found) => Change<T>) {
      if (query.whole) watched.most = Math.max(watched.most, query.count ?? 1);
      return rows.step(query, decide);
    },
  };
  return watched;
}

/** A queue with so many requests, and a place that runs them until it is told not to. */
async function queueOf(count: number, concurrency: number, most?: number) {
  load();
  const rows = watchedRows();
  const config = { targets: [{ provider: 'groq', model: 'm' }], queue: { concurrency, maxRetries: 0 } };
  const machine = new Queue(config, new Uint8Array(32).fill(7), 'acme', 0);
  const engine = new Engine(
    rows,
    machine,
    (id) => queuePlace(id) as [number, number],
    () => {},
  );
  for (let index = 0; index < count; index += 1) {
    const messages = [{ role: 'user', content: `question ${index}` }];
    await engine.enqueue(JSON.stringify({ messages }), 'acme', undefined, undefined, []);
  }
  const begun: PromiseWithResolvers<string>[] = [];
  const run = () => {
    const one = Promise.withResolvers<string>();
    begun.push(one);
    return one.promise;
  };
  return { rows, engine, begun, drain: new Drain(engine, { run }, most) };
}

it('runs no more at once than its place bears', async () => {
  const { drain, begun } = await queueOf(9, 50, 6);
  const drained = drain.drain();
  await until(() => begun.length === 6);
  await new Promise((done) => setTimeout(done, 50));
  expect(begun).toHaveLength(6);
  begun[0]?.resolve('{}');
  await until(() => begun.length === 7);
  for (let at = 0; at < 9; at += 1) {
    await until(() => begun.length > at);
    begun[at]?.resolve('{}');
  }
  await drained;
});

it('begins nothing once its time is over, waits for what it began, and says that there is more', async () => {
  const { drain, begun, engine } = await queueOf(3, 1);
  let isOver = false;
  const drained = drain.drain(undefined, Date.now() + 200).finally(() => (isOver = true));
  await until(() => begun.length === 1);
  await new Promise((done) => setTimeout(done, 300));
  expect(isOver).toBe(false);
  begun[0]?.resolve('{}');
  expect(await drained).toBe(0);
  expect(begun).toHaveLength(1);
  expect(await engine.stats()).toMatchObject({ completed: 1, queued: 2, running: 0 });
});

it('dead letters are read one by one, since all together may be more than the memory', async () => {
  const { drain, begun, engine, rows } = await queueOf(5, 5);
  const drained = drain.drain();
  await until(() => begun.length === 5);
  for (const one of begun) one.reject(Object.assign(new Error(), { code: 'upstream_rejected' }));
  await drained;
  rows.most = 0;
  const dead = await engine.dead();
  expect(dead.map((status) => (JSON.parse(status) as { status: string }).status)).toEqual(Array(5).fill('dead'));
  expect(rows.most).toBe(1);
});

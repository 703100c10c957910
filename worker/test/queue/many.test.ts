// More rows than are looked at in one go: what is decided about all of them reaches each, once.

import { evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { expect, it, vi } from 'vitest';

import { Engine } from '../../../pkg/src/queue/engine';
import { memoryRows } from '../../../pkg/src/queue/memory';
import { CANCELLED, COMPLETED, DEAD, DELAYED, type Described, type Rows } from '../../../pkg/src/queue/rows';
import { SqlRows } from '../../src/queue/rows';
import type { Queue } from '../../src/wasm';
import { about, enqueue, enqueued, object, reached } from '../queue';

const COUNT = 1_100;
const HOUR_MS = 3_600_000;

/** The rows that a clock set back is about, as they are decided: so many of each lane, two of a rank. */
async function setBack(rows: Rows): Promise<number[]> {
  const described = (arrival: number, due: number): Described => {
    const bytes = new TextEncoder().encode(String(arrival));
    const lane = [DELAYED, COMPLETED, DEAD, CANCELLED][Math.floor(arrival / COUNT)] ?? DELAYED;
    return [arrival, lane, Math.floor(arrival / 2), due, undefined, bytes, true, 2];
  };
  for (let arrival = 0; arrival < 4 * COUNT; arrival += 1) {
    const [, lane, rank, due, , bytes, , priority] = described(arrival, 2 * HOUR_MS);
    await rows.step({}, () => ({ insert: { arrival, lane, rank, due, bytes, priority }, value: undefined }));
  }
  const decided: number[] = [];
  const machine = {
    setBack: (bytes: Uint8Array) => {
      decided.push(Number(new TextDecoder().decode(bytes)));
      return described(decided.at(-1) ?? 0, HOUR_MS);
    },
    status: () => '{}',
  } as unknown as Queue;
  const nobody = () => undefined;
  await new Engine(rows, machine, nobody, nobody).setBack(2 * HOUR_MS, HOUR_MS);
  expect(await rows.due()).toBe(HOUR_MS);
  return decided;
}

const all = Array.from({ length: 4 * COUNT }, (_, arrival) => arrival);

it('a clock that is set back keeps none of a thousand requests waiting, nor for longer, in an object', async () => {
  const decided = await runInDurableObject(object('many'), (_, state) => {
    const rows = new SqlRows(state.storage);
    rows.settle('many', 0);
    return setBack(rows);
  });
  expect(decided).toEqual(all);
});

it('and in memory', async () => {
  expect(await setBack(memoryRows())).toEqual(all);
}, 60_000);

it('of tables that a newer Worker has left nothing is read or changed', async () => {
  const said = vi.spyOn(console, 'error').mockReturnValue();
  const { requestId } = await enqueued();
  await reached(requestId, ['completed']);
  const stored = (version: number) =>
    runInDurableObject(object(), (_, { storage: { sql } }) => {
      const all = sql.exec('SELECT arrival, lane, due, rank FROM items').toArray();
      sql.exec('UPDATE schema SET version = ?', version);
      return all;
    });
  const before = await stored(99);
  await evictAllDurableObjects();
  expect((await about('GET', 'status', requestId)).status).toBe(500);
  expect((await enqueue()).status).toBe(500);
  expect(await stored(1)).toEqual(before);
  await evictAllDurableObjects();
  expect((await about('GET', 'status', requestId)).status).toBe(200);
  said.mockRestore();
});

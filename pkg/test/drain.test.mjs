import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Drain } from '../dist/queue/drain.js';

test('a store that fails while an item runs is no rejection of ours: its lease runs out', async (t) => {
  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  t.after(() => process.off('unhandledRejection', note));
  let steps = 0;
  const machine = {
    leaseMs: 30,
    concurrency: 1,
    attempt: () => 1,
    lease: () => [new Uint8Array(), 2, 0, 0, 0, true],
    open: () => ['{}', '', ''],
  };
  const engine = {
    machine,
    rows: {
      step(query, decide) {
        steps += 1;
        if (query.lane === undefined) return Promise.reject(new Error('the store failed'));
        const rows = steps === 1 ? [{ arrival: 1, bytes: new Uint8Array() }] : [];
        return Promise.resolve(decide({ rows }).value);
      },
      due: () => Promise.resolve(undefined),
    },
    sweep: () => Promise.resolve({ changed: 0, erased: 0 }),
    decided: (row, decide) => (decide(row), { arrival: 1, lane: 2, bytes: row.bytes }),
    tell: () => undefined,
  };
  let ran = 0;
  const drain = new Drain(engine, {
    async run() {
      ran += 1;
      while (steps <= 4) await new Promise(setImmediate);
      return '{}';
    },
  });
  await drain.drain();
  await new Promise(setImmediate);
  assert.equal(ran, 1);
  assert.ok(steps > 4, `it was to be renewed: ${steps}`);
  assert.deepEqual(unhandled, []);
});

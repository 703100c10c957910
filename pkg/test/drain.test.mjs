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

test('what another has taken over is aborted: it would be billed twice', async (t) => {
  let [held, leased] = [true, false];
  const machine = {
    leaseMs: 30,
    concurrency: 1,
    attempt: () => 1,
    lease: () => [new Uint8Array(), 2, 0, 0, 0, true],
    renew: () => (held ? [new Uint8Array(), 2, 0, 0, 0, true] : undefined),
    finish: () => undefined,
    open: () => ['{}', '', ''],
  };
  const engine = {
    machine,
    rows: {
      step(query, decide) {
        const rows = query.lane !== undefined && leased ? [] : [{ arrival: 1, bytes: new Uint8Array() }];
        leased = true;
        return Promise.resolve(decide({ rows }).value);
      },
      due: () => Promise.resolve(undefined),
    },
    sweep: () => Promise.resolve({ changed: 0, erased: 0 }),
    decided: (row, decide) => (decide(row), { arrival: 1, lane: 2, bytes: row.bytes }),
    tell: () => undefined,
  };
  let abortedAt;
  const drain = new Drain(engine, {
    run: (_body, _by, _again, signal) =>
      new Promise((_resolve, reject) => {
        setTimeout(() => (held = false), 60);
        const late = setTimeout(reject, 2_000, new Error('nobody took it away'));
        signal.addEventListener('abort', () => {
          clearTimeout(late);
          abortedAt = held;
          reject(signal.reason);
        });
      }),
  });
  t.after(() => drain.stop());
  await drain.drain();
  assert.equal(abortedAt, false, 'and not while it was its own');
});

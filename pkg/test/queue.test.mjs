// The queue of a gate in Node, in memory, with the machine of the Wasm: what the end to end tests see in a browser.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';

import { memoryRows } from '../dist/queue/memory.js';
import { answer, keyed } from './support.mjs';
import { resolvers } from './scripted.mjs';

const asking = (content) => ({ messages: [{ role: 'user', content }] });

/** A queue whose provider answers when it is told to: `asked` are the requests under way, in order. */
async function queueOf(t, queue = {}, config = {}) {
  const asked = [];
  const opened = await keyed(t, { cache: { ttlMs: 0 }, queue: { baseMs: 1, ...queue }, ...config }, ({ signal }) => {
    const one = resolvers();
    signal?.addEventListener('abort', () => {
      one.isAborted = true;
      one.reject(signal.reason);
    });
    asked.push(one);
    return one.promise;
  });
  return { ...opened, queue: opened.gate.queue, asked };
}

async function until(met) {
  for (const began = Date.now(); !(await met()); await new Promise((resolve) => setTimeout(resolve, 2)))
    assert.ok(Date.now() - began < 10_000, String(met));
}

/** What becomes of a request. */
async function reached(queue, { requestId }, wanted) {
  let last;
  await until(async () => (last = await queue.status(requestId)).status === wanted);
  return last;
}

test('as many run at once as may, the most urgent first, and each is told as it changes', async (t) => {
  const { gate, queue, asked } = await queueOf(t, { concurrency: 2 });
  const told = [];
  gate.on('queue-progress', ({ requestId, status }) => told.push([requestId, status]));
  const all = [];
  for (const priority of ['low', 'normal', 'high', 'critical'])
    all.push(await queue.enqueue(asking(priority), { priority }));
  const [low, normal, high, critical] = all;
  await until(() => asked.length === 2);
  assert.deepEqual((await queue.stats()).open, { critical: 1, high: 1, normal: 1, low: 1 });
  assert.equal((await queue.status(high.requestId)).ahead ?? 0, 1);
  asked[0].resolve(answer('the first'));
  await until(() => asked.length === 3);
  assert.equal((await queue.status(critical.requestId)).status, 'running', 'before the one that is high');
  assert.equal((await queue.status(high.requestId)).status, 'queued');
  for (let at = 1; at < 4; at += 1) {
    await until(() => asked.length > at);
    asked[at].resolve(answer(`answer ${at}`));
  }
  for (const one of all) await reached(queue, one, 'completed');
  const { result } = await queue.status(low.requestId);
  assert.equal(result.choices[0].message.content, 'the first');
  const { completed, running, queued, open } = await queue.stats();
  assert.deepEqual([completed, running, queued, open.low], [4, 0, 0, 0]);
  for (const { requestId } of [low, normal, high, critical]) {
    assert.deepEqual(
      told.filter(([id]) => id === requestId).map(([, status]) => status),
      ['queued', 'running', 'completed'],
    );
  }
});

test('the same key is the same request; another body under it is refused', async (t) => {
  const { queue, asked } = await queueOf(t);
  const first = await queue.enqueue(asking('one'), { idempotencyKey: 'k' });
  assert.equal((await queue.enqueue(asking('one'), { idempotencyKey: 'k' })).requestId, first.requestId);
  await until(() => asked.length === 1);
  asked[0].resolve(answer());
  await reached(queue, first, 'completed');
  assert.equal(asked.length, 1);
});

test('what runs and is taken back is aborted, and what waits never runs', async (t) => {
  const { queue, asked } = await queueOf(t, { concurrency: 1 });
  const [one, two, three] = [
    await queue.enqueue(asking('one')),
    await queue.enqueue(asking('two')),
    await queue.enqueue(asking('three')),
  ];
  await until(() => asked.length === 1);
  assert.equal((await queue.cancel(two.requestId)).status, 'cancelled');
  assert.equal((await queue.cancel(one.requestId)).status, 'cancelled');
  await until(() => asked[0].isAborted);
  await until(() => asked.length === 2);
  asked[1].resolve(answer('of the third'));
  assert.equal((await reached(queue, three, 'completed')).result.choices[0].message.content, 'of the third');
  assert.equal((await queue.cancel(three.requestId)).status, 'completed', 'what has ended stays');
  assert.equal((await queue.status(one.requestId)).status, 'cancelled');
  assert.equal(asked.length, 2);
  for (const work of [queue.status, queue.cancel, queue.requeue])
    await assert.rejects(work('tq-nobody'), { code: 'invalid_request', status: 404 });
});

test('what fails is tried again, then kept with its error, and may be queued again', async (t) => {
  const { queue, asked } = await queueOf(t, { maxRetries: 1 }, { retry: { maxRetries: 0 } });
  const one = await queue.enqueue(asking('one'));
  for (let at = 0; at < 2; at += 1) {
    await until(() => asked.length > at);
    asked[at].resolve(new Response('{}', { status: 500 }));
  }
  const dead = await reached(queue, one, 'dead');
  assert.deepEqual([dead.failures, dead.code, dead.error.code], [2, 'upstream_failed', 'upstream_failed']);
  assert.deepEqual(
    (await queue.dead()).map(({ requestId }) => requestId),
    [one.requestId],
  );
  await queue.requeue(one.requestId);
  await until(() => asked.length === 3);
  asked[2].resolve(answer('at last'));
  assert.equal((await reached(queue, one, 'completed')).result.choices[0].message.content, 'at last');
  assert.deepEqual(await queue.dead(), []);
  await assert.rejects(queue.requeue(one.requestId), { code: 'invalid_request' });
});

test('what waits for its next try gets it when it is due, with nothing else going on', async (t) => {
  const { queue, asked } = await queueOf(t, { baseMs: 600, maxRetries: 1 }, { retry: { maxRetries: 0 } });
  const item = await queue.enqueue(asking('later'));
  await until(() => asked.length === 1);
  asked[0].resolve(new Response('{}', { status: 500 }));
  await reached(queue, item, 'delayed');
  await until(() => asked.length === 2);
  asked[1].resolve(answer());
  await reached(queue, item, 'completed');
});

test('a deadline that passes while it waits ends it, and its time for being kept erases it', async (t) => {
  const { queue, asked } = await queueOf(t, { concurrency: 1, ttlMs: 1_000 });
  const first = await queue.enqueue(asking('one'));
  const late = await queue.enqueue(asking('two'), { timeoutMs: 1_000 });
  await until(() => asked.length === 1);
  const real = Date.now.bind(Date);
  t.mock.method(Date, 'now', () => real() + 2_000);
  const ended = await reached(queue, late, 'dead');
  assert.equal(ended.code, 'timeout');
  asked[0].resolve(answer());
  await reached(queue, first, 'completed');
  Date.now.mock.mockImplementation(() => real() + 9_000);
  await queue.enqueue(asking('three'));
  await until(() =>
    queue.status(late.requestId).then(
      () => false,
      () => true,
    ),
  );
  assert.equal(asked.length, 2, 'the late one was never asked');
});

test('a full queue refuses, and room is made by what ends', async (t) => {
  const { queue, asked } = await queueOf(t, { capacity: 1 });
  const one = await queue.enqueue(asking('one'));
  await assert.rejects(queue.enqueue(asking('two')), { code: 'queue_full' });
  await until(() => asked.length === 1);
  asked[0].resolve(answer());
  await reached(queue, one, 'completed');
  await queue.enqueue(asking('two'));
});

test('a gate that is closed aborts what runs, begins nothing, and answers nothing', async (t) => {
  const { gate, queue, asked } = await queueOf(t, { concurrency: 1 });
  await queue.enqueue(asking('one'));
  await queue.enqueue(asking('two'));
  await until(() => asked.length === 1);
  await gate.close();
  assert.ok(asked[0].isAborted);
  await new Promise(setImmediate);
  assert.equal(asked.length, 1);
  await assert.rejects(queue.stats(), { code: 'closed' });
  await assert.rejects(queue.enqueue(asking('three')), { code: 'closed' });
});

test('a queue that has nothing to do keeps no process alive', () => {
  const script = `
    import { Tidegate } from 'tidegate';
    const targets = [{ provider: 'groq', model: 'openai/gpt-oss-20b' }];
    const fetch = async () => new Response('{}', { status: 400 });
    const gate = await Tidegate.open({ queue: {}, targets }, { fetch });
    await gate.vault.putForSession('groq', 'gsk_${'A1b2'.repeat(13)}');
    await gate.queue.enqueue({ messages: [{ role: 'user', content: 'x' }] }, { maxRetries: 0 });
    for (;;) {
      const { dead } = await gate.queue.stats();
      if (dead === 1) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    console.log('done');`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.deepEqual([stdout, stderr, status], ['done\n', '', 0]);
});

describe('rows in memory', () => {
  const row = (arrival, more = {}) => ({
    ...{ arrival, lane: 0, rank: arrival, due: arrival * 10, priority: 1, bytes: new Uint8Array(1) },
    ...more,
  });
  const filled = (...rows) => {
    const store = memoryRows();
    for (const insert of rows) store.step({}, () => ({ insert }));
    return store;
  };
  const found = (store, query) => store.step(query, ({ rows }) => ({ value: rows.map(({ arrival }) => arrival) }));

  test('are found by lane in their order, by what is due, and no more than were asked for', () => {
    const store = filled(row(3, { rank: 1 }), row(1, { rank: 5 }), row(2, { lane: 1 }), row(4, { rank: 1 }));
    assert.deepEqual(found(store, { lane: 0, count: 9 }), [3, 4, 1]);
    assert.deepEqual(found(store, { lane: 0 }), [3]);
    assert.deepEqual(found(store, { due: 20, count: 9 }), [1, 2]);
    assert.equal(store.due(), 10);
    assert.equal(store.ahead(row(1, { rank: 5 })), 2);
  });

  test('know the last arrival also when it is gone, and forget what was asked when they are told', () => {
    const store = filled(row(7, { asked: new Uint8Array(3), key: 'k' }), row(5));
    const update = { ...row(7, { lane: 3 }), keepsAsk: false };
    store.step({}, () => ({ update: [update] }));
    const [changed] = store.step({ arrival: 7 }, ({ rows }) => ({ value: rows }));
    assert.deepEqual([changed.key, changed.asked], ['k', undefined]);
    store.step({}, () => ({ erase: [7] }));
    assert.deepEqual(
      store.step({}, ({ last, open }) => ({ value: [last, open] })),
      [7, 1],
    );
  });
});

test('a clock that is set back keeps nothing waiting until it is where it was', async (t) => {
  const waits = { baseMs: 60_000, capMs: 60_000 };
  const { queue, asked } = await queueOf(t, waits, { retry: { maxRetries: 0 }, breaker: { failures: 99 } });
  const now = Date.now.bind(Date);
  t.after(() => (Date.now = now));
  Date.now = () => now() + 86_400_000;
  const first = await queue.enqueue(asking('asked while the clock was a day ahead'));
  await until(() => asked.length === 1);
  asked[0].resolve(new Response('{}', { status: 500 }));
  const { nextAttemptAt } = await reached(queue, first, 'delayed');
  assert.ok(nextAttemptAt > Date.now() && nextAttemptAt <= Date.now() + 60_000);
  const done = await queue.enqueue(asking('another'));
  await until(() => asked.length === 2);
  asked[1].resolve(answer('done'));
  const { endedAt, erasedAt } = await reached(queue, done, 'completed');
  assert.ok(endedAt > now() + 80_000_000);

  Date.now = now;
  const third = await queue.enqueue(asking('and now'));
  await until(() => asked.length === 3);
  const again = await queue.status(first.requestId);
  assert.equal(again.status, 'delayed');
  assert.ok(again.nextAttemptAt <= now() + 60_000, 'a minute, not a day');
  const ended = await queue.status(done.requestId);
  assert.ok(ended.endedAt <= now() && ended.erasedAt < erasedAt - 80_000_000, 'and is not kept for longer');
  asked[2].resolve(answer('done'));
  await reached(queue, third, 'completed');
});

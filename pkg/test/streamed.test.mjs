// Streams and `gate.fetch` across realms.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { TidegateError } from '../dist/errors.js';
import { Receiver, WINDOW } from '../dist/isolation/flow.js';
import { Line } from '../dist/isolation/line.js';
import { serve } from '../dist/isolation/serve.js';
import { remoteStream, Streamed } from '../dist/isolation/streamed.js';
import { ERROR, lineOn, OPENING, turn, until } from './realms.mjs';
import { META, resolvers } from './scripted.mjs';

/** A line to a gateway's realm in which this gate works. */
async function served(t, gate) {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  serve(port2, 'chat', async () => ({ later: () => import('../dist/isolation/serve-later.js'), ...gate }));
  const line = new Line(
    port1,
    () => undefined,
    () => undefined,
  );
  t.after(() => line.close());
  assert.equal(await line.ready, 'chat');
  await line.call((id) => line.send(['open', id, OPENING]));
  return line;
}

/** A stream of a gate's, of which the test has the other end. */
function source() {
  const state = { cancelled: 0, account: resolvers() };
  const body = new ReadableStream(
    { start: (controller) => void (state.to = controller), cancel: () => void (state.cancelled += 1) },
    { highWaterMark: 0 },
  );
  state.answer = [{ body }, state.account.promise];
  return state;
}

/** The caller's signal, which knows how many listen to it. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  let listening = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given) => (listening++, add(...given));
  signal.removeEventListener = (...given) => (listening--, remove(...given));
  return { controller, signal, listening: () => listening };
}

describe('a stream across realms', () => {
  const asking = (id) => ['chat', id, '{}', {}, true];
  const bytes = (size) => new Uint8Array(size).fill(1);

  test('brings its bytes and its account, and lets the signal go', async (t) => {
    const from = source();
    const line = await served(t, { chatBytes: async () => from.answer });
    const { signal, listening } = counted();
    const streamed = new Streamed(line, signal, asking);
    const [readable] = await streamed.answer;
    assert.equal(listening(), 1);
    from.to.enqueue(bytes(3));
    from.to.enqueue(bytes(0));
    from.to.enqueue(bytes(2));
    from.to.close();
    from.account.resolve(META);
    assert.equal((await new Response(readable).arrayBuffer()).byteLength, 5);
    assert.deepEqual(await streamed.result, META);
    assert.equal(listening(), 0);
  });

  test('that fails there fails here, and so does its account', async (t) => {
    const from = source();
    const line = await served(t, { chatBytes: async () => from.answer });
    const streamed = new Streamed(line, undefined, asking);
    const reader = (await streamed.answer)[0].getReader();
    from.to.enqueue(bytes(1));
    await reader.read();
    from.account.reject(new TidegateError({ ...ERROR, code: 'timeout' }));
    await turn(); // its rejection is nobody's to handle yet
    from.to.error(new TidegateError({ ...ERROR, code: 'stream_interrupted' }));
    await assert.rejects(reader.read(), { code: 'stream_interrupted' });
    await assert.rejects(streamed.result, { code: 'timeout' });
  });

  for (const when of ['while it waits', 'between two reads', 'before it has begun']) {
    test(`that is aborted ${when} ends on both sides, with the signal's reason here`, async (t) => {
      const from = source();
      const begin = resolvers();
      let [isAsked, aborted] = [false, false];
      const chatBytes = async (_, { signal }) => {
        isAsked = true;
        signal.addEventListener('abort', () => (aborted = true));
        await begin.promise;
        return from.answer;
      };
      const line = await served(t, { chatBytes });
      const { controller, signal } = counted();
      const streamed = new Streamed(line, signal, asking);
      if (when === 'before it has begun') {
        await until(() => isAsked);
        controller.abort(new RangeError('mine'));
        await until(() => aborted);
      }
      begin.resolve();
      const reader = (await streamed.answer)[0].getReader();
      const reading = when === 'between two reads' ? undefined : assert.rejects(reader.read(), RangeError);
      if (when === 'between two reads') {
        from.to.enqueue(bytes(1));
        await reader.read();
      }
      controller.abort(new RangeError('mine'));
      await (reading ?? assert.rejects(reader.read(), RangeError));
      await until(() => from.cancelled === 1 && aborted);
      from.account.resolve(META);
      assert.deepEqual(await streamed.result, META);
    });
  }

  test('whose reader leaves ends there, and lets the signal go', async (t) => {
    const from = source();
    const line = await served(t, { chatBytes: async () => from.answer });
    const { signal, listening } = counted();
    const streamed = new Streamed(line, signal, asking);
    const [readable] = await streamed.answer;
    await readable.cancel();
    await until(() => from.cancelled === 1);
    assert.equal(listening(), 0);
    from.account.resolve(META);
    assert.deepEqual(await streamed.result, META);
  });

  test('that never begins lets the signal go, whether it failed or is whole', async (t) => {
    const line = await served(t, { chatBytes: () => Promise.reject(new TidegateError({ ...ERROR, code: 'timeout' })) });
    const { signal, listening } = counted();
    await assert.rejects(new Streamed(line, signal, asking).answer, { code: 'timeout' });
    assert.equal(listening(), 0);
    const scripted = lineOn();
    const whole = new Streamed(scripted.line, signal, asking);
    assert.equal(listening(), 1);
    scripted.say('done', 1, 'all of it');
    assert.deepEqual(await whole.answer, [undefined, 'all of it']);
    assert.equal(listening(), 0);
    scripted.line.close();
  });

  test('is lost with its realm: nobody waits for the rest or for the account', async () => {
    const { line, say } = lineOn();
    const streamed = new Streamed(line, undefined, asking);
    say('begin', 1, null);
    const [readable] = await streamed.answer;
    say('broken');
    await assert.rejects(readable.getReader().read(), { code: 'isolation_failed' });
    await assert.rejects(streamed.result, { code: 'isolation_failed' });
  });

  test('is lost before it begins: its account, which nobody asked for, is nobody’s unhandled rejection', async () => {
    const { line, say } = lineOn();
    const streamed = new Streamed(line, undefined, asking);
    say('broken');
    await assert.rejects(streamed.answer, { code: 'isolation_failed' });
    await turn();
  });

  test('that is answered as a whole is no stream', async () => {
    const { line, say } = lineOn();
    const asked = remoteStream(line, undefined, asking);
    say('done', 1, {});
    await assert.rejects(asked, { code: 'internal', message: /no stream/ });
    line.close();
  });
});

describe('the end of a stream that is read', () => {
  /** A receiver with what it told. */
  function receiver() {
    const told = { credit: [], left: 0, done: 0 };
    const made = new Receiver(
      (bytes) => told.credit.push(bytes),
      () => (told.left += 1),
      () => (told.done += 1),
    );
    return { told, made, reader: made.readable.getReader() };
  }
  const buffer = (size) => new Uint8Array(size).buffer;

  test('gives credit for half a window, once, and none at the end', async () => {
    const { told, made, reader } = receiver();
    for (let sent = 0; sent < 6; sent += 1) made.push(buffer(WINDOW / 4));
    for (let read = 0; read < 5; read += 1) await reader.read();
    assert.deepEqual(told.credit, [WINDOW / 2, WINDOW / 2]);
    made.end();
    await reader.read();
    assert.equal((await reader.read()).done, true);
    assert.deepEqual(told, { credit: [WINDOW / 2, WINDOW / 2], left: 0, done: 1 });
  });

  test('gives none for what nobody has read yet', async () => {
    const { told, made, reader } = receiver();
    const waiting = reader.read();
    await turn();
    for (let sent = 0; sent < 9; sent += 1) made.push(buffer(WINDOW / 4));
    await waiting;
    await turn();
    assert.deepEqual(told.credit, []);
    await reader.cancel();
  });

  test('an empty chunk is none', async () => {
    const { made, reader } = receiver();
    made.push(buffer(0));
    made.push(buffer(2));
    assert.equal((await reader.read()).value.length, 2);
  });

  test('what comes after it has failed or was left is nothing, and it is over once', async () => {
    const failed = receiver();
    failed.made.push(buffer(1));
    failed.made.fail(new RangeError('first'));
    failed.made.fail(new RangeError('second'));
    failed.made.push(buffer(1));
    failed.made.end();
    await assert.rejects(failed.reader.read(), { message: 'first' });
    assert.equal(failed.told.done, 1);
    const waits = receiver();
    const waiting = assert.rejects(waits.reader.read(), { message: 'first' });
    await turn();
    waits.made.fail(new RangeError('first'));
    waits.made.push(buffer(1));
    await waiting;
    const ended = receiver();
    ended.made.end();
    assert.equal((await ended.reader.read()).done, true);
    ended.made.fail(new RangeError('late'));
    assert.equal(ended.told.done, 1);
    const left = receiver();
    await left.reader.cancel();
    left.made.push(buffer(1));
    left.made.end();
    left.made.fail(new RangeError('late'));
    assert.deepEqual([left.told.left, left.told.done], [1, 1]);
    assert.equal((await left.reader.read()).done, true);
  });

  test('whoever waits is told of the end, and of a failure', async () => {
    const ended = receiver();
    const waiting = ended.reader.read();
    await turn();
    ended.made.end();
    assert.equal((await waiting).done, true);
    const failed = receiver();
    const failing = assert.rejects(failed.reader.read(), RangeError);
    await turn();
    failed.made.fail(new RangeError('no'));
    await failing;
    failed.made.end();
    assert.deepEqual([ended.told.done, failed.told.done], [1, 1]);
  });
});

describe('gate.fetch in its own realm', () => {
  test('takes the gate’s own addresses alone, and a body where there may be one', async (t) => {
    const sent = [];
    const answer = async (url, { body, ...init }) => {
      sent.push([init.method, body, init.headers]);
      return new Response('{}', { status: 200 });
    };
    const gate = {
      routes: async (_, url) => url === '/ours',
      fetch: { with: () => answer, result: async () => META },
    };
    const line = await served(t, gate);
    const ask = (method, url) =>
      line.call((id) => line.send(['fetch', id, { method, url, headers: ['a', 'b'], body: 'x', options: {} }]));
    await assert.rejects(ask('POST', '/theirs'), { code: 'invalid_request' });
    const { status, account } = await ask('POST', '/ours');
    assert.deepEqual([status, account], [200, META]);
    await ask('GET', '/ours');
    assert.deepEqual(sent, [
      ['POST', 'x', [['a', 'b']]],
      ['GET', undefined, [['a', 'b']]],
    ]);
  });
});

// Streams and `gate.fetch` across realms.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { TidegateError } from '../dist/errors.js';
import { Receiver, WINDOW } from '../dist/isolation/flow.js';
import { Line } from '../dist/isolation/line.js';
import { remoteFetch } from '../dist/isolation/remote-fetch.js';
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

describe('gate.fetch from another realm', () => {
  const OURS = 'https://api.example/v1/chat/completions';
  /** A `gate.fetch` over a scripted line; `asked` counts the addresses that were asked about. */
  function fetching() {
    const scripted = lineOn();
    const state = { ...scripted, asked: [] };
    const routes = async (method, url) => (state.asked.push(`${method} ${url}`), method === 'POST');
    const real = async () => new Response('real');
    state.fetch = remoteFetch({ real, routes, line: async () => scripted.line });
    return state;
  }
  const post = (body = '{}') => ({ method: 'POST', body });

  test('asks once whether an address is its own, method by method', async () => {
    const { fetch, asked, line, say, sent } = fetching();
    for (let time = 0; time < 2; time += 1) assert.equal(await (await fetch(OURS)).text(), 'real');
    const answering = fetch(OURS, post());
    await until(() => sent.length === 1);
    say('done', 1, { status: 204, headers: ['a', 'b'], body: new ArrayBuffer(0), account: META });
    const response = await answering;
    assert.deepEqual([response.status, response.headers.get('a')], [204, 'b']);
    assert.deepEqual(await fetch.result(response), META);
    assert.deepEqual(asked, [`GET ${OURS}`, `POST ${OURS}`]);
    for (let at = 0; at < 300; at += 1) await fetch(`${OURS}?${at}`);
    await fetch(OURS);
    assert.equal(asked.at(-1), `GET ${OURS}`, 'it remembers no more than some');
    const before = asked.length;
    for (let again = 0; again < 2; again += 1) {
      for (let at = 0; at < 100; at += 1) await fetch(`${OURS}/${at}`);
    }
    assert.equal(asked.length, before + 100, 'but those');
    line.close();
  });

  test('gives a stream as it comes, with the head and the account of it', async () => {
    const { fetch, line, say, sent } = fetching();
    const answering = fetch(OURS, post());
    await until(() => sent.length === 1);
    say('begin', 1, { status: 201, headers: ['a', 'b'] });
    const response = await answering;
    assert.deepEqual([response.status, response.headers.get('a')], [201, 'b']);
    say('data', 1, new TextEncoder().encode('text').buffer);
    say('end', 1, null);
    say('account', 1, META, null);
    const copy = response.clone();
    assert.deepEqual(await Promise.all([response.text(), copy.text()]), ['text', 'text']);
    assert.deepEqual(await Promise.all([fetch.result(response), fetch.result(copy)]), [META, META]);
    line.close();
  });

  test('an answer without an account, or without a body, is one', async () => {
    const { fetch, line, say, sent } = fetching();
    const answering = fetch(OURS, post());
    await until(() => sent.length === 1);
    say('done', 1, { status: 200, headers: [], body: new TextEncoder().encode('text').buffer });
    const response = await answering;
    assert.equal(await response.text(), 'text');
    await assert.rejects(fetch.result(response), { code: 'isolation_failed', message: /without its account/ });
    const bodiless = fetch(OURS, post());
    await until(() => sent.length === 2);
    say('done', 2, { status: 200, headers: [], account: META });
    assert.equal((await bodiless).body, null);
    line.close();
  });

  test('what fails is an answer, or the reason of a signal that was aborted', async () => {
    for (const isAborted of [false, true]) {
      const { fetch, line, say, sent } = fetching();
      const controller = new AbortController();
      const answering = fetch(OURS, { ...post(), signal: controller.signal });
      answering.catch(() => undefined);
      await until(() => sent.length === 1);
      if (isAborted) controller.abort(new RangeError('mine'));
      say('fail', 1, ERROR);
      if (isAborted) {
        await assert.rejects(answering, RangeError);
      } else {
        const response = await answering;
        assert.deepEqual([response.status, (await response.json()).error.code], [ERROR.status, ERROR.code]);
        await assert.rejects(fetch.result(response), { code: ERROR.code });
      }
      await assert.rejects(fetch.result(new Response()), TypeError);
      line.close();
    }
  });

  test('options that are wrong are refused there, and what is no address is the page’s own', async () => {
    const { fetch, line, say, sent, asked } = fetching();
    const answering = fetch.with({ tenat: 'one' })(OURS, post());
    await until(() => sent.length === 1);
    assert.deepEqual([sent[0][2].refusal.fields[0].path, sent[0][2].options], ['tenat', {}]);
    say('done', 1, { status: 400, headers: [], error: ERROR });
    assert.equal((await answering).status, 400);
    assert.equal(await (await fetch('no address', post())).text(), 'real');
    assert.deepEqual(asked, [`POST ${OURS}`]);
    line.close();
  });

  test('a body that cannot be read is refused there, in the caller’s dialect', async () => {
    const { fetch, line, say, sent } = fetching();
    const answering = fetch(OURS, post(new Uint8Array([0xff])));
    await until(() => sent.length === 1);
    assert.equal(sent[0][2].refusal.code, 'invalid_request');
    say('done', 1, { status: 400, headers: [], body: new ArrayBuffer(2), error: ERROR });
    const response = await answering;
    assert.equal(response.status, 400);
    await turn(); // nobody asks for the result: no rejection is unhandled
    await assert.rejects(fetch.result(response), { code: 'internal' });
    line.close();
  });

  test('is aborted with the signal’s reason while its body is read, and nothing is sent', async () => {
    const { fetch, line, sent } = fetching();
    const controller = new AbortController();
    const body = new ReadableStream({ pull: () => void controller.abort(new RangeError('mine')) });
    await assert.rejects(fetch(OURS, { ...post(body), duplex: 'half', signal: controller.signal }), RangeError);
    assert.deepEqual(sent, []);
    line.close();
  });
});

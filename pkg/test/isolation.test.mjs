// The boundary between realms, without a browser: shapes of messages, credits, bounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settingsOf } from '../dist/frame/settings.js';
import { Receiver, Sender, WINDOW } from '../dist/isolation/flow.js';
import { readFromGate } from '../dist/isolation/from-gate.js';
import { meter } from '../dist/isolation/meter.js';
import { serve } from '../dist/isolation/serve.js';
import { restarting } from '../dist/isolation/restarting.js';
import { readToGate } from '../dist/isolation/to-gate.js';

const OPENING = { config: {}, join: undefined, gateway: '/a', rest: '/r', kdf: '/b', later: '/l' };
const ASKING = { method: 'POST', url: '/', headers: ['a', 'b'], body: '', options: {} };
const ERROR = { code: 'internal', message: 'no', status: 500, shouldRetry: false, attempts: [] };

test('messages of each shape pass, all others are dropped', () => {
  const good = [
    ['open', 1, OPENING],
    ['call', 1, 'status', []],
    ['chat', 1, '{}', {}, true],
    ['fetch', 1, ASKING],
    ['fetch', 1, { ...ASKING, refusal: ERROR }],
    ['abort', 1],
    ['credit', 1, 1],
    ['listen', 'wait', true],
    ['ping', 1],
  ];
  for (const message of good) assert.equal(readToGate(message), message);
  const hostile = [
    undefined,
    null,
    NaN,
    -1,
    0,
    1.5,
    2 ** 60,
    '',
    {},
    [],
    () => 1,
    'x'.repeat(65),
    [1, 2],
    { attempts: [] },
  ];
  for (const message of good) {
    for (let at = 1; at < message.length; at += 1) {
      const dropped = hostile.filter((value) => !readToGate(message.with(at, value)));
      assert.ok(dropped.length >= 8, `${message[0]} at ${at}: only ${dropped.length} dropped`);
    }
    assert.equal(readToGate(message.slice(0, 1)), undefined);
  }
  const wrong = [...hostile, ['constructor', 1], ['__proto__', 1], [['open'], 1, OPENING], ['call', 1, 'a', Array(9)]];
  for (const message of wrong) assert.equal(readToGate(message), undefined);
  for (const headers of [['a', 1], Array(513).fill('a'), 'ab']) {
    assert.equal(readToGate(['fetch', 1, { ...ASKING, headers }]), undefined);
  }
});

test('names and credit have bounds', () => {
  for (const [length, taken] of [
    [64, true],
    [65, false],
  ]) {
    assert.equal(readToGate(['listen', 'x'.repeat(length), true]) !== undefined, taken, `${length} letters`);
  }
  for (const [bytes, taken] of [
    [2 ** 30, true],
    [2 ** 30 + 1, false],
    [-1, false],
  ]) {
    assert.equal(readToGate(['credit', 1, bytes]) !== undefined, taken, `${bytes} bytes`);
  }
});

test('so do answers', () => {
  const head = { status: 200, headers: [] };
  const good = [
    ['ready', 'chat'],
    ['refused', ERROR],
    ['done', 1, undefined],
    ['fail', 1, ERROR],
    ['begin', 1, null],
    ['begin', 1, head],
    ['data', 1, new ArrayBuffer(1)],
    ['end', 1, null],
    ['account', 1, {}, null],
    ['event', 'wait', {}],
    ['pong', 1],
    ['broken'],
  ];
  for (const message of good) assert.equal(readFromGate(message), message);
  const bad = [
    ['fail', 1, {}],
    // What an error's message is made of: a mistake there would end the page's listener, and with it every call.
    ['fail', 1, { ...ERROR, fields: 'text' }],
    ['fail', 1, { ...ERROR, fields: [null] }],
    ['end', 1, { ...ERROR, fields: {} }],
    ['begin', 1, { status: '200', headers: [] }],
    ['data', 1, new Uint8Array(1)],
    ['event', 'wait'],
    ['done', 0],
  ];
  for (const message of bad) assert.equal(readFromGate(message), undefined, message[0]);
});

/** A sender and a receiver, joined; `sent` counts the bytes that are under way or wait. */
function joined(chunks) {
  const state = { sent: 0, left: 0, done: 0, cancelled: false };
  let at = 0;
  const source = new ReadableStream(
    {
      pull: (controller) => (at < chunks.length ? controller.enqueue(chunks[at++]) : controller.close()),
      cancel: () => void (state.cancelled = true),
    },
    { highWaterMark: 0 },
  );
  const sender = new Sender(source);
  const receiver = new Receiver(
    (bytes) => sender.grant(bytes),
    () => sender.cancel(),
    () => (state.done += 1),
  );
  const running = sender
    .run((bytes) => {
      state.sent += bytes.byteLength;
      receiver.push(bytes);
    })
    .then(() => receiver.end());
  return { state, receiver, running };
}
/** Until nobody can go on without somebody else: all of this is done in microtasks. */
const settle = () => new Promise(setImmediate);

test('a sender stops at the end of its window, and goes on when the reader does', async () => {
  const chunks = Array.from({ length: 200 }, (_, index) => new Uint8Array(10_000).fill(index));
  const { state, receiver, running } = joined(chunks.map((chunk) => chunk.slice()));
  await settle();
  assert.ok(state.sent >= WINDOW && state.sent < WINDOW + 10_000, `${state.sent} bytes`);
  const reader = receiver.readable.getReader();
  const read = [];
  for (let next; !(next = await reader.read()).done;) read.push(next.value);
  await running;
  assert.deepEqual(Buffer.concat(read), Buffer.concat(chunks));
  assert.equal(state.done, 1);
});

test('a reader who promises more than a window gets a window', async () => {
  let sent = 0;
  const sender = new Sender(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(10_000)) }));
  sender.grant(100 * WINDOW);
  const running = sender.run((bytes) => (sent += bytes.byteLength));
  await settle();
  assert.ok(sent >= WINDOW && sent < WINDOW + 10_000, `${sent} bytes`);
  const before = sent;
  sender.grant(10_000);
  await settle();
  assert.equal(sent, before + 10_000, 'and then what is promised');
  sender.cancel();
  await running;
});

test('a window that is full to the byte is full', async () => {
  let sent = 0;
  const sender = new Sender(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(WINDOW / 4)) }));
  const running = sender.run((bytes) => (sent += bytes.byteLength));
  await settle();
  assert.equal(sent, WINDOW);
  sender.cancel();
  await running;
});

test('a reader who leaves frees the sender, also one that waits for credit', async () => {
  const { state, receiver, running } = joined(Array.from({ length: 200 }, () => new Uint8Array(10_000)));
  await settle();
  await receiver.readable.cancel();
  await running;
  assert.ok(state.cancelled);
  assert.equal(state.done, 1);
});

test('a source that cannot be left in peace is left all the same', async () => {
  const pull = (to) => to.enqueue(new Uint8Array(WINDOW));
  const cancel = () => Promise.reject(new RangeError('no'));
  const sender = new Sender(new ReadableStream({ pull, cancel }, { highWaterMark: 0 }));
  const running = sender.run(() => undefined);
  await settle();
  sender.cancel();
  await running;
});

test('a part of a larger buffer is sent alone', async () => {
  const whole = new Uint8Array([1, 2, 3, 4]);
  const { receiver, state } = joined([whole.subarray(1, 3)]);
  const { value } = await receiver.readable.getReader().read();
  assert.deepEqual([...value], [2, 3]);
  assert.deepEqual([state.sent, whole.length], [2, 4]);
});

test('bytes that others see, too, are copied: they cannot be transferred', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
  const { receiver } = joined([shared]);
  const { value } = await receiver.readable.getReader().read();
  assert.ok(value.buffer instanceof ArrayBuffer);
  assert.deepEqual([...value], [7, 7]);
});

test('a meter refuses above each bound, says when to come back, and begins anew', () => {
  let now = 0;
  const { admit, allows } = meter({ requestsPerMinute: 2, bytesPerMinute: 100, callsPerMinute: 1 }, () => now);
  assert.deepEqual(['vault.list', 'vault.put', 'vault.reveal', '__proto__'].map(allows), [true, false, false, false]);
  const chat = (units) => ['chat', 1, 'x'.repeat(units), {}, false];
  const call = ['call', 1, 'status', []];
  admit(chat(20));
  now = 1_000;
  assert.throws(() => admit(chat(31)), { code: 'rate_limited', retryAfterMs: 59_000 });
  admit(chat(30));
  assert.throws(() => admit(chat(0)), { code: 'rate_limited' });
  admit(call);
  assert.throws(() => admit(call), { code: 'rate_limited' });
  now = 60_000;
  admit(chat(50));
  // A clock that was set back begins a minute, too.
  now = 0;
  admit(chat(50));
  now = 60_000;
  const asking = {
    method: 'POST',
    url: 'u'.repeat(10),
    headers: ['n'.repeat(10), 'v'.repeat(11)],
    body: 'b'.repeat(20),
  };
  assert.throws(() => admit(['fetch', 1, asking]), { code: 'rate_limited' }, 'headers are bytes, too');
  admit(['fetch', 1, { ...asking, url: 'u'.repeat(9) }]);
});

test('settings of a frame are read or named', () => {
  const { origins, bounds } = settingsOf({ origins: ['https://app.example'], requestsPerMinute: 5 });
  assert.deepEqual([origins, bounds.requestsPerMinute, bounds.callsPerMinute], [['https://app.example'], 5, 1_200]);
  const paths = (value) => {
    try {
      settingsOf(value);
      return [];
    } catch ({ code, fields }) {
      assert.equal(code, 'config_invalid');
      return fields.map(({ path }) => path);
    }
  };
  assert.deepEqual(paths({ origins: ['https://app.example/'] }), ['origins']);
  assert.deepEqual(paths({ origins: '*', config: 3, requestsPerMinute: 0.5, other: 1 }), [
    'origins',
    'config',
    'requestsPerMinute',
    'other',
  ]);
  for (const bound of [0, -1, 1.5, '5', 2 ** 60])
    assert.deepEqual(paths({ bytesPerMinute: bound }), ['bytesPerMinute']);
  assert.deepEqual(paths(null), []);
});

test('a name that is no event here harms nothing', async () => {
  const { port1, port2 } = new MessageChannel();
  const listened = [];
  const on = (name) => {
    if (name !== 'wait') throw new TypeError('no such event');
    listened.push(name);
    return () => undefined;
  };
  // An unhandled rejection would fail the test.
  serve(port2, 'chat', () => Promise.resolve({ on, status: () => Promise.resolve(7) }));
  const told = new Promise(
    (resolve) => (port1.onmessage = ({ data }) => data[0] === 'done' && data[1] === 2 && resolve(data)),
  );
  port1.postMessage(['open', 1, OPENING]);
  for (const name of ['no-such-event', 'wait']) port1.postMessage(['listen', name, true]);
  port1.postMessage(['call', 2, 'status', []]);
  assert.deepEqual(await told, ['done', 2, 7]);
  port1.close();
  assert.deepEqual(listened, ['wait']);
});

test('what a method gives is moved out of its realm: no copy of a key stays', async () => {
  const { port1, port2 } = new MessageChannel();
  const key = new TextEncoder().encode('the key itself');
  const recoveryCode = new TextEncoder().encode('the code');
  const part = new Uint8Array(64).subarray(8, 16).fill(7);
  const vault = {
    reveal: () => Promise.resolve(key),
    rotate: () => Promise.resolve([{ id: 'a' }, { id: 'b', recoveryCode }]),
    exportFile: () => Promise.resolve(part),
  };
  serve(port2, 'chat', () => Promise.resolve({ vault }));
  const answers = new Map();
  const answered = new Promise((resolve) => {
    port1.onmessage = ({ data: [kind, id, value] }) => {
      if (kind === 'done') answers.set(id, value);
      if (answers.size === 4) resolve();
    };
  });
  port1.postMessage(['open', 1, OPENING]);
  ['reveal', 'rotate', 'exportFile'].forEach((name, at) => port1.postMessage(['call', at + 2, `vault.${name}`, []]));
  await answered;
  port1.close();
  const text = (bytes) => new TextDecoder().decode(bytes);
  assert.deepEqual([text(answers.get(2)), text(answers.get(3)[1].recoveryCode)], ['the key itself', 'the code']);
  assert.deepEqual([key.length, recoveryCode.length], [0, 0], 'both are gone here');
  assert.deepEqual([[...answers.get(4)], part.length], [Array(8).fill(7), 8], 'a part of a buffer is copied');
});

test('a realm that is ended while it starts is stopped, and whoever waits for it is told', async () => {
  const how = { what: 'The worker', startMs: 60_000, opening: OPENING, level: 'worker' };
  const heard = { event: () => undefined, names: () => [] };
  for (const when of ['before it is there', 'before it is ready']) {
    let stopped = 0;
    const started = { port: { postMessage: () => undefined, onmessage: null }, stop: () => (stopped += 1) };
    let come;
    const coming = new Promise((resolve) => (come = () => resolve(started)));
    const realm = restarting({ ...how, start: () => coming }, heard);
    const told = assert.rejects(realm.line(), { code: 'closed' }, when);
    if (when === 'before it is ready') come();
    await new Promise(setImmediate);
    realm.end();
    come();
    await told;
    assert.ok(stopped > 0, when);
  }
});

// What the gateway's realm does for a caller that it does not trust.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { meter } from '../dist/isolation/meter.js';
import { serve } from '../dist/isolation/serve.js';

const OPENING = { config: {}, join: undefined, gateway: '/a', rest: '/r', kdf: '/b', later: '/l' };

/** A realm whose gate notes what it is asked; `send` gives what came back of these messages, once `count` did. */
function realm(guard) {
  const asked = [];
  const note = (name) => () => {
    asked.push(name);
    return Promise.resolve(name);
  };
  const vault = { list: note('vault.list'), reveal: note('vault.reveal') };
  const on = (name) => {
    asked.push(`on ${name}`);
    return note(`off ${name}`);
  };
  const gate = {
    status: note('status'),
    records: note('records'),
    vault,
    queue: { constructor: note('no'), stats: note('queue.stats') },
    on,
  };
  const port = { postMessage: (message) => port.got.push(message), got: [], onmessage: null };
  serve(port, 'chat', () => Promise.resolve(gate).finally(() => asked.push('open')), guard);
  port.got.length = 0;
  return {
    asked,
    async send(...messages) {
      port.got.length = 0;
      for (const data of messages) port.onmessage({ data });
      await new Promise(setImmediate); // all of it is done in microtasks
      return port.got.map(([kind, id, value]) => [kind, id, value?.fields?.[0]?.path ?? value?.code ?? value]);
    },
  };
}
const open = (id) => ['open', id, OPENING];
const call = (id, name) => ['call', id, name, []];

test('nothing is answered before the one opening', async () => {
  const { send, asked } = realm();
  assert.deepEqual(await send(call(1, 'status')), [['fail', 1, 'open']]);
  assert.deepEqual(await send(open(2)), [['done', 2, null]]);
  assert.deepEqual(await send(open(3), call(4, 'status')), [
    ['fail', 3, 'open'],
    ['done', 4, 'status'],
  ]);
  assert.deepEqual(asked, ['open', 'status']);
});

test('a number that is in use begins nothing', async () => {
  const { send, asked } = realm();
  await send(open(1));
  assert.deepEqual(await send(call(2, 'status'), call(2, 'records')), [['done', 2, 'status']]);
  assert.deepEqual(asked, ['open', 'status']);
});

test('a chat that is no stream is answered as a text', async () => {
  const gate = { chatText: async (text, { tenant, signal }) => [text, tenant, signal.aborted] };
  const messages = await said(Promise.resolve(gate), open(1), ['chat', 2, '{}', { tenant: 'a' }, false]);
  assert.deepEqual(messages.at(-1), ['done', 2, ['{}', 'a', false]]);
});

test('what a method gives is passed on whatever is in it', async () => {
  const value = { nothing: null, shared: new Uint8Array(new SharedArrayBuffer(1)) };
  value.itself = value;
  const moved = [];
  const port = { postMessage: ([kind, id], transfer) => moved.push([kind, id, transfer]), onmessage: null };
  serve(port, 'chat', async () => ({ status: async () => value }));
  for (const data of [open(1), call(2, 'status')]) port.onmessage({ data });
  await new Promise(setImmediate);
  assert.deepEqual(moved.at(-1), ['done', 2, []]);
});

test('only methods that cross are called', async () => {
  const { send, asked } = realm();
  await send(open(1));
  for (const name of ['constructor', 'vault', 'vault.constructor', 'queue.constructor', 'on', '__proto__', 'chat']) {
    assert.deepEqual(await send(call(2, name)), [['fail', 2, name]]);
  }
  assert.deepEqual(asked, ['open']);
  for (const name of ['status', 'vault.list', 'queue.stats']) {
    assert.deepEqual(await send(call(2, name)), [['done', 2, name]]);
  }
  assert.deepEqual(asked, ['open', 'status', 'vault.list', 'queue.stats']);
});

test('a guard decides which methods are called, and how much is asked', async () => {
  const { send, asked } = realm(meter({ requestsPerMinute: 1, bytesPerMinute: 1_000, callsPerMinute: 4 }, () => 0));
  await send(open(1));
  assert.deepEqual(await send(call(2, 'vault.reveal'), call(3, 'vault.list')), [
    ['fail', 2, 'vault.reveal'],
    ['done', 3, 'vault.list'],
  ]);
  assert.deepEqual(await send(call(4, 'status')), [['done', 4, 'status']]);
  assert.deepEqual(await send(call(5, 'status')), [['fail', 5, 'rate_limited']]);
  assert.deepEqual(asked, ['open', 'vault.list', 'status']);
});

test('a name is listened to once, and 64 at most', async () => {
  const { send, asked } = realm();
  await send(['listen', 'early', true], open(1));
  await send(...Array.from({ length: 70 }, (_, at) => ['listen', `e${at}`, true]).flatMap((one) => [one, one]));
  assert.deepEqual(
    asked.slice(1),
    Array.from({ length: 64 }, (_, at) => `on e${at}`),
  );
  await send(['listen', 'e0', false], ['listen', 'e0', true]);
  assert.deepEqual(asked.slice(65), ['off e0', 'on e0']);
});

test('what is no message is dropped', async () => {
  const { send, asked } = realm();
  assert.deepEqual(await send(null, 'open', ['open', 0, OPENING], ['call', 1], { 0: 'ping', 1: 1 }), []);
  assert.deepEqual(asked, []);
});

test('who stops listening before the gate is open never listened', async () => {
  const { send, asked } = realm();
  await send(open(1), ['listen', 'wait', true], ['listen', 'wait', false]);
  assert.deepEqual(asked, ['open']);
});

/** What a gate that opens so, and answers so, has said in the end. */
async function said(opening, ...messages) {
  const port = { postMessage: (message) => port.got.push(message), got: [], onmessage: null };
  serve(port, 'chat', () => opening);
  for (const data of messages) port.onmessage({ data });
  await new Promise(setImmediate);
  return port.got.map(([kind, id, value]) => [kind, id, value?.code ?? value]);
}

test('a gate that cannot be opened is told to whoever opens it', async () => {
  const opening = Promise.reject(new TypeError('no'));
  assert.deepEqual(await said(opening, open(1), call(2, 'status')), [
    ['ready', 'chat', undefined],
    ['fail', 1, 'internal'],
    ['fail', 2, 'internal'],
  ]);
});

test('a realm whose Wasm has trapped says that it is broken, after whose call it was', async () => {
  const trap = async () => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  assert.deepEqual(await said(Promise.resolve({ status: trap }), open(1), call(2, 'status')), [
    ['ready', 'chat', undefined],
    ['done', 1, null],
    ['fail', 2, 'internal'],
    ['broken', undefined, undefined],
  ]);
});

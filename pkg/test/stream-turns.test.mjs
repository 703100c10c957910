// In which order the two sides of a stream, its timer and its signal act on it, and that each is let go once it is over.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';

import { resolvers, tick } from './scripted.mjs';
import { endedOnce, open, text } from './streams.mjs';

test('reads that wait together are answered in turn, and the provider is read for one at a time', async () => {
  const all = open({ last: { 0: 'tail' } });
  await tick(); // it has begun
  const reads = [1, 2, 3, 4, 5].map(() => text(all.reader));
  await tick();
  assert.equal(all.source.pulls, 1);
  for (const chunk of ['one', 'two', '[DONE]']) {
    all.source.send(chunk);
    await tick();
  }
  assert.deepEqual(await Promise.all(reads), ['one', 'two', '[DONE]', 'tail', undefined]);
  await endedOnce(all, ['finish', 0]);

  const ahead = open();
  await tick();
  const both = [text(ahead.reader), text(ahead.reader)];
  let pushed = 0;
  const { push } = ahead.wasm;
  ahead.wasm.push = (chunk) => ((pushed += 1), push.call(ahead.wasm, chunk));
  for (let number = 1; number < 9; number += 1) ahead.source.send(`${number}`);
  assert.deepEqual(await Promise.all(both), ['1', '2']);
  await tick();
  assert.ok(pushed <= 3, `${pushed} were read`);
  await ahead.reader.cancel();

  const settling = resolvers();
  const replay = open({ replay: true, first: 'all of it', last: { 0: '[DONE]' }, settling: settling.promise });
  const replayed = [1, 2, 3].map(() => text(replay.reader));
  await tick();
  settling.resolve();
  assert.deepEqual(await Promise.all(replayed), ['all of it', '[DONE]', undefined]);
  await endedOnce(replay, ['finish', 0]);
});

test('a pause of the consumer is told once, and only one that it made', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const pauses = [];
  const all = open({ paused: (millis) => pauses.push(millis), rewrite: (chunk) => (chunk === 'nothing' ? '' : chunk) });
  all.source.send('one');
  await text(all.reader);
  t.mock.timers.tick(19);
  all.source.send('two');
  await text(all.reader);
  assert.deepEqual(pauses, [], 'that was none');
  t.mock.timers.tick(5_000);
  const waiting = text(all.reader);
  await tick();
  for (const chunk of ['nothing', 'nothing', 'three']) {
    t.mock.timers.tick(3_000); // the provider's time
    all.source.send(chunk);
    await tick();
  }
  assert.equal(await waiting, 'three');
  assert.deepEqual(pauses, [5_000]);
  await all.reader.cancel();

  const late = open({ first: 'head', paused: (millis) => pauses.push(millis) });
  t.mock.timers.tick(40_000);
  assert.equal(await text(late.reader), 'head');
  assert.deepEqual(pauses, [5_000, 40_000], 'before the first read, too');
  await late.reader.cancel();
});

test('one timer serves all chunks, and none is left when a stream is over, or broken', async (t) => {
  const armed = new Set();
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  t.mock.method(globalThis, 'setTimeout', (...given) => {
    const timer = set(...given);
    if (given[1] > 1_000) armed.add(timer);
    return timer;
  });
  t.mock.method(globalThis, 'clearTimeout', (timer) => (armed.delete(timer), clear(timer)));
  const all = open();
  for (const chunk of ['one', 'two', 'three']) {
    const waiting = text(all.reader);
    await tick();
    all.source.send(chunk);
    assert.equal(await waiting, chunk);
    assert.equal(armed.size, 1);
  }
  await all.reader.cancel();
  assert.equal(armed.size, 0);

  const broken = open({ push: () => assert.fail('a defect') });
  const waiting = assert.rejects(text(broken.reader), { code: 'internal' });
  const told = assert.rejects(broken.account, { code: 'internal' });
  await tick();
  broken.source.send('one');
  await Promise.all([waiting, told]);
  assert.equal(armed.size, 0);
});

test('who slept reads what came meanwhile before the time between chunks runs out', async (t) => {
  const now = performance.now.bind(performance);
  let asleepMs = 0;
  t.mock.method(performance, 'now', () => now() + asleepMs);
  const all = open({ leftMs: 30 });
  const waiting = text(all.reader);
  await tick();
  asleepMs = 60_000;
  await after(200);
  assert.deepEqual(all.wasm.told, [], 'not over yet');
  all.source.send('one');
  assert.equal(await waiting, 'one');
  all.wasm.leftMs = 0;
  assert.equal(await text(all.reader), undefined);
  await endedOnce(all, ['finish', 2]);
});

test('a time longer than timers take is one that they take', async (t) => {
  const set = globalThis.setTimeout;
  const spans = [];
  t.mock.method(globalThis, 'setTimeout', (call, ms) => (spans.push(ms), set(call, ms)));
  const all = open({ leftMs: 2 ** 40 });
  const waiting = text(all.reader);
  await tick();
  assert.ok(spans.includes(2 ** 31 - 1) && Math.max(...spans) < 2 ** 31);
  all.source.send('one');
  assert.equal(await waiting, 'one');
  await all.reader.cancel();
});

test('a provider that fails as the caller gives up ends it once', async () => {
  const controller = new AbortController();
  const all = open({}, controller.signal);
  const waiting = text(all.reader);
  await tick();
  all.source.fail();
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await endedOnce(all, ['cancel']);
});

test('the caller’s signal is let go at the end', async () => {
  const { signal } = new AbortController();
  const [add, remove] = [signal.addEventListener, signal.removeEventListener];
  let listening = 0;
  signal.addEventListener = (...given) => (listening++, add.apply(signal, given));
  signal.removeEventListener = (...given) => (listening--, remove.apply(signal, given));
  const all = open({}, signal);
  assert.equal(listening, 1);
  all.source.send('[DONE]');
  await text(all.reader);
  assert.equal(await text(all.reader), undefined);
  assert.equal(listening, 0);
});

test('an abort while a settlement fails leaves nobody waiting', async () => {
  const controller = new AbortController();
  const settling = resolvers();
  const all = open({ finish: () => settling.promise }, controller.signal);
  all.source.send('[DONE]');
  await text(all.reader);
  const waiting = text(all.reader);
  await tick();
  controller.abort();
  const told = assert.rejects(all.account, { code: 'internal' });
  settling.reject(new WebAssembly.RuntimeError('unreachable'));
  await assert.rejects(waiting, { name: 'AbortError' });
  await told;
});

test('nothing is told of a stream that was left, and nothing freed, before it is settled', async () => {
  const settling = resolvers();
  const all = open({ settling: settling.promise });
  all.source.send('one');
  await text(all.reader);
  const leaving = all.reader.cancel();
  await tick();
  assert.equal(all.wasm.freed, 0);
  settling.resolve();
  await leaving;
  await endedOnce(all, ['cancel']);
});

for (const [when, method] of [
  ['at its end', 'finish'],
  ['as its consumer leaves', 'cancel'],
]) {
  test(`a stream whose settlement fails ${when} says so`, async () => {
    const all = open({ [method]: () => Promise.reject(new WebAssembly.RuntimeError('unreachable')) });
    all.source.send(method === 'finish' ? '[DONE]' : 'one');
    await text(all.reader);
    const ended = method === 'finish' ? text(all.reader) : all.reader.cancel();
    if (method === 'finish') await assert.rejects(ended, { code: 'internal' });
    await assert.rejects(all.account, { code: 'internal' });
  });
}

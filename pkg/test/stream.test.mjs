// The stream that a consumer reads, against a scripted end of the boundary.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resolvers, tick } from './scripted.mjs';
import { endedOnce, open, text } from './streams.mjs';

test('hands out the head, the chunks as they are, and the last bytes', async () => {
  const all = open({ first: 'head ', last: { 0: 'tail' } });
  all.source.send('one ');
  assert.equal(await text(all.reader), 'head ');
  assert.equal(await text(all.reader), 'one ');
  all.source.send('[DONE]');
  assert.equal(await text(all.reader), '[DONE]');
  assert.equal(await text(all.reader), 'tail');
  assert.equal(await text(all.reader), undefined);
  await endedOnce(all, ['finish', 0]);
});

test('reads nothing that nobody asked for', async () => {
  const all = open({ first: 'head' });
  await tick();
  assert.equal(all.source.pulls, 0);
  await text(all.reader);
  await tick();
  assert.equal(all.source.pulls, 0, 'the head needs no reading');
  const waiting = text(all.reader);
  await tick();
  assert.equal(all.source.pulls, 1);
  all.source.send('one');
  assert.equal(await waiting, 'one');
  await tick();
  assert.equal(all.source.pulls, 1);
  await all.reader.cancel();
});

test('goes on past chunks that give nothing, and hands out others in place of chunks', async () => {
  const rewrite = (chunk) => (chunk === 'nothing' ? undefined : chunk === 'empty' ? '' : chunk.toUpperCase());
  const all = open({ rewrite });
  const waiting = text(all.reader);
  for (const chunk of ['nothing', 'empty', 'loud']) all.source.send(chunk);
  assert.equal(await waiting, 'LOUD');
  await all.reader.cancel();
  await endedOnce(all, ['cancel']);
});

test('a head without bytes is none', async () => {
  const all = open({ first: '' });
  all.source.send('one');
  assert.equal(await text(all.reader), 'one');
  await all.reader.cancel();
});

test('a replay has no provider: head, last bytes, end', async () => {
  for (const last of ['[DONE]', '']) {
    const all = open({ replay: true, first: 'all of it', last: { 0: last } });
    assert.equal(await text(all.reader), 'all of it');
    if (last) assert.equal(await text(all.reader), last);
    assert.equal(await text(all.reader), undefined);
    await endedOnce(all, ['finish', 0]);
  }
});

test('a connection that ends by itself is not hung up, one that stays is', async (t) => {
  // What waits for a connection to end, instead of the quarter of a second that it waits.
  let hangUp;
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  t.mock.method(globalThis, 'setTimeout', (call, ms, ...rest) =>
    ms === 250 ? (hangUp = call) : set(call, ms, ...rest),
  );
  t.mock.method(globalThis, 'clearTimeout', (timer) => {
    if (timer === hangUp) hangUp = undefined;
    else clear(timer);
  });
  const clean = open();
  clean.source.send('[DONE]');
  await text(clean.reader);
  clean.source.close();
  assert.equal(await text(clean.reader), undefined);
  await tick();
  assert.deepEqual([hangUp, clean.source.cancelled], [undefined, 0]);

  const staying = open();
  staying.source.send('[DONE]');
  await text(staying.reader);
  assert.equal(await text(staying.reader), undefined);
  assert.equal(staying.source.cancelled, 0, 'not yet');
  hangUp();
  await tick();
  assert.deepEqual([hangUp, staying.source.cancelled], [undefined, 1]);

  const talking = open();
  talking.source.send('[DONE]');
  await text(talking.reader);
  talking.source.send('more');
  assert.equal(await text(talking.reader), undefined);
  await tick();
  assert.deepEqual([hangUp, talking.source.cancelled], [undefined, 1], 'who goes on is hung up at once');

  const broken = open();
  broken.source.send('[DONE]');
  await text(broken.reader);
  broken.source.fail();
  assert.equal(await text(broken.reader), undefined);
  await tick();
  assert.equal(hangUp, undefined);
});

test('an end without its good end is told to the Wasm, which gives the error in band', async () => {
  const all = open({ last: { 0: 'error frame' } });
  all.source.send('one');
  assert.equal(await text(all.reader), 'one');
  all.source.close();
  assert.equal(await text(all.reader), 'error frame');
  await endedOnce(all, ['finish', 0]);
});

test('hands out the beginning of a chunk whose last event is not complete', async () => {
  const all = open({ last: { 0: 'and the rest' } });
  all.wasm.part = 5;
  all.source.send('whole, half');
  assert.equal(await text(all.reader), 'whole');
  all.source.close();
  assert.equal(await text(all.reader), 'and the rest');
  await endedOnce(all, ['finish', 0]);
});

test('a broken network ends with the error in band', async () => {
  const all = open({ last: { 1: 'error frame' } });
  all.source.send('one');
  assert.equal(await text(all.reader), 'one');
  all.source.fail();
  assert.equal(await text(all.reader), 'error frame');
  assert.equal(await text(all.reader), undefined);
  await endedOnce(all, ['finish', 1]);
});

test('a timer that has run out hangs up; one that was put off is asked again', async () => {
  const lefts = [21, 20, 0];
  const all = open({ leftMs: () => lefts.shift() ?? 0, last: { 2: 'timeout frame' } });
  const started = performance.now();
  assert.equal(await text(all.reader), 'timeout frame');
  assert.ok(performance.now() - started >= 35, 'waited twice');
  assert.equal(all.source.cancelled, 1);
  await endedOnce(all, ['finish', 2]);
});

test('a clock that is set back keeps nobody waiting; a chunk gives more time', async () => {
  const lefts = [20, 10_800_000];
  const all = open({ leftMs: () => lefts.shift(), last: { 2: 'timeout frame' } });
  assert.equal(await text(all.reader), 'timeout frame');
  await endedOnce(all, ['finish', 2]);

  const again = open({ leftMs: 20, last: { 2: 'timeout frame' } });
  assert.equal(await text(again.reader), 'timeout frame', 'as much time as before');

  const other = open({ leftMs: 10 });
  const first = text(other.reader);
  await tick();
  other.wasm.leftMs = 60_000;
  other.source.send('one');
  assert.equal(await first, 'one');
  const second = text(other.reader);
  await tick(30);
  assert.deepEqual(other.wasm.told, []);
  other.source.send('two');
  assert.equal(await second, 'two');
  await other.reader.cancel();

  // A chunk gives time once: then nothing comes, and the clock is set back.
  const last = open({ leftMs: 10, last: { 2: 'timeout frame' } });
  const waiting = text(last.reader);
  await tick();
  last.source.send('one');
  assert.equal(await waiting, 'one');
  const spans = [10, 10_800_000];
  last.wasm.leftMs = () => spans.shift() ?? 10_800_000;
  assert.equal(await text(last.reader), 'timeout frame');
});

test('the time for the whole runs out though chunks keep coming', async () => {
  const all = open({ leftMs: 10, last: { 2: 'timeout frame' } });
  all.source.send('one');
  assert.equal(await text(all.reader), 'one');
  all.wasm.leftMs = 0;
  all.source.send('two');
  assert.equal(await text(all.reader), 'two');
  assert.equal(await text(all.reader), 'timeout frame');
  await endedOnce(all, ['finish', 2]);
});

test('a chunk that came too late is the last, whatever has come after it', async () => {
  const all = open({ leftMs: 60_000, last: { 2: 'timeout frame' } });
  all.source.send('one');
  assert.equal(await text(all.reader), 'one');
  all.wasm.leftMs = 0;
  for (const chunk of ['two', 'three']) all.source.send(chunk);
  assert.equal(await text(all.reader), 'two');
  assert.equal(await text(all.reader), 'timeout frame');
  await endedOnce(all, ['finish', 2]);
});

for (const [when, read] of [
  ['has stopped reading', true],
  ['has never read', false],
]) {
  test(`a consumer that ${when} is no timeout between outputs, and is one for the whole`, async () => {
    const began = performance.now();
    let idleUntil = began + 60;
    const all = open({
      paused: (millis) => (idleUntil += millis),
      leftMs: () => Math.min(idleUntil, began + 1_000) - performance.now(),
      last: { 2: 'timeout frame' },
    });
    all.source.send('one');
    if (read) assert.equal(await text(all.reader), 'one');
    await tick(300);
    assert.deepEqual(all.wasm.told, []);
    await endedOnce(all, ['finish', 2]);
    assert.equal(all.source.cancelled, 1, 'the provider is hung up on');
    assert.ok(performance.now() - began >= 990);
    assert.equal(await text(all.reader), 'timeout frame');
    assert.equal(await text(all.reader), undefined);
  });
}

test('a provider that does not answer is a timeout, also after a pause of the consumer', async () => {
  const all = open({ leftMs: 5, last: { 2: 'timeout frame' } });
  all.source.send('one');
  assert.equal(await text(all.reader), 'one');
  await tick(30);
  all.source.send('two');
  assert.equal(await text(all.reader), 'two');
  const waiting = text(all.reader);
  await tick();
  all.wasm.leftMs = 0;
  assert.equal(await waiting, 'timeout frame');
});

test('a consumer that leaves hangs up and settles', async () => {
  const all = open();
  const waiting = text(all.reader);
  await tick();
  await all.reader.cancel();
  assert.equal(await waiting, undefined);
  assert.equal(all.source.cancelled, 1);
  await endedOnce(all, ['cancel']);
});

for (const [when, prepare] of Object.entries({
  'before anything is read': async () => {},
  'while the provider is waited for': async (all) => {
    all.waiting = text(all.reader);
    await tick();
  },
  'between two reads': async (all) => {
    all.source.send('one');
    await text(all.reader);
  },
})) {
  test(`an abort ${when} errors the stream with the reason and settles`, async () => {
    const controller = new AbortController();
    const all = open({}, controller.signal);
    await prepare(all);
    controller.abort();
    await assert.rejects(all.waiting ?? text(all.reader), { name: 'AbortError' });
    assert.equal(all.source.cancelled, 1);
    await endedOnce(all, ['cancel']);
  });
}

test('a signal that has fired already errors the stream at once', async () => {
  const all = open({}, AbortSignal.abort());
  await assert.rejects(text(all.reader), { name: 'AbortError' });
  await endedOnce(all, ['cancel']);
});

test('an abort while the end is being settled errors the stream, and it is settled once', async () => {
  const controller = new AbortController();
  const settling = resolvers();
  const all = open({ settling: settling.promise }, controller.signal);
  all.source.send('[DONE]');
  await text(all.reader);
  const waiting = text(all.reader);
  await tick();
  controller.abort();
  assert.equal(all.wasm.freed, 0);
  settling.resolve();
  await assert.rejects(waiting, { name: 'AbortError' });
  await endedOnce(all, ['finish', 0]);
});

test('a consumer that leaves while the end is being settled does not settle it again', async () => {
  const settling = resolvers();
  const all = open({ settling: settling.promise });
  all.source.send('[DONE]');
  await text(all.reader);
  await tick();
  const leaving = all.reader.cancel();
  settling.resolve();
  await leaving;
  await endedOnce(all, ['finish', 0]);
});

test('an abort after the end changes nothing', async () => {
  const controller = new AbortController();
  const all = open({}, controller.signal);
  all.source.send('[DONE]');
  await text(all.reader);
  assert.equal(await text(all.reader), undefined);
  controller.abort();
  assert.equal(await text(all.reader), undefined);
  await endedOnce(all, ['finish', 0]);
});

test('a defect of the Wasm is an internal error, never a clean end', async () => {
  const all = open();
  all.wasm.push = () => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  all.source.send('one');
  await assert.rejects(text(all.reader), { code: 'internal' });
  await assert.rejects(all.account, { code: 'internal' });
  assert.equal(all.source.cancelled, 1);
});

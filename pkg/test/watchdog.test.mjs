import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Watchdog } from '../dist/watchdog.js';

const HOUR_MS = 3_600_000;

/** A clock of the test's: `tick` lets the timer fire after so long by the clock, whatever the timer was set to. */
function place(t) {
  const real = { setTimeout: globalThis.setTimeout, now: Date.now };
  t.after(() => {
    globalThis.setTimeout = real.setTimeout;
    Date.now = real.now;
  });
  let now = 1_000_000;
  let armed;
  const state = { armings: 0, kept: 0 };
  Date.now = () => now;
  globalThis.setTimeout = (fire) => {
    armed = fire;
    state.armings += 1;
    state.kept += 1;
    return { unref: () => (state.kept -= 1) };
  };
  return {
    state,
    isArmed: () => armed !== undefined,
    async tick(ms) {
      now += ms;
      const fire = armed;
      armed = undefined;
      fire?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** What becomes of a work that never settles. */
function watched(spanMs) {
  const told = { state: 'waits' };
  new Watchdog().watch(new Promise(() => {}), spanMs).catch(({ code }) => (told.state = code));
  return told;
}

test('what never settles is told, in its time', async (t) => {
  const { tick } = place(t);
  const told = watched(20_000);
  for (let tick5s = 0; tick5s < 4; tick5s += 1) await tick(5_000);
  assert.equal(told.state, 'waits');
  await tick(5_000);
  assert.equal(told.state, 'internal');
});

test('a computer that slept, or a clock that was set, has waited for nobody', async (t) => {
  for (const jump of [3 * HOUR_MS, -3 * HOUR_MS]) {
    const { tick } = place(t);
    const told = watched(60_000);
    await tick(jump);
    assert.equal(told.state, 'waits');
    for (let ticks = 0; ticks < 13; ticks += 1) await tick(5_000);
    assert.equal(told.state, 'internal', 'and waits no longer than it would have');
  }
});

test('timers that come once a minute, in a tab behind others, count as what they were set to, or twice that', async (t) => {
  const { tick } = place(t);
  const told = watched(60_000);
  for (let minute = 0; minute < 6; minute += 1) await tick(60_000);
  assert.equal(told.state, 'waits');
  await tick(60_000);
  assert.equal(told.state, 'internal');
});

test('one timer serves all, as long as something is watched, and keeps no process alive', async (t) => {
  const { tick, state, isArmed } = place(t);
  const watchdog = new Watchdog();
  assert.equal(isArmed(), false);
  const works = [Promise.resolve(1), Promise.reject(new RangeError('no')), new Promise(() => {})];
  const watched = works.map((work) => watchdog.watch(work, 7_000));
  assert.equal(state.armings, 1);
  assert.equal(await watched[0], 1);
  await assert.rejects(watched[1], RangeError);
  const last = assert.rejects(watched[2], { code: 'internal' });
  await tick(5_000);
  assert.ok(isArmed());
  await tick(5_000);
  await last;
  assert.equal(isArmed(), false, 'nothing is watched any more');
  const late = assert.rejects(watchdog.watch(new Promise(() => {}), 7_000), { code: 'internal' });
  await tick(5_000);
  assert.ok(isArmed(), 'what comes later has its own time');
  await tick(5_000);
  await late;
  assert.deepEqual([isArmed(), state.kept], [false, 0]);
});

test('what has settled leaves no timer behind', async (t) => {
  const { tick, isArmed } = place(t);
  const watchdog = new Watchdog();
  await watchdog.watch(Promise.resolve(), 60_000);
  await watchdog.watch(Promise.reject(new RangeError('no')), 60_000).catch(() => undefined);
  await tick(5_000);
  assert.equal(isArmed(), false);
});

test('where nothing is to be waited for any more, all are told why', async (t) => {
  const { tick } = place(t);
  const realm = {};
  const watchdog = new Watchdog(() => realm.broken);
  const told = assert.rejects(watchdog.watch(new Promise(() => {}), 60_000), RangeError);
  await tick(5_000);
  realm.broken = new RangeError('the rest is gone');
  await tick(5_000);
  await told;
});

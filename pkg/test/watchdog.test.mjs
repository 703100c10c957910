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
  Date.now = () => now;
  globalThis.setTimeout = (fire) => ((armed = fire), 1);
  return {
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

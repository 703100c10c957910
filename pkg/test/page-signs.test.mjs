// What a page's own events tell the vault, and what tabs tell one another when a gate is closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { watchPresence } from '../dist/vault/presence.js';
import { tabChannel } from '../dist/vault/tabs.js';

/** A page of the test's. */
function page(t, visibilityState) {
  const [document, window] = [Object.assign(new EventTarget(), { visibilityState }), new EventTarget()];
  for (const [name, value] of Object.entries({ document, addEventListener: window.addEventListener.bind(window) })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => delete globalThis[name]);
  }
  const say = (...names) => names.forEach((name) => document.dispatchEvent(new Event(name)));
  return { document, window, say };
}

test('a page that is kept aside is asleep, also where no browser says `freeze`', (t) => {
  const { window, say } = page(t);
  const told = [];
  const stop = watchPresence((sign) => told.push(sign));
  window.dispatchEvent(new Event('pagehide'));
  say('freeze');
  assert.deepEqual(told, ['frozen', 'frozen']);
  stop();
  window.dispatchEvent(new Event('pagehide'));
  assert.equal(told.length, 2);
});

test('a page that is opened behind another one is hidden from the start', (t) => {
  const { document } = page(t, 'hidden');
  const told = [];
  watchPresence((sign) => told.push(sign))();
  assert.deepEqual(told, ['hidden']);
  document.visibilityState = 'visible';
  watchPresence((sign) => told.push(sign))();
  assert.deepEqual(told, ['hidden']);
});

test('a person is told of once a second, from the first sign on, until it is stopped', (t) => {
  const { say } = page(t, 'visible');
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const told = [];
  const stop = watchPresence((sign) => told.push(sign));
  say('pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart');
  assert.deepEqual(told, ['active']);
  now = 999;
  say('pointermove');
  assert.equal(told.length, 1);
  for (const name of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) {
    now += 1_000;
    say(name, name);
  }
  assert.deepEqual(told, Array(6).fill('active'));
  stop();
  now += 1_000;
  say('keydown');
  assert.equal(told.length, 6);
});

test('a page tells whether it is seen when that changes, and when it wakes up', (t) => {
  const { document, say } = page(t, 'visible');
  const told = [];
  const stop = watchPresence((sign) => told.push(sign));
  for (const name of ['visibilitychange', 'resume']) {
    for (document.visibilityState of ['hidden', 'visible']) say(name);
  }
  assert.deepEqual(told, ['hidden', 'shown', 'hidden', 'shown']);
  stop();
});

test('where there is no page, nobody is watched', () => {
  watchPresence(() => assert.fail('nothing to tell'))();
});

test('a channel hears three words, and what is told after its end is not said', async (t) => {
  const heard = [];
  const [one, other] = [tabChannel('signs', (word) => heard.push(word)), tabChannel('signs', () => undefined)];
  const stranger = new BroadcastChannel('tidegate:vault:signs');
  t.after(() => (one.close(), stranger.close()));
  const odd = [
    null,
    undefined,
    5,
    'LOCK',
    'lock ',
    ['lock'],
    { type: 'lock' },
    new String('lock'),
    'x'.repeat(1e6),
    'lock',
  ];
  for (const word of odd) stranger.postMessage(word);
  other.tell('changed');
  other.close();
  assert.doesNotThrow(() => other.tell('forget'));
  while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(heard, ['lock', 'changed']);
});

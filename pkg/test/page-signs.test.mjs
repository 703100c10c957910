// What a page's own events tell the vault, and what tabs tell one another when a gate is closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { watchPresence } from '../dist/vault/presence.js';
import { tabChannel } from '../dist/vault/tabs.js';

test('a page that is kept aside is asleep, also where no browser says `freeze`', (t) => {
  const [document, window] = [new EventTarget(), new EventTarget()];
  const names = { document, addEventListener: window.addEventListener.bind(window) };
  for (const [name, value] of Object.entries(names)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => delete globalThis[name]);
  }
  const told = [];
  const stop = watchPresence((sign) => told.push(sign));
  window.dispatchEvent(new Event('pagehide'));
  document.dispatchEvent(new Event('freeze'));
  assert.deepEqual(told, ['frozen', 'frozen']);
  stop();
  window.dispatchEvent(new Event('pagehide'));
  assert.equal(told.length, 2);
});

test('a page that is opened behind another one is hidden from the start', (t) => {
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  const window = new EventTarget();
  for (const [name, value] of Object.entries({ document, addEventListener: window.addEventListener.bind(window) })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => delete globalThis[name]);
  }
  const told = [];
  watchPresence((sign) => told.push(sign))();
  assert.deepEqual(told, ['hidden']);
  document.visibilityState = 'visible';
  watchPresence((sign) => told.push(sign))();
  assert.deepEqual(told, ['hidden']);
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

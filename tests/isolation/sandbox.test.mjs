// A frame that is sandboxed without an origin: what is not to be had there is told by its name, and the rest works.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BROWSERS, where } from '../packaging/browsers.mjs';
import { provider, site } from './support.mjs';

for (const [name, start] of Object.entries(BROWSERS)) {
  test(name, where(name), async (t) => {
    const driven = await start();
    t.after(() => driven.close());
    // Scripts of a page without an origin are asked for as another origin's.
    const [origin, ours] = await Promise.all([
      site(t, { headers: { 'access-control-allow-origin': '*' } }),
      provider(t),
    ]);
    const query = new URLSearchParams({ provider: ours.url });
    const told = JSON.parse(await driven.text(`${origin}/sandboxed.html?${query}`));
    assert.match(told.byDefault, /^isolation_failed: .*sandboxed frame.*isolation: 'page' and ledger: 'memory'/);
    assert.match(told.storage, /^internal: .*ledger: 'memory'/);
    assert.deepEqual(told.memory, ['memory', null, 'unlocked', true]);
    assert.deepEqual(told.unhandled, []);
  });
}

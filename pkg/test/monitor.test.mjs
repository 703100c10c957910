// What the page's monitor refuses before it looks; how it looks is tested in a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { monitor } from '../dist/monitor/monitor.js';

test('what would look for less than was meant is refused', (t) => {
  const onFinding = () => undefined;
  assert.throws(() => monitor({ onFinding }), { name: 'TypeError', message: /there is no page here/u });
  globalThis.document = {};
  t.after(() => delete globalThis.document);
  for (const [options, name, message] of [
    [{ places: ['dmo'] }, 'RangeError', /no place dmo, only globals, /u],
    [{ place: ['dom'] }, 'TypeError', /no option place, only onFinding, /u],
    [{ sliceMs: 51 }, 'RangeError', /sliceMs/u],
    [{ everyMs: 999 }, 'RangeError', /everyMs/u],
    [{ onFinding: undefined }, 'TypeError', /onFinding/u],
  ])
    assert.throws(() => monitor({ onFinding, ...options }), { name, message });
});

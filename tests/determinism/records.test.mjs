// One script of 1,000 requests with faults leaves the same decision records on every host, byte for byte.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { buildWasm, inChromium, inNode, inWorkerd, natively } from './support.mjs';

const SEED = 46;
const REQUESTS = 1_000;

let native;
before(() => {
  buildWasm();
  native = natively(SEED, REQUESTS);
});

/** Compares by the first line that differs: the whole text would fill the screen. */
function same(records, where) {
  if (records === native) return;
  const [ours, theirs] = [native.split('\n'), records.split('\n')];
  const line = ours.findIndex((text, index) => text !== theirs[index]);
  assert.fail(`${where} differs from native in line ${line + 1}: ${theirs[line]} instead of ${ours[line]}`);
}

test('the native run leaves hundreds of records, all of which replay', () => {
  const count = native.match(/^tidegate-record\t/gm).length;
  assert.ok(count > 700 && count <= REQUESTS, `${count} records`);
  assert.doesNotMatch(native, /^does not replay$/m);
});

test('another seed leaves other records', () => {
  assert.notEqual(natively(SEED + 1, 100), natively(SEED, 100));
});

test('Node leaves the same', async () => same(await inNode(SEED, REQUESTS), 'Node'));
test('Chromium leaves the same', async () => same(await inChromium(SEED, REQUESTS), 'Chromium'));
test('workerd leaves the same', async () => same(await inWorkerd(SEED, REQUESTS), 'workerd'));

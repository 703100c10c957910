// The instance that turns a passphrase into a key leaves no copy of the passphrase behind.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { runKdf } from '../dist/kdf.js';

test('the passphrase is wiped, whether a key came of it or not', async () => {
  const module = await WebAssembly.compile(await readFile(new URL('../wasm/kdf_bg.wasm', import.meta.url)));
  const passphrase = new TextEncoder().encode('correct horse');
  const salt = new Uint8Array(16);
  const key = runKdf(module, [passphrase, salt, 19 * 1024, 2, 1]);
  assert.ok(key.length === 32 && key.some((byte) => byte !== 0));
  assert.ok(passphrase.every((byte) => byte === 0));
  const refused = new TextEncoder().encode('correct horse');
  assert.throws(() => runKdf(module, [refused, salt.subarray(1), 19 * 1024, 2, 1]));
  assert.ok(refused.every((byte) => byte === 0));
});

// Published vectors on the Wasm and on WebCrypto, and what each seals opened by the other.

import assert from 'node:assert/strict';
import * as nodeCrypto from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';

import { buildWasm } from './support.mjs';

const { subtle } = globalThis.crypto;
const hex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
const vectors = JSON.parse(
  await readFile(new URL('../vectors/wycheproof_aes_gcm_256.json', import.meta.url), 'utf8'),
).tests.map(({ tcId, result, ...fields }) => ({
  id: tcId,
  valid: result === 'valid',
  ...Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, hex(text)])),
}));

const folder = new URL('../../target/wasm-testing/', import.meta.url);
let wasm;
before(async () => {
  await buildWasm();
  wasm = await import(new URL('testing.js', folder));
  wasm.initSync({ module: await readFile(new URL('testing_bg.wasm', folder)) });
});

const web = async (mode, { key, iv, aad }, bytes) => {
  const imported = await subtle.importKey('raw', key, 'AES-GCM', false, [mode]);
  return new Uint8Array(await subtle[mode]({ name: 'AES-GCM', iv, additionalData: aad }, imported, bytes));
};

test('Wycheproof: AES-GCM with 256-bit keys and 96-bit nonces', async () => {
  const counts = { valid: 0, invalid: 0 };
  for (const vector of vectors) {
    const { id, valid, key, iv, aad, msg, ct, tag } = vector;
    const sealed = Uint8Array.from([...ct, ...tag]);
    const opened = wasm.aesGcmOpen(key, iv, aad, sealed);
    counts[valid ? 'valid' : 'invalid'] += 1;
    if (!valid) {
      assert.equal(opened, undefined, `${id}: refused by the Wasm`);
      await assert.rejects(web('decrypt', vector, sealed), `${id}: refused by WebCrypto`);
      continue;
    }
    assert.deepEqual(opened, msg, `${id}`);
    assert.deepEqual(wasm.aesGcmSeal(key, iv, aad, msg), sealed, `${id}`);
    assert.deepEqual(await web('decrypt', vector, sealed), msg, `${id}`);
    assert.deepEqual(await web('encrypt', vector, msg), sealed, `${id}`);
  }
  assert.ok(counts.valid >= 30 && counts.invalid >= 20, JSON.stringify(counts));
});

test('what one seals the other opens, at every length up to three blocks and around 4 KiB', async () => {
  const lengths = [...Array(49).keys(), 4_095, 4_096, 4_097];
  for (const length of lengths) {
    const random = (count) => crypto.getRandomValues(new Uint8Array(count));
    const [key, iv, aad, msg] = [random(32), random(12), random(length % 40), random(length)];
    const ours = wasm.aesGcmSeal(key, iv, aad, msg);
    assert.deepEqual(await web('decrypt', { key, iv, aad }, ours), msg, `${length}: WebCrypto opens`);
    const theirs = await web('encrypt', { key, iv, aad }, msg);
    assert.deepEqual(wasm.aesGcmOpen(key, iv, aad, theirs), msg, `${length}: the Wasm opens`);
    theirs[length % theirs.length] ^= 1;
    assert.equal(wasm.aesGcmOpen(key, iv, aad, theirs), undefined, `${length}: neither is lenient`);
  }
});

test('RFC 9106: Argon2id, and as the runtime’s own makes it', async (t) => {
  const expected = '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659';
  assert.equal(Buffer.from(wasm.argon2Rfc9106()).toString('hex'), expected);
  if (!nodeCrypto.argon2Sync) return t.diagnostic('skipped beside the runtime: this Node has no Argon2');
  const own = nodeCrypto.argon2Sync('argon2id', {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    secret: Buffer.alloc(8, 3),
    associatedData: Buffer.alloc(12, 4),
    parallelism: 4,
    tagLength: 32,
    memory: 32,
    passes: 3,
  });
  return assert.equal(own.toString('hex'), expected);
});

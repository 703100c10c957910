// The detector as apps call it. What keys look like is tested in Rust; here are the crossing and the types' promises.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { redact, rules, scan, Scanner } from '../dist/node.js';

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const random = (length, digits = DIGITS) =>
  [...randomBytes(length)].map((byte) => digits[byte % digits.length]).join('');
const groq = () => `gsk_${random(52)}`;

test('a key is found, told without itself, and placed in bytes and in UTF-16 units', async () => {
  const key = groq();
  const text = `é😀\nconst key = "${key}";`;
  const [finding, ...rest] = await scan(text);
  assert.equal(rest.length, 0);
  assert.equal(text.slice(finding.startUtf16, finding.endUtf16), key);
  assert.equal(Buffer.from(text).subarray(finding.start, finding.end).toString(), key);
  assert.deepEqual([finding.line, finding.column], [2, 14]);
  assert.deepEqual([finding.rule, finding.class, finding.encoding], ['groq', 'secret', 'plain']);
  assert.ok(!JSON.stringify(finding).includes(key.slice(4, 40)));
});

test('fingerprints follow the key that they are keyed with', async () => {
  const key = groq();
  const print = async (options) => (await scan(key, options))[0].fingerprint;
  assert.match(await print(), /^[0-9a-f]{16}$/);
  assert.equal(await print(), await print());
  const own = new Uint8Array(8).fill(1);
  assert.equal(await print({ key: own }), await print({ key: own }));
  assert.notEqual(await print({ key: own }), await print());
});

test('a key split over chunks is found once, also within a character', async () => {
  const key = groq();
  const bytes = new TextEncoder().encode(`${'ü'.repeat(100_000)} ${key} ${'-'.repeat(100_000)}`);
  const whole = await scan(bytes);
  assert.equal(whole.length, 1);
  const scanner = await Scanner.create();
  for (const size of [1, 7, 65_537]) {
    const found = [];
    const from = size === 1 ? 199_990 : 0;
    if (from > 0) found.push(...scanner.push(bytes.subarray(0, from)));
    for (let at = from; at < bytes.length; at += size) found.push(...scanner.push(bytes.subarray(at, at + size)));
    found.push(...scanner.finish());
    assert.deepEqual(found, whole, String(size));
  }
  scanner.free();
});

test('one letter escaped, once or twice, hides no key: not its first, not one within', async () => {
  const code = (letter) => letter.charCodeAt(0).toString(16);
  const once = [
    (letter) => `\\x${code(letter)}`,
    (letter) => `\\u00${code(letter)}`,
    (letter) => `\\u{${code(letter)}}`,
    (letter) => `%${code(letter)}`,
    (letter) => `%25${code(letter)}`,
  ];
  const key = groq();
  for (const escaped of [...once, ...once.map((form) => (letter) => form(letter).replace('\\', '\\\\'))]) {
    for (const at of [0, 1, 3, 20, key.length - 1]) {
      const text = `const key = "${key.slice(0, at)}${escaped(key[at])}${key.slice(at + 1)}";`;
      assert.deepEqual([text, ...(await scan(text)).map(({ rule }) => rule)], [text, 'groq']);
    }
  }
  // As PHP and others write a slash in JSON.
  const secret = `${random(12)}/${random(13)}/${random(13)}`;
  for (const slash of ['/', '\\/', '\\\\/', '\\u002f', '\\\\u002f', '\\\\\\/']) {
    const text = `{"aws_secret_access_key":"${secret.replaceAll('/', slash)}"}`;
    assert.deepEqual([text, ...(await scan(text)).map(({ rule }) => rule)], [text, 'aws-secret-access-key']);
  }
});

test('publishable keys are told as such, or not at all', async () => {
  const key = `phc_${random(43)}`;
  assert.equal((await scan(key))[0].class, 'publishable');
  assert.deepEqual(await scan(key, { publishable: false }), []);
});

test('every kind is listed once, with what to do and where to read', async () => {
  const all = await rules();
  assert.ok(all.length >= 40, String(all.length));
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  for (const { id, advice, docs } of all) assert.ok(advice.length > 10 && new URL(docs).hostname.includes('.'), id);
});

test('a key is taken out for good, or put back into an answer that comes in pieces', async () => {
  const text = `use ${groq()} and npm_${random(36)}!`;
  const forever = await redact(text);
  assert.match(forever.text, /^use \[REDACTED:groq:[0-9a-f]{16}\] and \[REDACTED:npm:[0-9a-f]{16}\]!$/);
  assert.equal(forever.restore(forever.text), forever.text);
  const masked = await redact(text, { reversible: true });
  assert.deepEqual(await scan(masked.text), []);
  assert.equal(masked.restore(masked.text), text);
  assert.equal([...masked.text].map((piece) => masked.push(piece)).join('') + masked.finish(), text);
  assert.equal(masked.findings.length, 2);
});

test('a text that has marks already comes back as it was', async () => {
  const key = groq();
  const { text } = await redact(`first ${key}`);
  const [mark] = /\[REDACTED[^\]]+\]/u.exec(text);
  // The mark that this key gets, whole, numbered and begun: as an earlier answer may hold them, or somebody who knows.
  const before = `${mark} ${mark.replace(']', ':2]')} ${mark.slice(0, -3)} ${key} [REDACTED:`;
  const masked = await redact(before, { reversible: true });
  assert.ok(!masked.text.includes(key));
  assert.equal(masked.restore(masked.text), before);
  const pieces = [...masked.text].map((piece) => masked.push(piece));
  assert.equal(pieces.join('') + masked.finish(), before);
});

test('vectors and bytes look at the same places: every form, at every offset', async () => {
  const key = groq();
  const hex = [...key].map((digit) => `\\x${digit.charCodeAt(0).toString(16)}`).join('');
  const percent = [...key].map((digit) => `%${digit.charCodeAt(0).toString(16)}`).join('');
  const encoded = (before) => Buffer.from(before + key).toString('base64');
  const forms = { plain: key, hex, percent, concat: `"${key.slice(0, 9)}" + "${key.slice(9)}"` };
  for (const [encoding, form] of [
    ...Object.entries(forms),
    ...['', '?', '??'].map((one) => ['base64', encoded(one)]),
  ]) {
    const print = (await scan(key))[0].fingerprint;
    for (let offset = 0; offset < 40; offset += 1) {
      for (const after of ['', '\n', ' '.repeat(100)]) {
        const found = await scan(`${' '.repeat(offset)}${form}${after}`);
        assert.deepEqual(
          found.map((one) => [one.encoding, one.fingerprint]),
          [[encoding, print]],
          `${encoding} at ${offset}`,
        );
      }
    }
  }
});

test('what we ship has nothing that looks like a key', async () => {
  let files = 0;
  for (const folder of ['../dist/', '../wasm/']) {
    const at = new URL(folder, import.meta.url);
    for (const name of (await readdir(at)).filter((name) => /\.(js|wasm)$/.test(name))) {
      assert.deepEqual(await scan(await readFile(new URL(name, at))), [], name);
      files += 1;
    }
  }
  assert.ok(files > 20, String(files));
});

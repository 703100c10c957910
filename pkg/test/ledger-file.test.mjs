import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { fileStorage } from '../dist/storage/file.js';
import { ask, keyed } from './support.mjs';

function file(t) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-ledger-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'ledger');
}

async function spend(t, path) {
  const { gate, sent } = await keyed(t, { ledger: { file: path } });
  await gate.chat(ask('one'));
  const { spentNanoUsd } = await gate.budget.status();
  return { gate, sent, spentNanoUsd };
}

test('a file remembers what was spent, and leaves nothing beside it', async (t) => {
  const path = file(t);
  const first = await spend(t, path);
  assert.ok(first.spentNanoUsd > 0);
  await first.gate.close();
  const second = await spend(t, path);
  assert.equal(second.spentNanoUsd, 2 * first.spentNanoUsd);
  assert.deepEqual(readdirSync(join(path, '..')), ['ledger']);
});

for (const [what, change] of [
  ['a damaged file', (bytes) => bytes.subarray(0, bytes.length - 3)],
  ['an empty file', () => Buffer.alloc(0)],
  ['no ledger at all', () => Buffer.from('<html>')],
  // Three bytes of magic, then the version.
  ['a newer version', (bytes) => Buffer.from(bytes.map((byte, index) => (index === 3 ? byte + 1 : byte)))],
]) {
  test(`${what} is refused, sends nothing, and is left as it is`, async (t) => {
    const path = file(t);
    await (await spend(t, path)).gate.close();
    const changed = change(readFileSync(path));
    writeFileSync(path, changed);
    const { gate, sent } = await keyed(t, { ledger: { file: path } });
    await assert.rejects(gate.chat(ask('two')), { code: 'vault_corrupt' });
    assert.deepEqual(sent, []);
    assert.deepEqual(readFileSync(path), changed);
  });
}

test('what is queued waits for a build that reads a newer file', async (t) => {
  const path = file(t);
  await (await spend(t, path)).gate.close();
  writeFileSync(
    path,
    readFileSync(path).map((byte, index) => (index === 3 ? byte + 1 : byte)),
  );
  const { gate, sent } = await keyed(t, { ledger: { file: path }, queue: { baseMs: 1 } });
  const { requestId } = await gate.queue.enqueue(ask('later'), { maxRetries: 0 });
  let status;
  for (let tries = 0; tries < 200 && !['delayed', 'dead'].includes(status?.status); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    status = await gate.queue.status(requestId);
  }
  assert.deepEqual([status.status, status.failures], ['delayed', 0]);
  assert.deepEqual(sent, []);
});

test('a file that cannot be written refuses', async (t) => {
  const { gate, sent } = await keyed(t, { ledger: { file: join(file(t), 'no', 'such', 'folder') } });
  await assert.rejects(gate.chat(ask('one')), { code: 'internal' });
  assert.deepEqual(sent, []);
});

/** A ledger that counts its decisions. */
const counter = (path, more = () => {}) =>
  fileStorage(path, (bytes) => {
    more(bytes);
    return [Buffer.from(String(Number(bytes ?? 0) + 1)), new Uint8Array()];
  });

test('processes that find the lock of one that died take it away once, and lose no decision', async (t) => {
  const script = fileURLToPath(new URL('ledger-child.mjs', import.meta.url));
  const processes = Array.from({ length: 8 }, () => fork(script));
  t.after(() => processes.forEach((one) => one.kill()));
  await Promise.all(processes.map((one) => once(one, 'message')));
  for (let round = 0; round < 12; round++) {
    const path = file(t);
    writeFileSync(`${path}.lock`, '');
    utimesSync(`${path}.lock`, 1, 1);
    const failures = processes.map(async (one) => (await once(one, 'message'))[0]);
    for (const one of processes) one.send({ path, decisions: 3 });
    assert.deepEqual(await Promise.all(failures), Array(8).fill(0));
    assert.equal(readFileSync(path, 'utf8'), '24');
    assert.deepEqual(readdirSync(join(path, '..')), ['ledger']);
  }
});

test('who slept while it had the lock decides anew, and leaves the lock to who has it now', async (t) => {
  const path = file(t);
  const seen = [];
  const other = counter(path, (bytes) => {
    seen.push(String(bytes));
    if (seen.length > 1) return;
    // Meanwhile another process took the lock, decided, and has taken it once more.
    rmSync(`${path}.lock`);
    writeFileSync(path, '7');
    writeFileSync(`${path}.lock`, '', { flag: 'wx' });
    setTimeout(() => {
      assert.equal(readFileSync(path, 'utf8'), '7');
      rmSync(`${path}.lock`);
    }, 50);
  });
  await other.ledger(new Uint8Array());
  assert.deepEqual(seen, ['undefined', '7']);
  assert.equal(readFileSync(path, 'utf8'), '8');
  assert.deepEqual(readdirSync(join(path, '..')), ['ledger']);
});

test('a lock of a time that is yet to come is one of a clock that was set back', async (t) => {
  const path = file(t);
  writeFileSync(`${path}.lock`, '');
  utimesSync(`${path}.lock`, Date.now() / 1_000 + 86_400, Date.now() / 1_000 + 86_400);
  await counter(path).ledger(new Uint8Array());
  assert.equal(readFileSync(path, 'utf8'), '1');
});

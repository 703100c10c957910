import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

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
    await assert.rejects(gate.chat(ask('two')), { code: 'internal' });
    assert.deepEqual(sent, []);
    assert.deepEqual(readFileSync(path), changed);
  });
}

test('a file that cannot be written refuses', async (t) => {
  const { gate, sent } = await keyed(t, { ledger: { file: join(file(t), 'no', 'such', 'folder') } });
  await assert.rejects(gate.chat(ask('one')), { code: 'internal' });
  assert.deepEqual(sent, []);
});

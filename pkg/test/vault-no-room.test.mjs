// A storage that has no more room: what only writes down when a key was used fails for nobody.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryStorage } from '../dist/storage/memory.js';
import { ask, KEY } from './support.mjs';
import { openOn, passkey } from './vault-gate.mjs';

test('without room keys are listed, and the vault locks', async (t) => {
  const storage = memoryStorage();
  const { update } = storage;
  let full = false;
  let refused = 0;
  storage.update = async (...given) => {
    if (!full) return update.apply(storage, given);
    refused += 1;
    throw new DOMException('no room', 'QuotaExceededError');
  };
  const { gate, vault } = await openOn(t, storage);
  await vault.create(passkey());
  await vault.put('groq', KEY);
  await gate.chat(ask('one'));
  full = true;
  assert.deepEqual(
    (await vault.list()).map(({ provider }) => provider),
    ['groq'],
  );
  await gate.chat(ask('two'));
  await vault.lock();
  assert.equal(await vault.state(), 'locked');
  assert.equal(refused, 2, 'each tried to write down when the key was used');
  await assert.rejects(vault.removeSlot('1'), 'what has to be stored is told');
});

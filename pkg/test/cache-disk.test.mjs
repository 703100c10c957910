// `cache.persist`, on a storage that outlives its gate (in Node only the ledger does).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openOn as openGate } from '../dist/open-here.js';
import { memoryStorage } from '../dist/storage/memory.js';
import { answer, ask, KEY, PASSPHRASE } from './support.mjs';
import { derived, glue } from './vault-gate.mjs';

const SECRET = 'an answer that only its asker may read';

/** Opens a gate on a storage of the test's; `sent` counts requests. */
async function openOn(t, storage) {
  const platform = {
    runtime: 'node',
    load: () => Promise.resolve(glue),
    later: () => import('../dist/later.js'),
    derive: derived,
    noLedger: () => undefined,
    open: () => Promise.resolve(storage),
  };
  const sent = [];
  const config = {
    name: 'disk',
    cache: { persist: true },
    targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
  };
  const fetch = async () => {
    sent.push(1);
    return answer(SECRET);
  };
  const gate = await openGate(platform, config, { fetch });
  t.after(() => gate.close());
  return { gate, sent };
}

const stored = async (storage) => [...(await storage.all('cache'))];

async function filled(t) {
  const storage = memoryStorage();
  const { gate } = await openOn(t, storage);
  await gate.vault.create(PASSPHRASE);
  await gate.vault.put('groq', KEY);
  await gate.chat(ask('a question of its own'));
  await gate.close();
  return storage;
}

test('a kept answer serves after reopening, for the unlocked vault only, and cannot be read on disk', async (t) => {
  const storage = await filled(t);
  const records = await stored(storage);
  assert.equal(records.length, 1);
  for (const part of [SECRET, 'only its asker', 'a question', 'groq', 'gpt-oss', KEY]) {
    for (const [name, bytes] of [...records, ...(await storage.all('vault'))]) {
      if (part === 'groq' && ['key/groq', 'vault/2'].includes(name)) continue; // names of providers are no secret: `list` works when locked
      assert.ok(!Buffer.from(bytes).includes(part) && !name.includes(part), `${part} in ${name}`);
    }
  }
  const { gate, sent } = await openOn(t, storage);
  assert.equal(await gate.cache.size(), 0);
  await gate.vault.unlock(PASSPHRASE);
  const again = await gate.chat(ask('a question of its own'));
  assert.equal(again.tidegate.cache, 'hit');
  assert.equal(again.choices[0].message.content, SECRET);
  assert.deepEqual(sent, []);
  await gate.cache.clear();
  assert.deepEqual(await stored(storage), []);
});

test('a damaged entry, or one of another vault, is dropped and asked anew', async (t) => {
  const storage = await filled(t);
  const [[name, bytes]] = await stored(storage);
  const foreign = (await stored(await filled(t)))[0];
  const damaged = Uint8Array.from(bytes, (byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));
  await storage.change('cache', [[name, damaged], foreign], []);
  const { gate, sent } = await openOn(t, storage);
  await gate.vault.unlock(PASSPHRASE);
  assert.equal(await gate.cache.size(), 0);
  assert.deepEqual(await stored(storage), []);
  assert.equal((await gate.chat(ask('a question of its own'))).tidegate.cache, 'miss');
  assert.equal(sent.length, 1);
});

test('a full disk costs the entry, not the answer', async (t) => {
  const full = memoryStorage();
  const storage = {
    ...full,
    change: (table, ...rest) =>
      table === 'cache' ? Promise.reject(new Error('QuotaExceededError')) : full.change(table, ...rest),
  };
  const { gate } = await openOn(t, storage);
  await gate.vault.create(PASSPHRASE);
  await gate.vault.put('groq', KEY);
  assert.equal((await gate.chat(ask('one'))).choices[0].message.content, SECRET);
  assert.equal((await gate.chat(ask('one'))).tidegate.cache, 'hit');
});

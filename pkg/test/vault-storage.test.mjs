// What a vault stores: the same for the Wasm and for WebCrypto, refused when any bit is changed, moved from format 1.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { memoryStorage } from '../dist/storage/memory.js';
import { ask, KEY, OTHER_KEY, PASSPHRASE } from './support.mjs';
import { derived, openOn, passkey } from './vault-gate.mjs';
import { macOf, openRecord, readHeader, resummed, vaultKey, writeRecord } from './vault-format.mjs';

const HEADER = 'vault/2';
const FIXTURE = JSON.parse(await readFile(new URL('../../tests/vectors/vault_format_1.json', import.meta.url), 'utf8'));

/** A stored vault that a passkey opens, with Groq's key: no slow KDF. */
async function stored(t) {
  const storage = memoryStorage();
  const { gate, vault } = await openOn(t, storage);
  await vault.create(passkey());
  await vault.put('groq', KEY);
  await gate.close();
  return storage;
}

const copyOf = async (storage) => {
  const copy = memoryStorage();
  await copy.change('vault', await storage.all('vault'), []);
  return copy;
};

test('WebCrypto opens what the Wasm sealed', async (t) => {
  const records = await (await stored(t)).all('vault');
  const header = await readHeader(records.get(HEADER));
  const key = await vaultKey(header, header.slots[0], passkey().prf);
  assert.deepEqual(await macOf(key, header.vault, header.covered), header.mac);
  const record = await openRecord(key, records.get('key/groq'));
  assert.deepEqual(
    [record.provider, record.origin, record.version, record.key],
    ['groq', 'https://api.groq.com', 1, KEY],
  );
  assert.deepEqual(header.index, [{ provider: 'groq', record: record.record, version: 1 }]);
  await assert.rejects(vaultKey(header, header.slots[0], new Uint8Array(32).fill(4)), /another secret/);
});

test('the Wasm opens what WebCrypto sealed', async (t) => {
  const storage = await stored(t);
  const header = await readHeader((await storage.all('vault')).get(HEADER));
  const key = await vaultKey(header, header.slots[0], passkey().prf);
  const own = { provider: 'groq', origin: 'https://api.groq.com', text: OTHER_KEY };
  const written = await writeRecord(key, header, own);
  const put = [
    [HEADER, written.header],
    ['key/groq', written.record],
  ];
  await storage.change('vault', put, []);
  const { gate, vault, sent } = await openOn(t, storage);
  await vault.unlock(passkey());
  await gate.chat(ask('one'));
  assert.deepEqual(sent, [`Bearer ${OTHER_KEY}`]);
  assert.equal((await vault.list())[0].version, 7);
  await vault.put('groq', KEY);
  assert.equal((await vault.list())[0].version, 8);
});

test('every changed bit and every cut of a stored vault is refused, and nothing stored is changed', async (t) => {
  const whole = await stored(t);
  const storage = await copyOf(whole);
  const { gate, vault, sent } = await openOn(t, storage);
  const refused = async (name, bytes, what) => {
    await storage.change('vault', [[name, bytes]], []);
    await assert.rejects(vault.unlock(passkey()), { code: 'vault_corrupt' }, what);
    assert.equal(await vault.state(), 'locked', what);
    assert.deepEqual((await storage.all('vault')).get(name), bytes, what);
  };
  let checked = 0;
  for (const [name, bytes] of await whole.all('vault')) {
    if (name === 'vault/used') continue; // nothing is decided by it
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = bytes.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      await refused(name, damaged, `bit ${bit} of ${name}`);
      checked += 1;
    }
    for (const length of [0, 1, 16, bytes.length - 1]) await refused(name, bytes.slice(0, length), `${length} bytes`);
    await storage.change('vault', [[name, bytes]], []);
  }
  assert.ok(checked > 4_000, `${checked} bits`);
  await storage.change('vault', [], ['key/groq']);
  await assert.rejects(vault.unlock(passkey()), { code: 'vault_corrupt' }, 'a record is missing');
  await storage.change('vault', await whole.all('vault'), []);
  await vault.unlock(passkey());
  await gate.chat(ask('one'));
  assert.deepEqual(sent, [`Bearer ${KEY}`]);
});

test('an older record that is put back is noticed, and the others can be used', async (t) => {
  const storage = await stored(t);
  const older = (await storage.all('vault')).get('key/groq');
  const { gate, vault } = await openOn(t, storage);
  await vault.unlock(passkey());
  await vault.put('groq', OTHER_KEY);
  await vault.put('openrouter', `sk-or-v1-${'0123456789abcdef'.repeat(4)}`);
  await vault.lock();
  await storage.change('vault', [['key/groq', older]], []);
  await assert.rejects(vault.unlock(passkey()), (error) => {
    assert.equal(error.code, 'vault_corrupt');
    assert.equal(error.fields[0].path, 'keys.groq');
    assert.match(error.fields[0].problem, /put back/);
    return true;
  });
  const { damaged } = await vault.unlock(passkey(), { skipDamaged: true });
  assert.deepEqual(
    damaged.map(({ path }) => path),
    ['keys.groq'],
  );
  assert.equal((await gate.status()).targets[0].keyed, false);
  await vault.put('groq', KEY); // what is lost can be entered anew
  await vault.lock();
  await vault.unlock(passkey());
});

/** A vault as format 1 stored it. */
async function first() {
  const storage = memoryStorage();
  const records = Object.entries(FIXTURE.records).map(([name, hex]) => [
    name,
    Uint8Array.from(Buffer.from(hex, 'hex')),
  ]);
  await storage.change('vault', records, []);
  return storage;
}

const namesOf = async (storage) =>
  [...(await storage.all('vault')).keys()].filter((name) => name !== 'vault/used').sort();

test('a vault of format 1 is listed, moved when it is unlocked, and its cost raised', async (t) => {
  const storage = await first();
  const { gate, vault, sent } = await openOn(t, storage);
  assert.equal(await vault.state(), 'locked');
  assert.deepEqual(
    (await vault.list()).map(({ provider, version }) => [provider, version]),
    [
      ['groq', 2],
      ['openrouter', 1],
    ],
  );
  assert.deepEqual((await vault.slots())[0].kdf, { memoryKib: 19_456, passes: 2, lanes: 1 });
  await assert.rejects(vault.create('another'), { code: 'invalid_request' });
  await assert.rejects(vault.unlock('wrong'), { code: 'vault_locked' });
  assert.deepEqual(await namesOf(storage), ['groq', 'openrouter', 'vault/attempts', 'vault/header']);
  const before = await storage.all('vault');
  for (const [name, hex] of Object.entries(FIXTURE.records))
    assert.equal(Buffer.from(before.get(name)).toString('hex'), hex);

  await vault.unlock(FIXTURE.passphrase);
  assert.deepEqual(await namesOf(storage), ['key/groq', 'key/openrouter', 'vault/2']);
  assert.deepEqual((await vault.slots())[0].kdf, { memoryKib: 65_536, passes: 3, lanes: 1 });
  await gate.chat(ask('one'));
  assert.deepEqual(sent, [`Bearer ${FIXTURE.keys.groq}`]);
  await vault.lock();
  await vault.unlock(FIXTURE.passphrase);
  assert.equal((await vault.list())[0].version, 2);
});

test('what an earlier move left behind does not keep the next one from being done', async (t) => {
  const storage = await first();
  await storage.change('vault', [['key/nobody', new Uint8Array(99)]], []);
  const { vault } = await openOn(t, storage);
  await vault.unlock(FIXTURE.passphrase);
  assert.deepEqual(await namesOf(storage), ['key/groq', 'key/openrouter', 'vault/2']);
});

test('a move that is broken off loses nothing and is done again', async (t) => {
  const whole = await first();
  for (const failing of [1, 2]) {
    const storage = await copyOf(whole);
    let moves = 0;
    const update = storage.update.bind(storage);
    const broken = {
      ...storage,
      update: (table, decide) => {
        const moving = table === 'vault' && /vaultMigrate|vaultMoved/.test(String(decide));
        if (moving && (moves += 1) === failing) return Promise.reject(new Error('the disk is full'));
        return update(table, decide);
      },
    };
    const { vault } = await openOn(t, broken);
    await assert.rejects(vault.unlock(FIXTURE.passphrase), { code: 'internal' });
    assert.equal(moves, failing, 'it was broken off there');
    assert.equal(await vault.state(), 'locked');
    const left = await storage.all('vault');
    for (const [name, hex] of Object.entries(FIXTURE.records))
      assert.equal(Buffer.from(left.get(name)).toString('hex'), hex, `${name} is still there`);
    await vault.unlock(FIXTURE.passphrase);
    assert.equal((await vault.list()).length, 2);
    assert.deepEqual(await namesOf(storage), ['key/groq', 'key/openrouter', 'vault/2']);
  }
});

test('what is read back wrong is not deleted', async (t) => {
  const storage = await first();
  const update = storage.update.bind(storage);
  const lying = {
    ...storage,
    // A disk that keeps something else than it was given.
    update: (table, decide) =>
      update(table, (records) => {
        const change = decide(records);
        const put = [...(change.put ?? [])].map(([name, bytes]) => [
          name,
          name === 'key/groq' ? bytes.map((byte, index) => (index === 60 ? byte ^ 1 : byte)) : bytes,
        ]);
        return { ...change, put };
      }),
  };
  const { vault } = await openOn(t, lying);
  await assert.rejects(vault.unlock(FIXTURE.passphrase), { name: 'TidegateError' });
  const left = await storage.all('vault');
  for (const name of Object.keys(FIXTURE.records)) assert.ok(left.has(name), `${name} is still there`);
});

test('a vault of a newer format is refused by name and left as it is', async (t) => {
  const storage = await stored(t);
  const newer = (await storage.all('vault')).get(HEADER).slice();
  newer[4] = 3;
  const bytes = await resummed(newer);
  await storage.change('vault', [[HEADER, bytes]], []);
  const { vault } = await openOn(t, storage);
  assert.equal(await vault.state(), 'locked');
  for (const work of [() => vault.unlock(passkey()), () => vault.slots(), () => vault.unlock(PASSPHRASE)]) {
    await assert.rejects(work, (error) => {
      assert.equal(error.code, 'vault_corrupt');
      assert.match(error.message, /newer version/);
      return true;
    });
  }
  await assert.rejects(vault.create(PASSPHRASE), { code: 'invalid_request' });
  assert.deepEqual((await storage.all('vault')).get(HEADER), bytes);
});

test('where there is no memory for the usual cost the lower one serves', async (t) => {
  const storage = memoryStorage();
  const small = (...input) => (input[2] > 60_000 ? Promise.reject('internal') : derived(...input));
  const { vault } = await openOn(t, storage, { derive: small });
  await vault.create(PASSPHRASE);
  assert.deepEqual((await vault.slots())[0].kdf, { memoryKib: 19_456, passes: 2, lanes: 1 });
  await vault.lock();
  const [{ id }] = await vault.slots();
  await vault.unlock(PASSPHRASE);
  const [slot] = await vault.slots();
  assert.deepEqual([slot.kdf.memoryKib, slot.id], [19_456, id], 'it opens as before');
  const update = storage.update.bind(storage);
  const full = {
    ...storage,
    update: (...asked) => (/vaultRaise/.test(String(asked[1])) ? Promise.reject(new Error('full')) : update(...asked)),
  };
  await (await openOn(t, full)).vault.unlock(PASSPHRASE);
  const { vault: larger, core } = await openOn(t, storage);
  const secrets = [];
  const raise = core.vaultRaise.bind(core);
  core.vaultRaise = (...given) => (secrets.push(given[2], given[4]), raise(...given));
  await larger.unlock(PASSPHRASE);
  assert.equal((await larger.slots())[0].kdf.memoryKib, 65_536, 'raised where there is');
  assert.deepEqual(
    secrets.map((secret) => [secret.length, secret.some((byte) => byte !== 0)]),
    [
      [32, false],
      [32, false],
    ],
  );
  await larger.lock();
  await larger.unlock(PASSPHRASE);
});

test('a vault that is open, and opened once more while the gate is being closed, does not stay open', async (t) => {
  const memory = memoryStorage();
  let closes = false;
  const derive = async () => {
    if (closes) await gate.close();
    return new Uint8Array(32).fill(1);
  };
  const { gate, vault, core } = await openOn(t, memory, { derive });
  await vault.create(PASSPHRASE);
  closes = true;
  await vault.unlock(PASSPHRASE).catch(() => undefined);
  assert.equal(core.isUnlocked(), false);
});

test('what is made while the gate is being closed does not stay open', async (t) => {
  const memory = memoryStorage();
  let closing;
  const storage = {
    ...memory,
    async update(...asked) {
      closing ??= gate.close();
      await closing;
      return memory.update(...asked);
    },
  };
  const { gate, vault, core } = await openOn(t, storage);
  await vault.create(passkey());
  assert.equal(core.isUnlocked(), false);
  assert.equal(await (await openOn(t, memory)).vault.state(), 'locked', 'it was stored');
});

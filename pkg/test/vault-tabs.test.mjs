// One vault under several tabs, and under a disk that fails: what each gate has in memory is what is stored.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { memoryStorage } from '../dist/storage/memory.js';
import { ask, KEY, OTHER_KEY } from './support.mjs';
import { openOn, passkey } from './vault-gate.mjs';

const ROUTER_KEY = `sk-or-v1-${'0123456789abcdef'.repeat(4)}`;

/** What a browser has and Node has not, or not in each version. */
function browser(t) {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  globalThis.isSecureContext = true;
  t.after(() => {
    delete globalThis.isSecureContext;
    if (own) Object.defineProperty(globalThis, 'navigator', own);
    else delete globalThis.navigator;
  });
}

/** Tabs of one origin: `open` gives another one. */
function origin(t) {
  browser(t);
  const storage = { ...memoryStorage(), kind: 'indexeddb' };
  const name = randomUUID();
  const open = async (more) => {
    const tab = await openOn(t, storage, { runtime: 'web', name, cache: { ttlMs: 0 }, ...more });
    tab.locks = [];
    tab.gate.on('vault-lock', ({ reason }) => tab.locks.push(reason));
    return tab;
  };
  return { storage, open };
}

/** Until something is so. */
async function until(met) {
  for (const began = Date.now(); !(await met()); await new Promise(setImmediate)) {
    assert.ok(Date.now() - began < 10_000, String(met));
  }
}

const says = async (tab) => {
  await tab.gate.chat(ask('hello'));
  return tab.sent.at(-1);
};

test('a lock in one tab locks all, and each is told why, once', async (t) => {
  const { open } = origin(t);
  const [one, other] = [await open(), await open()];
  await one.vault.create(passkey());
  await one.vault.put('groq', KEY);
  await other.vault.unlock(passkey());
  await one.vault.lock();
  await until(async () => (await other.vault.state()) === 'locked');
  await one.vault.lock();
  await other.vault.lock();
  assert.deepEqual([one.locks, other.locks], [['call'], ['tab']]);
  await assert.rejects(other.gate.chat(ask('one')), { code: 'vault_locked' });
});

test('keys that come, change and go in one tab do so in the others', async (t) => {
  const { open } = origin(t);
  const [one, other] = [await open(), await open()];
  await one.vault.create(passkey());
  await other.vault.unlock(passkey());
  await one.vault.put('groq', KEY);
  const keyed = async () => (await other.gate.status()).targets[0].keyed;
  await until(keyed);
  assert.equal(await says(other), `Bearer ${KEY}`);
  const file = await one.vault.exportFile('of the file');
  await one.vault.remove('groq');
  await until(async () => !(await keyed()));
  await one.vault.importFile(file, 'of the file');
  await until(keyed);
  await one.vault.put('groq', OTHER_KEY);
  await until(async () => (await says(other)) === `Bearer ${OTHER_KEY}`);
  assert.deepEqual(other.locks, []);
});

test('a lock in one tab wipes the keys of the session in all, with a vault and without one', async (t) => {
  const { open } = origin(t);
  const [one, other] = [await open(), await open()];
  const keyed = async ({ gate }) => (await gate.status()).targets[0].keyed;
  for (const code of ['no_target', 'vault_locked']) {
    for (const { vault } of [one, other]) await vault.putForSession('groq', KEY);
    assert.deepEqual([await keyed(one), await keyed(other)], [true, true]);
    await one.vault.lock();
    await until(async () => !(await keyed(other)));
    for (const { gate } of [one, other]) await assert.rejects(gate.chat(ask('one')), { code });
    await one.vault.forget();
    await one.vault.create(passkey());
  }
  assert.deepEqual(other.locks, []);
});

test('a rotation locks the other tabs, and the old way in is gone there too', async (t) => {
  const { open } = origin(t);
  const [one, other] = [await open(), await open()];
  await one.vault.create(passkey());
  await other.vault.unlock(passkey());
  await one.vault.put('groq', KEY);
  // All that was told before is heard: what follows is the rotation's.
  await until(async () => (await other.gate.status()).targets[0].keyed);
  await one.vault.rotate([passkey(9)]);
  await until(async () => (await other.vault.state()) === 'locked');
  await assert.rejects(other.vault.unlock(passkey()), { code: 'vault_locked' });
  await other.vault.unlock(passkey(9));
  assert.equal(await says(other), `Bearer ${KEY}`);
  assert.equal(await says(one), `Bearer ${KEY}`);
});

test('what is forgotten is gone in all tabs, with session keys and the answers on the disk', async (t) => {
  const { storage, open } = origin(t);
  const [one, other] = [await open(), await open()];
  await one.vault.create(passkey());
  await one.vault.put('groq', KEY);
  await other.vault.unlock(passkey());
  await storage.change('cache', [['an answer', new Uint8Array(9)]], []);
  await one.vault.forget();
  const keyed = async (tab) => (await tab.gate.status()).targets[0].keyed;
  await until(async () => !(await keyed(other)));
  assert.equal(await keyed(one), false);
  assert.deepEqual([await one.vault.state(), await other.vault.state()], ['absent', 'absent']);
  assert.deepEqual([(await storage.all('vault')).size, (await storage.all('cache')).size], [0, 0]);
});

test('a tab that is open when all was cleared, and a vault made anew elsewhere, is locked', async (t) => {
  const { storage, open } = origin(t);
  const [one, other] = [await open(), await open()];
  await one.vault.create(passkey());
  await one.vault.put('groq', KEY);
  await storage.change('vault', [], (await storage.all('vault')).keys());
  await other.vault.create(passkey(9));
  await until(async () => (await one.vault.state()) === 'locked');
  assert.deepEqual(one.locks, ['tab']);
});

test('of two tabs that make a vault at once one does', async (t) => {
  const { open } = origin(t);
  const tabs = [await open(), await open()];
  const made = await Promise.allSettled(tabs.map(({ vault }, at) => vault.create(passkey(at + 1))));
  assert.deepEqual(made.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const [first] = made.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
  assert.equal(made[1 - first].reason.code, 'invalid_request');
  assert.equal(await tabs[1 - first].vault.state(), 'locked');
  await tabs[1 - first].vault.unlock(passkey(first + 1));
});

test('a vault locks by itself after it was made, and after it was unlocked', async (t) => {
  const { open } = origin(t);
  const { vault, locks } = await open({ autoLock: { idleMs: 50 } });
  await vault.create(passkey());
  await until(() => locks.length === 1);
  await vault.unlock(passkey());
  await until(() => locks.length === 2);
  assert.deepEqual(locks, ['auto', 'auto']);
});

test('the key of a device is kept for as long as its way in is there', async (t) => {
  const { storage, open } = origin(t);
  const devices = async () => [...(await storage.all('vault')).keys()].filter((name) => name.startsWith('device/'));
  const { vault } = await open();
  const first = await vault.create({ kind: 'device' });
  assert.deepEqual(await devices(), [`device/${first.id}`]);
  await vault.lock();
  await vault.unlock({ kind: 'device' });
  await vault.confirm({ kind: 'device' });
  const second = await vault.addSlot({ kind: 'device' }, { replaces: first.id });
  assert.deepEqual(await devices(), [`device/${second.id}`]);
  await vault.addSlot(passkey());
  await vault.removeSlot(second.id);
  assert.deepEqual(await devices(), []);
  await vault.addSlot({ kind: 'device' });
  const [third] = await vault.rotate([{ kind: 'device' }]);
  assert.deepEqual(await devices(), [`device/${third.id}`]);
});

test('a rotation that the disk refuses changes nothing, and locks what is open under the new key', async (t) => {
  const { storage, open } = origin(t);
  const { vault, ...tab } = await open();
  await vault.create(passkey());
  await vault.put('groq', KEY);
  const { update } = storage;
  storage.update = async (table, decide) => {
    decide(await storage.all(table));
    throw new Error('the disk is full');
  };
  await assert.rejects(vault.rotate([passkey(9)]), { code: 'internal' });
  storage.update = update;
  assert.deepEqual([await vault.state(), tab.locks], ['locked', ['call']]);
  await vault.unlock(passkey());
  assert.equal(await says(tab), `Bearer ${KEY}`);
  await vault.put('openrouter', ROUTER_KEY);
  await vault.lock();
  await vault.unlock(passkey());
  assert.equal((await vault.list()).length, 2);
});

test('a wrong way in does not lock a vault that is open', async (t) => {
  const { open } = origin(t);
  const { vault } = await open();
  await vault.create(passkey());
  await assert.rejects(vault.unlock(passkey(4)), { code: 'vault_locked' });
  assert.equal(await vault.state(), 'unlocked');
});

test('a session key can be taken back where there is no vault, and its use is not stored where there is', async (t) => {
  const { storage, open } = origin(t);
  const { gate, vault } = await open();
  await vault.putForSession('groq', KEY);
  assert.equal((await gate.status()).targets[0].keyed, true);
  await vault.remove('groq');
  assert.equal((await gate.status()).targets[0].keyed, false);
  await vault.create(passkey());
  await vault.putForSession('groq', KEY);
  await gate.chat(ask('one'));
  assert.deepEqual(await vault.list(), []);
  assert.ok(!(await storage.all('vault')).has('vault/used'));
});

test('an earlier use than the one that is known does not take its place', async (t) => {
  const { storage, open } = origin(t);
  const { gate, vault } = await open();
  await vault.create(passkey());
  await vault.put('groq', KEY);
  const later = Date.now() + 86_400_000;
  await storage.change('vault', [['vault/used', new TextEncoder().encode(JSON.stringify([['groq', later]]))]], []);
  await gate.chat(ask('one'));
  assert.equal((await vault.list())[0].lastUsedAt, later);
  await storage.change('vault', [['vault/used', new TextEncoder().encode('[["groq"')]], []);
  await gate.chat(ask('two'));
  await vault.list(); // a damaged one is as if there was none
});

test('secrets that were made are overwritten once the Wasm has them', async (t) => {
  const { open } = origin(t);
  const { vault, core } = await open();
  const secrets = [];
  for (const [name, at] of [
    ['vaultCreate', 1],
    ['vaultPutSlot', 2],
    ['vaultUnlock', 2],
    ['vaultRotate', 3],
  ]) {
    const own = core[name].bind(core);
    core[name] = (...given) => {
      assert.ok(given[at].some((byte) => byte !== 0));
      secrets.push(given[at]);
      return own(...given);
    };
  }
  await vault.create(passkey());
  await vault.addSlot({ kind: 'recovery' });
  await vault.unlock(passkey());
  await vault.rotate([passkey(), { kind: 'recovery' }]);
  assert.equal(secrets.length, 5);
  assert.ok(secrets.every((secret) => secret.every((byte) => byte === 0)));
});

/** As a passphrase is derived, in no time. */
const hashed = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

test('a lock stores when keys were used, and takes session keys along', async (t) => {
  const { storage, open } = origin(t);
  const { gate, vault } = await open();
  await vault.putForSession('groq', KEY);
  await vault.lock();
  assert.equal((await gate.status()).targets[0].keyed, false);
  await vault.create(passkey());
  await vault.put('groq', KEY);
  await gate.chat(ask('one'));
  await vault.lock();
  assert.ok((await storage.all('vault')).has('vault/used'));
});

test('a passphrase may be composed of other code points, and no copy of it stays', async (t) => {
  const copies = [];
  const derive = (bytes) => (copies.push(bytes), hashed(bytes.slice()));
  const { vault } = await openOn(t, memoryStorage(), { derive });
  await vault.create('caf\u00e9 au lait');
  await vault.lock();
  await vault.unlock('cafe\u0301 au lait');
  assert.equal(copies.length, 2);
  assert.ok(copies.every((copy) => copy.length > 0 && copy.every((byte) => byte === 0)));
});

test('a passkey of another vault is told from one that does not open', async (t) => {
  const { vault } = await openOn(t, memoryStorage());
  await vault.create(passkey());
  const other = { ...passkey(), credential: new Uint8Array(20).fill(7) };
  await assert.rejects(vault.unlock(other), { code: 'invalid_request' });
  await assert.rejects(vault.unlock(passkey(7)), { code: 'vault_locked' });
});

test('what carries a secret in is wiped also where the vault cannot be loaded', async (t) => {
  const { vault } = await openOn(t, memoryStorage(), {}, { later: () => Promise.reject(new TypeError('gone')) });
  const given = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];
  await assert.rejects(vault.unlock(given[0]), { code: 'internal' });
  await assert.rejects(vault.rotate([{ kind: 'passphrase', passphrase: given[1] }]), { code: 'internal' });
  assert.ok(given.every((bytes) => bytes.every((byte) => byte === 0)));
});

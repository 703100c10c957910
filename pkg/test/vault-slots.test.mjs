// The ways into a vault, what needs the person to be there, and how attempts are slowed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, KEY, open, OTHER_KEY, PASSPHRASE } from './support.mjs';

const text = (bytes) => new TextDecoder().decode(bytes);
const OTHER = 'another passphrase';
const passkey = (fill) => ({
  credential: new Uint8Array(20).fill(fill),
  salt: new Uint8Array(16).fill(fill),
  prf: new Uint8Array(32).fill(fill),
});

/** A vault with a key of Groq. */
async function vaultOf(t, config) {
  const opened = await open(t, config);
  const { vault } = opened.gate;
  await vault.create(PASSPHRASE);
  await vault.put('groq', KEY);
  return { ...opened, vault };
}

test('each way in opens the vault, and only as long as it is there', async (t) => {
  const { gate, vault, sent } = await vaultOf(t, { cache: { ttlMs: 0 } });
  const recovery = await vault.addSlot({ kind: 'recovery', name: 'in the drawer' });
  const code = text(recovery.recoveryCode);
  assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/);
  await vault.addSlot({ kind: 'passkey', ...passkey(5), name: 'security key' });
  await vault.addSlot({ kind: 'passphrase', passphrase: OTHER });
  const slots = await vault.slots();
  assert.deepEqual(
    slots.map(({ kind, name }) => [kind, name]),
    [
      ['passphrase', ''],
      ['recovery', 'in the drawer'],
      ['passkey', 'security key'],
      ['passphrase', ''],
    ],
  );
  assert.deepEqual(slots[0].kdf, { memoryKib: 65_536, passes: 3, lanes: 1 });
  assert.deepEqual([...slots[2].credential], [...passkey(5).credential]);
  assert.ok(!JSON.stringify(slots).includes(code.slice(0, 9)));

  const { credential, prf } = passkey(5);
  for (const key of [
    PASSPHRASE,
    OTHER,
    { kind: 'recovery', code: code.toLowerCase().replaceAll('-', ' ') },
    { kind: 'passkey', credential, prf: prf.slice() },
  ]) {
    await vault.lock();
    await vault.unlock(key);
    await gate.chat(ask('hello'));
    assert.equal(sent.at(-1), `Bearer ${KEY}`);
  }
  await vault.confirm(PASSPHRASE);
  for (const slot of slots.slice(1)) await vault.removeSlot(slot.id);
  await assert.rejects(vault.removeSlot(slots[0].id), { code: 'invalid_request' }, 'the last one');
  await vault.lock();
  await assert.rejects(vault.unlock({ kind: 'recovery', code }), { code: 'invalid_request' }, 'there is none any more');
  await assert.rejects(vault.unlock(OTHER), { code: 'vault_locked' });
  await vault.unlock(PASSPHRASE);
});

test('a slot of what cannot be is refused by its field', async (t) => {
  const { vault } = await vaultOf(t);
  for (const [slot, path] of [
    [{ kind: 'device' }, 'slot.kind'],
    [{ kind: 'magic' }, 'slot.kind'],
    [{ passkey: true }, 'slot.kind'],
    [{}, 'slot.kind'],
    [{ kind: 'recovery', name: 5 }, 'slot.name'],
    [{ kind: 'passkey' }, 'slot.credential'],
    [{ kind: 'passkey', ...passkey(1), credential: 'AAAA' }, 'slot.credential'],
    [{ kind: 'passkey', ...passkey(1), prf: undefined }, 'slot.prf'],
    [{ kind: 'passkey', ...passkey(1), salt: 'abc' }, 'slot.salt'],
    [{ kind: 'passphrase' }, 'passphrase'],
    [null, 'slot'],
    [{ kind: 'passphrase', passphrase: '' }, 'passphrase'],
    [{ kind: 'recovery', name: 'x'.repeat(101) }, 'slot.name'],
    [{ kind: 'passkey', ...passkey(1), prf: new Uint8Array(31) }, 'slot.prf'],
    [{ kind: 'passkey', ...passkey(1), credential: new Uint8Array() }, 'slot.credential'],
    [{ kind: 'passkey', ...passkey(1), salt: new Uint8Array(3) }, 'slot.salt'],
  ]) {
    await assert.rejects(vault.addSlot(slot), (error) => {
      assert.deepEqual([error.code, error.fields?.[0].path], ['invalid_request', path]);
      return true;
    });
  }
  assert.equal((await vault.slots()).length, 1);
  await vault.lock();
  for (const [key, path] of [
    [{ passkey: true }, 'slot.kind'],
    [{ kind: 'passkey' }, 'slot.credential'],
    [{ kind: 'passphrase' }, 'passphrase'],
    [undefined, 'slot'],
  ]) {
    await assert.rejects(vault.unlock(key), ({ code, fields }) => {
      assert.deepEqual([code, fields?.[0].path], ['invalid_request', path]);
      return true;
    });
  }
});

test('a passphrase is changed by putting another slot in its place', async (t) => {
  const { vault } = await vaultOf(t);
  const [{ id }] = await vault.slots();
  await vault.addSlot({ kind: 'passphrase', passphrase: OTHER }, { replaces: id });
  assert.equal((await vault.slots()).length, 1);
  await vault.lock();
  await assert.rejects(vault.unlock(PASSPHRASE), { code: 'vault_locked' });
  await vault.unlock(OTHER);
  assert.equal((await vault.list()).length, 1);
});

test('rotation gives the vault a key that only the named slots open, and keeps every provider’s key', async (t) => {
  const { gate, vault, sent } = await vaultOf(t, { cache: { ttlMs: 0 } });
  await vault.put('openrouter', `sk-or-v1-${'0123456789abcdef'.repeat(4)}`);
  const { recoveryCode } = await vault.addSlot({ kind: 'recovery' });
  await assert.rejects(vault.rotate([]), { code: 'invalid_request' });
  const added = await vault.rotate([{ kind: 'passphrase', passphrase: OTHER }, { kind: 'recovery' }]);
  assert.deepEqual(
    (await vault.slots()).map(({ id, kind }) => [id, kind]),
    added.map(({ id, kind }) => [id, kind]),
  );
  await gate.chat(ask('still open'));
  await vault.put('groq', OTHER_KEY);
  await vault.lock();
  await assert.rejects(vault.unlock(PASSPHRASE), { code: 'vault_locked' });
  await assert.rejects(vault.unlock({ kind: 'recovery', code: recoveryCode }), { code: 'vault_locked' });
  await vault.unlock({ kind: 'recovery', code: added[1].recoveryCode });
  assert.equal((await vault.list()).length, 2);
  await gate.chat(ask('opened again'));
  assert.equal(sent.at(-1), `Bearer ${OTHER_KEY}`);
});

test('what could take a key out needs the person', async (t) => {
  const { vault } = await vaultOf(t);
  const { recoveryCode } = await vault.addSlot({ kind: 'recovery' });
  assert.equal(text(await vault.reveal('groq')), KEY, 'just created');
  await vault.lock();
  await vault.unlock(PASSPHRASE);
  const needs = (error) => {
    assert.deepEqual([error.code, error.fields?.[0].path], ['vault_locked', 'confirm']);
    return true;
  };
  const [{ id }] = await vault.slots();
  for (const work of [
    () => vault.reveal('groq'),
    () => vault.exportFile('file'),
    () => vault.addSlot({ kind: 'recovery' }),
    () => vault.removeSlot(id),
    () => vault.rotate([{ kind: 'recovery' }]),
  ]) {
    await assert.rejects(work, needs);
  }
  await assert.rejects(vault.confirm('wrong'), { code: 'vault_locked' });
  await assert.rejects(vault.reveal('groq'), needs);
  await vault.confirm({ kind: 'recovery', code: recoveryCode });
  assert.equal(text(await vault.reveal('groq')), KEY);
  await assert.rejects(vault.reveal('openrouter'), { code: 'invalid_request' });

  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
  await assert.rejects(vault.reveal('groq'), needs, 'a minute later');
  t.mock.timers.reset();
  await vault.lock();
  await assert.rejects(vault.reveal('groq'), { code: 'vault_locked' });
  await assert.rejects(
    vault.confirm(PASSPHRASE),
    { code: 'vault_locked' },
    'a locked vault is unlocked, not confirmed',
  );
});

test('an exported file opens in another gate with its own passphrase', async (t) => {
  const { vault } = await vaultOf(t);
  await vault.put('openrouter', `sk-or-v1-${'0123456789abcdef'.repeat(4)}`);
  const file = await vault.exportFile('of the file');
  assert.ok(!text(file).includes('gsk_'));

  const { gate: other, sent } = await open(t, {
    providers: { openrouter: { baseUrl: 'https://elsewhere.example/v1' } },
  });
  await assert.rejects(other.vault.importFile(file, 'of the file'), { name: 'TidegateError' }, 'no vault');
  await other.vault.create(OTHER);
  await assert.rejects(other.vault.importFile(file, 'wrong'), { code: 'vault_locked' });
  await assert.rejects(other.vault.importFile(new Uint8Array(99), 'of the file'), { code: 'vault_corrupt' });
  const flipped = file.slice();
  flipped[400] ^= 1;
  await assert.rejects(other.vault.importFile(flipped, 'of the file'), { code: 'vault_corrupt' });
  assert.deepEqual(await other.vault.list(), []);
  const taken = await other.vault.importFile(file, 'of the file');
  assert.deepEqual(taken, { providers: ['groq'], skipped: ['openrouter'] }, 'a key goes to its own origin alone');
  await other.chat(ask('one'));
  assert.deepEqual(sent, [`Bearer ${KEY}`]);
  await other.vault.lock();
  await other.vault.unlock(OTHER);
  assert.equal((await other.vault.list()).length, 1);
});

test('attempts are slowed after three failures, and success begins anew', async (t) => {
  const { vault } = await vaultOf(t);
  await vault.lock();
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  for (let attempt = 0; attempt < 3; attempt += 1)
    await assert.rejects(vault.unlock('wrong'), { code: 'vault_locked' });
  await assert.rejects(vault.unlock(PASSPHRASE), (error) => {
    assert.equal(error.code, 'rate_limited');
    assert.equal(error.retryAfterMs, 1_000);
    return true;
  });
  t.mock.timers.tick(1_000);
  await vault.unlock(PASSPHRASE);
  await vault.lock();
  await assert.rejects(vault.unlock('wrong'), { code: 'vault_locked' });
  await vault.unlock(PASSPHRASE);
  // What is no attempt is not counted: it could not have opened anything.
  await vault.lock();
  for (let slip = 0; slip < 5; slip += 1) {
    await assert.rejects(vault.unlock(''), { code: 'invalid_request' });
  }
  await vault.unlock(PASSPHRASE);
});

test('attempts with a recovery code are slowed like those with a passphrase', async (t) => {
  const { vault } = await vaultOf(t);
  const { id, recoveryCode } = await vault.addSlot({ kind: 'recovery' });
  const code = text(recoveryCode);
  await vault.addSlot({ kind: 'recovery' }, { replaces: id });
  await vault.lock();
  for (let attempt = 0; attempt < 3; attempt += 1)
    await assert.rejects(vault.unlock({ kind: 'recovery', code }), { code: 'vault_locked' });
  await assert.rejects(vault.unlock({ kind: 'recovery', code }), { code: 'rate_limited' });
});

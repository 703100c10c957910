import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, KEY, open, OTHER_KEY, PASSPHRASE } from './support.mjs';

const bytes = (text) => new TextEncoder().encode(text);

test('where there is no vault a lock leaves nothing to unlock: a key is missing', async (t) => {
  const { gate, sent } = await open(t, { cache: { ttlMs: 0 } });
  const { vault } = gate;
  await vault.putForSession('groq', KEY);
  await vault.lock();
  await assert.rejects(gate.chat(ask('one')), { code: 'no_target', fields: [{ path: 'groq', problem: 'has no key' }] });
  const locking = vault.lock();
  await vault.putForSession('groq', OTHER_KEY);
  await locking;
  await gate.chat(ask('two'));
  assert.deepEqual(sent, [`Bearer ${OTHER_KEY}`], 'one that was put meanwhile stays');
});

test('the life of a vault', async (t) => {
  const { gate, sent } = await open(t, { cache: { ttlMs: 0 } });
  const { vault } = gate;
  assert.equal(await vault.state(), 'absent');
  await assert.rejects(vault.put('groq', KEY), { code: 'invalid_request', message: /create it first/u });
  await assert.rejects(vault.unlock(PASSPHRASE), { code: 'invalid_request' });
  await assert.rejects(vault.create(''), { code: 'invalid_request' });
  await vault.create(PASSPHRASE);
  await assert.rejects(vault.create(PASSPHRASE), { code: 'invalid_request' });

  assert.deepEqual(await vault.put('groq', KEY), { warnings: [] });
  assert.equal((await gate.chat(ask('one'))).tidegate.target, 'groq/openai/gpt-oss-20b');
  assert.ok((await vault.list())[0].lastUsedAt > 0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await vault.put('groq', OTHER_KEY);
  assert.equal((await vault.list())[0].lastUsedAt, undefined, 'that was another key');
  await gate.chat(ask('two'));
  assert.deepEqual(sent, [`Bearer ${KEY}`, `Bearer ${OTHER_KEY}`]);

  await vault.lock();
  assert.equal(await vault.state(), 'locked');
  const [stored, ...more] = await vault.list();
  assert.deepEqual(more, []);
  assert.deepEqual([stored.provider, stored.version, stored.origin], ['groq', 2, 'https://api.groq.com']);
  assert.ok(Math.abs(stored.lastUsedAt - Date.now()) < 60_000);
  assert.ok(!JSON.stringify(stored).includes('gsk_'));
  await assert.rejects(gate.chat(ask('three')), { code: 'vault_locked' });
  await assert.rejects(vault.unlock('wrong'), { code: 'vault_locked' });
  assert.equal(await vault.state(), 'locked');

  await vault.unlock(PASSPHRASE);
  await gate.chat(ask('four'));
  assert.equal(sent.at(-1), `Bearer ${OTHER_KEY}`);

  await vault.remove('groq');
  assert.deepEqual(await vault.list(), []);
  assert.equal((await gate.status()).targets[0].keyed, false);
  await vault.forget();
  assert.equal(await vault.state(), 'absent');
});

test('bytes are wiped after use', async (t) => {
  const { gate } = await open(t);
  const given = [bytes(PASSPHRASE), bytes(PASSPHRASE), bytes(KEY), bytes(KEY)];
  await gate.vault.create(given[0]);
  await gate.vault.lock();
  await gate.vault.unlock(given[1]);
  await gate.vault.put('groq', given[2]);
  await gate.vault.putForSession('groq', given[3]);
  for (const [index, array] of given.entries())
    assert.ok(
      array.every((byte) => byte === 0),
      `bytes ${index}`,
    );
  const refused = [
    bytes('not a key'),
    bytes(PASSPHRASE),
    bytes(PASSPHRASE),
    bytes('no code'),
    new Uint8Array(9).fill(1),
  ];
  await assert.rejects(gate.vault.put('groq', refused[0]));
  await assert.rejects(gate.vault.create(refused[1]), { code: 'invalid_request' }, 'there is one');
  await assert.rejects(gate.vault.addSlot({ kind: 'passphrase', passphrase: refused[2], name: 'x'.repeat(101) }));
  await assert.rejects(gate.vault.unlock({ kind: 'recovery', code: refused[3] }));
  await assert.rejects(gate.vault.unlock({ kind: 'passkey', credential: bytes('id'), prf: refused[4] }));
  for (const [index, array] of refused.entries())
    assert.ok(
      array.every((byte) => byte === 0),
      `refused bytes ${index}`,
    );
});

test('what cannot be a key is refused by name, without being repeated', async (t) => {
  const { gate } = await open(t);
  await gate.vault.create(PASSPHRASE);
  for (const bad of ['', 'with space inside it', 'line\nbreak']) {
    for (const method of ['put', 'putForSession']) {
      await assert.rejects(gate.vault[method]('groq', bad), (error) => {
        assert.equal(error.code, 'invalid_request');
        assert.ok(error.fields.length > 0);
        assert.ok(bad === '' || !error.message.includes(bad));
        return true;
      });
    }
  }
  await assert.rejects(gate.vault.put('nobody', KEY), { name: 'TidegateError' });
  assert.deepEqual(await gate.vault.list(), []);
});

test('a session key is used and never stored', async (t) => {
  const { gate, sent } = await open(t);
  await gate.vault.putForSession('groq', KEY);
  await gate.chat(ask('one'));
  assert.deepEqual(sent, [`Bearer ${KEY}`]);
  assert.deepEqual(await gate.vault.list(), []);
  assert.equal(await gate.vault.state(), 'absent');
});

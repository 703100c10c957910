// A script that starts in the page after the vault was unlocked finds no key at level `worker`, while a request runs and
// after it; the same script finds it at level `page`, which shows that it looks in the right places.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { authenticator } from '../authenticator.mjs';
import { KEY, launch, open, openGate, PASSPHRASE, provider, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** Opens a vault with bytes that come from the server, so that no text in the page ever held them. */
async function unlocked(t, isolation) {
  const ours = await provider(t);
  const origin = await site(t, { files: { '/passphrase': PASSPHRASE, '/key': KEY } });
  const page = await open(t, browser, origin);
  await openGate(page, ours.url, { isolation, cache: { ttlMs: 0 } }, null);
  await page.evaluate(async () => {
    const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
    await globalThis.gate.vault.create(await bytes('/passphrase'));
    await globalThis.gate.vault.put('groq', await bytes('/key'));
    await globalThis.gate.vault.lock();
    await globalThis.gate.vault.unlock(await bytes('/passphrase'));
  });
  return { page, ours };
}

/** The same with a passkey. What it answered to PRF is kept at the browser's side, to be looked for. */
async function unlockedByPasskey(t, isolation) {
  const ours = await provider(t);
  const origin = await site(t, { files: { '/key': KEY } });
  const page = await open(t, browser, origin);
  await authenticator(page.context(), page);
  await openGate(page, ours.url, { isolation, cache: { ttlMs: 0 } }, null);
  const slots = await page.evaluate(async () => {
    const { createPasskey, askPasskey } = await globalThis.tidegate;
    const { vault } = globalThis.gate;
    await vault.create(await createPasskey());
    await vault.put('groq', new Uint8Array(await (await fetch('/key')).arrayBuffer()));
    await vault.lock();
    await vault.unlock(await askPasskey(await vault.slots()));
    return (await vault.slots()).map(({ kind, credential, salt }) => [kind, [...credential], [...salt]]);
  });
  assert.deepEqual(
    slots.map(([kind]) => kind),
    ['passkey'],
  );
  return { page, ours, slot: slots[0] };
}

/** Lets the hostile script loose on a vault that a passkey opened, and looks for the passkey's answer too. */
async function byPasskey(t, isolation) {
  const opened = await unlockedByPasskey(t, isolation);
  const told = await robbed(opened);
  // What the authenticator says to this slot's salt, asked for when the search is over.
  const answer = await opened.page.evaluate(async ([, id, salt]) => {
    const got = await navigator.credentials.get({
      publicKey: {
        challenge: new Uint8Array(32),
        allowCredentials: [{ type: 'public-key', id: Uint8Array.from(id) }],
        userVerification: 'required',
        extensions: { prf: { eval: { first: Uint8Array.from(salt) } } },
      },
    });
    return [...new Uint8Array(got.getClientExtensionResults().prf.results.first)];
  }, opened.slot);
  assert.equal(answer.length, 32, 'the passkey answers');
  const text = String.fromCharCode(...answer);
  const inLoot = await opened.page.evaluate((needles) => globalThis.lootHas(needles), [text]);
  return { ...told, found: told.found + inLoot, opened };
}

/** Lets the hostile script loose while a request runs; how many forms of the secrets it has got. */
async function robbed({ page, ours }) {
  ours.mode = 'endless';
  await page.evaluate(async () => {
    const request = { messages: [{ role: 'user', content: 'before the attack' }], stream: true };
    globalThis.running = await globalThis.gate.chat(request);
    void (async () => {
      for await (const _chunk of globalThis.running);
    })().catch(() => undefined);
  });
  await page.addScriptTag({ url: '/hostile.js', type: 'module' });
  const told = await page.evaluate(async () => {
    globalThis.attack();
    const ask = (content, more) => globalThis.gate.chat({ messages: [{ role: 'user', content }], ...more });
    const next = await ask('during the attack', { stream: true });
    for await (const _chunk of next) break;
    const { gate } = globalThis;
    await gate.fetch('https://api.openai.com/v1/models').then((response) => response.text());
    await gate.status();
    await gate.vault.list();
    await globalThis.interrogate();
    const objects = await globalThis.search();
    const { patched, replies, texts, bytes, ports } = globalThis.loot;
    return { objects, patched, replies, texts: texts.size, bytes: bytes.length, ports: ports.size };
  });
  // Only now do the secrets come into the page as texts.
  const found = await page.evaluate((needles) => globalThis.lootHas(needles), [KEY, PASSPHRASE]);
  return { ...told, found };
}

test('level worker: nothing', async (t) => {
  const opened = await unlocked(t, 'worker');
  const { found, objects, patched, replies, texts, ports } = await robbed(opened);
  assert.ok(opened.ours.seen.length >= 3, 'requests ran meanwhile');
  assert.ok(opened.ours.seen.every(({ authorization }) => authorization === `Bearer ${KEY}`));
  assert.ok(objects > 3_000 && patched > 40 && texts > 1_000, `${objects} objects, ${patched} patches, ${texts} texts`);
  assert.ok(ports >= 1 && replies >= 8, `the worker itself was asked: ${ports} ports, ${replies} replies`);
  assert.equal(found, 0);
  const after = await opened.page.evaluate(() => globalThis.gate.status());
  assert.equal(after.vault, 'unlocked', 'and the gate still is what it was');
  assert.equal(after.isolation, 'worker');
});

test('level worker, opened with a passkey: nothing, and its answer neither', async (t) => {
  const { found, objects, patched, replies, ports, opened } = await byPasskey(t, 'worker');
  assert.ok(opened.ours.seen.length >= 3, 'requests ran meanwhile');
  assert.ok(opened.ours.seen.every(({ authorization }) => authorization === `Bearer ${KEY}`));
  assert.ok(objects > 3_000 && patched > 40 && ports >= 1 && replies >= 8);
  assert.equal(found, 0);
  assert.equal(await opened.page.evaluate(() => globalThis.gate.vault.state()), 'unlocked');
});

test('level page, opened with a passkey: the key', async (t) => {
  const { found } = await byPasskey(t, 'page');
  assert.ok(found > 0);
});

test('level page: the key', async (t) => {
  const { found } = await robbed(await unlocked(t, 'page'));
  assert.ok(found > 0);
});

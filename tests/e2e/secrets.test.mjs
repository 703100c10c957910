// A key goes to its own provider in one header, and is nowhere else: not in the page, its log, its storage, a URL.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { demoForAll } from './demo-hooks.mjs';
import { openApp, PASSPHRASE } from './support.mjs';

/** A secret as it is, and in Base64 at each of the three places where it may begin in a group. */
const formsOf = (secret) => [
  secret,
  ...[0, 1, 2].map((offset) => {
    const text = Buffer.from(' '.repeat(offset) + secret).toString('base64');
    return text.slice(offset === 0 ? 0 : 4, -4);
  }),
];

/** In the page: remembers every text and attribute that the document ever held. */
const watchDocument = () => {
  const seen = new Set();
  globalThis.seenInDocument = seen;
  const look = () => seen.add(document.documentElement?.outerHTML ?? '');
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
};

/** In the page: everything that is stored, as text; bytes both as Latin-1 and as UTF-8. */
const dumpStorage = async () => {
  const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
  const put = (value) => {
    if (value instanceof ArrayBuffer) return put(new Uint8Array(value));
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      texts.push(new TextDecoder('latin1').decode(bytes), new TextDecoder().decode(bytes));
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of value instanceof Map ? value : Object.entries(value)) {
        put(name);
        put(inner);
      }
    } else texts.push(String(value));
    return undefined;
  };
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  let records = 0;
  for (const { name } of await indexedDB.databases()) {
    const db = await settled(indexedDB.open(name));
    for (const store of db.objectStoreNames) {
      const values = await settled(db.transaction(store).objectStore(store).getAll());
      records += values.length;
      values.forEach(put);
    }
    db.close();
  }
  return { records, texts };
};

describe('keys and passphrases', () => {
  let demo;
  let browser;
  demoForAll(['--no-worker'], (started) => ([demo, browser] = started));

  test('are nowhere but in the header to their own provider', async (t) => {
    const app = await openApp(browser, demo, { openMs: '60000' });
    t.after(() => app.context.close());
    const { page } = app;
    await page.addInitScript(watchDocument);
    await page.reload();

    const keys = { groq: await demo.demoKey('groq'), openrouter: await demo.demoKey('openrouter') };
    const secrets = [keys.groq, keys.openrouter, PASSPHRASE, 'a wrong passphrase'];
    const log = [];
    const sent = [];
    page.on('console', (message) => log.push(message.text(), message.location().url));
    page.on('pageerror', (error) => log.push(String(error.stack)));
    page.on('request', (request) => sent.push(request));

    // Success, cache, retries, fallback, a refused key, an open circuit, a wrong passphrase, a bad key.
    await app.setUp();
    await app.ask('Why is the sea salty?');
    await app.ask('Why is the sea salty?');
    await demo.fault('groq', 'fail');
    await app.ask('First question while Groq is broken');
    await demo.fault('openrouter', 'wrong-key');
    await app.ask('Second question while both are');
    await demo.reset();
    await demo.fault('groq', 'malformed');
    await app.ask('A question with a malformed answer');
    await app.addKey('OpenRouter', keys.openrouter);
    await app.addKey('Groq', `not a key: ${keys.groq}`);
    await page.getByTestId('vault-problem').waitFor();
    await app.button('Lock the vault').click();
    await app.unlock('a wrong passphrase');
    await page.getByTestId('vault-problem').waitFor();
    await app.unlock();
    await app.vaultState('Vault unlocked');
    await demo.reset();
    await app.ask('A question after all that');

    const inDocument = await page.evaluate(() => [...globalThis.seenInDocument]);
    assert.ok(inDocument.length > 20, 'the document was watched');
    const stored = await page.evaluate(dumpStorage);
    assert.ok(stored.records > 0 || stored.texts.join('').length > 50, 'something was stored');

    const nowhere = (place, texts) => {
      for (const secret of secrets) {
        const found = texts.filter((text) => formsOf(secret).some((form) => text.includes(form)));
        assert.deepEqual(found, [], `${place} holds ${secret.slice(0, 8)}…`);
      }
    };
    nowhere('the document', inDocument);
    nowhere('the console', log);
    nowhere('the storage', stored.texts);
    nowhere(
      'a URL',
      sent.map((request) => request.url()),
    );
    nowhere(
      'a body',
      sent.map((request) => request.postData() ?? ''),
    );
    const entered = await page.locator('input[type="password"]').evaluateAll((all) => all.map((one) => one.value));
    assert.ok(entered.length > 0 && entered.every((value) => value === ''), 'every field is empty');

    const origins = { groq: new URL(demo.groqUrl).origin, openrouter: new URL(demo.openrouterUrl).origin };
    let headers = 0;
    for (const request of sent) {
      const all = JSON.stringify(await request.allHeaders());
      for (const [provider, key] of Object.entries(keys)) {
        if (!all.includes(key)) continue;
        headers += 1;
        assert.equal(new URL(request.url()).origin, origins[provider], `the key of ${provider} went to its provider`);
        assert.equal((await request.allHeaders()).authorization, `Bearer ${key}`);
      }
    }
    assert.ok(headers > 0, 'keys were sent');
  });
});

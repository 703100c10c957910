// The vault in Chromium: passkeys by a virtual authenticator, the device slot and its limit, tabs, profiles, auto-lock.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { chromium } from 'playwright-core';

import { openRecord, readHeader, vaultKey } from '../../pkg/test/vault-format.mjs';
import { authenticator } from '../authenticator.mjs';
import { CHROMIUM, PASSPHRASE, steps } from './support.mjs';
import { aDemo, keyed, manage, opened, problem, without, works } from './vault-steps.mjs';

/** In the page, as any script of its origin could: the stored bytes, and what the device key answers to a salt. */
const readAsScript = async (salt) => {
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const [{ name }] = (await indexedDB.databases()).filter((one) => one.name.startsWith('tidegate:'));
  const db = await settled(indexedDB.open(name));
  const store = () => db.transaction('vault').objectStore('vault');
  const [names, rows] = [await settled(store().getAllKeys()), await settled(store().getAll())];
  db.close();
  const bytes = {};
  let answer;
  let exported = 'no key';
  for (const [index, row] of rows.entries()) {
    if (row instanceof Uint8Array) bytes[names[index]] = [...row];
    if (!(row instanceof CryptoKey)) continue;
    exported = await crypto.subtle.exportKey('raw', row).then(
      () => 'exported',
      () => 'refused',
    );
    if (salt) answer = [...new Uint8Array(await crypto.subtle.sign('HMAC', row, Uint8Array.from(salt)))];
  }
  return { bytes, answer, exported };
};

/** In the page: puts bytes in the place of what is stored. */
const writeAsScript = async (bytes) => {
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const [{ name }] = (await indexedDB.databases()).filter((one) => one.name.startsWith('tidegate:'));
  const db = await settled(indexedDB.open(name));
  const store = db.transaction('vault', 'readwrite').objectStore('vault');
  for (const [key, value] of Object.entries(bytes)) await settled(store.put(Uint8Array.from(value), key));
  db.close();
};

describe('the vault', () => {
  const world = aDemo();

  test('opens with a passkey, and with nothing else', async (t) => {
    const app = await opened(t, world);
    const key = await authenticator(app.context, app.page);
    await without(app);
    await app.button('Create with a passkey').click();
    await app.vaultState('Vault unlocked');
    await keyed(app);
    await works(app, 'With a new passkey');
    await app.page.reload();
    await app.vaultState('Vault locked');
    assert.equal(await app.page.getByLabel('Passphrase', { exact: true }).count(), 0);
    await app.button('Unlock with a passkey').click();
    await app.vaultState('Vault unlocked');
    await app.page.getByTestId('target-groq').getByText('Ready').waitFor();
    await works(app, 'After a reload');
    await app.button('Lock the vault').click();
    await key.refuse();
    await app.button('Unlock with a passkey').click();
    assert.match(await problem(app), /was not confirmed/);
    await key.remove();
    await authenticator(app.context, app.page);
    await app.button('Unlock with a passkey').click();
    assert.match(await problem(app), /was not confirmed/, 'another authenticator has no such passkey');
    await app.vaultState('Vault locked');
  });

  test('opens on its device without a question, as the page says also for any script of its origin', async (t) => {
    const app = await opened(t, world);
    await without(app);
    await app.page.getByText('Any script of this site can use it').first().waitFor();
    await app.button('Create for this device').click();
    await app.vaultState('Vault unlocked');
    await keyed(app);
    await app.page.reload();
    await app.vaultState('Vault locked');
    await app.button('Unlock with this device').click();
    await app.vaultState('Vault unlocked');
    await app.page.getByTestId('target-groq').getByText('Ready').waitFor();
    await works(app, 'With the device key');
    await app.button('Lock the vault').click();
    await app.vaultState('Vault locked');

    // The limit: what the slot asks of the browser, any script may ask.
    const first = await app.page.evaluate(readAsScript, null);
    assert.equal(first.exported, 'refused', 'the key itself does not come out');
    const header = await readHeader(Uint8Array.from(first.bytes['vault/2']));
    const { answer } = await app.page.evaluate(readAsScript, [...header.slots[0].salt]);
    const opening = await vaultKey(header, header.slots[0], Uint8Array.from(answer));
    const record = await openRecord(opening, Uint8Array.from(first.bytes['key/groq']));
    assert.equal(record.key, await world.demo.demoKey('groq'), 'and yet the vault is open to it');

    // What it does protect: the bytes alone open nowhere.
    const other = await opened(t, world);
    await other.page.evaluate(writeAsScript, first.bytes);
    await other.page.reload();
    await other.vaultState('Vault locked');
    await other.button('Unlock with this device').click();
    assert.match(await problem(other), /another device/);
    await other.vaultState('Vault locked');
  });

  test('locks in all tabs at once, shares new keys between them, and is forgotten in all', async (t) => {
    const app = await opened(t, world);
    await app.createVault();
    const page = await app.context.newPage();
    await page.goto(app.url);
    const second = { page, ...steps(page) };
    await second.vaultState('Vault locked');
    await second.unlock();
    await second.vaultState('Vault unlocked');
    await keyed(app);
    await page.getByTestId('target-groq').getByText('Ready').waitFor();
    await second.button('Lock the vault').click();
    await app.vaultState('Vault locked');
    await app.unlock();
    await app.vaultState('Vault unlocked');
    await second.unlock();
    await second.vaultState('Vault unlocked');
    await manage(app);
    await app.button('Forget everything').click();
    await app.vaultState('Vault unlocked');
    await app.button('Forget all keys, for ever?').click();
    await app.vaultState('No vault yet');
    await second.vaultState('No vault yet');
    assert.deepEqual(Object.keys((await app.page.evaluate(readAsScript, null)).bytes), []);
  });

  test('of a copied profile opens by the device, and by nothing that is not in the profile', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-profile-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const profile = async (name, work) => {
      const context = await chromium.launchPersistentContext(join(folder, name), CHROMIUM);
      const page = await context.newPage();
      await page.goto(world.demo.url);
      await work({ page, context, ...steps(page) });
      await context.close();
    };
    await profile('own', async (app) => {
      await app.createVault();
      await app.addKey('Groq', await world.demo.demoKey('groq'));
      await app.page.getByTestId('target-groq').getByText('Ready').waitFor();
    });
    await cp(join(folder, 'own'), join(folder, 'copy'), { recursive: true });
    await profile('copy', async (app) => {
      await app.vaultState('Vault locked');
      assert.equal(await app.button('Unlock with this device').count(), 0);
      await app.unlock('a guess');
      assert.match(await problem(app), /passphrase: does not open this vault/);
      await app.vaultState('Vault locked');
    });
    await profile('own', async (app) => {
      await app.unlock();
      await app.vaultState('Vault unlocked');
      await manage(app);
      await app.button('Open without asking on this device').click();
      await app.page.getByTestId('confirm').waitFor();
      await app.page.getByLabel('Your passphrase').fill(PASSPHRASE);
      await app.button('Confirm').click();
      await app.page.getByTestId('slots').getByText('This device').waitFor();
    });
    await cp(join(folder, 'own'), join(folder, 'again'), { recursive: true });
    await profile('again', async (app) => {
      await app.button('Unlock with this device').click();
      await app.vaultState('Vault unlocked'); // as the page says
    });
  });

  test('locks itself when nobody is there', async (t) => {
    await world.demo.reset();
    const context = await world.browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(`${world.demo.url}?isolation=page`);
    const app = { page, ...steps(page) };
    await app.createVault();
    await page.clock.fastForward('14:00');
    await app.vaultState('Vault unlocked');
    // The page hears of a pointer with its next frame, which a browser with much to do draws late.
    await page.evaluate(() => {
      globalThis.moved = new Promise((resolve) => addEventListener('pointermove', resolve, { once: true }));
    });
    await page.mouse.move(100, 100);
    await page.mouse.move(200, 200);
    await page.evaluate(() => globalThis.moved);
    await page.clock.fastForward('14:00');
    await app.vaultState('Vault unlocked');
    await page.clock.fastForward('02:00');
    await page.clock.runFor(2_000);
    await app.vaultState('Vault locked');
  });

  test('shows a key to whoever confirms, for a short time', async (t) => {
    const app = await opened(t, world, {}, { permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = app;
    const key = await world.demo.demoKey('groq');
    const text = page.getByTestId('revealed').locator('code');
    await app.createVault();
    await keyed(app);
    await app.button('Lock the vault').click();
    await app.unlock();
    await app.vaultState('Vault unlocked');
    await app.button('Show the key for Groq').click();
    await page.getByTestId('confirm').waitFor();
    await page.getByLabel('Your passphrase').fill('a guess');
    await app.button('Confirm').click();
    assert.match(await problem(app), /does not open this vault/);
    assert.equal(await text.count(), 0);
    await page.getByLabel('Your passphrase').fill(PASSPHRASE);
    await app.button('Confirm').click();
    await text.waitFor();
    assert.equal(await text.innerText(), key);
    assert.equal(await page.evaluate(() => document.activeElement?.localName), 'code');
    await app.button('Copy').click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
    await app.button('Hide').click();
    assert.equal(await text.count(), 0);
    assert.ok(!(await page.content()).includes(key));
    await page.clock.install();
    await app.button('Show the key for Groq').click();
    await text.waitFor();
    await page.clock.runFor(31_000);
    assert.equal(await text.count(), 0, 'hidden by itself');
    await app.button('Show the key for Groq').click();
    await text.waitFor();
    await app.button('Lock the vault').click();
    await app.vaultState('Vault locked');
    assert.equal(await text.count(), 0, 'hidden by the lock');
  });

  test('asks a device once more where there is no other way in', async (t) => {
    const app = await opened(t, world);
    await without(app);
    await app.button('Create for this device').click();
    await app.vaultState('Vault unlocked');
    await keyed(app);
    await app.page.reload();
    await app.button('Unlock with this device').click();
    await app.vaultState('Vault unlocked');
    await app.button('Show the key for Groq').click();
    await app.button('Confirm with this device').click();
    assert.equal(await app.page.getByTestId('revealed').locator('code').innerText(), await world.demo.demoKey('groq'));
  });

  test('locks by the rules that a person chose, which are kept', async (t) => {
    const app = await opened(t, world, { isolation: 'page' });
    const { page } = app;
    await app.createVault();
    await manage(app);
    assert.equal(await app.button('Keep these rules').isDisabled(), true);
    await page.getByLabel('Without a key, pointer or request for').selectOption('1 minute');
    await page.getByLabel('While this page is hidden for').selectOption('5 minutes');
    await page.getByLabel('When the browser puts this page to sleep').uncheck();
    await app.button('Keep these rules').click();
    await app.vaultState('Vault locked');
    await page.clock.install();
    await page.reload();
    await app.unlock();
    await app.vaultState('Vault unlocked');
    await manage(app);
    assert.equal(await page.getByLabel('While this page is hidden for').inputValue(), '300000');
    assert.equal(await page.getByLabel('When the browser puts this page to sleep').isChecked(), false);
    await page.clock.fastForward('00:50');
    await app.vaultState('Vault unlocked');
    await page.clock.fastForward('00:11');
    await page.clock.runFor(2_000);
    await app.vaultState('Vault locked');
  });
});

// Everything of the vault that takes or gives a secret is done in the frame's own page: with a hostile script in the app's
// page from the start, it sees no passphrase, recovery code, passkey answer, or key that is shown.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { authenticator } from '../authenticator.mjs';
import { enter, openFramed, sites } from './frame-support.mjs';
import { KEY, launch, open, PASSPHRASE, ROOT } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong in the frame for whoever does not see it or does not point at it. */
async function violations(page) {
  const frame = page.frames().find((one) => one.url().includes('frame.html'));
  const found = await frame.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }));
  });
  return found.map(({ id, nodes }) => `${id}: ${nodes.join(' | ')}`);
}

/** Where screenshots go, if somebody wants to look at them. */
const shots = process.env.TIDEGATE_SCREENSHOTS;
const look = async (page, name) => {
  assert.deepEqual(await violations(page), [], name);
  if (!shots) return;
  const element = page.locator('iframe');
  await element.evaluate((one) => Object.assign(one.style, { width: '100%', height: '1500px', border: 'none' }));
  for (const [width, scheme] of [1280, 390].flatMap((width) => ['light', 'dark'].map((scheme) => [width, scheme]))) {
    await page.setViewportSize({ width, height: 1500 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: `${shots}/frame-${name}-${width}-${scheme}.png` });
  }
};

/** An app with a frame in it, attacked before the package is loaded if `hostile`. */
async function framed(t, { hostile = false } = {}) {
  const attack = await readFile(`${ROOT}/tests/isolation/pages/hostile.js`, 'utf8');
  const load = "globalThis.tidegate = import('/pkg/dist/web.js');";
  const appFiles = hostile ? { '/page.js': `${attack}\nglobalThis.attack();\n${load}` } : {};
  const { ours, app, frameUrl } = await sites(t, { appFiles });
  const page = await open(t, browser, app);
  // Into the frame as the browser's own tools would: its policy lets no text be run.
  await page.addInitScript(axe);
  assert.equal((await openFramed(page, frameUrl)).code, 'none');
  const frame = page.frameLocator('iframe');
  const button = (name) => frame.getByRole('button', { name, exact: true });
  const state = (words) => frame.locator('#state').getByText(words, { exact: true }).waitFor();
  const told = (words) => frame.locator('#told').getByText(words).waitFor();
  const confirm = async (passphrase) => {
    await frame.getByLabel('Your passphrase').fill(passphrase);
    await button('Confirm').click();
  };
  const unlock = async (passphrase) => {
    await frame.getByLabel('Passphrase', { exact: true }).fill(passphrase);
    await button('Unlock').click();
  };
  return { ours, page, frame, button, state, told, confirm, unlock };
}

/** What was confirmed by making the vault is over. */
async function unconfirmed({ button, state, unlock }, passphrase = PASSPHRASE) {
  await button('Lock the vault').click();
  await state('Locked');
  await unlock(passphrase);
  await state('Unlocked');
}

test('a key is shown in the frame, to whoever confirms, for a short time', async (t) => {
  const app = await framed(t);
  const { page, frame, button, told } = app;
  await page.clock.install();
  await look(page, 'absent');
  await enter(page);
  await unconfirmed(app);
  await button('Show the key of groq').click();
  await frame.getByText('Show that it is you').waitFor();
  await look(page, 'confirm');
  await app.confirm('a guess');
  await told(/does not open/u);
  assert.equal(await frame.locator('#keys code').count(), 0);
  await app.confirm(PASSPHRASE);
  assert.equal(await frame.locator('#keys code').innerText(), KEY);
  await look(page, 'shown');
  await button('Hide the key of groq').click();
  assert.equal(await frame.locator('#keys code').count(), 0);
  await button('Show the key of groq').click();
  await frame.locator('#keys code').waitFor();
  await page.clock.runFor(31_000);
  assert.equal(await frame.locator('#keys code').count(), 0);
  await button('Show the key of groq').click();
  await frame.locator('#keys code').waitFor();
  await page.evaluate(() => globalThis.gate.vault.lock());
  await app.state('Locked');
  assert.equal(await frame.locator('#keys code').count(), 0, 'locking hides it');
  await look(page, 'locked');
});

test('nothing that waits for a confirmation is done without one', async (t) => {
  const app = await framed(t);
  const { frame, button } = app;
  await enter(app.page);
  await unconfirmed(app);
  await frame.getByText('Ways in').click();
  await button('Make a recovery code').click();
  await frame.getByText('Show that it is you').waitFor();
  await button('Cancel').click();
  assert.equal(await frame.locator('#slots li').count(), 1);
  await button('Make a recovery code').click();
  await app.confirm(PASSPHRASE);
  await frame.locator('#code code').waitFor();
  await button('I have written it down').click();
  assert.equal(await frame.locator('#slots li').count(), 2);
  await button('Forget everything').click();
  await app.state('Unlocked');
  await button('Forget all keys, for ever?').click();
  await app.state('No vault yet');
});

test('with a hostile script there from the start: passkey, recovery code, rotation, file, a shown key', async (t) => {
  const app = await framed(t, { hostile: true });
  const { page, frame, button, state, told, ours } = app;
  await authenticator(page.context(), page);
  const inner = page.frames().find((one) => one.url().includes('frame.html'));
  // In the frame alone, so that it can be looked for: what the passkey answers.
  await inner.evaluate(() => {
    globalThis.answers = [];
    const { getClientExtensionResults: results } = PublicKeyCredential.prototype;
    PublicKeyCredential.prototype.getClientExtensionResults = function () {
      const found = results.call(this);
      const first = found.prf?.results?.first;
      if (first) globalThis.answers.push(String.fromCharCode(...new Uint8Array(first)));
      return found;
    };
  });
  await enter(page);

  await frame.getByText('Ways in').click();
  await button('Add a passkey').click();
  await frame.locator('#slots').getByText('Passkey', { exact: true }).waitFor();
  await button('Open without asking on this device').click();
  await frame.locator('#slots').getByText('This device', { exact: true }).waitFor();
  await button('Make a recovery code').click();
  // It stands there, empty, before it is made.
  const code = await frame.locator('#code code', { hasText: '-' }).innerText();
  assert.match(code, /^([0-9A-Z]{4}-){6}[0-9A-Z]{4}$/u);
  await look(page, 'ways');
  await button('I have written it down').click();
  const second = 'another passphrase, set in the frame';
  await frame.getByLabel('Passphrase from today').fill(second);
  await frame.getByLabel('Repeat it').fill(second);
  await button('Set the passphrase').click();
  await told('The passphrase is set.');

  await button('Lock the vault').click();
  await button('Unlock with a passkey').click();
  await state('Unlocked');
  await button('Lock the vault').click();
  await button('Unlock with this device').click();
  await state('Unlocked');
  await button('Lock the vault').click();
  await frame.getByText('Unlock with the recovery code').click();
  await frame.getByRole('textbox', { name: 'Recovery code' }).fill(code);
  await button('Unlock with the code').click();
  await state('Unlocked');
  await button('Lock the vault').click();
  await app.unlock(PASSPHRASE);
  await told(/does not open/u);
  await app.unlock(second);
  await state('Unlocked');

  await button('Show the key of groq').click();
  await button('Confirm with a passkey').click();
  assert.equal(await frame.locator('#keys code').innerText(), KEY);

  await frame.getByText('Encrypted file').click();
  await frame.getByLabel('Passphrase of the file').fill('of the file, typed here');
  await frame.getByLabel('And again').fill('of the file, typed here');
  const download = page.waitForEvent('download');
  await button('Export').click();
  const file = await readFile(await (await download).path());
  assert.ok(file.subarray(0, 4).equals(Buffer.from('TGVT')) && !file.includes(KEY));
  await button('Forget the key of groq').click();
  await button('Forget it? Forget the key of groq').click();
  await frame.getByText('No key yet').waitFor();
  await frame.getByLabel('File', { exact: true }).setInputFiles({ name: 'k.tgvault', mimeType: '', buffer: file });
  await frame.getByLabel('Its passphrase').fill('of the file, typed here');
  await button('Import').click();
  await told('Taken in: groq.');
  await look(page, 'file');

  const third = 'a third passphrase for the new key';
  await frame.getByText('Give the vault a new key').click();
  await frame.getByLabel('Passphrase from now on').fill(third);
  await frame.getByLabel('Once more').fill(third);
  await button('Make a new key').click();
  await frame.locator('#code').waitFor();
  const newCode = await frame.locator('#code code').innerText();
  assert.match(newCode, /^([0-9A-Z]{4}-){6}[0-9A-Z]{4}$/u);
  assert.notEqual(newCode, code);
  assert.equal(await frame.locator('#slots').getByText('Passkey', { exact: true }).count(), 0);

  const searched = await page.evaluate(async () => {
    await globalThis.gate.chat({ messages: [{ role: 'user', content: 'after all of it' }] });
    await globalThis.gate.vault.list();
    await globalThis.interrogate();
    const objects = await globalThis.search();
    return { objects, texts: globalThis.loot.texts.size, replies: globalThis.loot.replies };
  });
  const answers = await inner.evaluate(() => globalThis.answers);
  assert.ok(answers.length >= 3, 'the passkey was asked in the frame');
  const needles = [KEY, PASSPHRASE, second, third, 'of the file, typed here', code, newCode, ...new Set(answers)];
  const found = await page.evaluate((needles) => globalThis.lootHas(needles), needles);
  assert.equal(ours.seen.at(-1).authorization, `Bearer ${KEY}`);
  assert.ok(searched.objects > 3_000 && searched.texts > 1_000 && searched.replies >= 8, JSON.stringify(searched));
  assert.equal(found, 0);
  // Only now may a needle be in the page: it would have been found.
  await page.evaluate((code) => globalThis.loot.texts.add(`a text with ${code} in it`), code);
  assert.equal(await page.evaluate((needles) => globalThis.lootHas(needles), needles), 1);
});

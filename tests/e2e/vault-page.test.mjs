// The vault's page as a person sees it, light and dark, wide and narrow: every step, axe at each, nothing sideways.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { authenticator } from '../authenticator.mjs';
import { aDemo, keyed, manage, opened, problem, without, works } from './vault-steps.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const violations = async (page) => {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' | ')}`);
};

describe('the vault’s page', () => {
  const world = aDemo();

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 390]) {
      test(`is managed by a person who is there, ${colorScheme}, ${width} px`, async (t) => {
        const app = await opened(
          t,
          world,
          {},
          { colorScheme, viewport: { width, height: 844 }, reducedMotion: 'reduce' },
        );
        const { page } = app;
        const check = async (state) => {
          const folder = process.env.TIDEGATE_SCREENSHOTS;
          if (folder) {
            const path = join(folder, `${state.replaceAll(' ', '-')}-${colorScheme}-${width}.png`);
            await page.getByTestId('vault').screenshot({ path });
          }
          assert.deepEqual(await violations(page), [], state);
          const sideways = await page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
          assert.equal(sideways, 0, `${state}: nothing to scroll sideways`);
        };
        await authenticator(app.context, page);
        await without(app);
        await check('before');
        await app.createVault();
        await keyed(app);
        await app.button('Show the key for Groq').click();
        await page.getByTestId('revealed').waitFor();
        await check('shown');
        await app.button('Hide').click();
        await manage(app);
        await check('safety');
        await app.button('Make a recovery code').click();
        const code = await page.getByTestId('recovery-code').locator('code').innerText();
        assert.match(code, /^([0-9A-Z]{4}-){6}[0-9A-Z]{4}$/);
        await check('recovery code');
        await app.button('I have written it down').click();
        await app.button('Add a passkey').click();
        await page.getByTestId('slots').getByText('Passkey', { exact: true }).waitFor();
        await check('ways in');

        await app.button('Lock the vault').click();
        await app.vaultState('Vault locked');
        await check('locked');
        await page.getByText('Unlock with the recovery code').click();
        await page.getByLabel('Recovery code').fill(code.toLowerCase());
        await app.button('Unlock with the code').click();
        await app.vaultState('Vault unlocked');

        await manage(app);
        await page.getByText('Export the keys').click();
        await page.getByLabel('Passphrase of the file').fill('for the file alone');
        await page.getByTestId('manage').getByLabel('The same again').last().fill('for the file alone');
        await app.button('Export').click();
        await page.getByTestId('confirm').waitFor();
        await check('confirm');
        const download = page.waitForEvent('download');
        await app.button('Confirm with a passkey').click();
        const file = await readFile(await (await download).path());
        assert.ok(!file.includes('gsk_') && file.subarray(0, 4).equals(Buffer.from('TGVT')));
        await page.getByText('The file was saved').waitFor();

        await app.button('Remove the key for Groq').click();
        await app.button('Remove it? Remove the key for Groq').click();
        await page.getByTestId('target-groq').getByText('None').waitFor();
        await page.getByText('Import a file').click();
        await page
          .getByLabel('File', { exact: true })
          .setInputFiles({ name: 'keys.tgvault', mimeType: '', buffer: file });
        await page.getByLabel('Its passphrase').fill('for the file alone');
        await app.button('Import').click();
        await page.getByText('Taken in: Groq').waitFor();
        await page.getByTestId('target-groq').getByText('Ready').waitFor();
        await check('imported');

        await page.getByText('Give the vault a new key').click();
        await page.getByLabel('Passphrase from now on').fill('a new passphrase');
        await page
          .getByTestId('manage')
          .locator('form', { hasText: 'Passphrase from now on' })
          .getByLabel('The same again')
          .fill('a new passphrase');
        await app.button('Make a new key').click();
        await page.getByTestId('recovery-code').waitFor();
        assert.notEqual(await page.getByTestId('recovery-code').locator('code').innerText(), code);
        assert.equal(await page.getByTestId('slots').getByText('Passkey', { exact: true }).count(), 0);
        await app.button('Lock the vault').click();
        await app.vaultState('Vault locked');
        await app.unlock();
        assert.match(await problem(app), /does not open/);
        await app.unlock('a new passphrase');
        await app.vaultState('Vault unlocked');
        await works(app, 'After the rotation');
      });
    }
  }

  test('a passphrase that is soon guessed makes no vault', async (t) => {
    const app = await opened(t, world);
    const { page } = app;
    const passphrase = page.getByLabel('New passphrase');
    await passphrase.pressSequentially('only14letters!');
    await page.getByLabel('The same again').fill('only14letters!');
    await app.button('Create the vault').click();
    assert.equal(await passphrase.evaluate((input) => input.validity.tooShort), true);
    const hint = await passphrase.getAttribute('aria-describedby');
    assert.match(await page.locator(`[id="${hint}"]`).innerText(), /At least 15 characters/);
    await page.waitForTimeout(300);
    await app.vaultState('No vault yet');

    await passphrase.press('End');
    await passphrase.pressSequentially('!');
    await page.getByLabel('The same again').fill('only14letters!!');
    await app.button('Create the vault').click();
    await app.vaultState('Vault unlocked');
  });
});

// What the tests of level `frame` share: an app's site, a frame's site that lists it, and what a person does in the frame.
// Two ports of localhost are two origins.

import { readFile } from 'node:fs/promises';

import { failure, KEY, PASSPHRASE, provider, ROOT, site } from './support.mjs';

const security = await readFile(`${ROOT}/SECURITY.md`, 'utf8');
const [, frameHeader] = /^Content-Security-Policy: (.*frame-ancestors https:.*)$/mu.exec(security) ?? [];

/** An app's site and a frame's site that lists it, with the documented header; the app's page, not yet opened. */
export async function sites(t, { settings = {}, listed, appFiles = {}, ancestors } = {}) {
  const ours = await provider(t);
  const app = await site(t, { files: appFiles });
  const config = {
    targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
    providers: { groq: { baseUrl: ours.url } },
    cache: { ttlMs: 0 },
  };
  const json = JSON.stringify({ origins: [listed ?? app], config, ...settings });
  const header = frameHeader
    .replace('https://api.groq.com https://openrouter.ai', ours.url)
    .replace('https://app.example', ancestors ?? app);
  const keys = await site(t, {
    files: { '/pkg/dist/frame.json': json },
    headers: (path) => ({ 'content-security-policy': path.startsWith('/pkg/dist/') ? header : '' }),
  });
  return { ours, app, keys, frameUrl: `${keys}/pkg/dist/frame.html` };
}

export const openFramed = (page, frameUrl, more = {}) =>
  failure(
    page,
    async ([frameUrl, more]) => {
      const { Tidegate } = await globalThis.tidegate;
      globalThis.gate = await Tidegate.open({ isolation: 'frame', frameUrl, ...more }, { container: document.body });
    },
    [frameUrl, more],
  );

/** What a person does in the frame. */
export async function enter(page) {
  const frame = page.frameLocator('iframe');
  await frame.getByLabel('New passphrase').fill(PASSPHRASE);
  await frame.getByLabel('The same again').fill(PASSPHRASE);
  await frame.getByRole('button', { name: 'Create the vault' }).click();
  await frame.getByLabel('API key').fill(KEY);
  await frame.getByRole('button', { name: 'Add the key' }).click();
  await frame.getByText(/^Sent to .* only/u).waitFor();
}

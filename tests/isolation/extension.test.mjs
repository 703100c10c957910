// An extension of Chrome (Manifest V3) with the package's own files: its pages run gates; its service worker imports the
// package and is told why it runs none.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { chromium } from 'playwright-core';

import { CHROMIUM } from '../packaging/browsers.mjs';
import { KEY, provider, ROOT } from './support.mjs';

const SCRIPT = `import { scan, Tidegate } from './pkg/dist/web.js';\nObject.assign(globalThis, { scan, Tidegate });\n`;
// As README.md says.
const MANIFEST = {
  manifest_version: 3,
  name: 'Tidegate in an extension',
  version: '1',
  background: { service_worker: 'background.js', type: 'module' },
  content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'" },
  host_permissions: ['http://localhost/*'],
};

/** What came of a gate at this level: where it runs and its answer, or the error. */
const asked = async ([url, isolation, key]) => {
  try {
    const gate = await globalThis.Tidegate.open({
      ...(isolation && { isolation, name: isolation }),
      targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
      providers: { groq: { baseUrl: url } },
      ...(isolation === 'frame' && { frameUrl: 'https://frame.example/frame.html' }),
    });
    await gate.vault.putForSession('groq', key);
    const answer = await gate.chat({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 8 });
    return [(await gate.status()).isolation, answer.choices[0].message.content];
  } catch ({ name, code, message }) {
    return [`${name} ${code}`, message];
  }
};

test('a page of an extension runs a gate; its service worker says why not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-extension-'));
  const files = join(folder, 'files');
  for (const part of ['dist', 'wasm']) await cp(`${ROOT}pkg/${part}`, join(files, 'pkg', part), { recursive: true });
  await writeFile(join(files, 'manifest.json'), JSON.stringify(MANIFEST));
  await writeFile(join(files, 'page.html'), '<!doctype html><script type="module" src="background.js"></script>');
  await writeFile(join(files, 'background.js'), SCRIPT);
  const ours = await provider(t);
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    ...CHROMIUM,
    // The headless mode that Playwright would choose knows no extensions.
    headless: false,
    args: [
      ...CHROMIUM.args,
      '--headless=new',
      '--disable-features=DisableLoadExtensionCommandLineSwitch',
      `--disable-extensions-except=${files}`,
      `--load-extension=${files}`,
    ],
  });
  t.after(async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));

  const page = await context.newPage();
  await page.goto(new URL('page.html', worker.url()).href);
  await page.waitForFunction(() => 'Tidegate' in globalThis);
  assert.deepEqual(await page.evaluate(asked, [ours.url, undefined, KEY]), ['worker', 'Hello.']);
  assert.deepEqual(await page.evaluate(asked, [ours.url, 'page', KEY]), ['page', 'Hello.']);

  const noScripts = 'A service worker loads no scripts later: open the gate in a page or in another worker.';
  for (const isolation of [undefined, 'page', 'frame']) {
    const told = await worker.evaluate(asked, [ours.url, isolation, KEY]);
    assert.deepEqual(told, ['TidegateError internal', noScripts], isolation);
  }
  const noWorker = await worker.evaluate(asked, [ours.url, 'worker', KEY]);
  assert.deepEqual(noWorker, [
    'TidegateError isolation_failed',
    "There are no workers here: open the gate in a page, or with isolation: 'page'.",
  ]);
  const scanned = await worker.evaluate(() =>
    globalThis.scan('text').catch(({ name, code, message }) => [`${name} ${code}`, message]),
  );
  assert.deepEqual(scanned, ['TidegateError internal', noScripts]);
});

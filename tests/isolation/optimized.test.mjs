// Vite's optimizer, before version 8, takes the package's scripts elsewhere and leaves worker and Wasm behind.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { failure, launch, open, ROOT, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

for (const [isolation, code] of [
  ['worker', 'isolation_failed'],
  ['page', 'internal'],
]) {
  test(`says what helps: level ${isolation}`, async (t) => {
    const page = await open(t, browser, await site(t));
    await page.route('**/.vite/deps/**', async (route) => {
      const name = new URL(route.request().url()).pathname.slice('/.vite/deps/'.length);
      if (name === 'worker.js') return route.fulfill({ status: 404 });
      const body = await readFile(join(ROOT, 'pkg', 'dist', name));
      return route.fulfill({ body, contentType: 'text/javascript' });
    });
    const told = await failure(
      page,
      async (isolation) => {
        const { Tidegate } = await import('/.vite/deps/web.js');
        await Tidegate.open({ isolation });
      },
      isolation,
    );
    assert.equal(told.code, code);
    assert.match(told.message, /optimizeDeps: \{ exclude: \['tidegate'\] \}/u);
  });
}

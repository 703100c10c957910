// A disk that is full, in Chromium: it costs what is kept of answers, and neither a decision about money nor a key.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startStandIns } from '../../scripts/stand-ins.mjs';
import { serve } from '../packaging/static.mjs';
import { throwAwayKeys } from '../../scripts/demo-worker.mjs';
import { launchBrowser, PASSPHRASE } from './support.mjs';

const ROOT = fileURLToPath(new URL('../../pkg/', import.meta.url));

let browser;
let standIns;
before(async () => {
  [browser, standIns] = await Promise.all([launchBrowser(), startStandIns()]);
});
after(async () => {
  await browser?.close();
  await standIns?.stop();
});

test('without room the kept answers go, then a decision and a key are stored', async (t) => {
  const { url } = await serve(t, ROOT);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${url}dist/`).catch(() => undefined);
  const told = await page.evaluate(
    async ([baseUrl, keys, passphrase]) => {
      const { Tidegate } = await import('/dist/web.js');
      const open = () =>
        Tidegate.open({
          isolation: 'page',
          providers: { groq: { baseUrl } },
          targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
          cache: { persist: true },
        });
      const gate = await open();
      await gate.vault.create(passphrase);
      await gate.vault.put('groq', keys[0]);
      const ask = (content) => gate.chat({ messages: [{ role: 'user', content }], max_tokens: 64 });
      const { tidegate: first } = await ask('first');
      const kept = async () => {
        const database = await new Promise((resolve) => {
          const opening = indexedDB.open('tidegate:default');
          opening.onsuccess = () => resolve(opening.result);
        });
        const count = await new Promise((resolve) => {
          const counting = database.transaction('cache').objectStore('cache').count();
          counting.onsuccess = () => resolve(counting.result);
        });
        database.close();
        return count;
      };
      const before = await kept();
      // Full as long as an answer is kept, and always full for one.
      const { put, clear } = IDBObjectStore.prototype;
      let full = true;
      let refused = 0;
      IDBObjectStore.prototype.put = function (...given) {
        if (full || this.name === 'cache') {
          refused += 1;
          throw new DOMException('no room', 'QuotaExceededError');
        }
        return put.apply(this, given);
      };
      IDBObjectStore.prototype.clear = function () {
        if (this.name === 'cache') full = false;
        return clear.apply(this);
      };
      const { tidegate: second } = await ask('second');
      const between = await kept();
      full = true;
      await gate.vault.put('groq', keys[1]);
      Object.assign(IDBObjectStore.prototype, { put, clear });
      const { spentNanoUsd, reservedNanoUsd } = await gate.budget.status();
      const listed = (await gate.vault.list()).map(({ provider }) => provider);
      return { before, between, refused, first, second, spentNanoUsd, reservedNanoUsd, listed };
    },
    [standIns.groqUrl, [throwAwayKeys().groq, throwAwayKeys().groq], PASSPHRASE],
  );
  assert.deepEqual([told.before, told.between], [1, 0]);
  assert.ok(told.refused >= 3, `${told.refused} writes found no room`);
  assert.ok(told.first.costNanoUsd > 0 && told.second.costNanoUsd > 0);
  assert.deepEqual(
    [told.spentNanoUsd, told.reservedNanoUsd, told.listed],
    [told.first.costNanoUsd + told.second.costNanoUsd, 0, ['groq']],
  );
});

// A frame of another site in a browser that keeps nothing for such: what there is none of is told at both levels, at once, and
// in memory all of it works.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chromium } from 'playwright-core';

import { CHROMIUM } from '../packaging/browsers.mjs';
import { KEY, open, PASSPHRASE, provider, site } from './support.mjs';

const told = async ([key, passphrase, url, isolation, ledger]) => {
  try {
    const { Tidegate } = await globalThis.tidegate;
    const gate = await Tidegate.open({
      name: `${isolation}-${ledger ?? 'default'}`,
      isolation,
      ...(ledger && { ledger }),
      targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
      providers: { groq: { baseUrl: url } },
    });
    await gate.vault.create(passphrase);
    await gate.vault.put('groq', key);
    const answer = await gate.chat({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 8 });
    const status = await gate.status();
    return [answer.choices[0].message.content, status.isolation, status.ledger, status.budget.spentNanoUsd > 0];
  } catch ({ name, code, message }) {
    return [`${name} ${code}`, message];
  }
};

test('a frame of another site that may keep nothing', async (t) => {
  const browser = await chromium.launch({ ...CHROMIUM, args: [...CHROMIUM.args, '--block-third-party-cookies'] });
  t.after(() => browser.close());
  const [origin, ours] = await Promise.all([site(t), provider(t)]);
  const page = await open(t, browser, origin);
  await page.evaluate(
    (address) =>
      new Promise((resolve) => {
        const frame = document.createElement('iframe');
        frame.src = address;
        frame.onload = resolve;
        document.body.append(frame);
      }),
    // The same server, and another site.
    origin.replace('localhost', '127.0.0.1'),
  );
  const [, frame] = page.frames();
  for (const isolation of ['page', 'worker']) {
    const [code, message] = await frame.evaluate(told, [KEY, PASSPHRASE, ours.url, isolation]);
    assert.equal(code, 'TidegateError internal', isolation);
    assert.match(message, /^The browser's storage failed: .*ledger: 'memory'/, isolation);
    const inMemory = await frame.evaluate(told, [KEY, PASSPHRASE, ours.url, isolation, 'memory']);
    assert.deepEqual(inMemory, ['Hello.', isolation, 'memory', true]);
  }
  // In a page of its own the same site has storage.
  const own = await open(t, browser, origin.replace('localhost', '127.0.0.1'));
  assert.deepEqual(await own.evaluate(told, [KEY, PASSPHRASE, ours.url, 'worker']), [
    'Hello.',
    'worker',
    'indexeddb',
    true,
  ]);
});

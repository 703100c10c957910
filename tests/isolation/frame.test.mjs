// Level `frame`: keys are entered in a page of another origin, and no script of the app's page gets them, not even one that
// was there from the start. Two ports of localhost are two origins.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { VAULT_CALLS } from '../../pkg/dist/isolation/protocol.js';
import { enter, openFramed, sites } from './frame-support.mjs';
import { failure, KEY, launch, open, PASSPHRASE, ROOT } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const ask = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'through the frame' }], max_tokens: 8 });

test('keys are entered in the frame; answers, streams and events come out of it', async (t) => {
  const { ours, app, frameUrl } = await sites(t);
  const page = await open(t, browser, app);
  assert.equal((await openFramed(page, frameUrl)).code, 'none');
  await enter(page);
  const told = await page.evaluate(async () => {
    const { gate } = globalThis;
    const heard = [];
    gate.on('request-end', ({ ok }) => heard.push(ok));
    const request = { messages: [{ role: 'user', content: 'through the frame' }], max_tokens: 8 };
    const whole = await gate.chat(request);
    let text = '';
    for await (const chunk of await gate.chat({ ...request, stream: true }))
      text += chunk.choices[0]?.delta.content ?? '';
    const { isolation, vault } = await gate.status();
    return {
      whole: whole.choices[0].message.content,
      text,
      heard,
      isolation,
      vault,
      keys: (await gate.vault.list()).length,
    };
  });
  assert.deepEqual(told, {
    whole: 'Hello.',
    text: 'Hello.',
    heard: [true, true],
    isolation: 'frame',
    vault: 'unlocked',
    keys: 1,
  });
  assert.equal(ours.seen[0].authorization, `Bearer ${KEY}`);
  assert.deepEqual(page.problems, [], 'the documented header lets it work');
  const allow = await page.locator('iframe').getAttribute('allow');
  assert.match(allow, /publickey-credentials-get http/u);
  await page.evaluate(() => globalThis.gate.vault.lock());
  assert.equal(await page.evaluate(() => globalThis.gate.vault.state()), 'locked');
});

test('what takes or gives a secret is not called from the app', async (t) => {
  const { app, frameUrl } = await sites(t);
  const page = await open(t, browser, app);
  await openFramed(page, frameUrl);
  const harmless = ['state', 'list', 'lock'];
  for (const method of VAULT_CALLS.filter((name) => !harmless.includes(name))) {
    const { code, message } = await failure(page, (method) => globalThis.gate.vault[method]('groq', 'a text'), method);
    assert.equal(code, 'invalid_request', method);
    assert.match(message, /cannot be called from here/u);
  }
});

test('requests, bytes and calls have bounds', async (t) => {
  const bounds = { requestsPerMinute: 2, bytesPerMinute: 10_000, callsPerMinute: 12 };
  const { ours, app, frameUrl } = await sites(t, { settings: bounds });
  const page = await open(t, browser, app);
  await openFramed(page, frameUrl);
  await enter(page);
  const long = await failure(page, () =>
    globalThis.gate.chat({ messages: [{ role: 'user', content: 'x'.repeat(6_000) }] }),
  );
  assert.equal(long.code, 'rate_limited');
  assert.equal((await failure(page, ask)).code, 'none');
  assert.equal((await failure(page, ask)).code, 'none');
  const third = await failure(page, ask);
  assert.equal(third.code, 'rate_limited');
  assert.ok(third.retryAfterMs > 0 && third.retryAfterMs <= 60_000);
  assert.equal(ours.seen.length, 2);
  const calls = await page.evaluate(async () => {
    const told = [];
    for (let call = 0; call < 14; call += 1)
      told.push(
        await globalThis.gate.records().then(
          () => 'ok',
          ({ code }) => code,
        ),
      );
    return told;
  });
  assert.equal(calls[0], 'ok');
  assert.equal(calls.at(-1), 'rate_limited');
});

test('who is not listed gets nothing; neither does a setting, nor a frame of the page’s own origin', async (t) => {
  const { app, frameUrl } = await sites(t, { listed: 'https://other.example' });
  const page = await open(t, browser, app);
  const unlisted = await openFramed(page, frameUrl);
  assert.equal(unlisted.code, 'isolation_failed');
  assert.match(unlisted.message, /list of origins/u);
  const evil = await openFramed(page, frameUrl, { providers: { groq: { baseUrl: app } } });
  assert.deepEqual([evil.code, evil.fields[0].path], ['config_invalid', 'providers']);
  const own = await openFramed(page, '/pkg/dist/frame.html');
  assert.deepEqual([own.code, own.fields[0].path], ['config_invalid', 'frameUrl']);
});

test('the header’s frame-ancestors keeps others from embedding it', async (t) => {
  const { app, frameUrl } = await sites(t, { ancestors: 'https://other.example' });
  const page = await open(t, browser, app);
  await page.clock.install();
  const told = openFramed(page, frameUrl);
  await page.waitForTimeout(1_500);
  await page.clock.runFor(16_000);
  assert.equal((await told).code, 'isolation_failed');
  assert.ok(page.problems.some((problem) => problem.includes('frame-ancestors')));
});

test('a bad frame.json is named by its field', async (t) => {
  const { app, frameUrl } = await sites(t, { settings: { origins: ['*'], requestsPerMinute: 0 } });
  const page = await open(t, browser, app);
  const { code, fields } = await openFramed(page, frameUrl);
  assert.equal(code, 'config_invalid');
  assert.deepEqual(fields.map(({ path }) => path).sort(), ['origins', 'requestsPerMinute']);
});

test('a hostile script that was there from the start finds nothing', async (t) => {
  // It runs before the package is even loaded.
  const page0 = await readFile(`${ROOT}/tests/isolation/pages/hostile.js`, 'utf8');
  const appFiles = { '/page.js': `${page0}\nglobalThis.attack();\nglobalThis.tidegate = import('/pkg/dist/web.js');` };
  const { ours, app, frameUrl } = await sites(t, { appFiles });
  const page = await open(t, browser, app);
  assert.equal((await openFramed(page, frameUrl)).code, 'none');
  await enter(page);
  ours.mode = 'endless';
  const told = await page.evaluate(async () => {
    const request = { messages: [{ role: 'user', content: 'during the attack' }], stream: true };
    const running = await globalThis.gate.chat(request);
    const reading = (async () => {
      for await (const _chunk of running);
    })().catch(() => undefined);
    await globalThis.gate.vault.list();
    await globalThis.interrogate();
    const objects = await globalThis.search();
    void reading;
    const { patched, replies, texts, ports } = globalThis.loot;
    return { objects, patched, replies, texts: texts.size, ports: ports.size };
  });
  const found = await page.evaluate((needles) => globalThis.lootHas(needles), [KEY, PASSPHRASE]);
  assert.equal(ours.seen[0].authorization, `Bearer ${KEY}`);
  assert.ok(told.objects > 3_000 && told.patched > 40 && told.texts > 1_000, JSON.stringify(told));
  assert.ok(told.ports >= 1 && told.replies >= 8, `the frame itself was asked: ${JSON.stringify(told)}`);
  assert.equal(found, 0);
});

test('a script that runs before the page has a body opens a frame, too', async (t) => {
  const { app, frameUrl } = await sites(t);
  const page = await open(t, browser, app);
  await page.evaluate(() => document.body.remove());
  const told = await failure(
    page,
    async (frameUrl) => {
      const { Tidegate } = await globalThis.tidegate;
      await (await Tidegate.open({ isolation: 'frame', frameUrl })).status();
    },
    frameUrl,
  );
  assert.equal(told.code, 'none');
});

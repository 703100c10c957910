// What loads when, in a browser: the first answer comes without the rest of the Wasm; what is rare has it loaded at once.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { failure, KEY, launch, open, provider, ROOT, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** A build for trying things out has no nets: all that may run comes first. Any other must have them. */
const isQuick = (await readFile(`${ROOT}/target/wasm.stamp`, 'utf8')).startsWith('1 ');
const nets = isQuick ? { skip: 'built by TIDEGATE_WASM=quick' } : {};

/** As random as keys are: what is not is no finding. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const PASTED = `gsk_${Array.from({ length: 52 }, (_, at) => LETTERS[(at * at * 31 + at * 17 + 7) % 61]).join('')}`;
const ask = (content) =>
  globalThis.gate.chat({ messages: [{ role: 'user', content }], max_tokens: 8 }).then((answer) => answer.tidegate);
const put = (page) => page.evaluate((key) => globalThis.gate.vault.putForSession('groq', key), KEY);
const openOnly = async ([url, config]) => {
  const { Tidegate } = await globalThis.tidegate;
  const targets = [{ provider: 'groq', model: 'openai/gpt-oss-20b' }];
  globalThis.gate = await Tidegate.open({ targets, providers: { groq: { baseUrl: url } }, ...config });
};

const BUILDS = { tidegate: {}, 'tidegate-dialects': { dialects: 'all' }, 'tidegate-all': { queue: {} } };
const isRest = (path) => path.endsWith('-rest_bg.wasm');

/** A gate in a page of its own, and what was asked of the app's server. */
async function begin(t, config) {
  const asked = [];
  const headers = (path) => (asked.push(path), {});
  const [origin, ours] = await Promise.all([site(t, { headers }), provider(t)]);
  const page = await open(t, browser, origin);
  const opened = await failure(page, openOnly, [ours.url, config]);
  return { page, ours, opened, asked };
}

for (const isolation of ['page', 'worker']) {
  test(`a configuration loads the smallest build that has all of it: level ${isolation}`, async (t) => {
    for (const [build, config] of Object.entries(BUILDS)) {
      const { page, opened, asked } = await begin(t, { isolation, ...config });
      assert.equal(opened.code, 'none', build);
      await put(page);
      assert.equal((await page.evaluate(ask, 'plain')).cache, 'miss');
      assert.deepEqual(
        asked.filter((path) => path.endsWith('.wasm') && !isRest(path)),
        [`/pkg/wasm/${build}_bg.wasm`],
      );
    }
  });
}

for (const [isolation, build] of ['page', 'worker'].flatMap((level) => [
  [level, 'tidegate'],
  [level, 'tidegate-dialects'],
])) {
  const REST = `/pkg/wasm/${build}-rest_bg.wasm`;
  describe(`level ${isolation}, ${build}`, () => {
    const start = async (t, config = {}) => {
      const { asked, ...begun } = await begin(t, { isolation, ...BUILDS[build], ...config });
      return { ...begun, asked, loads: () => asked.filter((path) => path === REST).length };
    };

    test('a first answer needs no rest; a key in a message has it loaded at once, and once', nets, async (t) => {
      const { page, ours, loads } = await start(t);
      await put(page);
      assert.equal((await page.evaluate(ask, 'plain')).cache, 'miss');
      assert.equal(loads(), 0);

      const other = await start(t);
      await put(other.page);
      assert.equal((await other.page.evaluate(ask, `What is ${PASTED} for?`)).cache, 'miss');
      assert.equal(other.loads(), 1);
      assert.ok(!other.ours.seen.at(-1).body.includes(PASTED), 'masked');
      assert.equal((await other.page.evaluate(ask, `What is ${PASTED} for?`)).cache, 'hit');
      await other.page.evaluate(() => globalThis.gate.status());
      assert.equal(other.loads(), 1);
      assert.equal(ours.seen.length, 1);
    });

    const worker = build === 'tidegate' ? 'worker-later.js' : 'worker-dialects-later.js';
    const scripts = isolation === 'worker' ? `/pkg/dist/${worker}` : '/pkg/dist/later.js';
    const create = () => globalThis.gate.vault.create(new TextEncoder().encode('correct horse battery staple'));
    test('a first answer needs no script of what comes later, which is asked for once it is out', async (t) => {
      const { page, asked } = await start(t);
      await put(page);
      await page.evaluate(ask, 'plain');
      assert.ok(!asked.includes(scripts));
      while (!asked.includes(scripts)) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(await page.evaluate(() => globalThis.gate.vault.state()), 'absent');
      assert.equal((await page.evaluate(create)).kind, 'passphrase');
      assert.equal(asked.filter((path) => path === scripts).length, 1);
    });

    test('a script that cannot be had ends what needs it; the next call asks for it again', async (t) => {
      const { page } = await start(t);
      await put(page);
      await page.route(`**${scripts}`, (route) => route.abort());
      assert.equal((await failure(page, create)).code, 'internal');
      assert.equal((await failure(page, ask, 'plain')).code, 'none');
      if (isolation === 'page') return; // a page's modules are not asked for anew
      await page.unroute(`**${scripts}`);
      assert.equal((await failure(page, create)).code, 'none');
    });

    test('a mistake in the configuration is told as ever', nets, async (t) => {
      const { opened, loads } = await start(t, { budget: { limitUsd: 'much' }, retry: { maxRetries: -1 } });
      assert.equal(opened.code, 'config_invalid');
      assert.deepEqual(opened.fields.map(({ path }) => path).sort(), ['budget.limitUsd', 'retry.maxRetries']);
      assert.equal(loads(), 1);
    });

    test('a rest that cannot be had ends what needs it', nets, async (t) => {
      const { page, ours, loads } = await start(t);
      await put(page);
      await page.route(`**${REST}`, (route) => route.abort());
      const { code, name } = await failure(page, ask, `What is ${PASTED} for?`);
      assert.deepEqual({ code, name }, { code: 'internal', name: 'TidegateError' });
      assert.equal(ours.seen.length, 0);
      await page.unroute(`**${REST}`);
      if (isolation === 'page') {
        // Its memory may say anything: only another page has another.
        assert.equal((await failure(page, ask, 'plain')).code, 'internal');
        assert.equal(ours.seen.length, 0);
        return;
      }
      assert.equal((await failure(page, ask, 'plain')).code, 'no_target', 'a new worker, without the key');
      await put(page);
      assert.equal((await page.evaluate(ask, `What is ${PASTED} for?`)).cache, 'miss');
      assert.ok(loads() > 0);
    });
  });
}

// The builds in two parts: the first answer needs the first alone; all else waits for the rest, and works then. What
// is rare waits for nothing: the rest is loaded at once, in the middle of the call.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { answers } from '../../scripts/split-scenario.mjs';
import { openOn } from '../dist/open-here.js';
import { extensible, joinRest, onMissing } from '../dist/platform.js';
import { memoryStorage } from '../dist/storage/memory.js';
import { answer, ask, KEY, PASSPHRASE } from './support.mjs';

const GROQ = { provider: 'groq', model: 'openai/gpt-oss-20b' };
const wasm = (name) => readFile(new URL(`../wasm/${name}_bg.wasm`, import.meta.url));

/**
 * An instance of its own. Its rest is there when awaited or needed at once, unless it is `lost`; `asked` and `atOnce` count.
 */
async function instance(build) {
  // Glue keeps its instance for ever; another address is another module.
  const own = randomUUID();
  const glue = extensible(await import(`../wasm/${build}.js?${own}`));
  const more = () => import(`../wasm/${build}-rest.js?${own}`);
  glue.initSync({ module: await wasm(build) });
  const rest = { asked: 0, atOnce: 0, lost: false, joined: false, here: false, more };
  onMissing(glue, () => {
    rest.atOnce++;
    if (rest.lost) throw new TypeError('offline');
    rest.joined = true;
    return readFileSync(new URL(`../wasm/${build}-rest_bg.wasm`, import.meta.url));
  });
  return { glue, rest };
}

/** A gate on an instance of its own, which awaits the rest as it does where it ships. */
async function openBuild(build, t, provider = () => answer(), config = {}) {
  const { glue, rest } = await instance(build);
  const load = async () => {
    rest.asked++;
    if (rest.lost) throw new TypeError('offline');
    await joinRest(glue, async () => (rest.joined ? undefined : wasm(`${build}-rest`)), rest.more);
    rest.joined = true;
    rest.here = true;
  };
  const platform = {
    runtime: 'node',
    load: () => Promise.resolve(glue),
    rest: () => (rest.here ? undefined : (rest.loading ??= load().finally(() => delete rest.loading))),
    later: () => import('../dist/later.js'),
    derive: async () => new Uint8Array(32).fill(7),
    noLedger: () => undefined,
    open: () => Promise.resolve(memoryStorage()),
  };
  const targets = [GROQ, { provider: 'openrouter', model: 'qwen/qwen3-coder:free' }];
  const dialects = build === 'tidegate' ? 'chat' : 'all';
  const all = { name: randomUUID(), targets, retry: { baseMs: 1 }, dialects, ...config };
  const gate = await openOn(platform, all, { fetch: async (url) => provider(String(url.url ?? url)) });
  t.after(() => gate.close());
  // Known to need the rest is what awaits it.
  t.after(() => assert.ok(rest.atOnce <= (rest.rare ? 1 : 0)));
  await gate.vault.putForSession('groq', KEY);
  await gate.vault.putForSession('openrouter', `sk-or-v1-${'0f'.repeat(32)}`);
  return { gate, rest };
}

const EVENTS = [
  { choices: [{ index: 0, delta: { role: 'assistant', content: 'Hel' }, finish_reason: null }] },
  { choices: [{ index: 0, delta: { content: 'lo.' }, finish_reason: 'stop' }] },
];
const events = () =>
  new Response(
    [...EVENTS.map((event) => `data: ${JSON.stringify({ id: 'a', ...event })}\n\n`), 'data: [DONE]\n\n'].join(''),
    {
      headers: { 'content-type': 'text/event-stream' },
    },
  );
const broken = (url) => (url.includes('groq') ? new Response('{}', { status: 500 }) : answer('from the other'));

/** A build for trying things out has no nets: all that may run comes first. Any other must have them. */
const isQuick = readFileSync(new URL('../../target/wasm.stamp', import.meta.url), 'utf8').startsWith('1 ');
const nets = isQuick ? { skip: 'built by TIDEGATE_WASM=quick' } : {};

for (const build of ['tidegate', 'tidegate-dialects']) {
  const open = (...asked) => openBuild(build, ...asked);
  describe(build, () => {
    test('the first answer and its repetition need no rest, which is asked for once it is out', async (t) => {
      const { gate, rest } = await open(t);
      rest.lost = true;
      gate.on('attempt-end', () => undefined);
      const first = await gate.chat(ask('one'));
      assert.equal(first.choices[0].message.content, 'Hello.');
      assert.equal(rest.asked, 0);
      assert.equal((await gate.chat(ask('one'))).tidegate.cache, 'hit');
      assert.equal((await gate.chat(ask('two'))).tidegate.cache, 'miss');
      while (rest.asked === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    });

    test('what loads first is enough for every answer of the scenario that it was made by', async () => {
      const { glue, rest } = await instance(build);
      rest.lost = true;
      await answers(glue, build);
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc');
      for (let turn = 0; turn < 5; turn++) {
        collect(); // finalizers need no rest either
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.equal(rest.atOnce, 0);
    });

    test('the glue of what waits for the rest comes with it', async () => {
      const { glue, rest } = await instance(build);
      const late = () => [typeof glue.KeyScanner, typeof glue.keyRules, typeof glue.Core.prototype.status];
      assert.deepEqual(late(), ['undefined', 'undefined', 'undefined']);
      await joinRest(glue, () => wasm(`${build}-rest`), rest.more);
      assert.deepEqual(late(), ['function', 'function', 'function']);
      assert.ok(glue.keyRules().length > 10);
    });

    for (const [name, provider] of Object.entries({
      'a status': broken,
      'an error in a 200': (url) => (url.includes('groq') ? Response.json({ error: { message: 'x' } }) : answer()),
      'no JSON': (url) => (url.includes('groq') ? new Response('<html>') : answer()),
      'a lost connection': (url) => (url.includes('groq') ? Promise.reject(new TypeError('net')) : answer()),
    })) {
      test(`a failure loads the rest and is retried: ${name}`, async (t) => {
        const { gate, rest } = await open(t, provider);
        const { tidegate } = await gate.chat(ask('one'));
        assert.match(tidegate.target, /openrouter/u);
        assert.ok(rest.here && tidegate.attempts > 1);
      });
    }

    test('a late answer, an abort and a refusal', async (t) => {
      const config = { timeouts: { attemptMs: 20, totalMs: 200 }, retry: { maxRetries: 0 }, budget: { limitUsd: 1 } };
      const { gate } = await open(t, () => new Promise(() => undefined), config);
      await assert.rejects(gate.chat(ask('one')), { code: 'timeout' });
      const second = await open(t, () => new Promise(() => undefined));
      await assert.rejects(second.gate.chat(ask('one'), { signal: AbortSignal.timeout(10) }), { code: 'aborted' });
      const third = await open(t, () => answer(), { budget: { limitUsd: '0.000000001' }, targets: [GROQ] });
      third.rest.rare = true;
      await assert.rejects(third.gate.chat(ask('one')), { code: 'budget_exceeded' });
      await assert.rejects(third.gate.chat({ messages: 'none' }), { code: 'invalid_request' });
      await assert.rejects(third.gate.vault.putForSession('groq', ''), { code: 'invalid_request' });
    });

    test('a reply in place of none', async (t) => {
      const provider = () => new Response('{}', { status: 500 });
      const { gate } = await open(t, provider, { degraded: { message: 'Later.' }, retry: { maxRetries: 0 } });
      const reply = await gate.chat(ask('one'));
      assert.ok(reply.tidegate.degraded);
      assert.equal(reply.choices[0].message.content, 'Later.');
    });

    test('streams, gate.fetch, status, records, replay and the vault wait for the rest', async (t) => {
      const chunks = [];
      const streamed = await open(t, events);
      for await (const chunk of await streamed.gate.chat({ ...ask('one'), stream: true })) chunks.push(chunk);
      assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), 'Hello.');

      const fetched = await open(t);
      const init = { method: 'POST', body: JSON.stringify({ model: 'openai/gpt-oss-20b', ...ask('one') }) };
      const response = await fetched.gate.fetch('https://api.groq.com/openai/v1/chat/completions', init);
      assert.equal((await response.json()).choices[0].message.content, 'Hello.');

      assert.equal((await (await open(t)).gate.status()).targets.length, 2);

      const recorded = await open(t);
      await recorded.gate.chat(ask('one'));
      const [record] = await recorded.gate.records();
      assert.equal((await recorded.gate.replay(record)).same, true);

      const { vault } = (await open(t)).gate;
      await vault.create(PASSPHRASE);
      await vault.put('groq', KEY);
      assert.equal((await vault.list())[0].provider, 'groq');
    });

    test('without the rest: a typed error, nothing held, and another try later', async (t) => {
      const { gate, rest } = await open(t, broken);
      rest.lost = true;
      await assert.rejects(gate.chat(ask('one')), { code: 'internal' });
      await assert.rejects(
        gate.status(),
        (error) => error.code === 'internal' && /could not be loaded/u.test(error.message),
      );
      await assert.rejects(gate.fetch('https://api.groq.com/openai/v1/chat/completions'), { code: 'internal' });
      rest.lost = false;
      const { budget } = await gate.status();
      assert.equal(budget.reservedNanoUsd, 0);
      assert.match((await gate.chat(ask('one'))).tidegate.target, /openrouter/u);
    });

    test('what is rare loads the rest at once, once, in the middle of the call', nets, async (t) => {
      const { glue, rest } = await instance(build);
      const config = { targets: [GROQ], budget: { limitUsd: 'much' }, nonsense: true };
      for (let turn = 0; turn < 2; turn++) {
        assert.throws(
          () => new glue.LedgerDecider(config),
          ({ code, fields }) => code === 'config_invalid' && fields.length === 2,
        );
      }
      assert.equal(rest.atOnce, 1);
      await answers(glue, build);
      assert.equal(rest.atOnce, 1);

      const masked = await open(t, async () => answer());
      masked.rest.rare = true;
      const { tidegate } = await masked.gate.chat(ask(`What is ${KEY} for?`));
      assert.equal(tidegate.cache, 'miss');
      assert.equal((await masked.gate.status()).budget.reservedNanoUsd, 0);
    });

    test('what is rare, without the rest: an error, and the books are as they were', nets, async (t) => {
      const { gate, rest } = await open(t);
      rest.rare = rest.lost = true;
      const asking = gate.chat(ask(`What is ${KEY} for?`));
      await assert.rejects(asking, (error) => error.code === 'internal' && /offline/u.test(error.cause.message));
    });
  });
}

test('an answer in another dialect is read and written anew by what loads first', async (t) => {
  const claude = { provider: 'anthropic', model: 'claude-haiku-4-5' };
  const said = {
    ...{ id: 'msg_1', type: 'message', role: 'assistant', model: claude.model, stop_reason: 'end_turn' },
    content: [{ type: 'text', text: 'Bonjour.' }],
    usage: { input_tokens: 9, output_tokens: 3 },
  };
  const { gate, rest } = await openBuild('tidegate-dialects', t, () => Response.json(said), { targets: [claude] });
  await gate.vault.putForSession('anthropic', `sk-ant-api03-${'A1b2'.repeat(23)}AAA`);
  rest.lost = true;
  const { choices, tidegate } = await gate.chat(ask('one'));
  assert.equal(choices[0].message.content, 'Bonjour.');
  assert.equal(tidegate.usage.outputTokens, 3);
  assert.equal(rest.asked + rest.atOnce, 0);
});

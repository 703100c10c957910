// What crosses between JavaScript and the Wasm: texts of any letters, and work that is done side by side.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { Tidegate } from 'tidegate';

import { answer, ask, KEY } from './support.mjs';

async function open(t, provider, config = {}) {
  const gate = await Tidegate.open(
    { name: randomUUID(), ledger: 'memory', retry: { baseMs: 1 }, ...config },
    { fetch: provider },
  );
  t.after(() => gate.close());
  await gate.vault.putForSession('groq', KEY);
  return gate;
}
const asked = (init) => JSON.parse(init.body).messages[0].content;
/** A provider that says what it was asked, in its own time. */
const echo = async (_, init) => {
  await new Promise((resolve) => setTimeout(resolve, asked(init).length % 7));
  return answer(asked(init));
};
const said = ({ choices }) => choices[0].message.content;

test('texts arrive as they were, whatever room their letters take', async (t) => {
  const gate = await open(t, echo, { limits: { maxInputUnits: 100_000 }, budget: { limitUsd: 1_000 } });
  for (const letters of ['', 'a', 'ä', '€', '😀', 'a\u0000b', 'ends in €', '€ begins', `${'x'.repeat(70_000)}😀`]) {
    for (const times of [1, 3, 100]) {
      const content = letters.repeat(times).slice(0, 80_000) + '.';
      assert.equal(said(await gate.chat(ask(content))), content);
      const hit = await gate.chat(ask(content));
      assert.equal(hit.tidegate.cache, 'hit');
      assert.equal(said(hit), content);
    }
  }
});

test('half a character is taken for the character that stands for it', async (t) => {
  const gate = await open(t, echo);
  const url = 'https://api.groq.com/openai/v1/chat/completions';
  const body = JSON.stringify(ask('?')).replace('?', 'half \ud83d of one');
  const response = await gate.fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.equal(said(await response.json()), 'half \ufffd of one');
});

test('the limit of a request is told in the units of a JavaScript string, of all its texts together', async (t) => {
  const gate = await open(t, echo, { budget: { limitUsd: 1_000 } });
  const MOST = 50_000;
  const sent = (texts) => gate.chat({ messages: texts.map((content) => ({ role: 'user', content })) });
  for (const letters of ['a', 'ä', '€', '😀', 'e\u0301', '"\\\n', '\u0000']) {
    const first = letters.repeat(Math.floor(MOST / 2 / letters.length));
    const second = 'x'.repeat(MOST - first.length);
    assert.equal((await sent([first, second])).tidegate.cache, 'miss');
    await assert.rejects(sent([first, `${second}x`]), ({ code, fields }) => {
      assert.deepEqual([code, fields.map(({ path }) => path)], ['invalid_request', ['messages']]);
      return true;
    });
  }
});

test('many side by side, some the same, some given up: each gets its own', async (t) => {
  const gate = await open(t, echo, { budget: { limitUsd: 1_000 } });
  const work = Array.from({ length: 60 }, async (_, index) => {
    const content = 'x'.repeat(index % 40);
    const controller = new AbortController();
    if (index % 10 === 3) setTimeout(() => controller.abort(), index % 5);
    const answered = await gate.chat(ask(content), { signal: controller.signal }).catch((error) => error);
    if (answered.code === 'aborted') return assert.ok(controller.signal.aborted);
    assert.equal(said(answered), content);
  });
  await Promise.all(work);
  assert.equal((await gate.status()).inFlight, 0);
});

test('a provider may ask the gate itself, give up its own caller, or throw before it has begun', async (t) => {
  const controller = new AbortController();
  const gate = await open(t, (url, init) => {
    const content = asked(init);
    if (content === 'outer') return gate.chat(ask('inner')).then((inner) => answer(`outer of ${said(inner)}`));
    if (content === 'given up') controller.abort();
    if (content === 'broken') throw new TypeError('not even a promise');
    return echo(url, init);
  });
  assert.equal(said(await gate.chat(ask('outer'))), 'outer of inner');
  await assert.rejects(gate.chat(ask('given up'), { signal: controller.signal }), { code: 'aborted' });
  await assert.rejects(gate.chat(ask('broken')), { code: 'upstream_failed' });
  assert.equal(said(await gate.chat(ask('after it'))), 'after it');
});

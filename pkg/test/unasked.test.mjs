// Where a stream tells its usage: Groq's clients and OpenRouter's ask for none and are told it all the same, each where its
// provider tells it. The others are told what they ask for.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { Tidegate } from 'tidegate';

const ADDRESSES = {
  openai: 'https://api.openai.com/v1/chat/completions',
  groq: 'https://api.groq.com/openai/v1/chat/completions',
  openrouter: 'https://openrouter.ai/api/v1/chat/completions',
};

const chunk = (more) =>
  `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', model: 'm', ...more })}\n\n`;
const choice = (delta, finish_reason) => ({ choices: [{ index: 0, delta, finish_reason }] });
const STREAM = [
  chunk(choice({ role: 'assistant', content: 'Hi' }, null)),
  chunk(choice({}, 'stop')),
  chunk({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 } }),
  'data: [DONE]\n\n',
].join('');

/** What one client reads, and whether each chunk has the answer that it looks at. */
async function told(gate, address, more = {}) {
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hi' }], stream: true, ...more });
  const response = await gate.fetch(address, { method: 'POST', body });
  const events = (await response.text()).split('\n\n').filter((event) => event.startsWith('data: {'));
  const chunks = events.map((event) => JSON.parse(event.slice('data: '.length)));
  return {
    cache: response.headers.get('x-tidegate-cache'),
    asked: chunks.filter(({ usage }) => usage).map(({ usage }) => usage.completion_tokens),
    groq: chunks.filter(({ x_groq }) => x_groq).map(({ x_groq }) => x_groq.usage.completion_tokens),
    empty: chunks.filter(({ choices }) => choices.length === 0).length,
  };
}

test('usage stands where each client reads it, also of answers that are given again', async (t) => {
  const gate = await Tidegate.open(
    { name: randomUUID(), ledger: 'memory', targets: [{ provider: 'openai', model: 'gpt-4.1-mini' }] },
    { fetch: async () => new Response(STREAM, { headers: { 'content-type': 'text/event-stream' } }) },
  );
  t.after(() => gate.close());
  await gate.vault.putForSession('openai', `sk-proj-${'Ab3dE6gH'.repeat(6)}`);

  const first = await told(gate, ADDRESSES.groq);
  assert.deepEqual({ ...first, asked: [] }, { cache: 'miss', asked: [], groq: [4], empty: 0 });
  for (let round = 0; round < 3; round += 1) {
    // A hit costs no tokens.
    const hit = { cache: 'hit', asked: [], groq: [], empty: 0 };
    assert.deepEqual(await told(gate, ADDRESSES.groq), { ...hit, groq: [0] });
    assert.deepEqual(await told(gate, ADDRESSES.openrouter), { ...hit, asked: [0], empty: 1 });
    assert.deepEqual(await told(gate, ADDRESSES.openai), hit);
  }
  const asking = { stream_options: { include_usage: true }, seed: 1 };
  assert.deepEqual(await told(gate, ADDRESSES.openai, asking), { cache: 'miss', asked: [4], groq: [], empty: 1 });
  assert.deepEqual((await told(gate, ADDRESSES.openrouter, { seed: 2 })).asked, [4]);
  assert.deepEqual((await told(gate, ADDRESSES.openai, { seed: 3 })).asked, []);
});

// SIGKILL to workerd in the middle of 500 queued requests, its storage kept: nothing is lost, nothing recorded twice.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { bundled, call, folder, MASTER_KEY, startWorkerd, TOKEN } from './workerd.mjs';

const COUNT = 500;
// As many as the platform lets run in one object.
const CONCURRENCY = 6;

/** A provider that answers after a while, and counts how often it was asked each question. */
function provider() {
  const asked = new Map();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    const { model, messages } = JSON.parse(text);
    const question = messages[0].content;
    asked.set(question, (asked.get(question) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const message = { role: 'assistant', content: `heard: ${question}` };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model },
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
      }),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({ asked, server })));
}

let bundle;
let storage;
let upstream;
let running;
before(async () => {
  [bundle, storage, upstream] = [bundled(), folder('queue-kill'), await provider()];
});
after(async () => {
  await running?.dispose();
  upstream?.server.closeAllConnections();
  upstream?.server.close();
  for (const one of [bundle, storage]) one?.remove();
});

/** workerd with what an earlier one left. */
async function start() {
  const bindings = {
    TIDEGATE_TOKEN: TOKEN,
    TIDEGATE_MASTER_KEY: MASTER_KEY,
    GROQ_API_KEY: `gsk_${'Ab3dE6gH'.repeat(7).slice(0, 52)}`,
    GROQ_BASE_URL: `http://127.0.0.1:${upstream.server.address().port}/v1`,
    TIDEGATE_CONFIG: {
      targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
      budget: { limitUsd: 1_000 },
      cache: { ttlMs: 0 },
      limits: { maxConcurrent: 1_000 },
      rates: { tiers: { enterprise: { perMinute: 100_000 } }, routes: { other: { perMinute: 100_000 } } },
      queue: { concurrency: CONCURRENCY, baseMs: 10 },
    },
  };
  const { urls, ...rest } = await startWorkerd({ bundle, storage: storage.path, bindings });
  const asked = async (query, init) => {
    const { status, text, body } = await call(urls[0], `/api/ai/queue${query}`, init);
    if (status >= 300) throw new Error(text);
    return body;
  };
  running = { ...rest, call: asked };
  return running;
}

test('500 requests survive a kill, each with one result', { timeout: 240_000 }, async () => {
  const ids = new Map();
  let worker = await start();
  const enqueue = async (index) => {
    const messages = [{ role: 'user', content: `question ${index}` }];
    const body = { messages, max_tokens: 5, idempotencyKey: `key ${index}`, timeoutMs: 600_000 };
    const { requestId } = await worker.call('', { method: 'POST', body });
    // The same key is the same request, also if nobody heard the answer to the first try.
    if (ids.has(index)) assert.equal(requestId, ids.get(index));
    ids.set(index, requestId);
  };
  const missing = () => Array.from({ length: COUNT }, (_, index) => index).filter((index) => !ids.has(index));
  const enqueueAll = async () => {
    const left = missing();
    const each = async () => {
      for (let index = left.pop(); index !== undefined; index = left.pop()) await enqueue(index).catch(() => undefined);
    };
    await Promise.all(Array.from({ length: 8 }, each));
  };

  // Killed while requests still come in and others run, and again while the rest runs.
  const first = enqueueAll();
  while (upstream.asked.size < 60) await new Promise((resolve) => setTimeout(resolve, 5));
  worker.kill();
  await first;
  const accepted = ids.size;
  const askedBefore = upstream.asked.size;
  await worker.dispose();
  assert.ok(askedBefore < COUNT, 'it was killed in the middle');

  worker = await start();
  await enqueueAll();
  assert.equal(missing().length, 0);
  for (const index of [...ids.keys()].slice(0, accepted)) await enqueue(index);
  while (upstream.asked.size < 250) await new Promise((resolve) => setTimeout(resolve, 5));
  worker.kill();
  await worker.dispose();

  worker = await start();
  let stats;
  do {
    await new Promise((resolve) => setTimeout(resolve, 100));
    stats = await worker.call('?action=stats');
  } while (stats.queued + stats.running + stats.delayed > 0);
  assert.deepEqual([stats.completed, stats.dead, stats.cancelled], [COUNT, 0, 0], 'nothing lost, nothing twice');

  let attempts = 0;
  for (const [index, id] of ids) {
    const status = await worker.call(`?action=status&requestId=${id}`);
    assert.equal(status.status, 'completed');
    assert.equal(status.result.choices[0].message.content, `heard: question ${index}`);
    attempts += status.attempts;
  }
  assert.equal(new Set(ids.values()).size, COUNT);
  // At least once: what ran when the power went was asked again, and nothing else was. It went three times: after the first
  // kill another workerd goes on at once, until it is disposed of.
  const asked = [...upstream.asked.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(asked >= COUNT && asked <= COUNT + 3 * CONCURRENCY, `${asked} were asked`);
  assert.ok(attempts >= asked && attempts <= COUNT + 3 * CONCURRENCY, `${attempts} runs`);
  await worker.dispose();
});

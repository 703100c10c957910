// The tab's queue in Chromium: the same behaviour over both of its stores, and what only a browser has: a reload, several
// tabs, and being offline.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { serve } from '../packaging/static.mjs';
import { launchBrowser } from './support.mjs';

const ROOT = fileURLToPath(new URL('../../pkg/', import.meta.url));
const KEY = `gsk_${'Ab3dE6gH'.repeat(7).slice(0, 52)}`;

/** A provider that pages may ask; while it holds, nobody is answered. */
async function provider() {
  const state = { asked: [], held: [], holds: false };
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    // A preflight, or the question whether anybody is here.
    if (request.method !== 'POST') return response.end();
    let text = '';
    for await (const piece of request) text += piece;
    const { model, messages } = JSON.parse(text);
    const question = messages[0].content;
    state.asked.push(question);
    if (state.holds) await new Promise((resolve) => state.held.push(resolve));
    response.setHeader('content-type', 'application/json');
    const message = { role: 'assistant', content: `heard: ${question}` };
    response.end(
      JSON.stringify({
        ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model },
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const release = () => {
    state.holds = false;
    for (const one of state.held.splice(0)) one();
  };
  return { state, release, server, url: `http://127.0.0.1:${server.address().port}/v1` };
}

let browser;
let upstream;
before(async () => {
  [browser, upstream] = await Promise.all([launchBrowser(), provider()]);
});
after(async () => {
  await browser?.close();
  upstream?.release();
  upstream?.server.closeAllConnections();
  upstream?.server.close();
});

/** A page with an open gate, `window.gate`. */
async function openPage(context, url, more = {}) {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${url}dist/`).catch(() => undefined);
  return openGate(page, more);
}

async function openGate(page, more = {}) {
  await page.evaluate(
    async ([baseUrl, options]) => {
      const { Tidegate } = await import('/dist/web.js');
      globalThis.gate = await Tidegate.open({
        isolation: 'page',
        providers: { groq: { baseUrl } },
        targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
        cache: { ttlMs: 0 },
        queue: { baseMs: 10, concurrency: 1 },
        ...options,
      });
    },
    [upstream.url, more],
  );
  return page;
}

const withVault = (page) =>
  page.evaluate(async (key) => {
    await globalThis.gate.vault.create('correct horse battery staple');
    await globalThis.gate.vault.put('groq', key);
  }, KEY);
const enqueue = (page, content, options = {}) =>
  page.evaluate(
    ([content, options]) => globalThis.gate.queue.enqueue({ messages: [{ role: 'user', content }] }, options),
    [content, options],
  );
const stats = (page) => page.evaluate(() => globalThis.gate.queue.stats());
const reached = (page, id, wanted) =>
  page.evaluate(
    async ([id, wanted]) => {
      for (;;) {
        const status = await globalThis.gate.queue.status(id);
        if (status.status === wanted) return status;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    [id, wanted],
  );
test('a queue survives a reload, sealed, and goes on when the vault is unlocked', async (t) => {
  const { url } = await serve(t, ROOT);
  const context = await browser.newContext();
  t.after(() => context.close());
  upstream.state.asked.length = 0;
  const page = await openPage(context, url);
  await withVault(page);
  upstream.state.holds = true;
  const first = await enqueue(page, 'a private question', { conversation: 'c', idempotencyKey: 'k' });
  await reached(page, first.requestId, 'running'); // before one that would go first
  const second = await enqueue(page, 'another', { priority: 'critical' });
  assert.equal(
    (await enqueue(page, 'a private question', { conversation: 'c', idempotencyKey: 'k' })).requestId,
    first.requestId,
  );
  const kept = await page.evaluate(async () => {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open('tidegate:default:queue');
      opening.onsuccess = () => resolve(opening.result);
    });
    const rows = await new Promise((resolve) => {
      const reading = database.transaction('items').objectStore('items').getAll();
      reading.onsuccess = () => resolve(reading.result);
    });
    database.close();
    return rows.map((row) =>
      Object.values(row)
        .map((value) => (value instanceof Uint8Array ? new TextDecoder('latin1').decode(value) : value))
        .join(' '),
    );
  });
  assert.equal(kept.length, 2);
  for (const row of kept) assert.doesNotMatch(row, /private|another|critical/);

  await page.reload();
  await openGate(page);
  const locked = await stats(page);
  assert.deepEqual([locked.storage, locked.locked, locked.queued + locked.running], ['indexeddb', true, 2]);
  const refused = await page.evaluate(
    (id) => globalThis.gate.queue.status(id).catch(({ code }) => code),
    first.requestId,
  );
  assert.equal(refused, 'vault_locked');
  upstream.release();
  await page.evaluate(() => globalThis.gate.vault.unlock('correct horse battery staple'));
  const done = await reached(page, first.requestId, 'completed');
  assert.equal(done.result.choices[0].message.content, 'heard: a private question');
  assert.deepEqual([done.conversation, done.failures], ['c', 0], 'a reload is nobody’s failure');
  await reached(page, second.requestId, 'completed');
  // What ran when the page went was asked again, and nothing else was.
  assert.deepEqual(upstream.state.asked, ['a private question', 'another', 'a private question']);
});

test('a queue that waited behind a lock goes on at the unlock, in the same page', async (t) => {
  const { url } = await serve(t, ROOT);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await openPage(context, url);
  await withVault(page);
  await reached(page, (await enqueue(page, 'before')).requestId, 'completed');
  upstream.state.asked.length = 0;
  upstream.state.holds = true;
  const running = await enqueue(page, 'runs as it locks');
  await reached(page, running.requestId, 'running');
  const waiting = await enqueue(page, 'waits');
  await page.evaluate(() => globalThis.gate.vault.lock());
  upstream.release();
  // Longer than the queue takes to see the lock.
  await page.waitForTimeout(2_500);
  assert.deepEqual(upstream.state.asked, ['runs as it locks']);
  await page.evaluate(() => globalThis.gate.vault.unlock('correct horse battery staple'));
  await reached(page, waiting.requestId, 'completed');
});

test('tabs share one queue, and an item runs once', async (t) => {
  const { url } = await serve(t, ROOT);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await openPage(context, url);
  await withVault(page);
  const other = await openPage(context, url);
  await other.evaluate(() => globalThis.gate.vault.unlock('correct horse battery staple'));
  upstream.state.asked.length = 0;
  const count = 12;
  const all = await Promise.all(
    Array.from({ length: count }, (_, index) => enqueue(index % 2 ? page : other, `question ${index}`)),
  );
  for (const { requestId } of all) await reached(page, requestId, 'completed');
  assert.equal((await stats(other)).completed, count);
  assert.deepEqual([...upstream.state.asked].sort(), all.map((_, index) => `question ${index}`).sort());
});

test('what is low waits until the tab is online, and progress is told', async (t) => {
  const { url } = await serve(t, ROOT);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await openPage(context, url);
  await withVault(page);
  await page.evaluate(() => {
    globalThis.told = [];
    globalThis.gate.on('queue-progress', ({ status }) => globalThis.told.push(status));
  });
  upstream.state.asked.length = 0;
  await context.setOffline(true);
  const low = await enqueue(page, 'low', { priority: 'low' });
  await page.waitForTimeout(300);
  assert.equal((await page.evaluate((id) => globalThis.gate.queue.status(id), low.requestId)).attempts, 0);
  await context.setOffline(false);
  await reached(page, low.requestId, 'completed');
  assert.deepEqual(upstream.state.asked, ['low']);
  assert.deepEqual(await page.evaluate(() => globalThis.told), ['queued', 'running', 'completed']);
});

test('without a vault it is in memory, and says so', async (t) => {
  const { url } = await serve(t, ROOT);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await openPage(context, url);
  await page.evaluate((key) => globalThis.gate.vault.putForSession('groq', key), KEY);
  const { requestId } = await enqueue(page, 'a question');
  await reached(page, requestId, 'completed');
  const status = await page.evaluate(() => globalThis.gate.status());
  assert.deepEqual([status.queue.storage, status.queue.locked, status.queue.completed], ['memory', false, 1]);
  const unknown = await page.evaluate(() => globalThis.gate.queue.status('rq_0').catch(({ code }) => code));
  assert.equal(unknown, 'invalid_request');
});

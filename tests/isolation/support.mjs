// What the isolation tests share: Chromium, sites that serve the package's own files with whatever headers, a provider.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PASSPHRASE = 'correct horse battery staple';
/** Not a key of anybody, in the shape of one. */
export const KEY = `gsk_${'Zq7W'.repeat(13)}`;

const CHROME_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run'];
const TYPES = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROME || '/usr/bin/chromium', args: CHROME_ARGS });

async function listen(t, answer) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${server.address().port}`;
}

/**
 * A site: the package under `/pkg/`, the files of pages/ at its root. `headers` go with every answer, as a host sends
 * them, or a function of the path; `files` are texts by path, before any file.
 */
export async function site(t, { headers: sent = {}, files = {} } = {}) {
  const origin = await listen(t, async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const headers = typeof sent === 'function' ? sent(path) : sent;
    const folder = path.startsWith('/pkg/') ? ROOT : `${ROOT}/tests/isolation/pages`;
    if (path === '/favicon.ico') return response.writeHead(204).end();
    try {
      const body = files[path] ?? (await readFile(folder + normalize(path)));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain', ...headers }).end(body);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  return origin;
}

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*',
  'access-control-expose-headers': '*',
};
const chunk = (content, more = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }] })}\n\n`;
const ENDING = `${chunk('', { finish_reason: 'stop' })}data: [DONE]\n\n`;
const ANSWER = JSON.stringify({
  id: 'one',
  object: 'chat.completion',
  created: 1,
  model: 'openai/gpt-oss-20b',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
});

const SLOW_MS = 2_000;

/**
 * A provider. `mode`: `answer`, `hang` (no answer), `fail` (500), `endless` (a stream that begins and goes on slowly),
 * `slow` (answers after two seconds), `flood` (a stream of `floodBytes` as fast as it is taken). `seen` are its requests.
 */
export async function provider(t) {
  const state = { mode: 'answer', seen: [], left: 0, written: 0, floodBytes: 48 * 1024 * 1024 };
  state.url = await listen(t, async (request, response) => {
    // A preflight, or the question whether anybody is here.
    if (request.method !== 'POST') return response.writeHead(204, CORS).end();
    let body = '';
    for await (const part of request) body += part;
    state.seen.push({ authorization: request.headers.authorization, body });
    response.on('close', () => response.writableEnded || (state.left += 1));
    if (state.mode === 'hang') return;
    if (state.mode === 'slow') await setTimeout(SLOW_MS);
    if (state.mode === 'fail') return response.writeHead(500, CORS).end('{}');
    if (!JSON.parse(body).stream)
      return response.writeHead(200, { ...CORS, 'content-type': 'application/json' }).end(ANSWER);
    response.writeHead(200, { ...CORS, 'content-type': 'text/event-stream' });
    if (state.mode === 'endless') {
      const timer = setInterval(() => response.write(chunk('tick ')), 20);
      response.on('close', () => clearInterval(timer));
      return;
    }
    if (state.mode === 'flood') {
      const text = chunk('x'.repeat(16_000));
      for (state.written = 0; state.written < state.floodBytes && !response.destroyed; state.written += text.length) {
        if (!response.write(text)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
      return response.end(ENDING);
    }
    response.end(chunk('Hel') + chunk('lo.') + ENDING);
  });
  return state;
}

/** A page of the site in a context of its own; problems of its scripts fail nothing, but can be read. */
export async function open(t, browser, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(url);
  return Object.assign(page, { problems });
}

/** Opens a gate in the page, as `gate` there, with a session key unless told otherwise; what `status()` says. */
export const openGate = (page, url, config = {}, key = KEY) =>
  page.evaluate(
    async ([url, config, key]) => {
      const { Tidegate } = await globalThis.tidegate;
      globalThis.gate = await Tidegate.open({
        targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
        providers: { groq: { baseUrl: url } },
        retry: { maxRetries: 0 },
        ...config,
      });
      if (key) await globalThis.gate.vault.putForSession('groq', new TextEncoder().encode(key));
      return globalThis.gate.status();
    },
    [url, config, key],
  );

/** Runs in the page what is to fail; the error's own properties. */
export const failure = (page, work, arg) =>
  page.evaluate(
    async ([work, arg]) => {
      try {
        // The test's own text, which crosses as one.
        await (0, eval)(`(${work})`)(arg);
        return { code: 'none' };
      } catch (error) {
        return { ...error, name: error.name, message: error.message };
      }
    },
    [String(work), arg],
  );

// A provider that says what a test wants and fails when a test wants it to: OpenAI, Groq, OpenRouter, DeepSeek, Hugging
// Face, Anthropic and Gemini on one local port, each under a path of its own that stands for its origin. The faults: stand-in/faults.mjs.
//
//   node tests/clients/stand-in.mjs [PORT]
//
//   POST   /control/faults  { provider, faults: [fault, …], last? }   one for each request; `last` for all after them
//   GET    /control/journal                                           what came, in order; DELETE empties it
//   GET    /control/asked?TEXT                                        answers once a request with that text has come
//   POST   /control/release                                           lets go what the fault `hold` holds
//   POST   /control/reset                                             no faults, no journal

import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import * as anthropic from './stand-in/anthropic.mjs';
import * as chat from './stand-in/chat.mjs';
import { checked, problemOf, wholeFault } from './stand-in/faults.mjs';
import * as google from './stand-in/google.mjs';
import * as responses from './stand-in/responses.mjs';

const MB = 1024 * 1024;
const PAUSE_MS = 250;
const ENDPOINTS = [
  [/^\/(openai)\/v1\/chat\/completions$/, chat],
  [/^\/(openai)\/v1\/responses$/, responses],
  [/^\/(groq)\/openai\/v1\/chat\/completions$/, chat],
  [/^\/(openrouter)\/api\/v1\/chat\/completions$/, chat],
  [/^\/(deepseek)\/chat\/completions$/, chat],
  [/^\/(huggingface)\/v1\/chat\/completions$/, chat],
  [/^\/(anthropic)\/v1\/messages$/, anthropic],
  [/^\/(google)\/v1(?:beta)?\/models\/[^/]+:(?:generateContent|streamGenerateContent)$/, google],
];

const keyOf = ({ headers }) =>
  headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers.authorization?.replace(/^Bearer /, '');

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Sends frames one by one, with the fault among them. Gives up when the caller goes away. */
async function send(response, frames, fault, dialect, provider, signal) {
  const write = async (text) => {
    if (fault?.kind !== 'dribble') return void (response.write(text) || (await once(response, 'drain', { signal })));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += fault.bytes ?? 1) {
      response.write(bytes.subarray(at, at + (fault.bytes ?? 1)));
      await new Promise(setImmediate);
    }
  };
  let sent = 0;
  const due = () => fault?.after !== undefined && sent === fault.after;
  for (const { text, content } of frames) {
    if (content) {
      if (due()) {
        // What came before has to be on its way: what fails in one breath with it may be asked for again unnoticed.
        if (sent > 0) await sleep(PAUSE_MS, undefined, { signal });
        if (fault.kind === 'stall') await sleep(2 ** 31 - 1, undefined, { signal });
        if (fault.kind === 'cut') return void setImmediate(() => response.destroy());
        if (fault.kind === 'early-end') break;
        if (fault.kind === 'malformed') await write('data: {"id":"chatcmpl-cut","choices":[{"ind\n\n');
        if (fault.kind === 'error-event') {
          await write(dialect.problemFrame(problemOf(fault), provider).text);
          break;
        }
      }
      if (sent === 0 && fault?.kind === 'slow-first') {
        for (let waited = 0; waited < fault.ms; waited += 20) {
          await sleep(20, undefined, { signal });
          if (fault.comments) await write(': keep-alive\n\n');
        }
      }
      if (fault?.kind === 'slow') await sleep(fault.ms, undefined, { signal });
      sent += 1;
    }
    await write(text);
    // A turn of the loop, so that frames reach the client one by one.
    await new Promise(setImmediate);
  }
  response.end();
}

/** The piece of output that the fault makes long. */
const lengthened = (fault, text) =>
  fault?.kind === 'long-line'
    ? text.replace(/You asked: |Rivers carry /, (piece) =>
        (fault.after === 0) === (piece === 'You asked: ') ? piece.padEnd(fault.bytes ?? 10 * MB, '~') : piece,
      )
    : text;

async function answer(response, dialect, asked, provider, fault, signal, released) {
  if (fault?.kind === 'hold') await released(signal);
  if (fault?.kind === 'hang') await sleep(2 ** 31 - 1, undefined, { signal });
  if (fault?.kind === 'slow-headers') await sleep(fault.ms, undefined, { signal });
  const early = wholeFault(fault, dialect, provider);
  if (early) {
    response.writeHead(early.status, { 'content-type': early.type ?? 'application/json', ...early.headers });
    return void response.end(early.body);
  }
  if (asked.stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    // On their way at once, also where no preamble follows.
    response.flushHeaders();
    const frames = dialect.frames(asked, provider).map((one) => ({ ...one, text: lengthened(fault, one.text) }));
    return send(response, frames, fault, dialect, provider, signal);
  }
  const inBody = fault?.kind === 'error-event' ? dialect.problem(problemOf(fault), provider) : undefined;
  const text = lengthened(fault, JSON.stringify(inBody ?? dialect.whole(asked, provider)));
  const part = text.slice(0, text.length >> 1);
  if (fault?.kind === 'slow-first' || fault?.kind === 'slow') await sleep(fault.ms, undefined, { signal });
  const broken = ['stall', 'cut', 'malformed', 'early-end'].includes(fault?.kind);
  const promised =
    fault?.kind === 'stall' || fault?.kind === 'cut' ? { 'content-length': Buffer.byteLength(text) } : {};
  response.writeHead(200, { 'content-type': 'application/json', ...promised });
  if (!broken) return send(response, [{ text }], fault, dialect, provider, signal);
  if (!promised['content-length']) return void response.end(part);
  response.write(part);
  if (fault.kind === 'stall') await sleep(2 ** 31 - 1, undefined, { signal });
  setImmediate(() => response.destroy());
}

const allowed = (request) => ({
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
  'access-control-expose-headers': '*',
});

/**
 * Starts it. `root(provider)` stands for the provider's origin: what an SDK appends to that comes behind it.
 * @returns {Promise<{ url: string, root(provider: string): string, faults(provider: string, faults: object[], last?: object): void, release(): void, journal: object[], reset(): void, stop(): Promise<void> }>}
 */
export async function startStandIn(port = 0) {
  const journal = [];
  const events = new EventEmitter().setMaxListeners(0);
  const scripts = new Map();
  const faults = (provider, list = [], last = undefined) =>
    scripts.set(provider, { list: list.map(checked), last: last && checked(last) });
  const reset = () => {
    journal.length = 0;
    scripts.clear();
  };
  const arrived = async (text) => {
    while (!journal.some(({ body }) => JSON.stringify(body).includes(text))) await once(events, 'request');
  };
  const release = () => void events.emit('release');
  const released = (signal) => once(events, 'release', { signal });
  const control = {
    'POST /control/faults': ({ provider, faults: list, last }) => faults(provider, list, last),
    'GET /control/journal': () => journal,
    'GET /control/asked': (_, text) => arrived(text),
    'DELETE /control/journal': () => void (journal.length = 0),
    'POST /control/release': () => release(),
    'POST /control/reset': () => reset(),
  };

  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url, 'http://stand-in');
    for (const [name, value] of Object.entries(allowed(request))) response.setHeader(name, value);
    if (request.method === 'OPTIONS' || request.method === 'HEAD') return void response.writeHead(204).end();
    // Who hangs up before all is said has not asked.
    const text = await bodyOf(request).catch(() => undefined);
    if (text === undefined) return void response.destroy();
    const route = control[`${request.method} ${pathname}`];
    if (route) {
      try {
        const told = await route(text ? JSON.parse(text) : {}, decodeURIComponent(search.slice(1)));
        response.end(JSON.stringify(told ?? {}));
      } catch (cause) {
        response.writeHead(400).end(JSON.stringify({ error: cause.message }));
      }
      return;
    }
    const [[, provider] = [], dialect] =
      ENDPOINTS.map(([path, one]) => [path.exec(pathname) ?? undefined, one]).find(([found]) => found) ?? [];
    if (!dialect) return void response.writeHead(404).end(JSON.stringify({ error: `nothing at ${pathname}` }));
    const body = JSON.parse(text);
    const asked = dialect.read(pathname, body);
    const entry = { provider, path: request.url, model: asked.model, stream: asked.stream, key: keyOf(request) };
    Object.assign(entry, { headers: request.headers, body, at: Date.now(), aborted: false });
    journal.push(entry);
    events.emit('request');
    const script = scripts.get(provider);
    const fault = keyOf(request) ? (script?.list.shift() ?? script?.last) : { kind: 'status', status: 401 };
    const gone = new AbortController();
    response.on('close', () => {
      entry.aborted = !response.writableFinished && !response.errored && fault?.kind !== 'cut';
      gone.abort();
    });
    // Who went away is not waited for.
    await answer(response, dialect, asked, provider, fault, gone.signal, released).catch(() => response.destroy());
    entry.status = response.statusCode;
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url, root: (provider) => `${url}/${provider}`, faults, release, journal, reset, stop };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { url } = await startStandIn(Number(process.argv[2] ?? 4110));
  console.log(
    `${url}: /openai/v1, /groq/openai/v1, /openrouter/api/v1, /deepseek, /huggingface/v1, /anthropic/v1, /google/v1beta; /control`,
  );
}

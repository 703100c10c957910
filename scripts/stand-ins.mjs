#!/usr/bin/env node
// Two stand-in providers, one as Groq and one as OpenRouter, and a control server that gives them faults.
//
// aimock makes the answers. A gate of our own stands in front of each, because aimock's wildcard CORS does
// not cover the Authorization header, its faults are rates where tests need certainty, and its journal
// leaves out which key was sent.
//
//   node scripts/stand-ins.mjs --groq-port 4101 --openrouter-port 4102 --control-port 4103 --tokens-per-second 30
//
// Control, all JSON:
//   GET    /state                             faults in force, number of requests received
//   POST   /fault   { provider, kind, delayMs?, retryAfterSeconds?, status?, afterOutputs?, times? }
//   POST   /heal    { provider? }
//   GET    /journal?provider=groq             { count, requests: [{ provider, path, model, at, status, authorization }] }
//   DELETE /journal
//   POST   /reset                             heals everything and empties the journal

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';

import { LLMock } from '@copilotkit/aimock';

import { answer } from './stand-in-answers.mjs';
import { faultyAnswer, HEALTHY, parseFault, refusedKey } from './stand-in-faults.mjs';
import { relay, renameReasoning } from './stand-in-streams.mjs';

const HOST = '127.0.0.1';
const BODY_LIMIT = 16 * 1024 * 1024;
const JOURNAL_LIMIT = 10_000;
/** Characters in a piece of a streamed answer: about a token. */
const TOKEN_LENGTH = 5;
const PROVIDERS = { groq: '/openai/v1', openrouter: '/api/v1' };

const readBody = async (request) => {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const parseJson = (bytes) => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
};

const listen = async (server, port) => {
  server.listen(port, HOST);
  await once(server, 'listening');
  return server.address().port;
};

const close = (server) =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });

const openCors = (request) => ({
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  // Named one by one: `*` does not cover Authorization.
  'access-control-allow-headers': request.headers['access-control-request-headers'] ?? 'authorization, content-type',
  'access-control-expose-headers':
    'retry-after, x-request-id, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests',
  'access-control-max-age': '600',
});

const limitHeaders = (provider, count) =>
  provider === 'groq'
    ? {
        'x-ratelimit-limit-requests': '1000',
        'x-ratelimit-remaining-requests': String(Math.max(0, 1000 - count)),
        'x-ratelimit-reset-requests': '86.4s',
      }
    : {};

/** What is answered, behind one provider's price: OpenRouter says what an answer cost, Groq leaves it to its list. */
const answerOf = (provider, request) => {
  const said = answer(request);
  if (provider !== 'openrouter') return said;
  // $0.22 and $0.95 per million tokens where the model is not one of the free ones.
  const paid = !String(request.model).endsWith(':free');
  const { prompt_tokens, completion_tokens } = said.usage;
  return {
    ...said,
    usage: { ...said.usage, cost: paid ? (prompt_tokens * 0.22 + completion_tokens * 0.95) / 1e6 : 0 },
  };
};

const startMock = async (provider, tokensPerSecond) => {
  const mock = new LLMock({ port: 0, host: HOST, journalMaxEntries: 1, chunkSize: TOKEN_LENGTH });
  const pace = tokensPerSecond > 0 ? { streamingProfile: { ttft: 0, tps: tokensPerSecond } } : {};
  mock.on({}, (request) => answerOf(provider, request), pace);
  await mock.start();
  return mock;
};

/** A whole answer in the words of the provider. */
const translated = (text) => {
  const body = parseJson(Buffer.from(text));
  if (!body?.choices) return text;
  for (const { message } of body.choices) renameReasoning(message);
  return JSON.stringify(body);
};

const startProvider = async (provider, port, { latencyMs, tokensPerSecond }, journal) => {
  const prefix = PROVIDERS[provider];
  const mock = await startMock(provider, tokensPerSecond);
  const state = { fault: HEALTHY, count: 0 };

  const answerTo = async (request, body, asked, signal) => {
    const fault = state.fault;
    if (fault.times !== null) {
      state.fault = fault.times > 1 ? { ...fault, times: fault.times - 1 } : HEALTHY;
    }
    const streams = asked?.stream === true;
    // The head of a stream that starts slowly comes at once.
    await sleep(latencyMs + (streams && fault.kind === 'slow-start' ? 0 : fault.delayMs), undefined, { signal });
    if (fault.kind === 'hang') await sleep(2 ** 31 - 1, undefined, { signal });
    if (!request.headers.authorization) return refusedKey(provider);
    const faulty = faultyAnswer(provider, fault);
    if (faulty) return faulty;
    const ask = () =>
      fetch(mock.url + request.url, {
        method: request.method,
        headers: { 'content-type': 'application/json' },
        body: request.method === 'POST' ? body : undefined,
        signal,
      });
    if (streams) {
      const { usage } = answerOf(provider, asked);
      return {
        status: 200,
        headers: {},
        relay: (response) => relay(ask, response, { provider, fault, usage, signal }),
      };
    }
    const upstream = await ask();
    return { status: upstream.status, headers: {}, body: translated(await upstream.text()) };
  };

  const server = createServer(async (request, response) => {
    const cors = openCors(request);
    // A preflight, or the question whether anybody is here.
    if (request.method === 'OPTIONS' || request.method === 'HEAD') return void response.writeHead(204, cors).end();
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      const body = await readBody(request);
      const asked = parseJson(body);
      state.count += 1;
      const entry = {
        provider,
        path: request.url,
        model: asked?.model ?? null,
        at: Date.now(),
        status: null,
        authorization: request.headers.authorization ?? null,
      };
      journal.push(entry);
      if (journal.length > JOURNAL_LIMIT) journal.shift();
      const reply = await answerTo(request, body, asked, gone.signal);
      entry.status = reply.status;
      response.writeHead(reply.status, {
        'content-type': reply.relay ? 'text/event-stream' : 'application/json',
        ...cors,
        ...limitHeaders(provider, state.count),
        ...reply.headers,
      });
      if (reply.relay) await reply.relay(response);
      else response.end(reply.body);
    } catch {
      // The caller went away, or sent more than we read: nobody is left to answer.
      response.destroy();
    }
  });

  try {
    const bound = await listen(server, port);
    const stop = async () => {
      await close(server);
      await mock.stop();
    };
    return { url: `http://${HOST}:${bound}${prefix}`, state, stop };
  } catch (cause) {
    await mock.stop();
    throw cause;
  }
};

/** Only pages of this machine may give faults; the journal, which holds keys, is for programs only. */
const controlCors = (request) => {
  const origin = request.headers.origin ?? '';
  return /^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/u.test(origin)
    ? {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST, OPTIONS',
        'access-control-allow-headers': 'content-type',
        vary: 'origin',
      }
    : {};
};

const startControl = async (port, providers, journal) => {
  const named = (name) => {
    const provider = providers[name];
    if (!provider) throw new Error(`provider: one of ${Object.keys(providers).join(', ')}`);
    return provider;
  };
  const heal = (names) => names.forEach((name) => (named(name).state.fault = HEALTHY));
  const stateOf = () =>
    Object.fromEntries(
      Object.entries(providers).map(([name, { state }]) => [name, { fault: state.fault, count: state.count }]),
    );

  const routes = {
    'GET /state': () => stateOf(),
    'POST /fault': (input) => {
      named(input?.provider).state.fault = parseFault(input);
      return stateOf();
    },
    'POST /heal': (input) => {
      heal(input?.provider === undefined ? Object.keys(providers) : [input.provider]);
      return stateOf();
    },
    'GET /journal': (_, query) => {
      const only = query.get('provider');
      const requests = only ? journal.filter((entry) => entry.provider === only) : journal;
      return { count: requests.length, requests };
    },
    'DELETE /journal': () => {
      journal.length = 0;
      for (const { state } of Object.values(providers)) state.count = 0;
      return stateOf();
    },
    'POST /reset': () => {
      heal(Object.keys(providers));
      return routes['DELETE /journal']();
    },
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://${HOST}`);
    // A foreign name that resolves to this machine must not reach the journal through a page of its own.
    const local = /^(localhost|127\.0\.0\.1)(:\d+)?$/u.test(request.headers.host ?? '');
    const cors = url.pathname === '/journal' ? {} : controlCors(request);
    const foreign = request.headers.origin !== undefined && !cors['access-control-allow-origin'];
    const reply = (status, value) =>
      response.writeHead(status, { 'content-type': 'application/json', ...cors }).end(JSON.stringify(value));
    if (!local || foreign) return void reply(403, { error: 'only pages of this machine' });
    if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end();
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return void reply(404, { error: `no such path; there are ${Object.keys(routes).join(', ')}` });
    try {
      reply(200, route(parseJson(await readBody(request)) ?? undefined, url.searchParams));
    } catch (cause) {
      reply(400, { error: cause.message });
    }
  });
  const bound = await listen(server, port);
  return { url: `http://${HOST}:${bound}`, stop: () => close(server) };
};

/**
 * Starts the stand-ins. Port 0, the default, takes a free one.
 * @param {{ groqPort?: number, openrouterPort?: number, controlPort?: number, latencyMs?: number, tokensPerSecond?: number }} [options]
 *   `tokensPerSecond`: the pace of streams; 0, the default, is as fast as they go.
 * @returns {Promise<{ groqUrl: string, openrouterUrl: string, controlUrl: string, stop(): Promise<void> }>}
 */
export async function startStandIns({
  groqPort = 0,
  openrouterPort = 0,
  controlPort = 0,
  latencyMs = 0,
  tokensPerSecond = 0,
} = {}) {
  const pace = { latencyMs, tokensPerSecond };
  const journal = [];
  const started = [];
  const stop = async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()));
  };
  const keep = async (starting) => {
    const server = await starting;
    started.push(server);
    return server;
  };
  try {
    const groq = await keep(startProvider('groq', groqPort, pace, journal));
    const openrouter = await keep(startProvider('openrouter', openrouterPort, pace, journal));
    const control = await keep(startControl(controlPort, { groq, openrouter }, journal));
    return { groqUrl: groq.url, openrouterUrl: openrouter.url, controlUrl: control.url, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      'groq-port': { type: 'string', default: '4101' },
      'openrouter-port': { type: 'string', default: '4102' },
      'control-port': { type: 'string', default: '4103' },
      'latency-ms': { type: 'string', default: '0' },
      'tokens-per-second': { type: 'string', default: '30' },
    },
  });
  const standIns = await startStandIns({
    groqPort: Number(values['groq-port']),
    openrouterPort: Number(values['openrouter-port']),
    controlPort: Number(values['control-port']),
    latencyMs: Number(values['latency-ms']),
    tokensPerSecond: Number(values['tokens-per-second']),
  });
  console.log(
    `Groq        ${standIns.groqUrl}\nOpenRouter  ${standIns.openrouterUrl}\nControl     ${standIns.controlUrl}`,
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => standIns.stop().then(() => process.exit(0)));
}

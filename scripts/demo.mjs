#!/usr/bin/env node
// The whole of Tidegate on one machine, without a key and without a network: two stand-in providers, the
// Worker and the app. Prints one URL; Ctrl-C stops everything.
//
//   node scripts/demo.mjs [--port 4100] [--worker-port 8787] [--latency-ms 350] [--tokens-per-second 30]
//     [--no-worker] [--dev] [--quiet]
//
// A port that is taken is replaced by a free one, and said so. With --quiet the only line printed is a JSON
// object { url, controlUrl, groqUrl, openrouterUrl, workerUrl, workerToken }, for programs that drive the demo.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';

import { root, serveApp } from './demo-app.mjs';
import { startWorker, throwAwayKeys } from './demo-worker.mjs';
import { startStandIns } from './stand-ins.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4100' },
    'worker-port': { type: 'string', default: '8787' },
    'latency-ms': { type: 'string', default: '350' },
    'tokens-per-second': { type: 'string', default: '30' },
    'no-worker': { type: 'boolean', default: false },
    dev: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});

const say = (line) => {
  if (!values.quiet) console.log(line);
};

const whole = (name, max) => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new Error(`--${name}: a whole number from 0 to ${max}`);
  return value;
};

const bindable = async (port) => {
  const probe = createServer();
  const outcome = once(probe, 'listening').then(() => probe.address().port);
  probe.listen(port, '127.0.0.1');
  try {
    return await outcome;
  } catch (cause) {
    if (cause.code === 'EADDRINUSE' || cause.code === 'EACCES') return null;
    throw cause;
  } finally {
    if (probe.listening) await new Promise((resolve) => probe.close(resolve));
  }
};

/** The wanted port, or a free one in its place. */
const freePort = async (wanted) => {
  const port = await bindable(wanted);
  return port ?? otherPort(wanted);
};

const otherPort = async (wanted) => {
  const other = await bindable(0);
  say(`Port ${wanted} is taken; using ${other}.`);
  return other;
};

const stops = [];
let stopping = false;

const stop = async (code) => {
  if (stopping) return;
  stopping = true;
  say('\nStopping …');
  for (const end of stops.splice(0).reverse()) await end().catch((cause) => console.error(cause.message));
  process.exit(code);
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));

try {
  const latencyMs = whole('latency-ms', 60_000);
  const tokensPerSecond = whole('tokens-per-second', 10_000);
  const appPort = await freePort(whole('port', 65_535));
  const workerPort = await freePort(whole('worker-port', 65_535));
  const keys = throwAwayKeys();

  const standIns = await startStandIns({ latencyMs, tokensPerSecond });
  stops.push(standIns.stop);
  say(`Stand-in providers are ready: Groq ${standIns.groqUrl}, OpenRouter ${standIns.openrouterUrl}`);

  const url = `http://localhost:${appPort}/`;
  const withWorker = !values['no-worker'] && existsSync(new URL('worker/wrangler.jsonc', root));
  if (withWorker) say('Starting the Worker, which takes a few seconds …');
  const worker = withWorker
    ? await startWorker({
        port: workerPort,
        otherPort,
        standIns,
        keys,
        origin: url.slice(0, -1),
        stops,
        ended: () => void stop(1),
      })
    : null;
  if (worker)
    say(`The Worker is ready: ${worker.url}/v1/chat/completions, with “Authorization: Bearer ${worker.token}”`);

  const app = await serveApp({
    port: appPort,
    dev: values.dev,
    quiet: values.quiet,
    keys,
    description: {
      providers: { groq: { baseUrl: standIns.groqUrl }, openrouter: { baseUrl: standIns.openrouterUrl } },
      controlUrl: standIns.controlUrl,
      ...(worker ? { workerUrl: worker.url } : {}),
    },
  });
  stops.push(app.stop);

  if (values.quiet) {
    const { groqUrl, openrouterUrl, controlUrl } = standIns;
    const facts = {
      url,
      controlUrl,
      groqUrl,
      openrouterUrl,
      workerUrl: worker?.url ?? null,
      workerToken: worker?.token ?? null,
    };
    console.log(JSON.stringify(facts));
  }
  say(`\n  Tidegate is running at  ${url}\n\nPress Ctrl-C to stop it.`);
} catch (cause) {
  if (!stopping) {
    console.error(`The demo could not start: ${cause.message}`);
    await stop(1);
  }
}

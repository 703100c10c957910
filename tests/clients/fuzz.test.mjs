// The Worker's HTTP surface under schemathesis, from the OpenAPI document that the Worker serves: bounded, with a seed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createTestHarness, experimental_readRawConfig as readConfig } from 'wrangler';

import { startStandIn } from './stand-in.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const SCHEMATHESIS = path('fuzz/.venv/bin/schemathesis');
const TOKEN = 'test-token-of-the-worker';
const CHECKS = 'status_code_conformance,content_type_conformance';

process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'; // else it asks the network where it is

/** Takes everybody for human. */
async function startTurnstile() {
  const verdict = JSON.stringify({ success: true, hostname: 'app.example' });
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(verdict);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

async function startWorker(standIn, turnstile) {
  const config = path('../../worker/wrangler.jsonc');
  const { rawConfig } = readConfig({ config });
  const vars = {
    TIDEGATE_CONFIG: {
      targets: [{ provider: 'openai', model: 'gpt-4.1-mini' }],
      budget: { limitUsd: '1000' },
      // Nearly all would be refused by the rate of a caller.
      rates: {
        tiers: { enterprise: { perMinute: 1_000_000 }, free: { perMinute: 1_000_000 } },
        routes: {
          other: { perMinute: 1_000_000 },
          status: { perMinute: 1_000_000 },
          metrics: { perMinute: 1_000_000 },
        },
      },
    },
    TIDEGATE_AUTH: {
      session: {
        ...{ perSubjectPerDay: 10_000, perDay: 1_000_000 },
        turnstile: { organisation: 'public', hostnames: ['app.example'], siteverify: turnstile },
      },
    },
    TIDEGATE_SESSION_KEY: 'k'.repeat(32),
    TURNSTILE_SECRET: 'turnstile-secret',
    TIDEGATE_TOKEN: TOKEN,
    TIDEGATE_LOG: 'none',
    TIDEGATE_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    OPENAI_API_KEY: `sk-proj-${'Ab3dE6gH'.repeat(8)}`,
    OPENAI_BASE_URL: `${standIn}/openai/v1`,
  };
  const main = path('../../worker/src/index.ts');
  const harness = createTestHarness({ workers: [{ config: { ...rawConfig, name: 'fuzz', main, vars } }] });
  const { url } = await harness.listen();
  return { harness, url: String(url).replace(/\/$/, '') };
}

/** Stands between and writes down how each request was answered. The document names 500 everywhere: none may come. */
async function startWitness(origin) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = ['GET', 'HEAD'].includes(request.method) ? undefined : Buffer.concat(chunks);
    const { host: _, connection: __, 'transfer-encoding': ___, 'content-length': ____, ...headers } = request.headers;
    try {
      const answer = await fetch(origin + request.url, { method: request.method, headers, body });
      seen.push({ what: `${request.method} ${request.url.split('?')[0]}`, status: answer.status });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
      response.end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      // What fetch itself does not send is nobody's failure.
      response.writeHead(400, { 'content-type': 'application/json' }).end('{}');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { seen, url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

/** Lets schemathesis loose on the Worker with a token. */
async function fuzz(witness, token) {
  const child = spawn(
    SCHEMATHESIS,
    [
      ...['run', `${witness.url}/openapi.json`, '--url', witness.url, '-H', `Authorization: Bearer ${token}`],
      ...['--checks', CHECKS, '--phases', 'coverage,fuzzing', '--max-examples', '12', '--seed', '7', '--no-color'],
    ],
    { cwd: path('fuzz/.venv') },
  ); // it leaves files where it runs
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, said.slice(-6_000));
  assert.ok(witness.seen.length > 300, `only ${witness.seen.length} requests`);
  assert.deepEqual(witness.seen.filter(({ status }) => status === 500).slice(0, 5), []);
}

const skip = existsSync(SCHEMATHESIS) ? false : 'no venv: scripts/setup.sh clients';
for (const kind of ['operator', 'session']) {
  test(
    `no request with a token of the ${kind} makes the Worker fail, or answer what its document does not name`,
    { skip },
    async () => {
      const [standIn, turnstile] = [await startStandIn(), await startTurnstile()];
      const worker = await startWorker(standIn.url, turnstile.url);
      const witness = await startWitness(worker.url);
      try {
        const body = JSON.stringify({ turnstile: 'solved' });
        const given = await fetch(`${worker.url}/api/session`, { method: 'POST', body });
        assert.equal(given.status, 201);
        const { token } = await given.json();
        await fuzz(witness, kind === 'session' ? token : TOKEN);
        const sessions = witness.seen.filter(({ what }) => what === 'POST /api/session');
        assert.ok(sessions.some(({ status }) => status === 201) && sessions.some(({ status }) => status === 400));
        const ruled = witness.seen.filter(
          ({ what, status }) => /^(?!OPTIONS).* \/api\/admin\//.test(what) && status < 400,
        );
        assert.equal(ruled.length > 0, kind === 'operator', JSON.stringify(ruled.slice(0, 3)));
      } finally {
        witness.stop();
        turnstile.stop();
        await worker.harness.close?.();
        await standIn.stop();
      }
    },
  );
}

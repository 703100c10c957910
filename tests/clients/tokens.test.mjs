// Real clients with the gateway's own tokens and with JWTs of an identity provider, through the Worker in workerd: they
// are served under their tier, hear when to come back, and are refused as each SDK tells it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { createTestHarness, experimental_readRawConfig as readConfig } from 'wrangler';

import { run } from './run.mjs';
import { startStandIn } from './stand-in.mjs';
import { KEYS } from './transports/gates.mjs';
import { hasPython, startPython } from './transports/python.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const OPERATOR = 'test-token-of-the-worker';
const ISSUER = 'https://idp.example';
const AUDIENCE = 'tidegate';
/** Requests of the tier `free` before it is told to wait a minute. */
const BURST = 2;
const CLIENTS = ['openai', '@ai-sdk/openai', ...(hasPython ? ['python openai'] : [])];

process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'; // else it asks the network where it is

async function listen(handler) {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

/** An identity provider with a key, and a stranger with another one of the same name. */
async function startIssuer() {
  const [own, stranger] = await Promise.all([1, 2].map(() => generateKeyPair('RS256', { extractable: true })));
  const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] };
  const server = await listen((_, response) => response.end(JSON.stringify(jwks)));
  const claims = (more) => {
    const now = Math.floor(Date.now() / 1_000);
    return { iss: ISSUER, aud: AUDIENCE, org_id: 'acme', sub: 'ann', plan: 'pro', iat: now, exp: now + 300, ...more };
  };
  const sign = (more, { key = own.privateKey, alg = 'RS256' } = {}) =>
    new SignJWT(claims(more)).setProtectedHeader({ alg, kid: 'k1' }).sign(key);
  return {
    ...server,
    ...{ claims, sign, stranger: stranger.privateKey },
    publicText: new TextEncoder().encode(await exportSPKI(own.publicKey)),
  };
}

async function startWorker(standIn, issuer) {
  const config = path('../../worker/wrangler.jsonc');
  const { rawConfig } = readConfig({ config });
  const vars = {
    TIDEGATE_CONFIG: {
      targets: [{ provider: 'openai', model: 'gpt-4.1-mini' }],
      budget: { limitUsd: '100' },
      rates: {
        tiers: {
          free: { perMinute: 1, burst: BURST },
          slow: { perMinute: 20, burst: 1 },
          pro: { perMinute: 10_000 },
          enterprise: { perMinute: 10_000 },
        },
        routes: { other: { perMinute: 10_000 } },
      },
    },
    TIDEGATE_AUTH: {
      issuers: [
        {
          ...{ issuer: ISSUER, jwks: issuer, audience: AUDIENCE, organisationPrefix: 'idp:' },
          claims: { organisation: 'org_id', user: 'sub', tier: 'plan' },
        },
      ],
    },
    TIDEGATE_TOKEN: OPERATOR,
    TIDEGATE_LOG: 'none',
    OPENAI_API_KEY: KEYS.openai,
    OPENAI_BASE_URL: `${standIn}/openai/v1`,
  };
  const main = path('../../worker/src/index.ts');
  const harness = createTestHarness({ workers: [{ config: { ...rawConfig, name: 'tokens', main, vars } }] });
  const { url } = await harness.listen();
  return { url: String(url).replace(/\/$/, ''), stop: () => harness.close() };
}

/** Stands before the Worker and writes down what came when, and how it was answered. */
async function startWitness(origin) {
  const seen = [];
  const server = await listen((request, response) => {
    const entry = { at: Date.now() };
    seen.push(entry);
    const { hostname, port } = new URL(origin);
    const { method, headers, url } = request;
    const on = ask({ hostname, port, method, headers, path: url }, (answer) => {
      Object.assign(entry, { status: answer.statusCode, waitMs: Number(answer.headers['retry-after-ms'] ?? NaN) });
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    on.on('error', () => response.destroy());
    request.pipe(on);
  });
  return { ...server, seen };
}

let standIn;
let issuer;
let worker;
let witness;
let python;
before(async () => {
  standIn = await startStandIn();
  issuer = await startIssuer();
  worker = await startWorker(standIn.url, issuer.url);
  witness = await startWitness(worker.url);
  python = hasPython ? startPython() : undefined;
});
after(async () => {
  python?.stop();
  witness?.stop();
  await worker?.stop();
  issuer?.stop();
  await standIn?.stop();
});

async function admin(method, route, body) {
  const headers = { authorization: `Bearer ${OPERATOR}` };
  const response = await fetch(worker.url + route, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const value = await response.json();
  assert.ok(response.ok, JSON.stringify(value));
  return value;
}

/** An API token of ours, for a user of his own. */
async function made(tier) {
  await admin('PUT', '/api/admin/organisations/acme', { tiers: ['free', 'slow', 'pro'] });
  return admin('POST', '/api/admin/tokens?organisation=acme', { tier, user: `user-${Math.random()}` });
}

let users = 0;
/** A token of ours and a JWT, each for a user of his own. */
const keysOf = async (tier) => [
  (await made(tier)).token,
  await issuer.sign({ sub: `jwt-${(users += 1)}`, plan: tier }),
];

let count = 0;
/** One operation, as an app would do it; what the Worker and the provider saw of it. */
async function doing(client, op, apiKey, more = {}) {
  [witness.seen.length, standIn.journal.length] = [0, 0];
  const question = `question ${(count += 1)}`;
  const task = { client, op, question, setup: { origin: witness.url, apiKey, ...more } };
  const outcome = await (client.startsWith('python') ? python.run(task) : run(task));
  return { ...outcome, seen: [...witness.seen], provider: [...standIn.journal] };
}

for (const client of CLIENTS) {
  describe(client, { timeout: 60_000 }, () => {
    for (const op of ['plain', 'stream']) {
      test(`is served with a token of ours and with a JWT: ${op}`, async () => {
        for (const key of await keysOf('pro')) {
          const { value, error, provider } = await doing(client, op, key);
          assert.equal(error, undefined);
          assert.match(value.text, /question \d+/);
          assert.equal(provider.length, 1);
          // The provider sees its key, and nothing of the caller's.
          assert.equal(provider[0].key, KEYS.openai);
          assert.ok(!JSON.stringify(provider[0]).includes(key));
        }
      });

      test(`is told by its tier when to come back: ${op}`, async () => {
        for (const key of await keysOf('free')) {
          for (let sent = 0; sent < BURST; sent += 1) assert.equal((await doing(client, op, key)).error, undefined);
          const { error, seen, provider } = await doing(client, op, key, { maxRetries: 0 });
          assert.deepEqual([error?.kind, error?.status], ['limited', 429], JSON.stringify(error));
          assert.ok(Number(error.retryAfter) > 30 && Number(error.retryAfter) <= 60, error.retryAfter);
          assert.deepEqual([seen.length, provider.length], [1, 0]);
        }
      });

      test(`comes back when it was told to, and not before: ${op}`, async () => {
        const [key] = (await keysOf('slow')).slice(op === 'plain' ? 0 : 1);
        const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
        const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: `before ${key}` }] });
        const used = await fetch(`${worker.url}/v1/chat/completions`, { method: 'POST', headers, body });
        assert.equal(used.status, 200, await used.text());
        const { error, seen, provider } = await doing(client, op, key);
        assert.equal(error, undefined);
        assert.deepEqual([seen.map(({ status }) => status), provider.length], [[429, 200], 1]);
        const [first, second] = seen;
        assert.ok(second.at - first.at >= first.waitMs, `${second.at - first.at} of ${first.waitMs} ms`);
      });
    }

    test('is refused as not authenticated, once, and no provider is asked', async () => {
      const { token: revoked, id } = await made('pro');
      await admin('DELETE', `/api/admin/tokens/${id}?organisation=acme`);
      const shared = { key: issuer.publicText, alg: 'HS256' };
      const bad = {
        'a made-up token': 'not-a-token',
        'a token in our shape': `tg_live_${'a'.repeat(16)}${'b'.repeat(43)}`,
        'a revoked token': revoked,
        'a JWT that has expired': await issuer.sign({ exp: Math.floor(Date.now() / 1_000) - 120 }),
        'an unsigned JWT': new UnsecuredJWT(issuer.claims()).encode(),
        'a JWT for another audience': await issuer.sign({ aud: 'somebody-else' }),
        'a JWT of another issuer': await issuer.sign({ iss: 'https://evil.example' }),
        'a JWT with a signature of another key': await issuer.sign({}, { key: issuer.stranger }),
        'a JWT signed with the public key as a secret': await issuer.sign({}, shared),
      };
      for (const [what, key] of Object.entries(bad)) {
        for (const op of ['plain', 'stream']) {
          const { error, seen, provider } = await doing(client, op, key);
          assert.deepEqual([what, error?.kind, error?.status], [what, 'authentication', 401], JSON.stringify(error));
          assert.deepEqual([what, seen.length, provider.length], [what, 1, 0]);
          assert.ok(!error.message.includes(key), 'the token is not repeated');
        }
      }
    });
  });
}

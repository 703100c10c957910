// The build with every dialect, in its two parts, in Chromium and Firefox: each SDK through `gate.fetch` to each kind of
// provider, in the page and in the worker, with a vault.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BROWSERS, where } from '../packaging/browsers.mjs';
import { startStandIn } from './stand-in.mjs';
import { textOf } from './stand-in/replies.mjs';
import { servePage } from './transports/site.mjs';

const PROVIDERS = ['openai', 'anthropic', 'google'];
const CLIENTS = ['openai', 'openai responses', '@anthropic-ai/sdk', '@google/genai'];

const AS_IT_SHOULD = Object.fromEntries(
  PROVIDERS.flatMap((provider) => [
    [`${provider}: plain`, textOf(`first of ${provider}`)],
    [`${provider}: stream`, textOf(`stream of ${provider}`)],
    [`${provider}: locked`, 'vault_locked'],
    ...CLIENTS.flatMap((client) =>
      ['plain', 'stream'].map((op) => {
        const question = `${op} by ${client} of ${provider}`;
        return [question, textOf(question)];
      }),
    ),
  ]),
);

for (const [name, start] of Object.entries(BROWSERS)) {
  test(name, where(name), async (t) => {
    const asked = new Set();
    const [driven, standIn, server] = await Promise.all([
      start(),
      startStandIn(),
      servePage('dialects-page.mjs', (path) => asked.add(path)),
    ]);
    t.after(async () => {
      await driven.close();
      await standIn.stop();
      server.close();
      server.closeAllConnections();
    });
    const query = new URLSearchParams({ standIn: standIn.url, providers: PROVIDERS, clients: CLIENTS });
    const told = await driven.text(`http://127.0.0.1:${server.address().port}/?${query}`);
    assert.deepEqual(JSON.parse(told), { page: AS_IT_SHOULD, worker: AS_IT_SHOULD, unhandled: [] });
    const parts = ['wasm/tidegate-dialects_bg.wasm', 'wasm/tidegate-dialects-rest_bg.wasm'];
    for (const part of [...parts, 'dist/worker-dialects.js', 'dist/worker-dialects-later.js']) {
      assert.ok(asked.has(`/pkg/${part}`), part);
    }
  });
}

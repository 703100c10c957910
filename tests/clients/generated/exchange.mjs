// A gate for each provider, and the provider behind it.

import { Tidegate } from 'tidegate';

import { KEYS } from '../transports/gates.mjs';
import { MODEL } from './asking.mjs';
import { random } from './random.mjs';

const MORE_KEYS = { xai: `xai-${'Ab3dE6gH'.repeat(10)}`, mine: 'a-key-of-my-own-0123456789' };

/** How long the account of a whole stream may be in coming. */
const ACCOUNT_MS = 2_000;

const ERRORS = {
  chat: 'data: {"error":{"message":"boom","code":500,"type":"server_error"}}\n\n',
  responses:
    'event: error\ndata: {"type":"error","code":"server_error","message":"boom","param":null,"sequence_number":9}\n\n',
  anthropic: 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"boom"}}\n\n',
  google: 'data: {"error":{"code":503,"message":"boom","status":"UNAVAILABLE"}}\n\n',
};

const encoder = new TextEncoder();

/** A stream that breaks off somewhere: at any byte, between two events, or with an error. */
export function broken(draw, dialect, given) {
  const frames = given.frames({ include_usage: true });
  const before = frames.slice(0, draw.int(0, frames.length));
  const whole = encoder.encode(frames.join(''));
  const how = {
    cut: () => whole.slice(0, draw.int(0, whole.length)),
    'cut between events': () => encoder.encode(before.join('')),
    failed: () => encoder.encode([...before, ERRORS[dialect], ...frames.slice(before.length)].join('')),
  };
  return how[draw.pick(Object.keys(how))]();
}

/** Bytes as a network brings them: together, in bits, or cut anywhere. */
function body(bytes) {
  const draw = random(bytes.length);
  const most = draw.pick([7, 400, 1 << 20]);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = draw.int(1, most);
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

export class Exchange {
  #gates = new Map();
  #answer;

  /** The provider's `fetch`: it answers any request with `given`, whole or streamed. */
  provider(given, stream, bytes) {
    return async (_url, { body: asked }) => {
      if (!stream) return new Response(given.whole, { headers: { 'content-type': 'application/json' } });
      const frames = () => encoder.encode(given.frames(JSON.parse(asked).stream_options ?? {}).join(''));
      return new Response(body(bytes ?? frames()), { headers: { 'content-type': 'text/event-stream' } });
    };
  }

  /** Has a reader ask through the gate of a provider: what it reads, and the account. */
  async ask(reader, asking, provider, dialect, given, bytes) {
    const gate = await this.#gate(provider, dialect);
    this.#answer = this.provider(given, asking.stream, bytes);
    let response;
    const fetch = async (...request) => (response = await gate.fetch(...request));
    try {
      const read = await reader.read({ ...asking, fetch });
      const late = new Promise((_, reject) => setTimeout(reject, ACCOUNT_MS, new Error('no account')).unref());
      return { ...read, account: await Promise.race([gate.fetch.result(response), late]) };
    } catch (error) {
      return { error };
    }
  }

  async #gate(provider, dialect) {
    const name = `generated-${provider}-${dialect}`;
    if (!this.#gates.has(name)) {
      const gate = await Tidegate.open(
        {
          name,
          dialects: 'all',
          ledger: 'memory',
          targets: [{ provider, model: MODEL }],
          providers: { [provider]: { baseUrl: 'https://provider.example/v1', dialect } },
          prices: [{ provider, model: MODEL, inputUsd: 1, outputUsd: 10, context: 1_000_000, maxOutput: 100_000 }],
          retry: { maxRetries: 0 },
          breaker: { failures: 1_000 },
          budget: { limitUsd: '1000000' },
          cache: { ttlMs: 0 },
        },
        { fetch: (...request) => this.#answer(...request) },
      );
      await gate.vault.putForSession(provider, KEYS[provider] ?? MORE_KEYS[provider]);
      this.#gates.set(name, gate);
    }
    return this.#gates.get(name);
  }

  async close() {
    for (const gate of this.#gates.values()) await gate.close();
  }
}

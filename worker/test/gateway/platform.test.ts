import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { json } from '../../src/outside';
import { forget } from '../../src/organisation/standing';
import { wasmBytes } from '../../src/wasm';
import settings from '../../wrangler.jsonc?raw';
import { ask, calm, script } from '../client';
import { made, organised } from '../organisations';

// What the platform bounds, and a machine of one's own does not.

beforeEach(calm);
afterEach(() => vi.restoreAllMocks());

const MIB = 1024 * 1024;

it('what organisations remember together leaves room in the isolate’s 128 MB', async () => {
  const message = { role: 'assistant', content: 'x'.repeat(1_000_000) };
  const body = JSON.stringify({
    ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
  await script('groq', { body });
  for (let count = 0; count < 12; count += 1) {
    const name = `room-${count}`;
    await forget(name);
    await organised(name, ['pro']);
    const headers = { authorization: `Bearer ${(await made(name, { tier: 'pro' })).token}` };
    const statuses = await Promise.all(Array.from({ length: 7 }, async () => (await ask({}, headers)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
  expect(wasmBytes()).toBeGreaterThan(40 * MIB);
  expect(wasmBytes()).toBeLessThan(72 * MIB);
}, 60_000);

it('an answer of somebody else’s that is not used does not keep its connection', async () => {
  const cancel = vi.fn();
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(new ReadableStream({ cancel }), { status: 500 }));
  await expect(json(`${env.STAND_IN}/jwks-none`, {})).rejects.toThrow();
  expect(cancel).toHaveBeenCalledOnce();
});

it('no line of the platform’s own log has addresses and headers', () => {
  expect(settings).toMatch(/"redact_query_string": true/);
  expect(settings).toMatch(/"invocation_logs": false/);
});

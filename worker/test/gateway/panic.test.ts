import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, errorOf, question, type Answer } from '../client';
import { made, organised, send } from '../organisations';
import { calling } from '../started';

let token: string;
let cases = 0;
beforeEach(async () => {
  await calm();
  // A gate of its own, which has the short deadline.
  const organisation = `panics-${(cases += 1)}`;
  await forget(organisation);
  await organised(organisation, ['pro']);
  token = (await made(organisation, { scopes: ['chat', 'admin'] })).token;
});
afterEach(() => vi.restoreAllMocks());

/**
 * A panic of the Wasm that ships is a trap: a RuntimeError that goes through its frames without running any destructor.
 * So is one that is thrown by an import, at the next reading of the clock.
 */
function trapping() {
  const now = Date.now.bind(Date);
  const trap = { armed: false, sprung: 0 };
  vi.spyOn(Date, 'now').mockImplementation(() => {
    if (trap.armed && (new Error().stack ?? '').includes('wasm')) {
      trap.armed = false;
      trap.sprung += 1;
      throw new WebAssembly.RuntimeError('unreachable');
    }
    return now();
  });
  return trap;
}

/** A gate with a short deadline. The trap is armed by the first decision of its ledger, or by its first exchange. */
function gateway(trap: { armed: boolean }, by: 'ledger' | 'provider') {
  const real = env.TENANT_LEDGER;
  let left = 1;
  const arm = (who: string) => {
    if (who !== by || left === 0) return;
    left -= 1;
    trap.armed = true;
  };
  const decide = async (id: DurableObjectId, command: string) => {
    const reply = await real.get(id).decide(command);
    arm('ledger');
    return reply;
  };
  const fetched = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (...asked) => {
    const response = await fetched(...asked);
    if (response.url.includes('/groq/')) arm('provider');
    return response;
  });
  const TENANT_LEDGER = {
    idFromName: (name: string) => real.idFromName(name),
    get: (id: DurableObjectId) => ({ decide: (command: string) => decide(id, command) }),
  };
  return calling({ TENANT_LEDGER, TIDEGATE_CONFIG: '{"timeouts":{"attemptMs":500,"totalMs":500}}' });
}

const chat = (call: ReturnType<typeof calling>): Promise<Answer> => {
  const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: question() }] });
  return call('/v1/chat/completions', { method: 'POST', headers: { authorization: `Bearer ${token}` }, body });
};
async function budget() {
  const status = await send('GET', '/api/ai/status', undefined, { authorization: `Bearer ${token}` });
  return (JSON.parse(status.text) as { budget: { spentNanoUsd: number; reservedNanoUsd: number } }).budget;
}

it.each<[string, 'ledger' | 'provider']>([
  ['before anything is sent', 'ledger'],
  ['when the answer comes', 'provider'],
])('a panic %s is a 500 within the deadline; the next request works, and the ledger is unharmed', async (_, by) => {
  const trap = trapping();
  const call = gateway(trap, by);
  const started = performance.now();
  const lost = await chat(call);
  expect(trap.sprung).toBe(1);
  expect([lost.status, errorOf(lost).code]).toEqual([500, 'internal']);
  expect(performance.now() - started).toBeLessThan(10_000);
  const after = await budget();
  for (let count = 1; count <= 3; count += 1) {
    expect((await chat(call)).status).toBe(200);
    // What the lost request may have cost stays reserved until its lease runs out; nothing else does.
    const { spentNanoUsd, reservedNanoUsd } = await budget();
    expect(spentNanoUsd - after.spentNanoUsd).toBe(count * 2_250);
    expect(reservedNanoUsd).toBe(after.reservedNanoUsd);
  }
});

import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, question, until } from '../client';
import { made, organised, send } from '../organisations';
import { calling } from '../started';

beforeEach(calm);

/** Calls a gateway whose ledger's object fails some of the times that it is asked, by their number; the first is 1. */
function gateway(failing: (count: number) => boolean) {
  const real = env.TENANT_LEDGER;
  const asked = { times: 0 };
  const decide = (id: DurableObjectId, command: Uint8Array, askedAt: number) => {
    asked.times += 1;
    // What the platform says to who asks an object that is just being restarted.
    const restarted = new Error('Durable Object reset because its code was updated.');
    if (failing(asked.times)) return Promise.reject(Object.assign(restarted, { retryable: true }));
    return real.get(id).decide(command, askedAt);
  };
  const TENANT_LEDGER = {
    idFromName: (name: string) => real.idFromName(name),
    get: (id: DurableObjectId) => ({
      decide: (command: Uint8Array, askedAt: number) => decide(id, command, askedAt),
    }),
  };
  return { asked, call: calling({ TENANT_LEDGER }) };
}

it.each([1, 2])('a settlement that its object did not take %i times is told again, and billed once', async (lost) => {
  const organisation = `settles-${lost}`;
  await forget(organisation);
  await organised(organisation, ['pro']);
  const { token } = await made(organisation, { scopes: ['chat', 'admin'] });
  const authorization = `Bearer ${token}`;
  const { asked, call } = gateway((count) => count > 1 && count <= 1 + lost);
  const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: question() }] });
  const answer = await call('/v1/chat/completions', { method: 'POST', headers: { authorization }, body });
  expect([answer.status, asked.times]).toEqual([200, 1]);
  const budget = async () => {
    const { text } = await send('GET', '/api/ai/status', undefined, { authorization });
    return (JSON.parse(text) as { budget: { spentNanoUsd: number; reservedNanoUsd: number } }).budget;
  };
  await until(() => asked.times === 2 + lost);
  await until(async () => (await budget()).reservedNanoUsd === 0);
  expect((await budget()).spentNanoUsd).toBe(2_250);
});

import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, question, until } from '../client';
import { made, organised, send } from '../organisations';
import { calling } from '../started';

beforeEach(calm);

/**
 * Calls a gateway whose ledger's object fails some of the times that it is asked, by their number; the first is 1. Where its
 * `reply` is what gets lost, it has decided.
 */
function gateway(failing: (count: number) => boolean, lost: { reply?: boolean; overloaded?: boolean } = {}) {
  const real = env.TENANT_LEDGER;
  const asked = { times: 0 };
  const decide = async (id: DurableObjectId, command: string, askedAt: number) => {
    asked.times += 1;
    // What the platform says to who asks an object that is just being restarted.
    const restarted = new Error('Durable Object reset because its code was updated.');
    if (failing(asked.times)) {
      if (lost.reply) await real.get(id).decide(command, askedAt);
      throw Object.assign(restarted, { retryable: true, ...(lost.overloaded && { overloaded: true }) });
    }
    return real.get(id).decide(command, askedAt);
  };
  const TENANT_LEDGER = {
    idFromName: (name: string) => real.idFromName(name),
    get: (id: DurableObjectId) => ({
      decide: (command: string, askedAt: number) => decide(id, command, askedAt),
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

describe('an admission', () => {
  /** Asks one question of a gateway whose ledger's object fails as told, and looks at the books after. */
  async function asks(failing: (count: number) => boolean, lost: { reply?: boolean; overloaded?: boolean }) {
    const organisation = `admits-${question().replace(/ /g, '-')}`;
    await forget(organisation);
    await organised(organisation, ['pro']);
    const { token } = await made(organisation, { scopes: ['chat', 'admin'] });
    const authorization = `Bearer ${token}`;
    const { asked, call } = gateway(failing, lost);
    const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: question() }] });
    const answer = await call('/v1/chat/completions', { method: 'POST', headers: { authorization }, body });
    const times = asked.times;
    const budget = async () => {
      const { text } = await send('GET', '/api/ai/status', undefined, { authorization });
      return (JSON.parse(text) as { budget: { spentNanoUsd: number; reservedNanoUsd: number } }).budget;
    };
    return { status: answer.status, times, budget };
  }

  it.each([{ reply: true }, { reply: false }])('that got lost is asked again, and is one (%j)', async (lost) => {
    const { status, times, budget } = await asks((count) => count === 1, lost);
    expect([status, times]).toEqual([200, 2]);
    await until(async () => (await budget()).spentNanoUsd > 0);
    expect(await budget()).toMatchObject({ spentNanoUsd: 2_250, reservedNanoUsd: 0 });
  });

  // A request that nobody admits is still counted, which is another question.
  it('is asked again once', async () => {
    const { status, times } = await asks(() => true, {});
    expect([status, times]).toEqual([503, 4]);
  });

  it('is not asked again of an object that has too much to do', async () => {
    const { status, times } = await asks(() => true, { overloaded: true });
    expect([status, times]).toEqual([500, 2]);
  });
});

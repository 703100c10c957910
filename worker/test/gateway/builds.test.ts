// While a Worker is deployed, some of its objects still run the build before. Here one whose ledger speaks another version
// of the format: each end is given bytes that it cannot read.

import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, errorOf, journal, question, until } from '../client';
import { made, organised, send } from '../organisations';
import { calling } from '../started';

beforeEach(calm);

const ofAnotherBuild = (bytes: string): string => String.fromCharCode(bytes.charCodeAt(0) + 1) + bytes.slice(1);

/** A gateway whose ledger's object is of another build for some of what it is asked, by number; the first is 1. */
async function gateway(organisation: string, isOther: (count: number) => boolean, answers = ofAnotherBuild) {
  await forget(organisation);
  await organised(organisation, ['pro']);
  const { token } = await made(organisation, { scopes: ['chat', 'admin'] });
  const headers = { authorization: `Bearer ${token}` };
  const real = env.TENANT_LEDGER;
  const asked = { times: 0 };
  const get = (id: DurableObjectId) => ({
    decide: async (command: string, askedAt: number) => {
      if (!isOther((asked.times += 1))) return real.get(id).decide(command, askedAt);
      return answers(await real.get(id).decide(ofAnotherBuild(command), askedAt));
    },
  });
  const call = calling({ TENANT_LEDGER: { idFromName: (name: string) => real.idFromName(name), get } });
  const ask = () => {
    const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: question() }] });
    return call('/v1/chat/completions', { method: 'POST', headers, body });
  };
  const budget = async () => {
    const { text } = await send('GET', '/api/ai/status', undefined, headers);
    return (JSON.parse(text) as { budget: { spentNanoUsd: number; reservedNanoUsd: number } }).budget;
  };
  return { asked, ask, budget };
}

it.each([
  ['who asks cannot read what is said', ofAnotherBuild],
  ['the ledger cannot read what is asked', (reply: string) => reply],
])('where %s, nothing is sent and the caller is told to come again', async (what, answers) => {
  let isDeploying = true;
  const { ask, budget } = await gateway(`builds-${what.length}`, () => isDeploying, answers);
  const refused = await ask();
  const header = (name: string) => refused.headers.get(name);
  expect([refused.status, header('retry-after'), header('x-should-retry')]).toEqual([503, '5', 'true']);
  expect(errorOf(refused)).toMatchObject({ code: 'internal', message: expect.stringContaining('being updated') });
  expect(await journal()).toEqual([]);
  isDeploying = false;
  expect(await budget()).toMatchObject({ spentNanoUsd: 0, reservedNanoUsd: 0 });
});

it.each([1, 2])('a settlement that %i times meets another build is told again, and billed once', async (others) => {
  const { asked, ask, budget } = await gateway(`builds-${others}`, (count) => count > 1 && count <= 1 + others);
  expect((await ask()).status).toBe(200);
  await until(() => asked.times === 2 + others);
  await until(async () => (await budget()).reservedNanoUsd === 0);
  expect((await budget()).spentNanoUsd).toBe(2_250);
});

it('what nobody could settle while it was deployed goes with the next question after', async () => {
  let isDeploying = false;
  const { asked, ask, budget } = await gateway('builds-late', () => isDeploying);
  const running = ask();
  await until(() => asked.times === 1);
  isDeploying = true;
  expect((await running).status).toBe(200);
  // As often as it is told again by itself.
  await until(() => asked.times === 4);
  expect((await ask()).status).toBe(503);
  isDeploying = false;
  expect((await ask()).status).toBe(200);
  await until(async () => (await budget()).reservedNanoUsd === 0);
  expect((await budget()).spentNanoUsd).toBe(2 * 2_250);
});

/** A gateway whose organisations' objects are being restarted for the first so many times that one is asked. */
function restarting(times: number, more: object = {}) {
  const real = env.ORGANISATION;
  const asked = { times: 0 };
  const get = (id: DurableObjectId) => ({
    standing: (hash?: string) => {
      if ((asked.times += 1) > times) return real.get(id).standing(hash);
      const reset = new Error('Durable Object reset because its code was updated.');
      return Promise.reject(Object.assign(reset, { retryable: true, ...more }));
    },
  });
  return { asked, call: calling({ ORGANISATION: { idFromName: (name: string) => real.idFromName(name), get } }) };
}

it.each([
  ['once', 1, {}, 200, 2],
  ['twice', 2, {}, 503, 2],
  ['once, as there is too much to do', 1, { overloaded: true }, 500, 1],
])('a caller is looked up again whose organisation’s object fails %s', async (name, times, more, status, asked) => {
  const organisation = `looks-${name.length}`;
  await forget(organisation);
  await organised(organisation, ['pro']);
  const { token } = await made(organisation);
  await forget(organisation);
  const gone = restarting(times, more);
  const answer = await gone.call('/v1/models', { headers: { authorization: `Bearer ${token}` } });
  expect([answer.status, gone.asked.times]).toEqual([status, asked]);
  expect(answer.headers.get('retry-after')).toBe(status === 503 ? '5' : null);
});

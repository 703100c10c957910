import { beforeEach, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { ask, begin, calm, call, errorOf, read, script, seen, until } from '../client';
import { made, organised } from '../organisations';
import { bearer } from '../queue';

let headers: Record<string, string>;
beforeEach(async () => {
  await calm();
  await forget('acme');
  await organised('acme', ['metered']);
  headers = bearer((await made('acme', { tier: 'metered', user: 'ann' })).token);
});

/** What is left of 3,000 tokens, of which one comes back in a minute. */
async function left(): Promise<number> {
  const answer = await call('/api/ai/status', { headers });
  const { limits } = JSON.parse(answer.text) as { limits: { tokens: { limit: number; remaining: number } } };
  expect(limits.tokens.limit).toBe(3_000);
  return limits.tokens.remaining;
}

it('a request takes the tokens that it may come to, and gives back what it did not use', async () => {
  await script('groq', { hold: true, outputTokens: 90 });
  const running = [ask({ max_tokens: 1_000 }, headers), ask({ max_tokens: 1_000 }, headers)];
  await until(async () => (await seen()).length === 2);
  expect(await left()).toBeLessThanOrEqual(1_000);

  const third = await ask({ max_tokens: 1_000 }, headers);
  expect([third.status, errorOf(third).code]).toEqual([429, 'rate_limited']);
  expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(60);
  const large = await ask({ max_tokens: 5_000 }, headers);
  expect([large.status, large.headers.get('retry-after')]).toEqual([429, null]);

  await script('groq', { outputTokens: 90 });
  for (const answer of await Promise.all(running)) expect(answer.status).toBe(200);
  // Ten in and ninety out, each.
  await until(async () => (await left()) === 2_800);
  expect((await ask({ max_tokens: 1_000 }, headers)).status).toBe(200);
});

it('a stream is counted by its usage too, and what the cache answers takes none', async () => {
  await script('groq', { outputTokens: 490 });
  const asked = { messages: [{ role: 'user', content: 'the same' }], max_tokens: 1_000 };
  expect((await read(await begin(asked, headers))).status).toBe(200);
  await until(async () => (await left()) === 2_500);
  const again = await ask({ ...asked, stream: false }, headers);
  expect([again.status, again.headers.get('x-tidegate-cache')]).toEqual([200, 'hit']);
  expect(await left()).toBe(2_500);
});

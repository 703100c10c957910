import { beforeEach, describe, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { ask, calm, errorOf, journal, script, type Answer } from '../client';
import { made, organised } from '../organisations';

beforeEach(calm);

const answering = ({ status, headers }: Answer) => [status, headers.get('x-tidegate-target')?.split('/')[0]];

/** As vitest.config.ts sets them: two attempts at Groq, then one at OpenRouter's model, then none for a minute. */
describe('the rate of a provider or model', () => {
  it('lets the next target answer, and is told when none is left', async () => {
    expect(answering(await ask())).toEqual([200, 'groq']);
    expect(answering(await ask())).toEqual([200, 'groq']);
    const third = await ask();
    expect(answering(third)).toEqual([200, 'openrouter']);
    // It is not the caller who asked for too much.
    expect(Number(third.headers.get('x-ratelimit-remaining'))).toBeGreaterThan(100);
    expect((await journal()).map(({ path }) => path.split('/')[1])).toEqual(['groq', 'groq', 'openrouter']);

    const none = await ask();
    expect([none.status, errorOf(none).code]).toEqual([429, 'rate_limited']);
    const refused = errorOf(none).tidegate.attempts;
    expect(refused.map(({ target, code }) => [target.split('/')[0], code])).toEqual([
      ['groq', 'rate_limited'],
      ['openrouter', 'rate_limited'],
    ]);
    expect(Number(none.headers.get('retry-after'))).toBeGreaterThan(30);
    expect(await journal()).toEqual([]);
  });

  it('counts attempts, not requests', async () => {
    await script('groq', { status: 500 });
    const first = await ask();
    expect([...answering(first), first.headers.get('x-tidegate-attempts')]).toEqual([200, 'openrouter', '3']);
    await script('groq');
    // Both of Groq's went with the retry, and OpenRouter's one is gone.
    expect((await ask()).status).toBe(429);
    expect((await journal()).map(({ path }) => path.split('/')[1])).toEqual(['groq', 'groq', 'openrouter']);
  });
});

it('a caller who asks for too much is not sent on to the next target', async () => {
  await forget('acme');
  await organised('acme', ['slow']);
  const headers = { authorization: `Bearer ${(await made('acme', { tier: 'slow' })).token}` };
  expect(answering(await ask({}, headers))).toEqual([200, 'groq']);
  await journal();
  const refused = await ask({}, headers);
  expect([refused.status, errorOf(refused).code]).toEqual([429, 'rate_limited']);
  expect(refused.headers.get('x-ratelimit-limit')).toBe('1');
  expect(await journal()).toEqual([]);
});

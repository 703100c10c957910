import { beforeEach, expect, it, vi } from 'vitest';

import { told } from '../../src/figures/counted';
import { forget } from '../../src/organisation/standing';
import { calm, call, errorOf, journal, question, script, until } from '../client';
import { made, organised } from '../organisations';
import { bearer } from '../queue';
import { calling } from '../started';

beforeEach(async () => {
  await told('acme');
  await calm();
  await forget('acme');
  await organised('acme', ['pro']);
});

const sample = (text: string, name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];

it('what fails counts its exchanges, and no look into the cache', async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const { token } = await made('acme', { scopes: ['chat', 'metrics'] });
  const send = calling({ TIDEGATE_LOG: 'all' });
  const body = () => JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question() }] });
  const sent = () => send('/v1/chat/completions', { method: 'POST', headers: bearer(token), body: body() });
  for (const provider of ['groq', 'openrouter'] as const) await script(provider, { status: 500, body: '{}' });
  // Until the breakers of both are open, and nobody is asked any more.
  let codes: string[] = [];
  while (codes.at(-1) !== 'circuit_open') codes = [...codes, errorOf(await sent()).code];
  const exchanges = (await journal()).filter(({ provider }) => ['groq', 'openrouter'].includes(provider));
  await until(() => log.mock.calls.length >= codes.length);
  const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
  log.mockRestore();
  expect(lines[0]).toMatchObject({
    code: 'upstream_failed',
    attempts: 4,
    target: expect.stringContaining('openrouter/'),
  });
  expect(lines.at(-1)).toMatchObject({ code: 'circuit_open', attempts: 0 });
  for (const line of lines) expect(line).not.toHaveProperty('cache');
  const { text } = await call('/metrics', { headers: bearer(token) });
  expect(sample(text, 'tidegate_attempts_total')).toBe(String(exchanges.length));
  expect(text).not.toContain('tidegate_cache_total');
});

import { env } from 'cloudflare:workers';
import { beforeEach, expect, it, vi } from 'vitest';

import { told } from '../../src/figures/counted';
import { forget } from '../../src/organisation/standing';
import { calm, call, errorOf, journal, question, script, until, type Init } from '../client';
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

it('a line of the log says whom a failed request asked and what each said, and which variable is wrong', async () => {
  const lines: Record<string, unknown>[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  const headers = bearer(env.TIDEGATE_TOKEN);
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question() }] });
  await script('groq', { status: 401, body: '{}' });
  await script('openrouter', { status: 404, body: '{}' });
  const path = '/v1/chat/completions';
  await calling({ TIDEGATE_LOG: 'all' })(path, { method: 'POST', headers, body });
  await vi.waitUntil(() => lines.length === 1);
  const wrong = calling({
    TIDEGATE_LOG: 'all',
    TIDEGATE_TRAILER: 'yes',
    TIDEGATE_AUTH: '[]',
    TIDEGATE_SESSION_KEY: '',
  });
  await wrong(path, { method: 'POST', headers, body });
  await wrong('/api/session', { method: 'POST' });
  await vi.waitUntil(() => lines.length === 3);
  vi.restoreAllMocks();
  expect(lines[0]).toMatchObject({ code: 'authentication', attempts: 2 });
  expect(lines[0]?.tried).toEqual([
    { target: 'groq/openai/gpt-oss-20b', code: 'authentication', status: 401 },
    { target: 'openrouter/qwen/qwen3-coder:free', code: 'upstream_rejected', status: 404 },
  ]);
  expect(lines.slice(1).map(({ code, reason }) => [code, reason])).toEqual([
    ['config_invalid', 'TIDEGATE_TRAILER must be "1" or "0"'],
    ['config_invalid', 'TIDEGATE_AUTH must be an object'],
  ]);
});

it('a line of the log says why a fallback answered, whole or as a stream', async () => {
  const lines: Record<string, unknown>[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  await script('groq', { status: 401, body: '{}' });
  const send = calling({ TIDEGATE_LOG: 'all' });
  const headers = bearer(env.TIDEGATE_TOKEN);
  for (const stream of [false, true]) {
    const body = JSON.stringify({ model: 'auto', stream, messages: [{ role: 'user', content: question() }] });
    expect((await send('/v1/chat/completions', { method: 'POST', headers, body })).status).toBe(200);
  }
  await vi.waitUntil(() => lines.length === 2);
  vi.restoreAllMocks();
  for (const line of lines) {
    expect(line).toMatchObject({ code: 'ok', target: 'openrouter/qwen/qwen3-coder:free', attempts: 2 });
    expect(line.tried).toEqual([{ target: 'groq/openai/gpt-oss-20b', code: 'authentication', status: 401 }]);
  }
});

it('an error that is told again has asked nobody', async () => {
  const { token } = await made('acme', { scopes: ['chat', 'metrics'] });
  for (const provider of ['groq', 'openrouter'] as const) await script(provider, { status: 500, body: '{}' });
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question() }] });
  const sent = () => call('/v1/chat/completions', { method: 'POST', headers: bearer(token), body });
  const first = await sent();
  const exchanges = await journal();
  for (let again = 0; again < 3; again += 1) expect(errorOf(await sent())).toMatchObject({ code: errorOf(first).code });
  expect(await journal()).toEqual([]);
  const { text } = await call('/metrics', { headers: bearer(token) });
  expect(sample(text, 'tidegate_attempts_total')).toBe(String(exchanges.length));
  expect(sample(text, 'tidegate_requests_total{dialect="chat",outcome="upstream_failed"}')).toBe('4');
});

it('a line of the log is found by the id of the answer, whatever came of the request', async () => {
  const lines: { code: string; requestId?: string }[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  const send = calling({ TIDEGATE_LOG: 'all' });
  const headers = bearer(env.TIDEGATE_TOKEN);
  const path = '/v1/chat/completions';
  const requests: [string, string, Init][] = [
    ['ok', '/v1/models', { headers }],
    [
      'ok',
      path,
      { method: 'POST', headers, body: JSON.stringify({ messages: [{ role: 'user', content: question() }] }) },
    ],
    ['invalid_request', path, { method: 'POST', headers, body: '{' }],
    ['invalid_request', path, { method: 'PUT', headers }],
    ['invalid_request', path, { method: 'POST', headers: { ...headers, 'content-encoding': 'gzip' }, body: 'x' }],
    ['invalid_request', '/nothing', { headers }],
    ['unauthorized', path, { method: 'POST', headers: bearer('made-up'), body: '{}' }],
    ['unsupported_endpoint', '/v1/files', { headers }],
  ];
  const ids = [];
  for (const [code, url, init] of requests) {
    ids.push([code, (await send(url, init)).headers.get('x-tidegate-request-id')]);
  }
  await vi.waitUntil(() => lines.length >= requests.length);
  vi.restoreAllMocks();
  expect(lines.map(({ code, requestId }) => [code, requestId])).toEqual(ids);
  expect(new Set(ids.map(([, id]) => id)).size).toBe(requests.length);
});

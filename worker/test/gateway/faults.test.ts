import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { figures } from '../books';
import { ask, calm, call, contentOf, errorOf, journal, post, script, type Answer } from '../client';

beforeEach(calm);
afterEach(() => vi.restoreAllMocks());

const GROQ = 'groq/openai/gpt-oss-20b';
const OPENROUTER = 'openrouter/qwen/qwen3-coder:free';

const providers = async () => (await journal()).map(({ provider }) => provider);
const breaker = async () => (await figures()).targets.find(({ target }) => target === GROQ)?.breaker;

describe('retries and fallback', () => {
  it('retries Groq, then OpenRouter answers', async () => {
    await script('groq', { status: 503 });
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(contentOf(answer)).toMatch(/^openrouter heard/);
    expect(answer.headers.get('x-tidegate-target')).toBe(OPENROUTER);
    expect(answer.headers.get('x-tidegate-attempts')).toBe('3');
    const calls = await journal();
    expect(calls.map(({ provider }) => provider)).toEqual(['groq', 'groq', 'openrouter']);
    // Each provider gets its own key and no other.
    expect(new Set(calls.map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${env.GROQ_API_KEY}`, `Bearer ${env.OPENROUTER_API_KEY}`]),
    );
    expect(calls.flatMap(({ headers }) => headers).filter((name) => /cookie|x-api-key|origin/.test(name))).toEqual([]);
  });

  it('gives the primary’s error with every attempt when all fail', async () => {
    await script('groq', { status: 500, body: '<html>down</html>' });
    await script('openrouter', { status: 500 });
    const answer = await ask();
    expect(answer.status).toBe(502);
    const { code, type, tidegate } = errorOf(answer);
    expect({ code, type }).toEqual({ code: 'upstream_failed', type: 'server_error' });
    expect(tidegate.attempts.map(({ target, status }) => [target, status])).toEqual([
      [GROQ, 500],
      [GROQ, 500],
      [OPENROUTER, 500],
      [OPENROUTER, 500],
    ]);
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });

  it('follows no redirect', async () => {
    const redirect = { status: 307, headers: { location: `${env.STAND_IN}/stolen/v1/chat/completions` } };
    await script('groq', redirect);
    await script('openrouter', redirect);
    expect((await ask()).status).toBe(502);
    expect(await providers()).not.toContain('stolen');
  });

  it('opens the breaker after four failures, then lets one probe close it', async () => {
    await script('groq', { status: 500 });
    await ask();
    await ask();
    expect(await breaker()).toBe('open');
    await journal();
    await ask();
    expect(await providers()).toEqual(['openrouter']);

    await script('groq', { delayMs: 100 });
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask()));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await providers()).filter((provider) => provider === 'groq').length).toBe(1);
    expect(await breaker()).toBe('closed');
  });
});

describe('hostile bodies', () => {
  const user = { role: 'user', content: 'x' };
  // Good JSON otherwise: a lenient decoder would pass it on with other characters than were sent.
  const invalidBytes = Uint8Array.from(JSON.stringify({ messages: [user] }), (letter) =>
    letter === 'x' ? 0xff : letter.charCodeAt(0),
  );

  it.each([
    ['nothing', '', 400],
    ['truncated JSON', '{"messages":[{"role":"user","con', 400],
    ['another type', '[]', 400],
    ['a number', '7', 400],
    ['messages of a wrong type', JSON.stringify({ messages: 'hello' }), 400],
    ['a message of a wrong type', JSON.stringify({ messages: [null] }), 400],
    ['a negative bound', JSON.stringify({ messages: [user], max_tokens: -1 }), 400],
    ['a repeated field', '{"messages":[],"messages":[{"role":"user","content":"x"}]}', 400],
    ['an unknown model', JSON.stringify({ model: 'nobody/none', messages: [user] }), 400],
    ['deep nesting', `{"messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400],
    ['bytes that are no UTF-8', invalidBytes, 400],
    ['10 MB of blanks', ' '.repeat(10 * 1024 * 1024), 400],
    ['more than 10 MB', 'x'.repeat(10 * 1024 * 1024 + 1), 413],
  ])('refuses %s', async (_, body, status) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    const { code, type, message } = errorOf(answer);
    expect({ code, type }).toEqual({ code: 'invalid_request', type: 'invalid_request_error' });
    expect(message.length).toBeLessThan(300);
    expect(await journal()).toEqual([]);
    // And goes on.
    expect((await ask()).status).toBe(200);
  });

  it('counts a body that states no length', async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(1024 * 1024).fill(0x20));
        if (sent === 40) controller.close();
      },
    });
    expect((await post(endless)).status).toBe(413);
    expect(sent).toBeLessThan(40);
  });

  it('takes a mark of the order of bytes for none of the text, stated length or not', async () => {
    const marked = new TextEncoder().encode(`\ufeff${JSON.stringify({ messages: [user] })}`);
    expect((await post(marked)).status).toBe(200);
    const pieces = new ReadableStream({
      start(controller) {
        for (const byte of marked) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    expect((await post(pieces)).status).toBe(200);
  });

  it('takes JSON by any name, but no upload', async () => {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'typed' }] });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/vnd.api+json', '']) {
      expect((await post(body, { 'content-type': type })).status).toBe(200);
    }
    expect((await post(body, { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(415);
  });
});

describe('hostile providers', () => {
  it.each([
    ['truncated JSON', '{"choices":[{"mess'],
    ['HTML', '<html><body>502</body></html>'],
    ['10 MB', `"${'x'.repeat(10_000_000)}"`],
    ['wrong types', '{"choices":"none","usage":[]}'],
    ['nothing', ''],
  ])('fall back from %s', async (_, body) => {
    await script('groq', { body });
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-tidegate-target')).toBe(OPENROUTER);
  });
});

describe('keys', () => {
  it('are in no answer, header or log line', async () => {
    const logged: unknown[] = [];
    for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, level).mockImplementation((...words: unknown[]) => void logged.push(words));
    }
    const echo = (key: string) => ({
      status: 401,
      headers: { 'x-echo': key, 'www-authenticate': `Bearer ${key}` },
      body: JSON.stringify({
        error: { message: `Incorrect API key provided: ${key}`, code: 'invalid_api_key', param: key },
      }),
    });
    const answers: Answer[] = [
      await ask(),
      await ask({ stream: true }),
      await call('/readyz'),
      await call('/v1/models'),
    ];
    await script('groq', echo(env.GROQ_API_KEY));
    await script('openrouter', echo(env.OPENROUTER_API_KEY));
    const refused = await ask();
    expect(refused.status).toBe(502);
    expect(errorOf(refused).code).toBe('authentication');
    answers.push(refused, await post(`{"messages":"Bearer ${env.TIDEGATE_TOKEN}"`), await call('/v1/x'));

    const seen =
      answers.map(({ text, headers }) => text + JSON.stringify([...headers])).join() + JSON.stringify(logged);
    for (const secret of [env.GROQ_API_KEY, env.OPENROUTER_API_KEY, env.TIDEGATE_TOKEN]) {
      expect(seen).not.toContain(secret);
      expect(seen).not.toContain(secret.slice(-16));
    }
  });
});

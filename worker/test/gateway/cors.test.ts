import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { corsHeaders } from '../../src/cors';
import { type Env } from '../../src/env';
import { ask, begin, calm, call, read, script } from '../client';

beforeEach(calm);

const ORIGIN = 'https://app.example';

const preflight = (origin: string, headers: string) =>
  call('/v1/chat/completions', {
    method: 'OPTIONS',
    headers: {
      authorization: '',
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': headers,
    },
  });

describe('preflight', () => {
  it('allows what SDKs send, and nothing else', async () => {
    const sdk =
      'authorization,content-type,openai-organization,x-stainless-arch,x-stainless-retry-count,' +
      'anthropic-version,anthropic-dangerous-direct-browser-access,x-api-key,x-goog-api-key,x-goog-api-client,' +
      'idempotency-key,http-referer,x-title,user-agent,x-tidegate-cache,x-tidegate-trailer';
    const answer = await preflight(ORIGIN, `${sdk}, cookie, x-forwarded-for, x-stainless-`);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-headers')?.split(', ')).toEqual(sdk.split(','));
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    expect(answer.headers.get('access-control-max-age')).toBe('7200');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it('reads no more names than a client has', async () => {
    const names = Array.from({ length: 65 }, (_, index) => `x-stainless-${index}`);
    const answer = await preflight(ORIGIN, names.join());
    expect(answer.headers.get('access-control-allow-headers')?.split(', ')).toEqual(names.slice(0, 64));
  });

  it.each(['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null', '*'])(
    'allows nothing to %s',
    async (origin) => {
      const answer = await preflight(origin, 'authorization');
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(answer.headers.get('vary')).toContain('Origin');
    },
  );
});

describe('answers', () => {
  const readable = (headers: Headers) => {
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(headers.get('vary')).toContain('Origin');
    const exposed = headers.get('access-control-expose-headers')?.split(', ') ?? [];
    // Whatever of ours an answer carries, the page can read it.
    const own = [...headers.keys()].filter((name) =>
      /^(x-tidegate-|x-request-id|x-should-retry|retry-after|traceparent)/.test(name),
    );
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((name) => !exposed.includes(name))).toEqual([]);
    expect(exposed).toContain('x-ratelimit-remaining-tokens');
  };

  it('can be read by pages of a configured origin', async () => {
    const answer = await ask({}, { origin: ORIGIN });
    expect(answer.status).toBe(200);
    readable(answer.headers);
  });

  it('can be read as they come', async () => {
    const answer = await read(await begin({}, { origin: ORIGIN }));
    expect(answer.headers.get('x-tidegate-reserved-nano-usd')).not.toBeNull();
    readable(answer.headers);
  });

  it.each([
    [401, () => call('/v1/models', { headers: { origin: ORIGIN, authorization: '' } })],
    [404, () => call('/nowhere', { headers: { origin: ORIGIN } })],
    [405, () => call('/v1/models', { method: 'PUT', headers: { origin: ORIGIN } })],
    [400, () => ask({ messages: 7 }, { origin: ORIGIN })],
    [501, () => call('/v1/files', { headers: { origin: ORIGIN } })],
    [502, () => failing()],
  ])('can be read when they are errors: %i', async (status, send) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    readable(answer.headers);
  });

  it('cannot be read by other pages', async () => {
    const answer = await ask({}, { origin: 'https://evil.example' });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    // A cache in between must not give it to a page that may read its own.
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it('can be read by every page if that is configured, and by none if nothing is', () => {
    const from = (ALLOWED_ORIGINS: string) =>
      corsHeaders(new Request('https://gateway.example/', { headers: { origin: 'https://any.example' } }), {
        ...env,
        ALLOWED_ORIGINS,
      } as unknown as Env);
    expect(from('*')).toMatchObject({ vary: 'Origin', 'access-control-allow-origin': '*' });
    expect(from(`${ORIGIN}, *`)).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(from(ORIGIN)).toEqual({ vary: 'Origin' });
    expect(from('')).toEqual({});
    const nowhere = new Request('https://gateway.example/');
    expect(corsHeaders(nowhere, { ...env, ALLOWED_ORIGINS: '*' } as unknown as Env)).toEqual({ vary: 'Origin' });
  });
});

async function failing() {
  const broken = { status: 401, body: '{"error":{"message":"bad key"}}' };
  await script('groq', broken);
  await script('openrouter', broken);
  return ask({}, { origin: ORIGIN });
}

import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { calm, call, question, type Answer } from '../client';
import { CALLERS } from './callers';

beforeEach(async () => {
  await calm();
  await (await fetch(`${env.DIALECTS}/control/reset`, { method: 'POST' })).text();
});

type Name = keyof typeof CALLERS;

/** What identifies a client, in place of OpenAI's bearer token. */
const signed = (name: Name, token: string): Record<string, string> => {
  if (name === 'anthropic') return { authorization: '', 'x-api-key': token, 'anthropic-version': '2023-06-01' };
  if (name === 'google') return { authorization: '', 'x-goog-api-key': token };
  return { authorization: `Bearer ${token}` };
};

/** The word for an error that a client of this kind goes by. */
function kindOf(name: Name, { status, text }: Answer): unknown {
  const body = JSON.parse(text) as { type?: string; error: Record<string, unknown> };
  expect(typeof body.error.message).toBe('string');
  expect(body.error.tidegate).toMatchObject({ attempts: expect.any(Array) });
  if (name === 'google') {
    expect(body.error.code).toBe(status);
    return body.error.status;
  }
  expect(body.type).toBe(name === 'anthropic' ? 'error' : undefined);
  return body.error.type;
}

/** What is not served, below each API. */
const ELSEWHERE = {
  chat: '/v1/files',
  responses: '/v1/responses/resp_1/cancel',
  anthropic: '/v1/messages/count_tokens',
  google: '/v1beta/models/m:countTokens',
};

const KINDS: Record<Name, Record<number, string>> = {
  chat: openai(),
  responses: openai(),
  anthropic: {
    400: 'invalid_request_error',
    401: 'authentication_error',
    405: 'invalid_request_error',
    413: 'request_too_large',
    415: 'invalid_request_error',
    501: 'invalid_request_error',
    502: 'api_error',
  },
  google: {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    405: 'INVALID_ARGUMENT',
    413: 'INVALID_ARGUMENT',
    415: 'INVALID_ARGUMENT',
    501: 'UNIMPLEMENTED',
    502: 'UNAVAILABLE',
  },
};

function openai(): Record<number, string> {
  const ours = Object.fromEntries([400, 405, 413, 415, 501].map((status) => [status, 'invalid_request_error']));
  return { ...ours, 401: 'authentication_error', 502: 'server_error' };
}

describe.each(Object.keys(CALLERS) as Name[])('a client of %s is told in its own words', (name) => {
  const headers = signed(name, env.TIDEGATE_TOKEN);
  const [path, asking] = CALLERS[name].ask({ model: 'auto', text: question(), stream: false });
  const post = (init: Parameters<typeof call>[1] = {}, at = path) =>
    call(at, { ...asking, ...init, headers: { ...asking.headers, ...headers, ...init.headers } });
  const told = (answer: Answer, status: number) => {
    expect([answer.status, kindOf(name, answer)]).toEqual([status, KINDS[name][status]]);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-should-retry')).toBe('false');
  };

  it('that the token is wrong', async () => {
    const answer = await post({ headers: signed(name, 'another') });
    told(answer, 401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('that the body is wrong', async () => {
    told(await post({ body: '{' }), 400);
    told(await post({ body: 'x'.repeat(10 * 1024 * 1024 + 1) }), 413);
    told(await post({ headers: { 'content-type': 'multipart/form-data; boundary=x' } }), 415);
  });

  it('that a header is wrong', async () => told(await post({ headers: { 'x-tidegate-cache': 'perhaps' } }), 400));

  it('that the method is wrong', async () => {
    const answer = await post({ method: 'PUT' });
    told(answer, 405);
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it('that something is not served', async () => told(await post({}, ELSEWHERE[name]), 501));

  it('that every provider failed', async () => {
    for (const provider of ['openai', 'anthropic', 'google']) {
      const body = JSON.stringify({ provider, last: { kind: 'status', status: 500 } });
      await (await fetch(`${env.DIALECTS}/control/faults`, { method: 'POST', body })).text();
    }
    told(await post(), 502);
  });
});

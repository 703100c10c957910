import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';

import { stripped } from '../../src/auth';
import { operatorOf } from '../../src/auth/operator';
import { type Env } from '../../src/env';

const TOKEN = 'caller-s0wn';

describe('what a caller proves itself with', () => {
  it.each<[string, Record<string, string>, string, string]>([
    ['authorization', { authorization: `Bearer ${TOKEN}` }, '/v1/models?a=1', '/v1/models?a=1'],
    ['x-api-key', { 'x-api-key': TOKEN }, '/v1/messages', '/v1/messages'],
    ['x-goog-api-key', { 'x-goog-api-key': TOKEN }, '/v1beta/models', '/v1beta/models'],
    ['the address', {}, `/v1beta/models?key=${TOKEN}`, '/v1beta/models'],
    ['the address, beside others', {}, `/v1beta/models?a=1&key=${TOKEN}&b=2`, '/v1beta/models?a=1&b=2'],
    ['the address, percent-encoded', {}, `/v1beta/models?%6bey=${TOKEN}`, '/v1beta/models'],
    ['the address, twice', {}, `/v1beta/models?key=${TOKEN}&key=${TOKEN}`, '/v1beta/models'],
  ])('is taken out of %s', (_, headers, path, left) => {
    const found = stripped(new Request(`https://gateway.example${path}`, { headers }));
    expect(found.given.filter(Boolean)).toEqual([TOKEN]);
    expect(found.path).toBe(left);
    expect(JSON.stringify([found.headers.list, found.path])).not.toContain(TOKEN);
    // Which kind of client calls is still to be seen.
    expect(found.headers.names()).toEqual(expect.arrayContaining(Object.keys(headers)));
  });
});

describe('the operator’s token', () => {
  const operator = (given: string, token: string) =>
    operatorOf([given], { ...env, TIDEGATE_TOKEN: token } as unknown as Env) !== undefined;

  it('is that text alone, whatever zeros are behind it', () => {
    expect(operator('token', 'token')).toBe(true);
    for (const other of ['toke', 'tokens', 'token\0', 'Token', '']) expect(operator(other, 'token')).toBe(false);
  });

  it('is compared with all that was given, in constant time, of which nothing stays behind', () => {
    const compared: ArrayBufferView[] = [];
    const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual').mockImplementation((own, other) => {
      compared.push(own as ArrayBufferView, other as ArrayBufferView);
      return compared.length === 2;
    });
    const own = { ...env, TIDEGATE_TOKEN: 'token' } as unknown as Env;
    expect(operatorOf(['another', 'and', 'one more'], own)).toBeDefined();
    expect(compare).toHaveBeenCalledTimes(3);
    compare.mockRestore();
    expect(new Set(compared.map(({ byteLength }) => byteLength)).size).toBe(1);
    const [, given] = compared;
    expect([...new Uint8Array(given!.buffer)].every((byte) => byte === 0)).toBe(true);
  });

  it('is compared whole, or refused for its length', () => {
    const longest = 'x'.repeat(1_024);
    expect(operator(longest, longest)).toBe(true);
    for (const other of [`${longest}x`, 'x'.repeat(2_000), `${longest.slice(1)}é`]) {
      expect(operator(other, longest)).toBe(false);
      expect(() => operator(longest, other)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    }
  });
});

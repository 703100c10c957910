import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { homeOf } from '../../src/auth/token';
import { reseal } from '../../src/organisation/reseal';
import { forget, organisationObject, organisationOf } from '../../src/organisation/standing';
import { calm, errorOf, journal, question, type Answer } from '../client';
import { made, organised } from '../organisations';
import { calling } from '../started';

const master = (letter: string) => btoa(letter.repeat(32));
const KEY = `gsk_${'Zz9yX8wV'.repeat(7).slice(0, 52)}`;
const OTHER = `gsk_${'Qq1rS2tU'.repeat(7).slice(0, 52)}`;
const json = (answer: Answer) => JSON.parse(answer.text) as Record<string, unknown>;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

let acme: string;
let other: string;
beforeEach(async () => {
  await calm();
  for (const organisation of ['acme', 'other']) {
    await forget(organisation);
    await organised(organisation, ['pro']);
  }
  acme = (await made('acme', { scopes: ['chat', 'admin'] })).token;
  other = (await made('other', { scopes: ['chat', 'admin'] })).token;
});

const withMaster = (present: string | undefined, previous?: string) =>
  calling({ TIDEGATE_MASTER_KEY: present, TIDEGATE_MASTER_KEY_PREVIOUS: previous });
const put = (send: ReturnType<typeof calling>, token: string, key: string, provider = 'groq') =>
  send(`/api/admin/keys/${provider}`, { method: 'PUT', headers: bearer(token), body: JSON.stringify({ key }) });
/** The key that a request of the token's holder goes to Groq with. */
async function sentBy(send: ReturnType<typeof calling>, token: string): Promise<string | undefined> {
  await journal();
  const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: question() }] });
  const answer = await send('/v1/chat/completions', { method: 'POST', headers: bearer(token), body });
  expect(answer.status).toBe(200);
  return (await journal())[0]?.authorization?.replace('Bearer ', '');
}
const stored = async () =>
  runInDurableObject(await organisationOf('acme', env), (_, state) =>
    state.storage.sql.exec<{ sealed: ArrayBuffer }>('SELECT sealed FROM provider_key').toArray(),
  );
const hex = (bytes: ArrayBuffer | undefined) => [...new Uint8Array(bytes ?? [])].join();

describe('a key that an organisation entrusts', () => {
  it('is used for its own requests alone, and never comes back', async () => {
    // With the end of the line that a shell puts there.
    const send = withMaster(`${master('a')}\n`);
    expect(await sentBy(send, acme)).toBe(env.GROQ_API_KEY);
    const answer = await put(send, acme, KEY);
    expect([answer.status, json(answer)]).toEqual([200, { provider: 'groq', warnings: [] }]);
    expect(await sentBy(send, acme)).toBe(KEY);
    expect(await sentBy(send, other)).toBe(env.GROQ_API_KEY);
    const listed = await send('/api/admin/keys', { headers: bearer(acme) });
    expect(json(listed)).toEqual({ keys: [{ provider: 'groq', changed: expect.any(Number) as number }] });
    expect(json(await send('/api/admin/keys', { headers: bearer(other) }))).toEqual({ keys: [] });
    const [row] = await stored();
    const text = new TextDecoder('latin1').decode(row?.sealed);
    for (const shown of [answer.text, listed.text, text]) expect(shown).not.toContain(KEY.slice(4, 20));
  });

  it('can be changed and taken back', async () => {
    const send = withMaster(master('a'));
    await put(send, acme, KEY);
    expect(await sentBy(send, acme)).toBe(KEY);
    await put(send, acme, OTHER);
    expect(await sentBy(send, acme)).toBe(OTHER);
    const remove = () => send('/api/admin/keys/groq', { method: 'DELETE', headers: bearer(acme) });
    expect((await remove()).status).toBe(200);
    expect(await sentBy(send, acme)).toBe(env.GROQ_API_KEY);
    expect((await remove()).status).toBe(404);
  });

  it('is used no more once it is taken back, where the operator has none either', async () => {
    await forget('alone');
    await organised('alone', ['pro']);
    const { token } = await made('alone', { scopes: ['chat', 'admin'] });
    const none = { GROQ_API_KEY: undefined, OPENROUTER_API_KEY: undefined };
    const send = calling({ TIDEGATE_MASTER_KEY: master('a'), ...none });
    await put(send, token, KEY);
    expect(await sentBy(send, token)).toBe(KEY);
    await send('/api/admin/keys/groq', { method: 'DELETE', headers: bearer(token) });
    await journal();
    const body = JSON.stringify({ messages: [{ role: 'user', content: question() }] });
    const answer = await send('/v1/chat/completions', { method: 'POST', headers: bearer(token), body });
    expect(errorOf(answer).code).toBe('no_target');
    expect(await journal()).toEqual([]);
  });

  it('moves to a new master key in the background, while the last one is still valid', async () => {
    await put(withMaster(master('a')), acme, KEY);
    const [before] = await stored();
    expect(await sentBy(withMaster(master('b'), master('a')), acme)).toBe(KEY);
    await vi.waitUntil(async () => hex((await stored())[0]?.sealed) !== hex(before?.sealed));
    await forget('acme');
    // With the first one gone.
    await put(withMaster(master('b')), acme, OTHER, 'openrouter');
    expect(await sentBy(withMaster(master('b')), acme)).toBe(KEY);
  });

  it('moves to a new master key also where nobody calls, and the operator is told when all have', async () => {
    await put(withMaster(master('a')), acme, KEY);
    await put(withMaster(master('a')), acme, `sk-or-v1-${'fedcba9876543210'.repeat(4)}`, 'openrouter');
    await put(withMaster(master('a')), other, OTHER);
    const operator = { method: 'POST', headers: bearer(env.TIDEGATE_TOKEN) };
    const send = withMaster(master('b'), master('a'));
    const walked = async (limit: number) => {
      const pages: Record<string, unknown>[] = [];
      for (let after: unknown = ''; after !== undefined;) {
        const from = after === '' ? '' : `&after=${String(after)}`;
        const answer = await send(`/api/admin/reseal?limit=${limit}${from}`, operator);
        expect(answer.status, answer.text).toBe(200);
        pages.push(json(answer));
        after = json(answer).after;
      }
      const sum = (name: string) => pages.reduce((sum, page) => sum + Number(page[name]), 0);
      return { keys: sum('keys'), resealed: sum('resealed'), unreadable: pages.flatMap((page) => page.unreadable) };
    };
    expect(await walked(1)).toEqual({ keys: 3, resealed: 3, unreadable: [] });
    expect(await walked(400)).toEqual({ keys: 3, resealed: 0, unreadable: [] });
    for (const organisation of ['acme', 'other']) await forget(organisation);
    // One that none of the two has sealed.
    await put(withMaster(master('c')), other, KEY);
    const log = vi.spyOn(console, 'error').mockReturnValue();
    expect(await walked(400)).toEqual({
      ...{ keys: 3, resealed: 0 },
      unreadable: [{ organisation: 'other', provider: 'groq' }],
    });
    expect(log.mock.calls.map((words) => words.join(' '))).toEqual([
      'keys: one does not open under any master key: other groq',
    ]);
    log.mockRestore();
    await forget('acme');
    expect(await sentBy(withMaster(master('b')), acme)).toBe(KEY);
    const refused = await send('/api/admin/reseal', { method: 'POST', headers: bearer(acme) });
    expect(refused.status).toBe(403);
  });

  it('outlives a second new master key that comes before all were sealed under the first', async () => {
    await put(withMaster(master('a')), acme, KEY);
    await put(withMaster(master('a')), other, OTHER);
    const operator = { method: 'POST', headers: bearer(env.TIDEGATE_TOKEN) };
    const walk = async (present: string, previous: string, query: string) => {
      const answer = await withMaster(master(present), master(previous))(`/api/admin/reseal${query}`, operator);
      return json(answer);
    };
    // The first page: the operator's own organisation, and the first of the others.
    expect(await walk('b', 'a', '?limit=1')).toEqual({ keys: 1, resealed: 1, unreadable: [], after: 'acme' });
    const unreadable = [{ organisation: 'other', provider: 'groq' }];
    expect(await walk('c', 'b', '?after=acme')).toEqual({ keys: 1, resealed: 0, unreadable });
    expect(await walk('c', 'b', '')).toEqual({ keys: 2, resealed: 1, unreadable });
    // What was left behind is as it was, and comes along with the key before the last.
    expect(await walk('c', 'a', '')).toEqual({ keys: 2, resealed: 1, unreadable: [] });
    for (const organisation of ['acme', 'other']) await forget(organisation);
    expect(await sentBy(withMaster(master('c')), acme)).toBe(KEY);
    expect(await sentBy(withMaster(master('c')), other)).toBe(OTHER);
  });

  it('that was changed while it was sealed anew stays as it was put', async () => {
    await put(withMaster(master('a')), acme, KEY);
    const object = await organisationOf('acme', env);
    const keys = (await object.standing())?.keys ?? [];
    await put(withMaster(master('b')), acme, OTHER);
    const own = { ...env, TIDEGATE_MASTER_KEY: master('b'), TIDEGATE_MASTER_KEY_PREVIOUS: master('a') };
    expect(await reseal('acme', keys, own)).toEqual({ resealed: 1, unreadable: [] });
    await forget('acme');
    expect(await sentBy(withMaster(master('b')), acme)).toBe(OTHER);
  });

  it('that does not open is not replaced by the operator’s', async () => {
    const send = withMaster(master('a'));
    await put(send, acme, KEY);
    const home = await homeOf('acme');
    await runInDurableObject(organisationObject(env, home), (_, state) => {
      state.storage.sql.exec("UPDATE provider_key SET sealed = x'00', changed = changed + 1");
    });
    await forget('acme');
    const log = vi.spyOn(console, 'error').mockReturnValue();
    // The other target answers.
    expect(await sentBy(send, acme)).toBe(env.OPENROUTER_API_KEY);
    // Whoever runs the Worker is told whose it is.
    expect(log).toHaveBeenCalledWith(expect.any(String), 'acme', 'groq');
    log.mockRestore();
  });

  it('is not needed to erase a user where nothing could ever be sealed', async () => {
    const erased = await withMaster(undefined)('/api/ai/users/ann', { method: 'DELETE', headers: bearer(acme) });
    expect([erased.status, json(erased).erased]).toEqual([200, { days: 0, tokens: 0, queued: 0 }]);
  });

  it('is not kept for an organisation that nobody set up', async () => {
    const path = '/api/admin/keys/groq?organisation=nobody';
    const operator = { method: 'PUT', headers: bearer(env.TIDEGATE_TOKEN), body: JSON.stringify({ key: KEY }) };
    const answer = await withMaster(master('a'))(path, operator);
    expect([answer.status, errorOf(answer).param]).toEqual([404, 'organisation']);
  });

  it('is refused if it can be none, or if nothing could seal it', async () => {
    const send = withMaster(master('a'));
    const masked = await put(send, acme, 'gsk_…abcd');
    expect([masked.status, errorOf(masked).param]).toEqual([400, 'key']);
    expect((await put(send, acme, KEY, 'Not%20one')).status).toBe(400);
    const nobodys = await put(send, acme, KEY, 'grok');
    expect([nobodys.status, errorOf(nobodys).param]).toEqual([400, 'provider']);
    expect(errorOf(nobodys).tidegate.fields?.[0]?.problem).toMatch(/: .*groq, openrouter/);
    for (const key of [undefined, '', 'short', btoa('x'.repeat(31))]) {
      const answer = await put(withMaster(key), acme, KEY);
      expect([answer.status, errorOf(answer).param]).toEqual([500, 'TIDEGATE_MASTER_KEY']);
    }
    expect(await stored()).toEqual([]);
  });
});

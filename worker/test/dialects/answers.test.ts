import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { call, calm, eventsOf, question, trailerOf } from '../client';
import { books } from '../books';
import { CALLERS, said, send, TARGETS } from './callers';

const control = async (path: string, method: string, body?: unknown) =>
  (await fetch(`${env.DIALECTS}/control/${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) })).json();
interface Entry {
  provider: string;
  path: string;
  key: string;
  headers: Record<string, string>;
}

beforeEach(async () => {
  await calm();
  await control('reset', 'POST');
});

/** What the stand-in says to everybody; tests/clients/stand-in/replies.mjs. */
const reply = (text: string) => `You asked: ${text}. Rivers carry salt – naïvely 🌊 – to it.`;
/** 23 tokens in at $1 and 17 out at $10 a million. */
const COST = 193_000;

describe.each(Object.keys(CALLERS) as (keyof typeof CALLERS)[])('a client of %s', (name) => {
  const caller = CALLERS[name];

  it.each(TARGETS)('is answered whole by %s', async (model) => {
    const text = question();
    const answer = await send(caller, { model, text, stream: false });
    expect(answer.text).toContain('salt');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-tidegate-target')).toBe(model);
    expect(answer.headers.get('x-tidegate-cost-nano-usd')).toBe(String(COST));
    expect(caller.text(JSON.parse(answer.text))).toBe(reply(text));
  });

  it.each(TARGETS)('gets a stream of %s', async (model) => {
    const text = question();
    const answer = await send(caller, { model, text, stream: true });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('x-tidegate-target')).toBe(model);
    expect(said(caller, answer.text)).toBe(reply(text));
    expect(caller.ends(eventsOf(answer.text).at(-1))).toBe(true);
    expect(trailerOf(answer.text)).toBeUndefined();
    expect(await books()).toMatchObject({ spentNanoUsd: COST, reservedNanoUsd: 0 });
  });

  it.each(TARGETS)('is told in band that a stream of %s was cut', async (model) => {
    const faults = [{ kind: 'cut', after: 3 }];
    await control('faults', 'POST', { provider: model.split('/')[0], faults });
    const answer = await send(caller, { model, text: question(), stream: true });
    expect(answer.status).toBe(200);
    expect(said(caller, answer.text)).toMatch(/^You asked: question \d+\. $/);
    expect(eventsOf(answer.text).some(caller.ends)).toBe(false);
    expect(answer.text).toMatch(/"(code|reason)":"stream_interrupted"/i);
    expect((await books()).reservedNanoUsd).toBe(0);
  });

  it('finds the id of its request where it looks for it, also of one that fails', async () => {
    for (const model of ['anthropic/m', 'of-nobody']) {
      for (const stream of [false, true]) {
        const { headers } = await send(caller, { model, text: question(), stream });
        const own = headers.get('x-tidegate-request-id');
        expect(own).toMatch(/^tg-/);
        expect([headers.get('x-request-id'), headers.get('request-id')]).toEqual([
          own,
          name === 'anthropic' ? own : null,
        ]);
      }
    }
  });

  it('gets what the next target says while nothing has come of the first', async () => {
    await control('faults', 'POST', { provider: 'openai', faults: [], last: { kind: 'cut', after: 0 } });
    const text = question();
    const answer = await send(caller, { model: 'auto', text, stream: true });
    expect(answer.headers.get('x-tidegate-target')).toBe('anthropic/m');
    expect(said(caller, answer.text)).toBe(reply(text));
  });

  it('sends the provider its own key and nothing of the caller’s', async () => {
    for (const model of TARGETS) await send(caller, { model, text: question(), stream: false });
    const entries = (await control('journal', 'GET')) as Entry[];
    expect(entries.map(({ key }) => key)).toEqual([env.OPENAI_API_KEY, env.ANTHROPIC_API_KEY, env.GOOGLE_API_KEY]);
    expect(JSON.stringify(entries)).not.toContain(env.TIDEGATE_TOKEN);
  });
});

it("sends Anthropic's betas on, and refuses what is no list of them", async () => {
  const ask = (betas: string) => {
    const [path, init] = CALLERS.anthropic.ask({ model: 'anthropic/m', text: question(), stream: false });
    return call(path, { ...init, headers: { ...init.headers, 'anthropic-beta': betas } });
  };
  expect((await ask('new-2026-01-01,other')).status).toBe(200);
  const refused = await ask('new;other');
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('"path":"anthropic-beta"')]);
  const entries = (await control('journal', 'GET')) as Entry[];
  expect(entries.map(({ headers }) => headers['anthropic-beta'])).toEqual(['new-2026-01-01,other']);
});

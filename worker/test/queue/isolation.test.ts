import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, call, errorOf, open, script, until } from '../client';
import { made, organised } from '../organisations';
import { about, bearer, enqueue, enqueued, kept, PATH, reached } from '../queue';

beforeEach(async () => {
  await calm();
  for (const organisation of ['acme', 'other']) {
    await forget(organisation);
    await organised(organisation, ['pro']);
  }
});

const admin = async (organisation: string) => bearer((await made(organisation, { scopes: ['chat', 'admin'] })).token);
const userOf = async (organisation: string, user: string) => bearer((await made(organisation, { user })).token);

describe('another organisation', () => {
  it('sees nothing of a request on any route, with its very id', async () => {
    const [own, other] = [await admin('acme'), await admin('other')];
    await script('groq', { status: 400, body: '{}' });
    const { requestId } = await enqueued({}, own);
    const before = await reached(requestId, ['dead'], own);
    for (const headers of [other, {}]) {
      for (const [method, action] of [
        ['GET', 'status'],
        ['GET', 'events'],
        ['DELETE', ''],
        ['POST', 'cancel'],
        ['POST', 'requeue'],
      ] as const) {
        const answer = await about(method, action, requestId, headers);
        expect([method, action, answer.status]).toEqual([method, action, 404]);
        expect(answer.text).not.toContain(requestId);
      }
      expect((await call(`${PATH}?action=dead`, { headers })).text).toBe('{"dead":[]}');
      expect((await call(`${PATH}?action=stats`, { headers })).text).toContain('"dead":0');
      expect((await call(`${PATH}?action=cleanup`, { headers })).text).toBe('{"changed":0,"erased":0}');
    }
    expect(await reached(requestId, ['dead'], own)).toEqual(before);
  });

  it('has other requests under the same idempotency key, and other seals', async () => {
    const [own, other] = [await admin('acme'), await admin('other')];
    const same = { messages: [{ role: 'user', content: 'same' }], idempotencyKey: 'k', user: 'ann' };
    const [first, second] = [await enqueued(same, own), await enqueued(same, other)];
    expect(second.requestId).not.toBe(first.requestId);
    await reached(first.requestId, ['completed'], own);
    await reached(second.requestId, ['completed'], other);
    const [[one], [two]] = [await kept('acme'), await kept('other')];
    const keyIn = (row: string | undefined) => /\b[0-9a-f]{32}\b/.exec(row ?? '')?.[0];
    expect(keyIn(one)).toBeDefined();
    expect(keyIn(one)).not.toBe(keyIn(two));
  });

  it('hears nothing of its progress, by events or WebSocket, of one or of all', async () => {
    const [own, other] = [await admin('acme'), await admin('other')];
    const listen = async (headers: Record<string, string>) => {
      const heard: string[] = [];
      const events = await open(`${PATH}?action=events`, { headers });
      const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
      const reading = (async () => {
        for (let piece = await reader.read(); !piece.done; piece = await reader.read()) heard.push(piece.value);
      })().catch(() => undefined);
      const { webSocket } = await open(`${PATH}?action=events`, { headers: { upgrade: 'websocket', ...headers } });
      webSocket!.addEventListener('message', ({ data }) => void heard.push(String(data)));
      webSocket!.accept();
      const stop = async () => {
        webSocket!.close();
        await reader.cancel();
        await reading;
      };
      return { heard, stop };
    };
    const ears = { own: await listen(own), other: await listen(other), operator: await listen({}) };
    const { requestId } = await enqueued({ user: 'ann', conversation: 'talk' }, own);
    for (const headers of [other, {}]) {
      const socket = await open(`${PATH}?action=events&requestId=${requestId}`, {
        headers: { upgrade: 'websocket', ...headers },
      });
      expect([socket.status, socket.webSocket ?? null]).toEqual([404, null]);
      await socket.text();
    }
    await reached(requestId, ['completed'], own);
    // Each hears of its own what comes after: so nothing is on its way any more.
    for (const [name, headers] of [
      ['own', own],
      ['other', other],
      ['operator', {}],
    ] as const) {
      const { requestId: mark } = await enqueued({}, headers);
      await until(() => ears[name].heard.join('').split(mark).length > 4);
    }
    expect(ears.own.heard.join('')).toContain(requestId);
    for (const { heard } of [ears.other, ears.operator]) expect(heard.join('')).not.toMatch(/ann|talk/);
    for (const { heard } of [ears.other, ears.operator]) expect(heard.join('')).not.toContain(requestId);
    for (const { stop } of Object.values(ears)) await stop();
  });

  it('cannot be named', async () => {
    const answer = await enqueue({ organisation: 'other' }, await admin('acme'));
    expect([answer.status, errorOf(answer).code]).toEqual([403, 'forbidden']);
  });
});

describe('another user', () => {
  it('sees nothing of it, and an admin does', async () => {
    const [ann, bob] = [await userOf('acme', 'ann'), await userOf('acme', 'bob')];
    const { requestId } = await enqueued({}, ann);
    expect((await reached(requestId, ['completed'], ann)).user).toBe('ann');
    expect((await about('GET', 'status', requestId, bob)).status).toBe(404);
    expect((await about('DELETE', '', requestId, bob)).status).toBe(404);
    expect((await about('GET', 'events', requestId, bob)).status).toBe(404);
    expect((await about('GET', 'status', requestId, await admin('acme'))).status).toBe(200);
    const answer = await enqueue({ user: 'ann' }, bob);
    expect([answer.status, errorOf(answer).param]).toEqual([403, 'user']);
  });

  it('is needed for nothing, but admins are for what concerns all', async () => {
    const ann = await userOf('acme', 'ann');
    const { requestId } = await enqueued({}, ann);
    for (const [method, action] of [
      ['GET', 'dead'],
      ['GET', 'cleanup'],
      ['POST', 'requeue'],
    ] as const) {
      expect([action, (await about(method, action, requestId, ann)).status]).toEqual([action, 403]);
    }
  });
});

it('a user who listens without end keeps nobody else out', async () => {
  const [ann, bob] = [await userOf('acme', 'ann'), await userOf('acme', 'bob')];
  const opened = [];
  for (let count = 0; count < 50; count += 1) opened.push(await open(`${PATH}?action=events`, { headers: ann }));
  expect(opened.map(({ status }) => status)).toEqual(opened.map(() => 200));
  const full = await call(`${PATH}?action=events`, { headers: ann });
  expect([full.status, errorOf(full).code, full.headers.get('retry-after')]).toEqual([503, 'queue_full', '1']);
  const other = await open(`${PATH}?action=events`, { headers: bob });
  expect(other.status).toBe(200);
  for (const { body } of [...opened, other]) await body?.cancel();
});

it('lets nobody in without a token that may chat', async () => {
  const metrics = bearer((await made('acme', { scopes: ['metrics'] })).token);
  for (const [headers, status] of [
    [{ authorization: '' }, 401],
    [bearer('made-up'), 401],
    [metrics, 403],
  ] as const) {
    expect((await enqueue({}, headers)).status).toBe(status);
    for (const action of ['status', 'stats', 'events', 'dead', 'cleanup']) {
      expect((await call(`${PATH}?action=${action}`, { headers })).status).toBe(status);
    }
  }
});

it('says what is missing without a master key, and stores nothing', async () => {
  const { default: worker } = await import('../../src/index');
  const context = { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext;
  for (const [key, problem] of [
    [undefined, 'is not set'],
    ['c2hvcnQ=', 'must be 32 random bytes'],
    ['?', 'must be 32 random bytes'],
  ] as const) {
    const own = { ...env, TIDEGATE_MASTER_KEY: key } as never;
    const headers = bearer(env.TIDEGATE_TOKEN);
    for (const init of [{ headers }, { headers, method: 'POST', body: '{}' }]) {
      const action = 'method' in init ? 'enqueue' : 'stats';
      const request = new Request(`https://gateway.example${PATH}?action=${action}`, init);
      const response = await worker.fetch(request, own, context);
      expect(response.status).toBe(500);
      const text = await response.text();
      expect(text).toContain('TIDEGATE_MASTER_KEY');
      expect(text).toContain(problem);
    }
  }
  expect(await open('/livez').then(({ status }) => status)).toBe(200);
});

import { env } from 'cloudflare:workers';
import { evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Env } from '../../src/env';
import worker from '../../src/index';
import { forget } from '../../src/organisation/standing';
import { load, queuePlace } from '../../src/wasm';
import { calm, open, question, script, until } from '../client';
import { made, organised } from '../organisations';
import { about, bearer, enqueued, object, PATH, reached, type Status } from '../queue';

beforeEach(calm);

const dataIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as Status);

/** Reads a stream that does not end until what came is enough. */
async function heard(response: Response, enough: (statuses: Status[]) => boolean): Promise<Status[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const piece = await reader?.read();
    text += piece?.value ?? '';
    if (piece?.done !== false || enough(dataIn(text))) break;
  }
  await reader?.cancel();
  return dataIn(text);
}

async function socket(query: string, headers: Record<string, string> = {}) {
  const response = await open(`${PATH}?action=events${query}`, { headers: { upgrade: 'websocket', ...headers } });
  const { webSocket } = response;
  if (!webSocket) throw new Error(`${response.status}`);
  const messages: Status[] = [];
  const closed = new Promise<number>((resolve) => webSocket.addEventListener('close', ({ code }) => resolve(code)));
  let pongs = 0;
  webSocket.addEventListener('message', ({ data }) => {
    if (data === 'pong') pongs += 1;
    else messages.push(JSON.parse(data as string) as Status);
  });
  webSocket.accept();
  return { webSocket, messages, closed, pongs: () => pongs };
}

const statuses = (all: Status[]) => all.map(({ status }) => status);

describe('events', () => {
  it.each(['1', '-1', '0.5', 'x', '64'])('of shard %s are none', async (shard) => {
    const answer = await open(`${PATH}?action=events&shard=${shard}`);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('"shard"')]);
  });

  it('of one request end with its result', async () => {
    await script('groq', { hold: true });
    const { requestId } = await enqueued();
    await reached(requestId, ['running']);
    const response = await open(`${PATH}?action=events&requestId=${requestId}`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const reading = response.text();
    await script('groq');
    const all = dataIn(await reading);
    expect(statuses(all)).toEqual(['running', 'completed']);
    expect(all[1]?.result?.choices).toHaveLength(1);
    const late = dataIn(await (await open(`${PATH}?action=events&requestId=${requestId}`)).text());
    expect(late).toEqual([await reached(requestId, ['completed'])]);
  });

  it('of all requests have no content', async () => {
    const response = await open(`${PATH}?action=events`);
    const hearing = heard(response, (all) => statuses(all).filter((status) => status === 'completed').length === 2);
    await enqueued();
    await enqueued();
    const all = await hearing;
    expect(statuses(all).sort()).toEqual(['completed', 'completed', 'queued', 'queued', 'running', 'running']);
    expect(JSON.stringify(all)).not.toMatch(/heard|question/);
  });
});

describe('a WebSocket', () => {
  it('tells the progress of one request, its result last, and closes', async () => {
    await script('groq', { hold: true });
    const { requestId } = await enqueued();
    await reached(requestId, ['running']);
    const { webSocket, messages, closed, pongs } = await socket(`&requestId=${requestId}`);
    webSocket.send('ping');
    await until(() => pongs() === 1);
    await script('groq');
    expect(await closed).toBe(1000);
    expect(statuses(messages)).toEqual(['running', 'completed']);
    expect(messages[1]?.result?.choices).toHaveLength(1);
  });

  it('that comes when all is over is told the result, and closes', async () => {
    const { requestId } = await enqueued();
    const done = await reached(requestId, ['completed']);
    const { messages, closed } = await socket(`&requestId=${requestId}`);
    expect(await closed).toBe(1000);
    expect(messages).toEqual([done]);
  });

  it('tells a user of his requests alone, and an admin of all', async () => {
    await forget('acme');
    await organised('acme', ['pro']);
    const as = async (wish: Record<string, unknown>) => bearer((await made('acme', wish)).token);
    const [ann, bob] = [await as({ user: 'ann' }), await as({ user: 'bob' })];
    const [all, own] = [await socket('', await as({ scopes: ['chat', 'admin'] })), await socket('', bob)];
    const { requestId: first } = await enqueued({}, ann);
    await reached(first, ['completed'], ann);
    const { requestId: second } = await enqueued({}, bob);
    await reached(second, ['completed'], bob);
    await until(() => all.messages.length === 6 && own.messages.length === 3);
    expect(new Set(own.messages.map(({ requestId }) => requestId))).toEqual(new Set([second]));
    expect(new Set(all.messages.map(({ requestId }) => requestId))).toEqual(new Set([first, second]));
  });

  it('sleeps with its object, and is told what comes after', async () => {
    await organised('acme', ['pro']);
    const ann = bearer((await made('acme', { user: 'ann' })).token);
    const { requestId: before } = await enqueued({}, ann);
    await reached(before, ['completed'], ann);
    const all = await socket('', ann);
    await evictAllDurableObjects();
    const { requestId } = await enqueued({}, ann);
    await until(() => statuses(all.messages).includes('completed'));
    expect(all.messages.every((one) => one.requestId === requestId)).toBe(true);
    all.webSocket.close();
  });

  it('takes no words, and is not opened for an id that is not known', async () => {
    const { webSocket, closed } = await socket('');
    webSocket.send('hello');
    expect(await closed).toBe(1003);
    expect((await about('GET', 'events', `rq_${'0'.repeat(44)}`, { upgrade: 'websocket' })).status).toBe(404);
  });
});

it('a question for the head alone listens to nothing', async () => {
  await forget('acme');
  await organised('acme', ['pro']);
  const ann = bearer((await made('acme', { user: 'ann' })).token);
  const { requestId } = await enqueued({}, ann);
  const head = (query: string) => open(`${PATH}?action=events${query}`, { method: 'HEAD', headers: ann });
  for (let asked = 0; asked < 60; asked += 1) {
    const { status, headers } = await head(asked % 2 === 0 ? '' : `&requestId=${requestId}`);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  }
  expect((await head(`&requestId=rq_${'0'.repeat(44)}`)).status).toBe(404);
  // A user's own places are all free.
  const response = await open(`${PATH}?action=events`, { headers: ann });
  expect(response.status).toBe(200);
  await response.body?.cancel();
});

describe('of an organisation with several shards', () => {
  const config = JSON.stringify({ ...(JSON.parse(env.TIDEGATE_CONFIG) as object), queue: { shards: 3, baseMs: 50 } });
  const sharded = (path: string, init: RequestInit = {}) =>
    worker.fetch(
      new Request(`https://gateway.example${path}`, {
        ...init,
        headers: { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, ...(init.headers as Record<string, string>) },
      }),
      { ...env, TIDEGATE_CONFIG: config } as unknown as Env,
      { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext,
    ) as Promise<Response>;
  /** Requests in every shard. */
  async function inAll(): Promise<string[]> {
    const ids: string[] = [];
    for (let shards = new Set<string>(); shards.size < 3;) {
      const messages = [{ role: 'user', content: question() }];
      const answer = await sharded(PATH, { method: 'POST', body: JSON.stringify({ messages, max_tokens: 10 }) });
      const { requestId } = JSON.parse(await answer.text()) as Status;
      ids.push(requestId);
      load();
      shards.add(String((queuePlace(requestId) as [number, number])[0]));
    }
    return ids;
  }
  const completed = (all: Status[]) => all.filter(({ status }) => status === 'completed').map((one) => one.requestId);

  it('events come of all, whole, in one stream', async () => {
    const response = await sharded(`${PATH}?action=events`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const asked = { ids: [''] };
    const hearing = heard(response, (all) => completed(all).length === asked.ids.length && !asked.ids.includes(''));
    const ids = (asked.ids = await inAll());
    expect(completed(await hearing).sort()).toEqual(ids.sort());
    // One shard, if it is named.
    const one = await sharded(`${PATH}?action=events&shard=2`);
    expect(one.status).toBe(200);
    await one.body?.cancel();
    expect((await sharded(`${PATH}?action=events&shard=3`)).status).toBe(400);
  });

  it('messages come of all over one WebSocket', async () => {
    const { webSocket } = await sharded(`${PATH}?action=events`, { headers: { upgrade: 'websocket' } });
    const messages: Status[] = [];
    let pongs = 0;
    const closed = new Promise<number>((resolve) => webSocket!.addEventListener('close', ({ code }) => resolve(code)));
    webSocket!.addEventListener('message', ({ data }) => {
      if (data === 'pong') pongs += 1;
      else messages.push(JSON.parse(data as string) as Status);
    });
    webSocket!.accept();
    webSocket!.send('ping');
    const ids = await inAll();
    await until(() => completed(messages).length === ids.length && pongs === 1);
    expect(completed(messages).sort()).toEqual(ids.sort());
    webSocket!.send('hello');
    expect(await closed).toBe(1003);
    // None listens any more.
    const sockets = (shard: number) =>
      runInDurableObject(object('default', shard), (_, state) => state.getWebSockets().length);
    await until(async () => (await Promise.all([0, 1, 2].map(sockets))).every((count) => count === 0));
  });
});

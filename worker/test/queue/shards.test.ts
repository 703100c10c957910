import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, call, errorOf, script } from '../client';
import { made, organised } from '../organisations';
import { about, bearer, object, PATH, reached, type Status } from '../queue';
import { calling } from '../started';

/** The configuration of these tests has one shard. */
const SHARD = 5;

describe('a shard that the configuration had once', () => {
  let headers: Record<string, string>;
  let requestId: string;

  beforeEach(async () => {
    await calm();
    await forget('acme');
    await organised('acme', ['pro']);
    headers = bearer((await made('acme', { scopes: ['chat', 'admin'] })).token);
    await script('groq', { status: 400, body: '{"error":{"message":"no"}}' });
    const json = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 });
    const answer = await object('acme', SHARD).enqueue('acme', SHARD, json, undefined, undefined, ['pro', '', '']);
    ({ requestId } = JSON.parse(answer) as Status);
    await reached(requestId, ['dead'], headers);
  });

  const dead = async () => {
    const { text } = await call(`${PATH}?action=dead`, { headers });
    return (JSON.parse(text) as { dead: Status[] }).dead.map((one) => one.requestId);
  };

  it('tells of its requests', async () => {
    const { status, text } = await call(`${PATH}?action=events&requestId=${requestId}`, { headers });
    expect([status, text]).toEqual([200, expect.stringContaining('"status":"dead"')]);
  });

  it('shows its dead letters, which can be queued again', async () => {
    expect(await dead()).toContain(requestId);
    await script('groq');
    expect((await about('POST', 'requeue', requestId, headers)).status).toBe(200);
    await reached(requestId, ['completed'], headers);
    expect(await dead()).not.toContain(requestId);
  });

  it('has no events of its own, nor does one that never was know a request', async () => {
    const answer = await call(`${PATH}?action=events&shard=${SHARD}`, { headers });
    expect([answer.status, errorOf(answer).param]).toEqual([400, 'shard']);
    const made = requestId.replace(/^rq_../, 'rq_ff');
    for (const action of ['events', 'status']) expect((await about('GET', action, made, headers)).status).toBe(404);
  });
});

describe('after the number of shards was lowered', () => {
  const raw = env.TIDEGATE_CONFIG as unknown as string;
  const config = JSON.parse(raw) as { queue: object };
  /** The Worker as it was, with four of them, and as it is, with one. */
  const before = calling({ TIDEGATE_CONFIG: JSON.stringify({ ...config, queue: { ...config.queue, shards: 4 } }) });
  const counted = async (path: string, headers: Record<string, string>) =>
    JSON.parse((await call(`${PATH}?action=stats${path}`, { headers })).text) as Record<string, unknown>;

  it('what was queued is counted if asked for, taken back, erased, and run', async () => {
    await calm();
    await forget('acme');
    await organised('acme', ['pro']);
    const { token } = await made('acme', { scopes: ['chat', 'admin', 'metrics'] });
    const headers = bearer(token);
    await script('groq', { hold: true });
    const queued: Status[] = [];
    // Who is bound to no user lies anywhere.
    for (let count = 0; count < 24; count += 1) {
      const body = JSON.stringify({
        messages: [{ role: 'user', content: `${count}` }],
        max_tokens: 9,
        user: `u${count % 8}`,
      });
      const answer = await before(PATH, { method: 'POST', headers, body });
      expect(answer.status).toBe(202);
      queued.push(JSON.parse(answer.text) as Status);
    }
    const shards = new Set(queued.map(({ requestId }) => requestId.slice(3, 5)));
    expect(shards.size).toBeGreaterThan(1);
    const all = ({ queued, delayed, running }: Record<string, unknown>) =>
      Number(queued) + Number(delayed) + Number(running);
    const now = await counted('', headers);
    expect(now.shards).toBe(1);
    expect(all(now)).toBeLessThan(24);
    const every = await counted('&shards=4', headers);
    expect([every.shards, all(every)]).toEqual([4, 24]);
    const { text } = await call('/metrics?shards=4', { headers });
    const depth = [...text.matchAll(/^tidegate_queue_items\{state="(?:queued|running|delayed)"\} (\d+)/gm)];
    expect(depth.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(24);
    for (const wrong of ['0', '65', 'x']) {
      expect((await call(`${PATH}?action=stats&shards=${wrong}`, { headers })).status).toBe(400);
      expect((await call(`/metrics?shards=${wrong}`, { headers })).status).toBe(400);
    }

    // One of a shard that there is no more is taken back, a user's are erased, and what is left is run.
    const gone = queued.find(({ requestId }) => !requestId.startsWith('rq_00'));
    expect((await about('DELETE', '', gone?.requestId ?? '', headers)).status).toBe(200);
    const erased = await call('/api/ai/users/u3', { method: 'DELETE', headers });
    const { erased: figures } = JSON.parse(erased.text) as { erased: { queued: number } };
    expect(figures.queued).toBe(3);
    await script('groq');
    const left = queued.filter(({ requestId }, index) => index % 8 !== 3 && requestId !== gone?.requestId);
    for (const { requestId } of left) await reached(requestId, ['completed'], headers);
    expect((await counted('&shards=64', headers)).completed).toBe(left.length);
  });
});

describe('where the plan lets one request ask no more objects', () => {
  const failing = (message: string) => () => Promise.reject(new Error(message));
  const send = (message: string) => {
    const stub = { fetch: failing(message), dead: failing(message), cleanup: failing(message) };
    return calling({ REQUEST_QUEUE: { idFromName: () => ({}), get: () => stub } });
  };
  const headers = bearer(env.TIDEGATE_TOKEN);

  it.each(['events', 'dead', 'cleanup'])('%s says so', async (action) => {
    const said = async (message: string) => {
      const answer = await send(message)(`${PATH}?action=${action}`, { headers });
      return [answer.status, errorOf(answer).code, errorOf(answer).message.includes('plan')];
    };
    expect(await said('Too many subrequests by single Worker invocation.')).toEqual([500, 'internal', true]);
    expect(await said('Network connection lost.')).toEqual([500, 'internal', false]);
  });
});

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
    if ('error' in answer) throw new Error(answer.error.message);
    ({ requestId } = JSON.parse(answer.value) as Status);
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

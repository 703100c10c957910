import { env } from 'cloudflare:workers';
import { evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { calm, call, open, script, until } from '../client';
import { made, organised } from '../organisations';
import { about, bearer, enqueue, enqueued, object, PATH, reached } from '../queue';

const [LAST, PRESENT] = ['a', 'b'].map((letter) => btoa(letter.repeat(32))) as [string, string];

/** The organisation's queue begins anew with these master keys, as it does where the secrets have changed. */
async function masters(present: string, previous?: string): Promise<void> {
  await evictAllDurableObjects();
  await runInDurableObject(object('acme'), (instance) => {
    const own = { ...env, TIDEGATE_MASTER_KEY: present, TIDEGATE_MASTER_KEY_PREVIOUS: previous };
    Reflect.set(instance, 'env', own);
  });
}

const dead = { status: 400, body: '{"error":{"message":"no"}}' };
let ann: { authorization: string };

beforeEach(async () => {
  await calm();
  await forget('acme');
  await organised('acme', ['pro']);
  ann = bearer((await made('acme', { user: 'ann', scopes: ['chat'] })).token);
  await masters(LAST);
});

describe('what was queued under the last master key', () => {
  it('is the same request under the same key, and another one is told apart', async () => {
    await script('groq', dead);
    const body = { messages: [{ role: 'user', content: 'only once' }], idempotencyKey: 'order-7' };
    const { requestId } = await enqueued(body, ann);
    await reached(requestId, ['dead'], ann);
    await masters(PRESENT, LAST);
    expect((await enqueued(body, ann)).requestId).toBe(requestId);
    const other = await enqueue({ idempotencyKey: 'order-7' }, ann);
    expect([other.status, other.text]).toEqual([422, expect.stringContaining('idempotencyKey')]);
    expect((await enqueued({ idempotencyKey: 'order-8' }, ann)).requestId).not.toBe(requestId);
    // Without the last one nothing of it can be read.
    await masters(PRESENT);
    expect((await about('GET', 'status', requestId, ann)).status).toBe(404);
  });

  it('can be queued again, and its user is told of it', async () => {
    const admin = bearer((await made('acme', { scopes: ['chat', 'admin'] })).token);
    await script('groq', dead);
    const { requestId } = await enqueued({}, ann);
    await reached(requestId, ['dead'], ann);
    await masters(PRESENT, LAST);
    await script('groq', { hold: true });
    const all = await open(`${PATH}?action=events`, { headers: ann });
    expect((await about('POST', 'requeue', requestId, admin)).status).toBe(200);
    await reached(requestId, ['running'], ann);
    const one = await open(`${PATH}?action=events&requestId=${requestId}`, { headers: ann });
    await script('groq');
    expect(await one.text()).toMatch(/"status":"completed".*"result":/);
    const reader = all.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.includes('"status":"completed"')) heard += (await reader.read()).value;
    await reader.cancel();
  });

  it('is no answer of anybody’s once neither key opens it, keeps nobody waiting, and is there with its key again', async () => {
    const admin = bearer((await made('acme', { scopes: ['chat', 'admin'] })).token);
    for (const provider of ['groq', 'openrouter'] as const) await script(provider, { status: 503, body: '{}' });
    const lost = [
      await enqueued({ maxRetries: 10 }, ann),
      await enqueued({ maxRetries: 10, priority: 'critical' }, ann),
    ];
    for (const { requestId } of lost) await reached(requestId, ['delayed'], ann);
    await masters(PRESENT, LAST);
    await masters(btoa('c'.repeat(32)), PRESENT);
    for (const provider of ['groq', 'openrouter'] as const) await script(provider);
    const asked = Date.now();
    const { requestId } = await enqueued({}, ann);
    await reached(requestId, ['completed'], ann);
    expect(Date.now() - asked).toBeLessThan(8_000);
    for (const one of lost) expect((await about('GET', 'status', one.requestId, ann)).status).toBe(404);
    // Nobody could read what they ask: what ends so is a dead letter, which asks the same once it can be read.
    const dead = async () => {
      const { text } = await call(`${PATH}?action=dead`, { headers: admin });
      return (JSON.parse(text) as { dead: { requestId: string; code?: string }[] }).dead;
    };
    await until(async () => (await dead()).length === lost.length);
    await masters(PRESENT, LAST);
    for (const one of lost) {
      expect((await about('POST', 'requeue', one.requestId, admin)).status).toBe(200);
      await reached(one.requestId, ['completed'], ann);
    }
  }, 60_000);
});

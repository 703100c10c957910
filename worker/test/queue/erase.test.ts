import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';

import { homeOf } from '../../src/auth/token';
import { figuresOf, figuresOfAll, told } from '../../src/figures/counted';
import { forget, organisationObject } from '../../src/organisation/standing';
import { ask, calm, call, errorOf, open, script, until } from '../client';
import { made, organised } from '../organisations';
import { about, bearer, enqueued, object, reached } from '../queue';
import { calling } from '../started';

const USER = 'ann-who-is-erased';

beforeEach(async () => {
  await told('acme');
  await calm();
  await forget('acme');
  await organised('acme', ['pro']);
});

/** Everything that the organisation's objects keep, as text. */
async function everything(): Promise<string> {
  const home = await homeOf('acme');
  const objects = [
    ...[organisationObject(env, home), await figuresOf('acme', env), figuresOfAll(env), object('acme')],
    env.TENANT_LEDGER.get(env.TENANT_LEDGER.idFromName('acme')),
  ] as DurableObjectStub[];
  const texts = objects.map((stub) =>
    runInDurableObject(stub, (_, { storage: { sql } }) => {
      const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
      return tables
        .filter(({ name }) => !name.startsWith('_cf'))
        .flatMap(({ name }) => sql.exec(`SELECT * FROM "${name}"`).toArray().flatMap(Object.values))
        .map((value) => (value instanceof ArrayBuffer ? new TextDecoder('latin1').decode(value) : String(value)))
        .join('\n');
    }),
  );
  return (await Promise.all(texts)).join('\n');
}

const items = (shard = 0) =>
  runInDurableObject(object('acme', shard), (_, { storage }) =>
    storage.sql.exec('SELECT arrival FROM items').toArray(),
  );

describe('a user who is erased', () => {
  it.each([
    ['..', '?id=..'],
    ['.', '?id=.'],
    ['a/b', '/a%2Fb'],
    ['a%2Fb', '/a%252Fb'],
    ['../x', '?id=../x'],
    ['Ann Smith', '/Ann%20Smith'],
    ['Änne\u0000\n', `/${encodeURIComponent('Änne\u0000\n')}`],
    ['%', '?id=%25'],
  ])('is found by any name: %j', async (user, path) => {
    const { token } = await made('acme', { scopes: ['chat', 'admin'] });
    await script('groq', { hold: true });
    await enqueued({ user }, bearer(token));
    await enqueued({ user: `${user} and another` }, bearer(token));
    expect(await items()).toHaveLength(2);
    const answer = await call(`/api/ai/users${path}`, { method: 'DELETE', headers: bearer(token) });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      200,
      { user, erased: { days: 0, tokens: 0, queued: 1 } },
    ]);
    expect(await items()).toHaveLength(1);
    await call(`/api/ai/users?id=${encodeURIComponent(`${user} and another`)}`, {
      ...{ method: 'DELETE', headers: bearer(token) },
    });
    expect(await items()).toHaveLength(0);
    for (const none of ['', '?id=', `?id=${'x'.repeat(257)}`]) {
      const refused = await call(`/api/ai/users${none}`, { method: 'DELETE', headers: bearer(token) });
      expect([refused.status, errorOf(refused).param]).toEqual([400, 'id']);
    }
  });

  it('leaves nothing in any store, and what of his was running ends', async () => {
    const { token: admin } = await made('acme', { scopes: ['chat', 'admin'] });
    const { token, id } = await made('acme', { user: USER });
    const { token: bob } = await made('acme', { user: 'bob' });
    await ask({}, bearer(token));
    await ask({}, bearer(bob));
    const done = await enqueued({ conversation: USER }, bearer(token));
    await reached(done.requestId, ['completed'], bearer(token));
    await script('groq', { hold: true });
    const running = await enqueued({}, bearer(token));
    await reached(running.requestId, ['running'], bearer(token));
    const others = await enqueued({}, bearer(bob));
    const events = await call(`/api/ai/queue?action=stats`, { headers: bearer(token) });
    expect(JSON.parse(events.text)).toMatchObject({ completed: 1 });
    await told('acme');
    const before = await everything();
    for (const own of [USER, `u${USER}`, id, 'bob', 'ubob']) expect(before).toContain(own);
    expect(await items()).toHaveLength(3);

    const answer = await call(`/api/ai/users/${USER}`, { method: 'DELETE', headers: bearer(admin) });
    expect(JSON.parse(answer.text)).toEqual({ user: USER, erased: { days: 1, tokens: 1, queued: 2 } });
    await script('groq');
    await reached(others.requestId, ['completed'], bearer(bob));

    const after = await everything();
    for (const own of [USER, id]) expect(after).not.toContain(own);
    for (const other of ['bob', 'ubob']) expect(after).toContain(other);
    expect(await items()).toHaveLength(1);
    for (const { requestId } of [done, running]) {
      expect((await about('GET', 'status', requestId, bearer(admin))).status).toBe(404);
    }
    expect((await ask({}, bearer(token))).status).toBe(401);
  });

  it('hears nothing more, is asked for by nobody, and keeps nobody from being erased', async () => {
    const { token: admin } = await made('acme', { scopes: ['chat', 'admin'] });
    const { token } = await made('acme', { user: USER });
    const { token: bob } = await made('acme', { user: 'bob' });
    const others = await enqueued({}, bearer(bob));
    await reached(others.requestId, ['completed'], bearer(bob));
    // Nobody can tell whose a row is that cannot be read.
    await runInDurableObject(
      object('acme'),
      (_, { storage }) => void storage.sql.exec("UPDATE items SET bytes = x'ff'"),
    );
    await script('groq', { hold: true });
    const running = await enqueued({}, bearer(token));
    await reached(running.requestId, ['running'], bearer(token));
    const listen = async (as: string) => {
      const events = await open('/api/ai/queue?action=events', { headers: bearer(as) });
      const headers = { ...bearer(as), upgrade: 'websocket' };
      const { webSocket } = await open('/api/ai/queue?action=events', { headers });
      webSocket?.accept();
      const closed = new Promise<number>((resolve) =>
        webSocket?.addEventListener('close', ({ code }) => resolve(code)),
      );
      return { events, webSocket, closed };
    };
    const [own, other] = [await listen(token), await listen(bob)];
    const erased = await call(`/api/ai/users/${USER}`, { method: 'DELETE', headers: bearer(admin) });
    expect(JSON.parse(erased.text)).toMatchObject({ erased: { queued: 1 } });
    expect(await own.closed).toBe(1000);
    expect(await own.events.text()).toContain(': open');
    const inFlight = async () => {
      const { text } = await call('/api/ai/status', { headers: bearer(admin) });
      return (JSON.parse(text) as { inFlight: number }).inFlight;
    };
    await until(async () => (await inFlight()) === 0);
    // Not by its own timeout.
    await told('acme');
    const ended = Object.keys(await (await figuresOf('acme', env)).counters()).filter((name) => /"queue"/.test(name));
    expect(ended.map((name) => /outcome="(\w+)"/.exec(name)?.[1]).sort()).toEqual(['aborted', 'ok']);
    other.webSocket?.send('ping');
    const pong = new Promise((resolve) => other.webSocket?.addEventListener('message', ({ data }) => resolve(data)));
    expect(await pong).toBe('pong');
    other.webSocket?.close();
    await other.events.body?.cancel();
    await script('groq');
  });

  it('is told not to be erased where the ledger cannot write', async () => {
    const real = env.TENANT_LEDGER;
    const get = (id: DurableObjectId) => {
      const stub = real.get(id);
      return { decide: (command: string) => stub.decide(command), eraseUser: () => Promise.resolve(false) };
    };
    const TENANT_LEDGER = { idFromName: (name: string) => real.idFromName(name), get };
    const headers = bearer(env.TIDEGATE_TOKEN);
    const answer = await calling({ TENANT_LEDGER })(`/api/ai/users/${USER}`, { method: 'DELETE', headers });
    expect([answer.status, errorOf(answer).code]).toEqual([500, 'internal']);
  });

  it('is one of the organisation that was named', async () => {
    const { token } = await made('acme', { user: USER });
    await ask({}, bearer(token));
    await told('acme');
    expect(await everything()).toContain(`u${USER}`);
    expect((await call(`/api/ai/users/${USER}?organisation=acme`, { method: 'DELETE' })).status).toBe(200);
    expect(await everything()).not.toContain(USER);
  });

  it('leaves nothing in shards that the configuration had once', async () => {
    const { token: admin } = await made('acme', { scopes: ['chat', 'admin'] });
    await script('groq', { hold: true });
    const json = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 });
    const shards = [1, 63];
    for (const shard of shards) {
      await object('acme', shard).enqueue('acme', shard, json, USER, undefined, ['pro', USER, '']);
      await object('acme', shard).enqueue('acme', shard, json, 'bob', undefined, ['pro', 'bob', '']);
    }
    const answer = await call(`/api/ai/users/${USER}`, { method: 'DELETE', headers: bearer(admin) });
    expect(JSON.parse(answer.text)).toMatchObject({ erased: { queued: 2 } });
    await script('groq');
    for (const shard of shards) expect(await items(shard)).toHaveLength(1);
  });

  it('goes in steps where the plan lets one request ask fewer objects', async () => {
    const { token, id } = await made('acme', { user: USER });
    await ask({}, bearer(token));
    await script('groq', { hold: true });
    const json = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 });
    const shards = [1, 25, 63];
    for (const shard of shards) {
      await object('acme', shard).enqueue('acme', shard, json, USER, undefined, ['pro', USER, '']);
    }
    let left = 0;
    const limited = <T extends DurableObjectNamespace>(real: T, method: string) => ({
      idFromName: (name: string) => real.idFromName(name),
      get: (id: DurableObjectId) => {
        const stub = real.get(id) as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
        const within = (...given: unknown[]) =>
          (left -= 1) < 0
            ? Promise.reject(new Error('Too many subrequests by single Worker invocation.'))
            : stub[method]?.(...given);
        return { [method]: within, decide: (...given: unknown[]) => stub.decide?.(...given) };
      },
    });
    const call = calling({
      REQUEST_QUEUE: limited(env.REQUEST_QUEUE as unknown as DurableObjectNamespace, 'eraseUser'),
      TENANT_LEDGER: limited(env.TENANT_LEDGER as unknown as DurableObjectNamespace, 'eraseUser'),
    });
    await told('acme');
    const step = async (after: string, objects: number) => {
      left = objects;
      const headers = bearer(env.TIDEGATE_TOKEN);
      const path = `/api/ai/users/${USER}?organisation=acme${after}`;
      const answer = await call(path, { method: 'DELETE', headers });
      return answer.status === 200 ? (JSON.parse(answer.text) as unknown) : errorOf(answer).message;
    };
    expect(await step('', 0)).toContain('plan');
    expect(await step('', 24)).toEqual({ user: USER, erased: { days: 0, tokens: 0, queued: 1 }, after: 24 });
    expect(await step('&after=24', 40)).toEqual({ user: USER, erased: { days: 0, tokens: 0, queued: 2 }, after: 64 });
    expect(await everything()).toContain(id);
    expect(await step('&after=64', 1)).toEqual({ user: USER, erased: { days: 0, tokens: 1, queued: 0 } });
    const after = await everything();
    for (const own of [USER, id]) expect(after).not.toContain(own);
    for (const shard of shards) expect(await items(shard)).toHaveLength(0);
    for (const none of ['&after=65', '&after=-1', '&after=x']) expect(await step(none, 99)).toContain('not valid');
  });

  it('is a figure of nobody in the queue’s depth', async () => {
    const { token: admin } = await made('acme', { scopes: ['chat', 'admin', 'metrics'] });
    const { token } = await made('acme', { user: USER });
    await script('groq', { hold: true });
    const { requestId } = await enqueued({ priority: 'high' }, bearer(token));
    await reached(requestId, ['running'], bearer(token));
    const depth = async () => {
      const { text } = await call('/metrics', { headers: bearer(admin) });
      return text.split('\n').filter((line) => /^tidegate_queue_(items|open)\S+ [1-9]/.test(line));
    };
    expect(await depth()).toEqual([
      'tidegate_queue_items{state="running"} 1',
      'tidegate_queue_open{priority="high"} 1',
    ]);
    const status = await call('/api/ai/status', { headers: bearer(token) });
    expect(JSON.parse(status.text)).toMatchObject({ queue: { running: 1, queued: 0, open: { high: 1 } } });
    await call(`/api/ai/users/${USER}`, { method: 'DELETE', headers: bearer(admin) });
    expect(await depth()).toEqual([]);
  });
});

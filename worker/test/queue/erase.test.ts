import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';

import { homeOf } from '../../src/auth/token';
import { figuresOf, figuresOfAll, told } from '../../src/figures/counted';
import { forget, organisationObject } from '../../src/organisation/standing';
import { ask, calm, call, script } from '../client';
import { made, organised } from '../organisations';
import { about, bearer, enqueued, object, reached } from '../queue';

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

const items = () =>
  runInDurableObject(
    object('acme'),
    (_, { storage }) => storage.sql.exec('SELECT arrival FROM items').toArray().length,
  );

describe('a user who is erased', () => {
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
    expect(await items()).toBe(3);

    const answer = await call(`/api/ai/users/${USER}`, { method: 'DELETE', headers: bearer(admin) });
    expect(JSON.parse(answer.text)).toEqual({ user: USER, erased: { days: 1, tokens: 1, queued: 2 } });
    await script('groq');
    await reached(others.requestId, ['completed'], bearer(bob));

    const after = await everything();
    for (const own of [USER, id]) expect(after).not.toContain(own);
    for (const other of ['bob', 'ubob']) expect(after).toContain(other);
    expect(await items()).toBe(1);
    for (const { requestId } of [done, running]) {
      expect((await about('GET', 'status', requestId, bearer(admin))).status).toBe(404);
    }
    expect((await ask({}, bearer(token))).status).toBe(401);
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { isTidegateError, Tidegate, TidegateError } from 'tidegate';

import { Watchdog } from '../dist/watchdog.js';
import { answer, ask, KEY, keyed, open } from './support.mjs';

test('open gives the same gate for a name, another for a changed configuration, a new one after close', async () => {
  const config = { name: 'same', cache: { ttlMs: 1000 } };
  const [one, two] = await Promise.all([Tidegate.open(config), Tidegate.open({ ...config })]);
  assert.equal(one, two);
  const other = await Tidegate.open({ ...config, name: 'other' });
  assert.notEqual(one, other);
  const changed = await Tidegate.open({ ...config, cache: { ttlMs: 2000 } });
  assert.notEqual(changed, one);
  assert.equal((await changed.status()).cache.ttlMs, 2000);
  await changed.close();
  const fresh = await Tidegate.open({ ...config, cache: { ttlMs: 2000 } });
  assert.notEqual(fresh, changed);
  await Promise.all([fresh.close(), other.close()]);
});

test('the same settings are the same configuration, however they are written down', async (t) => {
  const one = await Tidegate.open({ name: 'order', retry: { baseMs: 1, capMs: 2 }, cache: { ttlMs: 5 } });
  t.after(() => one.close());
  const again = { cache: { ttlMs: 5 }, breaker: undefined, retry: { capMs: 2, baseMs: 1 }, name: 'order' };
  assert.equal(await Tidegate.open(again), one);
  assert.equal((await one.status()).cache.ttlMs, 5, 'it is still open');
  const unnamed = await Tidegate.open();
  t.after(() => unnamed.close());
  assert.equal(await Tidegate.open({ name: 'default' }), unnamed);
  // The order of a list is a setting.
  const targets = [
    { provider: 'groq', model: 'openai/gpt-oss-20b' },
    { provider: 'openrouter', model: 'qwen/qwen3-coder:free' },
  ];
  const listed = await Tidegate.open({ name: 'listed', targets });
  const turned = await Tidegate.open({ name: 'listed', targets: [...targets].reverse() });
  t.after(() => turned.close());
  assert.notEqual(turned, listed);
  await assert.rejects(Tidegate.open({ name: 5 }), { code: 'config_invalid' });
});

test('a target is keyed by whoever its requests go to', async (t) => {
  const gate = await Tidegate.open({
    name: 'relayed',
    providers: { own: { baseUrl: 'https://relay.example/v1' } },
    targets: [{ provider: 'openai', model: 'gpt-4.1-mini', relay: 'own' }],
  });
  t.after(() => gate.close());
  const isKeyed = async () => (await gate.status()).targets[0].keyed;
  assert.equal(await isKeyed(), false);
  await gate.vault.putForSession('own', 'a-token-of-the-relay');
  assert.equal(await isKeyed(), true);
});

test('a gate that was closed says so, whoever closed it', async (t) => {
  const real = globalThis.fetch;
  t.after(() => (globalThis.fetch = real));
  globalThis.fetch = async () => new Response('elsewhere');
  const config = { name: 'taken', targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }] };
  const old = await Tidegate.open(config);
  await old.vault.putForSession('groq', KEY);
  const taker = await Tidegate.open({ ...config, cache: { ttlMs: 2000 } });
  const isClosed = (error) => {
    assert.ok(isTidegateError(error) && error.status === 410 && !error.shouldRetry, inspect(error));
    assert.equal(error.code, 'closed');
    return true;
  };
  const stream = { ...ask('one'), stream: true };
  for (const work of [
    () => old.chat(ask('one')),
    () => old.chat(stream),
    () => old.status(),
    () => old.budget.status(),
    () => old.records(),
    () => old.cache.size(),
    () => old.cache.clear(),
    () => old.vault.state(),
    () => old.vault.list(),
    () => old.vault.unlock('passphrase'),
    () => old.vault.putForSession('groq', KEY),
  ])
    await assert.rejects(work, isClosed, String(work));
  const response = await old.fetch('https://api.groq.com/openai/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify(ask('one')),
  });
  assert.equal(response.status, 410);
  assert.equal((await response.json()).error.code, 'closed');
  assert.equal(await (await old.fetch('https://example.org/')).text(), 'elsewhere', 'what is not its own goes on');
  await old.close();
  await taker.status();
  await taker.close();
  await assert.rejects(taker.status(), isClosed);
});

test('a bad configuration is named, and the name stays free', async () => {
  await assert.rejects(Tidegate.open({ name: 'bad', retry: { maxRetries: 99 }, unheard: 1 }), (error) => {
    assert.ok(error instanceof TidegateError && isTidegateError(error));
    assert.equal(error.code, 'config_invalid');
    const paths = error.fields.map(({ path }) => path);
    assert.ok(paths.some((path) => path.includes('maxRetries')) && paths.some((path) => path.includes('unheard')));
    assert.match(error.message, /maxRetries/u);
    return true;
  });
  await (await Tidegate.open({ name: 'bad' })).close();
});

test('a bad configuration takes nobody’s place', async (t) => {
  const config = { name: 'mistaken', targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }] };
  const fetch = async () => answer();
  const gate = await Tidegate.open(config, { fetch });
  t.after(() => gate.close());
  await gate.vault.putForSession('groq', KEY);
  await gate.chat(ask('one'));
  const { spentNanoUsd } = await gate.budget.status();
  const mistaken = { ...config, retry: { maxRetries: 99 } };
  const both = [Tidegate.open(mistaken), Tidegate.open({ ...mistaken, breaker: 0 })];
  for (const opening of both) await assert.rejects(opening, { code: 'config_invalid' });
  assert.equal(await Tidegate.open(config), gate);
  assert.equal((await gate.budget.status()).spentNanoUsd, spentNanoUsd, 'what was spent is not forgotten');
  assert.equal((await gate.chat(ask('two'))).tidegate.target, 'groq/openai/gpt-oss-20b', 'nor the key');
  // A gate that is closed meanwhile does not come back.
  const opening = Tidegate.open(mistaken);
  await gate.close();
  await assert.rejects(opening, { code: 'config_invalid' });
  const fresh = await Tidegate.open(config);
  assert.notEqual(fresh, gate);
  await fresh.close();
});

test('errors are real errors with fields', async (t) => {
  const { gate } = await keyed(t, { retry: { maxRetries: 0 } }, () => new Response('{}', { status: 500 }));
  await assert.rejects(gate.chat(ask('one')), (error) => {
    assert.ok(error instanceof TidegateError && error instanceof Error);
    assert.equal(error.name, 'TidegateError');
    assert.equal(error.code, 'upstream_failed');
    assert.equal(error.shouldRetry, false);
    assert.deepEqual(
      error.attempts.map(({ attempt, target, status }) => ({ attempt, target, status })),
      [{ attempt: 1, target: 'groq/openai/gpt-oss-20b', status: 500 }],
    );
    assert.ok(!inspect(error, { depth: 9 }).includes(KEY));
    return true;
  });
  await assert.rejects(gate.chat({ messages: [] }), { code: 'invalid_request' });
});

test('the budget refuses with its figures', async (t) => {
  const { gate, sent } = await keyed(t, { budget: { limitUsd: '0.000001' } });
  await assert.rejects(gate.chat(ask('dear')), (error) => {
    assert.equal(error.code, 'budget_exceeded');
    assert.equal(error.status, 402);
    assert.equal(error.budget.limitNanoUsd, 1000);
    assert.ok(error.budget.resetsAt > Date.now());
    return true;
  });
  assert.deepEqual(sent, []);
});

test('cache controls', async (t) => {
  const { gate, sent } = await keyed(t, {}, ({ number }) => answer(`Answer ${number}`));
  const said = async (options) => {
    const { choices, tidegate } = await gate.chat(ask('the same'), options);
    return [choices[0].message.content, tidegate.cache, tidegate.costNanoUsd > 0];
  };
  assert.deepEqual(await said({ cache: { skipWrite: true } }), ['Answer 1', 'miss', true]);
  assert.deepEqual(await said(), ['Answer 2', 'miss', true]);
  assert.deepEqual(await said(), ['Answer 2', 'hit', false]);
  assert.equal((await said({ cache: { skipRead: true, skipWrite: true } }))[0], 'Answer 3');
  assert.equal((await said({ cache: { refresh: true } }))[0], 'Answer 4');
  assert.deepEqual(await said(), ['Answer 4', 'hit', false]);
  assert.equal((await said({ cache: { namespace: 'apart' } }))[0], 'Answer 5');
  assert.equal((await said({ tenant: 'another' }))[0], 'Answer 6');
  assert.equal(await gate.cache.size(), 3);
  await gate.cache.clear();
  assert.equal(await gate.cache.size(), 0);
  assert.equal((await said())[0], 'Answer 7');
  assert.equal(sent.length, 7);
});

test('an abort before sends nothing; one during gives everything back', async (t) => {
  const controller = new AbortController();
  const { gate, sent } = await keyed(t, {}, async ({ signal }) => {
    queueMicrotask(() => controller.abort());
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  await assert.rejects(gate.chat(ask('early'), { signal: AbortSignal.abort() }), { code: 'aborted' });
  assert.deepEqual(sent, []);
  await assert.rejects(gate.chat(ask('late'), { signal: controller.signal }), { code: 'aborted' });
  assert.equal(sent.length, 1);
  const { inFlight, budget, targets } = await gate.status();
  assert.deepEqual([inFlight, budget.reservedNanoUsd, targets[0].failures], [0, 0, 0]);
});

test('the status tells which targets have no price, and the refusal names them', async (t) => {
  const targets = [
    { provider: 'groq', model: 'unheard-of' },
    { provider: 'groq', model: 'openai/gpt-oss-20b' },
  ];
  const priced = async (config) => {
    const { gate } = await keyed(t, { targets, ...config });
    return (await gate.status()).targets.map((target) => target.priced);
  };
  assert.deepEqual(await priced(), [false, true]);
  assert.deepEqual(await priced({ unknownPrice: 'worst' }), [true, true]);
  assert.deepEqual(await priced({ prices: [{ ...targets[0], inputUsd: 0.1, outputUsd: 1 }] }), [true, true]);
  const { gate, sent } = await keyed(t, { targets: targets.slice(0, 1) });
  await assert.rejects(gate.chat(ask('one')), ({ code, fields, message }) => {
    assert.deepEqual([code, fields?.map(({ path }) => path)], ['unpriced_input', ['prices']]);
    assert.match(message, /prices must give the price of groq\/unheard-of/u);
    return true;
  });
  assert.deepEqual(sent, []);
});

test('events arrive until they are switched off; a listener that throws harms nothing', async (t) => {
  const { gate } = await keyed(t);
  const thrown = [];
  const caught = (error) => thrown.push(error.message);
  // The test runner listens too, and would fail the test.
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', caught);
  t.after(() => {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  });
  const seen = [];
  gate.on('attempt-start', () => {
    throw new Error('of the app');
  });
  const off = gate.on('request-end', (event) => seen.push(event));
  const { tidegate } = await gate.chat(ask('one'));
  assert.equal(seen.length, 1);
  assert.equal(seen[0].requestId, tidegate.requestId);
  assert.ok(seen[0].ok && seen[0].costNanoUsd === tidegate.costNanoUsd);
  off();
  await gate.chat(ask('two'));
  assert.equal(seen.length, 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(thrown, ['of the app', 'of the app']);
});

test('records are replayed to the same decisions', async (t) => {
  const { gate } = await keyed(t, {}, ({ number }) => (number === 1 ? new Response('', { status: 500 }) : answer()));
  await gate.chat(ask('one secret thing'));
  const [record] = await gate.records();
  assert.ok(!record.includes('secret') && !record.includes(KEY));
  assert.equal((await gate.replay(record)).same, true);
});

test('a core that never settles is told as internal', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const never = new Watchdog().watch(new Promise(() => {}), 1000);
  const told = assert.rejects(never, { code: 'internal', name: 'TidegateError' });
  t.mock.timers.tick(20_000);
  await told;
  assert.equal(await new Watchdog().watch(Promise.resolve(7), 1000), 7);
});

test('the gates of different names are isolated', async (t) => {
  const { gate } = await keyed(t);
  const { gate: other } = await open(t);
  assert.equal((await gate.status()).targets[0].keyed, true);
  assert.equal((await other.status()).targets[0].keyed, false);
});

test('an answer without end is given up, not kept in memory', async (t) => {
  const chunk = new Uint8Array(1 << 20).fill(0x20);
  let pulled = 0;
  let cancelled = 0;
  const endless = () =>
    new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(chunk);
      },
      cancel: () => void (cancelled += 1),
    });
  const config = { targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }], retry: { maxRetries: 0 } };
  const headers = { 'content-type': 'application/json' };
  const { gate } = await keyed(t, config, () => new Response(endless(), { headers }));
  await assert.rejects(gate.chat(ask('one')), { code: 'upstream_malformed' });
  assert.equal(cancelled, 1);
  assert.ok(pulled < 80, `${pulled} MB were read`);
});

test('a gate that was closed is let go, with what the Wasm had of it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const opened = async () => {
    const provider = { fetch: async () => answer() };
    const gate = await Tidegate.open({ name: 'let-go', queue: {} }, provider);
    await gate.vault.putForSession('groq', KEY);
    gate.on('attempt-end', () => undefined);
    await gate.chat(ask('one'));
    await gate.close();
    // The Wasm held the hook.
    return [new WeakRef(gate), new WeakRef(provider.fetch)];
  };
  const held = await opened();
  // What watches for answers that never come looks every 5 s.
  for (let waited = 0; waited < 80 && held.some((one) => one.deref()); waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    collect();
  }
  assert.deepEqual(
    held.map((one) => one.deref()),
    [undefined, undefined],
  );
});

test('limits of callers are refused where there are none: nobody shall believe in a cap that there is not', async () => {
  for (const name of ['rates', 'budgets', 'leases'])
    await assert.rejects(Tidegate.open({ name: 'alone', [name]: name === 'budgets' ? [] : {} }), {
      code: 'config_invalid',
      fields: [{ path: name, problem: 'is for the Worker: here it would limit nobody' }],
    });
});

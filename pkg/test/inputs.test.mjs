// What a person gets wrong on the first day is named, and never called a failure of the gateway.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

import { askPasskey, isTidegateError, redact, scan, Scanner, Tidegate } from '../dist/node.js';
import vite from '../dist/vite.js';

test('values that are no keys, passphrases, ways in, requests or configurations', async (t) => {
  const gate = await Tidegate.open({ name: 'inputs', ledger: 'memory' });
  t.after(() => gate.close());
  const { vault } = gate;
  const fields = async (work) => {
    const error = await work().then(
      () => assert.fail('was taken'),
      (thrown) => thrown,
    );
    assert.ok(isTidegateError(error), String(error));
    return [error.code, ...(error.fields ?? []).map(({ path }) => path)];
  };
  const unset = process.env.A_VARIABLE_THAT_IS_NOT_SET;
  assert.deepEqual(await fields(() => vault.putForSession('groq', unset)), ['invalid_request', 'key']);
  for (const nothing of [unset, null, 7]) {
    assert.deepEqual(await fields(() => vault.create(nothing)), ['invalid_request', 'slot']);
    assert.deepEqual(await fields(() => vault.create({ kind: 'passphrase', passphrase: nothing })), [
      'invalid_request',
      'passphrase',
    ]);
  }
  await vault.create('a passphrase');
  assert.deepEqual(await fields(() => vault.put('groq', null)), ['invalid_request', 'key']);
  assert.deepEqual(await fields(() => vault.unlock(unset)), ['invalid_request', 'slot']);
  assert.deepEqual(await fields(() => vault.addSlot(null)), ['invalid_request', 'slot']);
  assert.deepEqual(await fields(() => vault.rotate(unset)), ['invalid_request', 'slots']);
  assert.deepEqual(await fields(() => vault.exportFile(unset)), ['invalid_request', 'passphrase']);
  assert.deepEqual(await fields(() => vault.importFile('a file', 'its passphrase')), ['invalid_request', 'file']);
  for (const request of [unset, null, 'Hi', 7])
    assert.equal((await fields(() => gate.chat(request)))[0], 'invalid_request');
  for (const nothing of [null, [], 'Hi']) {
    assert.deepEqual(await fields(() => Tidegate.open(nothing)), ['config_invalid', '']);
  }
  assert.deepEqual(await fields(() => gate.chat({ stream: true, messages: 1n })), ['invalid_request', 'messages']);
  const cycle = {};
  cycle.self = cycle;
  const trap = {
    get messages() {
      throw new Error('not now');
    },
  };
  let deep = [];
  for (let depth = 0; depth < 99_999; depth += 1) deep = [deep];
  for (const [odd, path] of [
    [{ messages: 1n }, 'messages'],
    [cycle, 'self'],
    [trap, 'messages'],
    [{ messages: deep }, 'messages'],
  ]) {
    assert.deepEqual(await fields(() => gate.chat(odd)), ['invalid_request', path]);
    assert.deepEqual(await fields(() => Tidegate.open(odd)), ['config_invalid', path]);
  }
});

/** What is none of what a method takes. Each makes the Wasm's glue read or write where it must not, if it gets there. */
function oddities() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const trap = new Proxy({}, { get: fails, ownKeys: fails, getPrototypeOf: fails });
  const gone = new Uint8Array(32);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  // Only later Nodes tell what was transferred from what is empty.
  const moved = 'detached' in ArrayBuffer.prototype ? [gone] : [];
  return [undefined, null, 7, 7n, Symbol('odd'), {}, new Date(), ...moved, trap, proxy];
}
const fails = () => {
  throw new Error('not now');
};

for (const [what, path, call] of [
  ['scan', 'input', ({ odd }) => scan(odd)],
  ['a key for fingerprints', 'key', ({ odd }) => odd != null && scan('a text', { key: odd })],
  ['a name of values', 'values.0.name', ({ odd }) => scan('a text', { values: [{ name: odd, value: 'a value' }] })],
  ['a value of values', 'values.0.value', ({ odd }) => scan('a text', { values: [{ name: 'API_KEY', value: odd }] })],
  ['redact', 'text', ({ odd }) => redact(odd)],
  ['a key of redact', 'key', ({ odd }) => odd != null && redact('a text', { key: odd })],
  ['restore', 'text', async ({ odd }) => (await redact('a text', { reversible: true })).restore(odd)],
  ['push', 'text', async ({ odd }) => (await redact('a text', { reversible: true })).push(odd)],
  ['replay', 'record', ({ gate, odd }) => gate.replay(odd)],
  ['publishable', 'publishable', ({ odd }) => odd != null && scan('a text', { publishable: odd })],
  ['reversible', 'reversible', ({ odd }) => odd != null && redact('a text', { reversible: odd })],
  ['a list of values', 'values', ({ odd }) => odd != null && scan('a text', { values: odd })],
  ['vault.put', 'provider', ({ gate, odd }) => gate.vault.put(odd, 'gsk_of_nobody')],
  ['vault.putForSession', 'provider', ({ gate, odd }) => gate.vault.putForSession(odd, 'gsk_of_nobody')],
  ['vault.reveal', 'provider', ({ gate, odd }) => gate.vault.reveal(odd)],
  ['vault.remove', 'provider', ({ gate, odd }) => gate.vault.remove(odd)],
  ['vault.presence', 'sign', ({ gate, odd }) => gate.vault.presence(odd)],
  ['a key of vault.put', 'key', ({ gate, odd }) => gate.vault.put('groq', odd)],
  ['a key for the session', 'key', ({ gate, odd }) => gate.vault.putForSession('groq', odd)],
  ['a passphrase', 'passphrase', ({ gate, odd }) => gate.vault.unlock({ kind: 'passphrase', passphrase: odd })],
  ['vault.rotate', 'slots', ({ gate, odd }) => gate.vault.rotate(odd)],
  ['a file', 'file', ({ gate, odd }) => gate.vault.importFile(odd, 'a passphrase')],
  ['askPasskey', 'slots', ({ odd }) => askPasskey(odd)],
  ['queue.status', 'requestId', ({ gate, odd }) => gate.queue.status(odd)],
  ['queue.cancel', 'requestId', ({ gate, odd }) => gate.queue.cancel(odd)],
  ['queue.requeue', 'requestId', ({ gate, odd }) => gate.queue.requeue(odd)],
]) {
  test(`no value but the right one reaches the Wasm: ${what}`, async (t) => {
    const gate = await Tidegate.open({ name: 'oddities', ledger: 'memory', queue: {} });
    t.after(() => gate.close());
    await gate.vault.create('a passphrase');
    for (const [index, odd] of oddities().entries()) {
      const taken = await Promise.resolve(call({ gate, odd })).then(
        (value) => value,
        (error) => {
          assert.ok(isTidegateError(error), `${index}: ${error}`);
          assert.deepEqual([error.code, error.fields?.[0]?.path], ['invalid_request', path], String(index));
        },
      );
      assert.ok(!taken, String(index));
    }
    // What got past would have left the instance that all gates share broken.
    assert.equal((await redact('nothing in it')).text, 'nothing in it');
    assert.equal(await gate.vault.state(), 'unlocked');
  });
}

test('second arguments that are no options are named, and nothing is done', async (t) => {
  const gate = await Tidegate.open({ name: 'second', ledger: 'memory' });
  t.after(() => gate.close());
  const { vault } = gate;
  await vault.create('a passphrase');
  const getter = (name) => Object.defineProperty({}, name, { get: fails, enumerable: true });
  const named = (error) =>
    isTidegateError(error) && error.code === 'invalid_request' && error.fields[0].path === 'options';
  const [trap, over] = oddities().slice(-2);
  for (const odd of [getter('replaces'), trap, over, 7, 'x']) {
    await assert.rejects(vault.addSlot('another passphrase', odd), named);
  }
  assert.equal((await vault.slots()).length, 1);
  await vault.addSlot('another passphrase', null);
  vault.lock();
  for (const odd of [getter('skipDamaged'), trap, over, 7, 'x']) {
    await assert.rejects(vault.unlock('a passphrase', odd), named);
    assert.equal(await vault.state(), 'locked');
  }
  await vault.unlock('a passphrase', null);
});

test('options that are none are named, and what is absent may be said to be so', async (t) => {
  const named = (path) => (error) =>
    isTidegateError(error) && error.code === 'invalid_request' && error.fields[0].path === path;
  const [trap, over] = oddities().slice(-2);
  for (const options of [7, 'x', trap, over]) {
    await assert.rejects(scan('a text', options), named('options'));
    await assert.rejects(redact('a text', options), named('options'));
    await assert.rejects(Scanner.create(options), named('options'));
  }
  await assert.rejects(scan('a text', { values: 'x' }), named('values'));
  await assert.rejects(scan('a text', { values: [null, 7] }), named('values.0.name'));
  assert.deepEqual(await scan('a text', null), []);
  assert.deepEqual(await scan('a text', { key: null, publishable: null, values: null }), []);
  const gate = await Tidegate.open({ name: 'nothing', ledger: 'memory', queue: {} }, null);
  t.after(() => gate.close());
  await gate.vault.create('a passphrase');
  assert.deepEqual(await gate.vault.unlock('a passphrase', null), { damaged: [] });
  assert.equal((await gate.vault.addSlot({ kind: 'recovery', name: null }, null)).kind, 'recovery');
  await assert.rejects(gate.vault.removeSlot(Symbol('x')), { code: 'invalid_request' });
  const request = { messages: [{ role: 'user', content: 'Hi' }] };
  for (const odd of [trap, over]) {
    await assert.rejects(gate.chat(odd), named(''));
    await assert.rejects(gate.chat(request, odd), named('options'));
    await assert.rejects(gate.chat({ ...request, stream: true }, odd), named('options'));
    await assert.rejects(gate.queue.enqueue(odd), named(''));
    await assert.rejects(gate.vault.create(odd), named('slot'));
    await assert.rejects(gate.vault.unlock(odd), named('slot'));
    await assert.rejects(Tidegate.open(odd), { code: 'config_invalid' });
  }
  const passkey = { kind: 'passkey', credential: new Uint8Array(16), prf: new Uint8Array(32) };
  for (const salt of ['salt', null]) {
    await assert.rejects(gate.vault.addSlot({ ...passkey, salt }), named('slot.salt'));
  }
  const asked = await gate.fetch.with(undefined)('https://api.groq.com/openai/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ model: 'openai/gpt-oss-20b', ...request }),
  });
  assert.match((await asked.json()).error.message, /groq has no key/u);
});

test('names that are no options are told, with those that there are', async (t) => {
  const slip = (path) => (error) =>
    isTidegateError(error) && error.fields[0].path === path && / known are .*\w/u.test(error.fields[0].problem);
  await assert.rejects(scan('a text', { publishabel: false }), slip('publishabel'));
  await assert.rejects(Scanner.create({ publishabel: false }), slip('publishabel'));
  await assert.rejects(redact('a text', { revertible: true }), slip('revertible'));
  const gate = await Tidegate.open({ name: 'slips', ledger: 'memory', queue: {} });
  t.after(() => gate.close());
  const request = { messages: [{ role: 'user', content: 'Hi' }] };
  // It would go to the provider as a field of the request.
  await assert.rejects(gate.queue.enqueue(request, { prioritty: 'low' }), slip('prioritty'));
  await assert.rejects(gate.queue.enqueue(request, 7), { code: 'invalid_request' });
});

test('what was freed says so, and may be freed twice', async () => {
  const freed = (path) => (error) => isTidegateError(error) && error.fields[0].path === path;
  const scanner = await Scanner.create();
  const redaction = await redact('a text', { reversible: true });
  for (const one of [scanner, redaction]) for (let times = 0; times < 2; times += 1) one.free();
  assert.throws(() => scanner.push('a text'), freed('scanner'));
  assert.throws(() => scanner.finish(), freed('scanner'));
  for (const used of ['restore', 'push', 'finish']) assert.throws(() => redaction[used]('a text'), freed('redaction'));
});

test('hooks that are none are refused: without the one of `fetch` requests would go out', async () => {
  const wrong = (hooks) =>
    Tidegate.open({ name: 'hooked' }, hooks).then(
      () => assert.fail('was taken'),
      ({ code, fields }) => [code, ...fields.map(({ path }) => path)],
    );
  assert.deepEqual(await wrong({ fecth: fetch, fetch: 'fetch', ledger: {}, join: 'no', container: 7 }), [
    'config_invalid',
    ...['fecth', 'fetch', 'ledger', 'join', 'container'].map((hook) => `hooks.${hook}`),
  ]);
  const [trap, over] = oddities().slice(-2);
  class Hooks {
    fetch() {}
  }
  for (const odd of [7, 'x', fetch, trap, over, new Hooks(), new Map()])
    assert.deepEqual(await wrong(odd), ['config_invalid', 'hooks']);
  const gate = await Tidegate.open({ name: 'hooked' }, { fetch: undefined, ledger: null });
  await gate.close();
});

test('a configuration that was not awaited is refused: it would be one of all defaults', async () => {
  await assert.rejects(Tidegate.open(Promise.resolve({ name: 'late' })), ({ code, fields }) => {
    assert.deepEqual([code, fields[0].path], ['config_invalid', '']);
    assert.match(fields[0].problem, /await/u);
    return true;
  });
});

test('`gate.fetch` is refused like a `fetch`, and takes what a `fetch` takes', async (t) => {
  const gate = await Tidegate.open({ name: 'like-fetch', ledger: 'memory' });
  t.after(() => gate.close());
  const url = 'https://api.groq.com/openai/v1/chat/completions';
  const asked = { method: 'POST', body: '{"messages":[{"role":"user","content":"Hi"}]}' };
  for (const signal of [{}, 'x', Promise.resolve()]) {
    await assert.rejects(gate.fetch(url, { ...asked, signal }), { name: 'TypeError', message: /AbortSignal|signal/u });
  }
  const method = { toString: () => 'post' };
  assert.match((await (await gate.fetch(url, { ...asked, method })).json()).error.message, /groq has no key/u);
  for (const odd of [7, 'x', true]) {
    const response = await gate.fetch.with(odd)(url, asked);
    assert.equal(response.status, 400);
    assert.match((await response.json()).error.message, /options must be a plain object/u);
  }
});

test('the same configuration in another order is the same', async (t) => {
  const targets = [
    { provider: 'groq', model: 'one' },
    { provider: 'groq', model: 'two' },
  ];
  const config = { name: 'order', ledger: 'memory', budget: { limitUsd: '1', resetHour: 3 }, targets };
  const gate = await Tidegate.open(config);
  t.after(() => gate.close());
  const others = targets.map(({ model, provider }) => ({ model, provider }));
  const budget = { resetHour: 3, limitUsd: '1' };
  assert.equal(await Tidegate.open({ targets: others, budget, ledger: 'memory', name: 'order' }), gate);
  // The order of a list says something.
  const other = await Tidegate.open({ ...config, targets: [...targets].reverse() });
  t.after(() => other.close());
  assert.notEqual(other, gate);
});

test('everything that is wrong with a configuration is told at once, wherever it is read', async () => {
  const told = (config) =>
    Tidegate.open(config).then(
      () => assert.fail('was taken'),
      ({ code, fields }) => [code, ...fields.map(({ path }) => path)],
    );
  const places = { isolation: 'shed', workerUrl: 7, frameUrl: '', serviceWorker: 'maybe' };
  const others = { ledger: 'redis', limits: { maxConcurrent: 0 }, budgte: {} };
  assert.deepEqual(await told({ name: 'all-wrong', ...places, ...others }), [
    ...['config_invalid', 'isolation', 'workerUrl', 'frameUrl', 'serviceWorker', 'ledger'],
    ...['limits.maxConcurrent', 'budgte'],
  ]);
  assert.deepEqual(await told({ name: 'all-wrong', ...places }), ['config_invalid', ...Object.keys(places)]);
  assert.deepEqual(await told({ name: 'all-wrong', ...others }), [
    ...['config_invalid', 'ledger', 'limits.maxConcurrent', 'budgte'],
  ]);
});

for (const ledger of ['indexeddb', 'redis', { file: 7 }, {}, 7]) {
  test(`a ledger that there is not here is refused, never replaced: ${JSON.stringify(ledger)}`, async (t) => {
    const name = 'no-such-ledger';
    await assert.rejects(Tidegate.open({ name, ledger }), ({ code, fields }) => {
      assert.deepEqual([code, fields?.map(({ path }) => path)], ['config_invalid', ['ledger']]);
      return true;
    });
    const gate = await Tidegate.open({ name, ledger: null });
    t.after(() => gate.close());
    assert.equal((await gate.status()).ledger, 'memory');
  });
}

test('bytes of another realm are bytes, as under jsdom, and are wiped', async (t) => {
  const gate = await Tidegate.open({ name: 'inputs-realm', ledger: 'memory' });
  t.after(() => gate.close());
  const foreign = (text) => runInNewContext('Uint8Array.from(bytes)', { bytes: [...Buffer.from(text)] });
  const given = [`gsk_${'A1b2'.repeat(13)}`, 'a passphrase', 'a passphrase'].map(foreign);
  assert.ok(given.every((bytes) => !(bytes instanceof Uint8Array)));
  await gate.vault.putForSession('groq', given[0]);
  await gate.vault.create({ kind: 'passphrase', passphrase: given[1] });
  await gate.vault.lock();
  await gate.vault.unlock(given[2]);
  for (const bytes of given) assert.ok(bytes.every((byte) => byte === 0));
});

test('what is absent may be said to be so', async (t) => {
  const gate = await Tidegate.open({ name: 'absent', ledger: 'memory' });
  t.after(() => gate.close());
  const options = { tenant: undefined, signal: null, cache: { ttlMs: null, namespace: undefined, refresh: null } };
  await assert.rejects(gate.chat({ messages: [{ role: 'user', content: 'Hi' }] }, options), {
    code: 'no_target',
    message: /groq has no key/u,
  });
});

test('`fetch` with options that are none answers so, in the dialect of the request', async (t) => {
  const gate = await Tidegate.open({ name: 'fetch-options', ledger: 'memory' });
  t.after(() => gate.close());
  const body = JSON.stringify({ model: 'openai/gpt-oss-20b', messages: [{ role: 'user', content: 'Hi' }] });
  const ask = gate.fetch.with({ cache: { skip: true } });
  const response = await ask('https://api.groq.com/openai/v1/chat/completions', { method: 'POST', body });
  assert.equal(response.status, 400);
  assert.match((await response.json()).error.message, /cache\.skip is not a known field/u);
});

test('what cannot listen is refused at once', async (t) => {
  const gate = await Tidegate.open({ name: 'listeners', ledger: 'memory' });
  t.after(() => gate.close());
  assert.throws(() => gate.on('attempt-end', 5), {
    code: 'invalid_request',
    fields: [{ path: 'listener', problem: 'must be a function' }],
  });
});

test('an event that there is not is refused at once, and those that there are are named', async (t) => {
  const gate = await Tidegate.open({ name: 'no-such-event', ledger: 'memory' });
  t.after(() => gate.close());
  for (const name of ['no-such-event', 'attemptEnd', '', undefined, {}, 'toString']) {
    assert.throws(
      () => gate.on(name, () => undefined),
      ({ name, code, fields: [{ path, problem }] }) =>
        name === 'TidegateError' &&
        code === 'invalid_request' &&
        path === 'name' &&
        /^is not a known event; known are request-end, attempt-start, .*, key-in-request$/u.test(problem),
    );
  }
});

test('a level of isolation that cannot be had here is refused, not replaced', async () => {
  for (const isolation of ['worker', 'frame']) {
    await assert.rejects(Tidegate.open({ name: 'isolated', ledger: 'memory', isolation }), {
      code: 'isolation_failed',
    });
  }
  const gate = await Tidegate.open({ name: 'isolated', ledger: 'memory', isolation: 'page' });
  assert.equal((await gate.status()).isolation, 'page');
  await gate.close();
});

test('the frame’s address alone is refused: the keys would not be in the frame', async () => {
  const frameUrl = 'https://keys.example/frame.html';
  for (const more of [{}, { isolation: 'page' }]) {
    await assert.rejects(Tidegate.open({ name: 'no-frame', ledger: 'memory', frameUrl, ...more }), (error) => {
      assert.deepEqual(
        [error.code, error.fields],
        ['config_invalid', [{ path: 'frameUrl', problem: "needs isolation: 'frame'" }]],
      );
      return true;
    });
  }
});

test('who misspells a field at the top finds all that there are, those about places too, and no others elsewhere', async () => {
  const told = (config) => Tidegate.open(config).then(assert.fail, ({ fields }) => fields[0].problem);
  assert.match(
    await told({ isolaton: 'worker' }),
    /known are name, .*, isolation, workerUrl, frameUrl, serviceWorker$/u,
  );
  assert.match(await told({ budget: { limit: 1 } }), /known are limitUsd, timeZone, resetHour, thresholds$/u);
});

test('the Vite plugin keeps the package out of the optimizer, which loses its worker', () => {
  assert.deepEqual(vite().config(), { optimizeDeps: { exclude: ['tidegate'] } });
});

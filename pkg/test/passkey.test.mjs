// What the page makes of an authenticator's answers: a fake one, which answers as each test wants.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { askPasskey, canUsePasskeys, createPasskey } from '../dist/vault/passkey.js';

class Key {
  constructor(prf, id = [1, 2, 3]) {
    this.rawId = Uint8Array.from(id).buffer;
    this.prf = prf;
  }
  getClientExtensionResults() {
    return { prf: this.prf };
  }
}

/** A browser whose authenticator answers with these; `asked` is what it was asked. */
function browser(t, { create, get } = {}) {
  const asked = [];
  const answers = (name, answer) => async (options) => {
    asked.push([name, options]);
    return answer(options);
  };
  const names = {
    PublicKeyCredential: Key,
    navigator: { credentials: { create: answers('create', create), get: answers('get', get) } },
    location: { hostname: 'app.example' },
  };
  for (const [name, value] of Object.entries(names)) {
    const own = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => (own ? Object.defineProperty(globalThis, name, own) : delete globalThis[name]));
  }
  return asked;
}

const PRF = Uint8Array.of(7, 7);
const answered = () => new Key({ results: { first: PRF.buffer } });
const slot = (more) => ({ id: 'a', kind: 'passkey', credential: Uint8Array.of(255, 254, 253), salt: PRF, ...more });
const refuses = (promise, words) =>
  assert.rejects(promise, ({ code, fields }) => {
    assert.deepEqual([code, fields[0].path], ['invalid_request', 'passkey']);
    assert.match(fields[0].problem, words);
    return true;
  });

test('where there are no passkeys, none is made or asked', async (t) => {
  browser(t);
  assert.equal(canUsePasskeys(), true);
  for (const [name, value] of [
    ['navigator', undefined],
    ['PublicKeyCredential', undefined],
    ['navigator', {}],
  ]) {
    const own = globalThis[name];
    globalThis[name] = value;
    assert.equal(canUsePasskeys(), false, name);
    await refuses(createPasskey(), /not available .* use a passphrase/);
    await refuses(askPasskey([slot()]), /not available .* another way in/);
    globalThis[name] = own;
  }
});

test('a passkey that answers when it is made is asked once, verified, and for what this page is', async (t) => {
  const asked = browser(t, { create: answered });
  const { signal } = new AbortController();
  const made = await createPasskey({ name: 'mine', signal });
  const { salt } = made;
  assert.deepEqual(made, { kind: 'passkey', credential: Uint8Array.of(1, 2, 3), salt, prf: PRF, name: 'mine' });
  assert.equal(asked.length, 1);
  const [, { signal: passed, publicKey }] = asked[0];
  assert.equal(passed, signal);
  assert.equal(salt.length, 16);
  assert.deepEqual(publicKey.extensions.prf.eval.first, salt);
  assert.deepEqual(publicKey.rp, { name: 'app.example' });
  assert.equal(publicKey.authenticatorSelection.userVerification, 'required');
  const plain = await createPasskey({ rpId: 'example', rpName: 'An app', userName: 'Ada' });
  assert.ok(!('name' in plain));
  assert.deepEqual(asked[1][1].publicKey.rp, { name: 'An app', id: 'example' });
  assert.equal(asked[1][1].publicKey.user.displayName, 'Ada');
  assert.ok(!('signal' in asked[1][1]));
});

test('one that answers only afterwards is asked for itself then, with the same salt', async (t) => {
  const whole = Uint8Array.of(0, 5, 6, 0);
  const get = () => new Key({ results: { first: new DataView(whole.buffer, 1, 2) } });
  const asked = browser(t, { create: () => new Key({ enabled: true }), get });
  const { signal } = new AbortController();
  const { salt, prf } = await createPasskey({ rpId: 'example', signal });
  assert.deepEqual(prf, Uint8Array.of(5, 6), 'of a larger buffer, its own part');
  const { publicKey, signal: passed } = asked[1][1];
  assert.equal(passed, signal);
  assert.deepEqual([publicKey.rpId, publicKey.userVerification], ['example', 'required']);
  assert.deepEqual(publicKey.allowCredentials, [{ type: 'public-key', id: Uint8Array.of(1, 2, 3) }]);
  assert.deepEqual(publicKey.extensions.prf.evalByCredential, { AQID: { first: salt } });
});

test('one without PRF is refused', async (t) => {
  for (const prf of [undefined, {}, { enabled: false }]) {
    browser(t, { create: () => new Key(prf), get: () => assert.fail('it was asked') });
    await refuses(createPasskey(), /does not support the PRF/);
  }
  for (const prf of [undefined, {}, { results: {} }]) {
    browser(t, { get: () => new Key(prf) });
    await refuses(askPasskey([slot()]), /no PRF extension/);
  }
});

test('what the authenticator says is told with its cause', async (t) => {
  for (const [failure, words] of [
    [new DOMException('no', 'NotAllowedError'), /not confirmed/],
    [new DOMException('no', 'SecurityError'), /could not be asked/],
    [Object.assign(new Error('no'), { name: 'NotAllowedError' }), /could not be asked/],
  ]) {
    browser(t, { get: () => Promise.reject(failure) });
    const error = await askPasskey([slot()]).catch((error) => error);
    assert.equal(error.cause, failure);
    await refuses(Promise.reject(error), words);
  }
  for (const nothing of [null, { rawId: new ArrayBuffer(1) }]) {
    browser(t, { get: () => nothing });
    const error = await askPasskey([slot()]).catch((error) => error);
    assert.ok(!('cause' in error));
    await refuses(Promise.reject(error), /was not given/);
  }
});

test('only the passkeys of the vault are asked, by the ids that browsers write', async (t) => {
  const asked = browser(t, { get: answered });
  const others = [{ id: 'b', kind: 'passphrase' }, slot({ credential: undefined }), slot({ salt: undefined })];
  const strange = slot({ kind: 'passphrase', credential: Uint8Array.of(9) });
  const key = await askPasskey([...others, strange, slot()]);
  assert.deepEqual(key, { kind: 'passkey', credential: Uint8Array.of(1, 2, 3), prf: PRF });
  assert.deepEqual(Object.keys(asked[0][1].publicKey.extensions.prf.evalByCredential), ['__79']);
  assert.ok(!('signal' in asked[0][1] || 'rpId' in asked[0][1].publicKey));
  await askPasskey([slot({ credential: Uint8Array.of(251, 255) })]);
  assert.deepEqual(Object.keys(asked[1][1].publicKey.extensions.prf.evalByCredential), ['-_8']);
  await refuses(askPasskey(others), /has none/);
  await assert.rejects(
    askPasskey('slots'),
    ({ code, fields }) => code === 'invalid_request' && fields[0].path === 'slots',
  );
  assert.equal(asked.length, 2);
});

test('an abort is told as one, whatever its reason', async (t) => {
  const reject = ({ signal }) => Promise.reject(signal.reason);
  browser(t, { create: reject, get: reject });
  for (const reason of [undefined, new Error('changed their mind')]) {
    const signal = AbortSignal.abort(reason);
    await assert.rejects(createPasskey({ signal }), { name: 'TidegateError', code: 'aborted' });
    await assert.rejects(askPasskey([slot()], { signal }), { name: 'TidegateError', code: 'aborted' });
  }
});

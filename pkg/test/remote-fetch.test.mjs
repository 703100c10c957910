// `gate.fetch` of a gate in another realm, whose side is scripted.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { remoteFetch } from '../dist/isolation/remote-fetch.js';
import { ERROR, lineOn, turn, until } from './realms.mjs';
import { META } from './scripted.mjs';

describe('gate.fetch from another realm', () => {
  const OURS = 'https://api.example/v1/chat/completions';
  /** A `gate.fetch` over a scripted line; `asked` counts the addresses that were asked about. */
  function fetching() {
    const scripted = lineOn();
    const state = { ...scripted, asked: [] };
    const routes = async (method, url) => (state.asked.push(`${method} ${url}`), method === 'POST');
    const real = async () => new Response('real');
    state.fetch = remoteFetch({ real, routes, line: async () => scripted.line });
    return state;
  }
  const post = (body = '{}') => ({ method: 'POST', body });

  test('asks once whether an address is its own, method by method', async () => {
    const { fetch, asked, line, say, sent } = fetching();
    for (let time = 0; time < 2; time += 1) assert.equal(await (await fetch(OURS)).text(), 'real');
    const answering = fetch(OURS, post());
    await until(() => sent.length === 1);
    say('done', 1, { status: 204, headers: ['a', 'b'], body: new ArrayBuffer(0), account: META });
    const response = await answering;
    assert.deepEqual([response.status, response.headers.get('a')], [204, 'b']);
    assert.deepEqual(await fetch.result(response), META);
    assert.deepEqual(asked, [`GET ${OURS}`, `POST ${OURS}`]);
    for (let at = 0; at < 300; at += 1) await fetch(`${OURS}?${at}`);
    await fetch(OURS);
    assert.equal(asked.at(-1), `GET ${OURS}`, 'it remembers no more than some');
    const before = asked.length;
    for (let again = 0; again < 2; again += 1) {
      for (let at = 0; at < 100; at += 1) await fetch(`${OURS}/${at}`);
    }
    assert.equal(asked.length, before + 100, 'but those');
    line.close();
  });

  test('gives a stream as it comes, with the head and the account of it', async () => {
    const { fetch, line, say, sent } = fetching();
    const answering = fetch(OURS, post());
    await until(() => sent.length === 1);
    say('begin', 1, { status: 201, headers: ['a', 'b'] });
    const response = await answering;
    assert.deepEqual([response.status, response.headers.get('a')], [201, 'b']);
    say('data', 1, new TextEncoder().encode('text').buffer);
    say('end', 1, null);
    say('account', 1, META, null);
    const copy = response.clone();
    assert.deepEqual(await Promise.all([response.text(), copy.text()]), ['text', 'text']);
    assert.deepEqual(await Promise.all([fetch.result(response), fetch.result(copy)]), [META, META]);
    line.close();
  });

  test('an answer without an account, or without a body, is one', async () => {
    const { fetch, line, say, sent } = fetching();
    const answering = fetch(OURS, post());
    await until(() => sent.length === 1);
    say('done', 1, { status: 200, headers: [], body: new TextEncoder().encode('text').buffer });
    const response = await answering;
    assert.equal(await response.text(), 'text');
    await assert.rejects(fetch.result(response), { code: 'isolation_failed', message: /without its account/ });
    const bodiless = fetch(OURS, post());
    await until(() => sent.length === 2);
    say('done', 2, { status: 200, headers: [], account: META });
    assert.equal((await bodiless).body, null);
    line.close();
  });

  test('what fails is an answer, or the reason of a signal that was aborted', async () => {
    for (const isAborted of [false, true]) {
      const { fetch, line, say, sent } = fetching();
      const controller = new AbortController();
      const answering = fetch(OURS, { ...post(), signal: controller.signal });
      answering.catch(() => undefined);
      await until(() => sent.length === 1);
      if (isAborted) controller.abort(new RangeError('mine'));
      say('fail', 1, ERROR);
      if (isAborted) {
        await assert.rejects(answering, RangeError);
      } else {
        const response = await answering;
        assert.deepEqual([response.status, (await response.json()).error.code], [ERROR.status, ERROR.code]);
        await assert.rejects(fetch.result(response), { code: ERROR.code });
      }
      await assert.rejects(fetch.result(new Response()), TypeError);
      line.close();
    }
  });

  test('a realm that cannot be had is an answer, too', async () => {
    const line = () => Promise.reject(new RangeError('mine'));
    const fetch = remoteFetch({ real: () => assert.fail('it is ours'), routes: async () => true, line });
    const response = await fetch(OURS, post());
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code], [500, 'isolation_failed']);
  });

  test('sends a request as it is, and a refusal for what the other side would drop', async () => {
    const { fetch, line, sent } = fetching();
    const asks = async (more) => {
      fetch(OURS, { ...post(), ...more }).catch(() => undefined);
      const before = sent.length;
      await until(() => sent.length > before);
      return sent.at(-1)[2];
    };
    const plain = await asks({ headers: { a: 'b' } });
    assert.deepEqual([plain.method, plain.url, plain.body, plain.refusal], ['POST', OURS, '{}', undefined]);
    assert.deepEqual(plain.headers.slice(0, 2), ['a', 'b']);
    const many = await asks({ headers: Array.from({ length: 300 }, (_, at) => [`a${at}`, 'b']) });
    assert.deepEqual([many.refusal.code, many.headers, many.body], ['invalid_request', [], '']);
    line.close();
  });

  test('options that are wrong are refused there, and what is no address is the page’s own', async () => {
    const { fetch, line, say, sent, asked } = fetching();
    const answering = fetch.with({ tenat: 'one' })(OURS, post());
    await until(() => sent.length === 1);
    assert.deepEqual([sent[0][2].refusal.fields[0].path, sent[0][2].options], ['tenat', {}]);
    say('done', 1, { status: 400, headers: [], error: ERROR });
    assert.equal((await answering).status, 400);
    assert.equal(await (await fetch('no address', post())).text(), 'real');
    assert.deepEqual(asked, [`POST ${OURS}`]);
    line.close();
  });

  test('a body that cannot be read is refused there, in the caller’s dialect', async () => {
    const { fetch, line, say, sent } = fetching();
    const answering = fetch(OURS, post(new Uint8Array([0xff])));
    await until(() => sent.length === 1);
    assert.equal(sent[0][2].refusal.code, 'invalid_request');
    say('done', 1, { status: 400, headers: [], body: new ArrayBuffer(2), error: ERROR });
    const response = await answering;
    assert.equal(response.status, 400);
    await turn(); // nobody asks for the result: no rejection is unhandled
    await assert.rejects(fetch.result(response), { code: 'internal' });
    line.close();
  });

  test('is aborted with the signal’s reason while its body is read, and nothing is sent', async () => {
    const { fetch, line, sent } = fetching();
    const controller = new AbortController();
    let pulled = 0;
    const pull = () => {
      pulled += 1;
      controller.abort(new RangeError('mine'));
    };
    // A second one finds it aborted: its body is not even read.
    for (let time = 0; time < 2; time += 1) {
      const body = new ReadableStream({ pull }, { highWaterMark: 0 });
      await assert.rejects(fetch(OURS, { ...post(body), duplex: 'half', signal: controller.signal }), RangeError);
    }
    assert.deepEqual([sent, pulled], [[], 1]);
    line.close();
  });
});

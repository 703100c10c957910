// `gate.fetch` against a scripted end of the boundary: what goes in, and what comes out as a Response.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { streaming } from '../dist/chunks.js';
import { TidegateError } from '../dist/errors.js';
import { answered, gateFetch } from '../dist/fetch.js';
import { META, Scripted, tick, upstream } from './scripted.mjs';

const OURS = 'https://api.openai.com/v1/chat/completions';
const JSON_TYPE = 'content-type\napplication/json';
const LOCKED = { code: 'vault_locked', message: 'Locked.', status: 423, shouldRetry: false, attempts: [] };

/** A `gate.fetch`; `calls` has the arguments of each call of the boundary, `passed` what went to the real fetch. */
function open(answer = () => [0, 200, JSON_TYPE, '{}', JSON.stringify(META)], rest = undefined) {
  const calls = [];
  const passed = [];
  const accounts = [];
  const core = {
    route: (method, url) =>
      url.startsWith('https://api.openai.com/') ? `${method} ${new URL(url).pathname}` : undefined,
    call: async (endpoint, body, headers, tenant, flags, ttlMs, namespace, signal) => {
      calls.push({ endpoint, body, headers, tenant, flags, ttlMs, namespace, signal });
      return answer(signal);
    },
    failure: (endpoint, error) => [error.status, JSON_TYPE.split('\n'), JSON.stringify({ endpoint, error })],
  };
  const real = async (...given) => {
    passed.push(given);
    return new Response('real');
  };
  const watched = [];
  const watch = (work) => (watched.push(work), work);
  const fetch = gateFetch({ core, real, rest, watch, settled: (account) => accounts.push(account) });
  return { fetch, calls, passed, accounts, watched };
}

const post = (body, more = {}) => ({ method: 'POST', body, ...more });

describe('what goes in', () => {
  test('another address goes to the real fetch untouched', async () => {
    const { fetch, calls, passed } = open();
    const init = { headers: { a: 'b' } };
    assert.equal(await (await fetch('https://example.com/v1/chat/completions', init)).text(), 'real');
    assert.equal(passed[0][0], 'https://example.com/v1/chat/completions');
    assert.equal(passed[0][1], init);
    const request = new Request('https://example.com/', post('x'));
    await fetch(request);
    assert.equal(passed[1][0], request);
    assert.equal(request.bodyUsed, false);
    await fetch('not an address');
    assert.equal(passed[2][0], 'not an address');
    assert.equal(calls.length, 0);
  });

  const bytes = new TextEncoder().encode('{"ä":1}');
  const streamed = () => new Blob([bytes.subarray(0, 3), bytes.subarray(3)]).stream();
  for (const [form, given] of Object.entries({
    'an address and a text': () => [OURS, post('{"ä":1}')],
    'a URL and bytes': () => [new URL(OURS), post(bytes)],
    'a buffer': () => [OURS, post(bytes.buffer)],
    'a blob': () => [OURS, post(new Blob([bytes]))],
    'a stream': () => [OURS, post(streamed(), { duplex: 'half' })],
    'a Request': () => [new Request(OURS, post('{"ä":1}'))],
    'a Request whose body is replaced': () => [new Request(OURS, post('no')), { body: '{"ä":1}' }],
    'a method in lower case': () => [OURS, { method: 'post', body: '{"ä":1}' }],
  })) {
    test(`${form} is read`, async () => {
      const { fetch, calls } = open();
      await fetch(...given());
      assert.equal(calls[0].body, '{"ä":1}');
      assert.equal(calls[0].endpoint, 'POST /v1/chat/completions');
    });
  }

  test('headers come flat and in lower case, those of init in place of the request’s', async () => {
    const { fetch, calls } = open();
    await fetch(OURS, post('{}', { headers: { Authorization: 'Bearer x', 'X-B': '2' } }));
    assert.deepEqual(calls[0].headers, ['authorization', 'Bearer x', 'x-b', '2']);
    await fetch(new Request(OURS, post('{}', { headers: { a: '1' } })), { headers: { b: '2' } });
    assert.ok(!calls[1].headers.includes('a'));
    assert.ok(calls[1].headers.includes('b'));
  });

  test('options come from `with` and from headers, which go before', async () => {
    const { fetch, calls } = open();
    const ours = fetch
      .with({ tenant: 'blue', cache: { skipRead: true } })
      .with({ cache: { ttlMs: 5, namespace: 'm' } });
    await ours(OURS, post('{}'));
    const headers = {
      'x-tidegate-tenant': 'red',
      'x-tidegate-cache': 'No-Store, , refresh',
      'x-tidegate-cache-ttl-ms': '9',
      'x-tidegate-namespace': 'n',
    };
    await ours(OURS, post('{}', { headers }));
    await fetch(OURS, post('{}'));
    const asked = calls.map(({ tenant, flags, ttlMs, namespace }) => [tenant, flags, ttlMs, namespace]);
    assert.deepEqual(asked, [
      ['blue', 1, 5, 'm'],
      ['red', 6, 9, 'n'],
      [undefined, 0, undefined, undefined],
    ]);
  });

  for (const [what, status, given] of [
    ['a header that says nothing', 400, [OURS, post('{}', { headers: { 'x-tidegate-cache': 'maybe' } })]],
    ['a time that is no number', 400, [OURS, post('{}', { headers: { 'x-tidegate-cache-ttl-ms': '-1' } })]],
    ['a time without end', 400, [OURS, post('{}', { headers: { 'x-tidegate-cache-ttl-ms': '1234567890' } })]],
    ['a header of ours that there is not', 400, [OURS, post('{}', { headers: { 'X-Tidegate-Tennant': 'blue' } })]],
    ['a body that is not UTF-8', 400, [OURS, post(new Uint8Array([0xff]))]],
    ['a text that is too long', 413, [OURS, post('x'.repeat(10 * 1024 * 1024 + 1))]],
    ['a body that is too long', 413, [OURS, post(new Uint8Array(10 * 1024 * 1024 + 1))]],
  ]) {
    test(`${what} is refused in the dialect, without a call`, async () => {
      const { fetch, calls } = open();
      const response = await fetch(...given);
      assert.equal(response.status, status);
      assert.equal((await response.json()).error.code, 'invalid_request');
      assert.equal(calls.length, 0);
    });
  }

  test('a body that never ends is left when the request is aborted', async () => {
    const { fetch } = open();
    const controller = new AbortController();
    const body = new ReadableStream();
    const running = fetch(OURS, post(body, { duplex: 'half', signal: controller.signal }));
    await tick();
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    const gone = post(new ReadableStream(), { duplex: 'half', signal: AbortSignal.abort() });
    await assert.rejects(fetch(OURS, gone), { name: 'AbortError' }, 'also one that was aborted before');
  });

  test('what the gate needs first is awaited, and what it does then is watched', async () => {
    let here;
    const coming = new Promise((resolve) => (here = resolve));
    const { fetch, calls, watched } = open(undefined, () => coming);
    const running = fetch.with({ tenant: 'blue' })(OURS, post('{}'));
    await tick();
    assert.equal(calls.length, 0);
    here();
    const response = await running;
    assert.deepEqual([calls.length, watched.length], [1, 1]);
    assert.deepEqual(await fetch.result(response), META, 'whoever made the request');
  });
});

describe('what comes out', () => {
  test('a whole answer with its account', async () => {
    const { fetch, accounts } = open();
    const response = await fetch(OURS, post('{}'));
    assert.equal(response.status, 200);
    assert.deepEqual(Object.fromEntries(response.headers), {
      'content-type': 'application/json',
      'x-request-id': 'r1',
      'x-tidegate-attempts': '1',
      'x-tidegate-cache': 'miss',
      'x-tidegate-cost-nano-usd': '7',
      'x-tidegate-target': 'groq/m',
    });
    const clone = response.clone();
    assert.equal(await response.text(), '{}');
    assert.deepEqual(await fetch.result(response), META);
    assert.deepEqual(await fetch.result(clone.clone()), META);
    assert.deepEqual(accounts, [META]);
    await assert.rejects(fetch.result(new Response()), TypeError);
  });

  test('a stream, whose account comes at its end', async () => {
    const source = upstream();
    const begun = { ...META, costNanoUsd: 0, reservedNanoUsd: 99 };
    const stream = [1, 200, 'content-type\ntext/event-stream', new Scripted(), source.reader, JSON.stringify(begun)];
    const { fetch, accounts } = open(() => stream);
    const response = await fetch(OURS, post('{}'));
    assert.equal(response.headers.get('x-tidegate-reserved-nano-usd'), '99');
    assert.equal(response.headers.has('x-tidegate-cost-nano-usd'), false);
    source.send('data: 1\n\n');
    source.send('data: [DONE]\n\n');
    source.close();
    assert.deepEqual(accounts, []);
    assert.equal(await response.text(), 'data: 1\n\ndata: [DONE]\n\n');
    assert.equal((await fetch.result(response)).costNanoUsd, 7);
    assert.equal(accounts.length, 1);
  });

  test('an error is a response of the dialect, and the error itself as its result', async () => {
    const { fetch } = open(() => Promise.reject(LOCKED));
    const response = await fetch(OURS, post('{}'));
    assert.equal(response.status, 423);
    const { endpoint, error } = await response.json();
    assert.equal(endpoint, 'POST /v1/chat/completions');
    assert.deepEqual(error, LOCKED);
    await assert.rejects(fetch.result(response), (thrown) => {
      return thrown instanceof TidegateError && thrown.code === 'vault_locked';
    });
  });

  test('an error’s fields cross beside its sentence, not twice', async () => {
    const fields = [{ path: 'messages', problem: 'must be a list' }];
    const { fetch } = open(() => Promise.reject({ ...LOCKED, fields }));
    const response = await fetch(OURS, post('{}'));
    assert.deepEqual((await response.json()).error, { ...LOCKED, fields });
    await assert.rejects(fetch.result(response), { message: 'Locked. messages must be a list.' });
  });

  test('a model of any name fits into a header', async () => {
    const { fetch } = open(() => [0, 200, JSON_TYPE, '{}', JSON.stringify({ ...META, target: 'mine/é 模 x' })]);
    const response = await fetch(OURS, post('{}'));
    assert.equal(response.headers.get('x-tidegate-target'), 'mine/%C3%A9 %E6%A8%A1 x');
  });

  test('a list of models has no account', async () => {
    const { fetch } = open(() => [0, 200, JSON_TYPE, '{"data":[]}', '{}']);
    const response = await fetch('https://api.openai.com/v1/models');
    assert.equal(response.status, 200);
    assert.deepEqual(Object.fromEntries(response.headers), { 'content-type': 'application/json' });
  });

  test('the account follows a stream as a comment where it is asked for, without the text', async () => {
    const events = 'content-type\ntext/event-stream';
    const source = upstream();
    const wasm = new Scripted();
    wasm.account = () => JSON.stringify({ ...META, partialText: 'Hel' });
    const live = [1, 200, events, wasm, source.reader, JSON.stringify(META)];
    const [response] = answered(live, undefined, () => {}, true);
    source.send('data: [DONE]\n\n');
    source.close();
    assert.equal(await response.text(), `data: [DONE]\n\n\n\n: tidegate ${JSON.stringify(META)}\n\n`);
    const replayed = [0, 200, events, 'data: [DONE]\n\n', JSON.stringify(META)];
    const [again] = answered(replayed, undefined, () => {}, true);
    assert.equal(await again.text(), `data: [DONE]\n\n\n\n: tidegate ${JSON.stringify(META)}\n\n`);
    const whole = [0, 200, JSON_TYPE, '{}', JSON.stringify(META)];
    assert.equal(await answered(whole, undefined, () => {}, true)[0].text(), '{}');
  });

  test('a defect says nothing of itself', async () => {
    const { fetch } = open(() => Promise.reject(new Error('secret')));
    const response = await fetch(OURS, post('{}'));
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
  });

  test('an abort rejects with the signal’s reason, as fetch does', async (t) => {
    // The timer of AbortSignal.timeout keeps no process alive.
    const alive = setInterval(() => {}, 1000);
    t.after(() => clearInterval(alive));
    const { fetch, calls } = open(async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw { ...LOCKED, code: 'aborted', status: 499 };
    });
    await assert.rejects(fetch(OURS, post('{}', { signal: AbortSignal.abort() })), { name: 'AbortError' });
    assert.equal(calls.length, 0);
    await assert.rejects(fetch(OURS, post('{}', { signal: AbortSignal.timeout(10) })), { name: 'TimeoutError' });
    const controller = new AbortController();
    const running = fetch(new Request(OURS, post('{}', { signal: controller.signal })));
    await tick();
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
  });
});

describe('the chunks of a streamed chat', () => {
  const chunk = (content) => ({ id: 'c', choices: [{ index: 0, delta: { content } }] });
  const line = (value) => `data: ${JSON.stringify(value)}\n\n`;

  /** A chat whose provider sends `bytes` in pieces of `size`. */
  function chat(bytes, { size = bytes.length, signal, meta = META } = {}) {
    const source = upstream();
    const wasm = new Scripted();
    wasm.account = () => JSON.stringify({ ...meta, told: wasm.told });
    for (let at = 0; at < bytes.length; at += size) source.send(bytes.slice(at, at + size));
    const answer = [1, 200, '', wasm, source.reader, JSON.stringify(META)];
    const [{ body }, result] = answered(answer, signal, () => {});
    return { source, wasm, stream: streaming(body, result, signal) };
  }

  for (const size of [1, 3, 1000]) {
    test(`come whole out of pieces of ${size}`, async () => {
      const text = `: comment\r\n\r\n${line(chunk('Ti'))}${line(chunk('de')).replaceAll('\n', '\r\n')}data: [DONE]\n\n`;
      const { source, stream } = chat(text, { size });
      source.close();
      const got = [];
      for await (const one of stream) got.push(one.choices[0].delta.content);
      assert.deepEqual(got, ['Ti', 'de']);
      assert.equal((await stream.result).costNanoUsd, 7);
    });
  }

  test('a stream that was cut throws after what came', async () => {
    const error = { ...LOCKED, code: 'stream_interrupted', status: 502 };
    const { source, stream } = chat(line(chunk('Ti')) + line({ error: { message: 'cut' } }), {
      meta: { ...META, error },
    });
    source.close();
    const got = [];
    await assert.rejects(
      async () => {
        for await (const one of stream) got.push(one);
      },
      { name: 'TidegateError', code: 'stream_interrupted' },
    );
    assert.equal(got.length, 1);
    assert.equal((await stream.result).error.code, 'stream_interrupted');
  });

  test('leaving the loop ends the request', async () => {
    const { source, wasm, stream } = chat(line(chunk('Ti')));
    for await (const one of stream) {
      assert.equal(one.choices[0].delta.content, 'Ti');
      break;
    }
    await stream.result;
    assert.deepEqual(wasm.told, [['cancel']]);
    assert.equal(source.cancelled, 1);
  });

  test('an abort throws `aborted`', async () => {
    const controller = new AbortController();
    const { stream } = chat(line(chunk('Ti')), { signal: controller.signal });
    await assert.rejects(
      async () => {
        for await (const one of stream) controller.abort(one);
      },
      { name: 'TidegateError', code: 'aborted' },
    );
  });

  test('the bytes may be had instead', async () => {
    const { source, stream } = chat(line(chunk('Ti')));
    source.close();
    assert.equal(await new Response(stream.readable).text(), line(chunk('Ti')));
  });
});

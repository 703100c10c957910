// One exchange through a scripted `fetch`: what is told of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { begin } from '../../src/wasm/exchange.js';

/** What is told of an exchange whose `fetch` this is: status, whether the body is a reader, headers. */
const told = (fetcher, stream = false) =>
  new Promise((resolve) => {
    const done = (number, status, open, headers) => resolve([number, status, open, headers]);
    begin(fetcher, { method: 'POST' }, 'https://provider.example/v1\nx-key\nsecret\n{}', 3, stream, done, 7);
  });

/** A body that breaks off after its first piece. */
const broken = () => {
  const pieces = [new TextEncoder().encode('{"choices":')];
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else controller.error(new TypeError('network error'));
    },
  });
};

test('a body that broke off is told from a fetch without a response', async () => {
  const refused = async () => {
    throw new TypeError('Failed to fetch');
  };
  assert.deepEqual(await told(refused), [7, -1, false, undefined]);
  assert.deepEqual(await told(async () => new Response(broken())), [7, -2, false, undefined]);
  const limited = new Response(broken(), { status: 429, headers: { 'retry-after': '7' } });
  assert.deepEqual(await told(async () => limited), [7, 429, false, ['retry-after', '7']], 'its status holds');
  const [, good, streams] = await told(async () => new Response(broken()), true);
  assert.deepEqual([good, streams], [200, true], 'whoever reads a stream finds out');
});

test('what is sent has the headers of its text', async () => {
  const sent = [];
  await told(async (url, request) => {
    sent.push(url, request.method, request.headers, request.body);
    return new Response('{}');
  });
  const headers = { 'content-type': 'application/json', 'x-key': 'secret' };
  assert.deepEqual(sent, ['https://provider.example/v1', 'POST', headers, '{}']);
});

import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { hold, MAX_HEADER_BYTES, oversized, readBody } from '../../src/body';
import { json } from '../../src/outside';
import { forget } from '../../src/organisation/standing';
import { wasmBytes } from '../../src/wasm';
import settings from '../../wrangler.jsonc?raw';
import { ask, calm, call, errorOf, post, question, script, seen, until } from '../client';
import { made, organised } from '../organisations';
import { calling } from '../started';

// What the platform bounds, and a machine of one's own does not.

beforeEach(calm);
afterEach(() => vi.restoreAllMocks());

const MIB = 1024 * 1024;

it('what organisations remember together leaves room in the isolate’s 128 MB', async () => {
  const message = { role: 'assistant', content: 'x'.repeat(1_000_000) };
  const body = JSON.stringify({
    ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
  await script('groq', { body });
  for (let count = 0; count < 12; count += 1) {
    const name = `room-${count}`;
    await forget(name);
    await organised(name, ['pro']);
    const headers = { authorization: `Bearer ${(await made(name, { tier: 'pro' })).token}` };
    const statuses = await Promise.all(Array.from({ length: 7 }, async () => (await ask({}, headers)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
  expect(wasmBytes()).toBeGreaterThan(40 * MIB);
  expect(wasmBytes()).toBeLessThan(72 * MIB);
}, 60_000);

it('bodies that are worked on leave room, too: those that would not are to come again', async () => {
  for (const provider of ['groq', 'openrouter'] as const) await script(provider, { hold: true });
  const large = () => ask({ messages: [{ role: 'user', content: 'x'.repeat(8_000_000) }], max_tokens: 1 });
  const first = [large(), large()];
  await until(async () => (await seen()).length === 2);
  const refused = await large();
  expect([refused.status, errorOf(refused).code, refused.headers.get('retry-after')]).toEqual([503, 'queue_full', '1']);
  for (const provider of ['groq', 'openrouter'] as const) await script(provider);
  for (const answer of await Promise.all(first)) expect(answer.status).toBe(200);
  expect((await large()).status).toBe(200);
}, 60_000);

it('headers and address have room for 32 KB and 100 of them, and no more', () => {
  const of = (count: number) => Array.from({ length: count }, (_, index) => [`h${index}`, 'v']).flat();
  expect([oversized('u', of(100)), oversized('u', of(101))]).toEqual([false, true]);
  // Each name and each value counts two bytes more: a colon and a space, and the end of a line.
  const left = MAX_HEADER_BYTES - 'u'.length - 'name'.length - 4;
  const long = (length: number): [string, string] => ['name', 'x'.repeat(length)];
  expect([oversized('u', long(left)), oversized('u', long(left + 1))]).toEqual([false, true]);
  expect([oversized('uv', long(left - 1)), oversized('uv', long(left))]).toEqual([false, true]);
  expect([oversized('u'.repeat(MAX_HEADER_BYTES), []), oversized('u'.repeat(MAX_HEADER_BYTES + 1), [])]).toEqual([
    false,
    true,
  ]);
});

it('a body that nobody let go is forgotten after its time', () => {
  const letGo = [hold(9_000_000, 100), hold(9_000_000, 60_000)];
  expect(() => hold(9_000_000, 100)).toThrow();
  hold(10_000, 100)();
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 1_000);
  letGo.push(hold(9_000_000, 100));
  for (const go of [...letGo, ...letGo]) go();
  hold(20_000_000, 100)();
});

/** A request whose body has so many bytes, and no end before `close` is called. */
function slow(bytes: number): { request: Request; close: () => void } {
  let close = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(bytes).fill(0x20));
      close = () => controller.close();
    },
  });
  return { request: new Request('https://gate', { method: 'POST', body }), close };
}

it('bodies that never end take no more room than others', async () => {
  const all = [slow(9_000_000), slow(9_000_000)];
  const read = all.map(({ request }) => readBody(request, request.headers));
  const refused = slow(9_000_000).request;
  await expect(readBody(refused, refused.headers)).rejects.toMatchObject({ code: 'queue_full', status: 503 });
  for (const { close } of all) close();
  expect((await Promise.all(read)).map((bytes) => bytes.byteLength)).toEqual([9_000_000, 9_000_000]);
  hold(20_000_000, 100)();
});

it('a body that never ends is not waited for for ever', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { request } = slow(9_000_000);
    const refused = expect(readBody(request, request.headers)).rejects.toMatchObject({ status: 408 });
    await vi.advanceTimersByTimeAsync(120_000);
    await refused;
  } finally {
    vi.useRealTimers();
  }
  hold(20_000_000, 100)();
});

it('a body in single bytes is whole', async () => {
  const bytes = Uint8Array.from({ length: 40_000 }, (_, at) => at % 251);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const request = new Request('https://gate', { method: 'POST', body });
  expect(await readBody(request, request.headers)).toEqual(bytes);
});

it('an answer of somebody else’s that is not used does not keep its connection', async () => {
  const cancel = vi.fn();
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(new ReadableStream({ cancel }), { status: 500 }));
  await expect(json(`${env.STAND_IN}/jwks-none`, {})).rejects.toThrow();
  expect(cancel).toHaveBeenCalledOnce();
});

it('a compressed body is told to be one, since the platform hands it on as it came', async () => {
  const plain = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question() }] });
  const compressed = new Response(plain).body!.pipeThrough(new CompressionStream('gzip'));
  const body = await new Response(compressed).arrayBuffer();
  const { paths } = JSON.parse((await call('/openapi.json')).text) as {
    paths: Record<string, Record<string, { requestBody?: object; responses: Record<string, unknown> }>>;
  };
  const taking = Object.entries(paths).flatMap(([path, each]) =>
    Object.entries(each).flatMap(([method, { requestBody, responses }]) =>
      requestBody ? [{ method: method.toUpperCase(), path: path.replace(/\{\w+\}/, 'groq'), responses }] : [],
    ),
  );
  expect(taking.length).toBeGreaterThan(10);
  const auth = { session: { jwt: true }, issuers: [] };
  const send = calling({ TIDEGATE_AUTH: JSON.stringify(auth), TIDEGATE_SESSION_KEY: 'k'.repeat(32) });
  for (const [name, value] of [
    ['content-encoding', 'gzip'],
    ['content-type', 'multipart/form-data; boundary=x'],
  ] as const) {
    for (const { method, path, responses } of taking) {
      const query = path.includes(':stream') ? '?alt=sse' : '';
      const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, [name]: value };
      const answer = await send(path + query, { method, headers, body });
      expect([path, answer.status, answer.text.includes(name)]).toEqual([path, 415, true]);
      expect(Object.keys(responses)).toContain('415');
    }
  }
  expect((await post(plain, { 'content-encoding': 'identity' })).status).toBe(200);
});

describe.each([undefined, '99'])('a body that breaks off, its length said to be %s', (length) => {
  it.each(['/v1/chat/completions', '/api/ai/queue', '/api/admin/tokens'])('is no failure of %s', async (path) => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"messages":')),
      pull: (controller) => controller.error(new Error('Network connection lost.')),
    });
    const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, ...(length && { 'content-length': length }) };
    const answer = await calling({})(path, { method: 'POST', headers, body });
    expect([answer.status, errorOf(answer).code, errorOf(answer).param]).toEqual([400, 'invalid_request', 'body']);
  });
});

it('no line of the platform’s own log has addresses and headers', () => {
  expect(settings).toMatch(/"redact_query_string": true/);
  expect(settings).toMatch(/"invocation_logs": false/);
});

import { afterEach, expect, it, vi } from 'vitest';

import { Listeners } from '../../src/queue/listeners';
import { merged, mergedStreams } from '../../src/queue/merged';

const context = {
  setWebSocketAutoResponse: () => undefined,
  getWebSockets: () => [],
} as unknown as DurableObjectState;
const everything = { arrival: undefined, owners: undefined };
const change = { status: '{"status":"queued"}', arrival: 1, owner: () => undefined, ended: false };
const never = () => {
  throw new Error('nobody asks for a result');
};

afterEach(() => void vi.useRealTimers());

it('a stream that has nothing to tell says that it is alive, until its reader goes', async () => {
  vi.useFakeTimers();
  const reader = new Listeners(context).stream(everything, undefined).body!.getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  expect(await next()).toBe(': open\n\n');
  for (let silences = 0; silences < 3; silences += 1) {
    vi.advanceTimersByTime(15_000);
    expect(await next()).toBe(': alive\n\n');
  }
  expect(vi.getTimerCount()).toBe(1);
  await reader.cancel();
  expect(vi.getTimerCount()).toBe(0);
});

it('who does not read is let go, before much lies in memory for him; who reads is not', async () => {
  const listeners = new Listeners(context);
  const [asleep, awake] = [listeners.stream(everything, undefined), listeners.stream(everything, undefined)];
  const reader = awake.body!.getReader();
  for (let told = 0; told < 5_000; told += 1) {
    listeners.tell(change, never);
    await reader.read();
  }
  await expect(asleep.text()).rejects.toThrow('too far behind');
  listeners.tell(change, never);
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('queued');
  await reader.cancel();
});

it('no more listen than an object has room for, by streams and sockets together; of a user fewer', () => {
  const sockets: object[] = [];
  const busy = {
    ...context,
    getWebSockets: () => sockets.map((wish) => ({ deserializeAttachment: () => wish })),
    acceptWebSocket: () => undefined,
  } as unknown as DurableObjectState;
  const listeners = new Listeners(busy);
  const own = { arrival: undefined, owners: ['ann'] };
  const both = (wish: typeof own | typeof everything) => [
    listeners.stream(wish, undefined).status,
    listeners.socket(wish, undefined).status,
  ];
  sockets.push(...Array.from({ length: 48 }, () => own));
  expect(both(own)).toEqual([200, 101]);
  sockets.push(own);
  expect(both(own)).toEqual([503, 503]);
  const [first, second] = [
    { ...everything, by: 't1' },
    { ...everything, by: 't2' },
  ];
  sockets.push(...Array.from({ length: 498 }, () => first));
  expect(both(first)).toEqual([200, 101]);
  sockets.push(first);
  expect(both(first)).toEqual([503, 503]);
  expect(both(second)).toEqual([200, 101]);
  sockets.push(...Array.from({ length: 1_000 - sockets.length - 4 }, () => second));
  expect(both({ ...own, owners: ['bob'] })).toEqual([200, 503]);
});

it('what many are told lies in memory once', async () => {
  const listeners = new Listeners(context);
  const readers = [1, 2].map(() => listeners.stream(everything, undefined).body!.getReader());
  for (const reader of readers) await reader.read();
  listeners.tell(change, never);
  const [first, second] = await Promise.all(readers.map((reader) => reader.read()));
  expect(first?.value?.buffer).toBe(second?.value?.buffer);
  for (const reader of readers) await reader.cancel();
});

it('streams that become one keep each event whole, and end together', async () => {
  const controllers: ReadableStreamDefaultController<Uint8Array>[] = [];
  let left = 0;
  const streams = [0, 1].map(
    () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => void controllers.push(controller),
        cancel: () => void (left += 1),
      }),
  );
  const reader = mergedStreams(streams).getReader();
  const say = (which: number, text: string) => controllers[which]!.enqueue(new TextEncoder().encode(text));
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  say(0, 'event: progress\nda');
  say(1, ': alive\n\nevent: progress\ndata: {"b":1}\n\nev');
  expect(await next()).toBe(': alive\n\nevent: progress\ndata: {"b":1}\n\n');
  say(0, 'ta: {"a":1}\n');
  say(0, '\n');
  expect(await next()).toBe('event: progress\ndata: {"a":1}\n\n');
  controllers[0]!.close();
  expect((await reader.read()).done).toBe(true);
  await vi.waitUntil(() => left === 1);
});

it('where one shard refuses, nobody listens to the others', async () => {
  const { 0: client, 1: server } = new WebSocketPair();
  const closed = vi.fn();
  server.accept();
  server.addEventListener('close', ({ code, reason }) => closed(code, reason));
  const until: AbortSignal[] = [];
  const listening = (shard: number, signal: AbortSignal) => {
    until.push(signal);
    if (shard > 0) return Promise.reject(new RangeError(`shard ${shard}`));
    return Promise.resolve(new Response(null, { status: 101, webSocket: client }));
  };
  await expect(merged(3, listening, new AbortController().signal)).rejects.toThrow('shard 1');
  expect(until.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  await vi.waitFor(() => expect(closed).toHaveBeenCalledWith(1000, 'gone'));
});

// What several objects tell, as if one did: who listens to an organisation does not know of shards.

/**
 * Listens to every shard, by `listening`, until `signal`: an answer with one body of events, or one socket. Where one refuses,
 * nobody listens to the others.
 * @throws whatever that one did.
 */
export async function merged(
  shards: number,
  listening: (shard: number, signal: AbortSignal) => Promise<Response>,
  signal: AbortSignal,
): Promise<Pick<Response, 'webSocket' | 'body'>> {
  const gone = new AbortController();
  const until = AbortSignal.any([signal, gone.signal]);
  const all = await Promise.allSettled(Array.from({ length: shards }, (_, shard) => listening(shard, until)));
  const responses = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const sockets = responses.flatMap(({ webSocket }) => webSocket ?? []);
  const refused = all.find((one) => one.status === 'rejected');
  if (refused) {
    gone.abort();
    for (const socket of sockets) {
      socket.accept();
      socket.close(1000, 'gone');
    }
    throw refused.reason;
  }
  if (sockets.length > 0) return { webSocket: mergedSockets(sockets), body: null };
  return { webSocket: null, body: mergedStreams(responses.flatMap(({ body }) => body ?? [])) };
}

/** Bytes that end an event. */
const END = [10, 10];

/**
 * Several streams of events as one. None of an event's bytes come between another's. Where one ends they all do: whoever
 * listens comes again, and misses nothing unknowingly.
 */
export function mergedStreams(bodies: readonly ReadableStream<Uint8Array>[]): ReadableStream<Uint8Array> {
  const readers = bodies.map((body) => body.getReader());
  const leave = () => Promise.all(readers.map((reader) => reader.cancel().catch(() => undefined)));
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const pumped = readers.map(async (reader) => {
    let begun = new Uint8Array();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const bytes = new Uint8Array(begun.length + value.length);
      bytes.set(begun);
      bytes.set(value, begun.length);
      const whole = endOf(bytes);
      begun = bytes.slice(whole);
      if (whole > 0) await writer.write(bytes.subarray(0, whole));
    }
  });
  void Promise.race(pumped)
    .then(() => writer.close())
    .catch((failure: unknown) => writer.abort(failure))
    .catch(() => undefined)
    .finally(leave);
  // Those that the first one's end has stopped.
  for (const one of pumped) one.catch(() => undefined);
  return readable;
}

/** Where the last whole event ends. */
function endOf(bytes: Uint8Array): number {
  for (let at = bytes.length; at >= END.length; at -= 1) {
    if (bytes[at - 2] === END[0] && bytes[at - 1] === END[1]) return at;
  }
  return 0;
}

/** Several sockets as one, which only tells, as each of them. */
function mergedSockets(sockets: readonly WebSocket[]): WebSocket {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  const end = (code: number, reason: string) => {
    for (const socket of [server, ...sockets]) {
      try {
        socket.close(code, reason);
      } catch {
        // It is closed already.
      }
    }
  };
  for (const socket of sockets) {
    socket.accept();
    socket.addEventListener('message', ({ data }) => server.send(data as string));
    socket.addEventListener('close', () => end(1001, 'come again'));
    socket.addEventListener('error', () => end(1011, 'come again'));
  }
  server.addEventListener('message', ({ data }) => {
    if (data === 'ping') server.send('pong');
    else end(1003, 'this socket only tells');
  });
  server.addEventListener('close', () => end(1000, 'gone'));
  server.addEventListener('error', () => end(1000, 'gone'));
  return client;
}

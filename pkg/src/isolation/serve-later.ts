// What of the gateway's side of the boundary loads later: streams, and `gate.fetch`.

import { dataOf, invalid, type ErrorData } from '../errors.js';
import { flat } from '../flat.js';
import type { Tidegate } from '../tidegate.js';
import type { ChatMeta } from '../types.js';
import { Sender } from './flow.js';
import type { Answering, ToGate } from './protocol.js';
import type { Running, Send } from './serve.js';

/** Answers a request for a stream. */
export async function serveStream(
  gate: Tidegate,
  send: Send,
  [, id, text, options]: Extract<ToGate, ['chat', ...unknown[]]>,
  running: Running,
): Promise<void> {
  const { signal } = running.aborting;
  const [{ body }, result] = await gate.chatBytes(text, { ...options, signal });
  await stream(send, id, null, body, result, running);
}

/** Answers a request of `gate.fetch`. */
export async function serveFetch(
  gate: Tidegate,
  send: Send,
  [, id, { method, url, headers, body, options, refusal }]: Extract<ToGate, ['fetch', ...unknown[]]>,
  running: Running,
): Promise<void> {
  if (!(await gate.routes(method, url))) throw invalid('url', 'is not an address of this gate');
  const pairs = headers.flatMap((name, at) =>
    at % 2 === 0 ? [[name, headers[at + 1] ?? ''] as [string, string]] : [],
  );
  const { signal } = running.aborting;
  const bodiless = method === 'GET' || method === 'HEAD';
  const init = { method, headers: pairs, signal, ...(!bodiless && { body }) };
  const [response, result] = refusal
    ? await gate.refuse(method, url, refusal)
    : await gate.fetch
        .with(options)(url, init)
        .then((answer) => [answer, gate.fetch.result(answer)] as const);
  const head: Answering = { status: response.status, headers: flat(response.headers) };
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return stream(send, id, head, response.body, result, running);
  }
  const bytes = await response.arrayBuffer();
  const account = await result.then(
    (account) => ({ account }),
    (thrown: unknown) => ({ error: dataOf(thrown) }),
  );
  send(['done', id, { ...head, ...account, body: bytes }], [bytes]);
}

async function stream(
  send: Send,
  id: number,
  head: Answering | null,
  body: ReadableStream<Uint8Array> | null,
  result: Promise<ChatMeta>,
  running: Running,
): Promise<void> {
  // A failure is told below, once.
  result.catch(() => undefined);
  send(['begin', id, head]);
  let failure: ErrorData | null = null;
  if (body) {
    running.sender = new Sender(body);
    if (running.aborting.signal.aborted) running.sender.cancel();
    await running.sender
      .run((bytes) => send(['data', id, bytes], [bytes]))
      .catch((thrown: unknown) => (failure = dataOf(thrown)));
  }
  send(['end', id, failure]);
  try {
    send(['account', id, await result, null]);
  } catch (thrown) {
    send(['account', id, null, dataOf(thrown)]);
  }
}

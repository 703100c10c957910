// `gate.fetch`: what an SDK takes as its `fetch`. Requests to a provider's API go through the gateway, whichever dialect
// they are in; everything else goes to the fetch of the place as it came.

import { asksOf, asksWith, joined, noSlipIn } from './asks.js';
import { addressOf, partsOf, textOf } from './body.js';
import type { Answer, Caller, HeaderLines } from './boundary.js';
import { dataOf, toError } from './errors.js';
import { flat, recordOf } from './flat.js';
import { readable } from './stream.js';
import type { ChatMeta, GateFetch, RequestOptions } from './types.js';

/** What `gate.fetch` needs of its gate. */
export interface FetchHost {
  core: Caller;
  /** The fetch of the place, taken before anybody could put `gate.fetch` in its stead. */
  real: typeof fetch;
  /** Loads what of the gateway is not here yet; nothing once it is. Absent where all is. */
  rest?(): Promise<void> | undefined;
  /** Rejects what never settles. */
  watch<T>(work: Promise<T>): Promise<T>;
  /** Called with each final account. */
  settled(account: ChatMeta): void;
}

export { flat };

type Results = WeakMap<Response, Promise<ChatMeta>>;

/** Makes a `gate.fetch`. It needs no `this`, since SDKs call it as a plain function. */
export function gateFetch(host: FetchHost, options: RequestOptions = {}, results: Results = new WeakMap()): GateFetch {
  const remember = (response: Response, result: Promise<ChatMeta>): Response => {
    // Who never asks for it is not told of its failure.
    result.catch(() => undefined);
    results.set(response, result);
    const clone = () => remember(Response.prototype.clone.call(response), result);
    return Object.defineProperty(response, 'clone', { value: clone, configurable: true, writable: true });
  };

  // Browsers' own fetch refuses to be a method of something else.
  const { real } = host;
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const [method, url] = addressOf(input, init);
    const coming = host.rest?.();
    if (coming) await coming;
    const endpoint = url === undefined ? undefined : host.core.route(method, url);
    if (endpoint === undefined) return real(input, init);
    const { headers, signal, body } = partsOf(input, init);
    signal?.throwIfAborted();
    try {
      const { tenant, flags, ttlMs, namespace } = asksWith(asksOf(options), headers);
      const lines = flat(headers);
      noSlipIn(lines);
      const read = textOf(body);
      const text = typeof read === 'string' ? read : await read;
      signal?.throwIfAborted();
      const work = host.core.call(endpoint, text, lines, tenant, flags, ttlMs, namespace, signal);
      return remember(...answered(work instanceof Promise ? await host.watch(work) : work, signal, host.settled));
    } catch (thrown) {
      // As `fetch` does: with the signal's own reason.
      signal?.throwIfAborted();
      const error = toError(thrown);
      return remember(refused(host.core, endpoint, thrown), Promise.reject(error));
    }
  };

  const result = async (response: Response): Promise<ChatMeta> => {
    const known = results.get(response);
    if (!known) throw new TypeError('This response does not come from a gate.');
    return known;
  };

  const withOptions = (more: RequestOptions): GateFetch => gateFetch(host, joined(options, more), results);

  return Object.assign(fetch, { result, with: withOptions });
}

/** An error as a `Response` that the clients of the endpoint's dialect can read, as `core` writes it. */
export function refused(core: Pick<Caller, 'failure'>, endpoint: string, thrown: unknown): Response {
  const [status, headers, text] = core.failure(endpoint, dataOf(thrown));
  return new Response(text, { status, headers: recordOf(headers) });
}

/**
 * The final account as a comment, which clients of event streams pass over. The text of a cut stream is left out: who
 * reads this has it already.
 */
export function trailerOf(account: string): string {
  const { partialText: _text, ...rest } = JSON.parse(account) as ChatMeta;
  // Some providers leave out the last blank line.
  return `\n\n: tidegate ${JSON.stringify(rest)}\n\n`;
}

/**
 * An answer as a `Response` with its account: at once for a whole one, at its end for a stream. With `trailer` the
 * account also follows the events.
 */
export function answered(
  answer: Answer,
  signal: AbortSignal | undefined,
  settled: (account: ChatMeta) => void,
  trailer = false,
  more?: (requestId: string) => Record<string, string>,
): [Response, Promise<ChatMeta>] {
  const account = (json: string): ChatMeta => {
    const meta = JSON.parse(json) as ChatMeta;
    settled(meta);
    return meta;
  };
  if (answer[0] === 0) {
    const [, status, headers, whole, json] = answer;
    const meta = account(json);
    // A replay of a stream is at hand as a whole.
    const told = trailer && headers.includes('text/event-stream');
    const text = () => (typeof whole === 'string' ? whole : new TextDecoder().decode(whole));
    const body = told ? text() + trailerOf(json) : (whole as BodyInit);
    return [new Response(body, { status, headers: headersOf(headers, meta, more) }), Promise.resolve(meta)];
  }
  const [, status, headers, stream, reader, soFar] = answer;
  let bytes: ReadableStream<Uint8Array> | undefined;
  const result = new Promise<ChatMeta>((resolve, reject) => {
    const settle = { resolve: (json: string) => resolve(account(json)), reject };
    bytes = readable(stream, reader, signal, settle, trailer ? trailerOf : undefined);
  });
  const meta = JSON.parse(soFar) as ChatMeta;
  return [new Response(bytes ?? null, { status, headers: headersOf(headers, meta, more) }), result];
}

/** Headers with the account as far as it is known: what a stream will cost is known at its end. */
function headersOf(
  lines: HeaderLines,
  meta: ChatMeta,
  more?: (requestId: string) => Record<string, string>,
): Record<string, string> {
  const headers = recordOf(lines.split('\n'));
  // A list of models has none: nobody was asked.
  if (!meta.requestId) return Object.assign(headers, more?.(''));
  const { requestId, target, attempts, cache, costNanoUsd, reservedNanoUsd } = meta;
  headers['x-request-id'] = requestId;
  // Headers take Latin-1 only; models may have any name.
  headers['x-tidegate-target'] = target.replace(/[^\x20-\x7e]+/g, encodeURIComponent);
  headers['x-tidegate-attempts'] = String(attempts);
  headers['x-tidegate-cache'] = cache;
  if (reservedNanoUsd !== undefined) headers['x-tidegate-reserved-nano-usd'] = String(reservedNanoUsd);
  else headers['x-tidegate-cost-nano-usd'] = String(costNanoUsd);
  return Object.assign(headers, more?.(requestId));
}

// A request in any of the forms that `fetch` takes, as the boundary wants it: its address, headers and text.

import { refusal } from './errors.js';

/** Longest body of a request, in bytes. It is counted while it comes: a stream states no length. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

export interface Parts {
  headers: Headers;
  signal: AbortSignal | undefined;
  /** The text, or the request to read it from. */
  body: string | Request;
}

/** Method and absolute address, without reading anything; no address where `fetch` itself has to refuse it. */
export function addressOf(input: RequestInfo | URL, init: RequestInit | undefined): [method: string, url?: string] {
  const request = input instanceof Request ? input : undefined;
  // As `fetch` does, which takes anything that has a text.
  const method = `${init?.method ?? request?.method ?? 'GET'}`.toUpperCase();
  if (request) return [method, request.url];
  try {
    // A page's relative addresses are its own.
    const { location } = globalThis as { location?: { href: string } };
    return [method, new URL(String(input), location?.href).href];
  } catch {
    return [method];
  }
}

export function partsOf(input: RequestInfo | URL, init: RequestInit | undefined): Parts {
  // What every SDK sends, without the detour.
  const { signal, body } = init ?? {};
  const plain = signal == null || typeof signal.throwIfAborted === 'function';
  if (!(input instanceof Request) && typeof body === 'string' && plain) {
    return { headers: new Headers(init?.headers), signal: signal ?? undefined, body };
  }
  // The platform's own reading of everything else, and its own refusal: whose field goes before whose, kinds of bodies.
  const request = new Request(input, init);
  return { headers: request.headers, signal: request.signal, body: request };
}

/**
 * The body as text, read once; at once if it is one.
 * @throws `invalid_request`: 413 if it is too long, 400 if it is not UTF-8. Ends early when the request is aborted.
 */
export function textOf(body: Request): Promise<string>;
export function textOf(body: string | Request): string | Promise<string>;
export function textOf(body: string | Request): string | Promise<string> {
  if (typeof body !== 'string') return read(body);
  // No text has more units than bytes; to count those of each request would be to encode it twice.
  if (body.length > MAX_BODY_BYTES) throw tooLong();
  return body;
}

async function read(request: Request): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  // Firefox knows no stream of a request's body.
  if (!request.body) return decode(decoder, bounded(new Uint8Array(await request.arrayBuffer())));
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  const hangUp = () => void reader.cancel(request.signal.reason).catch(() => undefined);
  request.signal.addEventListener('abort', hangUp);
  try {
    let text = '';
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decode(decoder);
      bytes += value.byteLength;
      if (bytes > MAX_BODY_BYTES) {
        hangUp();
        throw tooLong();
      }
      text += decode(decoder, value, true);
    }
  } finally {
    request.signal.removeEventListener('abort', hangUp);
  }
}

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > MAX_BODY_BYTES) throw tooLong();
  return bytes;
}

function decode(decoder: TextDecoder, bytes?: Uint8Array, more = false): string {
  try {
    return decoder.decode(bytes, { stream: more });
  } catch {
    throw refusal('body', 'must be UTF-8');
  }
}

export const tooLong = () => refusal('body', `must not be longer than ${MAX_BODY_BYTES} bytes`, 413);

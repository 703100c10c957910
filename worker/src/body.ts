import type { FlatHeaders } from '../../pkg/src/boundary';
import { MAX_BODY_BYTES, tooLong } from '../../pkg/src/body';
import { isData } from '../../pkg/src/errors';
import { crowded, invalid } from './errors';

/** Types that cannot be JSON. Everything else is let through: clients name none or a wrong one, curl a form's. */
const NOT_JSON = /^\s*(multipart|image|audio|video)\//i;

/**
 * To be asked before a body is read.
 * @throws `invalid_request` (415) if it is no JSON by its type, or compressed.
 */
export function mustBeJson(headers: Pick<Headers, 'get'>): void {
  if (NOT_JSON.test(headers.get('content-type') ?? '')) {
    throw invalid('content-type', 'must be application/json', 415);
  }
  // The platform hands on what was compressed as it came.
  if (!/^(identity)?$/i.test(headers.get('content-encoding') ?? '')) {
    throw invalid('content-encoding', 'must be identity: bodies are not taken compressed', 415);
  }
}

/**
 * The request's body. One that may be large is counted while it comes, as {@link hold} does with what has come: else a few
 * clients who send ten megabytes each, but never the last byte, would fill the isolate.
 * @throws `invalid_request`: 413 if it is too long, 415 if it is no JSON by its type or compressed, 408 if it took too long;
 * `queue_full` (503) if there are too many at once.
 */
export async function readBody(request: Request, headers: Pick<Headers, 'get'>): Promise<Uint8Array> {
  mustBeJson(headers);
  const stated = headers.get('content-length');
  if (Number(stated) > MAX_BODY_BYTES) throw tooLong();
  if (stated === null || Number(stated) >= SMALL) return received(inPieces(request.body));
  // Whoever reads HTTP takes no more than was stated; and all at once is one turn of the runtime's in place of three.
  return new Uint8Array(await received(request.arrayBuffer()));
}

async function inPieces(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const reader = body?.getReader();
  const own: Hold = { bytes: 0, until: Date.now() + READ_MS };
  const hangUp = () => void reader?.cancel().catch(nothing);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    hangUp();
  }, READ_MS);
  try {
    // One room that grows: pieces may be single bytes, and a list of them a hundred times what was sent.
    let bytes = new Uint8Array(SMALL);
    for (;;) {
      const { value } = (await reader?.read()) ?? {};
      if (late) throw invalid('body', 'took too long', 408);
      const at = own.bytes;
      if (!value) return bytes.subarray(0, at);
      const length = at + value.byteLength;
      if (length > MAX_BODY_BYTES) throw tooLong();
      grow(own, value.byteLength);
      if (length > bytes.byteLength) {
        const larger = new Uint8Array(Math.max(length, Math.min(2 * bytes.byteLength, MAX_BODY_BYTES)));
        larger.set(bytes.subarray(0, at));
        bytes = larger;
      }
      bytes.set(value, at);
    }
  } catch (failure) {
    hangUp();
    throw failure;
  } finally {
    clearTimeout(timer);
    letGo(own);
  }
}

/**
 * What is read of a body, by whatever reads it. That a body does not come to its end is its caller's doing, mostly by going
 * away: it is no failure of ours, and must not be counted as one.
 * @throws `invalid_request` (400) if it broke off, or whatever else of ours was thrown.
 */
export async function received<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (failure) {
    throw isData(failure) ? failure : invalid('body', 'broke off before its end');
  }
}

/**
 * The same as text.
 * @throws also `invalid_request` (400) if it is not UTF-8.
 */
export async function readText(request: Request, headers: Pick<Headers, 'get'>): Promise<string> {
  const bytes = await readBody(request, headers);
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw invalid('body', 'must be UTF-8');
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Longest headers and address of a request together. All are ASCII or bytes written as one letter each. */
export const MAX_HEADER_BYTES = 32 * 1024;

/** Most headers of a request. Clients send up to forty. */
export const MAX_HEADERS = 100;

export function oversized(url: string, headers: FlatHeaders): boolean {
  let length = url.length + headers.length * 2;
  for (const text of headers) length += text.length;
  return length > MAX_HEADER_BYTES || headers.length > 2 * MAX_HEADERS;
}

/**
 * Bytes of bodies that an isolate works on at once. Each is in its memory three times or more, of 128 MB; whoever needs more
 * ends the isolate, with everybody's requests.
 */
const MOST_HELD = 20 * 1024 * 1024;
/** Bodies below that are not counted, in bytes. */
const SMALL = 32 * 1024;
/** How long a body may take to come, in milliseconds. */
const READ_MS = 120_000;

interface Hold {
  bytes: number;
  until: number;
}
const holds = new Set<Hold>();
let held = 0;

/**
 * Counts a body that was read as held, until what this gives is called, or `ms` milliseconds are over: a request that the
 * platform has ended lets nothing go.
 * @throws `queue_full` (503) if there are too many at once.
 */
export function hold(bytes: number, ms: number): () => void {
  if (bytes < SMALL) return nothing;
  const own: Hold = { bytes: 0, until: Date.now() + ms };
  grow(own, bytes);
  return () => letGo(own);
}

function grow(own: Hold, bytes: number): void {
  const now = Date.now();
  if (held + bytes > MOST_HELD) for (const one of holds) if (one.until <= now) letGo(one);
  if (held + bytes > MOST_HELD) throw crowded();
  holds.add(own);
  own.bytes += bytes;
  held += bytes;
}

function letGo(own: Hold): void {
  if (holds.delete(own)) held -= own.bytes;
}

const nothing = () => {};

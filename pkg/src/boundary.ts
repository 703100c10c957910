// The part of the Wasm's boundary that carries requests of any dialect and streams: positions of plain arrays, because
// objects cost more to cross than to read.

import type { ErrorData } from './errors.js';

/** Names and values in turn, names in lower case. */
export type FlatHeaders = string[];

/** Headers as one text, a line for each name and each value: a list crosses item by item. */
export type HeaderLines = string;

/**
 * A whole answer: its kind, status, headers, body (in bytes, where a server hands it out) and account. A cached stream is
 * one too: all of its events.
 */
export type WholeAnswer = [kind: 0, status: number, headers: HeaderLines, body: string | Uint8Array, account: string];

/** A stream that has passed its commit point. Without a reader everything is in `head` and `finish`. */
export type StreamedAnswer = [
  kind: 1,
  status: number,
  headers: HeaderLines,
  stream: ChatStream,
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  account: string,
];

export type Answer = WholeAnswer | StreamedAnswer;

/** Why a stream is at its end: the provider's, the network's, a timer's. */
export const END = 0;
export const NETWORK = 1;
export const TIMER = 2;
export type Ending = typeof END | typeof NETWORK | typeof TIMER;

/**
 * What follows from a push: hand out the same chunk, or what `take` gives; the stream is over; a timer has run out; hand out
 * the beginning of the chunk, of as many bytes as the bits from `LENGTH` on say.
 */
export const SAME = 1;
export const OTHER = 2;
export const OVER = 4;
export const LATE = 8;
export const PART = 16;
export const LENGTH = 5;

/** One stream in the Wasm: JavaScript owns the reader and the timer, the Wasm everything that is decided. */
export interface ChatStream {
  /** What was read up to the commit point. */
  head(): Uint8Array | undefined;
  /** Takes a chunk in that came at `now` (`Date.now()`), and says in bits what follows: `SAME`, `OTHER`, `OVER` … */
  push(chunk: Uint8Array, now: number): number;
  /** What to hand out in place of the chunk that was pushed last. */
  take(): Uint8Array | undefined;
  /** The consumer asked for nothing for so long. */
  paused(millis: number): void;
  /** Until a timer may run out; 0 or less once one has. */
  timeLeftMs(): number;
  /** Settles, and gives the last bytes: terminal frames, or the error in band. A promise only if it has to wait. */
  finish(how: Ending): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The consumer went away: settles. */
  cancel(): unknown;
  /** The account as JSON, final after `finish` or `cancel`. */
  account(): string;
  free(): void;
}

/** What `Core` offers to `fetch` and to streams. */
export interface Caller {
  /** What to pass on for a request of ours; nothing for an address of somebody else. */
  route(method: string, url: string): string | undefined;
  /** At once what takes no waiting; throws or rejects with an error object. */
  call(
    endpoint: string,
    body: string,
    headers: FlatHeaders,
    tenant: string | undefined,
    cacheFlags: number,
    ttlMs: number | undefined,
    namespace: string | undefined,
    signal: AbortSignal | undefined,
  ): Answer | Promise<Answer>;
  /** An error as the endpoint's dialect writes it. */
  failure(endpoint: string, error: ErrorData): [status: number, headers: FlatHeaders, body: string];
}

/** A request that `route` takes for the chat completions of this gate's own targets. */
export const CHAT = ['POST', 'https://api.openai.com/v1/chat/completions'] as const;

/** Each request is admitted first: what may change while a gate is open is asked again. */
export const guarded = (core: Caller, admit: () => void): Caller => ({
  route: (method, url) => core.route(method, url),
  call: (...asked) => {
    admit();
    return core.call(...asked);
  },
  failure: (endpoint, error) => core.failure(endpoint, error),
});

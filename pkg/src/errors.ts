// Errors as programs read them: a code and data, then one sentence. Never a prompt, a key or a body.

/** Why something was refused or failed: the README's table says what each means and what helps. */
export type ErrorCode =
  | 'invalid_request'
  | 'config_invalid'
  | 'secret_detected'
  | 'unauthorized'
  | 'forbidden'
  | 'rate_limited'
  | 'budget_exceeded'
  | 'queue_full'
  | 'no_target'
  | 'circuit_open'
  | 'authentication'
  | 'model_not_found'
  | 'context_length'
  | 'quota'
  | 'upstream_rejected'
  | 'unpriced_input'
  | 'unsupported_endpoint'
  | 'upstream_limited'
  | 'upstream_failed'
  | 'upstream_malformed'
  | 'timeout'
  | 'stream_interrupted'
  | 'aborted'
  | 'vault_locked'
  | 'vault_corrupt'
  | 'closed'
  | 'isolation_failed'
  | 'internal'
  // A later version may have more.
  | (string & {});

/**
 * One failed attempt of a request, or a target that was not asked, since something of ours refused it (`circuit_open`,
 * `budget_exceeded`, `rate_limited`, `queue_full`).
 */
export interface AttemptError {
  /** From 1; of a target that was not asked the number of the attempt before, 1 if there was none. */
  attempt: number;
  /** `provider/model`. */
  target: string;
  code: ErrorCode;
  /** The provider's HTTP status, if one came. */
  status?: number;
}

/** The error object that crosses from the Wasm; also structured-cloneable. */
export interface ErrorData {
  code: ErrorCode;
  message: string;
  /** HTTP status that fits the code. */
  status: number;
  shouldRetry: boolean;
  /** The provider at fault, if one is. */
  provider?: string;
  /** Number of the attempt that failed, from 1. */
  attempt?: number;
  /** The earliest time from now at which another try can succeed, in milliseconds, if it is known. */
  retryAfterMs?: number;
  /** Bad fields: where, and what would be right. */
  fields?: { path: string; problem: string }[];
  /**
   * With `budget_exceeded`: nano-dollars, and when the cap resets (as `Date.now()`). Without `retryAfterMs` the request
   * alone could cost more than the cap: no wait helps.
   */
  budget?: { limitNanoUsd: number; spentNanoUsd: number; reservedNanoUsd: number; resetsAt: number };
  /** The provider's HTTP status. */
  upstreamStatus?: number;
  /** With `timeout`, and with `stream_interrupted` if that was why: which of `config.timeouts` ran out. */
  timeout?: 'attempt' | 'total' | 'headers' | 'first-output' | 'idle';
  /**
   * With `upstream_failed`, and with `stream_interrupted` if that was why: the device is offline, the provider refuses
   * browsers, or anything else between here and it.
   */
  network?: 'network' | 'offline' | 'cors';
  /** What failed before, in order. Empty where a stream had begun: its account tells of the attempts. */
  attempts: AttemptError[];
  /**
   * The request that it ended, as events and records name it: `tg-…`. None where no request had begun, nor where you
   * aborted a stream (its account has it) or a request that another realm runs.
   */
  requestId?: string;
  /** Beside `requestId`: what its attempts were charged in all, in nano-dollars; 0 where nothing was generated for sure. */
  costNanoUsd?: number;
  /**
   * How many exchanges with providers there were, and with which target the last was; absent where nobody was asked, and
   * of a stream that had begun (its account has `attempts` and `target`). Told in Node and in Workers, elsewhere by a gate
   * with a queue.
   */
  asked?: { exchanges: number; target: string };
}

/** What every method of a gate rejects with. `code` is stable: see the table in the README. */
export class TidegateError extends Error implements ErrorData {
  override readonly name = 'TidegateError';
  readonly code!: ErrorCode;
  readonly status!: number;
  readonly shouldRetry!: boolean;
  declare readonly provider?: string;
  declare readonly attempt?: number;
  declare readonly retryAfterMs?: number;
  declare readonly fields?: { path: string; problem: string }[];
  declare readonly budget?: NonNullable<ErrorData['budget']>;
  declare readonly upstreamStatus?: number;
  declare readonly timeout?: 'attempt' | 'total' | 'headers' | 'first-output' | 'idle';
  declare readonly network?: 'network' | 'offline' | 'cors';
  readonly attempts!: AttemptError[];
  declare readonly requestId?: string;
  declare readonly costNanoUsd?: number;
  declare readonly asked?: NonNullable<ErrorData['asked']>;

  constructor(data: ErrorData) {
    const { message, ...rest } = data;
    super(message + naming(data.fields));
    Object.assign(this, rest);
  }
}

/** What whoever aborted is told where the Wasm is not asked. */
export const ABORTED: ErrorData = {
  ...{ code: 'aborted', message: 'The request was aborted.', status: 499 },
  ...{ shouldRetry: false, attempts: [] },
};

/** Whether something thrown is an error of the gateway. Works across copies of the package and realms. */
export function isTidegateError(error: unknown): error is TidegateError {
  return error instanceof Object && 'name' in error && error.name === 'TidegateError' && 'code' in error;
}

/** Whether it is what the Wasm throws, or an error made of it. */
export const isData = (thrown: unknown): thrown is ErrorData =>
  thrown instanceof Object && 'code' in thrown && 'attempts' in thrown;

/** What an error's message says beside the sentence of its code. */
const naming = (fields: ErrorData['fields']): string =>
  Array.isArray(fields) && fields.length > 0
    ? ` ${fields.map(({ path, problem }) => `${path || 'input'} ${problem}`).join('; ')}.`
    : '';

/** What is refused before the Wasm is asked, as the Wasm would say it. */
export function refusal(path: string, problem: string, status = 400): ErrorData {
  const fields = [{ path, problem }];
  const message = 'The request is not valid.';
  return { code: 'invalid_request', message, status, shouldRetry: false, fields, attempts: [] };
}

/** The same as an error. */
export const invalid = (path: string, problem: string, status = 400): TidegateError =>
  new TidegateError(refusal(path, problem, status));

/**
 * A text as it is. The Wasm's glue looks into no argument: what is none would be written past its memory.
 * @throws `invalid_request`, which names the place.
 */
export function textAt(path: string, value: string): string {
  if (typeof value !== 'string') throw invalid(path, 'must be a text');
  return value;
}

/**
 * Each field of what was given, read once: what a getter gives could be something else the next time. Of nothing, none.
 * @throws `invalid_request`, which names the place.
 */
export function fieldsOf<T extends object>(path: string, given: T, problem = 'must be a plain object'): Partial<T> {
  try {
    if (given === null || isPlain(given)) return { ...given };
  } catch {
    // A getter, or a proxy that is over.
  }
  throw invalid(path, problem);
}

/**
 * The same, none of which has a name that is not known: a slip would have the default, unseen.
 * @throws `invalid_request`, which names the field, and those that there are.
 */
export function knownOf<T extends object>(path: string, given: T, known: Record<keyof T, 0>): Partial<T> {
  const fields = fieldsOf(path, given);
  const names = Object.keys(known);
  const slip = Object.keys(fields).find((name) => !names.includes(name));
  if (slip !== undefined) throw invalid(slip, `is not a known field; known are ${names.join(', ')}`);
  return fields;
}

/**
 * Whether it is an object whose fields are all its own: of a class, or of a `Date`, `Map` or `URL`, they would be missed.
 * One of another realm is, too: there as here the prototype has none itself.
 */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const above: unknown = Object.getPrototypeOf(value);
  return above === null || Object.getPrototypeOf(above) === null;
}

/** Deeper than any configuration. */
const MAX_DEPTH = 32;

/** Where in `value` something is no plain data; nothing if all is. */
export function oddIn(value: unknown, path = '', depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null)
    return ['function', 'symbol', 'bigint'].includes(typeof value) ? path : undefined;
  try {
    // A cycle is told where it begins.
    if (depth > MAX_DEPTH) return path.split('.')[0];
    if (!Array.isArray(value) && !isPlain(value)) return path;
    const within = path && `${path}.`;
    for (const name of Object.keys(value)) {
      path = within + name;
      const odd = oddIn((value as Record<string, unknown>)[name], path, depth + 1);
      if (odd !== undefined) return odd;
    }
    return undefined;
  } catch {
    // A getter, or a proxy that is over.
    return path;
  }
}

/** Whether it is a list. A proxy that is over is none. */
export function isList(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * A value as JSON, which speaks of what was `given`.
 * @throws `invalid_request`, which says where, for what has none: a BigInt, a cycle, a getter that throws.
 */
export function jsonOf(value: unknown, given = value): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (cause) {
    throw Object.assign(invalid(oddIn(given) ?? '', 'must be plain data'), { cause });
  }
}

/** Makes a real error of what came out of the Wasm; anything else is a defect and passes as `internal`. */
export function toError(thrown: unknown): TidegateError {
  if (isTidegateError(thrown)) return thrown;
  return isData(thrown) ? new TidegateError(thrown) : internal('The gateway failed unexpectedly.', thrown);
}

/** The data alone, as it crosses into the Wasm, which names the fields itself. */
export function dataOf(thrown: unknown): ErrorData {
  if (isData(thrown) && !isTidegateError(thrown)) return thrown;
  const { name: _name, stack: _stack, cause: _cause, message, ...data } = toError(thrown);
  const named = naming(data.fields);
  return { ...data, message: message.endsWith(named) ? message.slice(0, message.length - named.length) : message };
}

/** What a gate says once it is closed: by `close()`, or by an opening of its name with another configuration. */
export const closed = (): TidegateError =>
  new TidegateError({
    code: 'closed',
    message: 'The gate was closed, or its name was opened with another configuration.',
    status: 410,
    shouldRetry: false,
    attempts: [],
  });

const GONE =
  'A file of the gateway could not be loaded: if the app was published anew, reload the page; if not, a bundler left it out.';
const NO_IMPORT = 'A service worker loads no scripts later: open the gate in a page or in another worker.';
const NO_WASM = "No WebAssembly may run here: the page's policy needs script-src 'wasm-unsafe-eval'.";

/** What of the gateway could not be loaded or started, and what helps. */
function unloaded(cause: unknown): TidegateError {
  if (isTidegateError(cause)) return cause;
  const why = 'ServiceWorkerGlobalScope' in globalThis ? NO_IMPORT : GONE;
  return internal(runsWasm() ? why : NO_WASM, cause);
}

/** What compiles nothing fails alike for a page in place of a file: so the smallest module is tried. */
function runsWasm(): boolean {
  try {
    // The types of Workers know that nothing is compiled there.
    const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
    return WebAssembly.Module.exports(new Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))).length === 0;
  } catch {
    return false;
  }
}

/** Throws what `unloaded` makes of it. */
export const notLoaded = (cause: unknown): never => {
  throw unloaded(cause);
};

/** An `internal` error with a sentence of its own. */
export function internal(message: string, cause?: unknown): TidegateError {
  const error = new TidegateError({ code: 'internal', message, status: 500, shouldRetry: false, attempts: [] });
  if (cause !== undefined) error.cause = cause;
  return error;
}

// The faults that a stand-in can be told to have, as the provider it stands for would show them.

/** Every fault; `none` is health. */
export const FAULTS = [
  'none',
  'fail',
  'slow',
  'rate-limit',
  'wrong-key',
  'malformed',
  'hang',
  // Of streams: the first output comes late, no more come, the connection breaks, the provider says that it failed.
  'slow-start',
  'stall',
  'cut',
  'error-event',
];

/**
 * `afterOutputs`: pieces of text, reasoning or tool calls that a faulty stream still sends.
 * @typedef {{ kind: string, delayMs: number, retryAfterSeconds: number, status: number, afterOutputs: number, times: number | null }} Fault
 */

/** @type {Fault} */
export const HEALTHY = Object.freeze({
  kind: 'none',
  delayMs: 0,
  retryAfterSeconds: 0,
  status: 0,
  afterOutputs: 0,
  times: null,
});

const DELAY_MS = { slow: 4_000, 'slow-start': 4_000 };
const AFTER_OUTPUTS = { stall: 12, cut: 12 };

const number = (value, fallback, min, max) =>
  value === undefined ? fallback : Number.isFinite(value) && value >= min && value <= max ? value : null;

/**
 * Reads a fault from a control request. Throws a sentence that names the bad field.
 * @returns {Fault}
 */
export function parseFault(input) {
  const kind = input?.kind;
  if (!FAULTS.includes(kind)) throw new Error(`kind: one of ${FAULTS.join(', ')}`);
  const fault = {
    kind,
    delayMs: number(input.delayMs, DELAY_MS[kind] ?? 0, 0, 600_000),
    retryAfterSeconds: number(input.retryAfterSeconds, 10, 0, 86_400),
    status: number(input.status, 500, 500, 599),
    afterOutputs: number(input.afterOutputs, AFTER_OUTPUTS[kind] ?? 0, 0, 1_000_000),
    times: input.times === undefined || input.times === null ? null : number(input.times, null, 1, 1_000_000),
  };
  for (const field of ['delayMs', 'retryAfterSeconds', 'status', 'afterOutputs']) {
    if (fault[field] === null) throw new Error(`${field}: a number in its range`);
  }
  if (fault.times === null && input.times !== undefined && input.times !== null) throw new Error('times: 1 or more');
  return fault;
}

const problem = (provider, status, message, type, code) =>
  provider === 'openrouter' ? { error: { code: status, message } } : { error: { message, type, code } };

/** The answer to a request without a key, or with a wrong one. */
export const refusedKey = (provider) => ({
  status: 401,
  headers: {},
  body: JSON.stringify(problem(provider, 401, 'Invalid API Key', 'invalid_request_error', 'invalid_api_key')),
});

const failed = (provider, status) =>
  JSON.stringify(problem(provider, status, 'Internal Server Error', 'internal_server_error', null));

/** The last event of a stream that its provider gives up: OpenRouter puts the error into a chunk. */
export const refusedStream = (provider, chunk) =>
  provider === 'openrouter'
    ? `data: ${JSON.stringify({ ...chunk, choices: [], ...JSON.parse(failed(provider, 502)) })}\n\n`
    : `event: error\ndata: ${failed(provider, 500)}\n\n`;

/**
 * What a faulty provider answers at once; null where the fault does not answer (it delays or hangs).
 * @param {string} provider
 * @param {Fault} fault
 */
export function faultyAnswer(provider, fault) {
  switch (fault.kind) {
    case 'fail':
      return { status: fault.status, headers: {}, body: failed(provider, fault.status) };
    case 'rate-limit':
      return {
        status: 429,
        headers: { 'retry-after': String(fault.retryAfterSeconds) },
        body: JSON.stringify(problem(provider, 429, 'Rate limit reached', 'tokens', 'rate_limit_exceeded')),
      };
    case 'wrong-key':
      return refusedKey(provider);
    case 'malformed':
      return {
        status: 200,
        headers: {},
        body: '{"id":"chatcmpl-cut","object":"chat.completion","choices":[{"index":0,"mess',
      };
    default:
      return null;
  }
}

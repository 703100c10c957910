// What every client is asked with, in no dialect yet. Runs in Node and in pages.

export const TOOL = {
  name: 'weather',
  description: 'The weather of a city.',
  schema: {
    type: 'object',
    properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
    required: ['city', 'unit'],
    additionalProperties: false,
  },
  /** What it gives back. */
  result: { celsius: 18 },
};

export const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, celsius: { type: 'number' } },
  required: ['city', 'celsius'],
  additionalProperties: false,
};

export const MAX_TOKENS = 256;

/**
 * What one client gives the suite.
 * @typedef {object} Client
 * @property {string} provider whose SDK it is
 * @property {string} model
 * @property {string} path what the SDK wants behind the origin as its base
 * @property {boolean} obeys whether it stops retrying when an answer says `x-should-retry: false`
 * @property {boolean} [endsQuietly] whether an abort in the middle of a stream ends the loop instead of throwing
 * @property {boolean} [hidesHeaders] whether its errors have no headers
 * @property {string} [timeoutIs] the kind that its own timeout is, where it is not `timeout`
 * @property {string} [inBandIs] the kind of an error in the middle of a stream, where it is not `in-band`
 * @property {(setup: Setup) => Operations} open
 * @property {(error: unknown) => { kind: string, status?: number }} describe the SDK's error by its class
 *
 * @typedef {{ fetch?: typeof fetch, origin: string, path?: string, apiKey: string, headers?: Record<string, string>, model?: string, apiVersion?: string, maxRetries?: number, timeoutMs?: number }} Setup
 * @typedef {{ signal?: AbortSignal, onPiece?: (piece: string) => void }} Options
 * @typedef {Record<'plain' | 'stream' | 'tools' | 'json', (question: string, options: Options) => Promise<object>>} Operations
 */

/** Where an SDK has no class for a status; and what is no error of its own: a broken or unreadable answer. */
const kindOfStatus = (status) => (status === undefined ? 'unreadable' : `status ${status}`);

const KINDS = { 400: 'invalid', 401: 'authentication', 403: 'forbidden', 404: 'not-found', 429: 'limited' };

/** The kinds of the SDKs that are generated alike: OpenAI's, Anthropic's, Groq's. */
export function describeGenerated(sdk, error) {
  const status = error?.status;
  const classes = [
    [sdk.APIUserAbortError, 'aborted'],
    [sdk.APIConnectionTimeoutError, 'timeout'],
    [sdk.APIConnectionError, 'connection'],
    [sdk.BadRequestError, KINDS[400]],
    [sdk.AuthenticationError, KINDS[401]],
    [sdk.PermissionDeniedError, KINDS[403]],
    [sdk.NotFoundError, KINDS[404]],
    [sdk.RateLimitError, KINDS[429]],
    [sdk.InternalServerError, 'upstream'],
    [sdk.APIError, status === undefined ? 'in-band' : kindOfStatus(status)],
  ];
  const kind = classes.find(([one]) => error instanceof one)?.[1] ?? 'unreadable';
  const wait = error?.headers?.get?.('retry-after');
  return { kind, status, ...(wait ? { retryAfter: wait } : {}) };
}

/** The same for SDKs that have one class with a status. */
export function kindOf(status) {
  return KINDS[status] ?? (status >= 500 ? 'upstream' : kindOfStatus(status));
}

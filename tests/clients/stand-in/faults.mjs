// The faults that a stand-in can be given, one for each request, as the provider it stands for would have them.
//
//   { kind: 'status', status, wait?: { form, ms }, headers?, code?, message? }   an error response
//       form: seconds | ms | date (headers), body (whatever the provider writes there), reset (rate-limit headers)
//   { kind: 'hang' }                     no headers, ever
//   { kind: 'hold' }                     no headers before they are let go
//   { kind: 'slow-headers', ms }
//   { kind: 'slow-first', ms, comments? }  headers and preamble at once, the first output late; comments every 20 ms
//   { kind: 'slow', ms }                 that long between pieces
//   { kind: 'stall', after }             no more after that many pieces of output, the connection stays
//   { kind: 'cut', after }               the connection breaks there; 0 is before the commit point
//   { kind: 'early-end', after }         the body ends there as if all were well
//   { kind: 'malformed', after }         something that is no JSON in place of a piece
//   { kind: 'error-event', after }       the provider's error in the stream; for a whole answer, with status 200
//   { kind: 'html', bytes? }             status 200 with a proxy's page, of that length
//   { kind: 'empty' }                    status 200 with nothing
//   { kind: 'long-line', bytes?, after? }  one piece of 10 MB; 0: the first one, else one in the middle
//   { kind: 'dribble', bytes? }          the bytes one by one, through the middle of characters

const MESSAGES = {
  400: 'The request is not valid.',
  401: 'Incorrect API key provided.',
  402: 'Insufficient credits.',
  403: 'Not allowed.',
  404: 'The model does not exist or you do not have access to it.',
  429: 'Rate limit reached.',
  500: 'The server had an error while processing your request.',
  503: 'Service unavailable.',
  529: 'Overloaded',
};
const PAGE = '<!doctype html><title>Please sign in</title><p>Proxy';
const CODES = { 401: 'invalid_api_key', 402: 'insufficient_quota', 404: 'model_not_found', 429: 'rate_limit_exceeded' };

const typeOf = (status) => (status === 429 ? 'requests' : status >= 500 ? 'server_error' : 'invalid_request_error');

/** A Go duration, as OpenAI and Groq write them. */
const duration = (ms) =>
  ms < 1000 ? `${ms}ms` : `${ms >= 60_000 ? `${Math.floor(ms / 60_000)}m` : ''}${(ms % 60_000) / 1000}s`;

function resetHeaders(provider, ms) {
  const at = new Date(Date.now() + ms);
  if (provider === 'anthropic') {
    return { 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': at.toISOString() };
  }
  if (provider === 'openrouter') return { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(at.getTime()) };
  return { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': duration(ms) };
}

function waitHeaders(provider, { form, ms }) {
  switch (form) {
    case 'seconds':
      return { 'retry-after': String(ms / 1000) };
    case 'ms':
      return { 'retry-after-ms': String(ms) };
    case 'date':
      // Whole seconds, never earlier than meant.
      return { 'retry-after': new Date(Math.ceil((Date.now() + ms) / 1000) * 1000).toUTCString() };
    case 'reset':
      return resetHeaders(provider, ms);
    case 'body':
      return {};
    default:
      throw new Error(`wait.form: seconds, ms, date, body or reset, not ${form}`);
  }
}

/** The problem that a fault stands for, for `problem` of a dialect. */
export function problemOf({ status = 500, wait, code, message }) {
  const inBody = wait?.form === 'body' ? wait.ms : undefined;
  const said = message ?? MESSAGES[status] ?? 'Something is wrong.';
  return {
    status,
    type: typeOf(status),
    code: code ?? CODES[status] ?? null,
    message: inBody ? `${said} Please try again in ${duration(inBody)}.` : said,
    retryAfterMs: inBody,
  };
}

/** An answer that is whole by its nature, whatever was asked; nothing for faults of an answer's way. */
export function wholeFault(fault, dialect, provider) {
  switch (fault?.kind) {
    case 'status':
      return {
        status: fault.status,
        headers: { ...(fault.wait ? waitHeaders(provider, fault.wait) : {}), ...fault.headers },
        body: JSON.stringify(dialect.problem(problemOf(fault), provider)),
      };
    case 'html':
      return { status: 200, type: 'text/html', body: PAGE.padEnd(fault.bytes ?? 0, '~') };
    case 'empty':
      return { status: 200, body: '' };
    default:
      return undefined;
  }
}

const KINDS = new Set(
  'status hang hold slow-headers slow-first slow stall cut early-end malformed error-event html empty long-line dribble'.split(
    ' ',
  ),
);

/** Throws a sentence for a fault that is none. */
export function checked(fault) {
  if (!KINDS.has(fault?.kind)) throw new Error(`kind: one of ${[...KINDS].join(', ')}`);
  return fault;
}

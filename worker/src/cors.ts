import type { Env } from './env';

/**
 * What the SDKs send. They are allowed by name, because the wildcard of the standard never covers
 * `authorization`; and by pattern, because each release sends more `x-stainless-*`.
 */
const NAMES = new Set([
  'authorization',
  'content-type',
  'user-agent',
  'x-api-key',
  'idempotency-key',
  'http-referer',
  'x-title',
  'x-request-id',
  'traceparent',
]);
const FAMILIES = /^(x-stainless|anthropic|x-goog|x-tidegate|openai)-[\w-]{1,64}$/;
const MAX_REQUESTED = 64;

const EXPOSED = [
  'x-tidegate-target',
  'x-tidegate-attempts',
  'x-tidegate-cache',
  'x-tidegate-cost-nano-usd',
  'x-tidegate-reserved-nano-usd',
  'x-request-id',
  'request-id',
  'x-tidegate-request-id',
  'traceparent',
  'x-should-retry',
  'retry-after',
  'retry-after-ms',
  ...['limit', 'remaining', 'reset'].map((what) => `x-ratelimit-${what}`),
  ...['limit', 'remaining', 'reset'].flatMap((what) =>
    ['requests', 'tokens'].map((unit) => `x-ratelimit-${what}-${unit}`),
  ),
].join(', ');

/** Browsers cap it at two hours. */
const PREFLIGHT_SECONDS = '7200';

/** None of what is no text, as a list in wrangler.jsonc. */
const allowedOrigins = ({ ALLOWED_ORIGINS: given }: Env): string[] =>
  typeof given === 'string' ? given.split(/[\s,]+/).filter(Boolean) : [];

/** Entries that can match no page, such as one with a slash at its end, or one of all hosts of a domain. */
export function unusableOrigins(env: Env): string[] {
  const usable = (entry: string) => URL.canParse(entry) && new URL(entry).origin === entry && !entry.includes('*');
  return allowedOrigins(env).filter((entry) => entry !== '*' && !usable(entry));
}

/** Which origin an answer may be read by; nothing if by none. */
function allowedOf(request: Request, env: Env): string | undefined {
  const origin = request.headers.get('origin');
  if (origin === null) return undefined;
  const origins = allowedOrigins(env);
  return origins.includes(origin) ? origin : origins.includes('*') ? '*' : undefined;
}

/** What lets pages of the configured origins read an answer, errors included. */
export function corsHeaders(request: Request, env: Env): Record<string, string> {
  // No page may read an answer then, whatever its origin.
  if (!env.ALLOWED_ORIGINS) return {};
  const allowed = allowedOf(request, env);
  if (!allowed) return { vary: 'Origin' };
  return { vary: 'Origin', 'access-control-allow-origin': allowed, 'access-control-expose-headers': EXPOSED };
}

/** The answer to a preflight. */
export function preflight(request: Request, env: Env): Response {
  const allowed = allowedOf(request, env);
  const headers: Record<string, string> = { vary: 'Origin, Access-Control-Request-Headers' };
  if (allowed) {
    const requested = (request.headers.get('access-control-request-headers') ?? '').toLowerCase().split(/[\s,]+/);
    headers['access-control-allow-origin'] = allowed;
    headers['access-control-allow-methods'] = 'GET, POST, PUT, DELETE';
    headers['access-control-allow-headers'] = requested
      .slice(0, MAX_REQUESTED)
      .filter((name) => NAMES.has(name) || FAMILIES.test(name))
      .join(', ');
    headers['access-control-max-age'] = PREFLIGHT_SECONDS;
  }
  return new Response(null, { status: 204, headers });
}

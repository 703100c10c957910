import type { MiddlewareHandler } from 'hono';

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
  'x-tidegate-request-id',
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

export const allowedOrigins = (env: Env): string[] => (env.ALLOWED_ORIGINS ?? '').split(/[\s,]+/).filter(Boolean);

/** Entries that can match no page, such as one with a slash at its end. */
export function unusableOrigins(env: Env): string[] {
  return allowedOrigins(env).filter(
    (entry) => entry !== '*' && !(URL.canParse(entry) && new URL(entry).origin === entry),
  );
}

/** Answers preflights, and lets pages of the configured origins read every answer, errors included. */
export const cors: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const origins = allowedOrigins(c.env);
  const origin = c.req.header('origin');
  const named = origin !== undefined && origins.includes(origin) ? origin : undefined;
  const allowed = named ?? (origin !== undefined && origins.includes('*') ? '*' : undefined);

  const preflight = c.req.method === 'OPTIONS';
  if (preflight) c.res = new Response(null, { status: 204 });
  else await next();

  const { headers } = c.res;
  headers.append('vary', 'Origin');
  if (allowed) headers.set('access-control-allow-origin', allowed);
  if (!preflight) {
    if (allowed) headers.set('access-control-expose-headers', EXPOSED);
    return;
  }
  headers.append('vary', 'Access-Control-Request-Headers');
  if (!allowed) return;
  const requested = (c.req.header('access-control-request-headers') ?? '').toLowerCase().split(/[\s,]+/);
  headers.set('access-control-allow-methods', 'GET, POST, PUT, DELETE');
  headers.set(
    'access-control-allow-headers',
    requested
      .slice(0, MAX_REQUESTED)
      .filter((name) => NAMES.has(name) || FAMILIES.test(name))
      .join(', '),
  );
  headers.set('access-control-max-age', PREFLIGHT_SECONDS);
};

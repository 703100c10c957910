// What a request asks of the gateway beside its content: as options, or as headers where an SDK lets only these through.

import type { FlatHeaders } from './boundary.js';
import { checked } from './checked.js';
import { refusal } from './errors.js';
import type { ChatOptions, RequestOptions } from './types.js';

/** The same as the boundary takes it. */
export interface Asks {
  tenant: string | undefined;
  flags: number;
  ttlMs: number | undefined;
  namespace: string | undefined;
}

const SKIP = 1;
const NO_STORE = 2;
const REFRESH = 4;
const FLAGS = new Map([
  ['skip', SKIP],
  ['no-store', NO_STORE],
  ['refresh', REFRESH],
]);

const HEADERS = ['tenant', 'cache', 'cache-ttl-ms', 'namespace'].map((name) => `x-tidegate-${name}`);

/** The options of a request that has none, and what it asks. */
export const NONE: ChatOptions = {};
const NOTHING: Asks = { tenant: undefined, flags: 0, ttlMs: undefined, namespace: undefined };

/** Options with more, which go before. What is no object is for `asksOf` to refuse. */
export const joined = (options: RequestOptions, more: RequestOptions): RequestOptions =>
  typeof (more ?? {}) === 'object' ? { ...options, ...more, cache: { ...options.cache, ...more?.cache } } : more;

/** @throws `invalid_request` for an option that is none. */
export function asksOf(options: ChatOptions): Asks {
  if (options === NONE) return NOTHING;
  const { tenant, cache } = checked(options);
  const flags = (cache?.skipRead ? SKIP : 0) | (cache?.skipWrite ? NO_STORE : 0) | (cache?.refresh ? REFRESH : 0);
  return { tenant, flags, ttlMs: cache?.ttlMs, namespace: cache?.namespace };
}

/**
 * The same with what the request's own headers say, which goes before.
 * @throws `invalid_request` for a value that says nothing.
 */
export function asksWith(asks: Asks, headers: Pick<Headers, 'get'>): Asks {
  const cache = headers.get('x-tidegate-cache');
  const ttl = headers.get('x-tidegate-cache-ttl-ms');
  return {
    tenant: headers.get('x-tidegate-tenant') ?? asks.tenant,
    flags: cache === null ? asks.flags : cacheFlags(cache),
    ttlMs: ttl === null ? asks.ttlMs : milliseconds(ttl),
    namespace: headers.get('x-tidegate-namespace') ?? asks.namespace,
  };
}

/**
 * Refuses a header of ours that there is not: with a slip in that of the tenant, tenants would share.
 * @throws `invalid_request`, which names it.
 */
export function noSlipIn(lines: FlatHeaders): void {
  const slip = lines.find((line, at) => at % 2 === 0 && line.startsWith('x-tidegate-') && !HEADERS.includes(line));
  if (slip !== undefined) throw refusal(slip, `is not a known header; known are ${HEADERS.join(', ')}`);
}

/** Several are separated by commas. */
function cacheFlags(header: string): number {
  return header.split(',').reduce((flags, word) => {
    const name = word.trim().toLowerCase();
    const flag = name === '' ? 0 : FLAGS.get(name);
    if (flag === undefined) throw refusal('x-tidegate-cache', 'must be skip, no-store or refresh');
    return flags | flag;
  }, 0);
}

function milliseconds(header: string): number {
  if (/^\d{1,9}$/.test(header)) return Number(header);
  throw refusal('x-tidegate-cache-ttl-ms', 'must be a whole number of milliseconds');
}

// Bounds what a page of another origin may ask of the frame. Money has its own cap, in the gateway.

import { TidegateError } from '../errors.js';
import type { Guard } from './serve.js';

const MINUTE_MS = 60_000;

/** What may be called from an app's page. Whatever takes or gives a secret is done in the frame's own page. */
const OPEN: readonly string[] = [
  'status',
  'records',
  'replay',
  'clearCache',
  'cached',
  'routes',
  'close',
  'vault.state',
  'vault.list',
  'vault.lock',
];

/** Bounds of one minute. */
export interface Bounds {
  /** Requests to providers. */
  requestsPerMinute: number;
  /** Bytes of requests, at two for each UTF-16 unit. */
  bytesPerMinute: number;
  /** Other calls (`status`, `vault.list`). */
  callsPerMinute: number;
}

/** A guard with these bounds, on the clock `now` (milliseconds). */
export function meter(bounds: Bounds, now: () => number): Guard {
  let since = now();
  let used = { requests: 0, bytes: 0, calls: 0 };
  return {
    allows: (call) => OPEN.includes(call),
    admit(kind, bytes) {
      const passed = now() - since;
      if (passed >= MINUTE_MS || passed < 0) {
        since = now();
        used = { requests: 0, bytes: 0, calls: 0 };
      }
      const requests = used.requests + (kind === 'request' ? 1 : 0);
      const calls = used.calls + (kind === 'call' ? 1 : 0);
      const all = used.bytes + bytes;
      const { requestsPerMinute, bytesPerMinute, callsPerMinute } = bounds;
      if (requests > requestsPerMinute || all > bytesPerMinute || calls > callsPerMinute) {
        throw new TidegateError({
          code: 'rate_limited',
          message: 'This app asks more of the frame than it may.',
          status: 429,
          shouldRetry: true,
          retryAfterMs: Math.max(1, since + MINUTE_MS - now()),
          attempts: [],
        });
      }
      used = { requests, bytes: all, calls };
    },
  };
}

// Bounds what a page of another origin may ask of the frame. Money has its own cap, in the gateway.

import { TidegateError } from '../errors.js';
import type { ToGate } from './protocol.js';
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
    admit(message) {
      const isRequest = message[0] === 'chat' || message[0] === 'fetch';
      const passed = now() - since;
      if (passed >= MINUTE_MS || passed < 0) {
        since = now();
        used = { requests: 0, bytes: 0, calls: 0 };
      }
      const requests = used.requests + (isRequest ? 1 : 0);
      const calls = used.calls + (isRequest ? 0 : 1);
      const all = used.bytes + sizeOf(message);
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

/** Bytes of text that a message carries, at two for each unit. */
function sizeOf(message: ToGate): number {
  if (message[0] === 'chat') return message[2].length * 2;
  if (message[0] !== 'fetch') return 0;
  const { url, body, headers } = message[2];
  return [url, body, ...headers].reduce((sum, text) => sum + text.length * 2, 0);
}

// The public types of the queue. Times are milliseconds.

import type { ErrorData } from '../errors.js';
import type { ChatAnswer } from '../types.js';
import type { Stats } from './stats.js';

/** How a request is queued, beside what it asks. */
export interface QueueOptions {
  /** Default `normal`. */
  priority?: 'critical' | 'high' | 'normal' | 'low' | undefined;
  /** Runs after the first that fail and count, 0 to 10. Default `queue.maxRetries`. */
  maxRetries?: number | undefined;
  /** From now to its result, in milliseconds, at most a day. Default `queue.timeoutMs`. */
  timeoutMs?: number | undefined;
  /**
   * 1 to 256 bytes. The same key is the same request, as long as it is kept: asked twice, it is queued once. With
   * anything else asked for, `maxRetries` and `timeoutMs` too, it is refused as `invalid_request` (422).
   */
  idempotencyKey?: string | undefined;
  /** Whose it is, 1 to 256 bytes; told again with the result. */
  user?: string | undefined;
  /** Which conversation it belongs to, likewise. */
  conversation?: string | undefined;
}

/** How a queued request stands. Points in time are milliseconds since 1970, as `Date.now()`. */
export interface QueueStatus {
  requestId: string;
  /**
   * `queued`: its turn comes. `delayed`: a run failed or was refused, the next begins at `nextAttemptAt`. `dead`: it
   * failed for good, and is kept to be looked at and queued again.
   */
  status: 'queued' | 'delayed' | 'running' | 'completed' | 'dead' | 'cancelled';
  priority: 'critical' | 'high' | 'normal' | 'low';
  /** Runs begun. */
  attempts: number;
  /** Runs that failed and count. */
  failures: number;
  maxRetries: number;
  enqueuedAt: number;
  /** By when it is done or dead. */
  deadline: number;
  nextAttemptAt?: number;
  endedAt?: number;
  /** When all of it is erased. */
  erasedAt?: number;
  /** How many of the queued are before it. */
  ahead?: number;
  /** Why it is delayed or dead. */
  code?: string;
  user?: string;
  conversation?: string;
  /** The answer, once it is completed. */
  result?: ChatAnswer;
  /** Why it is dead. */
  error?: ErrorData;
}

/** Counts by status, and where the requests are. */
export interface QueueStats extends Stats {
  /** `memory`: they go with the page, since there is no vault whose key could seal them. */
  storage: 'indexeddb' | 'memory';
  /** They wait for the vault to be unlocked. */
  locked: boolean;
}

/** The queue: what is asked now and answered later. Times are whole milliseconds, at most a day. */
export interface QueueConfig {
  /** Requests that wait or run, 1 to 100,000; more are refused with `queue_full`. Default 1,000. */
  capacity?: number | undefined;
  /** Requests that run at once, 1 to 64. Default 4. */
  concurrency?: number | undefined;
  /** How much longer each priority waits than the one above, at equal arrival: so none starves. Default 30,000. */
  ageingMs?: number | undefined;
  /**
   * After how long without a sign of life a run counts as vanished, at least 100. Default 180,000: browsers wake a tab that
   * nobody sees once a minute, and with less its run would be taken for vanished, and be asked twice.
   */
  leaseMs?: number | undefined;
  /** Runs after the first that fail and count, 0 to 10. Default 3. */
  maxRetries?: number | undefined;
  /** The first wait after a failure; it doubles. Default 1,000. */
  baseMs?: number | undefined;
  /** The longest wait after a failure, unless a longer one is stated. Default 60,000. */
  capMs?: number | undefined;
  /** From a request's arrival to its result. Default 3,600,000. */
  timeoutMs?: number | undefined;
  /** How long what has ended is kept. Default 86,400,000. */
  ttlMs?: number | undefined;
  /** In a Worker: objects that an organisation's requests are spread over, 1 to 64. Order holds in each. Default 1. */
  shards?: number | undefined;
}

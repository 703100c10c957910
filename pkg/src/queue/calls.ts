// The queue's methods by name: what a gate offers, whichever realm does the work.

import type { ChatRequest } from '../types.js';
import type { QueueOptions, QueueStats, QueueStatus } from './types.js';

/** `gate.queue`: requests that are answered later, in order of their priority. Needs `queue` in the configuration. */
export interface GateQueue {
  /**
   * Queues a chat request of at most 1 MiB as JSON. It survives a reload if there is a vault; what is `low` waits until
   * the tab is online.
   * @throws `invalid_request`, `queue_full`; `vault_locked` if there is a vault and it is locked.
   */
  enqueue(request: ChatRequest, options?: QueueOptions): Promise<QueueStatus>;
  /**
   * How a request stands, with its answer or error once there is one.
   * @throws `invalid_request` (404) for an id that is not known; `vault_locked`.
   */
  status(requestId: string): Promise<QueueStatus>;
  /** Takes a request back; one that runs is aborted, one that has ended stays as it is. */
  cancel(requestId: string): Promise<QueueStatus>;
  /**
   * Queues a dead letter again.
   * @throws `invalid_request` (409) if it is none; `queue_full`.
   */
  requeue(requestId: string): Promise<QueueStatus>;
  /** Requests that failed for good, with what was wrong: at most 100. */
  dead(): Promise<QueueStatus[]>;
  /** Counts by status, and where the requests are. Works while the vault is locked. */
  stats(): Promise<QueueStats>;
}

/** Fails to compile when the queue has a method that is not here. */
export const QUEUE_CALLS = Object.keys({
  enqueue: 0,
  status: 0,
  cancel: 0,
  requeue: 0,
  dead: 0,
  stats: 0,
} satisfies Record<keyof GateQueue, 0>) as (keyof GateQueue)[];

/** The methods over one that takes their name. */
export function queueOf(call: (name: keyof GateQueue, args: unknown[]) => Promise<unknown>): GateQueue {
  const methods = QUEUE_CALLS.map((name) => [name, (...args: unknown[]) => call(name, args)] as const);
  return Object.freeze(Object.fromEntries(methods)) as unknown as GateQueue;
}

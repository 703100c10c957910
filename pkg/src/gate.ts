// A gate as an app holds it, whichever realm does the work. Everything is asynchronous and structured-cloneable.

import type {
  BudgetStatus,
  ChatAnswer,
  ChatOptions,
  ChatFields,
  ChatRequest,
  ChatStreaming,
  ChatStreamRequest,
  Events,
  GateFetch,
  Status,
} from './types.js';
import type { GateQueue } from './queue/calls.js';
import type { Vault } from './vault.js';
import type { AtHand } from './vault/at-hand.js';

/** The vault's methods, without the class behind them. */
export type GateVault = Pick<Vault, keyof Vault> & Pick<AtHand, 'state' | 'putForSession' | 'lock' | 'presence'>;

/** One gate: `await Tidegate.open(config)`. */
export interface Gate {
  /** Provider keys. */
  readonly vault: GateVault;
  /** The spending cap. */
  readonly budget: { status(): Promise<BudgetStatus> };
  /** Requests that are answered later; needs `queue` in the configuration. */
  readonly queue: GateQueue;
  /** The exact cache. */
  readonly cache: { clear(): Promise<void>; size(): Promise<number> };
  /** A `fetch` for SDKs: what they ask of a provider goes through this gate. Needs no `this`. */
  readonly fetch: GateFetch;
  /**
   * Sends a chat request through the gateway: cache, budget, retry, breaker, fallback. With `stream: true` it resolves
   * when the answer begins: what fails until then rejects, and another target may still have been tried.
   * @throws {TidegateError} with the codes of the README's table; `budget_exceeded` says when the cap resets.
   */
  chat(request: ChatRequest, options?: ChatOptions): Promise<ChatAnswer>;
  chat(request: ChatStreamRequest, options?: ChatOptions): Promise<ChatStreaming>;
  chat(
    request: ChatFields & { stream?: boolean | undefined },
    options?: ChatOptions,
  ): Promise<ChatAnswer | ChatStreaming>;
  /** Targets, breakers, budget, cache, vault, and where the gate runs. */
  status(): Promise<Status>;
  /** Decision records of the last 64 requests, oldest first: plain text without content or keys. */
  records(): Promise<string[]>;
  /** Takes the decisions of a record again, without sending anything; says whether they are the same. */
  replay(record: string): Promise<{ same: boolean; record: string }>;
  /**
   * Calls `listener` for each event of this name. Returns how to stop.
   * @throws `invalid_request` at once for a name that {@link Events} has not, and for a listener that is no function.
   */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void;
  /**
   * Wipes the keys from memory, closes the storage, and lets `open` make a new gate of this name. It closes for all who
   * have opened it with the same configuration: so not in the clean-up of an effect that React's StrictMode runs twice.
   * What is under way in a worker or a frame ends as `closed`; at level `page` it comes to its own end.
   */
  close(): Promise<void>;
}

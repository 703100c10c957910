// The app's side of one connection to a gateway's realm: calls in flight by id, and whether the other side still lives.

import { closed, invalid, TidegateError, type ErrorData } from '../errors.js';
import type { ChatMeta } from '../types.js';
import { readFromGate } from './from-gate.js';
import { isolationFailed } from './place.js';
import type { Answering, Port, ToGate } from './protocol.js';

/** How often a busy realm is asked whether it lives, and after how many questions without an answer it is given up. */
const BEAT_MS = 5_000;
const BEATS = 4;

/** What becomes of a call. */
export interface Pending {
  done(value: unknown): void;
  fail(error: TidegateError): void;
  begin?(head: Answering | null): void;
  data?(bytes: ArrayBuffer): void;
  end?(error: TidegateError | undefined): void;
  account?(account: ChatMeta | null, error: TidegateError | undefined): void;
}

export class Line {
  readonly #calls = new Map<number, Pending>();
  readonly #port: Port;
  readonly #event: (name: string, event: unknown) => void;
  readonly #lost: (error: TidegateError) => void;
  #next = 1;
  #unanswered = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #dead: TidegateError | undefined;
  /** The other side's build, once it is ready. */
  readonly ready: Promise<string>;
  #readied!: (build: string) => void;
  #unready!: (error: TidegateError) => void;

  /** `lost` is told once, when the other side has come to a bad end. */
  constructor(port: Port, event: (name: string, event: unknown) => void, lost: (error: TidegateError) => void) {
    this.#port = port;
    this.#event = event;
    this.#lost = lost;
    this.ready = new Promise((resolve, reject) => {
      this.#readied = resolve;
      this.#unready = reject;
    });
    this.ready.catch(() => undefined);
    port.onmessage = ({ data }) => this.#take(data);
  }

  send(message: ToGate, transfer: Transferable[] = []): void {
    if (!this.#dead) this.#port.postMessage(message, transfer);
  }

  /** Begins a call: `send` gets its id and sends it. */
  begin(pending: Pending, send: (id: number) => void): void {
    if (this.#dead) return pending.fail(this.#dead);
    const id = this.#next++;
    this.#calls.set(id, pending);
    this.#beat();
    try {
      send(id);
    } catch (thrown) {
      // What cannot be cloned (a function among the options) has not been sent.
      this.#calls.delete(id);
      throw Object.assign(invalid('', 'must be plain data, and no promise'), { cause: thrown });
    }
  }

  /** A call without a stream. */
  call<T>(send: (id: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.begin({ done: (value) => resolve(value as T), fail: reject }, send);
    });
  }

  /** The other side is gone: nothing is awaited any more. */
  lose(error: TidegateError): void {
    if (this.#dead) return;
    this.close(error);
    this.#lost(error);
  }

  /** The same, on purpose. */
  close(error = closed()): void {
    this.#dead = error;
    clearInterval(this.#timer);
    this.#unready(error);
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) {
      call.end?.(error);
      call.account?.(null, error);
      call.fail(error);
    }
  }

  #take(data: unknown): void {
    const message = readFromGate(data);
    if (!message) return;
    this.#unanswered = 0;
    if (message[0] === 'ready') return this.#readied(message[1]);
    if (message[0] === 'refused') return this.lose(new TidegateError(message[1]));
    if (message[0] === 'event') return this.#event(message[1], message[2]);
    if (message[0] === 'broken') return this.lose(crashed());
    if (message[0] === 'pong') return;
    const [kind, id] = message;
    const call = this.#calls.get(id);
    if (!call) return;
    if (kind === 'begin') return call.begin?.(message[2]);
    if (kind === 'data') return call.data?.(message[2]);
    if (kind === 'end') return call.end?.(errorOf(message[2]));
    this.#calls.delete(id);
    if (kind === 'done') call.done(message[2]);
    else if (kind === 'fail') call.fail(new TidegateError(message[2]));
    else call.account?.(message[2], errorOf(message[3]));
  }

  /**
   * Counted in questions, not in time: a page that was frozen for an hour has asked once. An idle realm is not asked.
   */
  #beat(): void {
    this.#timer ??= setInterval(() => {
      if (this.#calls.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      } else if (this.#unanswered >= BEATS) {
        this.lose(crashed());
      } else {
        this.#unanswered += 1;
        this.send(['ping', this.#unanswered]);
      }
    }, BEAT_MS);
  }
}

const errorOf = (error: ErrorData | null) => (error ? new TidegateError(error) : undefined);

/** What was in flight when the realm was lost. Its holds run out by their leases. */
export const crashed = (cause?: unknown) =>
  isolationFailed('The realm of the gateway stopped and is started anew; the vault is locked.', true, cause);

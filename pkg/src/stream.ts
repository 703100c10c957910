// A stream of the Wasm as a ReadableStream. Nothing is read before it is asked for, so back-pressure is the platform's,
// from the provider's socket to the consumer.

import {
  END,
  LATE,
  LENGTH,
  NETWORK,
  OTHER,
  OVER,
  PART,
  SAME,
  TIMER,
  type ChatStream,
  type Ending,
} from './boundary.js';
import { toError } from './errors.js';

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Controller = ReadableStreamDefaultController<Uint8Array>;
type Read = ReadableStreamReadResult<Uint8Array>;

/** The longest delay that timers take; longer ones would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;
/** A pause of the consumer that is worth telling. */
const PAUSE_MS = 20;
/** A timer that is so late has slept, and waits as long again. */
const SLEPT_MS = 1_000;
/** How long a connection whose stream is over may take to say so, before it is hung up. */
const DRAIN_MS = 250;

/** What has become of a stream, told once: its account as JSON, or the defect that kept it from being settled. */
export interface Settled {
  resolve(account: string): void;
  reject(defect: Error): void;
}

/**
 * Hands a stream out. It owns `stream` and `reader` from now on, frees the one and cancels the other exactly once,
 * whoever ends it: the provider, a timer, the network, the consumer (`cancel`) or the caller (`signal`, which errors it
 * with the signal's reason as `fetch` does). `trailer` writes what follows a stream that was read to its end.
 */
export function readable(
  stream: ChatStream,
  reader: Reader | undefined,
  signal: AbortSignal | undefined,
  settled: Settled,
  trailer?: (account: string) => string,
): ReadableStream<Uint8Array> {
  const flow = new Flow(stream, reader, signal, settled, trailer);
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => flow.start(controller),
      pull: (controller) => flow.pull(controller),
      cancel: () => flow.leave(),
    },
    { highWaterMark: 0 },
  );
}

class Flow {
  /** Set by the first that ends the stream; nobody touches the Wasm's object after the one who set it. */
  #over = false;
  #begun = false;
  /** When the consumer was last given something that it has not come back from, else 0; by the clock that the Wasm goes by. */
  #handed = Date.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether a pull waits for the provider. */
  #waiting = false;
  /** Whether a chunk has come since the timer was armed. */
  #moved = false;
  /** Whether there was another one meanwhile. */
  #asked = false;
  #aborted: (() => void) | undefined;
  /** What a read brings, made once: this runs for each chunk. */
  #read: ((read: Read) => void) | undefined;
  #lost: (() => void) | undefined;

  constructor(
    readonly stream: ChatStream,
    readonly reader: Reader | undefined,
    readonly signal: AbortSignal | undefined,
    readonly settled: Settled,
    readonly trailer: ((account: string) => string) | undefined,
  ) {}

  start(controller: Controller): void {
    this.#read = (read) => this.#came(controller, read);
    this.#lost = () => {
      if (!this.#over) void this.#finish(controller, NETWORK);
    };
    // What is kept already has no provider to hang up on.
    if (this.reader) this.#arm(controller, this.stream.timeLeftMs());
    const { signal } = this;
    if (!signal) return;
    this.#aborted = () => {
      controller.error(signal.reason);
      void this.leave();
    };
    if (signal.aborted) this.#aborted();
    else signal.addEventListener('abort', this.#aborted, { once: true });
  }

  /**
   * Goes on until there is something to hand out. No `async`, and no promise of the read for the platform to wait for, since
   * this runs for each chunk: one that comes while a read is under way is answered once it is over. What ends the stream
   * meanwhile does not wait for the read.
   */
  pull(controller: Controller): void {
    if (this.#waiting) this.#asked = true;
    if (this.#waiting || this.#over) return;
    try {
      this.#resume();
      if (!this.#begun) {
        this.#begun = true;
        const head = this.stream.head();
        if (head?.length) return void this.#hand(controller, head, Date.now());
      }
      if (!this.reader) return void this.#finish(controller, END);
      this.#waiting = true;
      if (this.#timer === undefined) this.#arm(controller, this.stream.timeLeftMs());
      void this.reader.read().then(this.#read, this.#lost);
    } catch (defect) {
      this.#break(controller, defect);
    }
  }

  #hand(controller: Controller, bytes: Uint8Array, now: number): void {
    this.#handed = now;
    controller.enqueue(bytes);
  }

  /** Tells how long the consumer asked for nothing: no timer of the provider's runs meanwhile. */
  #resume(): void {
    if (this.#handed === 0) return;
    const pausedMs = Date.now() - this.#handed;
    this.#handed = 0;
    if (pausedMs >= PAUSE_MS) this.stream.paused(pausedMs);
  }

  #came(controller: Controller, { done, value }: Read): void {
    if (this.#over) return;
    this.#moved = true;
    if (done) return void this.#finish(controller, END, true);
    try {
      const now = Date.now();
      const what = this.stream.push(value, now);
      let out: Uint8Array | undefined;
      if (what & SAME) out = value;
      else if (what & PART) out = value.subarray(0, what >>> LENGTH);
      else if (what & OTHER) out = this.stream.take();
      if (out) this.#hand(controller, out, now);
      if (what & OVER) return void this.#finish(controller, END);
      // A chunk has just come, so this is not the timer between chunks: the time for the whole has run out.
      if (what & LATE) return void this.#finish(controller, TIMER);
      // Only now: what was handed out may be answered by a pull at once.
      this.#waiting = false;
      // The platform does not ask again for a read that is still waiting.
      if (this.#asked || !out) {
        this.#asked = false;
        this.pull(controller);
      }
    } catch (defect) {
      this.#break(controller, defect);
    }
  }

  /** A panic: the object may be locked for ever, so it is left to the garbage collector. */
  #break(controller: Controller, defect: unknown): void {
    this.#end();
    void this.reader?.cancel().catch(ignore);
    const error = toError(defect);
    this.settled.reject(error);
    // Aborted meanwhile: nothing is told twice, and nobody is left waiting.
    controller.error(this.signal?.aborted ? this.signal.reason : error);
  }

  /** The consumer went away, or the caller's signal fired. */
  async leave(): Promise<void> {
    if (this.#over) return;
    this.#end();
    void this.reader?.cancel().catch(ignore);
    try {
      await this.stream.cancel();
      this.#settle();
    } catch (defect) {
      this.settled.reject(toError(defect));
    }
  }

  /** `drained`: the provider's bytes were read to their end, and its connection is free already. */
  async #finish(controller: Controller, how: Ending, drained = false): Promise<void> {
    this.#end();
    const { reader } = this;
    if (reader && !drained) void (how === END ? drain(reader) : reader.cancel().catch(ignore));
    try {
      const ended = this.stream.finish(how);
      const last = ended instanceof Promise ? await ended : ended;
      const account = this.#settle();
      // Aborted while it was settled.
      if (this.signal?.aborted) return controller.error(this.signal.reason);
      if (last?.length) controller.enqueue(last);
      if (this.trailer) controller.enqueue(new TextEncoder().encode(this.trailer(account)));
      controller.close();
    } catch (defect) {
      this.#break(controller, defect);
    }
  }

  #end(): void {
    this.#over = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#aborted) this.signal?.removeEventListener('abort', this.#aborted);
  }

  #settle(): string {
    const account = this.stream.account();
    this.settled.resolve(account);
    this.stream.free();
    return account;
  }

  /**
   * One timer, left alone while chunks come: when it fires it asks how much time there really is. While the consumer does
   * not read, the silence is nobody's, but the time for the whole runs: else one who never reads again, or who dropped the
   * stream, would keep the provider's connection for ever. As much time as before, though nothing came to who waits, is a
   * clock that was set back: it would have everybody wait once more. A timer that fires much too late has slept: what came
   * meanwhile is read first, since it may stand in line behind it.
   */
  #arm(controller: Controller, leftMs: number): void {
    const waitMs = Math.min(Math.max(leftMs, 0), LONGEST_MS);
    let at = performance.now() + waitMs;
    const check = () => {
      this.#timer = undefined;
      if (performance.now() - at > SLEPT_MS) {
        at = Infinity;
        this.#timer = setTimeout(check, SLEPT_MS);
        return;
      }
      if (!this.#waiting) {
        this.#resume();
        this.#handed = Date.now();
      }
      const left = this.stream.timeLeftMs();
      if (left <= 0 || (this.#waiting && left >= leftMs && !this.#moved)) void this.#finish(controller, TIMER);
      else this.#arm(controller, left);
    };
    this.#moved = false;
    this.#timer = setTimeout(check, waitMs);
  }
}

/** Lets a connection end by itself, so that it can be used again; one that does not is hung up. */
async function drain(reader: Reader): Promise<void> {
  const hangUp = setTimeout(() => void reader.cancel().catch(ignore), DRAIN_MS);
  try {
    const { done } = await reader.read();
    if (!done) await reader.cancel();
  } catch {
    // It has ended badly after its good end: nothing was lost.
  } finally {
    clearTimeout(hangUp);
  }
}

const ignore = () => {};

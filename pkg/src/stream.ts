// A stream of the Wasm as a ReadableStream. Nothing is read before it is asked for, so back-pressure is the platform's,
// from the provider's socket to the consumer.

import { END, NETWORK, TIMER, type ChatStream, type Ending } from './boundary.js';
import { toError } from './errors.js';

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Controller = ReadableStreamDefaultController<Uint8Array>;
type Woken = ReadableStreamReadResult<Uint8Array> | 'failed' | 'late' | 'gone';

const DONE = { done: true, value: undefined } as const;

/** The longest delay that timers take; longer ones would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;
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
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Wakes the pull that waits for the provider. */
  #wake: ((how: Woken) => void) | undefined;
  #aborted: (() => void) | undefined;

  constructor(
    readonly stream: ChatStream,
    readonly reader: Reader | undefined,
    readonly signal: AbortSignal | undefined,
    readonly settled: Settled,
    readonly trailer: ((account: string) => string) | undefined,
  ) {}

  start(controller: Controller): void {
    const { signal } = this;
    if (!signal) return;
    this.#aborted = () => {
      controller.error(signal.reason);
      void this.leave();
    };
    if (signal.aborted) this.#aborted();
    else signal.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Goes on until there is something to hand out. */
  async pull(controller: Controller): Promise<void> {
    try {
      if (!this.#begun) {
        this.#begun = true;
        const head = this.stream.head();
        if (head?.length) return controller.enqueue(head);
      }
      for (;;) {
        const woken = this.reader ? await this.#next(this.reader) : DONE;
        this.#wake = undefined;
        if (this.#over || woken === 'gone') return;
        if (woken === 'failed') return await this.#finish(controller, NETWORK);
        if (woken === 'late') return await this.#finish(controller, TIMER);
        if (woken.done) return await this.#finish(controller, END);
        const pushed = this.stream.push(woken.value);
        const out = pushed === true ? woken.value : pushed;
        if (out?.length) controller.enqueue(out);
        if (this.stream.ended()) return await this.#finish(controller, END);
        // A chunk has just come, so this is not the timer between chunks: the time for the whole has run out.
        if (this.stream.timeLeftMs() <= 0) return await this.#finish(controller, TIMER);
        // Only with something handed out: the platform does not ask again for a read that is still waiting.
        if (out?.length) return;
      }
    } catch (defect) {
      // A panic: the object may be locked for ever, so it is left to the garbage collector.
      this.#end();
      void this.reader?.cancel().catch(ignore);
      const error = toError(defect);
      this.settled.reject(error);
      if (!this.signal?.aborted) controller.error(error);
    }
  }

  /** The consumer went away, or the caller's signal fired. */
  async leave(): Promise<void> {
    if (this.#over) return;
    this.#end();
    this.#wake?.('gone');
    void this.reader?.cancel().catch(ignore);
    try {
      await this.stream.cancel();
      this.#settle();
    } catch (defect) {
      this.settled.reject(toError(defect));
    }
  }

  async #finish(controller: Controller, how: Ending): Promise<void> {
    this.#end();
    if (this.reader) void (how === END ? drain(this.reader) : this.reader.cancel().catch(ignore));
    const last = await this.stream.finish(how);
    const account = this.#settle();
    // Aborted while it was settled.
    if (this.signal?.aborted) return controller.error(this.signal.reason);
    if (last?.length) controller.enqueue(last);
    if (this.trailer) controller.enqueue(new TextEncoder().encode(this.trailer(account)));
    controller.close();
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

  /** The provider's next chunk, or why none is waited for. Never rejects. */
  #next(reader: Reader): Promise<Woken> {
    return new Promise<Woken>((resolve) => {
      this.#wake = resolve;
      reader.read().then(resolve, () => resolve('failed'));
      if (this.#timer === undefined) this.#arm(this.stream.timeLeftMs());
    });
  }

  /**
   * One timer, armed while the provider is waited for and left alone while chunks come: when it fires it asks how much
   * time there really is. It is not armed for a consumer that does not read: that is nobody's timeout.
   */
  #arm(leftMs: number): void {
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        if (this.#over || !this.#wake) return;
        const left = this.stream.timeLeftMs();
        if (left <= 0) this.#wake('late');
        else this.#arm(left);
      },
      Math.min(Math.max(leftMs, 0), LONGEST_MS),
    );
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

// A panic in the Wasm after an await leaves its promise pending for ever, and the runtime tells nobody. So every promise
// is watched: one timer for all of them, since nearly none ever runs out.

import { internal } from './errors.js';

const TICK_MS = 5_000;

interface Watched {
  until: number;
  fail: (error: Error) => void;
}

/** What is under way without a promise: told to the one of these two that is there when it settles. */
export interface Unsettled<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

export class Watchdog {
  readonly #watched = new Set<Watched>();
  readonly #broken: () => Error | undefined;
  readonly #why: (error: unknown) => unknown;
  /** Time that this realm was awake for, up to `#last`. A computer that slept for hours has not waited for an answer. */
  #awakeMs = 0;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `broken` says why nothing is to be waited for any more; `why` is told each failure, and gives what to tell of it. */
  constructor(broken: () => Error | undefined = () => undefined, why: (error: unknown) => unknown = (error) => error) {
    this.#broken = broken;
    this.#why = why;
  }

  /** Settles as `work` does, or rejects with `internal` once `spanMs` has long passed. */
  watch<T>(work: Promise<T> | Unsettled<T>, spanMs: number): Promise<T> {
    return new Promise((resolve, fail) => {
      this.#arm();
      const watched = { until: this.#now() + spanMs, fail };
      this.#watched.add(watched);
      const came = (value: T) => {
        this.#watched.delete(watched);
        resolve(value);
      };
      const lost = (error: unknown) => {
        this.#watched.delete(watched);
        fail(this.#why(error));
      };
      if (work instanceof Promise) work.then(came, lost);
      else [work.resolve, work.reject] = [came, lost];
    });
  }

  /** Whatever the clock says: no more than two ticks since the last one, and not less than none. */
  #now(): number {
    return this.#awakeMs + Math.min(Math.max(Date.now() - this.#last, 0), 2 * TICK_MS);
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#last = Date.now();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const now = (this.#awakeMs = this.#now());
      const broken = this.#broken();
      for (const watched of this.#watched) {
        if (broken || watched.until < now) {
          this.#watched.delete(watched);
          watched.fail(broken ?? internal('The gateway stopped answering: reload the page, and please report it.'));
        }
      }
      if (this.#watched.size > 0) this.#arm();
    }, TICK_MS);
    // Node: an idle watchdog must not keep the process alive.
    if (typeof this.#timer === 'object') this.#timer.unref?.();
  }
}

// Who listens to a gate's events.

import { invalid } from './errors.js';

type Listener = (event: never) => void;

/** Listeners by name of event. `changed` is told of each name that gets its first listener, or loses its last. */
export class Listeners {
  readonly #sets = new Map<string, Set<Listener>>();
  readonly #changed: (name: string, heard: boolean) => void;

  constructor(changed: (name: string, heard: boolean) => void) {
    this.#changed = changed;
  }

  /**
   * Adds a listener. Returns how to stop.
   * @throws `invalid_request` for what cannot be called: it would fail later, in the middle of a request.
   */
  add(name: string, listener: Listener): () => void {
    if (typeof listener !== 'function') throw invalid('listener', 'must be a function');
    const set = this.#sets.get(name) ?? new Set();
    this.#sets.set(name, set.add(listener));
    if (set.size === 1) this.#changed(name, true);
    return () => {
      if (set.delete(listener) && set.size === 0) this.#changed(name, false);
    };
  }

  /** The names that somebody listens to. */
  names(): string[] {
    return [...this.#sets].filter(([, set]) => set.size > 0).map(([name]) => name);
  }

  emit(name: string, event: unknown): void {
    for (const listener of this.#sets.get(name) ?? []) {
      try {
        (listener as (event: unknown) => void)(event);
      } catch (error) {
        // The app's own mistake: told as one, without harm to the request.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#sets.clear();
  }
}

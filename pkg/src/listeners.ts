// Who listens to a gate's events.

import { invalid } from './errors.js';
import type { Events } from './types.js';

type Listener = (event: never) => void;

/** Each event once: the compiler sees to it that none is missing. */
const EVENTS = Object.keys({
  'request-end': 0,
  'attempt-start': 0,
  'first-output': 0,
  'attempt-end': 0,
  wait: 0,
  'circuit-open': 0,
  'circuit-half-open': 0,
  'circuit-closed': 0,
  'budget-threshold': 0,
  'budget-overshoot': 0,
  'lease-expired': 0,
  'queue-progress': 0,
  'vault-lock': 0,
  'secret-detected': 0,
  'pattern-detected': 0,
  'key-in-request': 0,
} satisfies Record<keyof Events, 0>);

/** Listeners by name of event. `changed` is told of each name that gets its first listener, or loses its last. */
export class Listeners {
  readonly #sets = new Map<string, Set<Listener>>();
  readonly #changed: (name: string, heard: boolean) => void;

  constructor(changed: (name: string, heard: boolean) => void) {
    this.#changed = changed;
  }

  /**
   * Adds a listener. Returns how to stop.
   * @throws `invalid_request` for a name that is no event, which would never be told, and for what cannot be called: it
   *   would fail later, in the middle of a request.
   */
  add(name: string, listener: Listener): () => void {
    if (!EVENTS.includes(name)) throw invalid('name', `is not a known event; known are ${EVENTS.join(', ')}`);
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

/**
 * What an isolate remembers for a while: values, never promises, since no request may wait on another's. Bounded: who
 * was not asked for longest goes first.
 */
export class Recent<T> {
  #kept = new Map<string, { value: T; until: number }>();

  /** `max` entries, each for `ms` milliseconds. */
  constructor(
    readonly max: number,
    readonly ms: number,
  ) {}

  /** The value, if it was kept within the time. The clock may have been set back: then it is asked for anew. */
  find(key: string): T | undefined {
    const found = this.#kept.get(key);
    if (!found) return undefined;
    const left = found.until - Date.now();
    this.#kept.delete(key);
    if (left <= 0 || left > this.ms) return undefined;
    this.#kept.set(key, found);
    return found.value;
  }

  keep(key: string, value: T): T {
    this.#kept.delete(key);
    this.#kept.set(key, { value, until: Date.now() + this.ms });
    if (this.#kept.size > this.max) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return value;
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }

  clear(): void {
    this.#kept.clear();
  }
}

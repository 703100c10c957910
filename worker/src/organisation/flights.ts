/** What becomes of who asks: they are to ask the provider for all, or have what somebody else got, or ask for themselves. */
export interface Boarded {
  leads?: boolean;
  entry?: Uint8Array;
}

/** How long somebody waits for who asks the same, in milliseconds. */
export const WAIT_MS = 5_000;
/** After this time whoever asks counts as gone, in milliseconds. */
const LEAD_MS = 30_000;
/** Questions that are waited for at once, and who waits for one. More of them ask for themselves. */
const MOST = 1_000;

interface Flight {
  until: number;
  waiting: Set<(entry?: Uint8Array) => void>;
}

/**
 * Questions that are asked at the moment, so that equal ones of different isolates ask a provider once. Nothing is
 * stored: if the object goes, each asks for himself.
 */
export class Flights {
  #flights = new Map<string, Flight>();

  /** By the question's name, which says nothing to anybody without the key. */
  board(name: string): Promise<Boarded> {
    const now = Date.now();
    const known = this.#flights.get(name);
    if (known && known.until > now) {
      if (known.waiting.size >= MOST) return Promise.resolve({});
      const { promise, resolve } = Promise.withResolvers<Boarded>();
      const landed = (entry?: Uint8Array) => {
        clearTimeout(timer);
        known.waiting.delete(landed);
        resolve(entry ? { entry } : {});
      };
      const timer = setTimeout(landed, WAIT_MS);
      known.waiting.add(landed);
      return promise;
    }
    this.land(name);
    for (const [old, { until }] of this.#flights) if (until <= now) this.land(old);
    if (this.#flights.size >= MOST) return Promise.resolve({});
    this.#flights.set(name, { until: now + LEAD_MS, waiting: new Set() });
    return Promise.resolve({ leads: true });
  }

  /** Who led has an entry, or nothing came of it. */
  land(name: string, entry?: Uint8Array): void {
    const flight = this.#flights.get(name);
    this.#flights.delete(name);
    for (const landed of [...(flight?.waiting ?? [])]) landed(entry);
  }
}

// Keeps as many items running as may, until nothing is left to do now.

import { dataOf, type ErrorData } from '../errors.js';
import type { Engine } from './engine.js';
import { QUEUED, RUNNING, updateOf, type Described, type Row } from './rows.js';

/** What a place that runs items provides. */
export interface Runner {
  /**
   * Takes a chat request through the gateway: the answer's JSON. Rejects with an error object. `by`: what the caller's
   * limits go by, as it came in; empty if there are none. `again`: it failed before, and what the gateway remembers of
   * that is no answer.
   */
  run(body: string, by: string[], again: boolean, signal: AbortSignal): Promise<string>;
  /** Whether there is a network; if not, what can wait does. */
  online?(): boolean;
}

/** Rows looked at for one that runs without a network. */
const LOOKED_AT = 1_000;
/** A clock that trembles is not set back, in milliseconds. */
const TREMBLE_MS = 1_000;
/** The longest sleep between two looks, in milliseconds: another tab may have brought work. */
const LOOK_MS = 60_000;

export class Drain {
  /** Who holds the leases of this place. */
  readonly holder: number;
  readonly #engine: Engine;
  readonly #runner: Runner;
  readonly #hands: number;
  readonly #running = new Map<number, AbortController>();
  #wake: () => void = () => undefined;
  #draining: Promise<number | undefined> | undefined;
  #woken = false;
  /** Until when whoever drains sleeps; without an end while nobody does. */
  #looksAt = Infinity;
  #stopped = false;
  /** What the clock showed at the last look. */
  #seen = 0;

  /** `most`: how many items may run at once here, however many the configuration says. */
  constructor(engine: Engine, runner: Runner, most = Infinity) {
    this.#engine = engine;
    this.#runner = runner;
    this.#hands = Math.min(engine.machine.concurrency, most);
    const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
    this.holder = high * 2 ** 20 + (low >>> 12);
  }

  /** Something has changed: whoever drains looks again. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /**
   * A request has come that is due at `due`. Whoever drains looks again, unless nothing could be done: all hands are full,
   * and the next look is before it is due anyway.
   */
  came(due: number): void {
    if (this.#running.size < this.#hands || due < this.#looksAt) this.wake();
  }

  /** Ends the run of an item that is not to be run any more. */
  end(arrival: number): void {
    this.#running.get(arrival)?.abort();
  }

  /** Gives back what is running, and begins nothing any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const run of this.#running.values()) run.abort();
    this.#wake();
    await this.#draining?.catch(() => undefined);
  }

  /**
   * Runs what can be run, at most `most` items and none from `until` on (milliseconds since 1970), and waits for them.
   * Resolves to when there is more to do; nothing if there is nothing to wait for. Only one drains at a time: who comes
   * second joins.
   */
  drain(most = Number.MAX_SAFE_INTEGER, until = Infinity): Promise<number | undefined> {
    this.#draining ??= this.#drain(most, until).finally(() => (this.#draining = undefined));
    const seen = this.#draining;
    // A wake that came while it ended is not lost.
    return seen.then((next) => (this.#woken && !this.#stopped ? 0 : next));
  }

  async #drain(most: number, until: number): Promise<number | undefined> {
    for (let begun = 0; ;) {
      this.#woken = false;
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const now = Date.now();
      if (this.#seen - now > TREMBLE_MS) await this.#engine.setBack(this.#seen, now);
      this.#seen = now;
      await this.#engine.sweep();
      let left = true;
      while (!this.#stopped && begun < most && Date.now() < until && this.#running.size < this.#hands) {
        const row = await this.#lease();
        if (!row) {
          left = false;
          break;
        }
        begun += 1;
        void this.#run(row);
      }
      const due = await this.#engine.rows.due();
      if (this.#running.size === 0) return left && !this.#stopped ? 0 : due;
      await this.#until(woken, due);
    }
  }

  /** Waits for a change, or until something is due. */
  async #until(woken: Promise<void>, due: number | undefined): Promise<void> {
    let timer!: ReturnType<typeof setTimeout>;
    const late = new Promise<void>((resolve) => {
      const now = Date.now();
      const sleepMs = Math.min(Math.max((due ?? Infinity) - now, 0), LOOK_MS);
      this.#looksAt = now + sleepMs;
      timer = setTimeout(resolve, sleepMs);
    });
    await Promise.race([woken, late]);
    clearTimeout(timer);
    this.#looksAt = Infinity;
  }

  /** The next row, leased; nothing if none is to be run now. */
  async #lease(): Promise<Row | undefined> {
    const { rows, machine } = this.#engine;
    const online = this.#runner.online?.() ?? true;
    for (;;) {
      const query = { lane: QUEUED, count: online ? 1 : LOOKED_AT, whole: online };
      const leased = await rows.step(query, ({ rows: found }) => {
        const row = online ? found[0] : found.find(({ bytes }) => machine.runsOffline(bytes));
        if (!row) return { value: undefined };
        const update = this.#engine.decided(row, () => machine.lease(row.bytes, this.holder, Date.now()));
        return { ...(update && { update: [update] }), value: update && { row, update } };
      });
      if (!leased) return undefined;
      const { row, update } = leased;
      this.#engine.tell(update);
      // Else its deadline had passed.
      if (update.lane !== RUNNING) continue;
      if (online) return { ...row, ...update };
      return rows.step({ arrival: row.arrival, whole: true }, ({ rows: [whole] }) => ({ value: whole }));
    }
  }

  async #run(row: Row): Promise<void> {
    const { rows, machine } = this.#engine;
    const { arrival } = row;
    const run = new AbortController();
    this.#running.set(arrival, run);
    const attempt = machine.attempt(row.bytes);
    let [user, conversation] = ['', ''];
    let outcome: { answer?: string; error?: ErrorData } = {};
    // Where the store fails, the lease runs out.
    const renew = () => void this.#renew(arrival, attempt).catch(() => undefined);
    const renewal = setInterval(renew, machine.leaseMs / 3);
    try {
      const opened = machine.open(row.bytes, row.asked ?? new Uint8Array()) as [string, string, string, ...string[]];
      const [body, ...named] = opened;
      const by = named.splice(2);
      [user, conversation] = named as [string, string];
      outcome = { answer: await this.#runner.run(body, by, attempt > 1, run.signal) };
    } catch (thrown) {
      // What was stopped is given back as it was.
      if (!this.#stopped) outcome = { error: dataOf(thrown) };
    }
    clearInterval(renewal);
    try {
      const { answer, error } = outcome;
      const update = await rows.step({ arrival }, ({ rows: [now] }) => {
        const ended =
          now && machine.finish(now.bytes, this.holder, attempt, answer, error, user, conversation, Date.now());
        if (!ended) return { value: undefined };
        const [described, result] = ended as [Described, Uint8Array?];
        const update = { ...updateOf(described), result };
        return { update: [update], value: update };
      });
      if (update) this.#engine.tell(update);
    } catch {
      // The store failed: its lease runs out, and it is run again.
    } finally {
      this.#running.delete(arrival);
      this.#wake();
    }
  }

  async #renew(arrival: number, attempt: number): Promise<void> {
    const { rows, machine } = this.#engine;
    const held = await rows.step({ arrival }, ({ rows: [row] }) => {
      const renewed = row && (machine.renew(row.bytes, this.holder, attempt, Date.now()) as Described | undefined);
      return renewed ? { update: [updateOf(renewed)], value: true } : { value: false };
    });
    if (!held) this.end(arrival);
  }
}

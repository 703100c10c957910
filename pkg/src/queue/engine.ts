// Takes requests in and looks after them: looks rows up, has them decided about, writes. The same over every store, and
// for whoever runs them (drain.ts).

import type { Queue } from '../../wasm/tidegate-all.js';
import { dataOf, invalid } from '../errors.js';
import {
  CANCELLED,
  COMPLETED,
  DEAD,
  DELAYED,
  NEVER,
  OPEN_LANES,
  QUEUED,
  rowOf,
  RUNNING,
  UNREADABLE,
  updateOf,
  type Change,
  type Described,
  type Found,
  type Query,
  type Row,
  type Rows,
  type Update,
} from './rows.js';
import type { Stats } from './stats.js';

/** An item has changed: its status as JSON, without content. Whose it is is read only if somebody asks. */
export type Told = (change: {
  status: string;
  arrival: number;
  owner: () => string | undefined;
  ended: boolean;
}) => void;

const STATUSES = ['queued', 'delayed', 'running', 'completed', 'dead', 'cancelled'] as const;
const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;
/** Rows of one transaction, where there may be many. */
const BATCH = 64;
/** Dead letters of one listing. */
const LISTED = 100;

/** Where an id points, as the Wasm reads it. */
export type Place = (id: string) => [shard: number, arrival: number] | undefined;

export class Engine {
  readonly rows: Rows;
  readonly machine: Queue;
  readonly #place: Place;
  readonly #told: Told;
  /** Whether it was tried to read what another release could not. */
  #looked = false;

  constructor(rows: Rows, machine: Queue, place: Place, told: Told) {
    this.rows = rows;
    this.machine = machine;
    this.#place = place;
    this.#told = told;
  }

  /**
   * Takes a request in: its status as JSON, and when it is due if it is new. `by` is what its caller's limits go by, where there
   * are such.
   * @throws the gateway's error object: `invalid_request`, `forbidden`, `queue_full`.
   */
  async enqueue(
    json: string,
    organisation: string,
    user?: string,
    key?: string,
    by: string[] = [],
  ): Promise<[status: string, due?: number]> {
    const read = () => this.machine.read(json, organisation, user, key, by);
    const ask = read();
    // Nobody writes under an earlier key any more: what is not there now will not be.
    const { earlierKeys, key: sought, owner } = ask;
    const earlier = earlierKeys.length > 0 ? await this.#earlier(earlierKeys) : undefined;
    let asks = [ask];
    const [status, row] = await this.rows.step({ key: sought }, ({ rows: [known], open, last }) => {
      type Enqueued = [id: string, status: string, row?: Described, asked?: Uint8Array];
      // The Wasm takes what was read, and a transaction that the browser aborts is decided again.
      const [mine = read()] = asks;
      asks = [];
      const bytes = known?.bytes ?? earlier;
      const own = this.#openOf(owner, open);
      const enqueued = this.machine.enqueue(mine, bytes, open, own, last, Date.now()) as Enqueued;
      const [, status, described, asked] = enqueued;
      const insert = described && { ...rowOf(described), asked };
      return { ...(insert && { insert }), value: [status, insert] as const };
    });
    if (!row) return [status];
    this.#told({ status, arrival: row.arrival, owner: () => this.machine.owner(row.bytes), ended: false });
    return [status, row.due];
  }

  /** The status as JSON, with the result or error once there is one; nothing for an id that the caller has not got. */
  status(id: string, user?: string): Promise<string | undefined> {
    return this.#find(id, user, true, async (row) => {
      const status = this.machine.status(row.bytes, row.asked, row.result);
      return row.lane === QUEUED ? `${status.slice(0, -1)},"ahead":${await this.rows.ahead(row)}}` : status;
    });
  }

  /** Takes it back. What has ended stays as it is; the status says so. */
  cancel(id: string, user?: string): Promise<string | undefined> {
    return this.#change(id, user, (row) => this.machine.cancel(row.bytes, Date.now()) as Described);
  }

  /**
   * Queues a dead letter again.
   * @throws the gateway's error object: `queue_full`, `invalid_request` if it is none.
   */
  revive(id: string, user?: string): Promise<string | undefined> {
    return this.#change(
      id,
      user,
      (row, { open, last }) => this.machine.revive(row.bytes, open, last, Date.now()) as Described,
    );
  }

  /**
   * Statuses of dead letters as JSON, with their errors. Each is read by itself: what they hold is large. One whose content
   * no key opens is told without it, and keeps no other from being told.
   */
  async dead(): Promise<string[]> {
    const dead = await this.rows.step({ lane: DEAD, count: LISTED }, ({ rows }) => ({ value: rows }));
    const statuses: string[] = [];
    for (const { arrival } of dead) {
      const row = await this.rows.step({ arrival, whole: true }, ({ rows: [row] }) => ({ value: row }));
      if (row?.lane === DEAD) statuses.push(this.#letter(row));
    }
    return statuses;
  }

  #letter({ bytes, asked, result }: Row): string {
    try {
      return this.machine.status(bytes, asked, result);
    } catch (failure) {
      if (dataOf(failure).code !== 'vault_corrupt') throw failure;
      return this.machine.status(bytes);
    }
  }

  async stats(): Promise<Stats> {
    const stats = noStats();
    for (const { lane, priority, count, oldest } of await this.rows.tally()) {
      const [status, urgency] = [STATUSES[lane], PRIORITIES[priority]];
      if (status) stats[status] += count;
      if (urgency && lane < OPEN_LANES) stats.open[urgency] += count;
      if (lane === QUEUED) stats.oldestQueuedAt = Math.min(stats.oldestQueuedAt ?? oldest, oldest);
    }
    return stats;
  }

  /** What the time has made of everything that is due: how many items ended, went on, or were erased. */
  async sweep(): Promise<{ changed: number; erased: number }> {
    const sum = { changed: 0, erased: 0 };
    for (;;) {
      const now = Date.now();
      const changed = await this.#each({ due: now, count: BATCH }, (row) => this.machine.sweep(row.bytes, now));
      sum.changed += changed.update.length;
      sum.erased += changed.erase.length;
      if (changed.update.length + changed.erase.length < BATCH) return sum;
    }
  }

  /** Puts back what is run by nobody of `alive` (`counts`: as a failure), and at first what another release put aside. */
  async reclaim(alive: number[], counts: boolean): Promise<void> {
    await this.#each({ lane: RUNNING, count: 1_000 }, (row) => {
      const put = this.machine.reclaim(row.bytes, Float64Array.from(alive), counts, Date.now()) as
        Described | undefined;
      return put ?? row;
    });
    if (this.#looked) return;
    this.#looked = true;
    const now = Date.now();
    const read = (row: Row) => {
      try {
        return this.machine.sweep(row.bytes, now);
      } catch (thrown) {
        if (dataOf(thrown).code !== 'vault_corrupt') throw thrown;
        return row;
      }
    };
    await this.#throughout(UNREADABLE, read, true);
  }

  /** What the clock, which had shown `seen`, has kept waiting or kept for too long by having been set back to `now`. */
  async setBack(seen: number, now: number): Promise<void> {
    const back = (row: Row) => this.machine.setBack(row.bytes, seen, now) ?? row;
    // Nobody need be told that something has ended once more.
    for (const lane of [DELAYED, COMPLETED, DEAD, CANCELLED]) await this.#throughout(lane, back, lane === DELAYED);
  }

  /** Tells that a row has changed. */
  tell(update: Update): void {
    const { arrival, bytes, lane } = update;
    if (lane === UNREADABLE) return;
    const status = this.machine.status(bytes);
    this.#told({ status, arrival, owner: () => this.machine.owner(bytes), ended: lane >= OPEN_LANES });
  }

  /**
   * What `decide` makes of a row; a row that cannot be read is put out of the way and left as it is.
   * A row itself in place of a decision: nothing changes.
   */
  decided(row: Row, decide: (row: Row) => unknown): Update | undefined {
    try {
      const described = decide(row) as Described | undefined;
      return described && updateOf(described);
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code !== 'vault_corrupt') throw thrown;
      const { arrival, rank, priority, bytes } = row;
      return { arrival, lane: UNREADABLE, rank, due: NEVER, priority, bytes, keepsAsk: true };
    }
  }

  /** Every row of a lane, however many there are. What `decide` makes of one must not stand behind it in its lane. */
  async #throughout(lane: number, decide: (row: Row) => unknown, tells: boolean): Promise<void> {
    let after: Row | undefined;
    do ({ last: after } = await this.#each({ lane, after, count: BATCH }, decide, tells));
    while (after);
  }

  async #each(query: Query, decide: (row: Row) => unknown, tells = true) {
    const changes = await this.rows.step(query, ({ rows }) => {
      const [update, erase]: [Update[], number[]] = [[], []];
      for (const row of rows) {
        let same = false;
        const next = this.decided(row, () => {
          const next = decide(row);
          same = next === row;
          return same ? undefined : next;
        });
        if (next) update.push(next);
        else if (!same) erase.push(row.arrival);
      }
      return { update, erase, value: { update, erase, last: rows.at(-1) } };
    });
    if (tells) for (const update of changes.update) this.tell(update);
    return changes;
  }

  /** How many of the `open` rows are of an owner. Before half of it is full nobody can have more than is left. */
  #openOf(owner: string | undefined, open: number): number {
    if (owner === undefined || 2 * open < this.machine.capacity) return 0;
    return this.rows.openOf?.(owner, (bytes) => this.machine.owner(bytes)) ?? 0;
  }

  /** The row of the same request under one of these keys. */
  async #earlier(keys: readonly string[]): Promise<Uint8Array | undefined> {
    for (const key of keys) {
      const bytes = await this.rows.step({ key }, ({ rows: [row] }) => ({ value: row?.bytes }));
      if (bytes) return bytes;
    }
    return undefined;
  }

  async #find<T>(id: string, user: string | undefined, whole: boolean, show: (row: Row) => T | Promise<T>) {
    const arrival = this.#arrival(id);
    if (arrival === undefined) return undefined;
    const row = await this.rows.step({ arrival, whole }, ({ rows: [row] }) => ({ value: row }));
    return row && this.machine.sees(row.bytes, id, user) ? show(row) : undefined;
  }

  async #change(id: string, user: string | undefined, decide: (row: Row, found: Found) => Described) {
    const arrival = this.#arrival(id);
    if (arrival === undefined) return undefined;
    const update = await this.rows.step({ arrival }, (found): Change<Update | undefined> => {
      const [row] = found.rows;
      if (!row || !this.machine.sees(row.bytes, id, user)) return { value: undefined };
      const update = updateOf(decide(row, found));
      return { update: [update], value: update };
    });
    if (!update) return undefined;
    this.tell(update);
    return this.machine.status(update.bytes);
  }

  #arrival(id: string): number | undefined {
    return this.#place(id)?.[1];
  }
}

/** Figures of nothing. */
export const noStats = (): Stats => ({
  ...{ queued: 0, delayed: 0, running: 0, completed: 0, dead: 0, cancelled: 0 },
  open: { critical: 0, high: 0, normal: 0, low: 0 },
});

/** The figures of two stores together. */
export function sumOf(one: Stats, other: Stats): Stats {
  const sum = noStats();
  for (const name of STATUSES) sum[name] = one[name] + other[name];
  for (const name of PRIORITIES) sum.open[name] = one.open[name] + other.open[name];
  const oldest = Math.min(one.oldestQueuedAt ?? Infinity, other.oldestQueuedAt ?? Infinity);
  return oldest === Infinity ? sum : { ...sum, oldestQueuedAt: oldest };
}

/** For an id that nothing is under, or nothing of the caller's. */
export const unknownId = () => invalid('requestId', 'is not known', 404);

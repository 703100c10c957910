// The queue of a tab. With a vault its rows are in IndexedDB, sealed with a key of the vault: they wait for the unlock,
// and all tabs work on them. Without one they are in memory.

import type { Queue } from '../../wasm/tidegate-all.js';
import { closed, jsonOf, knownOf, textAt, toError } from '../errors.js';
import type { ChatRequest } from '../types.js';
import type { GateQueue } from './calls.js';
import { Drain } from './drain.js';
import { Engine, noStats, sumOf, unknownId, type Place } from './engine.js';
import { indexedDbRows } from './idb.js';
import { memoryRows } from './memory.js';
import type { Rows } from './rows.js';
import type { QueueOptions, QueueStats, QueueStatus } from './types.js';

/** A look at what other tabs have left, and at whether the vault was unlocked, in milliseconds. */
const LOOK_MS = 30_000;
const LOCKED_LOOK_MS = 1_000;

/** The largest build, which alone has the queue's machine. */
export type AllGlue = typeof import('../../wasm/tidegate-all.js');

/** What the gate provides. */
export interface Home {
  glue: Pick<AllGlue, 'queuePlace'>;
  core: Pick<InstanceType<AllGlue['Core']>, 'queue' | 'queueInMemory' | 'isUnlocked'>;
  /** Whether the gate's storage is one that lasts and can be shared. */
  lasts: boolean;
  name: string;
  run(body: string, again: boolean, signal: AbortSignal): Promise<string>;
  vault(): Promise<'absent' | 'locked' | 'unlocked'>;
  emit(status: QueueStatus): void;
}

/** One store with who works on it. */
interface Shelf {
  rows: Rows & { close?(): void };
  engine: Engine;
  drain: Drain;
  /** Once this tab can be seen to live. */
  held: Promise<void>;
  /** It will be seen to be gone. */
  release(): void;
  timer?: ReturnType<typeof setTimeout>;
}

/** The queue of one gate. */
export class TabQueue implements GateQueue {
  readonly #home: Home;
  #memory: Shelf | undefined;
  #lasting: Shelf | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  readonly #online = () => this.#kickAll();

  /** @internal */
  constructor(home: Home) {
    this.#home = home;
    globalThis.addEventListener?.('online', this.#online);
    this.#look();
  }

  async enqueue(request: ChatRequest, given: QueueOptions = {}): Promise<QueueStatus> {
    return this.#typed(async () => {
      const options = knownOf('options', given, OPTIONS);
      const shelf = await this.#shelf();
      // Made within: what throws as it is read is told as what is no plain data.
      const asked = jsonOf({ toJSON: () => ({ ...request, ...options }) }, request);
      const [status] = await shelf.engine.enqueue(asked, 'default');
      this.#kick(shelf);
      return JSON.parse(status) as QueueStatus;
    });
  }

  async status(requestId: string): Promise<QueueStatus> {
    return this.#first(requestId, (engine) => engine.status(requestId));
  }

  async cancel(requestId: string): Promise<QueueStatus> {
    return this.#first(requestId, (engine) => engine.cancel(requestId));
  }

  async requeue(requestId: string): Promise<QueueStatus> {
    const status = await this.#first(requestId, (engine) => engine.revive(requestId));
    this.#kickAll();
    return status;
  }

  async dead(): Promise<QueueStatus[]> {
    return this.#typed(async () => {
      const all = await Promise.all((await this.#shelves()).map(({ engine }) => engine.dead()));
      return all.flat().map((status) => JSON.parse(status) as QueueStatus);
    });
  }

  async stats(): Promise<QueueStats> {
    return this.#typed(async () => {
      const vault = await this.#home.vault();
      const shelves = [this.#memory, this.#lastingShelf(vault)].filter((shelf) => shelf !== undefined);
      const all = await Promise.all(shelves.map(({ engine }) => engine.stats()));
      const storage = this.#home.lasts && vault !== 'absent' ? ('indexeddb' as const) : ('memory' as const);
      return { ...all.reduce(sumOf, noStats()), storage, locked: storage === 'indexeddb' && vault === 'locked' };
    });
  }

  /** @internal The tab is put to sleep: the rows' database must not wait for it. */
  asleep(): void {
    this.#lasting?.rows.close?.();
  }

  /** @internal Gives back what runs, so that it runs again at once, elsewhere or after a reload. */
  async close(): Promise<void> {
    this.#closed = true;
    globalThis.removeEventListener?.('online', this.#online);
    clearTimeout(this.#watch);
    for (const shelf of [this.#memory, this.#lasting]) {
      clearTimeout(shelf?.timer);
      await shelf?.drain.stop();
      shelf?.release();
      shelf?.rows.close?.();
    }
  }

  /** Where a request goes now. */
  async #shelf(): Promise<Shelf> {
    const vault = this.#home.lasts ? await this.#home.vault() : 'absent';
    return this.#lastingShelf(vault) ?? (this.#memory ??= this.#made(memoryRows(), this.#home.core.queueInMemory()));
  }

  async #shelves(): Promise<Shelf[]> {
    const lasting = this.#lastingShelf(this.#home.lasts ? await this.#home.vault() : 'absent');
    return [lasting, this.#memory].filter((shelf) => shelf !== undefined);
  }

  #lastingShelf(vault: 'absent' | 'locked' | 'unlocked'): Shelf | undefined {
    if (vault === 'absent' || !this.#home.lasts) return undefined;
    return (this.#lasting ??= this.#made(indexedDbRows(this.#home.name), this.#home.core.queue()));
  }

  #made(rows: Shelf['rows'], machine: Queue): Shelf {
    const place: Place = (id) => this.#home.glue.queuePlace(id) as ReturnType<Place>;
    const engine: Engine = new Engine(rows, machine, place, ({ status, arrival, ended }) => {
      if (ended) drain.end(arrival);
      this.#home.emit(JSON.parse(status) as QueueStatus);
    });
    const drain: Drain = new Drain(engine, {
      run: (body, _, again, signal) => this.#home.run(body, again, signal),
      online: () => globalThis.navigator?.onLine ?? true,
    });
    // A lock that is held for as long as this tab lives: that is how others know. Where there are none, leases tell.
    let release = () => {};
    const { locks } = globalThis.navigator ?? {};
    const held = new Promise<void>((resolve) => {
      if (!locks || rows.close === undefined) return resolve();
      const until = new Promise<void>((end) => (release = end));
      // An origin that has none refuses.
      locks.request(this.#lock(drain.holder), () => (resolve(), until)).catch(() => resolve());
    });
    return { rows, engine, drain, held, release };
  }

  #kickAll(): void {
    for (const shelf of [this.#memory, this.#lasting]) if (shelf) this.#kick(shelf);
  }

  /** Works on a store as long as there is something to do, and then sets a timer. */
  #kick(shelf: Shelf): void {
    clearTimeout(shelf.timer);
    if (this.#closed || (shelf === this.#lasting && !this.#home.core.isUnlocked())) return;
    shelf.drain.wake();
    void this.#drained(shelf).then((next) => {
      clearTimeout(shelf.timer);
      if (this.#closed) return;
      const wait = Math.min(Math.max((next ?? Infinity) - Date.now(), 0), LOOK_MS);
      shelf.timer = setTimeout(() => this.#kick(shelf), wait);
      // Node: a queue in memory that has nothing to do must not keep the process alive.
      if (typeof shelf.timer === 'object') shelf.timer.unref?.();
    });
  }

  async #drained(shelf: Shelf): Promise<number | undefined> {
    try {
      await shelf.held;
      if (shelf === this.#lasting) await shelf.engine.reclaim(await this.#alive(shelf.drain.holder), false);
      return await shelf.drain.drain();
    } catch {
      // Locked in the middle, or the storage failed: another look will tell.
      return undefined;
    }
  }

  /** Whoever holds a lock of this queue. Where there are no locks, leases alone tell. */
  async #alive(own: number): Promise<number[]> {
    const held = (await globalThis.navigator?.locks?.query())?.held ?? [];
    const prefix = this.#lock('');
    return held
      .flatMap(({ name }) => (name?.startsWith(prefix) ? [Number(name.slice(prefix.length))] : []))
      .concat(own);
  }

  #lock = (holder: number | '') => `tidegate:${this.#home.name}:queue:${holder}`;

  /** While the vault is locked its requests wait: looks for the unlock, and begins. */
  #look(): void {
    if (this.#closed || !this.#home.lasts) return;
    const began = this.#lasting?.timer !== undefined;
    const unlocked = this.#home.core.isUnlocked();
    if (unlocked && !began) {
      // Locked in between: another look will tell.
      this.#shelf().then(
        (shelf) => this.#kick(shelf),
        () => undefined,
      );
    }
    if (!unlocked && this.#lasting) {
      clearTimeout(this.#lasting.timer);
      delete this.#lasting.timer;
    }
    this.#watch = setTimeout(() => this.#look(), LOCKED_LOOK_MS);
  }

  async #first(requestId: string, ask: (engine: Engine) => Promise<string | undefined>): Promise<QueueStatus> {
    return this.#typed(async () => {
      textAt('requestId', requestId);
      for (const { engine } of await this.#shelves()) {
        const status = await ask(engine);
        if (status !== undefined) return JSON.parse(status) as QueueStatus;
      }
      throw unknownId();
    });
  }

  async #typed<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closed();
    try {
      return await work();
    } catch (error) {
      throw toError(error);
    }
  }
}

// A name that is none would be a field of the request, and go to the provider.
const OPTIONS: Record<keyof QueueOptions, 0> = {
  priority: 0,
  maxRetries: 0,
  timeoutMs: 0,
  idempotencyKey: 0,
  user: 0,
  conversation: 0,
};

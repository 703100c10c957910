// What keeps the rows of a queue: memory, IndexedDB, or SQLite in a Durable Object. A store looks rows up by its indexes,
// has them decided about (synchronously, in the Wasm), and writes what comes out: all in one transaction.

/** A row as the machine describes it: times in milliseconds. */
export type Described = [
  arrival: number,
  lane: number,
  rank: number,
  due: number,
  key: string | undefined,
  bytes: Uint8Array,
  keepsAsk: boolean,
  priority: number,
];

/** One queued request. */
export interface Row {
  /** Its name. */
  arrival: number;
  /** Where it stands: 0 queued, 1 delayed, 2 running, 3 completed, 4 dead, 5 cancelled, 9 unreadable. */
  lane: number;
  /** Its place among the rows of its lane: the lowest is first. */
  rank: number;
  /** When something has to happen to it by itself. */
  due: number;
  /** Unique, where there is one. */
  key?: string | undefined;
  /** 0 (critical) to 3 (low). */
  priority: number;
  /** What the machine knows of it. */
  bytes: Uint8Array;
  /** Sealed: what was asked. */
  asked?: Uint8Array | undefined;
  /** Sealed: what came of it. */
  result?: Uint8Array | undefined;
}

/** A changed row. */
export interface Update extends Omit<Row, 'asked' | 'key'> {
  /** If false, what was asked is forgotten with this write. */
  keepsAsk: boolean;
}

/** Rows to look up; by nothing: none. */
export interface Query {
  arrival?: number | undefined;
  key?: string | undefined;
  /** The first of a lane, by rank. */
  lane?: number;
  /** Of a lane: those behind this one. */
  after?: Row | undefined;
  /** What is due by then, the earliest first. */
  due?: number;
  /** How many at most. Default 1. */
  count?: number;
  /** With their sealed content. */
  whole?: boolean;
}

/** What a decision is made of. */
export interface Found {
  rows: Row[];
  /** How many rows are open: queued, delayed or running. */
  open: number;
  /** The latest arrival that is known. */
  last: number;
}

/** What a decision is. */
export interface Change<T> {
  insert?: Row;
  update?: Update[];
  erase?: number[];
  value: T;
}

/** Rows of one lane and priority. */
export interface Tally {
  lane: number;
  priority: number;
  count: number;
  /** The first arrival among them. */
  oldest: number;
}

/** A store. Those that can answer at once do. */
export interface Rows {
  /** One transaction. */
  step<T>(query: Query, decide: (found: Found) => Change<T>): T | Promise<T>;
  /** When the first row is due; nothing if there is none. */
  due(): number | undefined | Promise<number | undefined>;
  /** How many rows of the lane of `queued` rows come before this one. */
  ahead(row: Row): number | Promise<number>;
  tally(): Tally[] | Promise<Tally[]>;
  /**
   * How many open rows are of an owner, by what `ownerOf` says of their bytes. Asked in the middle of a step; only where
   * several users share the rows.
   */
  openOf?(owner: string, ownerOf: OwnerOf): number;
}

/** Whose a row is; nothing if nobody's. Throws for one that cannot be read. */
export type OwnerOf = (bytes: Uint8Array) => string | undefined;

/** Lanes from this one on have ended. */
export const OPEN_LANES = 3;
export const QUEUED = 0;
export const DELAYED = 1;
export const RUNNING = 2;
export const COMPLETED = 3;
export const DEAD = 4;
export const CANCELLED = 5;
/** Of rows that this version cannot read: they are left as they are for one that can, and are in nobody's way. */
export const UNREADABLE = 9;
/** When they are due. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** The order of a lane. */
export const before = (a: Row, b: Row) => a.rank - b.rank || a.arrival - b.arrival;

/** A row of what the machine gave. */
export function rowOf([arrival, lane, rank, due, key, bytes, , priority]: Described): Row {
  return { arrival, lane, rank, due, key, priority, bytes };
}

export function updateOf([arrival, lane, rank, due, , bytes, keepsAsk, priority]: Described): Update {
  return { arrival, lane, rank, due, priority, bytes, keepsAsk };
}

// What keeps a gate's bytes. The ledger is asked for decisions, never read and written by itself.

/** A place for sealed bytes. */
export interface Storage {
  readonly kind: 'indexeddb' | 'memory' | 'file';
  /** One decision, atomic for everyone who shares the storage; absent: the gate's own memory decides. */
  readonly ledger?: (command: Uint8Array) => Promise<Uint8Array>;
  /** Every record of a table, by name. */
  all<T extends Table>(table: T): Promise<Map<string, Rows[T]>>;
  /** Writes and deletes in one transaction. */
  change<T extends Table>(table: T, put: Iterable<readonly [string, Rows[T]]>, remove: Iterable<string>): Promise<void>;
  /**
   * Reads all, decides synchronously, writes and deletes, in one transaction. A decision that throws changes nothing.
   */
  update<T extends Table>(table: T, decide: (records: Map<string, Rows[T]>) => Change<Rows[T]>): Promise<void>;
  /** Gives back what is held open; the next use opens it again. */
  close(): Promise<void>;
}

/** What a decision changes. */
export interface Change<Row> {
  put?: Iterable<readonly [string, Row]>;
  remove?: Iterable<string>;
}

/** What stands in each table. A vault has keys beside its bytes that the browser keeps and does not give out. */
export interface Rows {
  vault: Uint8Array | CryptoKey;
  cache: Uint8Array;
}

/** `vault` must never be lost; `cache` may be. */
export type Table = keyof Rows;

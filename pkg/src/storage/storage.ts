// What keeps a gate's bytes. The ledger is asked for decisions, never read and written by itself.

/** A place for sealed bytes. */
export interface Storage {
  readonly kind: 'indexeddb' | 'memory' | 'file';
  /** One decision, atomic for everyone who shares the storage; absent: the gate's own memory decides. */
  readonly ledger?: (command: Uint8Array) => Promise<Uint8Array>;
  /** Every record of a table, by name. */
  all(table: Table): Promise<Map<string, Uint8Array>>;
  /** Writes and deletes in one transaction. */
  change(table: Table, put: Iterable<readonly [string, Uint8Array]>, remove: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** `vault` must never be lost; `cache` may be. */
export type Table = 'vault' | 'cache';

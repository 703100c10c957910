// Keeps everything as long as the process lives. The ledger is the gate's own, inside the Wasm.

import type { Rows, Storage, Table } from './storage.js';

export function memoryStorage(): Storage {
  const tables: { [T in Table]: Map<string, Rows[T]> } = { vault: new Map(), cache: new Map() };
  return {
    kind: 'memory',
    all: (table) => Promise.resolve(new Map(tables[table])),
    change(table, put, remove) {
      for (const name of remove) tables[table].delete(name);
      for (const [name, row] of put) tables[table].set(name, row);
      return Promise.resolve();
    },
    async update(table, decide) {
      const { put = [], remove = [] } = decide(new Map(tables[table]));
      await this.change(table, put, remove);
    },
    close: () => Promise.resolve(),
  };
}

// Keeps everything as long as the process lives. The ledger is the gate's own, inside the Wasm.

import type { Storage, Table } from './storage.js';

export function memoryStorage(): Storage {
  const tables: Record<Table, Map<string, Uint8Array>> = { vault: new Map(), cache: new Map() };
  return {
    kind: 'memory',
    all: (table) => Promise.resolve(new Map(tables[table])),
    change(table, put, remove) {
      for (const name of remove) tables[table].delete(name);
      for (const [name, bytes] of put) tables[table].set(name, bytes);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

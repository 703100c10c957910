// IndexedDB: one database per gate name, shared by all tabs of the origin.
//
// A decision of the ledger is one strict readwrite transaction: read, decide (synchronously, in the Wasm), write. Only
// the transaction's own requests are awaited in between, else it would commit early. `strict` asks the browser to flush
// before it reports success: a reservation must survive the crash that it is there for.

import { internal, TidegateError } from '../errors.js';
import type { Decide } from '../platform.js';
import { openDB, type DBSchema, type IDBPDatabase } from './idb.js';
import type { Change, Rows, Storage, Table } from './storage.js';

/** Version of the database's layout. The records in it carry versions of their own. */
const VERSION = 1;
const LEDGER_KEY = 'ledger';

interface Schema extends DBSchema {
  ledger: { key: string; value: Uint8Array };
  vault: { key: string; value: Rows['vault'] };
  cache: { key: string; value: Uint8Array };
}

export async function indexedDbStorage(name: string, decide: Decide): Promise<Storage> {
  if (typeof indexedDB === 'undefined') {
    throw internal("This browser has no IndexedDB here: open the gate with ledger: 'memory'.");
  }
  let database: IDBPDatabase<Schema> | undefined;
  const open = async () =>
    (database ??= await openDB<Schema>(`tidegate:${name}`, VERSION, {
      upgrade(fresh) {
        for (const table of ['ledger', 'vault', 'cache'] as const) fresh.createObjectStore(table);
      },
      // A newer version of the package wants to migrate: make way; the next use opens again, or is refused.
      blocking: () => close(),
      terminated: () => (database = undefined),
    }).catch((error: unknown) => {
      const newer = error instanceof DOMException && error.name === 'VersionError';
      throw newer ? corrupt() : internal('The browser refused to open the database.', error);
    }));
  const close = () => {
    database?.close();
    database = undefined;
  };
  await open();
  const write = async <T extends Table>(table: T, decide: (store: Rowed) => Promise<Change<Rows[T]>>) => {
    const transaction = (await open()).transaction(table, 'readwrite', { durability: 'strict' });
    const done = transaction.done;
    done.catch(() => undefined);
    try {
      const { put = [], remove = [] } = await decide(transaction.store);
      for (const key of remove) void transaction.store.delete(key).catch(() => undefined);
      for (const [key, row] of put) void transaction.store.put(row as Uint8Array, key).catch(() => undefined);
    } catch (error) {
      transaction.abort();
      throw error;
    }
    await done;
  };
  return {
    kind: 'indexeddb',
    async ledger(command) {
      const transaction = (await open()).transaction('ledger', 'readwrite', { durability: 'strict' });
      // A transaction that aborts rejects here and there: whoever comes second must not be unhandled.
      const done = transaction.done;
      done.catch(() => undefined);
      const [snapshot, reply] = decide(await transaction.store.get(LEDGER_KEY), command);
      if (snapshot) void transaction.store.put(snapshot, LEDGER_KEY).catch(() => undefined);
      await done;
      return reply;
    },
    async all(table) {
      return rowsOf<typeof table>((await open()).transaction(table).store);
    },
    change: (table, put, remove) => write(table, () => Promise.resolve({ put, remove })),
    update: (table, decide) => write(table, async (store) => decide(await rowsOf<typeof table>(store))),
    close() {
      close();
      return Promise.resolve();
    },
  };
}

interface Rowed {
  getAllKeys(): Promise<string[]>;
  getAll(): Promise<unknown[]>;
}

async function rowsOf<T extends Table>(store: Rowed): Promise<Map<string, Rows[T]>> {
  const [names, rows] = await Promise.all([store.getAllKeys(), store.getAll()]);
  return new Map(names.map((name, index) => [name, rows[index] as Rows[T]]));
}

/** Data of a newer version is left as it is. */
function corrupt(): TidegateError {
  return new TidegateError({
    code: 'vault_corrupt',
    message: 'The stored data is of a newer version of tidegate; it was left as it is.',
    status: 500,
    shouldRetry: false,
    attempts: [],
  });
}

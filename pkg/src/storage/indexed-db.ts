// IndexedDB: one database per gate name, shared by all tabs of the origin.
//
// A decision of the ledger is one strict readwrite transaction: read, decide (synchronously, in the Wasm), write. Only
// the transaction's own requests are awaited in between, else it would commit early. `strict` asks the browser to flush
// before it reports success: a reservation must survive the crash that it is there for.

import { internal, TidegateError } from '../errors.js';
import type { Decide } from '../platform.js';
import { ended, given, openDatabase } from './requests.js';
import type { Change, Rows, Storage, Table } from './storage.js';

/** Version of the database's layout. The records in it carry versions of their own. */
const VERSION = 1;
const LEDGER_KEY = 'ledger';

const TABLES = ['ledger', 'vault', 'cache'] as const;

export async function indexedDbStorage(name: string, decide: Decide): Promise<Storage> {
  if (typeof indexedDB === 'undefined') {
    throw internal("This browser has no IndexedDB here: open the gate with ledger: 'memory'.");
  }
  let database: IDBDatabase | undefined;
  const open = async () =>
    (database ??= await openDatabase(`tidegate:${name}`, VERSION, {
      upgrade(fresh) {
        for (const table of TABLES) fresh.createObjectStore(table);
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
  const writing = async (table: string) => {
    const transaction = (await open()).transaction(table, 'readwrite', { durability: 'strict' });
    return { transaction, done: ended(transaction), store: transaction.objectStore(table) };
  };
  /** A full disk costs what is kept of answers: without that, a decision or a key is tried once more. */
  const roomy = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error;
      const { done, store } = await writing('cache');
      store.clear();
      await done;
      return work();
    }
  };
  const write = async <T extends Table>(table: T, decide: (store: IDBObjectStore) => Promise<Change<Rows[T]>>) => {
    const { transaction, done, store } = await writing(table);
    try {
      const { put = [], remove = [] } = await decide(store);
      for (const key of remove) store.delete(key);
      for (const [key, row] of put) store.put(row, key);
    } catch (error) {
      transaction.abort();
      throw error;
    }
    await done;
  };
  return {
    kind: 'indexeddb',
    ledger: (command) =>
      roomy(async () => {
        const { done, store } = await writing('ledger');
        const [snapshot, reply] = decide((await given(store.get(LEDGER_KEY))) as Uint8Array | undefined, command);
        if (snapshot) store.put(snapshot, LEDGER_KEY);
        await done;
        return reply;
      }),
    async all(table) {
      return rowsOf<typeof table>((await open()).transaction(table).objectStore(table));
    },
    change: (table, put, remove) => {
      const changed = () => write(table, () => Promise.resolve({ put, remove }));
      return table === 'cache' ? changed() : roomy(changed);
    },
    update: (table, decide) => roomy(() => write(table, async (store) => decide(await rowsOf<typeof table>(store)))),
    close() {
      close();
      return Promise.resolve();
    },
  };
}

async function rowsOf<T extends Table>(store: IDBObjectStore): Promise<Map<string, Rows[T]>> {
  const [names, rows] = await Promise.all([given(store.getAllKeys()), given(store.getAll())]);
  return new Map(names.map((name, index) => [String(name), rows[index] as Rows[T]]));
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

// IndexedDB: one database per gate name, shared by all tabs of the origin.
//
// A decision of the ledger is one strict readwrite transaction: read, decide (synchronously, in the Wasm), write. Only
// the transaction's own requests are awaited in between, else it would commit early. `strict` asks the browser to flush
// before it reports success: a reservation must survive the crash that it is there for.

import { internal } from '../errors.js';
import type { Decide } from '../platform.js';
import { connection } from './connection.js';
import { ended, given } from './requests.js';
import type { Change, Rows, Storage, Table } from './storage.js';

/** Version of the database's layout. The records in it carry versions of their own. */
const VERSION = 1;
const LEDGER_KEY = 'ledger';

const TABLES = ['ledger', 'vault', 'cache'] as const;

export async function indexedDbStorage(name: string, decide: Decide): Promise<Storage> {
  if (typeof indexedDB === 'undefined') {
    throw internal("This browser has no IndexedDB here: open the gate with ledger: 'memory'.");
  }
  const { open, again, anew, close } = connection(`tidegate:${name}`, VERSION, TABLES, (fresh) => {
    for (const table of TABLES) fresh.createObjectStore(table);
  });
  await again(open);
  const writing = async (table: string) => {
    const transaction = (await open()).transaction(table, 'readwrite', { durability: 'strict' });
    return { transaction, done: ended(transaction), store: transaction.objectStore(table) };
  };
  /** A full disk costs what is kept of answers: without that, a decision or a key is tried once more. */
  const roomy = <T>(work: () => Promise<T>): Promise<T> =>
    again(work, async (error) => {
      if (!isNamed(error, 'QuotaExceededError')) return anew();
      const { done, store } = await writing('cache');
      store.clear();
      await done;
    });
  const unlessFull = (error: DOMException) => {
    if (isNamed(error, 'QuotaExceededError')) throw error;
    return anew();
  };
  const write = async <T extends Table>(table: T, decide: (store: IDBObjectStore) => Promise<Change<Rows[T]>>) => {
    const { transaction, done, store } = await writing(table);
    try {
      const { put = [], remove = [] } = await decide(store);
      for (const key of remove) store.delete(key);
      for (const [key, row] of put) store.put(row, key);
    } catch (error) {
      try {
        transaction.abort();
      } catch {
        // The browser has done so already.
      }
      throw error;
    }
    await done;
  };
  return {
    kind: 'indexeddb',
    ledger: (command) =>
      roomy(async () => {
        const { done, store } = await writing('ledger');
        const [snapshot, reply] = decide(rowOf(await given<unknown>(store.get(LEDGER_KEY))), command);
        if (snapshot) store.put(snapshot, LEDGER_KEY);
        await done;
        return reply;
      }),
    all: (table) => again(async () => rowsOf<typeof table>((await open()).transaction(table).objectStore(table))),
    change: (table, ...asked) => {
      // What can be gone through once only may be needed twice.
      const [put, remove] = [[...asked[0]], [...asked[1]]];
      const changed = () => write(table, () => Promise.resolve({ put, remove }));
      return table === 'cache' ? again(changed, unlessFull) : roomy(changed);
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
  return new Map(names.map((name, index) => [String(name), rowOf(rows[index]) as Rows[T]]));
}

/** Whatever else stands in a row's place is what no bytes are: unreadable, but there. */
const rowOf = <Row>(row: Row | undefined) =>
  row === undefined || row instanceof Uint8Array || (typeof CryptoKey !== 'undefined' && row instanceof CryptoKey)
    ? (row as Uint8Array | undefined)
    : new Uint8Array();

const isNamed = (error: unknown, name: string) => error instanceof DOMException && error.name === name;

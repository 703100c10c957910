// Rows in IndexedDB, shared by all tabs of the origin, in a database of their own: who never queues never has it.
//
// A decision is one strict readwrite transaction, as the ledger's are: only its own requests are awaited in between.

import { connection } from '../storage/connection.js';
import { wrap, type DBSchema, type IDBPDatabase } from '../storage/idb.js';
import { OPEN_LANES, QUEUED, type Change, type Found, type Query, type Row, type Rows, type Tally } from './rows.js';

const VERSION = 1;

interface Schema extends DBSchema {
  items: {
    key: number;
    value: Row;
    indexes: { order: [number, number, number]; due: number; key: string };
  };
}

/** Also how to close it. */
export function indexedDbRows(name: string): Rows & { close(): void } {
  const { open, again, close } = connection(`tidegate:${name}:queue`, VERSION, ['items'], (fresh) => {
    const items = fresh.createObjectStore('items', { keyPath: 'arrival' });
    items.createIndex('order', ['lane', 'rank', 'arrival']);
    items.createIndex('due', 'due');
    items.createIndex('key', 'key', { unique: true });
  });
  const database = async () => wrap(await open()) as IDBPDatabase<Schema>;
  const items = async () => {
    const transaction = (await database()).transaction('items', 'readwrite', { durability: 'strict' });
    // A transaction that aborts rejects here and there: whoever comes second must not be unhandled.
    transaction.done.catch(() => undefined);
    return transaction;
  };
  /** The same to look at it only. */
  const shown = async () => {
    const transaction = (await database()).transaction('items');
    transaction.done.catch(() => undefined);
    return transaction.store;
  };
  const lanes = (from: number, to: number) => IDBKeyRange.bound([from], [to], false, true);
  const step = async <T>(query: Query, decide: (found: Found) => Change<T>): Promise<T> => {
    const transaction = await items();
    const { store } = transaction;
    const { arrival, key, lane, after, due, count = 1 } = query;
    const find = (): Promise<Row[]> => {
      if (arrival !== undefined) return store.getAll(arrival);
      if (key !== undefined) return store.index('key').getAll(key);
      if (lane !== undefined) {
        const from = after ? [lane, after.rank, after.arrival] : [lane];
        return store.index('order').getAll(IDBKeyRange.bound(from, [lane + 1], after !== undefined, true), count);
      }
      if (due !== undefined) return store.index('due').getAll(IDBKeyRange.upperBound(due), count);
      return Promise.resolve([]);
    };
    const [rows, open, newest] = await Promise.all([
      find().then((found) => found.map(readable)),
      store.index('order').count(lanes(0, OPEN_LANES)),
      store.openKeyCursor(null, 'prev'),
    ]);
    try {
      const { insert, update = [], erase = [], value } = decide({ rows, open, last: newest?.key ?? 0 });
      if (insert) void store.add(plain(insert)).catch(() => undefined);
      for (const { keepsAsk, ...changed } of update) {
        const { key, asked, result } = rows.find((row) => row.arrival === changed.arrival) ?? {};
        void store.put(plain({ key, asked: keepsAsk ? asked : undefined, result, ...changed })).catch(() => undefined);
      }
      for (const one of erase) void store.delete(one).catch(() => undefined);
      await transaction.done;
      return value;
    } catch (error) {
      abort(transaction);
      throw error;
    }
  };
  return {
    step: (query, decide) => again(() => step(query, decide)),
    due: () => again(async () => (await (await shown()).index('due').openKeyCursor())?.key),
    ahead: ({ rank, arrival }) =>
      again(async () => {
        const before = IDBKeyRange.bound([QUEUED], [QUEUED, rank, arrival], false, true);
        return (await shown()).index('order').count(before);
      }),
    tally: () =>
      again(async () => {
        const tallies = new Map<string, Tally>();
        for (const { lane, priority, arrival } of await (await shown()).getAll()) {
          const name = `${lane} ${priority}`;
          const tally = tallies.get(name) ?? { lane, priority, count: 0, oldest: arrival };
          tallies.set(name, { ...tally, count: tally.count + 1, oldest: Math.min(tally.oldest, arrival) });
        }
        return [...tallies.values()];
      }),
    close,
  };
}

/** Whatever else stands where bytes were is unreadable: one such row must not keep all others from being run. */
const bytesOf = (value: unknown) => (value instanceof Uint8Array ? value : new Uint8Array());
const readable = ({ asked, result, ...row }: Row): Row => ({
  ...row,
  bytes: bytesOf(row.bytes),
  ...(asked !== undefined && { asked: bytesOf(asked) }),
  ...(result !== undefined && { result: bytesOf(result) }),
});

/** An index takes no field that is there and undefined. */
const plain = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as unknown as Row;

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

// What lies in IndexedDB, a page of records at a time, within bounds. Nothing is made, changed or held up: a database that
// is gone meanwhile is not made anew, and one that another tab wants to change is let go at once.

import type { Item } from './places.js';

/** Databases of one round. */
const DATABASES = 32;
/** Records of one store that are looked at in a round: the first by key. */
const RECORDS = 1_000;
/** Records read at once. */
const PAGE = 20;
/** How far into a record, and how much of it: its values, and the UTF-16 units of its texts. */
const DEPTH = 6;
const VALUES = 2_000;
const UNITS = 1_000_000;
/** Bytes of a buffer, which may be a text. */
const BYTES = 256 * 1024;

/** Its promises are to be awaited before the next step is taken. */
export function* databases(): Generator<Promise<Item[]>> {
  let names: string[] = [];
  yield find().then((found) => {
    names = found.slice(0, DATABASES);
    return names.map((name): Item => ({ place: 'storage', where: 'name of a database', text: name }));
  });
  for (const name of names) {
    let database: IDBDatabase | undefined;
    yield opened(name).then((found) => {
      database = found;
      return [];
    });
    // Left again if whoever iterates stops here.
    try {
      for (const store of database?.objectStoreNames ?? []) yield* recordsOf(database!, name, store);
    } finally {
      database?.close();
    }
  }
}

const find = async (): Promise<string[]> => {
  try {
    return (await indexedDB.databases()).flatMap(({ name }) => (name === undefined ? [] : [name]));
  } catch {
    return []; // private modes, opaque origins
  }
};

function* recordsOf(database: IDBDatabase, name: string, store: string): Generator<Promise<Item[]>> {
  let after: IDBKeyRange | undefined;
  for (let read = 0; read < RECORDS; read += PAGE) {
    let last = true;
    yield pageOf(database, store, after).then(
      ([keys, values]) => {
        last = keys.length < PAGE;
        if (!last) after = IDBKeyRange.lowerBound(keys.at(-1), true);
        const where = `IndexedDB: ${name}/${store}`;
        return values.map((value, at): Item => ({ place: 'storage', where, text: textOf([keys[at], value]) }));
      },
      () => [], // closed meanwhile, or a value that cannot be read
    );
    if (last) return;
  }
}

function opened(name: string): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(name);
      // It was deleted since it was listed.
      request.onupgradeneeded = () => request.transaction?.abort();
      request.onsuccess = () => {
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = (event) => {
        event.preventDefault();
        resolve(undefined);
      };
      // Another tab changes it.
      request.onblocked = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}

function pageOf(
  database: IDBDatabase,
  name: string,
  after: IDBKeyRange | undefined,
): Promise<[keys: IDBValidKey[], values: unknown[]]> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name);
    const store = transaction.objectStore(name);
    const keys = store.getAllKeys(after, PAGE);
    const values = store.getAll(after, PAGE) as IDBRequest<unknown[]>;
    transaction.oncomplete = () => resolve([keys.result, values.result]);
    transaction.onabort = () => reject(new Error('not read'));
  });
}

/** The texts in a structured clone: data without getters. Its key first. */
function textOf(record: unknown): string {
  const texts: string[] = [];
  const seen = new Set<object>();
  const queue: { value: unknown; depth: number }[] = [{ value: record, depth: 0 }];
  let units = 0;
  for (let at = 0; at < queue.length && at < VALUES && units < UNITS; at += 1) {
    const { value, depth } = queue[at]!;
    const text = typeof value === 'string' ? value : decoded(value);
    if (text !== undefined) {
      texts.push(text.slice(0, UNITS - units));
      units += text.length;
    } else if (typeof value === 'object' && value !== null && depth <= DEPTH && !seen.has(value)) {
      seen.add(value);
      const inner = value instanceof Map || value instanceof Set ? [...value.entries()] : Object.entries(value);
      for (const one of inner.flat()) if (queue.length < VALUES) queue.push({ value: one, depth: depth + 1 });
    }
  }
  return texts.join('\n');
}

function decoded(value: unknown): string | undefined {
  if (!(value instanceof ArrayBuffer || ArrayBuffer.isView(value))) return undefined;
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, Math.min(value.byteLength, BYTES))
    : new Uint8Array(value, 0, Math.min(value.byteLength, BYTES));
  return new TextDecoder().decode(bytes);
}

// IndexedDB's requests and transactions as promises: as much of it as the first answer needs. What comes out of a request
// is there in the same turn that its transaction is still open in.

import { afterAwake } from '../awake.js';

/** What a request gives. */
export const given = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });

/** The end of a transaction; rejects if it was not committed. A rejection that nobody awaits is nobody's. */
export function ended(transaction: IDBTransaction): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException('The transaction was aborted.', 'AbortError'));
  });
  done.catch(() => undefined);
  return done;
}

/** Who holds a database is told when it must close it, and when it was closed without being asked. */
export interface Holder {
  upgrade(fresh: IDBDatabase): void;
  blocking(): void;
  terminated(): void;
}

/**
 * How long a database may take to open, in milliseconds. It waits for whoever deletes or upgrades it, who waits for every
 * tab that has it open: one that is asleep, or does not make way, would have all others wait for ever. A tab that is
 * asleep itself waits for nobody meanwhile.
 */
const OPEN_MS = 15_000;

/** Opens a database; a newer one that there is refuses with a `VersionError`, one that does not open with a `TimeoutError`. */
export async function openDatabase(name: string, version: number, holder: Holder): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, version);
  opening.onupgradeneeded = () => holder.upgrade(opening.result);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const inTime = afterAwake(OPEN_MS, () => {
      // What comes late must not stand in the others' way.
      opening.onsuccess = () => opening.result.close();
      reject(new DOMException('The database does not open.', 'TimeoutError'));
    });
    given(opening).then(resolve, reject).finally(inTime);
  });
  database.onversionchange = () => {
    // This one, whichever it is that the holder uses now.
    database.close();
    holder.blocking();
  };
  database.onclose = () => holder.terminated();
  return database;
}

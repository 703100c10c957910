// One database that is opened when it is used, and anew when the browser has closed it.

import { internal, TidegateError } from '../errors.js';
import { openDatabase } from './requests.js';

/** How often what the browser failed at is tried in all, and how long it is given to recover in between. */
const TRIES = 3;
const ANEW_MS = 100;

const FAILED =
  "The browser's storage failed: the disk may be full, or this page may keep nothing. Then open the gate with ledger: 'memory'.";
const HELD = 'Another tab of this site keeps the database from opening: close it, or reload it.';

export interface Connection {
  /** Rejects with what the browser says; within `again` only. */
  open(): Promise<IDBDatabase>;
  /**
   * Does it, and once or twice more if the browser failed: nothing of a try that rejects was committed. `failed` is done in
   * between; by default the connection is closed, which the browser may have done already (data was cleared, its storage
   * crashed), and may not be done with yet.
   * @throws `vault_corrupt` for a database that is not ours; `internal`, which says what helps.
   */
  again<T>(work: () => Promise<T>, failed?: (error: DOMException) => unknown): Promise<T>;
  anew(): Promise<unknown>;
  close(): void;
}

/** The database of this name with these tables, which `upgrade` makes. */
export function connection(
  name: string,
  version: number,
  tables: readonly string[],
  upgrade: (fresh: IDBDatabase) => void,
): Connection {
  // The one that is open, or opens: two uses at once share it.
  let current: Promise<IDBDatabase> | undefined;
  const begin = (): Promise<IDBDatabase> => {
    const gone = () => {
      if (current === own) current = undefined;
    };
    // A newer version of the package wants to migrate: make way; the next use opens again, or is refused.
    const own = openDatabase(name, version, { upgrade, blocking: gone, terminated: gone });
    own.catch(gone);
    return own;
  };
  const close = () => {
    current?.then(
      (mine) => mine.close(),
      () => undefined,
    );
    current = undefined;
  };
  const anew = () => {
    close();
    return new Promise((resolve) => setTimeout(resolve, ANEW_MS));
  };
  return {
    async open() {
      const mine = await (current ??= begin());
      // Somebody else has made one of this name.
      if (!tables.every((table) => mine.objectStoreNames.contains(table))) throw corrupt();
      return mine;
    },
    async again(work, failed = anew) {
      for (let tries = 1; ; tries++) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof DOMException)) throw error;
          if (error.name === 'VersionError') throw corrupt();
          if (error.name === 'TimeoutError') throw internal(HELD, error);
          if (tries >= TRIES) throw internal(FAILED, error);
          await failed(error);
        }
      }
    },
    anew,
    close,
  };
}

/** Data of a newer version, or of somebody else, is left as it is. */
function corrupt(): TidegateError {
  return new TidegateError({
    code: 'vault_corrupt',
    message: 'The stored data is of a newer version of tidegate, or of another program; it was left as it is.',
    status: 500,
    shouldRetry: false,
    attempts: [],
  });
}

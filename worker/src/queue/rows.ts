import {
  NEVER,
  OPEN_LANES,
  QUEUED,
  UNREADABLE,
  type Change,
  type Found,
  type OwnerOf,
  type Query,
  type Row,
  type Rows,
  type Tally,
} from '../../../pkg/src/queue/rows';
import { hasTables, migrate } from '../tables';

/** Step i leads from version i to the next; steps are added, never changed. */
const STEPS = [
  `CREATE TABLE items (
     arrival INTEGER PRIMARY KEY, lane INTEGER NOT NULL, rank INTEGER NOT NULL, due INTEGER NOT NULL,
     key TEXT, priority INTEGER NOT NULL, bytes BLOB NOT NULL, asked BLOB, result BLOB
   ) STRICT;
   CREATE INDEX open ON items (lane, rank, arrival) WHERE lane < 3;
   CREATE INDEX due ON items (due);
   CREATE UNIQUE INDEX key ON items (key) WHERE key IS NOT NULL;
   CREATE TABLE place (id INTEGER PRIMARY KEY CHECK (id = 1), organisation TEXT NOT NULL, shard INTEGER NOT NULL) STRICT`,
];

const COLUMNS = 'arrival, lane, rank, due, key, priority, bytes';

type Stored = Record<'arrival' | 'lane' | 'rank' | 'due' | 'priority', number> & {
  key: string | null;
  bytes: ArrayBuffer;
  asked?: ArrayBuffer | null;
  result?: ArrayBuffer | null;
};

/** The rows of a queue in an object's SQLite. A decision is one synchronous turn; the reply waits for the disk. */
export class SqlRows implements Rows {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  /** Counted once, then kept: to enqueue is one insert. */
  #room: { open: number; last: number } | undefined;
  /** The same of each owner, once it was asked. */
  #owners: { counts: Map<string, number>; ownerOf: OwnerOf } | undefined;
  #migrated = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Whose queue it is; nothing until the first request came. Writes nothing. */
  place(): { organisation: string; shard: number } | undefined {
    if (!this.#ready()) return undefined;
    return this.#sql
      .exec<{ organisation: string; shard: number }>('SELECT organisation, shard FROM place')
      .toArray()[0];
  }

  /** To be called before the first insert. */
  settle(organisation: string, shard: number): void {
    migrate(this.#storage, STEPS);
    this.#migrated = true;
    this.#sql.exec('INSERT OR IGNORE INTO place VALUES (1, ?, ?)', organisation, shard);
  }

  step<T>(query: Query, decide: (found: Found) => Change<T>): T {
    const room = this.#known();
    const rows = this.#find(query);
    const { insert, update = [], erase = [], value } = decide({ rows, ...room });
    const counts = (lane: number | undefined) => Number(lane !== undefined && lane < OPEN_LANES);
    const found = (arrival: number) => rows.find((row) => row.arrival === arrival);
    const counted = (arrival: number) => counts(found(arrival)?.lane);
    if (insert) {
      const { arrival, lane, rank, due, key, priority, bytes, asked } = insert;
      const values = [arrival, lane, rank, due, key ?? null, priority, bytes, asked ?? null];
      this.#sql.exec(`INSERT INTO items (${COLUMNS}, asked) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, ...values);
      room.last = Math.max(room.last, arrival);
      room.open += 1;
      this.#count(bytes, 1);
    }
    for (const { arrival, lane, rank, due, bytes, keepsAsk, result } of update) {
      const forget = keepsAsk ? '' : ', asked = NULL';
      const record = result ? ', result = ?' : '';
      this.#sql.exec(
        `UPDATE items SET lane = ?, rank = ?, due = ?, bytes = ?${forget}${record} WHERE arrival = ?`,
        ...[lane, rank, due, bytes, ...(result ? [result] : []), arrival],
      );
      room.open += counts(lane) - counted(arrival);
      this.#count(found(arrival)?.bytes ?? bytes, counts(lane) - counted(arrival));
    }
    for (const arrival of erase) {
      this.#sql.exec('DELETE FROM items WHERE arrival = ?', arrival);
      room.open -= counted(arrival);
      this.#count(found(arrival)?.bytes, -counted(arrival));
    }
    return value;
  }

  /** Erases every row that `match` says yes to; which they were. All of them are looked at, in one turn. */
  erase(match: (bytes: Uint8Array) => boolean): number[] {
    const room = this.#known();
    if (!this.#ready()) return [];
    const found = this.#sql
      .exec<Pick<Stored, 'arrival' | 'lane' | 'bytes'>>('SELECT arrival, lane, bytes FROM items')
      .toArray()
      .filter(({ bytes }) => match(new Uint8Array(bytes)));
    this.#storage.transactionSync(() => {
      for (const { arrival } of found) this.#sql.exec('DELETE FROM items WHERE arrival = ?', arrival);
    });
    room.open -= found.filter(({ lane }) => lane < OPEN_LANES).length;
    this.#owners = undefined;
    return found.map(({ arrival }) => arrival);
  }

  due(): number | undefined {
    if (!this.#ready()) return undefined;
    const { due } = this.#sql.exec<{ due: number | null }>('SELECT MIN(due) AS due FROM items').one();
    // No alarm can be set for that.
    return due === NEVER ? undefined : (due ?? undefined);
  }

  ahead({ rank, arrival }: Row): number {
    const before = `SELECT COUNT(*) AS count FROM items WHERE lane = ${QUEUED} AND (rank, arrival) < (?, ?)`;
    return this.#sql.exec<{ count: number }>(before, rank, arrival).one().count;
  }

  tally(): Tally[] {
    if (!this.#ready()) return [];
    const grouped =
      'SELECT lane, priority, COUNT(*) AS count, MIN(arrival) AS oldest FROM items GROUP BY lane, priority';
    return this.#sql.exec<Tally & Record<string, number>>(grouped).toArray();
  }

  /** They are read once, and then counted as they change: whoever enqueues does not wait for a look at all of them. */
  openOf(owner: string, ownerOf: OwnerOf): number {
    if (!this.#owners) {
      this.#owners = { counts: new Map(), ownerOf };
      const open = `SELECT bytes FROM items WHERE lane < ${OPEN_LANES}`;
      if (this.#ready()) {
        for (const { bytes } of this.#sql.exec<Pick<Stored, 'bytes'>>(open)) this.#count(new Uint8Array(bytes), 1);
      }
    }
    return this.#owners.counts.get(owner) ?? 0;
  }

  #count(bytes: Uint8Array | undefined, by: number): void {
    if (!this.#owners || !bytes || by === 0) return;
    const { counts, ownerOf } = this.#owners;
    let owner: string | undefined;
    try {
      owner = ownerOf(bytes);
    } catch {
      // What cannot be read is nobody's.
    }
    if (owner === undefined) return;
    const count = (counts.get(owner) ?? 0) + by;
    if (count > 0) counts.set(owner, count);
    else counts.delete(owner);
  }

  #find({ arrival, key, lane, after, due, count = 1, whole }: Query): Row[] {
    const find = (where: string, ...values: (string | number)[]) =>
      this.#sql
        .exec<Stored>(`SELECT ${COLUMNS}${whole ? ', asked, result' : ''} FROM items WHERE ${where}`, ...values)
        .toArray()
        .map(rowOf);
    if (!this.#ready()) return [];
    if (arrival !== undefined) return find('arrival = ?', arrival);
    if (key !== undefined) return find('key = ?', key);
    if (lane !== undefined) {
      // The partial index serves only a query that says the same; what cannot be read is found by the other one.
      const open = lane < OPEN_LANES ? `lane < ${OPEN_LANES} AND ` : lane === UNREADABLE ? `due = ${NEVER} AND ` : '';
      const behind = after ? ' AND (rank, arrival) > (?, ?)' : '';
      const from = after ? [after.rank, after.arrival] : [];
      return find(`${open}lane = ?${behind} ORDER BY rank, arrival LIMIT ?`, lane, ...from, count);
    }
    return due === undefined ? [] : find('due <= ? ORDER BY due LIMIT ?', due, count);
  }

  #known() {
    if (this.#room) return this.#room;
    if (!this.#ready()) return { open: 0, last: 0 };
    const { last } = this.#sql.exec<{ last: number | null }>('SELECT MAX(arrival) AS last FROM items').one();
    const open = `SELECT COUNT(*) AS count FROM items WHERE lane < ${OPEN_LANES}`;
    this.#room = { open: this.#sql.exec<{ count: number }>(open).one().count, last: last ?? 0 };
    return this.#room;
  }

  #ready(): boolean {
    if (!this.#migrated && hasTables(this.#storage)) {
      migrate(this.#storage, STEPS);
      this.#migrated = true;
    }
    return this.#migrated;
  }
}

function rowOf({ key, bytes, asked, result, ...rest }: Stored): Row {
  const some = (blob: ArrayBuffer | null | undefined) => (blob ? new Uint8Array(blob) : undefined);
  return { ...rest, key: key ?? undefined, bytes: new Uint8Array(bytes), asked: some(asked), result: some(result) };
}

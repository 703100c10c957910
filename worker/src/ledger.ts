import { DurableObject } from 'cloudflare:workers';

import { toError } from '../../pkg/src/errors';
import { bytesOf, textOf } from './as-text';
import { rawConfiguration, type Env } from './env';
import { noticed } from './notices';
import { EdgeDecider, load } from './wasm';

/** Each step brings the tables from the version of its index to the next. Steps are added, never changed. */
const MIGRATIONS = [
  'CREATE TABLE ledger (id INTEGER PRIMARY KEY CHECK (id = 1), snapshot BLOB NOT NULL) STRICT',
  // One row for the ledger, one for each user and token with limits: a decision writes those whose money it changes.
  `CREATE TABLE rows (key TEXT PRIMARY KEY, row BLOB NOT NULL, owed_until REAL NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX rows_by_owed_until ON rows (owed_until);
   INSERT INTO rows SELECT 'ledger', snapshot, 9e18 FROM ledger;
   DROP TABLE ledger`,
];

/** The longest that counted requests wait to be written, in milliseconds. What a crash forgets of them is no money. */
const FLUSH_MS = 500;
/** Rows whose times are kept in mind. */
const MOST_THERE = 1_000;

/** With so many requests in flight others are likely to ask in the same moment, and one write serves them all. */
const CROWD = 2;

/** The reply that is none: the caller cannot read it as a decision, and so admits nothing. */
const NO_DECISION = '';

/** Whether tables or rows are damaged or of a newer release, which only one that can read them gets over. */
const isUnreadable = (failure: unknown): boolean =>
  failure instanceof RangeError || toError(failure).code === 'vault_corrupt';

/** A command in bytes, and when it was asked, by the clock of whoever asks. */
interface Asked {
  command: Uint8Array;
  askedAt: number;
}

/** One organisation's money, slots, breakers and cooldowns, and the rates and budgets of its callers. */
export class TenantLedger extends DurableObject<Env> {
  #sql: SqlStorage;
  /** The rows at hand. Nobody else writes them, so that they are read once and then only written. */
  #ledger: EdgeDecider | undefined;
  #flushes = false;
  /** Commands that are decided together, and where their replies go. */
  #waiting: (Asked & { reply: (reply: string) => void })[] = [];

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
  }

  /**
   * Takes one decision. Nothing is awaited between read and write, and the reply leaves only once what it
   * promises is on disk (the runtime's output gate). In a crowd several share a transaction. What goes wrong is told by an empty reply, never thrown:
   * an exception that crosses objects loses its type and may carry more than it should. `askedAt` is what the clock of
   * whoever asks showed (milliseconds since 1970), where this object's may show something else. Commands and replies are
   * bytes as text ({@link textOf}).
   */
  decide(asked: string, askedAt = NaN): string | Promise<string> {
    const command = bytesOf(asked);
    const counted = this.#counted(command);
    if (counted) return textOf(counted);
    if (this.#waiting.length === 0 && (this.#ledger?.inFlight ?? 0) < CROWD)
      return this.#decided([{ command, askedAt }])[0] ?? NO_DECISION;
    const { promise, resolve } = Promise.withResolvers<string>();
    // Until the runtime has handed over what came in meanwhile.
    if (this.#waiting.push({ command, askedAt, reply: resolve }) === 1) setTimeout(() => this.#decideWaiting(), 0);
    return promise;
  }

  /** The reply to a command that only counts, for which nothing is written now. */
  #counted(command: Uint8Array): Uint8Array | undefined {
    try {
      const ledger = (this.#ledger ??= this.#open());
      const reply = ledger.count(command, Date.now());
      if (reply) this.#flushSoon();
      return reply;
    } catch {
      // What is wrong is found again, and told, where it is decided.
      this.#ledger = undefined;
      return undefined;
    }
  }

  #decideWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const replies = this.#decided(waiting);
    for (const [index, { reply }] of waiting.entries()) reply(replies[index] ?? NO_DECISION);
  }

  #decided(asked: readonly Asked[]): string[] {
    const commands = asked.map(({ command }) => command);
    const times = Float64Array.from(asked, ({ askedAt }) => askedAt);
    try {
      const ledger = (this.#ledger ??= this.#open());
      const replies = this.ctx.storage.transactionSync(() => ledger.decideAll(commands, times, Date.now()));
      if (ledger.unwritten) this.#flushSoon();
      return replies.map(textOf);
    } catch (failure) {
      // It may be ahead of its rows, which the transaction has left as they were. The next decision reads them anew.
      this.#ledger = undefined;
      console.error('ledger: no decision:', failure instanceof Error ? failure.name : 'configuration');
      return isUnreadable(failure) ? asked.map(() => textOf(EdgeDecider.unreadable())) : [];
    }
  }

  /** Erases the books and rates of a user and their tokens; false if that could not be written. */
  eraseUser(user: string, tokens: string[]): boolean {
    try {
      const ledger = (this.#ledger ??= this.#open());
      this.ctx.storage.transactionSync(() => ledger.erase(user, tokens, Date.now()));
      return true;
    } catch (failure) {
      this.#ledger = undefined;
      console.error('ledger: not erased:', failure instanceof Error ? failure.name : 'storage');
      return false;
    }
  }

  #flushSoon(): void {
    if (this.#flushes) return;
    this.#flushes = true;
    setTimeout(() => {
      this.#flushes = false;
      try {
        this.ctx.storage.transactionSync(() => this.#ledger?.flush(Date.now()));
      } catch (failure) {
        this.#ledger = undefined;
        console.error('ledger: not written:', failure instanceof Error ? failure.name : 'storage');
      }
    }, FLUSH_MS);
  }

  #open(): EdgeDecider {
    load();
    this.#migrate();
    // Not `this`: the Wasm holds what these functions hold for as long as it has the decider, which this object has.
    const { ctx, env } = this;
    const { sql } = ctx.storage;
    const read = (key: string) => {
      const row = sql.exec<{ row: ArrayBuffer }>('SELECT row FROM rows WHERE key = ?', key).toArray()[0];
      return row && new Uint8Array(row.row);
    };
    /** Rows that are there, and until when something is owed to them: with the same time, only the row is written. */
    const there = new Map<string, number>();
    const write = (key: string, row?: Uint8Array, owedUntil = 0) => {
      if (!row) {
        there.delete(key);
        return void sql.exec('DELETE FROM rows WHERE key = ?', key);
      }
      if (there.get(key) === owedUntil) return void sql.exec('UPDATE rows SET row = ? WHERE key = ?', row, key);
      sql.exec('INSERT OR REPLACE INTO rows (key, row, owed_until) VALUES (?, ?, ?)', key, row, owedUntil);
      if (there.size >= MOST_THERE) there.clear();
      there.set(key, owedUntil);
    };
    const forget = (keep: number, now: number) => {
      there.clear();
      const { count } = sql.exec<{ count: number }>('SELECT count(*) AS count FROM rows').one();
      const going = 'SELECT key FROM rows WHERE owed_until < ? ORDER BY owed_until LIMIT ?';
      const surplus = Math.max(0, count - keep);
      const gone = sql.exec<{ owed: number }>(
        `DELETE FROM rows WHERE key IN (${going}) RETURNING owed_until AS owed`,
        now,
        surplus,
      );
      const owed = gone.toArray().map((row) => row.owed);
      return owed.length > 0 ? Math.max(...owed) : undefined;
    };
    const tell = (name: string, json: string) =>
      ctx.waitUntil(noticed(ctx.id.name, name, json, env).catch(() => undefined));
    return new EdgeDecider(rawConfiguration(env), read, write, forget, tell);
  }

  /** Newer tables than this code knows are left as they are. */
  #migrate(): void {
    if (this.#migrated) return;
    this.ctx.storage.transactionSync(() => {
      this.#sql.exec('CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL) STRICT');
      const version = this.#sql.exec<{ version: number }>('SELECT version FROM schema').toArray()[0]?.version ?? 0;
      if (version > MIGRATIONS.length) throw new RangeError('the tables are newer than this Worker');
      for (const step of MIGRATIONS.slice(version)) this.#sql.exec(step);
      this.#sql.exec('DELETE FROM schema');
      this.#sql.exec('INSERT INTO schema (version) VALUES (?)', MIGRATIONS.length);
    });
    this.#migrated = true;
  }
  #migrated = false;
}

import { DurableObject } from 'cloudflare:workers';

import { rawConfiguration, type Env } from './env';
import { LedgerDecider, load } from './wasm';

/** Each step brings the tables from the version of its index to the next. Steps are added, never changed. */
const MIGRATIONS = ['CREATE TABLE ledger (id INTEGER PRIMARY KEY CHECK (id = 1), snapshot BLOB NOT NULL) STRICT'];

/** The reply that is none: the caller cannot read it as a decision, and so admits nothing. */
const NO_DECISION = new Uint8Array(0);

/** One per isolate. All its objects have the same configuration, and it keeps nothing of any of them. */
let decider: LedgerDecider | undefined;

/** One organisation's money, slots, breakers and cooldowns. */
export class TenantLedger extends DurableObject<Env> {
  #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
  }

  /**
   * Takes one decision. Nothing is awaited between read and write, and the reply leaves only once what it
   * promises is on disk (the runtime's output gate). What goes wrong is told by an empty reply, never thrown:
   * an exception that crosses objects loses its type and may carry more than it should.
   */
  decide(command: Uint8Array): Uint8Array {
    try {
      if (!decider) {
        load();
        decider = new LedgerDecider(rawConfiguration(this.env));
      }
      this.#migrate();
      const row = this.#sql.exec<{ snapshot: ArrayBuffer }>('SELECT snapshot FROM ledger').toArray()[0];
      const before = row && new Uint8Array(row.snapshot);
      const [after, reply] = decider.decide(before, command, Date.now()) as [Uint8Array | undefined, Uint8Array];
      if (after) this.#sql.exec('INSERT OR REPLACE INTO ledger (id, snapshot) VALUES (1, ?)', after);
      return reply;
    } catch (failure) {
      console.error('ledger: no decision:', failure instanceof Error ? failure.name : 'configuration');
      return NO_DECISION;
    }
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

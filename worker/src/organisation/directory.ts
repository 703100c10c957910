import { DurableObject } from 'cloudflare:workers';

import type { Env } from '../env';
import { hasTables, migrate } from '../tables';
import { addBlock, listBlocks, removeBlock, type Block } from './blocks';

const STEPS = [
  `CREATE TABLE organisation (name TEXT PRIMARY KEY, created INTEGER NOT NULL) STRICT;
   CREATE TABLE block (
     kind TEXT NOT NULL, value TEXT NOT NULL, note TEXT, created INTEGER NOT NULL, expires INTEGER NOT NULL,
     PRIMARY KEY (kind, value)
   ) STRICT;`,
];

/** How many organisations one Worker serves. */
const MAX_ORGANISATIONS = 100_000;

/** The one object that knows which organisations were set up, and whom none of them lets in, which the operator says. */
export class Directory extends DurableObject<Env> {
  #sql = this.ctx.storage.sql;

  /** Before the organisation is set up, so that none is that nobody knows of. False if there are too many. */
  add(name: string): boolean {
    migrate(this.ctx.storage, STEPS);
    if (this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM organisation').one().n >= MAX_ORGANISATIONS) {
      return this.#sql.exec('SELECT 1 FROM organisation WHERE name = ?', name).toArray().length > 0;
    }
    this.#sql.exec('INSERT OR IGNORE INTO organisation VALUES (?, ?)', name, Date.now());
    return true;
  }

  /** A page of the names in order, after one of them. */
  list(limit: number, after: string): string[] {
    if (!hasTables(this.ctx.storage)) return [];
    const rows = this.#sql.exec<{ name: string }>(
      'SELECT name FROM organisation WHERE name > ? ORDER BY name LIMIT ?',
      after,
      limit,
    );
    return rows.toArray().map(({ name }) => name);
  }

  blocks(): Block[] {
    return hasTables(this.ctx.storage) ? listBlocks(this.#sql, Date.now()) : [];
  }

  /** False if there are too many. */
  addBlock(block: Block): boolean {
    migrate(this.ctx.storage, STEPS);
    return addBlock(this.#sql, block, Date.now());
  }

  removeBlock(kind: string, value: string): boolean {
    return hasTables(this.ctx.storage) && removeBlock(this.#sql, kind, value);
  }
}

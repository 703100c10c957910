import { DurableObject } from 'cloudflare:workers';

import type { Env } from '../env';
import { hasTables, migrate } from '../tables';
import type { Counters, Share } from './samples';

const STEPS = [
  `CREATE TABLE counters (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT;
   CREATE TABLE usage (
     day INTEGER NOT NULL, user TEXT NOT NULL, requests INTEGER NOT NULL, input INTEGER NOT NULL,
     output INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (user, day)
   ) STRICT, WITHOUT ROWID;`,
  // What is forgotten, and pages of all, are found without a look at every row: each is billed.
  'CREATE INDEX usage_by_day ON usage (day DESC, user)',
];

/** More names than there are figures: who finds a way to make names up gets no further. */
const MAX_COUNTERS = 2_000;
/** Days that usage is kept by user. */
const REMEMBERED_DAYS = 92;
const DAY_MS = 86_400_000;

/** What one user used on one day (UTC). `user` is empty for callers that name none. */
export interface DailyUsage extends Share {
  /** As `2026-01-31`. */
  day: string;
}

interface Row extends Record<string, SqlStorageValue> {
  day: number;
  user: string;
  requests: number;
  input: number;
  output: number;
  cost: number;
}

/** An organisation's figures, or those of all together. They are counted from what isolates tell every few seconds. */
export class Figures extends DurableObject<Env> {
  #sql = this.ctx.storage.sql;

  #lastDay = 0;

  /** All counters lie in one row: what is billed is rows written, and each of them would be one. */
  add(counters: Counters, shares: readonly Share[]): void {
    migrate(this.ctx.storage, STEPS);
    const all = new Map(Object.entries(this.counters()));
    for (const [name, value] of Object.entries(counters)) {
      if (all.has(name) || all.size < MAX_COUNTERS) all.set(name, (all.get(name) ?? 0) + value);
    }
    this.#sql.exec('INSERT OR REPLACE INTO counters VALUES (1, ?)', JSON.stringify(Object.fromEntries(all)));
    const day = Math.floor(Date.now() / DAY_MS);
    if (day !== this.#lastDay) this.#sql.exec('DELETE FROM usage WHERE day < ?', day - REMEMBERED_DAYS);
    this.#lastDay = day;
    for (const { user, requests, inputTokens, outputTokens, costNanoUsd } of shares) {
      this.#sql.exec(
        `INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (user, day) DO UPDATE SET
           requests = requests + excluded.requests, input = input + excluded.input,
           output = output + excluded.output, cost = cost + excluded.cost`,
        ...[day, user, requests, inputTokens, outputTokens, costNanoUsd],
      );
    }
  }

  counters(): Counters {
    if (!hasTables(this.ctx.storage)) return {};
    const [row] = this.#sql.exec<{ json: string }>('SELECT json FROM counters').toArray();
    return row ? (JSON.parse(row.json) as Counters) : {};
  }

  /** By day, the newest first: of one user, or of all. At most `limit` rows, after `after` of them. */
  usage(user: string | undefined, limit: number, after: number): DailyUsage[] {
    if (!hasTables(this.ctx.storage)) return [];
    const rows =
      user === undefined
        ? this.#sql.exec<Row>('SELECT * FROM usage ORDER BY day DESC, user LIMIT ? OFFSET ?', limit, after)
        : this.#sql.exec<Row>(
            'SELECT * FROM usage WHERE user = ? ORDER BY day DESC LIMIT ? OFFSET ?',
            ...[user, limit, after],
          );
    return rows.toArray().map(({ day, input, output, cost, ...row }) => ({
      day: new Date(day * DAY_MS).toISOString().slice(0, 10),
      ...{ user: row.user, requests: row.requests },
      ...{ inputTokens: input, outputTokens: output, costNanoUsd: cost },
    }));
  }

  /** Forgets whose they were: the figures of one user become nobody's. How many days that were. */
  eraseUser(user: string): number {
    if (!hasTables(this.ctx.storage) || user === '') return 0;
    return this.ctx.storage.transactionSync(() => {
      this.#sql.exec(
        `INSERT INTO usage SELECT day, '', requests, input, output, cost FROM usage WHERE user = ?
         ON CONFLICT (user, day) DO UPDATE SET requests = requests + excluded.requests,
           input = input + excluded.input, output = output + excluded.output, cost = cost + excluded.cost`,
        user,
      );
      return this.#sql.exec('DELETE FROM usage WHERE user = ? RETURNING day', user).toArray().length;
    });
  }
}

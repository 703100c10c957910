import { DurableObject } from 'cloudflare:workers';

import type { Env } from '../env';
import { hasTables, migrate } from '../tables';
import { addBlock, listBlocks, removeBlock, type Block } from './blocks';
import { listKeys, putKey, removeKey, replaceKeys, type Replacement, type SealedKey } from './keys';
import { countSession, type DailyLimits } from './sessions';
import { Flights, type Boarded } from './flights';
import { STEPS } from './tables';
import { addToken, endTokens, eraseTokens, listTokens, revokeToken, usableToken, type TokenRecord } from './tokens';

/** What an isolate needs to know of an organisation to let its callers in. */
export interface Standing {
  organisation: string;
  /** The tiers that its admins may give to tokens. */
  tiers: string[];
  blocks: Block[];
  /** Its own keys of providers. */
  keys: SealedKey[];
  /** The token that was asked for, if it may be used. */
  token?: TokenRecord;
}

/**
 * One organisation's tokens, blocks, provider keys and sessions of the day. Its name is derived from the organisation's, and is in its tokens, so that a
 * token is looked up in one hop; a made-up token leads to an object that is empty and stays so.
 */
export class Organisation extends DurableObject<Env> {
  #sql = this.ctx.storage.sql;
  #known: { name: string; tiers: string } | undefined;

  /** What there is to know, or nothing if nobody ever set the organisation up. Never writes. */
  standing(hash?: string): Standing | undefined {
    const known = this.#find();
    if (!known) return undefined;
    const now = Date.now();
    const token = hash === undefined ? undefined : usableToken(this.#sql, hash, now);
    return {
      organisation: known.name,
      tiers: known.tiers.split(' '),
      blocks: listBlocks(this.#sql, now),
      keys: listKeys(this.#sql),
      ...(token && { token }),
    };
  }

  /** Sets the organisation up, or its tiers anew: not if it is to be `onlyNew` and was set up before. */
  put(name: string, tiers: readonly string[], onlyNew = false): void {
    if (onlyNew && this.#find()) return;
    migrate(this.ctx.storage, STEPS);
    this.#sql.exec(
      `INSERT INTO organisation VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET tiers = excluded.tiers`,
      name,
      tiers.join(' '),
      Date.now(),
    );
    this.#known = undefined;
  }

  /** False if there are too many. */
  addToken(hash: string, token: TokenRecord): boolean {
    return this.#find() !== undefined && addToken(this.#sql, hash, token, Date.now());
  }

  listTokens(limit: number, after: number): TokenRecord[] {
    return this.#find() ? listTokens(this.#sql, limit, after) : [];
  }

  /** The hash of the token that ended, so that who asked can forget it at once. */
  revokeToken(id: string): string | undefined {
    return this.#find() && revokeToken(this.#sql, id, Date.now());
  }

  /**
   * Erases what is kept of a user, blocks aside, and ends their tokens: all that they ever had. Which they are stays known
   * until {@link eraseTokens}, since other objects have books of them.
   */
  eraseUser(user: string): { id: string; hash: string }[] {
    // Sessions are counted also where nobody set the organisation up.
    if (!hasTables(this.ctx.storage)) return [];
    migrate(this.ctx.storage, STEPS);
    this.#sql.exec('DELETE FROM session WHERE subject = ?', user);
    return endTokens(this.#sql, user, Date.now());
  }

  /** Erases tokens by their ids. */
  eraseTokens(ids: readonly string[]): void {
    if (this.#find()) eraseTokens(this.#sql, ids);
  }

  /** False if there are too many. */
  addBlock(block: Block): boolean {
    return this.#find() !== undefined && addBlock(this.#sql, block, Date.now());
  }

  removeBlock(kind: string, value: string): boolean {
    return this.#find() !== undefined && removeBlock(this.#sql, kind, value);
  }

  /**
   * Counts a session of one of the organisation's subjects, whether or not somebody set the organisation up; milliseconds to
   * wait if there is none to be had.
   */
  countSession(subject: string, limits: DailyLimits): number | undefined {
    migrate(this.ctx.storage, STEPS);
    return countSession(this.#sql, subject, limits, Date.now());
  }

  /** False if there are too many. */
  putKey(provider: string, sealed: Uint8Array): boolean {
    return this.#find() !== undefined && putKey(this.#sql, provider, sealed, Date.now());
  }

  removeKey(provider: string): boolean {
    return this.#find() !== undefined && removeKey(this.#sql, provider);
  }

  /** Puts keys in the place of those that they are the same as, under another master key. */
  replaceKeys(keys: readonly Replacement[]): void {
    if (this.#find()) replaceKeys(this.#sql, keys);
  }

  /** Asks to ask a provider for all isolates that ask the same. Keeps and costs nothing. */
  board(name: string): Promise<Boarded> {
    return this.#flights.board(name);
  }

  /** Tells those who wait. */
  land(name: string, entry?: Uint8Array): void {
    this.#flights.land(name, entry);
  }

  #flights = new Flights();

  #find() {
    if (!this.#known && hasTables(this.ctx.storage)) {
      migrate(this.ctx.storage, STEPS);
      const rows = this.#sql.exec<{ name: string; tiers: string }>('SELECT name, tiers FROM organisation');
      [this.#known] = rows.toArray();
    }
    return this.#known;
  }
}

import type { Scope } from '../auth/caller';

/** What is known of an API token, apart from itself. Times are milliseconds since 1970. */
export interface TokenRecord {
  id: string;
  user?: string;
  tier: string;
  scopes: Scope[];
  note?: string;
  created: number;
  expires?: number;
  revoked?: number;
}

/** Of each organisation. Those that ended a month ago are forgotten to make room. */
export const MAX_TOKENS = 5_000;
const REMEMBERED_MS = 30 * 86_400_000;

interface Row extends Record<string, SqlStorageValue> {
  id: string;
  user: string | null;
  tier: string;
  scopes: string;
  note: string | null;
  created: number;
  expires: number | null;
  revoked: number | null;
}

const COLUMNS = 'id, user, tier, scopes, note, created, expires, revoked';

const record = ({ scopes, user, note, expires, revoked, ...row }: Row): TokenRecord => ({
  ...row,
  scopes: scopes.split(' ') as Scope[],
  ...(user !== null && { user }),
  ...(note !== null && { note }),
  ...(expires !== null && { expires }),
  ...(revoked !== null && { revoked }),
});

/** Keeps a new token; false if there are too many. */
export function addToken(sql: SqlStorage, hash: string, token: TokenRecord, now: number): boolean {
  sql.exec('DELETE FROM token WHERE min(ifnull(expires, ?1), ifnull(revoked, ?1)) < ?2', Infinity, now - REMEMBERED_MS);
  if (sql.exec<{ n: number }>('SELECT count(*) AS n FROM token').one().n >= MAX_TOKENS) return false;
  const { id, user = null, tier, scopes, note = null, created, expires = null } = token;
  const values = [id, hash, user, tier, scopes.join(' '), note, created, expires];
  sql.exec(
    'INSERT INTO token (id, hash, user, tier, scopes, note, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ...values,
  );
  return true;
}

/** A token that may be used now. The look-up is by the hash of 256 random bits, whose timing helps nobody. */
export function usableToken(sql: SqlStorage, hash: string, now: number): TokenRecord | undefined {
  const row = sql.exec<Row>(
    `SELECT ${COLUMNS} FROM token WHERE hash = ? AND revoked IS NULL AND (expires IS NULL OR expires > ?)`,
    hash,
    now,
  );
  return row.toArray().map(record)[0];
}

/** A page of all tokens, newest first, from the one after `after`. */
export function listTokens(sql: SqlStorage, limit: number, after: number): TokenRecord[] {
  const rows = sql.exec<Row>(`SELECT ${COLUMNS} FROM token ORDER BY created DESC, id LIMIT ? OFFSET ?`, limit, after);
  return rows.toArray().map(record);
}

/** Ends a token for good; nothing if there is none, its hash otherwise. */
export function revokeToken(sql: SqlStorage, id: string, now: number): string | undefined {
  const row = sql.exec<{ hash: string }>(
    'UPDATE token SET revoked = ifnull(revoked, ?) WHERE id = ? RETURNING hash',
    now,
    id,
  );
  return row.toArray()[0]?.hash;
}

/** Ends a user's tokens; which they are, those that had ended before too. */
export function endTokens(sql: SqlStorage, user: string, now: number): { id: string; hash: string }[] {
  const ended = 'UPDATE token SET revoked = ifnull(revoked, ?) WHERE user = ? RETURNING id, hash';
  return sql.exec<{ id: string; hash: string }>(ended, now, user).toArray();
}

/** Erases tokens by their ids, of which there may be {@link MAX_TOKENS}: more than a statement has places for. */
export function eraseTokens(sql: SqlStorage, ids: readonly string[]): void {
  for (const id of ids) sql.exec('DELETE FROM token WHERE id = ?', id);
}

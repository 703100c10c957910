import { mastersOf } from '../queue/masters';
import type { Env } from '../env';
import { EntrustedKeys, load } from '../wasm';

/** A provider's key that the organisation gave: sealed, and when it was last changed (milliseconds since 1970). */
export interface SealedKey {
  provider: string;
  sealed: Uint8Array;
  changed: number;
}

interface Row extends Record<string, SqlStorageValue> {
  provider: string;
  sealed: ArrayBuffer;
  changed: number;
}

/** Of each organisation: one for each provider. */
export const MAX_KEYS = 64;

/** What seals and opens the organisation's keys. To be freed after use: until then it holds what it was derived from. */
export function entrusted(organisation: string, env: Env): EntrustedKeys {
  load();
  return new EntrustedKeys(mastersOf(env), organisation);
}

export function listKeys(sql: SqlStorage): SealedKey[] {
  const rows = sql.exec<Row>('SELECT provider, sealed, changed FROM provider_key ORDER BY provider').toArray();
  return rows.map(({ sealed, ...row }) => ({ ...row, sealed: new Uint8Array(sealed) }));
}

/** Keeps a key in place of the provider's last one; false if there are too many. */
export function putKey(sql: SqlStorage, provider: string, sealed: Uint8Array, now: number): boolean {
  const known = listKeys(sql);
  const last = known.find((key) => key.provider === provider);
  if (!last && known.length >= MAX_KEYS) return false;
  // Never the same time twice, since that is how a change is noticed.
  const changed = Math.max(now, (last?.changed ?? 0) + 1);
  sql.exec('INSERT OR REPLACE INTO provider_key VALUES (?, ?, ?)', provider, sealed, changed);
  return true;
}

export function removeKey(sql: SqlStorage, provider: string): boolean {
  return sql.exec('DELETE FROM provider_key WHERE provider = ? RETURNING provider', provider).toArray().length > 0;
}

/** A key that is the same under another master key. */
export interface Replacement {
  provider: string;
  /** As it was sealed: another that was put in its place meanwhile stays. */
  last: Uint8Array;
  sealed: Uint8Array;
}

/** Puts keys in the place of those that they are the same as, under another master key. */
export function replaceKeys(sql: SqlStorage, keys: readonly Replacement[]): void {
  for (const { provider, last, sealed } of keys) {
    sql.exec('UPDATE provider_key SET sealed = ? WHERE provider = ? AND sealed = ?', sealed, provider, last);
  }
}

// What a vault's records are called in storage.

import { invalid } from '../errors.js';
import type { Rows } from '../storage/storage.js';
import { isBytes } from './bytes.js';

type Records = Map<string, Rows['vault']>;

/** The header. */
export const HEADER = 'vault/2';
/** Before a provider's id. */
export const KEY = 'key/';
/** How often an unlock failed. */
export const ATTEMPTS = 'vault/attempts';
/** When keys were last used. */
export const USED = 'vault/used';
/** The header of format 1, whose keys had bare names. */
export const FIRST = 'vault/header';

/** A record that must be there. */
export function bytesAt(records: Records, name: string): Uint8Array {
  const record = records.get(name);
  if (!isBytes(record)) throw invalid('vault', 'does not exist: create it first');
  return record;
}

/** The providers' records of the present format. */
export const keysOf = (records: Records): [string, Uint8Array][] =>
  [...records].flatMap(([name, row]): [string, Uint8Array][] =>
    name.startsWith(KEY) && isBytes(row) ? [[name.slice(KEY.length), row]] : [],
  );

/** The providers' records of format 1. */
export const oldKeysOf = (records: Records): [string, Uint8Array][] =>
  [...records].flatMap(([name, row]): [string, Uint8Array][] =>
    !name.includes('/') && isBytes(row) ? [[name, row]] : [],
  );

/** When each key was last used. Nobody vouches for it: it is shown, and nothing is decided by it. */
export function usesOf(records: Records): Map<string, number> {
  const row = records.get(USED);
  const uses = new Map<string, number>();
  if (!isBytes(row)) return uses;
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(row));
    for (const pair of Array.isArray(read) ? (read as unknown[]) : []) {
      const [provider, at] = Array.isArray(pair) ? (pair as unknown[]) : [];
      if (typeof provider === 'string' && typeof at === 'number') uses.set(provider, at);
    }
  } catch {
    // Damaged: as if never used.
  }
  return uses;
}

export const encodeUses = (uses: Map<string, number>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([...uses]));

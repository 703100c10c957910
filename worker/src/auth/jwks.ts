import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

import { unreachable } from '../errors';
import { isObject } from '../fields';

/** How long an issuer's keys are used before they are fetched again, in milliseconds. */
const FRESH_MS = 600_000;
/** How long they are used when they cannot be fetched again. A key that was withdrawn may live as long. */
const STALE_MS = 3_600_000;
/** Shortest time between two fetches from one issuer: made-up key ids must not make us call it each time. */
const PAUSE_MS = 30_000;
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 64;

interface Kept {
  keys?: JWTVerifyGetKey;
  fetched: number;
  tried: number;
}

/** By address; there are as many as issuers in the configuration. Values, never promises of another request. */
const kept = new Map<string, Kept>();

/**
 * The issuer's keys, for `jwtVerify`.
 * @throws `internal` (503) if there are none to be had: nobody can tell whether the token is good.
 */
export function keysOf(address: string): JWTVerifyGetKey {
  return async (header, token) => {
    const known = await fresh(address, FRESH_MS);
    try {
      return await known(header, token);
    } catch (failure) {
      // A new key is first seen by its use.
      if (!(failure instanceof errors.JWKSNoMatchingKey)) throw failure;
      return (await fresh(address, PAUSE_MS))(header, token);
    }
  };
}

async function fresh(address: string, ms: number): Promise<JWTVerifyGetKey> {
  const now = Date.now();
  const known = kept.get(address) ?? { fetched: 0, tried: 0 };
  // A clock that was set back makes keys neither young nor old.
  const age = (since: number) => Math.abs(now - since);
  if (known.keys && (age(known.fetched) < ms || age(known.tried) < PAUSE_MS)) return known.keys;
  kept.set(address, { ...known, tried: now });
  try {
    const keys = createLocalJWKSet(await fetched(address));
    kept.set(address, { keys, fetched: now, tried: now });
    return keys;
  } catch (failure) {
    console.error('jwks: not to be had:', failure instanceof Error ? failure.name : '');
    if (known.keys && age(known.fetched) < STALE_MS) return known.keys;
    throw unreachable();
  }
}

async function fetched(address: string): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(address, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200 || !response.body) throw new TypeError('no keys');
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body) {
    length += piece.byteLength;
    if (length > MAX_BYTES) throw new RangeError('too many keys');
    pieces.push(piece);
  }
  const set: unknown = JSON.parse(await new Blob(pieces).text());
  const keys = isObject(set) && Array.isArray(set.keys) ? (set.keys as unknown[]) : [];
  // A shared secret in there is none.
  const sound = keys.filter((key) => isObject(key) && ['RSA', 'EC', 'OKP'].includes(String(key.kty)));
  if (sound.length === 0 || keys.length > MAX_KEYS) throw new TypeError('no keys');
  return { keys: sound } as JSONWebKeySet;
}

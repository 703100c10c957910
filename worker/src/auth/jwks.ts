import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

import { unreachable } from '../errors';
import { isObject } from '../fields';
import { json } from '../outside';

/** How long an issuer's keys are used before they are fetched again, in milliseconds. */
const FRESH_MS = 600_000;
/** How long they are used when they cannot be fetched again. A key that was withdrawn may live as long. */
const STALE_MS = 3_600_000;
/** Shortest time between two fetches from one issuer: made-up key ids must not make us call it each time. */
const PAUSE_MS = 30_000;
/** Without keys, how long an issuer that has failed is left alone: who sends anything that looks like its JWT waits less. */
const REST_MS = 5_000;
const MAX_KEYS = 64;
const ISSUER = 'The issuer of the token';

interface Kept {
  keys?: JWTVerifyGetKey;
  fetched: number;
  tried: number;
  failed: number;
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
  const known = kept.get(address) ?? { fetched: 0, tried: 0, failed: 0 };
  // A clock that was set back makes keys neither young nor old.
  const age = (since: number) => Math.abs(now - since);
  const keys = age(known.fetched) < STALE_MS ? known.keys : undefined;
  if (keys && (age(known.fetched) < ms || age(known.tried) < PAUSE_MS)) return keys;
  if (!keys && age(known.failed) < REST_MS) throw unreachable(ISSUER);
  kept.set(address, { ...known, tried: now });
  try {
    const anew = createLocalJWKSet(await fetched(address));
    kept.set(address, { keys: anew, fetched: now, tried: now, failed: 0 });
    return anew;
  } catch (failure) {
    console.error('jwks: not to be had:', failure instanceof Error ? failure.name : '');
    // Another request may have had more luck meanwhile.
    kept.set(address, { ...(kept.get(address) ?? known), failed: now });
    if (keys) return keys;
    throw unreachable(ISSUER);
  }
}

async function fetched(address: string): Promise<JSONWebKeySet> {
  const set = await json(address, { headers: { accept: 'application/json' } });
  const keys = isObject(set) && Array.isArray(set.keys) ? (set.keys as unknown[]) : [];
  // A shared secret in there is none.
  const sound = keys.filter((key) => isObject(key) && ['RSA', 'EC', 'OKP'].includes(String(key.kty)));
  if (sound.length === 0 || keys.length > MAX_KEYS) throw new TypeError('no keys');
  return { keys: sound } as JSONWebKeySet;
}

import { homeIn, homeOf, hashOf } from '../auth/token';
import type { Env } from '../env';
import { internal, isGone, unreachable } from '../errors';
import { Recent } from '../recent';
import { networkOf, type Block } from './blocks';
import type { Standing } from './object';
import type { TokenRecord } from './tokens';

/**
 * How long an isolate lets callers in by what it was told, in milliseconds: so long may a token that was revoked
 * elsewhere still be used, and a block not yet hold.
 */
export const STALE_MS = 30_000;
/** How long an object has to come back before it is asked once more, in milliseconds. */
const AGAIN_MS = 100;

/** `null`: there is no such organisation. */
const standings = new Recent<Omit<Standing, 'token'> | null>(1_000, STALE_MS);
const tokens = new Recent<TokenRecord>(10_000, STALE_MS);
/** Hashes of texts that are no tokens. Whoever makes them up makes nothing of what is good go. */
const madeUp = new Recent<true>(10_000, STALE_MS);
const everywhere = new Recent<Block[]>(1, STALE_MS);

/** The object where a token leads, whether or not there is an organisation. */
export const organisationObject = (env: Env, home: string) => env.ORGANISATION.get(env.ORGANISATION.idFromName(home));
/** An organisation's object. */
export const organisationOf = async (organisation: string, env: Env) =>
  organisationObject(env, await homeOf(organisation));
export const directoryObject = (env: Env) => env.DIRECTORY.get(env.DIRECTORY.idFromName('directory'));

/** Forgets what this isolate was told: after a change that was made through it. */
export async function forget(organisation: string, hash?: string): Promise<void> {
  standings.forget(await homeOf(organisation));
  if (hash !== undefined) tokens.forget(hash);
  everywhere.clear();
}

/** What an organisation's object says of it; nothing if it was never set up. */
export async function standingOf(organisation: string, env: Env): Promise<Omit<Standing, 'token'> | undefined> {
  const home = await homeOf(organisation);
  const known = standings.find(home);
  if (known !== undefined) return known ?? undefined;
  const { token: _token, ...standing } = (await asked(() => organisationObject(env, home).standing())) ?? {};
  return standings.keep(home, isStanding(standing) ? standing : null) ?? undefined;
}

/** The organisation and the record of an API token of ours that may be used now. */
export async function tokenOf(
  token: string,
  env: Env,
): Promise<{ standing: Omit<Standing, 'token'>; record: TokenRecord } | undefined> {
  const home = homeIn(token);
  if (home === undefined) return undefined;
  const hash = await hashOf(token);
  let standing = standings.find(home);
  let record = tokens.find(hash);
  if (!standing || !record) {
    if (madeUp.find(hash)) return undefined;
    const { token: found, ...rest } = (await asked(() => organisationObject(env, home).standing(hash))) ?? {};
    if (isStanding(rest)) standing = standings.keep(home, rest);
    record = found && tokens.keep(hash, found);
    if (!record) {
      tokens.forget(hash);
      madeUp.keep(hash, true);
    }
  }
  if (!standing || !record || (record.expires !== undefined && record.expires <= Date.now())) return undefined;
  return { standing, record };
}

/** The block that keeps somebody out, if there is one. `address` is the one that the platform tells. */
export async function blockOf(
  who: { organisation: string; user?: string; token?: string },
  address: string | null,
  env: Env,
): Promise<Block | undefined> {
  let blocks = everywhere.find('');
  if (!blocks) blocks = everywhere.keep('', await asked(() => directoryObject(env).blocks()));
  const own = (await standingOf(who.organisation, env))?.blocks ?? [];
  const network = address === null ? undefined : networkOf(address);
  const values = { ip: network, user: who.user, token: who.token, organisation: who.organisation };
  const now = Date.now();
  return [...blocks, ...own].find(({ kind, value, expires }) => value === values[kind] && expires > now);
}

const isStanding = (standing: Partial<Standing>): standing is Standing => standing.organisation !== undefined;

/**
 * Who cannot be looked up is not let in. An object that goes away, as each does in a deploy, is asked once more: a look
 * changes nothing.
 */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask().catch(async (failure: unknown) => {
      if (!isGone(failure)) throw failure;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      return ask();
    });
  } catch (failure) {
    console.error('organisation: no answer:', failure instanceof Error ? failure.name : '');
    throw isGone(failure) ? unreachable('The organisation') : internal();
  }
}

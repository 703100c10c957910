import { errors, jwtVerify, SignJWT } from 'jose';

import type { Caller } from '../auth/caller';
import { CLOCK_TOLERANCE_SECONDS } from '../auth/config';
import type { Env } from '../env';
import { badConfiguration } from '../errors';

/** Not mistaken for an identity provider's JWT, nor for an API token. */
const PREFIX = 'tg_session_';
const TYPE = 'tidegate-session';
const MIN_KEY = 32;

/** The id that all sessions have in budgets and blocks: of an organisation they are one token. */
export const SESSION = 'session';

/** Why sessions can be neither signed nor checked, if so. */
export function sessionKeyProblem({ TIDEGATE_SESSION_KEY: key = '' }: Env): string | undefined {
  if (key === '') return 'is not set';
  return key.length < MIN_KEY ? `must have ${MIN_KEY} characters or more` : undefined;
}

function keyOf(env: Env): Uint8Array {
  const problem = sessionKeyProblem(env);
  if (problem) throw badConfiguration('TIDEGATE_SESSION_KEY', problem);
  return new TextEncoder().encode(env.TIDEGATE_SESSION_KEY);
}

/** A token that says who its holder is, and is kept nowhere. */
export async function newSession({ organisation, user, tier }: Caller, seconds: number, env: Env): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = new SignJWT({ org: organisation, sub: user ?? '', tier, iat: now, exp: now + seconds });
  return PREFIX + (await claims.setProtectedHeader({ alg: 'HS256', typ: TYPE }).sign(keyOf(env)));
}

/**
 * Who comes with a session's token; nothing for any other text, and once it has ended. It may chat, and nothing else.
 * @throws `config_invalid` for a session's token if there is no key to check it with.
 */
export async function sessionHolder(token: string, env: Env): Promise<Caller | undefined> {
  if (!token.startsWith(PREFIX)) return undefined;
  const key = keyOf(env);
  try {
    const { payload } = await jwtVerify(token.slice(PREFIX.length), key, {
      ...{ algorithms: ['HS256'], typ: TYPE, requiredClaims: ['exp', 'org', 'sub', 'tier'] },
      // Who checks it need not be who made it, nor in the same data centre.
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    const { org, sub, tier } = payload as { org: string; sub: string; tier: string };
    return { organisation: org, user: sub, token: SESSION, tier, scopes: ['chat'] };
  } catch (failure) {
    if (failure instanceof errors.JOSEError) return undefined;
    throw failure;
  }
}

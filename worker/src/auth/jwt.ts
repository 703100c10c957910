import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose';

import { isTidegateError } from '../../../pkg/src/errors';
import type { Env } from '../env';
import { forbiddenAs } from '../errors';
import { checked, isObject } from '../fields';
import { organisationName, tierName, userName } from '../names';
import { Recent } from '../recent';
import { DEFAULT_ORGANISATION, type Caller } from './caller';
import { authConfig, type Issuer } from './config';
import { keysOf } from './jwks';
import { hashOf } from './token';

/** Three parts, the last one empty where nobody signed. */
const SHAPE = /^[\w-]{2,}\.[\w-]{2,}\.[\w-]*$/;
const MAX_LENGTH = 8_192;

/** How long a verified JWT is believed without another look at its signature, in milliseconds. */
const VERIFIED_MS = 30_000;
const verified = new Recent<{ caller: Caller; issuer: Issuer; expires: number }>(5_000, VERIFIED_MS);

/**
 * Who comes with a JWT of a configured issuer; nothing for any other text, and for a JWT that is not good.
 * @throws `forbidden` for a good one whose claims say nothing of use, `internal` (503) if its issuer's keys are not to
 * be had, `config_invalid` if TIDEGATE_AUTH is not valid.
 */
export async function jwtHolder(token: string, env: Env): Promise<Caller | undefined> {
  if (token.length > MAX_LENGTH || !SHAPE.test(token)) return undefined;
  const { issuers } = authConfig(env);
  const hash = await hashOf(token);
  const known = verified.find(hash);
  // Of another configuration it says nothing.
  if (known && issuers.includes(known.issuer)) return known.expires > Date.now() ? known.caller : undefined;
  const named = issuerIn(token);
  for (const issuer of issuers.filter((one) => one.issuer === named)) {
    const claims = await claimsOf(token, issuer);
    if (!claims) continue;
    const caller = meant(claims, issuer, issuers);
    verified.keep(hash, { caller, issuer, expires: (claims.exp + issuer.clockToleranceSeconds) * 1_000 });
    return caller;
  }
  return undefined;
}

function issuerIn(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

type Claims = JWTPayload & { exp: number };

async function claimsOf(token: string, issuer: Issuer): Promise<Claims | undefined> {
  try {
    const { payload } = await jwtVerify(token, keysOf(issuer.jwks), {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: issuer.algorithms,
      clockTolerance: issuer.clockToleranceSeconds,
      requiredClaims: ['exp'],
    });
    const { authorizedParties } = issuer;
    if (authorizedParties && !authorizedParties.includes(String(payload.azp))) return undefined;
    return payload as Claims;
  } catch (failure) {
    // Its keys are not to be had.
    if (isTidegateError(failure)) throw failure;
    // Everything that is wrong with a token is one answer: which, would only help who makes them.
    if (failure instanceof errors.JOSEError) return undefined;
    // The key that it names is none that can be used (too short, say): the issuer's doing, which nobody may have fail here.
    console.error('jwt: a key of the issuer is of no use:', failure instanceof Error ? failure.name : '');
    return undefined;
  }
}

/** What the claims mean here. */
function meant(claims: JWTPayload, issuer: Issuer, issuers: readonly Issuer[]): Caller {
  const { claims: names, organisation: fixed, organisationPrefix = '', tiers } = issuer;
  const claimed = textAt(claims, names.organisation);
  const organisation = fixed ?? (claimed && organisationPrefix + claimed);
  // The operator's own is never meant by a claim: a user may have chosen it. Nor is what another issuer's prefix begins:
  // with the prefix "a", or none, a claim could say what goes on from "a:".
  const open =
    organisation !== DEFAULT_ORGANISATION &&
    !issuers.some(
      ({ organisationPrefix: other = '' }) =>
        other.length > organisationPrefix.length && organisation.startsWith(other),
    );
  const sound = 'value' in checked(organisationName, organisation) && (fixed || open);
  if (!sound) throw forbiddenAs('The token names no organisation.');
  const user = textAt(claims, names.user);
  if ('problems' in checked(userName, user)) throw forbiddenAs('The token names no user.');
  const said = textAt(claims, names.tier);
  const tier = tiers ? (Object.hasOwn(tiers, said) ? tiers[said] : undefined) : said;
  const known = tier !== undefined && 'value' in checked(tierName, tier);
  return { organisation, user, tier: known ? tier : issuer.tier, scopes: issuer.scopes };
}

/** A claim as text. Its whole name is looked for first: some have dots, as addresses do. */
function textAt(claims: JWTPayload, name: string | undefined): string {
  if (name === undefined) return '';
  let value: unknown = Object.hasOwn(claims, name) ? claims[name] : claims;
  if (value === claims) {
    for (const part of name.split('.')) {
      value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
    }
  }
  return typeof value === 'string' ? value : '';
}

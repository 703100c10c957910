import type { Env } from '../env';
import { badFields } from '../errors';
import {
  checked,
  fields,
  flag,
  list,
  oneOf,
  optional,
  otherwise,
  Problem,
  table,
  text,
  whole,
  type Check,
} from '../fields';
import { parsed, TWICE } from '../json';
import { organisationName, tierName } from '../names';
import type { Scope } from './caller';

/** Signatures that can be checked with a public key. A shared secret in a JWKS would be none. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

/** How far clocks may differ where nothing else is said, in seconds: of issuers, and of machines that run this Worker. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** Which identity provider's JWTs are taken, and what their claims mean here. */
export interface Issuer {
  /** Equal to the claim `iss`. */
  issuer: string;
  /** Where its public keys are. */
  jwks: string;
  /** One of them is among the claim `aud`. */
  audience: string[];
  algorithms: (typeof ALGORITHMS)[number][];
  /** How far clocks may differ, in seconds. */
  clockToleranceSeconds: number;
  /** Values of the claim `azp`: Clerk says there which page asked for the token. Any if not given. */
  authorizedParties?: string[];
  /** Which claims say who is calling. Names may lead inwards, as in `app_metadata.organisation`. */
  claims: { organisation?: string; user: string; tier?: string };
  /** The organisation of all its users, where no claim says it. */
  organisation?: string;
  /** Goes before the claim's organisation: no claim of an issuer with a shorter one, or none, means what begins so. */
  organisationPrefix?: string;
  /** The tier where no claim says one that is known. */
  tier: string;
  /** What the claim's values mean here. Without it they are the tiers' own names. */
  tiers?: Record<string, string>;
  scopes: Scope[];
}

/** Short-lived tokens for pages, which `POST /api/session` gives. Their number is limited by day (UTC). */
export interface SessionConfig {
  /** How long each is good, in seconds, and {@link CLOCK_TOLERANCE_SECONDS} on top. */
  seconds: number;
  perSubjectPerDay: number;
  perDay: number;
  /** Whether a JWT of an issuer gets one. */
  jwt: boolean;
  /** The first-party cookie that holds such a JWT. Its name begins with `__Host-`, so that no other host can set it. */
  cookie?: string;
  /** Whether somebody nobody knows gets one, once Turnstile takes them for human. */
  turnstile?: Turnstile;
}

export interface Turnstile {
  organisation: string;
  tier: string;
  /** Where the widget may have been solved. */
  hostnames: string[];
  action?: string;
  siteverify: string;
}

/** TIDEGATE_AUTH. */
export interface AuthConfig {
  issuers: Issuer[];
  session?: SessionConfig;
}

/** Addresses that nobody between can read or change. */
const address: Check<string> = (value, path) => {
  const given = text(2_048)(value, path);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const local = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (!url || !(url.protocol === 'https:' || local)) throw new Problem('must be an https URL');
  return given;
};

const claim = text(256);
const several: Check<string[]> = (value, path) =>
  typeof value === 'string' ? [text(1_024)(value, path)] : list(text(1_024), 1, 16)(value, path);

const known = fields<Issuer>({
  issuer: text(2_048),
  jwks: address,
  audience: several,
  algorithms: otherwise(list(oneOf(ALGORITHMS), 1, 11), ['RS256', 'ES256']),
  clockToleranceSeconds: otherwise(whole(0, 300), CLOCK_TOLERANCE_SECONDS),
  authorizedParties: optional(list(text(2_048), 1, 64)),
  claims: otherwise(
    fields<Issuer['claims']>({ organisation: optional(claim), user: otherwise(claim, 'sub'), tier: optional(claim) }),
    {
      user: 'sub',
    },
  ),
  organisation: optional(organisationName),
  organisationPrefix: optional(organisationName),
  tier: otherwise(tierName, 'free'),
  tiers: optional(table(tierName, 64)),
  scopes: otherwise(list(oneOf(['chat', 'admin', 'metrics']), 1, 3), ['chat']),
});

const issuer: Check<Issuer> = (value, path) => {
  const read = known(value, path);
  if ((read.organisation === undefined) !== (read.claims.organisation === undefined)) return read;
  const problem = read.organisation
    ? 'must not be given beside claims.organisation'
    : 'or claims.organisation is needed';
  throw new Problem(problem, [{ path: `${path}.organisation`, problem }]);
};

const turnstile = fields<Turnstile>({
  organisation: organisationName,
  tier: otherwise(tierName, 'free'),
  hostnames: list(text(253), 1, 64),
  action: optional(text(32)),
  siteverify: otherwise(address, 'https://challenges.cloudflare.com/turnstile/v0/siteverify'),
});

const session = fields<SessionConfig>({
  seconds: otherwise(whole(30, 300), 300),
  perSubjectPerDay: otherwise(whole(1, 10_000), 50),
  perDay: otherwise(whole(1, 1_000_000), 1_000),
  jwt: otherwise(flag, false),
  cookie: optional(text(64, /^__Host-[\w-]+$/, 'must begin with __Host-')),
  turnstile: optional(turnstile),
});

const auth = fields<AuthConfig>({ issuers: otherwise(list(issuer, 0, 16), []), session: optional(session) });

let last: { given: unknown; config: AuthConfig } | undefined;

/**
 * What TIDEGATE_AUTH says; nobody but holders of our own tokens is known without it.
 * @throws `config_invalid` with every field that is wrong.
 */
export function authConfig(env: Env): AuthConfig {
  const given = env.TIDEGATE_AUTH;
  if (last && last.given === given) return last.config;
  const result = checked(auth, typeof given === 'string' ? parse(given || '{}') : (given ?? {}));
  if ('problems' in result) {
    throw badFields(result.problems.map(({ path, problem }) => ({ path: at(path), problem })));
  }
  last = { given, config: result.value };
  return result.value;
}

const at = (path: string) => (path ? `TIDEGATE_AUTH.${path}` : 'TIDEGATE_AUTH');

function parse(given: string): unknown {
  let read;
  try {
    read = parsed(given);
  } catch {
    throw badFields([{ path: 'TIDEGATE_AUTH', problem: 'must be JSON' }]);
  }
  if ('twice' in read) throw badFields([{ path: at(read.twice), problem: TWICE }]);
  return read.value;
}

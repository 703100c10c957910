import type { Env } from '../env';
import { badConfiguration } from '../errors';
import { DEFAULT_ORGANISATION, type Caller } from './caller';

/** The tier of the operator's own requests, unless TIDEGATE_TIER names another. */
const TIER = 'enterprise';

/**
 * Who comes with TIDEGATE_TOKEN: whoever runs the Worker, for the organisation that needs no set-up.
 * @throws `config_invalid` if there is no such token: without one nobody is let in, rather than everybody.
 */
export async function operatorOf(given: string[], env: Env): Promise<Caller | undefined> {
  const token = env.TIDEGATE_TOKEN;
  if (!token) throw badConfiguration('TIDEGATE_TOKEN', 'is not set');
  if (!(await carriesToken(given, token))) return undefined;
  return {
    organisation: DEFAULT_ORGANISATION,
    token: 'operator',
    tier: env.TIDEGATE_TIER || TIER,
    scopes: ['chat', 'admin', 'operator'],
  };
}

/** Whether the token is among what was given, told in a time that depends on neither. */
async function carriesToken(given: string[], token: string): Promise<boolean> {
  // Digests have one length, so that the comparison says nothing about the token's.
  const [own, ...others] = await Promise.all([token, ...given].map(digest));
  // All of them, wherever it was found: the place is not told either.
  return others.filter((other) => own && crypto.subtle.timingSafeEqual(own, other)).length > 0;
}

const digest = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));

import type { Turnstile } from '../auth/config';
import type { Env } from '../env';
import { badConfiguration, unreachable } from '../errors';
import { isObject } from '../fields';
import { json } from '../outside';

/**
 * Whether Turnstile takes whoever solved it for human, here and for this.
 * @throws `internal` (503) if Turnstile does not answer, `config_invalid` without TURNSTILE_SECRET.
 */
export async function isHuman(solved: string, address: string | null, config: Turnstile, env: Env): Promise<boolean> {
  const secret = env.TURNSTILE_SECRET;
  if (!secret) throw badConfiguration('TURNSTILE_SECRET', 'is not set');
  const body = new URLSearchParams({ secret, response: solved, ...(address !== null && { remoteip: address }) });
  let verdict: unknown;
  try {
    verdict = await json(config.siteverify, { method: 'POST', body });
  } catch {
    throw unreachable('Turnstile');
  }
  if (!isObject(verdict) || verdict.success !== true) return false;
  if (!config.hostnames.includes(String(verdict.hostname))) return false;
  return config.action === undefined || verdict.action === config.action;
}

import { DEFAULT_ORGANISATION } from './auth';
import { authConfig } from './auth/config';
import { unusableOrigins } from './cors';
import type { Env } from './env';
import { reasonOf } from './errors';
import { gateOf, within } from './gates';

/** The gateway's status, as far as the Worker reads it. */
interface Status {
  targets: { keyed: boolean }[];
}

/** Longest wait for the ledger, in milliseconds: a health check that hangs tells nobody anything. */
const STATUS_MS = 5_000;

async function status(env: Env): Promise<Status> {
  const gate = gateOf(DEFAULT_ORGANISATION, env);
  return (await within(DEFAULT_ORGANISATION, STATUS_MS, gate.core.status(), false)) as Status;
}

/** Why no request could be served now; empty if one could. Asks no provider, so it is never billed. */
export async function obstacles(env: Env): Promise<string[]> {
  const reasons = unusableOrigins(env).map((entry) => `ALLOWED_ORIGINS: ${entry} is no origin`);
  if (!env.TIDEGATE_TOKEN) reasons.push('TIDEGATE_TOKEN: is not set');
  try {
    const { session } = authConfig(env);
    if (session && !env.TIDEGATE_SESSION_KEY) reasons.push('TIDEGATE_SESSION_KEY: is not set');
    if (session?.turnstile && !env.TURNSTILE_SECRET) reasons.push('TURNSTILE_SECRET: is not set');
  } catch (failure) {
    reasons.push(reasonOf(failure));
  }
  try {
    const { targets } = await status(env);
    reasons.push(...gateOf(DEFAULT_ORGANISATION, env).refusedKeys);
    if (!targets.some(({ keyed }) => keyed)) reasons.push('targets: none has a key');
  } catch (failure) {
    reasons.push(`gateway: ${reasonOf(failure)}`);
  }
  return reasons;
}

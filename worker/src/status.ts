import { DEFAULT_ORGANISATION } from './auth';
import { authConfig } from './auth/config';
import { unusableOrigins } from './cors';
import type { Env } from './env';
import { reasonOf } from './errors';
import { gateOf, keyedGateOf, within } from './gates';

/** The gateway's status, as far as the Worker reads it. */
export interface Status {
  targets: { target: string; provider: string; model: string; keyed: boolean; breaker: string }[];
  budget: { limitNanoUsd: number; spentNanoUsd: number; reservedNanoUsd: number; resetsAt: number };
}

/** Longest wait for the ledger, in milliseconds: a health check that hangs tells nobody anything. */
const STATUS_MS = 5_000;

/** How things stand in an organisation. Asks its ledger, and no provider. */
export async function gateStatus(organisation: string, env: Env): Promise<Status> {
  const gate = await keyedGateOf(organisation, env);
  return (await within(organisation, STATUS_MS, gate.core.status(), false)) as Status;
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
    const { targets, budget } = await gateStatus(DEFAULT_ORGANISATION, env);
    reasons.push(...gateOf(DEFAULT_ORGANISATION, env).refusedKeys);
    const keyed = targets.filter((target) => target.keyed);
    if (keyed.length === 0) reasons.push('targets: none has a key');
    else if (keyed.every(({ breaker }) => breaker === 'open')) reasons.push('targets: all of them rest');
    if (budget.spentNanoUsd + budget.reservedNanoUsd >= budget.limitNanoUsd) reasons.push('budget: nothing is left');
  } catch (failure) {
    reasons.push(`gateway: ${reasonOf(failure)}`);
  }
  return reasons;
}

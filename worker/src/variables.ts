import { unusableOrigins } from './cors';
import type { Env } from './env';
import { reasonOf } from './errors';
import { LEVELS } from './log';
import { mastersOf } from './queue/masters';
import { wantsTrailer } from './trailer';

/** What is a text, or is not set: wrangler.jsonc takes lists, numbers and flags as well, and hands them on as they are. */
const TEXTS =
  /^(ALLOWED_ORIGINS|TIDEGATE_(LOG|MASTER_KEY|MASTER_KEY_PREVIOUS|SESSION_KEY|SHARED_CACHE|TIER|TOKEN|TRAILER)|TURNSTILE_SECRET|.+_(API_KEY|BASE_URL))$/;

/** Environments inherit none of these, and wrangler only warns of it. */
const OBJECTS = ['DIRECTORY', 'FIGURES', 'ORGANISATION', 'REQUEST_QUEUE', 'TENANT_LEDGER'] as const;

/** What is wrong with variables that stand alone, each by its name and never by its value; what is not set is not. */
export function variableProblems(env: Env): string[] {
  const reasons = Object.entries(env)
    .filter(([name, value]) => TEXTS.test(name) && typeof (value ?? '') !== 'string')
    .map(([name]) => `${name}: must be a text`);
  const missing = OBJECTS.filter((name) => env[name] === undefined);
  if (missing.length > 0)
    reasons.push(`${missing.join(', ')}: not bound; durable_objects has to be in each environment`);
  if (reasons.length > 0) return reasons;

  reasons.push(...unusableOrigins(env).map((entry) => `ALLOWED_ORIGINS: ${entry} is no origin`));
  if (!env.TIDEGATE_TOKEN) reasons.push('TIDEGATE_TOKEN: is not set');
  else if (!/^[!-~]+$/.test(env.TIDEGATE_TOKEN)) reasons.push('TIDEGATE_TOKEN: must be printable ASCII without blanks');
  if (env.TIDEGATE_LOG && !LEVELS.includes(env.TIDEGATE_LOG)) {
    reasons.push(`TIDEGATE_LOG: must be one of ${LEVELS.join(', ')}`);
  }
  const checks = [
    () => wantsTrailer(null, env),
    // Without one there is no queue, which is nothing wrong.
    () => (env.TIDEGATE_MASTER_KEY || env.TIDEGATE_MASTER_KEY_PREVIOUS) && mastersOf(env),
  ];
  for (const check of checks) {
    try {
      check();
    } catch (problem) {
      reasons.push(reasonOf(problem));
    }
  }
  return reasons;
}

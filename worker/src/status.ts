import type { BudgetStatus } from '../../pkg/src/budget';
import { DEFAULT_ORGANISATION } from './auth';
import { authConfig } from './auth/config';
import { keyVariable, type Env } from './env';
import { reasonOf } from './errors';
import { gateOf, keyedGateOf, within } from './gates';
import { mastersOf } from './queue/masters';
import { sessionKeyProblem } from './session/token';
import { variableProblems } from './variables';

/** The gateway's status, as far as the Worker reads it. */
export interface Status {
  targets: { target: string; provider: string; model: string; keyed: boolean; priced: boolean; breaker: string }[];
  budget: BudgetStatus;
}

/** Longest wait for the ledger, in milliseconds: a health check that hangs tells nobody anything. */
const STATUS_MS = 5_000;

/** How things stand in an organisation. Asks its ledger, and no provider. */
export async function gateStatus(organisation: string, env: Env): Promise<Status> {
  const gate = await keyedGateOf(organisation, env);
  return (await within(organisation, STATUS_MS, gate.core.status(), false)) as Status;
}

/** How the parts stand that an answer needs, or that may be missing: `ready`, or a word that says what is wrong. */
export interface Components {
  /** Answers are decided: whoever reads this was let in by it. */
  gateway: 'ready';
  /** Answered just now; where it does not, there is no status but an error. */
  ledger: 'ready';
  /** `no-price`: of none with a key the price is known. `resting`: every breaker of those with key and price is open. */
  targets: 'ready' | 'resting' | 'no-key' | 'no-price';
  /** `off`: there is no master key to seal with. `misconfigured`: there is one that is none. */
  queue: 'ready' | 'off' | 'misconfigured' | 'unreachable';
  /** Tokens for pages. */
  sessions: 'ready' | 'off' | 'misconfigured';
}

/** The parts, by what is known of an organisation's targets and whether its queue answered. */
export function componentsOf(env: Env, targets: Status['targets'], queueAnswered: boolean): Components {
  return {
    gateway: 'ready',
    ledger: 'ready',
    targets: targetsOf(targets),
    queue: queueAnswered ? 'ready' : queueOf(env),
    sessions: sessionsOf(env),
  };
}

function targetsOf(targets: Status['targets']): Components['targets'] {
  const keyed = targets.filter((target) => target.keyed);
  if (keyed.length === 0) return 'no-key';
  const priced = keyed.filter((target) => target.priced);
  if (priced.length === 0) return 'no-price';
  return priced.every(({ breaker }) => breaker === 'open') ? 'resting' : 'ready';
}

function queueOf(env: Env): Components['queue'] {
  if (!env.TIDEGATE_MASTER_KEY) return 'off';
  try {
    mastersOf(env);
    return 'unreachable';
  } catch {
    return 'misconfigured';
  }
}

function sessionsOf(env: Env): Components['sessions'] {
  try {
    if (!authConfig(env).session) return 'off';
    return sessionObstacles(env).length === 0 ? 'ready' : 'misconfigured';
  } catch {
    return 'misconfigured';
  }
}

/** What tokens for pages lack. @throws `config_invalid` where what is configured cannot be read. */
function sessionObstacles(env: Env): string[] {
  const { session } = authConfig(env);
  const reasons = [];
  const wrong = session && sessionKeyProblem(env);
  if (wrong) reasons.push(`TIDEGATE_SESSION_KEY: ${wrong}`);
  if (session?.turnstile && !env.TURNSTILE_SECRET) reasons.push('TURNSTILE_SECRET: is not set');
  return reasons;
}

/** Why no request could be served now; empty if one could. Asks no provider, so it is never billed. */
export async function obstacles(env: Env): Promise<string[]> {
  const reasons = variableProblems(env);
  try {
    reasons.push(...sessionObstacles(env));
  } catch (failure) {
    reasons.push(reasonOf(failure));
  }
  try {
    const { targets, budget } = await gateStatus(DEFAULT_ORGANISATION, env);
    reasons.push(...gateOf(DEFAULT_ORGANISATION, env).refusedKeys);
    const state = targetsOf(targets);
    if (state === 'no-key') {
      const names = new Set(targets.map(({ provider }) => keyVariable(provider)));
      reasons.push(`targets: none has a key; set ${[...names].join(' or ')}`);
    }
    if (state === 'no-price') {
      const names = targets.filter(({ keyed }) => keyed).map(({ target }) => target);
      reasons.push(
        `targets: none with a key has a known price; give prices of ${names.join(' or ')} in TIDEGATE_CONFIG`,
      );
    }
    if (state === 'resting') reasons.push('targets: all of them rest');
    if (budget.exhausted) reasons.push('budget: nothing is left');
  } catch (failure) {
    reasons.push(`gateway: ${reasonOf(failure)}`);
  }
  return reasons;
}

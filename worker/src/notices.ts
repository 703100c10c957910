import type { Env } from './env';
import { shownUser } from './log';

/** What of a ledger is for whoever runs the Worker to know; a lease that ran out and a probe that began are not. */
const LEVELS: Record<string, string> = {
  'budget-threshold': 'warn',
  'budget-overshoot': 'warn',
  'circuit-open': 'warn',
  'circuit-closed': 'info',
};

/**
 * One line of JSON for what an organisation's ledger tells: that a budget has reached a threshold or was passed, that a
 * target rests or is back. Unless TIDEGATE_LOG is "none". Users are hashed, as in the lines of requests.
 */
export async function noticed(organisation: string | undefined, name: string, json: string, env: Env): Promise<void> {
  const level = LEVELS[name];
  if (level === undefined || env.TIDEGATE_LOG === 'none') return;
  const { who, ...event } = JSON.parse(json) as { who?: string | null; of?: string };
  const user = event.of === 'user' && who ? await shownUser(organisation, who) : undefined;
  const token = event.of === 'token' && who ? who : undefined;
  console.log(JSON.stringify({ event: name, level, organisation, user, token, ...event }));
}

import { waitUntil } from 'cloudflare:workers';

import type { Asker } from '../auth';
import { homeOf } from '../auth/token';
import type { Env } from '../env';
import type { Figures } from './object';
import { count, type Counters, type Outcome, type Share } from './samples';

/** How long figures are gathered in the isolate before they are told, in milliseconds. One that is ended loses them. */
const GATHER_MS = 5_000;
/** The object of all organisations together. No organisation's object can have this name: theirs have 16 letters. */
const EVERYBODY = 'everybody';

interface Gathered {
  /** When a request began to wait for it to be told. */
  since: number;
  counters: Counters;
  shares: Map<string, Share>;
  env: Env;
}

const gathered = new Map<string, Gathered>();

const figuresObject = (env: Env, name: string): DurableObjectStub<Figures> =>
  env.FIGURES.get(env.FIGURES.idFromName(name));

export const figuresOf = async (organisation: string, env: Env) => figuresObject(env, await homeOf(organisation));
export const figuresOfAll = (env: Env) => figuresObject(env, EVERYBODY);

/** Counts a request of a caller, and tells its organisation's object soon after. */
export function counted({ organisation, user = '' }: Asker, outcome: Outcome, env: Env): void {
  const now = Date.now();
  const known = gathered.get(organisation);
  const own = known ?? { since: now, counters: {}, shares: new Map(), env };
  // Whoever waited may have been ended by the platform: then this request does.
  if (!known || Math.abs(now - known.since) > 2 * GATHER_MS) {
    own.since = now;
    gathered.set(organisation, own);
    waitUntil(new Promise((done) => setTimeout(done, GATHER_MS)).then(() => told(organisation)));
  }
  count(own.counters, outcome);
  const share = own.shares.get(user) ?? { user, requests: 0, inputTokens: 0, outputTokens: 0, costNanoUsd: 0 };
  own.shares.set(user, share);
  share.requests += 1;
  share.inputTokens += outcome.meta?.usage.inputTokens ?? 0;
  share.outputTokens += outcome.meta?.usage.outputTokens ?? 0;
  share.costNanoUsd += outcome.meta?.costNanoUsd ?? 0;
}

/** Tells what was gathered so far of an organisation. */
export async function told(organisation: string): Promise<void> {
  const own = gathered.get(organisation);
  if (!own) return;
  gathered.delete(organisation);
  const { counters, shares, env } = own;
  try {
    await (await figuresOf(organisation, env)).add(counters, [...shares.values()]);
    await figuresOfAll(env).add(counters, []);
  } catch (failure) {
    console.error('figures: not told:', failure instanceof Error ? failure.name : '');
  }
}

import { toError } from '../../../pkg/src/errors';
import { noStats, sumOf } from '../../../pkg/src/queue/engine';
import type { Stats } from '../../../pkg/src/queue/stats';
import { rawConfiguration, type Env } from '../env';
import { isPlanLimit, reached } from '../errors';
import { objectOf } from '../objects';
import { load } from '../wasm';
import { mastersOf } from './masters';
import { REFUSED, type Answer } from './object';

/** The most shards that a configuration may have. */
export const MOST_SHARDS = 64;

/**
 * As the configuration says; read once for each, since every request asks.
 * @throws `config_invalid` without a master key: nothing is queued that is not sealed.
 */
export function shardsOf(env: Env): number {
  const found = known.get(env);
  if (found !== undefined) return found;
  load();
  mastersOf(env);
  const { queue } = rawConfiguration(env) as { queue?: { shards?: number } };
  const shards = queue?.shards ?? 1;
  known.set(env, shards);
  return shards;
}
/** By the variables, which the platform gives as one object for the isolate's life. */
const known = new WeakMap<Env, number>();

/** One shard of an organisation's queue: an object of its own, so that no id of another's is found there. */
export const queueObject = ({ REQUEST_QUEUE }: Env, organisation: string, shard: number) =>
  objectOf(REQUEST_QUEUE, JSON.stringify([organisation, shard]));

/**
 * Also those that it may have had before, at one object request each: what was queued there stays there.
 * @throws `config_invalid` without a master key.
 */
export function everyQueueObject(env: Env, organisation: string) {
  mastersOf(env);
  return shardsFrom(env, organisation, MOST_SHARDS);
}

const shardsFrom = (env: Env, organisation: string, length: number) =>
  Array.from({ length }, (_, shard) => queueObject(env, organisation, shard));

/** What an object said. */
export function told<T>(answer: Answer<T>): T {
  if ('error' in answer) throw toError(answer.error);
  return answer.value;
}

/** What an object said by a text alone. */
export function toldText(answer: string): string {
  if (answer.startsWith(REFUSED)) throw toError(JSON.parse(answer.slice(REFUSED.length)));
  return answer;
}

/** What each of these objects says to the same question. */
export async function ofEach<T>(
  objects: QueueObject[],
  ask: (object: QueueObject) => Promise<Answer<T>>,
): Promise<T[]> {
  try {
    return await Promise.all(objects.map(async (object) => told(await ask(object))));
  } catch (failure) {
    throw reached(failure);
  }
}
type QueueObject = ReturnType<typeof queueObject>;

/**
 * The figures of an organisation's shards together: of those that the configuration has, since many ask often, or of the
 * first so many.
 */
export async function queueStats(env: Env, organisation: string, shards?: number): Promise<Stats & { shards: number }> {
  const objects = shardsFrom(env, organisation, shards ?? shardsOf(env));
  const all = await ofEach(objects, (object) => object.stats());
  return { ...all.reduce(sumOf, noStats()), shards: objects.length };
}

/** The same where there may be no queue: a Worker without a master key has none, and one with a bad one tells so there. */
export async function queueStatsIfAny(env: Env, organisation: string, shards?: number): Promise<Stats | undefined> {
  if (!env.TIDEGATE_MASTER_KEY) return undefined;
  try {
    return await queueStats(env, organisation, shards);
  } catch {
    // What else is asked about is worth telling.
    return undefined;
  }
}

/**
 * Erases a user's requests from the shard `from` on, also those of shards that the configuration no longer has. How many
 * they were, and where to go on if the plan lets one request ask no more objects.
 */
export async function eraseQueued(
  env: Env,
  organisation: string,
  user: string,
  from: number,
): Promise<{ queued: number; after?: number }> {
  if (!env.TIDEGATE_MASTER_KEY) return { queued: 0 };
  const objects = everyQueueObject(env, organisation).slice(from);
  const all = await Promise.allSettled(objects.map(async (object) => told(await object.eraseUser(user))));
  const failures = all.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const beyond = all.findIndex((one) => one.status === 'rejected');
  const other = failures.find((failure) => !isPlanLimit(failure));
  // Where not even one could be asked, another request could not either.
  if (other !== undefined || beyond === 0) throw other ?? reached(failures[0]);
  const queued = all.reduce((sum, one) => sum + (one.status === 'fulfilled' ? one.value : 0), 0);
  return { queued, ...(beyond > 0 && { after: from + beyond }) };
}

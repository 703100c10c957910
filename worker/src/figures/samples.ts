import type { ChatMeta } from '../../../pkg/src/types';

/** Counters by the name and labels that Prometheus reads. Labels come from lists of ours alone: their number is bounded. */
export type Counters = Record<string, number>;

/** One user's share; no user is told apart by a label. */
export interface Share {
  user: string;
  requests: number;
  inputTokens: number;
  outputTokens: number;
  costNanoUsd: number;
}

/** What came of one request. */
export interface Outcome {
  /** What the caller speaks: one of four; `queue` if it queued. */
  dialect: string;
  /** `ok`, or the code of its error. */
  code: string;
  /** Until its answer was whole, in milliseconds. */
  totalMs: number;
  /** Until there was something to hand out; nothing if there never was. */
  firstMs?: number;
  /** Of one that failed: whom it asked, and what each said. What failed before an answer is in `meta`. */
  tried?: { target: string; code: string; status?: number }[];
  /** Of one that the Worker's configuration let fail: what is wrong there. */
  reason?: string;
  /** Without `cache` where there was no answer. */
  meta?: Omit<ChatMeta, 'cache'> & Partial<Pick<ChatMeta, 'cache'>>;
}

/** Upper bounds in seconds: answers may take ten minutes. */
const BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Every code that an error may have, and no more: a label must not come from outside. */
const CODE = /^[a-z_]{1,32}$/;

/** The names of a histogram's samples, written once: each request counts in thirty of them. */
const samplesOf = (name: string) => ({
  buckets: BOUNDS.map((bound) => ({ bound, name: `${name}_bucket{le="${bound}"}` })),
  all: `${name}_bucket{le="+Inf"}`,
  sum: `${name}_sum`,
  count: `${name}_count`,
});
const DURATION = samplesOf('tidegate_request_duration_seconds');
const FIRST_TOKEN = samplesOf('tidegate_time_to_first_token_seconds');

/** Counts one request. */
export function count(into: Counters, { dialect, code, totalMs, firstMs, meta }: Outcome): void {
  const add = (name: string, by = 1) => {
    if (by !== 0) into[name] = (into[name] ?? 0) + by;
  };
  const spoken = /^[a-z]{1,16}$/.test(dialect) ? dialect : 'other';
  add(`tidegate_requests_total{dialect="${spoken}",outcome="${CODE.test(code) ? code : 'other'}"}`);
  histogram(into, DURATION, totalMs);
  if (firstMs !== undefined) histogram(into, FIRST_TOKEN, firstMs);
  if (!meta) return;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = meta.usage;
  add('tidegate_tokens_total{kind="input"}', inputTokens);
  add('tidegate_tokens_total{kind="cached_input"}', cachedInputTokens);
  add('tidegate_tokens_total{kind="output"}', outputTokens);
  add('tidegate_tokens_total{kind="reasoning"}', reasoningTokens);
  add('tidegate_cost_nano_usd_total', meta.costNanoUsd);
  add('tidegate_saved_nano_usd_total', meta.savedNanoUsd ?? 0);
  if (meta.cache) add(`tidegate_cache_total{state="${meta.cache}"}`);
  add('tidegate_attempts_total', meta.attempts);
}

function histogram(into: Counters, { buckets, all, sum, count }: ReturnType<typeof samplesOf>, ms: number): void {
  const seconds = Math.max(0, ms) / 1_000;
  const add = (name: string, by: number) => (into[name] = (into[name] ?? 0) + by);
  for (const { bound, name } of buckets) if (seconds <= bound) add(name, 1);
  add(all, 1);
  if (seconds > 0) add(sum, seconds);
  add(count, 1);
}

const HELP: Record<string, [type: 'counter' | 'gauge' | 'histogram', help: string]> = {
  tidegate_requests_total: ['counter', 'Requests by dialect and by how they ended.'],
  tidegate_request_duration_seconds: ['histogram', 'Time until an answer was whole.'],
  tidegate_time_to_first_token_seconds: ['histogram', 'Time until there was something to hand out.'],
  tidegate_tokens_total: ['counter', 'Tokens billed.'],
  tidegate_cost_nano_usd_total: ['counter', 'What requests were charged.'],
  tidegate_saved_nano_usd_total: ['counter', 'What answers from the cache would have cost.'],
  tidegate_cache_total: ['counter', 'Answers by what the cache had to do with them.'],
  tidegate_attempts_total: ['counter', 'Exchanges with providers.'],
  tidegate_breaker_state: ['gauge', '1 for the state that the target is in.'],
  tidegate_queue_items: ['gauge', 'Queued requests by what has become of them, until they are erased.'],
  tidegate_queue_open: ['gauge', 'Queued requests that are still to be done, by priority.'],
  tidegate_queue_oldest_seconds: ['gauge', 'How long the first of those that wait for their turn has waited.'],
  tidegate_budget_nano_usd: ['gauge', 'The budget of the present period.'],
};

/** Its bound, for samples of a histogram: they stand in this order. */
function boundOf(name: string): number {
  const [, bound] = /le="([^"]+)"/.exec(name) ?? [];
  return bound === '+Inf' ? Infinity : Number(bound ?? -1);
}

/** As Prometheus reads it. What has no line in {@link HELP} is not a figure of ours and is left out. */
export function exposition(counters: Counters): string {
  const whole = { ...counters };
  for (const { buckets, sum, count } of [DURATION, FIRST_TOKEN]) {
    if (!(count in whole)) continue;
    // Bounds that nothing was below yet: a sample that is there only from its first count on has no rate until its second.
    for (const { name } of buckets) whole[name] ??= 0;
    // No time passes in a request that waits for nothing.
    whole[sum] ??= 0;
  }
  const sorted = Object.entries(whole).sort(([one], [other]) => boundOf(one) - boundOf(other));
  const lines = sorted.map(([name, value]) => ({
    family: /^\w+/.exec(name)?.[0].replace(/_(bucket|sum|count)$/, '') ?? '',
    line: `${name} ${value}`,
  }));
  return Object.entries(HELP)
    .map(([family, [type, help]]) => {
      const own = lines.filter((one) => one.family === family).map(({ line }) => `${line}\n`);
      return own.length === 0 ? '' : `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${own.join('')}`;
    })
    .join('');
}

import type { TidegateConfig } from 'tidegate';

import type { Demo } from './demo';
import { readLockRules } from './lockRules';

/** Percentages of the cap that are marked on the bar, and told by the gateway once per period. */
export const THRESHOLDS = [80, 100];

/** What most questions need; a smaller bound reserves less of the budget. */
export const MAX_TOKENS = 512;

/** A tool to offer, so that there is a call to see; nobody runs it. */
export const TIDE_TABLE = {
  type: 'function',
  function: {
    name: 'tide_times',
    description: 'Times of high and low water',
    parameters: {
      type: 'object',
      properties: {
        place: { type: 'string' },
        day: { type: 'string', enum: ['today', 'tomorrow'] },
      },
      required: ['place', 'day'],
    },
  },
};

/** In the demo a stall is a fault that somebody waits to see the end of. */
const DEMO_IDLE_MS = 5_000;

/** The part of an object that is defined; undefined if that is nothing. */
const defined = <T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T | undefined => {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined;
};

/**
 * The gateway's configuration: its defaults, the demo's addresses, and what the page's query asks for. Values are
 * handed on as they are; the gateway checks them and names the bad ones.
 *
 * `?limitUsd=0.01&openMs=3000&baseMs=5&maxRetries=3&failures=5&attemptMs=2000&idleMs=5000&ttlMs=60000&maxConcurrent=8&name=trial&isolation=page&targets=groq/openai/gpt-oss-20b`
 */
export function configOf(query: URLSearchParams, demo: Demo | null): TidegateConfig {
  const text = (key: string) => query.get(key) ?? undefined;
  const number = (key: string) => (query.has(key) ? Number(query.get(key)) : undefined);
  const targets = query
    .get('targets')
    ?.split(',')
    .map((target) => {
      const [provider = '', ...model] = target.split('/');
      return { provider, model: model.join('/') };
    });
  return {
    autoLock: readLockRules(),
    budget: { thresholds: THRESHOLDS, ...defined<{ limitUsd: string }>({ limitUsd: text('limitUsd') }) },
    ...defined<TidegateConfig>({
      name: text('name'),
      isolation: text('isolation') as TidegateConfig['isolation'],
      targets,
      providers: demo?.providers,
      breaker: defined({ openMs: number('openMs'), failures: number('failures') }),
      retry: defined({ baseMs: number('baseMs'), maxRetries: number('maxRetries') }),
      timeouts: defined({
        attemptMs: number('attemptMs'),
        totalMs: number('totalMs'),
        firstOutputMs: number('firstOutputMs'),
        idleMs: number('idleMs') ?? (demo ? DEMO_IDLE_MS : undefined),
      }),
      cache: defined({ ttlMs: number('ttlMs') }),
      limits: defined({ maxConcurrent: number('maxConcurrent') }),
    }),
  };
}

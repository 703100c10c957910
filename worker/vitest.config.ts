import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

// So that a test can tell what is held no more.
process.env.MINIFLARE_WORKERD_V8_FLAGS = '--expose-gc';

/** Not keys of anybody, in the shape of real ones. No answer, header or log line may ever show them. */
const secrets = {
  TIDEGATE_TOKEN: 'test-token-of-the-worker',
  TIDEGATE_MASTER_KEY: 'bm90IGEga2V5OiBvZiB0ZXN0cywgYW5kIHNvIGtub3c=',
  GROQ_API_KEY: `gsk_${'Ab3dE6gH'.repeat(7).slice(0, 52)}`,
  OPENROUTER_API_KEY: `sk-or-v1-${'0123456789abcdef'.repeat(4)}`,
  OPENAI_API_KEY: `sk-proj-${'Ab3dE6gH'.repeat(8)}`,
  ANTHROPIC_API_KEY: `sk-ant-api03-${'Ab3dE6gH'.repeat(12)}`,
  GOOGLE_API_KEY: `AIza${'Ab3dE6gH'.repeat(5).slice(0, 35)}`,
};

/** Rates that no test of something else runs into. */
const plenty = {
  tiers: { enterprise: { perMinute: 1_000_000 }, free: { perMinute: 1_000_000 }, pro: { perMinute: 1_000_000 } },
  routes: { other: { perMinute: 1_000_000 } },
};

/** Quick, so that a test waits for milliseconds where people wait for seconds. */
const quick = {
  retry: { maxRetries: 1, baseMs: 1, capMs: 2, budgetFloor: 10_000 },
  breaker: { failures: 4, openMs: 1_500 },
  timeouts: { attemptMs: 10_000, totalMs: 20_000 },
  rates: plenty,
};

/** Each request reserves one cent: input is free, output costs $10 a million, 1,000 tokens at most. */
const oneTarget = {
  ...quick,
  targets: [{ provider: 'groq', model: 'priced' }],
  prices: [{ provider: 'groq', model: 'priced', inputUsd: '0', outputUsd: '10' }],
  budget: { limitUsd: '0.50' },
  limits: { maxConcurrent: 1000 },
};

/** A queue that is quick, too. */
const queued = {
  ...quick,
  retry: { ...quick.retry, maxRetries: 0 },
  breaker: { failures: 1_000 },
  cache: { ttlMs: 0 },
  queue: { baseMs: 50, capMs: 400 },
};
/** One that is full soon, does one thing at a time, and forgets what is done. */
const short = { ...queued, queue: { ...queued.queue, capacity: 5, concurrency: 1, ttlMs: 300 } };
/** The same for a thousand requests at once, which a busy machine takes its time for. */
const crowd = { ...oneTarget, timeouts: { attemptMs: 240_000, totalMs: 280_000, headersMs: 240_000 } };
/** Buckets that hold what a test uses at once, and take a minute for the next; caps of 20 and 12 requests. */
const limited = {
  ...oneTarget,
  cache: { ttlMs: 300_000 },
  rates: {
    tiers: {
      free: { perMinute: 1, burst: 5 },
      pro: { perMinute: 1, burst: 30 },
      enterprise: { perMinute: 1, burst: 100 },
      metered: { perMinute: 1_000_000, tokensPerMinute: 1, tokensBurst: 3_000 },
    },
    routes: plenty.routes,
  },
  budget: { limitUsd: '0.20' },
  budgets: [{ of: 'token', per: 'week', tier: 'pro', limitUsd: '0.12' }],
};

/** A provider and a model that may be asked a few times a minute, by all together. */
const targets = { groq: { perMinute: 1, burst: 2 }, 'openrouter/qwen/qwen3-coder:free': { perMinute: 1, burst: 1 } };
const paced = { ...quick, rates: { ...plenty, targets, tiers: { ...plenty.tiers, slow: { perMinute: 1, burst: 1 } } } };

/** One model of each provider, which speaks its own dialect. */
const dialects = ['openai', 'anthropic', 'google'];
const fourDialects = {
  ...quick,
  targets: dialects.map((provider) => ({ provider, model: 'm' })),
  prices: dialects.map((provider) => ({ provider, model: 'm', inputUsd: '1', outputUsd: '10' })),
};

/** The ledger reads its configuration where it runs, so each configuration is a Worker of its own. */
const worker = (name: string, include: string, config: unknown) => ({
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: './wrangler.jsonc' },
      miniflare: {
        bindings: {
          ...secrets,
          ALLOWED_ORIGINS: 'https://app.example, http://localhost:5173',
          TIDEGATE_LOG: 'none',
          TIDEGATE_CONFIG: JSON.stringify(config),
          GROQ_BASE_URL: `${inject<string>('standIn')}/groq/v1`,
          OPENROUTER_BASE_URL: `${inject<string>('standIn')}/openrouter/v1`,
          OPENAI_BASE_URL: `${inject<string>('dialects')}/openai/v1`,
          ANTHROPIC_BASE_URL: `${inject<string>('dialects')}/anthropic/v1`,
          GOOGLE_BASE_URL: `${inject<string>('dialects')}/google/v1beta`,
          STAND_IN: inject<string>('standIn'),
          DIALECTS: inject<string>('dialects'),
        },
      },
    })),
  ],
  test: { name, include: [include], globalSetup: ['./test/standin.ts'], testTimeout: 30_000, hookTimeout: 30_000 },
});

export default defineConfig({
  test: {
    // The files of a project share one stand-in, which they script.
    fileParallelism: false,
    projects: [
      worker('gateway', 'test/gateway/*.test.ts', { ...quick, limits: { maxInputUnits: 10_000_000 } }),
      worker('queue', 'test/queue/*.test.ts', queued),
      worker('queue-short', 'test/queue-short/*.test.ts', short),
      worker('cap', 'test/cap/*.test.ts', oneTarget),
      worker('crowd', 'test/crowd/*.test.ts', crowd),
      worker('limits', 'test/limits/*.test.ts', limited),
      worker('targets', 'test/targets/*.test.ts', paced),
      worker('dialects', 'test/dialects/*.test.ts', fourDialects),
    ],
  },
});

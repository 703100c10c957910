import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Not keys of anybody, in the shape of real ones. No answer, header or log line may ever show them. */
const secrets = {
  TIDEGATE_TOKEN: 'test-token-of-the-worker',
  GROQ_API_KEY: `gsk_${'Ab3dE6gH'.repeat(7).slice(0, 52)}`,
  OPENROUTER_API_KEY: `sk-or-v1-${'0123456789abcdef'.repeat(4)}`,
};

/** Quick, so that a test waits for milliseconds where people wait for seconds. */
const quick = {
  retry: { maxRetries: 1, baseMs: 1, capMs: 2, budgetFloor: 10_000 },
  breaker: { failures: 4, openMs: 1_500 },
  timeouts: { attemptMs: 10_000, totalMs: 20_000 },
};

/** Each request reserves one cent: input is free, output costs $10 a million, 1,000 tokens at most. */
const oneTarget = {
  ...quick,
  targets: [{ provider: 'groq', model: 'priced' }],
  prices: [{ provider: 'groq', model: 'priced', inputUsd: '0', outputUsd: '10' }],
  budget: { limitUsd: '0.50' },
  limits: { maxConcurrent: 1000 },
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
          TIDEGATE_CONFIG: JSON.stringify(config),
          GROQ_BASE_URL: `${inject<string>('standIn')}/groq/v1`,
          OPENROUTER_BASE_URL: `${inject<string>('standIn')}/openrouter/v1`,
          STAND_IN: inject<string>('standIn'),
        },
      },
    })),
  ],
  test: { name, include: [include], globalSetup: ['./test/standin.ts'], testTimeout: 30_000 },
});

export default defineConfig({
  test: {
    // The files of a project share one stand-in, which they script.
    fileParallelism: false,
    projects: [worker('gateway', 'test/gateway/*.test.ts', quick), worker('cap', 'test/cap/*.test.ts', oneTarget)],
  },
});

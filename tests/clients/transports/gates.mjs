// The gateway between a client and the stand-in: one gate for each client and variant. Runs in Node and in pages.

import { CLIENTS, run } from '../run.mjs';

/** Where each provider's API is, and what its base has behind that. */
export const PROVIDERS = {
  openai: ['https://api.openai.com', '/v1'],
  groq: ['https://api.groq.com', '/openai/v1'],
  openrouter: ['https://openrouter.ai', '/api/v1'],
  deepseek: ['https://api.deepseek.com', ''],
  huggingface: ['https://router.huggingface.co', '/v1'],
  anthropic: ['https://api.anthropic.com', '/v1'],
  google: ['https://generativelanguage.googleapis.com', '/v1beta'],
};

/** Not keys of anybody, in the shape of real ones. */
export const KEYS = {
  openai: `sk-proj-${'Ab3dE6gH'.repeat(6)}`,
  groq: `gsk_${'Ab3dE6gH'.repeat(7).slice(0, 52)}`,
  openrouter: `sk-or-v1-${'0123456789abcdef'.repeat(4)}`,
  deepseek: `sk-${'0123456789abcdef'.repeat(2)}`,
  huggingface: `hf_${'Ab3dE6gH'.repeat(5).slice(0, 34)}`,
  anthropic: `sk-ant-api03-${'Ab3dE6gH'.repeat(12)}`,
  google: `AIza${'Ab3dE6gH'.repeat(5).slice(0, 35)}`,
};

/** One retry, quickly; waits that are longer than that are told instead of slept; a cap that is never met, or always. */
export const settings = (variant) => ({
  // A client of another dialect than its target's: the configuration alone does not show that.
  dialects: 'all',
  retry: { maxRetries: 1, baseMs: 1, capMs: 100, budgetFloor: 10_000 },
  breaker: { failures: 1_000 },
  timeouts: { headersMs: 5_000, firstOutputMs: 5_000, idleMs: 5_000, attemptMs: 8_000, totalMs: 20_000 },
  budget: { limitUsd: variant === 'poor' ? '0.000000001' : '100' },
});

/** Gates that are open at once. */
const MOST_OPEN = 16;

/** @type {Map<string, Promise<import('tidegate').Tidegate>>} */
const open = new Map();

async function make(Tidegate, name, provider, model, standIn, variant) {
  const [, base] = PROVIDERS[provider];
  const gate = await Tidegate.open({
    name,
    targets: [{ provider, model }],
    providers: { [provider]: { baseUrl: `${standIn}/${provider}${base}` } },
    ledger: 'memory',
    ...settings(variant),
  });
  if (variant !== 'locked') await gate.vault.putForSession(provider, KEYS[provider]);
  return gate;
}

const MODELS = Object.fromEntries(Object.values(CLIENTS).map(({ provider, model }) => [provider, model]));

/**
 * Runs a task through the gate of its client and variant. The SDK believes that it speaks to its provider; with the
 * variant `via PROVIDER` another one answers.
 */
export async function runThroughGate(Tidegate, standIn, { setup, ...task }, variant) {
  const own = CLIENTS[task.client].provider;
  const provider = /^via (\w+)$/.exec(variant ?? '')?.[1] ?? own;
  const model = MODELS[provider];
  const name = `${task.client} ${variant ?? 'normal'}`.replace(/[^\w.-]+/g, '-');
  if (!open.has(name)) {
    // In a page each gate has a worker of its own, and a browser has room for some dozens of them.
    const [oldest] = open.size >= MOST_OPEN ? open.keys() : [];
    if (oldest !== undefined) {
      const gate = open.get(oldest);
      open.delete(oldest);
      await (await gate).close();
    }
    open.set(name, make(Tidegate, name, provider, model, standIn, variant));
  }
  const gate = await open.get(name);
  const [origin] = PROVIDERS[own];
  return run(
    { ...task, setup: { origin, apiKey: 'not-a-key', ...(provider === own ? {} : { model: 'auto' }), ...setup } },
    gate.fetch,
  );
}

export async function closeGates() {
  for (const gate of open.values()) await (await gate).close();
  open.clear();
}

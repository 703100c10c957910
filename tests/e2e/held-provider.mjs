// A provider that holds its answers until a test lets them go, and writes down who asked and who was answered.

import { once } from 'node:events';
import { createServer } from 'node:http';

/** Of every answer. */
const OUTPUT_TOKENS = 5;

/** One question of a caller, in the order that they came. */
class Asked {
  answered = false;
  #go;
  gone = new Promise((resolve) => (this.#go = resolve));

  constructor(question) {
    this.question = question;
  }

  answer() {
    this.answered = true;
    this.#go();
  }
}

/**
 * Starts it; answers wait while `holding`.
 * @returns {Promise<{ url: string, journal: Asked[], holding: boolean, release(): void, stop(): void }>}
 */
export async function startHeldProvider() {
  const journal = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    const { model, messages } = JSON.parse(text);
    const asked = new Asked(messages[0].content);
    journal.push(asked);
    if (!provider.holding) asked.answer();
    await asked.gone;
    const message = { role: 'assistant', content: `heard: ${asked.question}` };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model },
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: OUTPUT_TOKENS, total_tokens: 5 + OUTPUT_TOKENS },
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider = {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    journal,
    holding: false,
    /** Lets go all that is held. */
    release() {
      provider.holding = false;
      for (const asked of journal) if (!asked.answered) asked.answer();
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return provider;
}

/** A configuration in which a request of 1,000 tokens reserves one cent, and is billed 50,000 nano-dollars. */
export const BOUND = 10_000_000;
export const BILL = OUTPUT_TOKENS * 10_000;
export const PRICED = {
  targets: [{ provider: 'groq', model: 'priced' }],
  prices: [{ provider: 'groq', model: 'priced', inputUsd: '0', outputUsd: '10' }],
  cache: { ttlMs: 0 },
  limits: { maxConcurrent: 1_000 },
  rates: {
    tiers: { enterprise: { perMinute: 1_000_000 } },
    routes: { other: { perMinute: 1_000_000 }, status: { perMinute: 1_000_000 } },
  },
  retry: { maxRetries: 0 },
  timeouts: { headersMs: 600_000, attemptMs: 600_000, totalMs: 600_000 },
};
/** Longer than any lease: the 600 s of a request, a minute, and the window of a slice. */
export const LEASES_MS = 900_000;
/** A budget whose day does not end within the test, nor within the leases after it. */
export const budgetOf = (limitUsd) => ({ limitUsd, resetHour: (new Date().getUTCHours() + 12) % 24 });
/** What the Worker is bound to beside its objects. */
export const bindingsOf = (provider, config, more = {}) => ({
  GROQ_API_KEY: `gsk_${'Ab3dE6gH'.repeat(7).slice(0, 52)}`,
  GROQ_BASE_URL: provider.url,
  TIDEGATE_LOG: 'none',
  TIDEGATE_CONFIG: config,
  ...more,
});

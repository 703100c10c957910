// One entry per row: `stack()` sets it up and returns `send(index)`, which answers with the reply's text.
// Libraries are imported inside, so that a process loads only its own row's.
import { browserBuildGate, gate } from './gates.mjs';
import { ANSWER, BASE_URL, KEY, MODEL, request } from './requests.mjs';

const init = (body) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
  body: JSON.stringify(body),
});

async function ask(body, signal) {
  const response = await fetch(`${BASE_URL}/chat/completions`, { ...init(body), signal });
  if (!response.ok) throw new Error(`the provider answered ${response.status}`);
  return JSON.parse(await response.text());
}

const asks = (open) => async (index) => (await open.chat(request(index))).choices[0].message.content;

async function hits(open) {
  await open.chat(request(0));
  return async () => {
    const answer = await open.chat(request(0));
    if (answer.tidegate.cache !== 'hit') throw new Error(`not a hit but a ${answer.tidegate.cache}`);
    return answer.choices[0].message.content;
  };
}

export const chat = {
  bare: () => async (index) => (await ask(request(index))).choices[0].message.content,

  async cockatiel() {
    const { circuitBreaker, ConsecutiveBreaker, ExponentialBackoff, handleAll, retry, timeout, TimeoutStrategy, wrap } =
      await import('cockatiel');
    const policy = wrap(
      retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
      circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) }),
      timeout(60_000, TimeoutStrategy.Aggressive),
    );
    return async (index) => {
      const answer = await policy.execute(({ signal }) => ask(request(index), signal));
      return answer.choices[0].message.content;
    };
  },

  async openai() {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ apiKey: KEY, baseURL: BASE_URL, fetch: globalThis.fetch });
    return async (index) => (await client.chat.completions.create(request(index))).choices[0].message.content;
  },

  async 'ai-sdk'() {
    const { generateText } = await import('ai');
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const provider = createOpenAICompatible({ name: 'groq', baseURL: BASE_URL, apiKey: KEY, fetch: globalThis.fetch });
    const model = provider(MODEL);
    return async (index) => {
      const { messages, temperature, max_tokens } = request(index);
      const [system, ...rest] = messages;
      const options = { model, instructions: system.content, messages: rest, temperature };
      return (await generateText({ ...options, maxOutputTokens: max_tokens })).text;
    };
  },

  tidegate: async () => asks(await gate('memory')),
  'tidegate-browser-build': async () => asks(await browserBuildGate()),
  'tidegate-chromium-indexeddb': async () => asks(await gate('indexeddb')),
};

export const cacheHit = {
  async 'lru-cache'() {
    const { LRUCache } = await import('lru-cache');
    const cache = new LRUCache({ max: 100, ttl: 300_000 });
    cache.set(JSON.stringify(request(0)), JSON.parse(ANSWER));
    return async () => cache.get(JSON.stringify(request(0))).choices[0].message.content;
  },

  tidegate: async () => hits(await gate('memory')),
  'tidegate-browser-build': async () => hits(await browserBuildGate()),
};

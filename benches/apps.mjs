// The apps whose size is measured: each asks one question and shows the answer as the page's title.
// The stacks are those of stacks.mjs, as text for Vite; the key is a constant, as no app should have it.
import { BASE_URL, KEY, MODEL } from './requests.mjs';

const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Which train is cheaper?' }] });
const [url, key, model] = [BASE_URL, KEY, MODEL].map((text) => JSON.stringify(text));

const ask = `
async function ask(body, signal) {
  const response = await fetch(${url} + '/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer ' + ${key} },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw new Error('the provider answered ' + response.status);
  return JSON.parse(await response.text());
}`;

const tidegate = (config) => `
import { Tidegate } from 'tidegate';
const gate = await Tidegate.open(${config});
await gate.vault.putForSession('groq', ${key});
document.title = (await gate.chat(${body})).choices[0].message.content;`;

export const apps = {
  bare: `${ask}
document.title = (await ask(${body})).choices[0].message.content;`,

  // Retry, breaker, timeout, cache, and a budget that a reload does not forget.
  'cockatiel-stack': `
import { circuitBreaker, ConsecutiveBreaker, handleAll, timeout, TimeoutStrategy, wrap } from 'cockatiel';
import { openDB } from 'idb';
import { LRUCache } from 'lru-cache';
import pRetry from 'p-retry';
${ask}
const cache = new LRUCache({ max: 100, ttl: 300_000 });
const policy = wrap(
  circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) }),
  timeout(60_000, TimeoutStrategy.Aggressive),
);
const db = await openDB('budget', 1, { upgrade: (db) => db.createObjectStore('spent') });
const spent = (await db.get('spent', 'today')) ?? 0;
if (spent > 1_000_000_000) throw new Error('the budget is spent');
const request = ${body};
const id = JSON.stringify(request);
const send = () => policy.execute(({ signal }) => ask(request, signal));
const answer = cache.get(id) ?? (await pRetry(send, { retries: 3 }));
cache.set(id, answer);
await db.put('spent', spent + answer.usage.total_tokens * 500, 'today');
document.title = answer.choices[0].message.content;`,

  openai: `
import OpenAI from 'openai';
const client = new OpenAI({ apiKey: ${key}, baseURL: ${url}, dangerouslyAllowBrowser: true });
document.title = (await client.chat.completions.create(${body})).choices[0].message.content;`,

  'ai-sdk': `
import { generateText } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
const provider = createOpenAICompatible({ name: 'groq', baseURL: ${url}, apiKey: ${key} });
document.title = (await generateText({ model: provider(${model}), prompt: 'Which train is cheaper?' })).text;`,

  tidegate: tidegate(''),

  // The build that targets of Anthropic, Google and OpenAI have.
  'tidegate-dialects': tidegate("{ dialects: 'all' }"),
};

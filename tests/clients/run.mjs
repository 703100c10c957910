// One operation of one client, in Node or in a page: what came of it, as plain data.

import * as ai from './clients/ai-sdk.mjs';
import { anthropic } from './clients/anthropic.mjs';
import { google } from './clients/google.mjs';
import { groq } from './clients/groq.mjs';
import { langchain } from './clients/langchain.mjs';
import { openai, openaiResponses } from './clients/openai.mjs';

/** @type {Record<string, import('./clients/questions.mjs').Client>} */
export const CLIENTS = {
  openai,
  'openai responses': openaiResponses,
  'groq-sdk': groq,
  '@anthropic-ai/sdk': anthropic,
  '@google/genai': google,
  '@ai-sdk/openai': ai.aiOpenai,
  '@ai-sdk/openai responses': ai.aiOpenaiResponses,
  '@ai-sdk/groq': ai.aiGroq,
  '@openrouter/ai-sdk-provider': ai.aiOpenrouter,
  '@ai-sdk/anthropic': ai.aiAnthropic,
  '@ai-sdk/google': ai.aiGoogle,
  '@langchain/openai': langchain,
};

/**
 * @typedef {object} Task
 * @property {string} client
 * @property {'plain' | 'stream' | 'tools' | 'json'} op
 * @property {string} question
 * @property {'before' | { pieces: number } | { ms: number }} [abort] when the caller's signal fires
 * @property {import('./clients/questions.mjs').Setup} setup without the fetch, which is no data
 */

/**
 * @param {Task} task
 * @param {typeof fetch} [fetch] in place of the SDK's own
 * @returns {Promise<{ value?: object, error?: object, pieces: string[], firstMs?: number, ms: number }>}
 */
export async function run({ client: name, op, question, abort, setup }, fetch) {
  const client = CLIENTS[name];
  const controller = new AbortController();
  if (abort === 'before') controller.abort();
  const timer = abort?.ms === undefined ? undefined : setTimeout(() => controller.abort(), abort.ms);
  const pieces = [];
  let firstMs;
  const onPiece = (piece) => {
    firstMs ??= Date.now() - started;
    pieces.push(piece);
    if (pieces.length === abort?.pieces) controller.abort();
  };
  const started = Date.now();
  const outcome = (more) => ({ ...more, pieces, firstMs, ms: Date.now() - started });
  try {
    const operations = client.open({ ...setup, ...(fetch ? { fetch } : {}) });
    const signal = abort ? controller.signal : undefined;
    return outcome({ value: await operations[op](question, { signal, onPiece }) });
  } catch (error) {
    const { name, message } = error ?? {};
    return outcome({ error: { ...client.describe(error), name, message: String(message) } });
  } finally {
    clearTimeout(timer);
  }
}

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
 * @property {'before' | { pieces: number } | { asked: string }} [abort] when the caller's signal fires; `asked` is an
 *   address that answers once the provider has the request
 * @property {import('./clients/questions.mjs').Setup} setup without the fetch, which is no data
 */

/**
 * @param {Task} task
 * @param {typeof fetch} [fetch] in place of the SDK's own
 * @returns {Promise<{ value?: object, error?: object, pieces: string[], firstMs?: number, ms: number, afterAbortMs?: number }>}
 */
export async function run({ client: name, op, question, abort, setup }, fetch) {
  const client = CLIENTS[name];
  const controller = new AbortController();
  if (abort === 'before') controller.abort();
  let abortedAt;
  const leave = () => {
    abortedAt ??= Date.now();
    controller.abort();
  };
  const watch = new AbortController();
  // What is no address, or hung up on, tells nothing: then nobody leaves.
  if (abort?.asked) globalThis.fetch(abort.asked, { signal: watch.signal }).then(leave, () => {});
  const pieces = [];
  let firstMs;
  const onPiece = (piece) => {
    firstMs ??= Date.now() - started;
    pieces.push(piece);
    if (pieces.length === abort?.pieces) leave();
  };
  const started = Date.now();
  const outcome = (more) => {
    const ended = Date.now();
    return { ...more, pieces, firstMs, ms: ended - started, afterAbortMs: abortedAt && ended - abortedAt };
  };
  try {
    const operations = client.open({ ...setup, ...(fetch ? { fetch } : {}) });
    const signal = abort ? controller.signal : undefined;
    return outcome({ value: await operations[op](question, { signal, onPiece }) });
  } catch (error) {
    const { name, message } = error ?? {};
    return outcome({ error: { ...client.describe(error), name, message: String(message) } });
  } finally {
    watch.abort();
  }
}

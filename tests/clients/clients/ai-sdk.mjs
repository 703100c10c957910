// The AI SDK (`ai`) with the provider packages that have a dialect of their own.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createGroq } from '@ai-sdk/groq';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import {
  APICallError,
  generateText,
  isStepCount,
  jsonSchema,
  Output,
  RetryError,
  streamText,
  StreamProviderError,
  tool,
} from 'ai';

import { kindOf, MAX_TOKENS, SCHEMA, TOOL } from './questions.mjs';

const usageOf = ({ inputTokens: input, outputTokens: output }) => ({ input, output });

function operations(model, { maxRetries, timeoutMs }) {
  const common = (signal) => ({
    model,
    maxOutputTokens: MAX_TOKENS,
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    ...(signal ? { abortSignal: signal } : {}),
  });
  return {
    async plain(prompt, { signal }) {
      const { text, finishReason: finish, usage } = await generateText({ ...common(signal), prompt });
      return { text, finish, usage: usageOf(usage) };
    },
    async stream(prompt, { signal, onPiece }) {
      let text = '';
      let end;
      const { stream } = streamText({ ...common(signal), prompt, onError: () => {} });
      for await (const part of stream) {
        if (part.type === 'error') throw part.error;
        if (part.type === 'abort') throw signal?.reason ?? new DOMException('The stream was aborted.', 'TimeoutError');
        if (part.type === 'finish') end = part;
        if (part.type !== 'text-delta') continue;
        text += part.text;
        onPiece?.(part.text);
      }
      return { text, finish: end?.finishReason, usage: usageOf(end?.totalUsage ?? {}) };
    },
    async tools(prompt, { signal }) {
      const weather = tool({
        description: TOOL.description,
        inputSchema: jsonSchema(TOOL.schema),
        execute: async () => TOOL.result,
      });
      const { steps, text } = await generateText({
        ...common(signal),
        prompt,
        tools: { [TOOL.name]: weather },
        stopWhen: isStepCount(2),
      });
      const [call] = steps[0].toolCalls;
      return { name: call.toolName, args: call.input, finish: steps[0].finishReason, text };
    },
    async json(prompt, { signal }) {
      const output = Output.object({ schema: jsonSchema(SCHEMA) });
      return (await generateText({ ...common(signal), prompt, output })).output;
    },
  };
}

function describe(thrown) {
  const error = RetryError.isInstance(thrown) ? thrown.lastError : thrown;
  if (APICallError.isInstance(error)) {
    const { statusCode: status, responseHeaders: headers } = error;
    if (status === undefined) return { kind: 'connection' };
    if (status < 300) return { kind: 'unreadable' };
    const wait = headers?.['retry-after'];
    return { kind: kindOf(status), status, ...(wait ? { retryAfter: wait } : {}) };
  }
  const names = { AbortError: 'aborted', TimeoutError: 'timeout' };
  return { kind: StreamProviderError.isInstance(error) ? 'in-band' : (names[error?.name] ?? 'unreadable') };
}

/** @returns {import('./questions.mjs').Client} */
function client(provider, model, path, make) {
  return {
    provider,
    model,
    path,
    // Its retries go by the status alone: `maxRetries: 0` leaves them to the gateway.
    obeys: false,
    open: (setup) => {
      const { fetch, apiKey, headers, origin } = setup;
      const options = { apiKey, baseURL: origin + (setup.path ?? path) };
      const own = make({ ...options, ...(fetch ? { fetch } : {}), ...(headers ? { headers } : {}) });
      return operations(own(setup.model ?? model), setup);
    },
    describe,
  };
}

const GPT = 'gpt-4.1-mini';
export const aiOpenai = client('openai', GPT, '/v1', (options) => createOpenAI(options).chat);
export const aiOpenaiResponses = client('openai', GPT, '/v1', createOpenAI);
export const aiGroq = client('groq', 'openai/gpt-oss-20b', '/openai/v1', createGroq);
export const aiOpenrouter = client(
  'openrouter',
  'qwen/qwen3-coder',
  '/api/v1',
  (options) => createOpenRouter(options).chat,
);
export const aiAnthropic = client('anthropic', 'claude-sonnet-5', '/v1', createAnthropic);
export const aiGoogle = client('google', 'gemini-3.7-flash', '/v1beta', createGoogle);

// The clients that hide their providers' dialects from the app: the AI SDK's, and LangChain's.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createGroq } from '@ai-sdk/groq';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';

import { MODEL, parsed, question } from './asking.mjs';

const FINISH = { stop: 'stop', 'tool-calls': 'tool', length: 'length', 'content-filter': 'filter' };

/**
 * `tells`: what of an answer the package gives beside text, calls and counts. `refusesInText`: a refusal is the text, and
 * the reason of the end.
 */
const ai = (dialect, make, { tells = [], own, refusesInText, providerOptions } = {}) => ({
  dialect,
  own,
  refusesInText,
  // A call is told once its arguments are whole, which may be before one that began earlier.
  callsAsDone: true,
  async read({ fetch, stream }) {
    const model = make({ apiKey: 'x', fetch })(MODEL);
    const prompt = [{ role: 'user', content: [{ type: 'text', text: question() }] }];
    const asked = { prompt, maxOutputTokens: 64, ...(providerOptions ? { providerOptions } : {}) };
    const { raw, end, parts } = stream ? await streamed(model, asked) : await generated(model, asked);
    const join = (type) => parts.filter((part) => part.type === type).map((part) => part.text).join(''); // prettier-ignore
    const calls = parts.filter((part) => part.type === 'tool-call' && !part.providerExecuted);
    const choice = {
      text: join('text'),
      reasoning: tells.includes('reasoning') ? join('reasoning') : undefined,
      calls: calls.map(({ toolCallId: id, toolName: name, input }) => ({ id, name, args: parsed(input) })),
      finish: FINISH[end.finishReason.unified],
    };
    const { inputTokens, outputTokens } = end.usage;
    // Unknown counts are undefined, or zero: there is no request without input.
    const counts = !inputTokens.total ? null : { input: inputTokens.total, output: outputTokens.total };
    return { raw: drawn(raw), said: { choices: [choice], usage: counts } };
  },
});

/** Without the ids that the SDK draws, for sources and for calls that have none. */
const drawn = (raw) =>
  JSON.parse(JSON.stringify(raw).replaceAll(/"(id|toolCallId)":"[A-Za-z0-9]{16}"/g, '"$1":"drawn"'));

async function generated(model, asked) {
  const { content, finishReason, usage, providerMetadata } = await model.doGenerate(asked);
  const raw = { content, finishReason, usage, providerMetadata };
  return { raw, end: { finishReason, usage }, parts: content };
}

async function streamed(model, asked) {
  const raw = [];
  const parts = [];
  let end;
  for await (const part of (await model.doStream(asked)).stream) {
    if (part.type === 'error') throw part.error;
    raw.push(part);
    const [, type] = /^(text|reasoning)-delta$/.exec(part.type) ?? [];
    if (type) parts.push({ type, text: part.delta });
    else if (part.type === 'tool-call') parts.push(part);
    else if (part.type === 'finish') end = part;
  }
  return { raw, end, parts };
}

const LANGCHAIN_FINISH = { stop: 'stop', tool_calls: 'tool', length: 'length', content_filter: 'filter' };

const langchain = {
  dialect: 'chat',
  async read({ fetch, stream }) {
    const model = new ChatOpenAI({ model: MODEL, apiKey: 'x', maxRetries: 0, configuration: { fetch } });
    let message;
    if (stream) for await (const chunk of await model.stream(question())) message = message?.concat(chunk) ?? chunk;
    else message = await model.invoke(question());
    const { content, tool_calls = [], invalid_tool_calls, usage_metadata: usage, response_metadata } = message;
    const { additional_kwargs } = message;
    const choice = {
      text: message.text,
      calls: tool_calls.map(({ id, name, args }) => ({ id, name, args })),
      finish: LANGCHAIN_FINISH[response_metadata.finish_reason],
    };
    const counts = usage?.input_tokens ? { input: usage.input_tokens, output: usage.output_tokens } : null;
    const raw = { content, tool_calls, invalid_tool_calls, usage, response_metadata, additional_kwargs };
    return { raw: JSON.parse(JSON.stringify(raw)), said: { choices: [choice], usage: counts } };
  },
};

const REASONS = { tells: ['reasoning'] };

export const AI_READERS = {
  '@ai-sdk/openai': ai('chat', (options) => createOpenAI(options).chat, { refusesInText: true }),
  '@ai-sdk/openai responses': ai('responses', (options) => createOpenAI(options).responses, {
    ...REASONS,
    refusesInText: true,
    providerOptions: { openai: { store: false } },
  }),
  '@ai-sdk/groq': ai('chat', createGroq, { ...REASONS, own: 'groq' }),
  '@openrouter/ai-sdk-provider': ai('chat', (options) => createOpenRouter(options).chat, {
    ...REASONS,
    own: 'openrouter',
  }),
  '@ai-sdk/anthropic': ai('anthropic', createAnthropic, REASONS),
  '@ai-sdk/google': ai('google', createGoogle, REASONS),
  '@langchain/openai': langchain,
};

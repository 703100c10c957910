// What the providers' own SDKs read in an answer, in the words that examples/decode.rs uses.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import Groq from 'groq-sdk';
import OpenAI from 'openai';

const question = [{ role: 'user', content: 'Hi' }];
const join = (texts) => texts.filter((text) => text != null).join('');
const count = (number) => number ?? 0;
/** Arguments that are no JSON count as none, as in examples/decode.rs. */
const parsed = (json) => {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
};

const CHAT_FINISH = { stop: 'stop', length: 'length', tool_calls: 'tool_calls', content_filter: 'content_filter' };

function chatUsage(usage, provider) {
  if (usage == null) return null;
  const reasoning = count(usage.completion_tokens_details?.reasoning_tokens);
  return {
    input: usage.prompt_tokens,
    cachedInput: count(usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens),
    // xAI counts reasoning beside the completion: its SDK users add the two.
    output: usage.completion_tokens + (provider === 'xai' ? reasoning : 0),
    reasoning,
  };
}

const chatCall = (call) => ({ id: call.id, name: call.function.name, arguments: parsed(call.function.arguments) });

function chatSaid(answer, provider, reasoningOf) {
  const choice = ({ message, finish_reason, index }) => ({
    text: message.content ?? '',
    refusal: message.refusal ?? '',
    reasoning: reasoningOf?.(index) ?? message.reasoning ?? message.reasoning_content ?? '',
    // A server that counts from 1 leaves a hole at 0.
    calls: (message.tool_calls ?? []).filter(Boolean).map(chatCall),
    finish: CHAT_FINISH[finish_reason] ?? 'other',
  });
  return {
    id: answer.id,
    model: answer.model,
    choices: answer.choices.map(choice),
    usage: chatUsage(answer.usage ?? answer.x_groq?.usage, provider),
  };
}

/** OpenAI's SDK collects everything but reasoning, which it does not know: its pieces are joined here. */
async function chatStream(client, model, provider) {
  const reasoning = [];
  const stream = client.chat.completions.stream({ model, messages: question });
  stream.on('chunk', ({ choices }) => {
    for (const { index, delta } of choices) {
      reasoning[index] = join([reasoning[index], delta?.reasoning ?? delta?.reasoning_content]);
    }
  });
  const answer = await stream.finalChatCompletion();
  return chatSaid(answer, provider, (index) => reasoning[index] ?? '');
}

/** Groq's SDK collects nothing: its users join the chunks. */
async function groqStream(client, model) {
  const said = { id: '', model: '', choices: [], usage: null };
  for await (const chunk of await client.chat.completions.create({ model, messages: question, stream: true })) {
    said.id ||= chunk.id;
    said.model ||= chunk.model;
    said.usage = chatUsage(chunk.usage ?? chunk.x_groq?.usage) ?? said.usage;
    for (const { index, delta, finish_reason } of chunk.choices) {
      const choice = (said.choices[index] ??= { text: '', refusal: '', reasoning: '', calls: [], finish: null });
      choice.text += delta.content ?? '';
      choice.reasoning += delta.reasoning ?? '';
      for (const call of delta.tool_calls ?? []) {
        const own = (choice.calls[call.index] ??= { id: '', name: '', arguments: '' });
        own.id ||= call.id ?? '';
        own.name ||= call.function?.name ?? '';
        own.arguments += call.function?.arguments ?? '';
      }
      if (finish_reason) choice.finish = CHAT_FINISH[finish_reason] ?? 'other';
    }
  }
  for (const choice of said.choices) for (const call of choice.calls) call.arguments = parsed(call.arguments);
  return said;
}

async function chat({ provider, stream, fetch }) {
  const settings = { apiKey: 'x', fetch, maxRetries: 0 };
  const client = provider === 'groq' ? new Groq(settings) : new OpenAI(settings);
  const model = 'm';
  if (!stream) return chatSaid(await client.chat.completions.create({ model, messages: question }), provider);
  return provider === 'groq' ? groqStream(client, model) : chatStream(client, model, provider);
}

function responsesFinish({ status, incomplete_details, output }) {
  if (status === 'incomplete') return incomplete_details?.reason === 'max_output_tokens' ? 'length' : 'content_filter';
  return output.some(({ type }) => type === 'function_call') ? 'tool_calls' : 'stop';
}

async function responses({ stream, fetch }) {
  const client = new OpenAI({ apiKey: 'x', fetch, maxRetries: 0 });
  const request = { model: 'm', input: 'Hi' };
  const answer = stream
    ? await client.responses.stream(request).finalResponse()
    : await client.responses.create(request);
  const of = (type) => answer.output.filter((item) => item.type === type);
  const content = of('message').flatMap((item) => item.content);
  const thoughts = of('reasoning').flatMap((item) => [...(item.content ?? []), ...(item.summary ?? [])]);
  const call = ({ call_id: id, name, arguments: json }) => ({ id, name, arguments: parsed(json) });
  const { usage } = answer;
  const choice = {
    text: join(content.map(({ text }) => text)),
    refusal: join(content.map(({ refusal }) => refusal)),
    reasoning: join(thoughts.map(({ text }) => text)),
    calls: of('function_call').map(call),
    finish: responsesFinish(answer),
  };
  return {
    id: answer.id,
    model: answer.model,
    choices: [choice],
    usage: usage && {
      input: usage.input_tokens,
      cachedInput: count(usage.input_tokens_details?.cached_tokens),
      output: usage.output_tokens,
      reasoning: count(usage.output_tokens_details?.reasoning_tokens),
    },
  };
}

const ANTHROPIC_FINISH = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};
/** `fallback` says which model answers; the answer's `model` says it too. */
const ANTHROPIC_BLOCKS = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use', 'fallback']);

async function anthropic({ stream, fetch }) {
  const client = new Anthropic({ apiKey: 'x', fetch, maxRetries: 0 });
  const request = { model: 'm', max_tokens: 64, messages: question };
  const answer = stream ? await client.messages.stream(request).finalMessage() : await client.messages.create(request);
  const of = (type) => answer.content.filter((block) => block.type === type);
  const { usage } = answer;
  const cached = count(usage.cache_read_input_tokens);
  const choice = {
    text: join(of('text').map(({ text }) => text)),
    refusal: answer.stop_details?.explanation ?? '',
    reasoning: join(of('thinking').map(({ thinking }) => thinking)),
    calls: of('tool_use').map(({ id, name, input }) => ({ id, name, arguments: input })),
    finish: ANTHROPIC_FINISH[answer.stop_reason] ?? 'other',
  };
  return {
    id: answer.id,
    model: answer.model,
    choices: [choice],
    usage: {
      input: usage.input_tokens + cached + count(usage.cache_creation_input_tokens),
      cachedInput: cached,
      output: usage.output_tokens,
      reasoning: count(usage.output_tokens_details?.thinking_tokens),
    },
    // What has no neutral form: blocks of tools that the provider itself runs.
    others: answer.content.some(({ type }) => !ANTHROPIC_BLOCKS.has(type)),
  };
}

const GOOGLE_FINISH = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
};

/**
 * Calls whose arguments come bit by bit. The SDK leaves them in pieces; they are put together here as Google's
 * documentation of `partialArgs` says. The recordings have texts one level deep.
 */
function googleCalls(parts) {
  const calls = [];
  let open;
  for (const { functionCall } of parts) {
    if (!functionCall) continue;
    const { id, name, args, partialArgs = [], willContinue } = functionCall;
    if (!open) calls.push((open = { id, name, arguments: { ...args } }));
    for (const { jsonPath, stringValue } of partialArgs) {
      const field = jsonPath.replace(/^\$\./, '');
      open.arguments[field] = (open.arguments[field] ?? '') + stringValue;
    }
    if (!willContinue) open = undefined;
  }
  return calls;
}

async function google({ stream, fetch }) {
  const client = new GoogleGenAI({ apiKey: 'x', httpOptions: { fetch } });
  const request = { model: 'm', contents: 'Hi' };
  const chunks = [];
  if (stream) for await (const chunk of await client.models.generateContentStream(request)) chunks.push(chunk);
  else chunks.push(await client.models.generateContent(request));
  const candidates = chunks.flatMap((chunk) => chunk.candidates ?? []);
  const parts = candidates.flatMap(({ content }) => content?.parts ?? []);
  const usage = chunks.findLast(({ usageMetadata }) => usageMetadata)?.usageMetadata;
  const calls = googleCalls(parts);
  const reason = candidates.findLast(({ finishReason }) => finishReason)?.finishReason;
  const choice = {
    text: join(parts.filter(({ thought }) => !thought).map(({ text }) => text)),
    refusal: '',
    reasoning: join(parts.filter(({ thought }) => thought).map(({ text }) => text)),
    calls,
    // Gemini has no reason of its own for calls.
    finish: reason === 'STOP' && calls.length > 0 ? 'tool_calls' : (GOOGLE_FINISH[reason] ?? 'other'),
  };
  return {
    id: chunks[0].responseId ?? '',
    model: chunks[0].modelVersion,
    choices: [choice],
    usage: usage && {
      input: count(usage.promptTokenCount) + count(usage.toolUsePromptTokenCount),
      cachedInput: count(usage.cachedContentTokenCount),
      output: count(usage.candidatesTokenCount) + count(usage.thoughtsTokenCount),
      reasoning: count(usage.thoughtsTokenCount),
    },
  };
}

const READERS = { chat, responses, anthropic, google };

/**
 * Lets a provider's SDK read an answer.
 * @param {{ dialect: string, provider?: string, stream: boolean, text: string }} answer
 */
export function read({ dialect, provider, stream, text }) {
  const headers = { 'content-type': stream ? 'text/event-stream' : 'application/json' };
  const fetch = async () => new Response(text, { headers });
  return READERS[dialect]({ provider, stream, fetch });
}

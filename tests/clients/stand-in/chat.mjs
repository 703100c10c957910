// OpenAI's chat completions, as OpenAI, Groq, OpenRouter, DeepSeek and Hugging Face's router answer them.

import { argumentsOf, contentText, frame, halves, reply } from './replies.mjs';

export function read(path, body) {
  const messages = body.messages ?? [];
  const last = messages.at(-1);
  return {
    model: body.model,
    stream: body.stream === true,
    question: contentText(messages.findLast(({ role }) => role === 'user')?.content),
    tool: body.tools?.[0]?.function?.name,
    toolResult: last?.role === 'tool',
    json: body.response_format !== undefined && body.response_format.type !== 'text',
    usage: body.stream_options?.include_usage === true,
  };
}

const usageOf = ({ input, output }, provider) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  ...(provider === 'openrouter' ? { cost: 0.000_021 } : {}),
  ...(provider === 'deepseek' ? { prompt_cache_hit_tokens: 0, prompt_cache_miss_tokens: input } : {}),
  ...(provider === 'groq' ? { queue_time: 0.04, prompt_time: 0.01, completion_time: 0.05, total_time: 0.06 } : {}),
});

const base = (asked, object) => ({ id: 'chatcmpl-stand-in', object, created: 1_770_770_839, model: asked.model });
const finishOf = ({ finish }) => (finish === 'tool' ? 'tool_calls' : 'stop');

export function whole(asked, provider) {
  const answer = reply(asked);
  const call = {
    id: 'call_1',
    type: 'function',
    function: { name: answer.tool, arguments: JSON.stringify(argumentsOf(answer.tool)) },
  };
  const message = {
    role: 'assistant',
    content: answer.tool ? null : answer.pieces.join(''),
    refusal: null,
    ...(answer.tool ? { tool_calls: [call] } : {}),
  };
  return {
    ...base(asked, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(answer) }],
    usage: usageOf(answer.usage, provider),
  };
}

export function frames(asked, provider) {
  const answer = reply(asked);
  const usage = usageOf(answer.usage, provider);
  const chunk = (delta, finish = null, more = {}) => ({
    ...base(asked, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...more,
  });
  const list = [frame(chunk({ role: 'assistant', content: answer.tool ? null : '' }))];
  if (provider === 'openrouter') list.unshift({ text: ': OPENROUTER PROCESSING\n\n', content: false });
  if (provider === 'deepseek') list.unshift({ text: ': keep-alive\n\n', content: false });
  for (const piece of answer.pieces) list.push(frame(chunk({ content: piece }), { content: true }));
  if (answer.tool) {
    const called = (call) => frame(chunk({ tool_calls: [{ index: 0, ...call }] }), { content: true });
    const parts = halves(JSON.stringify(argumentsOf(answer.tool)));
    list.push(called({ id: 'call_1', type: 'function', function: { name: answer.tool, arguments: '' } }));
    for (const part of parts) list.push(called({ function: { arguments: part } }));
  }
  // Groq says it twice in its last chunk, OpenRouter always in one more, OpenAI in one of its own if it is asked to.
  const groq = { usage, x_groq: { id: 'req_stand_in', usage } };
  list.push(frame(chunk({}, finishOf(answer), provider === 'groq' ? groq : {})));
  if (provider === 'openrouter') list.push(frame(chunk({ role: 'assistant', content: '' }, null, { usage })));
  if (['openai', 'deepseek', 'huggingface'].includes(provider) && asked.usage) {
    list.push(frame({ ...base(asked, 'chat.completion.chunk'), choices: [], usage }));
  }
  list.push(frame('[DONE]'));
  return list;
}

/** A problem as the body of an error response. */
export const problem = ({ status, message, type, code, retryAfterMs }, provider) =>
  // The router's own errors are often no more than a sentence.
  provider === 'huggingface'
    ? { error: message }
    : provider === 'openrouter'
      ? {
          error: {
            code: status,
            message,
            ...(retryAfterMs ? { availability: { retry_after: retryAfterMs / 1000 } } : {}),
          },
        }
      : { error: { message, type, param: null, code } };

/** The same in the middle of a stream. */
export const problemFrame = (given, provider) =>
  frame(problem(given, provider), provider === 'groq' ? { event: 'error' } : {});

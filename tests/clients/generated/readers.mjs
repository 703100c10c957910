// What each client reads of an answer. `raw` is all of it, for comparing a client with itself; `said` is what can be
// compared with what a provider of any dialect said, without what the client does not tell.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import Groq from 'groq-sdk';
import OpenAI from 'openai';

import { MODEL, parsed, question } from './asking.mjs';
import { AI_READERS } from './readers-ai.mjs';

const count = (number) => number ?? 0;

const empty = () => ({ text: '', reasoning: '', refusal: '', calls: [], finish: undefined });

const CHAT_FINISH = { stop: 'stop', tool_calls: 'tool', length: 'length', content_filter: 'filter' };

const chatUsage = (usage) =>
  usage && {
    input: usage.prompt_tokens,
    cached: count(usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens),
    output: usage.completion_tokens,
    reasoning: count(usage.completion_tokens_details?.reasoning_tokens),
  };

/** Puts a stream of chat completions together, as their documentation says. */
function collected(chunks) {
  const said = { choices: [], usage: null };
  for (const chunk of chunks) {
    said.usage = chatUsage(chunk.usage ?? chunk.x_groq?.usage) ?? said.usage;
    for (const { index, delta, finish_reason } of chunk.choices) {
      const own = (said.choices[index] ??= empty());
      own.text += delta.content ?? '';
      own.reasoning += delta.reasoning ?? delta.reasoning_content ?? '';
      own.refusal += delta.refusal ?? '';
      for (const piece of delta.tool_calls ?? []) {
        const call = (own.calls[piece.index] ??= { id: '', name: '', args: '' });
        call.id ||= piece.id ?? '';
        call.name ||= piece.function?.name ?? '';
        call.args += piece.function?.arguments ?? '';
      }
      if (finish_reason) own.finish = CHAT_FINISH[finish_reason];
    }
  }
  for (const call of said.choices.flatMap((choice) => choice.calls)) call.args = parsed(call.args);
  return said;
}

const whole = (answer) => ({
  choices: answer.choices.map(({ message, finish_reason }) => ({
    text: message.content ?? '',
    reasoning: message.reasoning ?? message.reasoning_content ?? '',
    refusal: message.refusal ?? '',
    calls: (message.tool_calls ?? []).map(({ id, function: own }) => ({
      id,
      name: own.name,
      args: parsed(own.arguments),
    })),
    finish: CHAT_FINISH[finish_reason],
  })),
  usage: chatUsage(answer.usage) ?? null,
});

const chat = (make, more, own) => ({
  dialect: 'chat',
  own,
  manyChoices: true,
  async read({ fetch, stream, choices }) {
    const client = make({ apiKey: 'x', fetch, maxRetries: 0 });
    const messages = [{ role: 'user', content: question() }];
    const request = { model: MODEL, messages, ...(choices > 1 ? { n: choices } : {}) };
    if (!stream) {
      const raw = await client.chat.completions.create(request);
      return { raw, said: whole(raw) };
    }
    const raw = [];
    for await (const chunk of await client.chat.completions.create({ ...request, stream, ...more })) raw.push(chunk);
    return { raw, said: collected(raw) };
  },
});

const responses = {
  dialect: 'responses',
  async read({ fetch, stream }) {
    const client = new OpenAI({ apiKey: 'x', fetch, maxRetries: 0 });
    const request = { model: MODEL, input: question(), store: false };
    if (!stream) {
      const answer = await client.responses.create(request);
      return { raw: answer, said: responseSaid(answer) };
    }
    const raw = [];
    let answer;
    const pieces = { text: '', refusal: '', reasoning: '' };
    for await (const event of await client.responses.create({ ...request, stream })) {
      raw.push(event);
      const [, kind] = /^response\.(?:output_)?(text|refusal|reasoning)\w*\.delta$/.exec(event.type) ?? [];
      if (kind) pieces[kind] += event.delta;
      if (/^response\.(completed|incomplete)$/.test(event.type)) answer = event.response;
    }
    if (!answer) throw new Error('the stream has no end');
    const said = responseSaid(answer);
    for (const [kind, text] of Object.entries(pieces)) {
      if (said.choices[0][kind] !== text) throw new Error(`the pieces of the ${kind} are not what stands at the end`);
    }
    return { raw, said };
  },
};

function responseSaid({ output, status, incomplete_details, usage }) {
  const of = (type) => output.filter((item) => item.type === type);
  const content = of('message').flatMap((item) => item.content);
  const thoughts = of('reasoning').flatMap((item) => [...(item.content ?? []), ...item.summary]);
  const calls = of('function_call').map(({ call_id: id, name, arguments: json }) => ({ id, name, args: parsed(json) }));
  const early = incomplete_details?.reason === 'max_output_tokens' ? 'length' : 'filter';
  const choice = {
    text: content.map((part) => part.text ?? '').join(''),
    reasoning: thoughts.map((part) => part.text).join(''),
    refusal: content.map((part) => part.refusal ?? '').join(''),
    calls,
    finish: status === 'incomplete' ? early : calls.length > 0 ? 'tool' : 'stop',
  };
  const counts = usage && {
    input: usage.input_tokens,
    cached: usage.input_tokens_details.cached_tokens,
    output: usage.output_tokens,
    reasoning: usage.output_tokens_details.reasoning_tokens,
  };
  return { choices: [choice], usage: counts ?? null };
}

const MESSAGE_FINISH = { end_turn: 'stop', tool_use: 'tool', max_tokens: 'length', refusal: 'filter' };

const anthropic = {
  dialect: 'anthropic',
  async read({ fetch, stream }) {
    const client = new Anthropic({ apiKey: 'x', fetch, maxRetries: 0 });
    const request = { model: MODEL, max_tokens: 64, messages: [{ role: 'user', content: question() }] };
    const asking = client.messages;
    const answer = stream ? await asking.stream(request).finalMessage() : await asking.create(request);
    const { content, usage, stop_reason, stop_details } = answer;
    const of = (type) => content.filter((block) => block.type === type);
    const choice = {
      text: of('text').map((block) => block.text).join(''), // prettier-ignore
      reasoning: of('thinking').map((block) => block.thinking).join(''), // prettier-ignore
      refusal: stop_details?.explanation ?? '',
      calls: of('tool_use').map(({ id, name, input }) => ({ id, name, args: input })),
      finish: MESSAGE_FINISH[stop_reason],
    };
    const cached = count(usage.cache_read_input_tokens);
    const counts = {
      input: usage.input_tokens + cached + count(usage.cache_creation_input_tokens),
      cached,
      output: usage.output_tokens,
      reasoning: count(usage.output_tokens_details?.thinking_tokens),
    };
    // Its answers never lack usage: what is unknown is zero.
    return { raw: answer, said: { choices: [choice], usage: counts.input > 0 ? counts : null } };
  },
};

const CANDIDATE_FINISH = { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'filter' };

const google = {
  dialect: 'google',
  manyChoices: true,
  async read({ fetch, stream, choices }) {
    const { models } = new GoogleGenAI({ apiKey: 'x', httpOptions: { fetch } });
    const config = choices > 1 ? { config: { candidateCount: choices } } : {};
    const request = { model: MODEL, contents: question(), ...config };
    const raw = [];
    if (stream) for await (const chunk of await models.generateContentStream(request)) raw.push(chunk);
    else raw.push(await models.generateContent(request));
    // How it was carried is no part of what it says.
    for (const response of raw) delete response.sdkHttpResponse;
    return { raw, said: responsesSaid(raw) };
  },
};

function responsesSaid(responses) {
  const said = { choices: [], usage: null };
  for (const { candidates, usageMetadata: usage } of responses) {
    for (const { index, content, finishReason } of candidates ?? []) {
      const own = (said.choices[index ?? 0] ??= empty());
      for (const { functionCall: call, thought, text } of content?.parts ?? []) {
        if (call) own.calls.push({ id: call.id, name: call.name, args: call.args ?? {} });
        else own[thought ? 'reasoning' : 'text'] += text ?? '';
      }
      if (finishReason) own.finish = CANDIDATE_FINISH[finishReason];
    }
    if (usage) {
      const reasoning = count(usage.thoughtsTokenCount);
      const output = count(usage.candidatesTokenCount) + reasoning;
      said.usage = { input: usage.promptTokenCount, cached: count(usage.cachedContentTokenCount), output, reasoning };
    }
  }
  for (const own of said.choices) if (own.finish === 'stop' && own.calls.length > 0) own.finish = 'tool';
  return said;
}

/** Clients of one dialect each; `manyChoices` for those that can ask for several answers, `own` for those of one provider. */
export const READERS = {
  openai: chat((options) => new OpenAI(options), { stream_options: { include_usage: true } }),
  // It asks for no usage, and is told it all the same.
  'groq-sdk': chat((options) => new Groq(options), {}, 'groq'),
  'openai responses': responses,
  '@anthropic-ai/sdk': anthropic,
  '@google/genai': google,
  ...AI_READERS,
};

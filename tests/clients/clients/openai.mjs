// `openai` by chat completions, and what is generated from the same: the plain shape of most clients.

import OpenAI from 'openai';

import { describeGenerated, MAX_TOKENS, SCHEMA, TOOL } from './questions.mjs';

const usageOf = ({ prompt_tokens: input, completion_tokens: output } = {}) => ({ input, output });
const tools = [
  { type: 'function', function: { name: TOOL.name, description: TOOL.description, parameters: TOOL.schema } },
];

/** The operations of any client with `chat.completions.create`. */
export function chatOperations(client, model) {
  const create = (body, signal) =>
    client.chat.completions.create({ model, max_tokens: MAX_TOKENS, ...body }, signal ? { signal } : {});
  const user = (content) => [{ role: 'user', content }];
  return {
    async plain(question, { signal }) {
      const answer = await create({ messages: user(question) }, signal);
      const [choice] = answer.choices;
      return { text: choice.message.content, finish: choice.finish_reason, usage: usageOf(answer.usage) };
    },
    async stream(question, { signal, onPiece }) {
      const options = client instanceof OpenAI ? { stream_options: { include_usage: true } } : {};
      const stream = await create({ messages: user(question), stream: true, ...options }, signal);
      let text = '';
      let finish;
      let usage;
      for await (const chunk of stream) {
        const [choice] = chunk.choices;
        const piece = choice?.delta.content;
        finish = choice?.finish_reason ?? finish;
        // Groq says it under a name of its own as well.
        usage = chunk.usage ?? chunk.x_groq?.usage ?? usage;
        if (piece) text += piece;
        if (piece) onPiece?.(piece);
      }
      return { text, finish, usage: usageOf(usage) };
    },
    async tools(question, { signal }) {
      const messages = user(question);
      const first = await create({ messages, tools }, signal);
      const { message, finish_reason: finish } = first.choices[0];
      const [call] = message.tool_calls;
      const result = { role: 'tool', tool_call_id: call.id, content: JSON.stringify(TOOL.result) };
      const second = await create({ messages: [...messages, message, result], tools }, signal);
      const { name, arguments: args } = call.function;
      return { name, args: JSON.parse(args), finish, text: second.choices[0].message.content };
    },
    async json(question, { signal }) {
      const format = { type: 'json_schema', json_schema: { name: 'weather', strict: true, schema: SCHEMA } };
      const answer = await create({ messages: user(question), response_format: format }, signal);
      return JSON.parse(answer.choices[0].message.content);
    },
  };
}

/** The settings that these SDKs share; what is not given stays the SDK's default. */
export const settings = ({ fetch, apiKey, headers, maxRetries, timeoutMs }) => ({
  apiKey,
  dangerouslyAllowBrowser: true,
  ...(fetch ? { fetch } : {}),
  ...(headers ? { defaultHeaders: headers } : {}),
  ...(maxRetries === undefined ? {} : { maxRetries }),
  ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
});

/** @type {import('./questions.mjs').Client} */
export const openai = {
  provider: 'openai',
  model: 'gpt-4.1-mini',
  path: '/v1',
  obeys: true,
  endsQuietly: true,
  open: (setup) => {
    const client = new OpenAI({ ...settings(setup), baseURL: setup.origin + (setup.path ?? openai.path) });
    return chatOperations(client, setup.model ?? openai.model);
  },
  describe: (error) => describeGenerated(OpenAI, error),
};

function responsesOperations(client, model) {
  const create = (body, signal) =>
    client.responses.create({ model, max_output_tokens: MAX_TOKENS, store: false, ...body }, signal ? { signal } : {});
  const usage = ({ input_tokens: input, output_tokens: output }) => ({ input, output });
  const called = [
    { type: 'function', name: TOOL.name, description: TOOL.description, parameters: TOOL.schema, strict: true },
  ];
  return {
    async plain(question, { signal }) {
      const answer = await create({ input: question }, signal);
      return { text: answer.output_text, finish: answer.status, usage: usage(answer.usage) };
    },
    async stream(question, { signal, onPiece }) {
      let text = '';
      let final;
      for await (const event of await create({ input: question, stream: true }, signal)) {
        if (event.type === 'response.completed') final = event.response;
        if (event.type !== 'response.output_text.delta') continue;
        text += event.delta;
        onPiece?.(event.delta);
      }
      return { text, finish: final?.status, usage: usage(final?.usage ?? {}) };
    },
    async tools(question, { signal }) {
      const input = [{ role: 'user', content: question }];
      const first = await create({ input, tools: called }, signal);
      const call = first.output.find(({ type }) => type === 'function_call');
      const result = { type: 'function_call_output', call_id: call.call_id, output: JSON.stringify(TOOL.result) };
      const second = await create({ input: [...input, ...first.output, result], tools: called }, signal);
      return { name: call.name, args: JSON.parse(call.arguments), finish: first.status, text: second.output_text };
    },
    async json(question, { signal }) {
      const format = { type: 'json_schema', name: 'weather', strict: true, schema: SCHEMA };
      return JSON.parse((await create({ input: question, text: { format } }, signal)).output_text);
    },
  };
}

/** @type {import('./questions.mjs').Client} */
export const openaiResponses = {
  ...openai,
  open: (setup) => {
    const client = new OpenAI({ ...settings(setup), baseURL: setup.origin + (setup.path ?? openai.path) });
    return responsesOperations(client, setup.model ?? openai.model);
  },
};

import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';

import { openai } from './openai.mjs';
import { MAX_TOKENS, SCHEMA, TOOL } from './questions.mjs';

const tools = [
  { type: 'function', function: { name: TOOL.name, description: TOOL.description, parameters: TOOL.schema } },
];
const usageOf = ({ input_tokens: input, output_tokens: output } = {}) => ({ input, output });

function operations(model) {
  const given = (signal) => (signal ? { signal } : {});
  return {
    async plain(question, { signal }) {
      const answer = await model.invoke(question, given(signal));
      const { finish_reason: finish } = answer.response_metadata;
      return { text: answer.text, finish, usage: usageOf(answer.usage_metadata) };
    },
    async stream(question, { signal, onPiece }) {
      let all;
      for await (const chunk of await model.stream(question, given(signal))) {
        all = all ? all.concat(chunk) : chunk;
        if (chunk.text) onPiece?.(chunk.text);
      }
      const { finish_reason: finish } = all?.response_metadata ?? {};
      return { text: all?.text, finish, usage: usageOf(all?.usage_metadata) };
    },
    async tools(question, { signal }) {
      const able = model.bindTools(tools);
      const messages = [new HumanMessage(question)];
      const first = await able.invoke(messages, given(signal));
      const [call] = first.tool_calls;
      const result = new ToolMessage({ tool_call_id: call.id, content: JSON.stringify(TOOL.result) });
      const second = await able.invoke([...messages, first, result], given(signal));
      const { finish_reason: finish } = first.response_metadata;
      return { name: call.name, args: call.args, finish, text: second.text };
    },
    async json(question, { signal }) {
      const structured = model.withStructuredOutput(SCHEMA, { name: 'weather', method: 'jsonSchema', strict: true });
      return structured.invoke(question, given(signal));
    },
  };
}

/** @type {import('./questions.mjs').Client} */
export const langchain = {
  provider: 'openai',
  model: 'gpt-4.1-mini',
  path: '/v1',
  // Its own retries stand around those of the `openai` package: `maxRetries: 0` leaves them to the gateway.
  obeys: false,
  open: (setup) => {
    const { fetch, apiKey, headers, maxRetries, timeoutMs, origin } = setup;
    const configuration = {
      baseURL: origin + (setup.path ?? '/v1'),
      dangerouslyAllowBrowser: true,
      ...(fetch ? { fetch } : {}),
      ...(headers ? { defaultHeaders: headers } : {}),
    };
    return operations(
      new ChatOpenAI({
        model: langchain.model,
        apiKey,
        maxTokens: MAX_TOKENS,
        configuration,
        ...(maxRetries === undefined ? {} : { maxRetries }),
        ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      }),
    );
  },
  describe: (error) => {
    const names = { AbortError: 'aborted', TimeoutError: 'timeout' };
    const known = openai.describe(error);
    return known.kind === 'unreadable' && names[error?.name] ? { kind: names[error.name] } : known;
  },
};

import Anthropic from '@anthropic-ai/sdk';

import { settings } from './openai.mjs';
import { describeGenerated, MAX_TOKENS, SCHEMA, TOOL } from './questions.mjs';

const tools = [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.schema }];
const textOf = ({ content }) => content.map((block) => block.text ?? '').join('');
const usageOf = ({ input_tokens: input, output_tokens: output } = {}) => ({ input, output });

function operations(client, model) {
  const whole = (body) => ({ model, max_tokens: MAX_TOKENS, ...body });
  const user = (content) => [{ role: 'user', content }];
  const create = (body, signal) => client.messages.create(whole(body), signal ? { signal } : {});
  return {
    async plain(question, { signal }) {
      const answer = await create({ messages: user(question) }, signal);
      return { text: textOf(answer), finish: answer.stop_reason, usage: usageOf(answer.usage) };
    },
    async stream(question, { signal, onPiece }) {
      const stream = client.messages.stream(whole({ messages: user(question) }), signal ? { signal } : {});
      stream.on('text', (piece) => onPiece?.(piece));
      const answer = await stream.finalMessage();
      return { text: textOf(answer), finish: answer.stop_reason, usage: usageOf(answer.usage) };
    },
    async tools(question, { signal }) {
      const messages = user(question);
      const first = await create({ messages, tools }, signal);
      const call = first.content.find(({ type }) => type === 'tool_use');
      const result = { type: 'tool_result', tool_use_id: call.id, content: JSON.stringify(TOOL.result) };
      const turns = [{ role: 'assistant', content: first.content }, ...[{ role: 'user', content: [result] }]];
      const second = await create({ messages: [...messages, ...turns], tools }, signal);
      return { name: call.name, args: call.input, finish: first.stop_reason, text: textOf(second) };
    },
    async json(question, { signal }) {
      const format = { type: 'json_schema', schema: SCHEMA };
      return JSON.parse(textOf(await create({ messages: user(question), output_config: { format } }, signal)));
    },
  };
}

/** @type {import('./questions.mjs').Client} */
export const anthropic = {
  provider: 'anthropic',
  model: 'claude-sonnet-5',
  path: '',
  obeys: true,
  open: (setup) => {
    const client = new Anthropic({ ...settings(setup), baseURL: setup.origin + (setup.path ?? '') });
    return operations(client, setup.model ?? anthropic.model);
  },
  describe: (error) => describeGenerated(Anthropic, error),
};

// OpenAI's responses.

import { argumentsOf, contentText, frame, halves, reply } from './replies.mjs';
import { problem as chatProblem } from './chat.mjs';

export function read(path, body) {
  const input = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? []);
  return {
    model: body.model,
    stream: body.stream === true,
    question: contentText(input.findLast(({ role }) => role === 'user')?.content),
    tool: body.tools?.[0]?.name,
    toolResult: input.at(-1)?.type === 'function_call_output',
    json: body.text?.format !== undefined && body.text.format.type !== 'text',
  };
}

const usageOf = ({ input, output }) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
});

const messageItem = (text, status = 'completed') => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status,
  content: status === 'completed' ? [{ type: 'output_text', text, annotations: [], logprobs: [] }] : [],
});

const callItem = (tool, status = 'completed') => ({
  id: 'fc_1',
  type: 'function_call',
  call_id: 'call_1',
  name: tool,
  arguments: status === 'completed' ? JSON.stringify(argumentsOf(tool)) : '',
  status,
});

/** What a response says of a request that asked for nothing but an answer. */
export const PLAIN = {
  instructions: null,
  max_output_tokens: null,
  parallel_tool_calls: true,
  previous_response_id: null,
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  user: null,
  metadata: {},
};

const response = (asked, answer, status) => ({
  id: 'resp_stand_in',
  object: 'response',
  created_at: 1_770_770_839,
  status,
  error: null,
  incomplete_details: null,
  ...PLAIN,
  model: asked.model,
  output: status === 'completed' ? [answer.tool ? callItem(answer.tool) : messageItem(answer.pieces.join(''))] : [],
  usage: status === 'completed' ? usageOf(answer.usage) : null,
});

export const whole = (asked) => response(asked, reply(asked), 'completed');

export function frames(asked) {
  const answer = reply(asked);
  const list = [];
  const event = (type, data, content = false) =>
    list.push(frame({ type, sequence_number: list.length, ...data }, { content, event: type }));
  event('response.created', { response: response(asked, answer, 'in_progress') });
  event('response.in_progress', { response: response(asked, answer, 'in_progress') });
  const at = { output_index: 0 };
  if (answer.tool) {
    const item = { ...at, item_id: 'fc_1' };
    const text = JSON.stringify(argumentsOf(answer.tool));
    event('response.output_item.added', { ...at, item: callItem(answer.tool, 'in_progress') });
    for (const delta of halves(text)) event('response.function_call_arguments.delta', { ...item, delta }, true);
    event('response.function_call_arguments.done', { ...item, name: answer.tool, arguments: text });
    event('response.output_item.done', { ...at, item: callItem(answer.tool) });
  } else {
    const item = { ...at, item_id: 'msg_1', content_index: 0 };
    const text = answer.pieces.join('');
    event('response.output_item.added', { ...at, item: messageItem('', 'in_progress') });
    event('response.content_part.added', {
      ...item,
      part: { type: 'output_text', text: '', annotations: [], logprobs: [] },
    });
    for (const delta of answer.pieces) event('response.output_text.delta', { ...item, delta, logprobs: [] }, true);
    event('response.output_text.done', { ...item, text, logprobs: [] });
    event('response.content_part.done', { ...item, part: messageItem(text).content[0] });
    event('response.output_item.done', { ...at, item: messageItem(text) });
  }
  event('response.completed', { response: response(asked, answer, 'completed') });
  return list;
}

export const problem = chatProblem;

export const problemFrame = ({ message, code }) =>
  frame({ type: 'error', sequence_number: 99, code, message, param: null }, { event: 'error' });

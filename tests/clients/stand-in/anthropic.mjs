// Anthropic's messages.

import { argumentsOf, contentText, frame, halves, reply } from './replies.mjs';

export function read(path, body) {
  const messages = body.messages ?? [];
  const last = messages.at(-1)?.content;
  const user = messages.findLast(({ role, content }) => role === 'user' && contentText(content) !== '');
  return {
    model: body.model,
    stream: body.stream === true,
    question: contentText(user?.content),
    tool: body.tools?.[0]?.name,
    toolResult: Array.isArray(last) && last.some(({ type }) => type === 'tool_result'),
    json: body.output_config?.format !== undefined || body.output_format !== undefined,
  };
}

const cached = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const message = (asked, content, stop, usage) => ({
  id: 'msg_stand_in',
  type: 'message',
  role: 'assistant',
  model: asked.model,
  content,
  stop_reason: stop,
  stop_sequence: null,
  usage: { ...usage, ...cached, service_tier: 'standard' },
});
const stopOf = ({ finish }) => (finish === 'tool' ? 'tool_use' : 'end_turn');

export function whole(asked) {
  const answer = reply(asked);
  const content = answer.tool
    ? [{ type: 'tool_use', id: 'toolu_1', name: answer.tool, input: argumentsOf(answer.tool) }]
    : [{ type: 'text', text: answer.pieces.join('') }];
  const { input, output } = answer.usage;
  return message(asked, content, stopOf(answer), { input_tokens: input, output_tokens: output });
}

export function frames(asked) {
  const answer = reply(asked);
  const { input, output } = answer.usage;
  const event = (type, data, content = false) => frame({ type, ...data }, { event: type, content });
  const delta = (value) => event('content_block_delta', { index: 0, delta: value }, true);
  const block = answer.tool
    ? { type: 'tool_use', id: 'toolu_1', name: answer.tool, input: {} }
    : { type: 'text', text: '' };
  const deltas = answer.tool
    ? ['', ...halves(JSON.stringify(argumentsOf(answer.tool)))].map((partial_json) =>
        delta({ type: 'input_json_delta', partial_json }),
      )
    : answer.pieces.map((text) => delta({ type: 'text_delta', text }));
  return [
    event('message_start', { message: message(asked, [], null, { input_tokens: input, output_tokens: 1 }) }),
    event('content_block_start', { index: 0, content_block: block }),
    event('ping', {}),
    ...deltas,
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: stopOf(answer), stop_sequence: null },
      usage: { input_tokens: input, output_tokens: output, ...cached },
    }),
    event('message_stop', {}),
  ];
}

const TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export const problem = ({ status, message }) => ({
  type: 'error',
  error: { type: TYPES[status] ?? 'api_error', message },
  request_id: 'req_stand_in',
});

export const problemFrame = ({ message }) => frame(problem({ status: 529, message }), { event: 'error' });

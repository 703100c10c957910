// Providers of each dialect that call tools for a while: what they answer, whole and streamed, signed as the real ones do.

/** How long each turn goes on: calls in each answer, then a text. */
const CALLS = [1, 2, 1, 0];

const sse = (event, name) => `${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(event)}\n\n`;
const halves = (text) => [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];

/** What is said in the turn's answer `step`; `at` makes it another each time. */
function said(step, at) {
  const count = CALLS[Math.min(step, CALLS.length - 1)];
  const calls = Array.from({ length: count }, (_, index) => ({
    key: `${at}x${index}`,
    args: { city: `City ${at} ${index}` },
  }));
  // Some models write a line feed before they call a tool.
  return {
    at,
    calls,
    thought: `Thought ${at}.`,
    text: count === 0 ? `Done ${at}.` : ['', 'Let me see.', '\n\n'][at % 3],
  };
}

function chat({ at, calls, thought, text }, { provider, model, stream }) {
  const own = {
    groq: 'call_',
    openai: 'call_',
    mistral: 'Tool',
    deepseek: 'call_00_',
    mine: 'chatcmpl-tool-000000000000000000000',
  };
  const id = (key) =>
    provider === 'mistral' ? `M${key.replace('x', 'y')}`.padEnd(9, 'z') : own[provider] + key.padStart(11, '0');
  const message = { role: 'assistant', content: text || null };
  if (provider === 'openai') Object.assign(message, { refusal: null, annotations: [] });
  if (provider === 'groq' && model.includes('gpt-oss')) message.reasoning = thought;
  if (provider === 'deepseek' || provider === 'mine') message.reasoning_content = thought;
  if (calls.length > 0) {
    const call = ({ key, args }) => ({
      id: id(key),
      type: 'function',
      function: { name: 'weather', arguments: JSON.stringify(args) },
    });
    message.tool_calls = calls.map(call);
  }
  const head = { id: `chatcmpl-${at}`, created: 1, model };
  const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 };
  const finish_reason = calls.length > 0 ? 'tool_calls' : 'stop';
  if (!stream)
    return {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason, logprobs: null }],
      usage,
    };
  const chunk = (delta, finish = null) =>
    sse({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] });
  const { tool_calls = [], content, refusal: _refusal, annotations: _annotations, role, ...thoughts } = message;
  const events = [
    chunk({ role, content: '' }),
    ...Object.entries(thoughts).map(([name, own]) => chunk({ [name]: own })),
  ];
  for (const piece of halves(content ?? '').filter(Boolean)) events.push(chunk({ content: piece }));
  for (const [index, call] of tool_calls.entries()) {
    events.push(chunk({ tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: '' } }] }));
    for (const piece of halves(call.function.arguments))
      events.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
  }
  return [
    ...events,
    chunk({}, finish_reason),
    sse({ ...head, object: 'chat.completion.chunk', choices: [], usage }),
    'data: [DONE]\n\n',
  ].join('');
}

function anthropic({ at, calls, thought, text }, { model, stream, thinks }) {
  const content = thinks ? [{ type: 'thinking', thinking: thought, signature: `ANT${at}=` }] : [];
  if (thinks && at % 2) content.push({ type: 'redacted_thinking', data: `ANTr${at}=` });
  if (text.trim()) content.push({ type: 'text', text, citations: null });
  for (const { key, args } of calls)
    content.push({ type: 'tool_use', id: `toolu_${key}`, name: 'weather', input: args });
  const stop = { stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null };
  const usage = { input_tokens: 5, output_tokens: 5 };
  const message = { id: `msg_${at}`, type: 'message', role: 'assistant', model, content, ...stop, usage };
  if (!stream) return message;
  const event = (type, more) => sse({ type, ...more }, type);
  const events = [event('message_start', { message: { ...message, content: [], stop_reason: null } })];
  for (const [index, block] of content.entries()) {
    const delta = (own) => events.push(event('content_block_delta', { index, delta: own }));
    const empty = { thinking: { thinking: '', signature: '' }, text: { text: '' }, tool_use: { input: {} } }[
      block.type
    ];
    events.push(event('content_block_start', { index, content_block: { ...block, ...empty } }));
    if (block.type === 'thinking') {
      for (const thinking of halves(block.thinking)) delta({ type: 'thinking_delta', thinking });
      delta({ type: 'signature_delta', signature: block.signature });
    }
    if (block.type === 'text') for (const piece of halves(text)) delta({ type: 'text_delta', text: piece });
    if (block.type === 'tool_use') {
      for (const partial_json of halves(JSON.stringify(block.input))) delta({ type: 'input_json_delta', partial_json });
    }
    events.push(event('content_block_stop', { index }));
  }
  return [...events, event('message_delta', { delta: stop, usage }), event('message_stop', {})].join('');
}

function google({ at, calls, thought, text }, { model, stream }) {
  const parts = [{ text: thought, thought: true }];
  if (text) parts.push({ text });
  for (const { args } of calls) parts.push({ functionCall: { name: 'weather', args } });
  const first = parts.find(({ functionCall }) => functionCall);
  const thoughtSignature = `GEM${String(at).padStart(3, '0')}==`;
  if (first) first.thoughtSignature = thoughtSignature;
  else if (stream) parts.push({ text: '', thoughtSignature });
  else parts.at(-1).thoughtSignature = thoughtSignature;
  const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 5, totalTokenCount: 10 };
  const tail = { usageMetadata, modelVersion: model, responseId: `r${at}` };
  const candidate = (own, finishReason) => ({
    candidates: [{ index: 0, content: { role: 'model', parts: own }, finishReason }],
    ...tail,
  });
  if (!stream) return candidate(parts, 'STOP');
  // Calls at the same time come in one event.
  const groups = [...parts.filter(({ functionCall }) => !functionCall).map((part) => [part])];
  if (calls.length > 0) groups.push(parts.slice(-calls.length));
  return groups.map((group, index) => sse(candidate(group, index === groups.length - 1 ? 'STOP' : undefined))).join('');
}

function responses({ at, calls, thought, text }, { model, stream }) {
  const output = [{ type: 'reasoning', id: `rs_${'0'.repeat(20)}${at}`, summary: [], encrypted_content: `OAI${at}=` }];
  if (at % 2) output[0].summary.push({ type: 'summary_text', text: thought });
  if (text.trim()) {
    const part = { type: 'output_text', text, annotations: [], logprobs: [] };
    output.push({ type: 'message', id: `msg_${at}`, status: 'completed', role: 'assistant', content: [part] });
  }
  for (const { key, args } of calls) {
    const call = { call_id: `call_r${key}`, name: 'weather', arguments: JSON.stringify(args), status: 'completed' };
    output.push({ type: 'function_call', id: `fc_${key}`, ...call });
  }
  const usage = {
    input_tokens: 5,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 10,
  };
  const head = {
    id: `resp_${at}`,
    object: 'response',
    created_at: 1,
    model,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
  };
  const whole = { ...head, status: 'completed', output, usage };
  if (!stream) return whole;
  let sequence_number = 0;
  const event = (type, more) => sse({ type, ...more, sequence_number: sequence_number++ }, type);
  const events = [event('response.created', { response: { ...head, status: 'in_progress', output: [] } })];
  for (const [output_index, item] of output.entries()) {
    const begun = {
      message: { content: [], status: 'in_progress' },
      function_call: { arguments: '', status: 'in_progress' },
      reasoning: { summary: [] },
    }[item.type];
    events.push(event('response.output_item.added', { output_index, item: { ...item, ...begun } }));
    const place = { item_id: item.id, output_index };
    if (item.type === 'message') {
      events.push(
        event('response.content_part.added', { ...place, content_index: 0, part: { ...item.content[0], text: '' } }),
      );
      for (const delta of halves(text))
        events.push(event('response.output_text.delta', { ...place, content_index: 0, delta, logprobs: [] }));
      events.push(event('response.output_text.done', { ...place, content_index: 0, text, logprobs: [] }));
      events.push(event('response.content_part.done', { ...place, content_index: 0, part: item.content[0] }));
    }
    if (item.type === 'function_call') {
      for (const delta of halves(item.arguments))
        events.push(event('response.function_call_arguments.delta', { ...place, delta }));
      events.push(
        event('response.function_call_arguments.done', { ...place, name: item.name, arguments: item.arguments }),
      );
    }
    if (item.summary?.length > 0) {
      const [part] = item.summary;
      events.push(
        event('response.reasoning_summary_part.added', { ...place, summary_index: 0, part: { ...part, text: '' } }),
      );
      events.push(event('response.reasoning_summary_text.delta', { ...place, summary_index: 0, delta: part.text }));
      events.push(event('response.reasoning_summary_text.done', { ...place, summary_index: 0, text: part.text }));
      events.push(event('response.reasoning_summary_part.done', { ...place, summary_index: 0, part }));
    }
    events.push(event('response.output_item.done', { output_index, item }));
  }
  return [...events, event('response.completed', { response: whole })].join('');
}

const WRITERS = { chat, anthropic, google, responses };

/** A provider's answer: a body, or the text of a stream. */
export const answer = (dialect, step, at, asked) => WRITERS[dialect](said(step, at), asked);

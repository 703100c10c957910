// Messages, as Anthropic writes them.

const STOP = { stop: 'end_turn', tool: 'tool_use', length: 'max_tokens', filter: 'refusal' };

const CITATION = {
  type: 'web_search_result_location',
  url: 'https://a.example',
  title: 'A',
  encrypted_index: 'Eo8B',
  cited_text: 'a',
};
const SEARCHED = [
  { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'a' } },
  {
    type: 'web_search_tool_result',
    tool_use_id: 'srvtoolu_1',
    content: [
      { type: 'web_search_result', url: 'https://a.example', title: 'A', encrypted_content: 'EqgB', page_age: null },
    ],
  },
];
const RAN = [
  { type: 'server_tool_use', id: 'srvtoolu_2', name: 'bash_code_execution', input: { command: 'ls' } },
  {
    type: 'bash_code_execution_tool_result',
    tool_use_id: 'srvtoolu_2',
    content: { type: 'bash_code_execution_result', stdout: 'a', stderr: '', return_code: 0, content: [] },
  },
];

/** Its input leaves out what was read from the cache, and what was written to it. */
function counts(draw, { input, cached, written, output, reasoning }) {
  const hour = written && draw.chance(0.4) ? draw.int(0, written) : 0;
  const lives = { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour };
  const given = {
    input_tokens: input - cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    ...(hour || draw.chance(0.6) ? { cache_creation: lives } : {}),
    service_tier: 'standard',
    ...draw.noise(),
  };
  const made = {
    output_tokens: output,
    ...(reasoning ? { output_tokens_details: { thinking_tokens: reasoning } } : {}),
  };
  return { given, made };
}

function blocksOf(draw, { text, reasoning, calls }, extra) {
  const cut = (whole, share) => (draw.chance(share) ? draw.pieces(whole) : whole ? [whole] : []);
  const signature = draw.chance(0.9) ? `Eq${draw.int(1_000, 9_999)}+/=` : '';
  const thoughts = cut(reasoning, 0.3).map((thinking) => ({ type: 'thinking', thinking, signature }));
  if (draw.chance(0.15)) thoughts.push({ type: 'redacted_thinking', data: `Em${draw.int(10, 99)}` });
  const citations = extra === 'annotations' ? [CITATION] : null;
  const texts = cut(text, 0.2).map((piece) => ({ type: 'text', text: piece, citations }));
  const uses = calls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: args }));
  const own = { searched: SEARCHED, ran: RAN }[extra] ?? [];
  return [...thoughts, ...own, ...(draw.chance(0.2) ? draw.merged([texts, uses]) : [...texts, ...uses])];
}

export function anthropic(draw, model) {
  const [said] = model.choices;
  if (said.finish !== 'filter') said.refusal = '';
  if (model.extra === 'annotations' && !said.text) model.extra = null;
  model.usage ??= { input: 60, cached: 0, written: 0, output: 1, reasoning: 0 };
  const { given, made } = counts(draw, model.usage);
  const blocks = blocksOf(draw, said, model.extra);
  const details = said.refusal ? { type: 'refusal', category: null, explanation: said.refusal } : null;
  const stop = { stop_reason: STOP[said.finish], stop_sequence: null, stop_details: details };
  const head = { id: model.id, type: 'message', role: 'assistant', model: model.name };
  const whole = draw.json({ ...head, content: blocks, ...stop, usage: { ...given, ...made }, ...draw.noise() });

  const events = [];
  const add = (type, more) => events.push({ type, ...more });
  const open = { ...head, content: [], stop_reason: null, stop_sequence: null };
  add('message_start', { message: { ...open, usage: { ...given, output_tokens: 1 } } });
  if (draw.chance(0.7)) add('ping', {});
  for (const [index, block] of blocks.entries()) blockEvents(draw, index, block, add);
  add('message_delta', { delta: stop, usage: draw.chance(0.5) ? made : { ...given, ...made } });
  add('message_stop', {});
  const frames = events.map((event) => `event: ${event.type}\ndata: ${draw.json(event)}\n\n`);
  return { whole, frames: () => frames };
}

function blockEvents(draw, index, block, add) {
  const delta = (own) => add('content_block_delta', { index, delta: own });
  const start = (content_block) => add('content_block_start', { index, content_block });
  const input = (own) => {
    const json = JSON.stringify(own);
    if (json === '{}' && draw.chance(0.5)) return;
    for (const partial_json of ['', ...draw.pieces(json)]) delta({ type: 'input_json_delta', partial_json });
  };
  if (block.type === 'text') {
    start({ ...block, text: '', citations: block.citations && [] });
    for (const citation of block.citations ?? []) delta({ type: 'citations_delta', citation });
    for (const text of draw.pieces(block.text)) delta({ type: 'text_delta', text });
  } else if (block.type === 'thinking') {
    start({ ...block, thinking: '', signature: '' });
    for (const thinking of draw.pieces(block.thinking)) delta({ type: 'thinking_delta', thinking });
    if (block.signature) delta({ type: 'signature_delta', signature: block.signature });
  } else if (block.type === 'tool_use' || block.type === 'server_tool_use') {
    start({ ...block, input: {} });
    input(block.input);
  } else {
    start(block);
  }
  add('content_block_stop', { index });
}

// OpenAI's Responses.

import { PLAIN } from '../stand-in/responses.mjs';

const CITATION = { type: 'url_citation', start_index: 0, end_index: 1, url: 'https://a.example', title: 'A' };
const TOKEN = { token: 'H', logprob: -0.25, bytes: [72], top_logprobs: [] };
const SEARCHED = {
  id: 'ws_1',
  type: 'web_search_call',
  status: 'completed',
  action: { type: 'search', query: 'a', queries: ['a'], sources: [] },
};
const RAN = {
  id: 'ci_1',
  type: 'code_interpreter_call',
  status: 'completed',
  code: 'print(1)',
  container_id: 'cntr_1',
  outputs: [{ type: 'logs', logs: '1\n' }],
};

const counts = ({ input, cached, written, output, reasoning }) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: input + output,
});

function itemsOf(draw, { text, reasoning, refusal, calls, finish }, extra) {
  const items = [];
  if (reasoning || draw.chance(0.2)) {
    const summary = draw.chance(0.6);
    const parts = reasoning ? [{ type: summary ? 'summary_text' : 'reasoning_text', text: reasoning }] : [];
    const sealed = draw.chance(0.5) ? { encrypted_content: draw.pick([null, `gAAA${draw.int(10, 99)}`]) } : {};
    items.push({
      id: 'rs_1',
      type: 'reasoning',
      summary: summary ? parts : [],
      ...(summary ? {} : { content: parts }),
      ...sealed,
    });
  }
  const own = { searched: SEARCHED, ran: RAN }[extra];
  if (own) items.push(own);
  const part = (piece) => ({
    type: 'output_text',
    text: piece,
    annotations: extra === 'annotations' ? [CITATION] : [],
    logprobs: extra === 'logprobs' ? [TOKEN] : [],
  });
  const content = (text && draw.chance(0.2) ? draw.pieces(text) : text ? [text] : []).map(part);
  if (refusal) content.push({ type: 'refusal', refusal });
  const status = finish === 'length' ? 'incomplete' : 'completed';
  const phase = draw.chance(0.2) ? { phase: 'final_answer' } : {};
  const message = { id: 'msg_1', type: 'message', role: 'assistant', status, content, ...phase };
  const messages = content.length > 0 || calls.length === 0 ? [message] : [];
  const uses = calls.map(({ id, name, args }, index) => ({
    id: `fc_${index}`,
    type: 'function_call',
    call_id: id,
    name,
    arguments: JSON.stringify(args),
    status: 'completed',
  }));
  return [...items, ...(draw.chance(0.15) ? [...uses, ...messages] : [...messages, ...uses])];
}

export function responses(draw, model) {
  const [said] = model.choices;
  if (['annotations', 'logprobs'].includes(model.extra) && !said.text) model.extra = null;
  const items = itemsOf(draw, said, model.extra);
  const usage = model.usage && counts(model.usage);
  const early = { length: 'max_output_tokens', filter: 'content_filter' }[said.finish];
  const response = (status, output, counted) => ({
    id: model.id,
    object: 'response',
    created_at: 1_770_770_839,
    status,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: early } : null,
    ...PLAIN,
    model: model.name,
    output,
    reasoning: { effort: null, summary: null },
    usage: counted,
    ...draw.noise(),
  });
  const status = early ? 'incomplete' : 'completed';
  const whole = draw.json(response(status, items, usage));

  const events = [{ type: 'response.created', response: response('in_progress', [], null) }];
  if (draw.chance(0.8)) events.push({ type: 'response.in_progress', response: response('in_progress', [], null) });
  for (const [output_index, item] of items.entries()) itemEvents(draw, output_index, item, events);
  events.push({ type: `response.${status}`, response: response(status, items, usage) });
  const frames = events.map((event, sequence_number) => {
    const { type, ...rest } = event;
    return `event: ${type}\ndata: ${draw.json({ type, sequence_number, ...rest })}\n\n`;
  });
  return { whole, frames: () => frames };
}

/** The names of what comes of a part, by its type. */
const PARTS = {
  output_text: { at: 'content_index', part: 'content_part', text: 'output_text', key: 'text' },
  refusal: { at: 'content_index', part: 'content_part', text: 'refusal', key: 'refusal' },
  reasoning_text: { at: 'content_index', part: 'content_part', text: 'reasoning_text', key: 'text' },
  summary_text: { at: 'summary_index', part: 'reasoning_summary_part', text: 'reasoning_summary_text', key: 'text' },
};

function itemEvents(draw, output_index, item, events) {
  const add = (type, more) => events.push({ type: `response.${type}`, output_index, ...more });
  const begun = { ...item, ...(item.status ? { status: 'in_progress' } : {}) };
  for (const list of ['content', 'summary']) if (item[list]) begun[list] = [];
  if (item.type === 'function_call') begun.arguments = '';
  add('output_item.added', { item: begun });
  for (const list of ['content', 'summary']) {
    for (const [index, part] of (item[list] ?? []).entries()) {
      const { at, part: name, text, key } = PARTS[part.type];
      const place = { item_id: item.id, [at]: index };
      const logprobs = part.logprobs ? { logprobs: part.logprobs } : {};
      const empty = part.type === 'output_text' ? { annotations: [], logprobs: [] } : {};
      add(`${name}.added`, { ...place, part: { ...part, ...empty, [key]: '' } });
      for (const delta of draw.pieces(part[key])) add(`${text}.delta`, { ...place, delta, ...logprobs });
      for (const [annotation_index, annotation] of (part.annotations ?? []).entries()) {
        add('output_text.annotation.added', { ...place, annotation_index, annotation });
      }
      add(`${text}.done`, { ...place, [key]: part[key], ...logprobs });
      add(`${name}.done`, { ...place, part });
    }
  }
  if (item.type === 'function_call') {
    const { id: item_id, name, arguments: whole } = item;
    for (const delta of draw.pieces(whole)) add('function_call_arguments.delta', { item_id, delta });
    add('function_call_arguments.done', { item_id, name, arguments: whole });
  }
  add('output_item.done', { item });
}

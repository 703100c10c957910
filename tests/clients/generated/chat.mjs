// Chat completions, as OpenAI and those compatible with it write them.

const FINISH = { stop: 'stop', tool: 'tool_calls', length: 'length', filter: 'content_filter' };

const CITATION = { start_index: 0, end_index: 1, url: 'https://a.example/é', title: 'A "title"' };
const TOKEN = { token: 'H', logprob: -0.25, bytes: [72], top_logprobs: [] };
const RAN = { index: 0, type: 'search', arguments: '{"query":"x"}', output: 'Title: A' };
const PICTURE = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };

function counts(draw, { input, cached, written, output, reasoning }, provider) {
  const out = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  if (provider === 'xai') out.completion_tokens -= reasoning;
  if (provider === 'deepseek')
    Object.assign(out, { prompt_cache_hit_tokens: cached, prompt_cache_miss_tokens: input - cached });
  else if (cached || written || draw.chance(0.5)) {
    const more = draw.chance(0.3) ? { audio_tokens: 0 } : {};
    out.prompt_tokens_details = { cached_tokens: cached, ...(written ? { cache_write_tokens: written } : {}), ...more };
  } else if (draw.chance(0.2)) out.prompt_tokens_details = null;
  if (reasoning || draw.chance(0.5)) {
    const more = draw.chance(0.3)
      ? { accepted_prediction_tokens: 0, rejected_prediction_tokens: 0, audio_tokens: 0 }
      : {};
    out.completion_tokens_details = { reasoning_tokens: reasoning, ...more };
  }
  if (provider === 'openrouter') {
    Object.assign(out, {
      cost: draw.pick([0, 0.00012, 0.5]),
      is_byok: false,
      cost_details: { upstream_inference_cost: null },
    });
  }
  return out;
}

/** OpenRouter tells reasoning twice: as a text, and in items that go back to the provider. */
function detailsOf(draw, reasoning, provider) {
  if (provider !== 'openrouter' || !reasoning || draw.chance(0.3)) return undefined;
  const text = (more) => ({ type: 'reasoning.text', text: reasoning, ...more });
  const forms = [
    () => [text({ signature: 'sig1', format: 'anthropic-claude-v1', index: 0 })],
    () =>
      draw.pieces(reasoning).map((piece, index) => ({
        ...text({ signature: `s${index}`, format: 'anthropic-claude-v1', index }),
        text: piece,
      })),
    () => [
      { type: 'reasoning.summary', summary: reasoning, format: 'openai-responses-v1', index: 0 },
      { type: 'reasoning.encrypted', data: 'gAA', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
    ],
    () => [text({ signature: null, format: 'unknown', index: 0 })],
  ];
  return draw.pick(forms)();
}

const argumentsOf = ({ args }) => JSON.stringify(args);

/** What an answer may have beside what all dialects know: in its message, or beside that. */
function extras(kind) {
  const message = {
    annotations: { annotations: [{ type: 'url_citation', url_citation: CITATION }] },
    ran: { executed_tools: [RAN] },
    picture: { images: [PICTURE] },
  }[kind];
  return {
    message: message ?? {},
    logprobs: kind === 'logprobs' ? { content: [TOKEN], refusal: null } : null,
    top:
      kind === 'sources'
        ? { citations: ['https://a.example'], search_results: [{ title: 'A', url: 'https://a.example' }] }
        : {},
  };
}

export function chat(draw, model, provider) {
  const system = draw.chance(0.3) ? { system_fingerprint: draw.pick([null, 'fp_1']), service_tier: 'default' } : {};
  const head = (object) => ({
    id: model.id,
    object,
    created: 1_770_770_839,
    model: model.name,
    ...system,
    ...draw.noise(),
  });
  const reasoningIn = draw.pick(['reasoning', 'reasoning_content']);
  const details = model.choices.map(({ reasoning }) => detailsOf(draw, reasoning, provider));
  const extra = extras(model.extra);
  const usage = model.usage && counts(draw, model.usage, provider);
  if (model.usage && provider === 'deepseek') model.usage.written = 0;

  const message = ({ text, reasoning, refusal, calls }, index) => ({
    role: 'assistant',
    content: text || draw.pick([null, '']),
    ...(refusal || draw.chance(0.5) ? { refusal: refusal || null } : {}),
    ...(reasoning ? { [details[index] ? 'reasoning' : reasoningIn]: reasoning } : {}),
    ...(details[index] ? { reasoning_details: details[index] } : {}),
    ...(calls.length > 0
      ? {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: argumentsOf(call) },
          })),
        }
      : draw.pick([{}, {}, { tool_calls: [] }])),
    ...(index === 0 ? extra.message : {}),
    ...draw.noise(),
  });
  const choices = model.choices.map((own, index) => ({
    index,
    message: message(own, index),
    logprobs: index === 0 ? extra.logprobs : null,
    finish_reason: FINISH[own.finish],
  }));
  const whole = draw.json({ ...head('chat.completion'), choices, ...extra.top, ...(usage ? { usage } : {}) });

  const streams = model.choices.map((own, index) =>
    deltas(draw, own, { index, details: details[index], reasoningIn, extra: index === 0 ? extra : extras(null) }),
  );
  const chunks = draw
    .merged(streams)
    .map((choice) => ({ ...head('chat.completion.chunk'), choices: [choice], ...extra.top }));
  // OpenRouter tells everybody what it used.
  const asked = framed(draw, chunks, head, { asked: true, usage, provider });
  const unasked = provider === 'openrouter' ? asked : framed(draw, chunks, head, { asked: false, usage, provider });
  return { whole, frames: ({ include_usage }) => (include_usage ? asked : unasked) };
}

/** One answer in pieces: the `choices` items of its chunks. */
function deltas(draw, { text, reasoning, refusal, calls, finish }, { index, details, reasoningIn, extra }) {
  const roles = draw.pick(['first', 'each', 'empty']);
  const role = roles === 'each' ? { role: 'assistant' } : {};
  const out = [];
  if (roles === 'first') out.push({ role: 'assistant', content: draw.pick(['', null]) });
  if (roles === 'empty') out.push({ role: 'assistant' });
  for (const item of details ?? []) {
    const { text: plain, summary, signature, ...rest } = item;
    const [name, said] = plain !== undefined ? ['text', plain] : ['summary', summary];
    if (said === undefined) out.push({ ...role, content: '', reasoning_details: [item] });
    for (const piece of said === undefined ? [] : draw.pieces(said)) {
      out.push({ ...role, content: '', reasoning: piece, reasoning_details: [{ ...rest, [name]: piece }] });
    }
    if (signature) out.push({ ...role, content: '', reasoning: null, reasoning_details: [{ ...rest, signature }] });
  }
  if (!details)
    for (const piece of draw.pieces(reasoning))
      out.push({ ...role, content: draw.pick(['', null]), [reasoningIn]: piece });
  for (const piece of draw.pieces(refusal)) out.push({ ...role, refusal: piece });
  out.push(
    ...draw.merged([draw.pieces(text).map((piece) => ({ ...role, content: piece })), callDeltas(draw, calls, role)]),
  );
  if (Object.keys(extra.message).length > 0) out.push({ ...role, content: draw.pick(['', null]), ...extra.message });
  if (out.length === 0) out.push({ ...role });
  const choice = (delta, at) => ({ index, delta, logprobs: at === 0 ? extra.logprobs : null, finish_reason: null });
  const choices = out.map(choice);
  if (draw.chance(0.3)) choices.at(-1).finish_reason = FINISH[finish];
  else choices.push({ index, delta: {}, logprobs: null, finish_reason: FINISH[finish] });
  return choices;
}

function callDeltas(draw, calls, role) {
  const form = draw.pick(['pieces', 'pieces', 'whole', 'late name']);
  const lists = calls.map((call, index) => {
    const { id, name } = call;
    const text = argumentsOf(call);
    if (form === 'whole') return [{ index, id, type: 'function', function: { name, arguments: text } }];
    const first = { index, id, type: 'function', function: { name, arguments: '' } };
    const more = draw.pieces(text).map((piece) => ({ index, function: { arguments: piece } }));
    if (form === 'late name') {
      delete first.function.name;
      more.unshift({ index, function: { name, arguments: '' } });
    }
    return [first, ...more];
  });
  // Calls begin in order, and those that are named late are named in order; their other pieces may come mixed.
  const begin = form === 'late name' ? 2 : 1;
  const heads = [...Array(begin).keys()].flatMap((place) => lists.map((list) => list[place]));
  const order = draw.chance(0.5) ? [...heads, ...draw.merged(lists.map((list) => list.slice(begin)))] : lists.flat();
  return order.map((call) => ({ ...role, tool_calls: [call] }));
}

function framed(draw, given, head, { asked, usage, provider }) {
  const chunks = structuredClone(given);
  const last = chunks.at(-1);
  // Groq tells everybody, in a place of its own; all tell those who ask, most in a chunk of its own.
  if (usage && provider === 'groq') last.x_groq = { id: 'req_1', usage };
  if (usage && asked) {
    if (provider !== 'groq' && draw.chance(0.2)) last.usage = usage;
    else chunks.push({ ...head('chat.completion.chunk'), choices: [], usage });
  }
  const line = draw.pick(['\n', '\n', '\r\n']);
  const frames = chunks.map((chunk) => `data:${draw.pick([' ', ' ', ''])}${draw.json(chunk)}${line}${line}`);
  if (draw.chance(0.2)) frames.unshift(`: PROCESSING${line}${line}`);
  if (draw.chance(0.9)) frames.push(`data: [DONE]${line}${line}`);
  return frames;
}

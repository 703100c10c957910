// What real providers refuse of a conversation, as their documentation and their errors say: a sentence, or nothing.

const RULES = { chat, responses, anthropic, google };
const fail = (told) => {
  throw new Error(told);
};
const need = (fine, told) => fine || fail(told);
const plain = (id) => /^[\w-]+$/.test(id ?? '');

/** Throws what the provider would say in a 400; tells how many answers the turn has so far. */
export const accepted = (dialect, provider, model, body) => RULES[dialect](body, provider, model);

function chat({ messages }, provider, model) {
  const waiting = new Set();
  const called = messages.some(({ tool_calls }) => tool_calls?.length > 0);
  const ids = new Set();
  let step = 0;
  for (const [at, message] of messages.entries()) {
    const { role, content, tool_calls = [] } = message;
    need(waiting.size === 0 || role === 'tool', `${at}: calls without results: ${[...waiting]}`);
    if (role === 'user') step = 0;
    if (role === 'tool') need(waiting.delete(message.tool_call_id), `${at}: a result without its call`);
    if (role !== 'assistant') continue;
    step += 1;
    need(
      (content !== null && content !== '' && content !== undefined) || tool_calls?.length > 0,
      `${at}: says nothing`,
    );
    for (const { id, function: own, ...rest } of tool_calls ?? []) {
      need(!ids.has(id), `${at}: an id twice: ${id}`);
      need(typeof own.arguments === 'string', `${at}: arguments`);
      need(provider !== 'mistral' || /^[a-zA-Z0-9]{9}$/.test(id), `${at}: tool call id was ${id}`);
      const strict = provider === 'groq' || provider === 'mistral';
      need(!strict || !('extra_content' in rest), `${at}: property 'extra_content' is unsupported`);
      ids.add(id);
      waiting.add(id);
    }
    const known = ['role', 'content', 'tool_calls', 'name', ...(model.includes('gpt-oss') ? ['reasoning'] : [])];
    const unknown =
      ['groq', 'mistral'].includes(provider) && Object.keys(message).find((name) => !known.includes(name));
    need(!unknown, `${at}: property '${unknown}' is unsupported`);
    const thought = typeof message.reasoning_content === 'string';
    need(provider !== 'deepseek' || !called || thought, `${at}: reasoning_content must be passed back`);
  }
  need(waiting.size === 0, `calls without results: ${[...waiting]}`);
  return step;
}

function responses({ input }) {
  const waiting = new Set();
  const ids = new Set();
  let [reasoned, step, speaks] = [false, 0, false];
  for (const [at, item] of (typeof input === 'string' ? [] : input).entries()) {
    need(item.type !== 'item_reference', `${at}: item not found`);
    if (item.id) {
      const prefix = { reasoning: 'rs_', function_call: 'fc_', message: 'msg_' }[item.type ?? 'message'];
      need(!prefix || item.id.startsWith(prefix), `${at}: expected an ID that begins with ${prefix}: ${item.id}`);
      need(plain(item.id) && item.id.length <= 64, `${at}: id ${item.id}`);
      need(!ids.has(item.id), `${at}: duplicate item ${item.id}`);
      ids.add(item.id);
    }
    const mine = ['reasoning', 'function_call'].includes(item.type) || item.role === 'assistant';
    if (mine && !speaks) step += 1;
    speaks = mine;
    if (item.role === 'user') step = 0;
    if (item.type === 'reasoning') {
      need(item.encrypted_content?.startsWith('OAI'), `${at}: invalid_encrypted_content: ${JSON.stringify(item)}`);
      reasoned = true;
      continue;
    }
    need(mine || !reasoned, `${at}: reasoning without its item`);
    reasoned = false;
    if (item.type === 'function_call') {
      need(item.call_id?.length <= 64 && !waiting.has(item.call_id), `${at}: call_id ${item.call_id}`);
      waiting.add(item.call_id);
    }
    if (item.type === 'function_call_output') need(waiting.delete(item.call_id), `${at}: no call for this output`);
  }
  need(waiting.size === 0, `no output for ${[...waiting]}`);
  return step;
}

function anthropic({ messages, thinking }) {
  const ids = new Set();
  let [waiting, thought, open, step] = [[], undefined, false, 0];
  for (const [at, { role, content }] of messages.entries()) {
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    need(blocks.length > 0, `${at}: empty content`);
    for (const { type, text } of blocks)
      need(type !== 'text' || text.trim(), `${at}: text must contain non-whitespace text`);
    if (role === 'user') {
      const others = blocks.findIndex(({ type }) => type !== 'tool_result');
      const results = others < 0 ? blocks : blocks.slice(0, others);
      need(blocks.filter(({ type }) => type === 'tool_result').length === results.length, `${at}: results come first`);
      const told = results.map(({ tool_use_id }) => tool_use_id);
      need(told.length === waiting.length && told.every((id) => waiting.includes(id)), `${at}: ${told} for ${waiting}`);
      [waiting, open] = [[], told.length > 0];
      if (!open) [thought, step] = [undefined, 0];
      continue;
    }
    need(waiting.length === 0, `${at}: tool_use without tool_result`);
    thought ??= blocks[0].type.includes('thinking');
    open = false;
    step += 1;
    for (const block of blocks) {
      if (block.type === 'thinking') need(block.signature?.startsWith('ANT'), `${at}: invalid signature`);
      if (block.type === 'redacted_thinking') need(block.data.startsWith('ANT'), `${at}: invalid data`);
      if (block.type !== 'tool_use') continue;
      need(plain(block.id) && !ids.has(block.id), `${at}: id ${block.id}`);
      need(typeof block.input === 'object', `${at}: input`);
      ids.add(block.id);
      waiting.push(block.id);
    }
  }
  need(!(thinking?.type === 'enabled' && open && thought === false), 'expected `thinking`, but found `tool_use`');
  need(waiting.length === 0, 'tool_use without tool_result');
  return step;
}

function google({ contents }, _provider, model) {
  const has = (name) => (part) => part[name] !== undefined && part[name] !== null;
  const asks = ({ role, parts }) => role !== 'model' && parts.some((part) => !has('functionResponse')(part));
  const current = contents.findLastIndex(asks);
  let [waiting, step] = [0, 0];
  for (const [at, content] of contents.entries()) {
    const { role, parts = [] } = content;
    need(parts.length > 0, `${at}: must include at least one parts field`);
    const results = parts.filter(has('functionResponse')).length;
    // Contents of the model that follow one another are one turn: Google's own chats keep each event as a content.
    need(role === 'model' || results === waiting, `${at}: ${results} function responses for ${waiting} function calls`);
    if (asks(content)) step = 0;
    const calls = parts.filter(has('functionCall'));
    waiting = role === 'model' ? waiting + calls.length : 0;
    if (role !== 'model') continue;
    if (contents[at - 1]?.role !== 'model') step += 1;
    for (const { thoughtSignature: own } of parts) {
      need(!own || own.startsWith('GEM') || own === 'skip_thought_signature_validator', `${at}: corrupted: ${own}`);
    }
    const behind = parts.at(-1).text === '' && parts.at(-1).thoughtSignature;
    const signed = calls.length === 0 || calls[0].thoughtSignature || behind;
    need(at < current || signed || !model.includes('gemini-3'), `${at}: missing a thought_signature`);
  }
  need(waiting === 0, `no responses for ${waiting} calls`);
  return step;
}

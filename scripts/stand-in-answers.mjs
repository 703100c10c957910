// What the stand-in providers say. The same question always gets the same answer, different questions
// get different ones, and a person reading along in the demo gets a sentence worth reading.

const OPENINGS = [
  'Good question.',
  'Gladly.',
  'Here is the short version.',
  'Let me put it plainly.',
  'In a nutshell:',
];

const BODIES = [
  'the sea answers slowly, and so do I: you asked about “{topic}”, and the honest answer is that it depends on where you stand and which way the water is moving.',
  '“{topic}” is easier than it looks. Start with the part that does not change, write it down, and the rest usually follows from it.',
  'when people ask about “{topic}”, they mostly want to know what to do next. Try the smallest thing that could work, then look at what happened.',
  '“{topic}” has two sides. One is well understood and a little dull, the other is still open, and the interesting work happens between them.',
  'there are three things to know about “{topic}”: what it is for, what it costs, and when to stop. Most trouble comes from skipping the third.',
];

const CLOSINGS = [
  'Ask again and I will say the same, word for word.',
  'That is as far as a stand-in can take you.',
  'A real model would go on from here.',
  'Change one word and you will get another answer.',
];

/** FNV-1a, 32 bits: spreads questions over the texts and is the same on every machine. */
const hash = (text) => {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
};

const textOf = (content) =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content.map((part) => (typeof part?.text === 'string' ? part.text : '')).join(' ')
      : '';

// About four characters a token, as English has; a message adds a few tokens of its own.
const tokens = (text) => Math.ceil(text.length / 4);

const THOUGHT =
  'The question is about “{topic}”. First, what is known: the tide sets the pace, and nobody can hurry it. Second, what is asked: a choice between doing it now and doing it once. If it were done now, it would have to be done again; so the slower way is the cheaper one. I will say that, and say why.';

/** Questions that a reasoning model thinks about, aloud. */
const isHard = (asked) => /\b(think|reason|step by step)\b/iu.test(asked);
/** Questions that only a tool can answer. */
const needsTool = (asked) => /\b(high|low) (tide|water)\b/iu.test(asked);

/** A call of the first tool on offer, with a place of the question in every text that it takes. */
const toolCall = (tools, asked) => {
  const { name, parameters } = tools[0]?.function ?? {};
  const place = /\b(?:in|at|for) (\p{Lu}[\p{L}' -]*)/u.exec(asked)?.[1]?.trim() ?? 'here';
  const fields = Object.entries(parameters?.properties ?? {}).map(([field, { enum: options }]) => [
    field,
    options?.[0] ?? place,
  ]);
  return { name, arguments: JSON.stringify(Object.fromEntries(fields)) };
};

/**
 * The answer to a chat request: its text, or the tool that it calls, what it thought, and what it used.
 * @param {{ model?: string, messages?: { role: string, content: unknown }[], max_tokens?: number, tools?: object[] }} request
 */
export function answer(request) {
  const messages = Array.isArray(request.messages) ? request.messages : [];
  const asked = textOf(messages.filter((message) => message.role === 'user').at(-1)?.content).trim();
  const words = asked.replace(/[?!.\s]+$/u, '').split(/\s+/u);
  const topic = words.length > 12 ? `${words.slice(0, 12).join(' ')} …` : words.join(' ');
  const pick = (list, salt) => list[hash(salt + asked) % list.length];
  const about = (text) => text.replace('{topic}', () => topic);
  const bodies = /\bin detail\b/iu.test(asked) ? BODIES : [pick(BODIES, 'body ')];
  const full = `${pick(OPENINGS, 'opening ')} ${bodies.map(about).join('\n\n')} ${pick(CLOSINGS, 'closing ')}`;
  const sentence = full.replace(
    /([.:] )(\p{Ll})/gu,
    (_, stop, letter) => stop + (stop === '. ' ? letter.toUpperCase() : letter),
  );
  const prompt = messages.reduce((sum, message) => sum + tokens(textOf(message.content)) + 4, 68);
  // Of the models that are stood in for, these think.
  const reasoning = isHard(asked) && /gpt-oss/u.test(String(request.model)) ? about(THOUGHT) : '';
  const usage = (said) => {
    const thought = tokens(reasoning);
    const completion = tokens(said) + thought;
    return {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      ...(thought > 0 ? { completion_tokens_details: { reasoning_tokens: thought } } : {}),
    };
  };
  const thoughts = reasoning ? { reasoning } : {};
  if (Array.isArray(request.tools) && request.tools.length > 0 && needsTool(asked)) {
    const call = toolCall(request.tools, asked);
    return { toolCalls: [call], ...thoughts, usage: usage(call.name + call.arguments) };
  }
  const limit = request.max_completion_tokens ?? request.max_tokens;
  const content = limit > 0 && tokens(sentence) > limit ? sentence.slice(0, limit * 4) : sentence;
  return { content, ...thoughts, finishReason: content === sentence ? 'stop' : 'length', usage: usage(content) };
}

// What the stand-in says, before it is put into a dialect: the same question always gets the same answer.

/** The one tool's arguments, and the object that a JSON schema gets. Both have what is hard to cut in two. */
export const ARGUMENTS = { city: 'Zürich', unit: 'celsius' };
export const OBJECT = { city: 'Zürich', celsius: 18 };
export const USAGE = { input: 23, output: 17 };
export const AFTER_TOOL = 'It is 18 °C in Zürich.';

/** The text that answers a question, in the pieces it is streamed in. */
export const piecesOf = (question) => [
  'You asked: ',
  question,
  '. ',
  'Rivers carry ',
  'salt – ',
  'naïvely 🌊 – ',
  'to it.',
];
export const textOf = (question) => piecesOf(question).join('');

/**
 * @typedef {{ model: string, stream: boolean, question: string, tool?: string, toolResult: boolean, json: boolean }} Asked
 * @typedef {{ pieces: string[], tool?: string, finish: 'stop' | 'tool', usage: typeof USAGE }} Reply
 */

/**
 * A tool is called once; what it gave is answered with a sentence, and a schema with an object.
 * @param {Asked} asked
 * @returns {Reply}
 */
export function reply(asked) {
  if (asked.tool && !asked.toolResult) return { pieces: [], tool: asked.tool, finish: 'tool', usage: USAGE };
  if (asked.toolResult) return { pieces: [AFTER_TOOL.slice(0, 9), AFTER_TOOL.slice(9)], finish: 'stop', usage: USAGE };
  if (asked.json) return { pieces: halves(JSON.stringify(OBJECT)), finish: 'stop', usage: USAGE };
  return { pieces: piecesOf(asked.question), finish: 'stop', usage: USAGE };
}

/** A tool that only carries an object (how some SDKs ask for JSON) gets the object. */
export const argumentsOf = (tool) => (/json/i.test(tool) ? OBJECT : ARGUMENTS);

export const halves = (text) => [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];

/** A frame of a stream; `content` says whether it carries output, so that faults can tell the preamble from it. */
export const frame = (data, { content = false, event } = {}) => ({
  text: `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
  content,
});

const partText = (part) => (typeof part === 'string' ? part : (part?.text ?? ''));

/** The text of a message's content, in whichever form. */
export const contentText = (content) => (Array.isArray(content) ? content.map(partText).join('') : partText(content));

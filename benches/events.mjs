// One long stream of a chat completion, in chunks as a network gives them, and what each row makes of it.
// `send()` reads one stream and answers with `DONE` if it saw all of it: bench `sse-event`.
import { browserBuildGate, gate } from './gates.mjs';
import { BASE_URL, KEY, MODEL, request } from './requests.mjs';

/** Pieces of text in a stream; with role, finish, usage and `[DONE]` there are four events more. */
const PIECES = 4000;
export const EVENTS = PIECES + 4;
/** What a row answers that has seen every piece. */
export const DONE = 'all';

const WORDS = ['The', ' earlier', ' train', ' is', ' cheaper', ':', ' 148', ' euros', ',', ' “both”', ' \n', ' fares'];
const words = Array.from({ length: PIECES }, (_, index) => WORDS[(index * 7) % WORDS.length]);
const TEXT = words.join('');

/** An event as Groq words it: 230 to 250 bytes. */
const event = (rest) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-5a1d7c0e-7a5b-4f0e-9d6f-0c6a1b2c3d4e',
    object: 'chat.completion.chunk',
    created: 1793000000,
    model: MODEL,
    system_fingerprint: 'fp_80501ff3a1',
    ...rest,
  })}\n\n`;
const delta = (own, finish = null) =>
  event({ choices: [{ index: 0, delta: own, logprobs: null, finish_reason: finish }] });
const usage = { prompt_tokens: 118, completion_tokens: PIECES, total_tokens: 118 + PIECES };

export const EVENT_TEXTS = [
  delta({ role: 'assistant', content: '' }),
  ...words.map((content) => delta({ content })),
  delta({}, 'stop'),
  event({ choices: [], usage }),
  'data: [DONE]\n\n',
];

/** 1 to 8 events to a chunk, the same in every run; nearly all chunks end where an event does, one of 16 within it. */
function cut(texts) {
  const encoder = new TextEncoder();
  const chunks = [];
  let [dice, rest] = [1, ''];
  for (let at = 0; at < texts.length;) {
    dice = (dice * 48271) % 2147483647;
    const end = at + 1 + (dice % 8);
    const text = rest + texts.slice(at, end).join('');
    const within = dice % 256 < 16 && end < texts.length ? 100 : 0;
    rest = text.slice(text.length - within);
    chunks.push(encoder.encode(text.slice(0, text.length - within)));
    at = end;
  }
  return chunks;
}

const CHUNKS = cut(EVENT_TEXTS);
const BYTES = CHUNKS.reduce((sum, { length }) => sum + length, 0);

/** A provider whose chunks are there as fast as they are read. */
export const instantStream = async () => {
  let at = 0;
  const pull = (controller) => (at < CHUNKS.length ? controller.enqueue(CHUNKS[at++]) : controller.close());
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  return new Response(body, { status: 200, headers: { 'content-type': 'text/event-stream' } });
};

const body = (index) => ({ ...request(index), stream: true });
const post = (index) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
  body: JSON.stringify(body(index)),
});

async function drain(response) {
  const reader = response.body.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes += value.length;
  }
}

const whole = (text) => (text === TEXT ? DONE : `${text.length} of ${TEXT.length} characters`);

const drains = (open) => async (index) => {
  const response = await open.fetch(`${BASE_URL}/chat/completions`, post(index));
  const bytes = await drain(response);
  const { usage: seen } = await open.fetch.result(response);
  // The usage is read, and taken out again, since nobody asked for it.
  return seen.outputTokens === PIECES && bytes > 0.99 * BYTES && bytes < BYTES ? DONE : `${bytes} bytes`;
};

export const sseEvent = {
  drain: () => async (index) => {
    const bytes = await drain(await fetch(`${BASE_URL}/chat/completions`, post(index)));
    return bytes === BYTES ? DONE : `${bytes} of ${BYTES} bytes`;
  },

  async 'eventsource-parser'() {
    const { createParser } = await import('eventsource-parser');
    return async (index) => {
      let text = '';
      const onEvent = ({ data }) => {
        if (data !== '[DONE]') text += JSON.parse(data).choices[0]?.delta.content ?? '';
      };
      const parser = createParser({ onEvent });
      const response = await fetch(`${BASE_URL}/chat/completions`, post(index));
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return whole(text);
        parser.feed(decoder.decode(value, { stream: true }));
      }
    };
  },

  async openai() {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ apiKey: KEY, baseURL: BASE_URL, fetch: globalThis.fetch });
    return async (index) => {
      let text = '';
      for await (const chunk of await client.chat.completions.create(body(index))) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
      return whole(text);
    };
  },

  async 'ai-sdk'() {
    const { streamText } = await import('ai');
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const provider = createOpenAICompatible({ name: 'groq', baseURL: BASE_URL, apiKey: KEY, fetch: globalThis.fetch });
    const model = provider(MODEL);
    return async (index) => {
      const [system, ...messages] = request(index).messages;
      let text = '';
      for await (const piece of streamText({ model, instructions: system.content, messages }).textStream) text += piece;
      return whole(text);
    };
  },

  tidegate: async () => drains(await gate('memory')),
  'tidegate-browser-build': async () => drains(await browserBuildGate()),

  async 'tidegate-chat'() {
    const open = await gate('memory');
    return async (index) => {
      const stream = await open.chat(body(index));
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return whole(text);
    };
  },
};

// The one request and the one answer that every row sends and gets, so that rows differ by their stack alone.

export const MODEL = 'openai/gpt-oss-20b';
export const BASE_URL = 'https://api.groq.com/openai/v1';
/** A key of the right form that opens nothing. */
export const KEY = `gsk_${'bench0'.repeat(9).slice(0, 52)}`;

const SYSTEM =
  'You are the assistant of a travel site. Answer in at most three sentences, in the language of the question, ' +
  'and name the source of each figure.';
const QUESTION =
  'Which of the two night trains from Vienna to Venice is cheaper in the second week of May for two adults and a ' +
  'child of seven, and does the price include the reservation of a couchette? Booking number ';

/** The `index`th request: each is new to every cache, and as long as the others. */
export function request(index) {
  return {
    model: MODEL,
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: QUESTION + String(index).padStart(9, '0') },
    ],
    max_tokens: 256,
    temperature: 0.2,
  };
}

/** What the answer says; a row that returns anything else has not done its work. */
export const TEXT =
  'The earlier train is cheaper: 148 euros for the three of you, against 171 euros for the later one (both from the ' +
  'operator’s table of fares). The reservation of a couchette is included in both prices.';

/** An answer as Groq words it. */
export const ANSWER = JSON.stringify({
  id: 'chatcmpl-5a1d7c0e-7a5b-4f0e-9d6f-0c6a1b2c3d4e',
  object: 'chat.completion',
  created: 1793000000,
  model: MODEL,
  choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, logprobs: null, finish_reason: 'stop' }],
  usage: {
    queue_time: 0.0382,
    prompt_tokens: 118,
    prompt_time: 0.0041,
    completion_tokens: 57,
    completion_time: 0.0571,
    total_tokens: 175,
    completion_tokens_details: { reasoning_tokens: 12 },
  },
  system_fingerprint: 'fp_80501ff3a1',
  x_groq: { id: 'req_01k6z7h3e8f4r9s0t1u2v3w4x5' },
  service_tier: 'on_demand',
});

const chunk = (choices, more = {}) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-5a1d7c0e', object: 'chat.completion.chunk', created: 1793000000, model: MODEL, choices, ...more })}\n\n`;

/** The same answer as a stream of ten pieces. */
export const STREAM = [
  ...(TEXT.match(/.{1,20}/gs) ?? []).map((content) => chunk([{ index: 0, delta: { content }, finish_reason: null }])),
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  chunk([], { usage: { prompt_tokens: 118, completion_tokens: 57, total_tokens: 175 } }),
  'data: [DONE]\n\n',
].join('');

export const HEADERS = {
  'content-type': 'application/json',
  'x-request-id': 'req_01k6z7h3e8f4r9s0t1u2v3w4x5',
  'x-ratelimit-limit-requests': '1000',
  'x-ratelimit-limit-tokens': '8000',
  'x-ratelimit-remaining-requests': '999',
  'x-ratelimit-remaining-tokens': '7825',
};

/** A provider that answers at once, so that what remains is the stack's own work. */
export const instantFetch = async () => new Response(ANSWER, { status: 200, headers: HEADERS });

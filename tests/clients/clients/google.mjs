// `@google/genai`: it takes a fetch as `httpOptions.fetch` (3.x; older versions take none: there `globalThis.fetch` has to
// be set to `gate.fetch`, which passes on what is not a provider's).

import { ApiError, GoogleGenAI } from '@google/genai';

import { kindOf, MAX_TOKENS, SCHEMA, TOOL } from './questions.mjs';

const usageOf = ({ promptTokenCount: input, candidatesTokenCount: output } = {}) => ({ input, output });
const tools = [
  { functionDeclarations: [{ name: TOOL.name, description: TOOL.description, parametersJsonSchema: TOOL.schema }] },
];

function operations(client, model) {
  const request = (contents, config, signal) => ({
    model,
    contents,
    config: { maxOutputTokens: MAX_TOKENS, ...config, ...(signal ? { abortSignal: signal } : {}) },
  });
  const create = (...given) => client.models.generateContent(request(...given));
  return {
    async plain(question, { signal }) {
      const answer = await create(question, {}, signal);
      return { text: answer.text, finish: answer.candidates[0].finishReason, usage: usageOf(answer.usageMetadata) };
    },
    async stream(question, { signal, onPiece }) {
      let text = '';
      let last;
      for await (const chunk of await client.models.generateContentStream(request(question, {}, signal))) {
        last = chunk;
        if (!chunk.text) continue;
        text += chunk.text;
        onPiece?.(chunk.text);
      }
      return { text, finish: last.candidates[0].finishReason, usage: usageOf(last.usageMetadata) };
    },
    async tools(question, { signal }) {
      const user = { role: 'user', parts: [{ text: question }] };
      const first = await create([user], { tools }, signal);
      const [{ name, args, id }] = first.functionCalls;
      const functionResponse = { name, response: TOOL.result, ...(id ? { id } : {}) };
      const turns = [user, first.candidates[0].content, { role: 'user', parts: [{ functionResponse }] }];
      const second = await create(turns, { tools }, signal);
      return { name, args, finish: first.candidates[0].finishReason, text: second.text };
    },
    async json(question, { signal }) {
      const config = { responseMimeType: 'application/json', responseJsonSchema: SCHEMA };
      return JSON.parse((await create(question, config, signal)).text);
    },
  };
}

/** @type {import('./questions.mjs').Client} */
export const google = {
  provider: 'google',
  model: 'gemini-3.7-flash',
  path: '',
  // It retries only where `httpOptions.retryOptions` say so.
  obeys: true,
  timeoutIs: 'aborted',
  hidesHeaders: true,
  inBandIs: 'upstream',
  open: ({ fetch, origin, path, apiKey, apiVersion, headers, model, timeoutMs }) => {
    const httpOptions = {
      baseUrl: origin + (path ?? ''),
      // Of itself it says `v1`.
      ...(apiVersion ? { apiVersion } : {}),
      ...(fetch ? { fetch } : {}),
      ...(headers ? { headers } : {}),
      ...(timeoutMs ? { timeout: timeoutMs } : {}),
    };
    return operations(new GoogleGenAI({ apiKey, httpOptions }), model ?? google.model);
  },
  describe: (error) => {
    if (error instanceof ApiError) return { kind: kindOf(error.status), status: error.status };
    const names = { AbortError: 'aborted', TimeoutError: 'timeout' };
    return { kind: names[error?.name] ?? (error instanceof TypeError ? 'connection' : 'unreadable') };
  },
};

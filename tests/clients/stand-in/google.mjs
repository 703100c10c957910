// Gemini's generateContent.

import { argumentsOf, frame, reply } from './replies.mjs';

const SIGNATURE = Buffer.from('a signature that nobody checks').toString('base64');

export function read(path, body) {
  const [, model, method] = /\/models\/([^/:]+):(\w+)/.exec(decodeURIComponent(path)) ?? [];
  const contents = body.contents ?? [];
  const said = (content) => (content?.parts ?? []).map(({ text }) => text ?? '').join('');
  const declared = body.tools?.flatMap((tool) => tool.functionDeclarations ?? []);
  return {
    model,
    stream: method === 'streamGenerateContent',
    question: said(contents.findLast((content) => content.role !== 'model' && said(content) !== '')),
    tool: declared?.[0]?.name,
    toolResult: (contents.at(-1)?.parts ?? []).some(({ functionResponse }) => functionResponse !== undefined),
    json: body.generationConfig?.responseMimeType === 'application/json',
  };
}

const answerOf = (asked, parts, finish, { input, output }) => ({
  candidates: [{ content: { parts, role: 'model' }, ...(finish ? { finishReason: finish } : {}), index: 0 }],
  usageMetadata: {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
  },
  modelVersion: asked.model,
  responseId: 'stand-in',
});

const callOf = (tool) => ({ functionCall: { name: tool, args: argumentsOf(tool) }, thoughtSignature: SIGNATURE });

export function whole(asked) {
  const answer = reply(asked);
  const parts = answer.tool ? [callOf(answer.tool)] : [{ text: answer.pieces.join('') }];
  return answerOf(asked, parts, 'STOP', answer.usage);
}

/** Its usage grows from chunk to chunk, and nothing marks the end but a reason to finish. */
export function frames(asked) {
  const answer = reply(asked);
  const parts = answer.tool ? [callOf(answer.tool)] : answer.pieces.map((text) => ({ text }));
  const soFar = (count) => ({ input: answer.usage.input, output: Math.min(answer.usage.output, count) });
  return [
    ...parts.map((part, at) => frame(answerOf(asked, [part], undefined, soFar(at + 1)), { content: true })),
    frame(answerOf(asked, [{ text: '' }], 'STOP', answer.usage)),
  ];
}

const STATUSES = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

export const problem = ({ status, message, retryAfterMs }) => ({
  error: {
    code: status,
    message,
    status: STATUSES[status] ?? (status >= 500 ? 'INTERNAL' : 'FAILED_PRECONDITION'),
    ...(retryAfterMs
      ? {
          details: [
            { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${(retryAfterMs / 1000).toFixed(1)}s` },
          ],
        }
      : {}),
  },
});

export const problemFrame = ({ message }) => frame(problem({ status: 503, message }));

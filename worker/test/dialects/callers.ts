import { call, eventsOf, open, type Init } from '../client';

export const TARGETS = ['openai/m', 'anthropic/m', 'google/m'];

type Json = Record<string, unknown>;
type Ask = { model: string; text: string; stream: boolean };

/** One kind of client: how it asks and reads. */
export interface Caller {
  ask(question: Ask, init?: Init): [path: string, init: Init];
  /** The text of a whole answer. */
  text(body: unknown): string;
  /** The text of one event of a stream. */
  delta(event: unknown): string;
  /** Whether this event ends a stream well. */
  ends(event: unknown): boolean;
}

/** Reads `a.0.b`; nothing where there is nothing. */
const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (inner as Json | undefined | null)?.[name], value);
const texts = (parts: unknown) => ((parts ?? []) as { text?: string }[]).map(({ text }) => text ?? '').join('');
const post = (body: unknown): Init => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

export const CALLERS: Record<'chat' | 'responses' | 'anthropic' | 'google', Caller> = {
  chat: {
    ask: ({ model, text, stream }) => [
      '/v1/chat/completions',
      post({ model, stream, max_tokens: 100, messages: [{ role: 'user', content: text }] }),
    ],
    text: (body) => String(at(body, 'choices.0.message.content')),
    delta: (event) => String(at(event, 'choices.0.delta.content') ?? ''),
    ends: (event) => event === '[DONE]',
  },
  responses: {
    ask: ({ model, text, stream }) => ['/v1/responses', post({ model, stream, max_output_tokens: 100, input: text })],
    text: (body) => texts(at(body, 'output.0.content')),
    delta: (event) => (at(event, 'type') === 'response.output_text.delta' ? String(at(event, 'delta')) : ''),
    ends: (event) => at(event, 'type') === 'response.completed',
  },
  anthropic: {
    ask: ({ model, text, stream }) => [
      '/v1/messages',
      post({ model, stream, max_tokens: 100, messages: [{ role: 'user', content: text }] }),
    ],
    text: (body) => texts(at(body, 'content')),
    delta: (event) => String(at(event, 'delta.text') ?? ''),
    ends: (event) => at(event, 'type') === 'message_stop',
  },
  google: {
    ask: ({ model, text, stream }) => [
      `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      post({ contents: [{ role: 'user', parts: [{ text }] }], generationConfig: { maxOutputTokens: 100 } }),
    ],
    text: (body) => texts(at(body, 'candidates.0.content.parts')),
    delta: (event) => texts(at(event, 'candidates.0.content.parts')),
    ends: (event) => at(event, 'candidates.0.finishReason') === 'STOP',
  },
};

export const send = (caller: Caller, question: Ask) => call(...caller.ask(question));
export const begin = (caller: Caller, question: Ask) => open(...caller.ask(question));
export const said = (caller: Caller, text: string) => eventsOf(text).map(caller.delta).join('');

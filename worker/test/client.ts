import { env, exports } from 'cloudflare:workers';

import { reset } from 'cloudflare:test';

import type { Call, Script } from './script';

/** An answer, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** The parts of an error body that tests look at. */
export interface ErrorBody {
  error: {
    message: string;
    type: string;
    code: string;
    param: string | null;
    tidegate: {
      attempts: { attempt: number; target: string; code: string; status?: number }[];
      budget?: { limitNanoUsd: number; spentNanoUsd: number; reservedNanoUsd: number; resetsAt: number };
      fields?: { path: string; problem: string }[];
    };
  };
}

export const errorOf = (answer: Answer) => (JSON.parse(answer.text) as ErrorBody).error;
export const contentOf = (answer: Answer) =>
  (JSON.parse(answer.text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;

export type Init = RequestInit & { headers?: Record<string, string> };

/** Calls the Worker as a client would, with the token unless another authorization is given. */
export function open(path: string, init: Init = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, ...init.headers };
  return exports.default.fetch(`https://gateway.example${path}`, { ...init, headers });
}

export const read = async (response: Response): Promise<Answer> => ({
  status: response.status,
  headers: response.headers,
  text: await response.text(),
});

export const call = async (path: string, init: Init = {}) => read(await open(path, init));

let questions = 0;

/** A question nobody has asked before. */
export const question = () => `question ${(questions += 1)}`;

const chat = (body: BodyInit, headers: Record<string, string>, signal?: AbortSignal) =>
  open('/v1/chat/completions', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    signal: signal ?? null,
  });

const asking = (fields: Record<string, unknown>) =>
  JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question() }], max_tokens: 1000, ...fields });

/** Asks something new; `fields` go into the body beside it. */
export const ask = (fields: Record<string, unknown> = {}, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  post(asking(fields), headers, signal);

export const post = async (body: BodyInit, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  read(await chat(body, headers, signal));

/** Asks for a stream, which begins once this resolves. */
export const begin = (
  fields: Record<string, unknown> = {},
  headers: Record<string, string> = {},
  signal?: AbortSignal,
) => chat(asking({ stream: true, ...fields }), headers, signal);

/** What the events of a stream carry, parsed; `[DONE]` as it is. */
export const eventsOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => (line === 'data: [DONE]' ? '[DONE]' : JSON.parse(line.slice(6))));

interface Chunk {
  choices?: { delta: { content?: string } }[];
  usage?: { completion_tokens: number } | null;
  error?: ErrorBody['error'];
}

/** The chunks of a streamed chat, without its end. */
export const chunksOf = (text: string) => eventsOf(text).filter((event) => event !== '[DONE]') as Chunk[];
export const saidIn = (text: string) =>
  chunksOf(text)
    .map(({ choices }) => choices?.[0]?.delta.content ?? '')
    .join('');

/** The account that follows a stream, if it does. */
export function trailerOf(text: string): Record<string, unknown> | undefined {
  const found = /\n: tidegate (.*)\n\n$/.exec(text)?.[1];
  return found === undefined ? undefined : (JSON.parse(found) as Record<string, unknown>);
}

/** Tells a stand-in how to answer from now on, and lets go what it held. */
export async function script(provider: 'groq' | 'openrouter', how: Script = {}): Promise<void> {
  await (await fetch(`${env.STAND_IN}/script`, { method: 'POST', body: JSON.stringify({ provider, ...how }) })).text();
}

/** What the stand-ins got since the journal was emptied. */
export const seen = async (): Promise<Call[]> => (await fetch(`${env.STAND_IN}/journal`)).json();

/** The same, and empties it. */
export async function journal(): Promise<Call[]> {
  return (await fetch(`${env.STAND_IN}/journal`, { method: 'DELETE' })).json();
}

/** A new day for everybody: stand-ins as they should be, nothing in the journal, an empty ledger. */
export async function calm(): Promise<void> {
  await script('groq');
  await script('openrouter');
  await journal();
  await reset();
}

export async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await met())) await new Promise((resolve) => setTimeout(resolve, 10));
}

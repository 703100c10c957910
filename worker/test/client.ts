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

/** Calls the Worker as a client would, with the token unless another authorization is given. */
export async function call(
  path: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Answer> {
  const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, ...init.headers };
  const response = await exports.default.fetch(`https://gateway.example${path}`, { ...init, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

let questions = 0;

/** Asks something nobody has asked before; `fields` go into the body beside it. */
export function ask(fields: Record<string, unknown> = {}, headers: Record<string, string> = {}, signal?: AbortSignal) {
  const messages = [{ role: 'user', content: `question ${(questions += 1)}` }];
  const body = JSON.stringify({ model: 'auto', messages, max_tokens: 1000, ...fields });
  return post(body, headers, signal);
}

export const post = (body: BodyInit, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  call('/v1/chat/completions', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    signal: signal ?? null,
  });

/** Tells a stand-in how to answer from now on, and lets go what it held. */
export async function script(provider: 'groq' | 'openrouter', how: Script = {}): Promise<void> {
  await (await fetch(`${env.STAND_IN}/script`, { method: 'POST', body: JSON.stringify({ provider, ...how }) })).text();
}

/** What the stand-ins got since the last look. */
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

import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';

import { call, question, type Answer } from './client';

/** A status, as far as tests look at it. */
export interface Status {
  requestId: string;
  status: 'queued' | 'delayed' | 'running' | 'completed' | 'dead' | 'cancelled';
  priority: string;
  attempts: number;
  failures: number;
  ahead?: number;
  code?: string;
  endedAt?: number;
  erasedAt?: number;
  user?: string;
  conversation?: string;
  error?: { code: string };
  result?: { choices: { message: { content: string } }[]; tidegate: { target: string; costNanoUsd: number } };
}

export const PATH = '/api/ai/queue';
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
export const statusIn = (answer: Answer) => JSON.parse(answer.text) as Status;

/** Queues something new, as the operator unless headers say otherwise. */
export function enqueue(fields: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Answer> {
  const body = { messages: [{ role: 'user', content: question() }], max_tokens: 10, ...fields };
  return call(PATH, { method: 'POST', headers, body: JSON.stringify(body) });
}

export async function enqueued(fields: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const answer = await enqueue(fields, headers);
  if (answer.status !== 202) throw new Error(answer.text);
  return statusIn(answer);
}

export const about = (method: string, action: string, requestId: string, headers: Record<string, string> = {}) =>
  call(`${PATH}?${action && `action=${action}&`}requestId=${requestId}`, { method, headers });

/** Waits until a request has come to one of these. */
export async function reached(id: string, wanted: Status['status'][], headers: Record<string, string> = {}) {
  for (;;) {
    const status = statusIn(await about('GET', 'status', id, headers));
    if (wanted.includes(status.status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const object = (organisation = 'default', shard = 0) =>
  env.REQUEST_QUEUE.get(env.REQUEST_QUEUE.idFromName(JSON.stringify([organisation, shard])));

/** Everything that an object keeps, as bytes and texts. */
export const kept = (organisation = 'default') =>
  runInDurableObject(object(organisation), (_, state) =>
    state.storage.sql
      .exec('SELECT * FROM items')
      .toArray()
      .map((row) =>
        Object.values(row)
          .map((value) => (value instanceof ArrayBuffer ? new TextDecoder('latin1').decode(value) : String(value)))
          .join(' '),
      ),
  );

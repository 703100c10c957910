import type { Context } from 'hono';

import { readBody } from './body';
import type { Env } from './env';
import { invalid } from './errors';
import { gateOf, ORGANISATION, within } from './gates';

/** The gateway's account of one answer. */
interface Meta {
  requestId: string;
  target: string;
  cache: string;
  attempts: number;
  costNanoUsd: number;
}

/** What `x-tidegate-cache` may say, as the boundary's flags; several are separated by commas. */
const CACHE_FLAGS = new Map([
  ['skip', 1],
  ['no-store', 2],
  ['refresh', 4],
]);

/** `POST /v1/chat/completions`: the body goes to the gateway as it came, the answer back as it came. */
export async function chat(c: Context<{ Bindings: Env }>): Promise<Response> {
  const gate = gateOf(ORGANISATION, c.env);
  const flags = cacheFlags(c.req.header('x-tidegate-cache'));
  const ttlMs = milliseconds(c.req.header('x-tidegate-cache-ttl-ms'));
  const namespace = c.req.header('x-tidegate-namespace');
  const body = await readBody(c.req.raw);
  const running = gate.core.chat(body, ORGANISATION, flags, ttlMs, namespace, c.req.raw.signal);
  const answer = within(ORGANISATION, gate.deadlineMs, running);
  // A client that goes away aborts the attempt; its money is settled after that, while nobody listens.
  c.executionCtx.waitUntil(answer.then(ignore, ignore));
  const [text, account] = (await answer) as [string, string];
  const meta = JSON.parse(account) as Meta;
  return new Response(text, {
    headers: {
      'content-type': 'application/json',
      'x-request-id': meta.requestId,
      'x-tidegate-target': meta.target,
      'x-tidegate-attempts': String(meta.attempts),
      'x-tidegate-cache': meta.cache,
      'x-tidegate-cost-nano-usd': String(meta.costNanoUsd),
    },
  });
}

const ignore = () => {};

function cacheFlags(header: string | undefined): number {
  return (header ?? '').split(',').reduce((flags, word) => {
    const name = word.trim().toLowerCase();
    const flag = name === '' ? 0 : CACHE_FLAGS.get(name);
    if (flag === undefined) throw invalid('x-tidegate-cache must be skip, no-store or refresh.', 'x-tidegate-cache');
    return flags | flag;
  }, 0);
}

function milliseconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  throw invalid('x-tidegate-cache-ttl-ms must be a whole number of milliseconds.', 'x-tidegate-cache-ttl-ms');
}

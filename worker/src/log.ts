import type { Caller } from './auth';
import { hashOf } from './auth/token';
import type { Env } from './env';
import type { Outcome } from './figures/samples';

/** An id of a caller's own: letters that no log can be broken with. */
const ID = /^[\w.:-]{8,128}$/;
/** The trace that a request is part of, as the W3C writes it. */
const TRACE = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The id that the caller gave its request, if it can be one. */
export function givenId(headers: Headers): string | undefined {
  const given = headers.get('x-request-id');
  return given !== null && ID.test(given) ? given : undefined;
}

export function traceOf(headers: Headers): string | undefined {
  const given = headers.get('traceparent');
  return given !== null && TRACE.test(given) ? given : undefined;
}

/**
 * One line of JSON for each request, for whoever runs the Worker; TIDEGATE_LOG: "all" (the default), "errors" or "none".
 * It has codes, counts and times, never what was asked or answered, nor a token, key or address; users are hashed.
 */
export async function logged(request: Request, caller: Caller | undefined, outcome: Outcome, env: Env): Promise<void> {
  const wanted = env.TIDEGATE_LOG ?? 'all';
  const failed = outcome.code !== 'ok';
  if (wanted === 'none' || (wanted === 'errors' && !failed)) return;
  const { meta } = outcome;
  const user = caller?.user === undefined ? undefined : await hashOf(`${caller.organisation}\n${caller.user}`);
  const line = {
    ...{ event: 'request', level: failed ? 'warn' : 'info', code: outcome.code, method: request.method },
    ...{ dialect: outcome.dialect, organisation: caller?.organisation, user: user?.slice(0, 16), tier: caller?.tier },
    ...{ token: caller?.token, requestId: meta?.requestId, givenId: givenId(request.headers) },
    ...{ trace: traceOf(request.headers), target: meta?.target, attempts: meta?.attempts, cache: meta?.cache },
    ...{ costNanoUsd: meta?.costNanoUsd, usage: meta?.usage, totalMs: outcome.totalMs, firstMs: outcome.firstMs },
  };
  console.log(JSON.stringify(line));
}

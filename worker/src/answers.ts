import type { FlatHeaders } from '../../pkg/src/boundary';
import { corsHeaders } from './cors';
import type { Env } from './env';
import { newId, toldOf, type Told } from './log';

/** What every answer says beside its own, under `own`, our id of the request; in the words of what its client speaks. */
export function common(
  request: Request,
  told: Told,
  env: Env,
  own = newId(),
  dialect = 'chat',
): Record<string, string> {
  return {
    ...corsHeaders(request, env),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // The caller finds its request by its own id, and we by ours.
    'x-request-id': told.givenId ?? own,
    'x-tidegate-request-id': own,
    // Where Anthropic's clients look for it.
    ...(dialect === 'anthropic' && { 'request-id': own }),
    traceparent: told.trace,
  };
}

/** The same for an answer that is there already; `own` is its id where it says none. */
export function finished(
  response: Response,
  request: Request,
  env: Env,
  told = toldOf(request.method, request.headers),
  dialect?: string,
  own?: string,
): Response {
  const { headers } = response;
  const all = common(request, told, env, headers.get('x-request-id') ?? own, dialect);
  for (const name in all) headers.set(name, all[name] ?? '');
  return response;
}

/** Sets headers that come as names and values in turn. */
export function setEach(headers: Headers, flat: FlatHeaders): void {
  for (let at = 1; at < flat.length; at += 2) headers.set(flat[at - 1] ?? '', flat[at] ?? '');
}

import type { Env } from '../env';
import { blocked, forbidden, unauthorized } from '../errors';
import { blockOf, tokenOf } from '../organisation/standing';
import { sessionHolder } from '../session/token';
import type { Caller, Scope } from './caller';
import { jwtHolder } from './jwt';
import { operatorOf } from './operator';

export { DEFAULT_ORGANISATION, type Asker, type Caller, type Scope } from './caller';
export { Sent, stripped, type Stripped } from './stripped';

/**
 * Who is calling, by what was `given` as a token in any of the places where clients put one, from the address that the
 * platform tells. What they may do is still to be asked.
 * @throws `unauthorized` (401) if that is nobody we know, `forbidden` (403) while blocked, `config_invalid` if the Worker
 * itself is not set up.
 */
export async function callerOf(request: Request, given: string[], env: Env): Promise<Caller> {
  const operator = operatorOf(given, env);
  const caller = operator ?? (await tokenHolder(given, env));
  if (!caller) throw unauthorized();
  // The operator is never kept out: somebody has to be able to lift a block.
  if (!operator) await letIn(request, caller, env);
  return caller;
}

/**
 * To be asked of every caller, once it is known whom the refusal is to be counted for.
 * @throws `forbidden` (403) without the scope.
 */
export function needs(scope: Scope, { scopes }: Caller): void {
  // Admins see what is counted, too.
  const may = scopes.includes(scope) || (scope === 'metrics' && scopes.includes('admin'));
  if (!may) throw forbidden(scope);
}

/** @throws `forbidden` with the time that is left if the caller, or the address it calls from, is blocked. */
export async function letIn(request: Request, caller: Caller, env: Env): Promise<void> {
  const block = await blockOf(caller, request.headers.get('cf-connecting-ip'), env);
  if (block) throw blocked(block.expires - Date.now());
}

/** Who comes with an API token of ours, a session's or a JWT: the first one that is good counts. */
async function tokenHolder(given: string[], env: Env): Promise<Caller | undefined> {
  for (const token of given) {
    const found = await tokenOf(token, env);
    if (!found) {
      const caller = (await sessionHolder(token, env)) ?? (await jwtHolder(token, env));
      if (caller) return caller;
      continue;
    }
    const { id, user, tier, scopes } = found.record;
    return { organisation: found.standing.organisation, ...(user && { user }), token: id, tier, scopes };
  }
  return undefined;
}

import type { Env } from '../env';
import { forbidden, unauthorized } from '../errors';
import type { Caller, Scope } from './caller';
import { operatorOf } from './operator';

export { DEFAULT_ORGANISATION, type Caller, type Scope } from './caller';
export { stripped, type Stripped } from './stripped';

/**
 * Who is calling, by what was `given` as a token in any of the places where clients put one.
 * @throws `unauthorized` (401) if that is nobody we know, `forbidden` (403) without the scope, `config_invalid` if the
 * Worker itself is not set up.
 */
export async function callerOf(given: string[], env: Env, scope: Scope): Promise<Caller> {
  const caller = await operatorOf(given, env);
  if (!caller) throw unauthorized();
  if (!caller.scopes.includes(scope)) throw forbidden(scope);
  return caller;
}

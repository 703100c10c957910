import { authConfig, type SessionConfig } from '../auth/config';
import type { Caller } from '../auth/caller';
import { jwtHolder } from '../auth/jwt';
import { stripped } from '../auth/stripped';
import { hashOf } from '../auth/token';
import type { Env } from '../env';
import { networkOf } from '../organisation/blocks';
import { isHuman } from './turnstile';

/** Whom a session would be for, if the request proves it in a way that is configured. An Origin proves nothing. */
export async function subjectOf(
  request: Request,
  solved: string | undefined,
  config: SessionConfig,
  env: Env,
): Promise<Caller | undefined> {
  if (config.jwt) {
    for (const given of stripped(request).given) {
      const caller = await jwtHolder(given, env);
      if (caller) return caller;
    }
  }
  if (config.cookie !== undefined) {
    const caller = await jwtHolder(cookieOf(request, config.cookie), env);
    if (caller) return caller;
  }
  if (config.turnstile && solved !== undefined) {
    const address = request.headers.get('cf-connecting-ip');
    if (await isHuman(solved, address, config.turnstile, env)) {
      const { organisation, tier } = config.turnstile;
      return { organisation, user: await anonymous(address, env), tier, scopes: ['chat'] };
    }
  }
  return undefined;
}

/** Sent by a page of this very host, as browsers say it: another site's page can make a browser send cookies, too. */
function cookieOf(request: Request, name: string): string {
  if (request.headers.get('sec-fetch-site') !== 'same-origin') return '';
  const cookies = (request.headers.get('cookie') ?? '').split(/; */);
  const [own = '', ...others] = cookies.filter((cookie) => cookie.startsWith(`${name}=`));
  // A host has one of this name. Of two, another host has made a browser send one.
  return others.length > 0 ? '' : own.slice(name.length + 1);
}

/** One name for all that come from one network, and nothing that leads back to it. */
async function anonymous(address: string | null, env: Env): Promise<string> {
  const network = (address !== null && networkOf(address)) || 'unknown';
  return `anonymous:${(await hashOf(`${env.TIDEGATE_SESSION_KEY}\n${network}`)).slice(0, 24)}`;
}

export const sessionConfig = (env: Env): SessionConfig | undefined => authConfig(env).session;

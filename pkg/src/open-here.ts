// Gates in the realm that asks for them, with what their configuration says about places.

import { isPlain } from './errors.js';
import type { Gate } from './gate.js';
import { isolationFailed, placeOf, type Wrong } from './isolation/place.js';
import { refuseServiceWorker, serviceWorkerOf } from './isolation/service-worker.js';
import { openOnce } from './opened.js';
import type { Platform } from './platform.js';
import { Tidegate } from './tidegate.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

/** One gate of its own. */
export async function makeHere(
  platform: Platform,
  config: TidegateConfig,
  hooks: TidegateHooks,
  forget: () => void,
): Promise<Tidegate> {
  const [{ serviceWorker }, rest, wrong] = placeOf(config);
  const allow = serviceWorker === 'refuse' ? () => refuseServiceWorker(serviceWorkerOf()) : undefined;
  const slips = wrongHooks(hooks);
  // All is told at once that is wrong; what cannot be read is not looked at again.
  return Tidegate.make(platform, rest, slips.length > 0 ? {} : hooks, forget, allow, [...wrong, ...slips]);
}

const HOOKS = { fetch: 'function', ledger: 'function', container: 'object', join: 'boolean' } satisfies Record<
  keyof TidegateHooks,
  string
>;
const PROBLEMS: Record<string, string> = {
  function: 'must be a function',
  object: 'must be an element',
  boolean: 'must be true or false',
};

/** With a slip in `fetch` requests would go out after all. */
function wrongHooks(hooks: TidegateHooks): Wrong {
  const refused = (problem: string) => [{ path: 'hooks', problem }];
  try {
    // Methods of a class are none of its fields.
    if (!isPlain(hooks)) return refused('must be a plain object');
    return Object.entries(hooks).flatMap(([name, hook]) => {
      const path = `hooks.${name}`;
      const type = Object.hasOwn(HOOKS, name) ? HOOKS[name as keyof TidegateHooks] : undefined;
      if (!type) return { path, problem: `is not a known field; known are ${Object.keys(HOOKS).join(', ')}` };
      // What is absent may be said to be so.
      return hook == null || typeof hook === type ? [] : { path, problem: PROBLEMS[type] ?? '' };
    });
  } catch {
    return refused('must be plain data');
  }
}

/** The gate of `config.name` where there are no other realms: outside of a browser's pages. */
export const openOn = (platform: Platform, config: TidegateConfig = {}, hooks: TidegateHooks = {}): Promise<Gate> =>
  openOnce(config, async (forget) => {
    const [{ isolation = 'page' }, , wrong] = placeOf(config);
    if (isolation !== 'page' && wrong.length === 0)
      throw isolationFailed(`There is no isolation: '${isolation}' outside of a browser's pages.`);
    return makeHere(platform, config, hooks ?? {}, forget);
  });

// Gates in the realm that asks for them, with what their configuration says about places.

import type { Gate } from './gate.js';
import { isolationFailed, placeOf } from './isolation/place.js';
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
  return Tidegate.make(platform, rest, hooks, forget, allow, wrong);
}

/** The gate of `config.name` where there are no other realms: outside of a browser's pages. */
export const openOn = (platform: Platform, config: TidegateConfig = {}, hooks: TidegateHooks = {}): Promise<Gate> =>
  openOnce(config, async (forget) => {
    const [{ isolation = 'page' }, , wrong] = placeOf(config);
    if (isolation !== 'page' && wrong.length === 0)
      throw isolationFailed(`There is no isolation: '${isolation}' outside of a browser's pages.`);
    return makeHere(platform, config, hooks ?? {}, forget);
  });

// The gateway in the page itself (`isolation: 'page'`), loaded only when a gate is opened so.

import type { Build } from './build.js';
import { internal, isTidegateError, notLoaded } from './errors.js';
import { optimizedHint } from './isolation/optimized.js';
import { ledgerOfBrowser } from './isolation/place.js';
import { makeHere } from './open-here.js';
import { inTwoParts, once, type Glue, type Parts, type Platform } from './platform.js';
import { indexedDbStorage } from './storage/indexed-db.js';
import { memoryStorage } from './storage/memory.js';
import type { Tidegate } from './tidegate.js';
import type { TidegateConfig, TidegateHooks } from './types.js';
import { watchPresence } from './vault/presence.js';

const small = inTwoParts(
  async () => {
    const glue = await import('../wasm/tidegate.js');
    await glue.default({ module_or_path: new URL('../wasm/tidegate_bg.wasm', import.meta.url) });
    return glue;
  },
  () => new URL('../wasm/tidegate-rest_bg.wasm', import.meta.url),
  () => import('../wasm/tidegate-rest.js'),
);
const dialects = inTwoParts(
  async () => {
    const glue = await import('../wasm/tidegate-dialects.js');
    await glue.default({ module_or_path: new URL('../wasm/tidegate-dialects_bg.wasm', import.meta.url) });
    return glue;
  },
  () => new URL('../wasm/tidegate-dialects-rest_bg.wasm', import.meta.url),
  () => import('../wasm/tidegate-dialects-rest.js'),
);
const loadAll = once<Glue>(async () => {
  const glue = await import('../wasm/tidegate-all.js').catch(notLoaded);
  await glue.default({ module_or_path: new URL('../wasm/tidegate-all_bg.wasm', import.meta.url) }).catch(notLoaded);
  return glue;
});
/** Whether a page may wait for a file in the middle of a call. Only Chromium knows a policy against it, and tells. */
const mayWait = () => {
  const { document } = globalThis as { document?: { featurePolicy?: { allowsFeature(name: string): boolean } } };
  return document?.featurePolicy?.allowsFeature('sync-xhr') ?? true;
};
const loading = (parts: Parts) => async (): Promise<Glue> => {
  const glue = await parts.load();
  if (!mayWait()) await parts.rest()?.catch(notLoaded);
  return glue;
};
/** Vite's optimizer may be why there is no Wasm. */
const hinted = (error: unknown): never => {
  const hint = optimizedHint(import.meta.url);
  if (hint && isTidegateError(error)) throw internal(`A file of the gateway could not be loaded.${hint}`, error.cause);
  throw error;
};
const LOAD = { chat: loading(small), dialects: loading(dialects), all: loadAll };
const PARTS: Record<Build, Parts | undefined> = { chat: small, dialects, all: undefined };

export const platform: Platform = {
  runtime: 'web',
  load: (build) => LOAD[build]().catch(hinted),
  rest: (build) => PARTS[build]?.rest(),
  broken: (build) => PARTS[build]?.broken(),
  later: () => import('./later.js'),
  async derive(...input) {
    const { loadKdf, runKdf } = await import('./kdf.js').catch(notLoaded);
    return runKdf(await loadKdf(new URL('../wasm/kdf_bg.wasm', import.meta.url)), input);
  },
  queue: () => import('./queue/tab.js'),
  watchPresence,
  noLedger: ledgerOfBrowser,
  open: async (name, ledger, decide) => (ledger === 'memory' ? memoryStorage() : indexedDbStorage(name, decide)),
};

/** A gate in this page. */
export const make = (config: TidegateConfig, hooks: TidegateHooks, forget: () => void): Promise<Tidegate> =>
  makeHere(platform, config, hooks, forget);

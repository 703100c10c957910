// The gateway in the page itself (`isolation: 'page'`), loaded only when a gate is opened so.

import { noLedger } from './isolation/place.js';
import { makeHere } from './open-here.js';
import { inTwoParts, once, type Glue, type Platform } from './platform.js';
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
const loadDialects = once<Glue>(async () => {
  const glue = await import('../wasm/tidegate-dialects.js');
  await glue.default({ module_or_path: new URL('../wasm/tidegate-dialects_bg.wasm', import.meta.url) });
  return glue as unknown as Glue; // the same classes, nominally others
});
const loadAll = once<Glue>(async () => {
  const glue = await import('../wasm/tidegate-all.js');
  await glue.default({ module_or_path: new URL('../wasm/tidegate-all_bg.wasm', import.meta.url) });
  return glue as unknown as Glue;
});
const LOAD = { chat: () => small.load(), dialects: loadDialects, all: loadAll };

export const platform: Platform = {
  runtime: 'web',
  load: (build) => LOAD[build](),
  rest: () => small.rest(),
  broken: () => small.broken(),
  later: () => import('./later.js'),
  async derive(...input) {
    const { runKdf } = await import('./kdf.js');
    // Not streamed: that wants a server which knows the type of a Wasm, and 40 KB need no stream.
    const response = await fetch(new URL('../wasm/kdf_bg.wasm', import.meta.url));
    return runKdf(await WebAssembly.compile(await response.arrayBuffer()), input);
  },
  queue: () => import('./queue/tab.js'),
  watchPresence,
  async open(name, ledger, decide) {
    if (ledger === 'memory') return memoryStorage();
    if (!ledger || (ledger === 'indexeddb' && typeof indexedDB !== 'undefined')) return indexedDbStorage(name, decide);
    throw noLedger("must be 'indexeddb' (where the browser has it) or 'memory' here");
  },
};

/** A gate in this page. */
export const make = (config: TidegateConfig, hooks: TidegateHooks, forget: () => void): Promise<Tidegate> =>
  makeHere(platform, config, hooks, forget);

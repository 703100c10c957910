// Browsers. Bundlers see `new URL('….wasm', import.meta.url)` and ship the files; nothing happens at import.

import { needsAll } from './build.js';
import { once, type Glue, type Platform } from './platform.js';
import { indexedDbStorage } from './storage/indexed-db.js';
import { memoryStorage } from './storage/memory.js';
import { Tidegate as Gate } from './tidegate.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

const loadSmall = once<Glue>(async () => {
  const glue = await import('../wasm/tidegate.js');
  await glue.default({ module_or_path: new URL('../wasm/tidegate_bg.wasm', import.meta.url) });
  return glue;
});
const loadAll = once<Glue>(async () => {
  const glue = await import('../wasm/tidegate-all.js');
  await glue.default({ module_or_path: new URL('../wasm/tidegate-all_bg.wasm', import.meta.url) });
  return glue as unknown as Glue; // the same classes, nominally others
});

const platform: Platform = {
  runtime: 'web',
  load: (all) => (all ? loadAll() : loadSmall()),
  async derive(...input) {
    const { runKdf } = await import('./kdf.js');
    // Not streamed: that wants a server which knows the type of a Wasm, and 40 KB need no stream.
    const response = await fetch(new URL('../wasm/kdf_bg.wasm', import.meta.url));
    return runKdf(await WebAssembly.compile(await response.arrayBuffer()), input);
  },
  open: async (name, ledger, decide) => (ledger === 'memory' ? memoryStorage() : indexedDbStorage(name, decide)),
};

/** A gate: `await Tidegate.open(config)`. */
export const Tidegate = {
  /** Opens the gate of `config.name`; the same one, if it is open with the same configuration. */
  open: (config?: TidegateConfig, hooks?: TidegateHooks): Promise<Gate> => Gate.openOn(platform, config, hooks),
};
export type Tidegate = Gate;

/** Loads the Wasm ahead of `open`: the build that `config` needs. */
export const init = async (config: TidegateConfig = {}): Promise<void> => void (await platform.load(needsAll(config)));

export { isTidegateError, TidegateError, type AttemptError, type ErrorData } from './errors.js';
export type * from './types.js';
export type { StoredKey, Vault } from './vault.js';

// Browsers. Bundlers see `new URL('….wasm', import.meta.url)` and ship the files; nothing happens at import.

import { once, type Platform } from './platform.js';
import { indexedDbStorage } from './storage/indexed-db.js';
import { memoryStorage } from './storage/memory.js';
import { Tidegate as Gate } from './tidegate.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

const platform: Platform = {
  runtime: 'web',
  load: once(async () => {
    const glue = await import('../wasm/tidegate.js');
    await glue.default({ module_or_path: new URL('../wasm/tidegate_bg.wasm', import.meta.url) });
    return glue;
  }),
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

/** Loads the Wasm ahead of `open`. */
export const init = async (): Promise<void> => void (await platform.load());

export { isTidegateError, TidegateError, type AttemptError, type ErrorData } from './errors.js';
export type * from './types.js';
export type { StoredKey, Vault } from './vault.js';

// Node 20 and later; also what server-side rendering imports: nothing happens at import.

import { once, type Platform } from './platform.js';
import { memoryStorage } from './storage/memory.js';
import { Tidegate as Gate } from './tidegate.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

const wasm = async (name: string) => {
  const { readFile } = await import('node:fs/promises');
  return readFile(new URL(`../wasm/${name}_bg.wasm`, import.meta.url));
};

const platform: Platform = {
  runtime: 'node',
  load: once(async () => {
    const [glue, bytes] = await Promise.all([import('../wasm/tidegate.js'), wasm('tidegate')]);
    glue.initSync({ module: bytes });
    return glue;
  }),
  async derive(...input) {
    const [{ runKdf }, bytes] = await Promise.all([import('./kdf.js'), wasm('kdf')]);
    return runKdf(await WebAssembly.compile(bytes), input);
  },
  async open(_name, ledger, decide) {
    if (typeof ledger !== 'object') return memoryStorage();
    const { fileStorage } = await import('./storage/file.js');
    return fileStorage(ledger.file, decide);
  },
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

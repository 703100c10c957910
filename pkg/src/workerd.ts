// Cloudflare Workers: the bundler hands the Wasm over compiled. No passphrase vault there: keys are the Worker's secrets.

import * as glue from '../wasm/tidegate.js';
import module from '../wasm/tidegate_bg.wasm';
import { once, type Platform } from './platform.js';
import { memoryStorage } from './storage/memory.js';
import { noDerive, Tidegate as Gate } from './tidegate.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

const platform: Platform = {
  runtime: 'workerd',
  load: once(() => {
    glue.initSync({ module });
    return Promise.resolve(glue);
  }),
  derive: noDerive,
  open: () => Promise.resolve(memoryStorage()),
};

/** A gate: `await Tidegate.open(config)`. */
export const Tidegate = {
  /** Opens the gate of `config.name`; the same one, if it is open with the same configuration. */
  open: (config?: TidegateConfig, hooks?: TidegateHooks): Promise<Gate> => Gate.openOn(platform, config, hooks),
};
export type Tidegate = Gate;

/** The ledger's machine for a Durable Object, and the gate's bare core: what `worker/` is built on. */
export async function wasm(): Promise<typeof glue> {
  return platform.load();
}

/** Loads the Wasm ahead of `open`. */
export const init = async (): Promise<void> => void (await platform.load());

export { isTidegateError, TidegateError, toError, type AttemptError, type ErrorData } from './errors.js';
export type * from './types.js';
export type { StoredKey, Vault } from './vault.js';

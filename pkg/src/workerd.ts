// Cloudflare Workers: the bundler hands the Wasm over compiled. No passphrase vault there: keys are the Worker's secrets.

import * as glue from '../wasm/tidegate-server.js';
import module from '../wasm/tidegate-server_bg.wasm';
import {
  detector,
  type Finding,
  type KeyRule,
  type RedactOptions,
  type Redaction,
  type Scanner as KeyScanner,
  type ScanOptions,
} from './detect.js';
import type { Gate } from './gate.js';
import * as later from './later.js';
import { openOn } from './open-here.js';
import { once, type Platform } from './platform.js';
import { memoryStorage } from './storage/memory.js';
import { noDerive } from './tidegate.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

// One build, the fast one: a Worker loads it before any request, and its size costs nobody a wait.
const load = once(() => {
  glue.initSync({ module });
  return Promise.resolve(glue);
});

const platform: Platform = {
  runtime: 'workerd',
  load,
  later: () => Promise.resolve(later),
  derive: noDerive,
  noLedger: (ledger) =>
    (ledger ?? 'memory') === 'memory' ? undefined : "must be 'memory' here, or hooks.ledger must be given",
  open: () => Promise.resolve(memoryStorage()),
};

/** A gate: `await Tidegate.open(config)`. */
export const Tidegate = {
  /** Opens the gate of `config.name`; the same one, if it is open with the same configuration. */
  open: (config?: TidegateConfig, hooks?: TidegateHooks): Promise<Gate> => openOn(platform, config, hooks),
};
export type Tidegate = Gate;

/** The ledger's machine for a Durable Object, and the gate's bare core: what `worker/` is built on. */
export async function wasm(): Promise<typeof glue> {
  return load();
}

/** Loads the Wasm ahead of `open`: here one build serves every configuration. */
export const init = async (_config: TidegateConfig = {}): Promise<void> => void (await load());

const keys = detector(load);

/** Finds the keys in a text, or in bytes of UTF-8, in its order. */
export const scan = (input: string | Uint8Array, options?: ScanOptions): Promise<Finding[]> =>
  keys.scan(input, options);

/** Takes the keys out of a text: for good, for logs, or so that they can be put back, for prompts. */
export const redact = (text: string, options?: RedactOptions): Promise<Redaction> => keys.redact(text, options);

/** Every kind of key that is known, for documentation and tools. */
export const rules = (): Promise<KeyRule[]> => keys.rules();

/** Scans what comes in chunks: `await Scanner.create(options)`. */
export const Scanner = { create: (options?: ScanOptions): Promise<KeyScanner> => keys.create(options) };
export type Scanner = KeyScanner;

export * from './exports.js';
export { toError } from './errors.js';

// Node 20 and later; also what server-side rendering imports: nothing happens at import.

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
import { kdfWasm, load } from './node-wasm.js';
import { openOn } from './open-here.js';
import type { Platform } from './platform.js';
import { memoryStorage } from './storage/memory.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

const platform: Platform = {
  runtime: 'node',
  load,
  later: () => import('./later.js'),
  async derive(...input) {
    const [{ runKdf }, bytes] = await Promise.all([import('./kdf.js'), kdfWasm()]);
    return runKdf(await WebAssembly.compile(bytes), input);
  },
  queue: () => import('./queue/tab.js'),
  noLedger: (ledger) =>
    (ledger ?? 'memory') === 'memory' || typeof (ledger as { file?: unknown }).file === 'string'
      ? undefined
      : "must be 'memory' or { file: … }: there is no IndexedDB here",
  async open(_name, ledger, decide) {
    // Null, too, is none.
    if (!ledger || typeof ledger !== 'object') return memoryStorage();
    const { fileStorage } = await import('./storage/file.js');
    return fileStorage(ledger.file, decide);
  },
};

/** A gate: `await Tidegate.open(config)`. */
export const Tidegate = {
  /**
   * Opens the gate of `config.name`; the same one, if it is open with the same configuration. Another takes its place.
   * @throws `config_invalid`, which names every field that is wrong; `internal` where the Wasm cannot be read.
   */
  open: (config?: TidegateConfig, hooks?: TidegateHooks): Promise<Gate> => openOn(platform, config, hooks),
};
export type Tidegate = Gate;

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
export { askPasskey, canUsePasskeys, createPasskey, type PasskeyOptions } from './vault/passkey.js';

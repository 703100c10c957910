// What the three entries (web, node, workerd) differ in.

import type { TidegateConfig } from './types.js';
import type { Storage } from './storage/storage.js';

/** The generated glue of the gateway's Wasm, once it is loaded. */
export type Glue = typeof import('../wasm/tidegate.js');

/** Derives a slot key from a passphrase in a Wasm instance that is dropped afterwards. */
export type Derive = (
  passphrase: Uint8Array,
  salt: Uint8Array,
  memoryKib: number,
  passes: number,
  lanes: number,
) => Promise<Uint8Array>;

/** One runtime. */
export interface Platform {
  readonly runtime: 'web' | 'node' | 'workerd';
  /** Loads the gateway's Wasm, once: the small build, or the one with every dialect. */
  load(all: boolean): Promise<Glue>;
  /** Argon2id; loaded only when a passphrase is used. */
  derive: Derive;
  /** The queue's code, loaded only when one is configured; absent where there is none. */
  queue?(): Promise<typeof import('./queue/tab.js')>;
  /** Opens what keeps ledger, vault and cache of the gate of this name. */
  open(name: string, ledger: TidegateConfig['ledger'], decider: Decide): Promise<Storage>;
}

/** Decides in the middle of a storage's own transaction: snapshot to store (undefined: unchanged) and reply. */
export type Decide = (snapshot: Uint8Array | undefined, command: Uint8Array) => [Uint8Array | undefined, Uint8Array];

/** Remembers the one loading; a failed one may be tried again. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
}

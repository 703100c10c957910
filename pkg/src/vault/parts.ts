// What a vault is made of.

import type { Glue, Platform } from '../platform.js';
import type { Storage } from '../storage/storage.js';
import type { LockReason } from './types.js';

/** What a vault is built on. */
export interface VaultParts {
  core: InstanceType<Glue['Core']>;
  glue: Glue;
  platform: Platform;
  storage: Storage;
  /** The part of the Wasm that the vault is in, to be awaited before it is used. */
  rest: () => Promise<void> | undefined;
  /** Of the gate: tabs that share it hear one another. */
  name: string;
  /** The vault was opened. */
  opened: () => Promise<void>;
  /** What is held open in the storage is given back: a realm that sleeps answers nobody. The next use opens it again. */
  asleep: () => void;
  /** The gate is closed. */
  closed: AbortSignal;
  /** The vault was locked. */
  locked: (reason: LockReason) => void;
}

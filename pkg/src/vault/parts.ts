// What a vault is made of, and what it tells.

import type { Glue, Platform } from '../platform.js';
import type { Storage } from '../storage/storage.js';

/** A stored key, without the key. */
export interface StoredKey {
  provider: string;
  /** Counts up with each replacement. */
  version: number;
  /** The only origin it is sent to. */
  origin: string;
  addedAt: number;
  /** When it was last sent, to the minute or so; absent if never. */
  lastUsedAt?: number;
}

/** Why a vault was locked: `lock()`, its rules, or another tab. */
export type LockReason = 'call' | 'auto' | 'tab';

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
  /** The gate is closed. */
  closed: AbortSignal;
  /** The vault was locked. */
  locked: (reason: LockReason) => void;
}

// The vault: keeps provider keys sealed under a passphrase. The cryptography is in the Wasm; here are storage and order.

import { invalid, toError } from './errors.js';
import type { Glue, Platform } from './platform.js';
import type { Storage } from './storage/storage.js';
import type { VaultState } from './types.js';

type Core = InstanceType<Glue['Core']>;

/** Name of the vault's header among its records; a provider's id has no slash. */
const HEADER = 'vault/header';

/** A stored key, without the key. */
export interface StoredKey {
  provider: string;
  /** Counts up with each replacement. */
  version: number;
  /** The only origin it is sent to. */
  origin: string;
  addedAt: number;
}

/** Provider keys, sealed with AES-256-GCM under a passphrase (Argon2id). A stored key never comes back. */
export class Vault {
  readonly #core: Core;
  readonly #glue: Glue;
  readonly #platform: Platform;
  readonly #storage: Storage;
  readonly #rest: () => Promise<void> | undefined;
  readonly #opened: () => Promise<void>;

  /** @internal */
  constructor(
    core: Core,
    glue: Glue,
    platform: Platform,
    storage: Storage,
    rest: () => Promise<void> | undefined,
    opened: () => Promise<void>,
  ) {
    this.#rest = rest;
    this.#core = core;
    this.#glue = glue;
    this.#platform = platform;
    this.#storage = storage;
    this.#opened = opened;
  }

  /** Whether there is a vault, and whether it is unlocked in this gate. */
  async state(): Promise<VaultState> {
    if (this.#core.isUnlocked()) return 'unlocked';
    return (await this.#header()) ? 'locked' : 'absent';
  }

  /**
   * Makes a vault and unlocks it. Bytes are wiped after use; a text cannot be.
   * @throws `invalid_request` if there is one already, or the passphrase is empty.
   */
  async create(passphrase: string | Uint8Array): Promise<void> {
    if (await this.#header()) throw invalid('vault', 'exists already: unlock it, or destroy it first');
    await this.#typed(async () => {
      await this.#rest();
      const request = this.#glue.kdfForNewVault() as KdfRequest;
      const header = this.#core.vaultCreate(await this.#derive(passphrase, request), request.salt);
      await this.#storage.change('vault', [[HEADER, header]], []);
      // Not awaited: Firefox asks the user, and settles only when they answer.
      if (this.#platform.runtime === 'web') navigator.storage?.persist?.().catch(() => false);
    });
  }

  /**
   * Unlocks the vault: its keys are at hand until `lock()` or the end of the page.
   * @throws `vault_locked` for a wrong passphrase, `vault_corrupt` for damaged data (which is left as it is).
   */
  async unlock(passphrase: string | Uint8Array): Promise<void> {
    const records = await this.#storage.all('vault');
    const header = records.get(HEADER);
    if (!header) throw invalid('vault', 'does not exist: create it first');
    await this.#typed(async () => {
      await this.#rest();
      const request = this.#glue.kdfRequest(header) as KdfRequest;
      this.#core.vaultUnlock(header, await this.#derive(passphrase, request));
      records.delete(HEADER);
      try {
        for (const [provider, record] of records) this.#core.vaultOpen(provider, record);
      } catch (error) {
        this.#core.vaultLock();
        throw error;
      }
      await this.#opened();
    });
  }

  /** Wipes the vault's key and every provider's key from memory. */
  async lock(): Promise<void> {
    this.#core.vaultLock();
    return Promise.resolve();
  }

  /**
   * Seals and stores a provider's key, and uses it from now on. It is bound to the origin of the provider's address.
   * Bytes are wiped after use. Returns warnings about its format.
   * @throws `vault_locked`; `invalid_request` for what cannot be a key.
   */
  async put(provider: string, key: string | Uint8Array): Promise<{ warnings: string[] }> {
    return this.#wiping(key, async (bytes) => {
      await this.#rest();
      const old = (await this.#storage.all('vault')).get(provider);
      const version = old ? this.#describe(old).version + 1 : 1;
      const sealed = this.#core.vaultPut(provider, bytes, version) as { record: Uint8Array; warnings: string[] };
      await this.#storage.change('vault', [[provider, sealed.record]], []);
      return { warnings: sealed.warnings };
    });
  }

  /** Uses a key until the page or process ends, and stores nothing. Returns warnings about its format. */
  async putForSession(provider: string, key: string | Uint8Array): Promise<{ warnings: string[] }> {
    return this.#wiping(key, async (bytes) => ({ warnings: this.#core.setKey(provider, bytes) as string[] }));
  }

  /** The stored keys, without the keys. Works while the vault is locked. */
  async list(): Promise<StoredKey[]> {
    return this.#typed(async () => {
      await this.#rest();
      const records = await this.#storage.all('vault');
      records.delete(HEADER);
      return [...records.values()].map((record) => this.#describe(record));
    });
  }

  /** Forgets a provider's key, in storage and in memory. */
  async remove(provider: string): Promise<void> {
    this.#core.removeKey(provider);
    await this.#storage.change('vault', [], [provider]);
  }

  /** Forgets the vault with all its keys. */
  async destroy(): Promise<void> {
    this.#core.vaultLock();
    const records = await this.#storage.all('vault');
    await this.#storage.change('vault', [], records.keys());
  }

  #describe(record: Uint8Array): StoredKey {
    return this.#glue.describeRecord(record) as StoredKey;
  }

  async #header(): Promise<Uint8Array | undefined> {
    return (await this.#storage.all('vault')).get(HEADER);
  }

  async #derive(passphrase: string | Uint8Array, request: KdfRequest): Promise<Uint8Array> {
    // The same passphrase typed on another keyboard may be composed of other code points.
    const bytes = bytesOf(typeof passphrase === 'string' ? passphrase.normalize('NFKC') : passphrase);
    if (bytes.length === 0) throw invalid('passphrase', 'must not be empty');
    try {
      return await this.#platform.derive(bytes, request.salt, request.memoryKib, request.passes, request.lanes);
    } finally {
      bytes.fill(0);
      if (typeof passphrase !== 'string') passphrase.fill(0);
    }
  }

  /** The Wasm takes a copy: what it was copied from is overwritten, whether it was accepted or not. */
  async #wiping<T>(secret: string | Uint8Array, work: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    const bytes = bytesOf(secret);
    try {
      return await this.#typed(() => work(bytes));
    } finally {
      bytes.fill(0);
    }
  }

  async #typed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toError(error);
    }
  }
}

interface KdfRequest {
  salt: Uint8Array;
  memoryKib: number;
  passes: number;
  lanes: number;
}

const bytesOf = (text: string | Uint8Array) => (typeof text === 'string' ? new TextEncoder().encode(text) : text);

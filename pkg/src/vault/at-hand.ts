// What of the vault every gate needs from the start: its state, session keys, when it locks. The rest of it is loaded by
// the first method that needs it.

import { textAt, toError } from '../errors.js';
import { VAULT_CALLS } from '../isolation/protocol.js';
import type { GateVault } from '../gate.js';
import type { LateVault } from '../later.js';
import type { VaultState } from '../types.js';
import { FIRST, HEADER } from './names.js';
import type { VaultParts } from './parts.js';
import type { PresenceSign } from './presence.js';
import { typed, wiping, wipeAll } from './secrets.js';
import { tabChannel, type TabMessage } from './tabs.js';
import type { LockReason, Secret } from './types.js';

/** The vault's methods that are at hand; see `Vault` for the others. */
export class AtHand {
  /** Tells the other tabs that share the vault. */
  readonly tell: (message: TabMessage) => void;
  readonly #parts: VaultParts;
  readonly #late: () => Promise<LateVault>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer is to look: later than that, it slept. */
  #looksAt = Infinity;
  #puts = 0;

  /** @internal */
  constructor(parts: VaultParts, late: () => Promise<LateVault>) {
    this.#parts = parts;
    this.#late = late;
    const shared = parts.platform.runtime === 'web' && parts.storage.kind === 'indexeddb';
    const tabs = shared
      ? tabChannel(parts.name, (message) => void this.heard(message).catch(() => this.wipe('tab')))
      : undefined;
    this.tell = (message) => tabs?.tell(message);
    parts.closed.addEventListener('abort', () => {
      this.unwatch();
      tabs?.close();
    });
  }

  /** Whether there is a vault, and whether it is unlocked in this gate. */
  async state(): Promise<VaultState> {
    return typed(async () => {
      if (this.#parts.core.isUnlocked()) return 'unlocked';
      const records = await this.#parts.storage.all('vault');
      return records.has(HEADER) || records.has(FIRST) ? 'locked' : 'absent';
    }, this.#parts.closed);
  }

  /**
   * Uses a key until the vault is unlocked or locked, or the page or process ends, and stores nothing. Returns warnings
   * about its format, and about a provider that the configuration does not know.
   * @throws `invalid_request` for what cannot be a key, or is another provider's by its form.
   */
  async putForSession(provider: string, key: Secret): Promise<{ warnings: string[] }> {
    return wiping(key, this.#parts.closed, (bytes) => {
      this.#puts += 1;
      return Promise.resolve({ warnings: this.#parts.core.setKey(textAt('provider', provider), bytes) as string[] });
    });
  }

  /** Wipes the vault's key and every provider's key from memory, those of the session too, in all tabs of the gate. */
  async lock(): Promise<void> {
    this.tell('lock');
    await this.#lockHere('call');
  }

  /** Tells the vault whether the person is there. The page does it by itself; needed where a gate has no page. */
  async presence(sign: PresenceSign): Promise<void> {
    const locking = this.watch(textAt('sign', sign) as PresenceSign);
    if (sign !== 'frozen') return;
    this.#parts.asleep();
    await locking;
    // The lock has still written down when keys were used.
    if (locking) this.#parts.asleep();
  }

  /** @internal Takes a sign in, if there is one, and sets the timer to when the vault may have to lock; a lock, if it is due. */
  watch(sign?: PresenceSign): Promise<void> | undefined {
    this.unwatch();
    const dueMs = this.#parts.core.vaultPresence(sign);
    if (dueMs === undefined || this.#parts.platform.runtime !== 'web') return undefined;
    // Other tabs may be in use: each locks when its own time has come.
    if (dueMs <= 0) return this.#lockHere('auto').catch(() => undefined);
    const lookMs = Math.min(dueMs, 60_000);
    this.#looksAt = Date.now() + lookMs;
    this.#timer = setTimeout(() => void this.watch(), lookMs);
    return undefined;
  }

  /** @internal Before a request: no timer ran while the computer slept, and no request undoes that a time has run out. */
  look(): void {
    if (Date.now() > this.#looksAt) void this.watch();
  }

  /** @internal */
  unwatch(): void {
    this.#looksAt = Infinity;
    clearTimeout(this.#timer);
  }

  /** @internal */
  wipe(reason: LockReason): void {
    this.unwatch();
    if (!this.#parts.core.isUnlocked()) return;
    this.#parts.core.vaultLock();
    this.#parts.locked(reason);
  }

  async #lockHere(reason: LockReason): Promise<void> {
    const uses = this.#parts.core.keysUsed() as unknown[];
    const wiped = this.#wipeAll(reason);
    if (uses.length > 0) await (await this.#late()).access.saveUses(uses);
    await wiped;
  }

  /** With the keys of the session. Where there is no vault, it is a key that is missing then, and nothing to unlock. */
  async #wipeAll(reason: LockReason): Promise<void> {
    const puts = this.#puts;
    this.wipe(reason);
    this.#parts.core.vaultLock();
    const state = await this.state().catch(() => 'locked');
    if (state === 'absent' && puts === this.#puts) this.#parts.core.vaultForget();
  }

  /** @internal What another tab told. */
  async heard(message: TabMessage): Promise<void> {
    if (message === 'forget') return this.#parts.core.vaultForget();
    if (message === 'lock') return this.#wipeAll('tab');
    if (!this.#parts.core.isUnlocked()) return;
    const { access } = await this.#late();
    access.load(await access.all(), true);
  }
}

/** @internal All the methods. What was handed in is wiped also where the code that takes it cannot be loaded. */
export function vaultOf(atHand: AtHand, late: () => Promise<LateVault>): GateVault {
  const here = { state: 0, putForSession: 0, lock: 0, presence: 0 };
  const methods = VAULT_CALLS.map((name) => {
    const method = async (...args: unknown[]) => {
      const { vault } = await late().catch((error: unknown) => {
        wipeAll(args);
        throw toError(error);
      });
      return (vault as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args);
    };
    if (!(name in here)) return [name, method] as const;
    return [
      name,
      (...args: unknown[]) => (atHand[name as keyof typeof here] as (...args: unknown[]) => unknown)(...args),
    ];
  });
  return Object.freeze(Object.fromEntries(methods)) as unknown as GateVault;
}

// The vault: keeps provider keys sealed. The cryptography and the rules are in the Wasm; here are storage and order. What
// of it every gate needs from the start is in vault/at-hand.ts.

import { fieldsOf, invalid, isList, textAt } from './errors.js';
import { sealedPuts, type Access, type Sealed } from './vault/access.js';
import type { AtHand } from './vault/at-hand.js';
import { isBytes } from './vault/bytes.js';
import { bytesAt, FIRST, HEADER, KEY, keysOf, oldKeysOf, usesOf } from './vault/names.js';
import {
  deviceName,
  deviceOf,
  fromHex,
  infoOf,
  slotOf,
  wipe,
  wipeSlot,
  type Made,
  type RawSlot,
} from './vault/slots.js';
import type { VaultParts } from './vault/parts.js';
import { typed, wiping } from './vault/secrets.js';
import type { AddedSlot, Damaged, NewSlot, Secret, SlotInfo, SlotKey, StoredKey } from './vault/types.js';

/**
 * Provider keys, sealed with AES-256-GCM under a vault key that one or more slots open. Arrays that carry a secret in are
 * wiped; a text cannot be. Every method rejects with a `TidegateError` that says what would help.
 */
export class Vault {
  readonly #parts: VaultParts;
  readonly #access: Access;
  readonly #atHand: AtHand;

  /** @internal */
  constructor(parts: VaultParts, access: Access, atHand: AtHand) {
    this.#parts = parts;
    this.#access = access;
    this.#atHand = atHand;
  }

  /**
   * Makes a vault with one way in, and unlocks it. A text or bytes alone are a passphrase.
   * @throws `invalid_request` if there is a vault already, or the slot cannot be.
   */
  async create(slot: NewSlot | Secret): Promise<AddedSlot> {
    const from: NewSlot = slotOf<NewSlot>(slot);
    return this.#making([from], async (makes) => {
      if ((await this.#atHand.state()) !== 'absent')
        throw invalid('vault', 'exists already: unlock it, or forget it first');
      const [made] = await makes();
      await this.#access.update((records) => {
        if (records.has(HEADER) || records.has(FIRST)) throw invalid('vault', 'exists already: unlock it');
        const header = this.#parts.core.vaultCreate(made!.slot, made!.secret);
        return { put: [[HEADER, header], ...(made!.device ? [made!.device] : [])] };
      });
      // Not awaited: Firefox asks the user, and settles only when they answer.
      if (this.#parts.platform.runtime === 'web') globalThis.navigator.storage?.persist?.().catch(() => false);
      this.#atHand.watch();
      this.#atHand.tell('changed');
      return made!.added;
    });
  }

  /**
   * Unlocks the vault: its keys are at hand until it locks. A text or bytes alone are a passphrase. With `skipDamaged`
   * it opens what is not damaged; the result says what was.
   * @throws `vault_locked` for a wrong passphrase or the like; `rate_limited` with a wait after several of them;
   * `vault_corrupt`, naming what is damaged or was put back (nothing stored is changed).
   */
  async unlock(key: SlotKey | Secret, options: { skipDamaged?: boolean } = {}): Promise<{ damaged: Damaged[] }> {
    return this.#opening(key, async (from) => {
      let damaged: Damaged[] = [];
      const { core } = this.#parts;
      const { skipDamaged } = fieldsOf('options', options);
      const wasOpen = core.isUnlocked();
      try {
        await this.#access.open(
          from,
          async (slot, secret, again) => {
            if ((await this.#access.all()).has(FIRST)) await this.#access.migrate(secret);
            damaged = this.#access.load(await this.#access.all(), skipDamaged === true);
            if (slot.outdated) await this.#access.raise(slot, secret, again);
          },
          (header, slot, secret) => core.vaultUnlock(header, slot.id, secret),
        );
        await this.#parts.opened();
      } catch (error) {
        if (!wasOpen) core.vaultLock();
        throw error;
      }
      this.#atHand.watch();
      return { damaged };
    });
  }

  /**
   * Shows that the person is there, by opening a slot once more: what could take a key out (`reveal`, `exportFile`,
   * `addSlot`, `removeSlot`, `rotate`) is done for 60 s after it, and for 60 s after `create`. A device slot shows it only
   * if the vault has no other.
   * @throws as `unlock`.
   */
  async confirm(key: SlotKey | Secret): Promise<void> {
    await this.#opening(key, (from) =>
      this.#access.open(from, undefined, (header, slot, secret) =>
        this.#parts.core.vaultConfirm(header, slot.id, secret),
      ),
    );
  }

  /** The ways in, oldest first. Works while the vault is locked. */
  async slots(): Promise<SlotInfo[]> {
    return typed(async () => this.#access.rawSlots(await this.#access.all()).map(infoOf));
  }

  /**
   * Adds a way in, or puts it in the place of another. Needs a `confirm`. A recovery slot's code is in the result, once.
   * @throws `vault_locked`, naming `confirm` if that is what is missing; `invalid_request`.
   */
  async addSlot(slot: NewSlot | Secret, options: { replaces?: string } = {}): Promise<AddedSlot> {
    return this.#making([slotOf<NewSlot>(slot)], async (makes) => {
      const { replaces } = fieldsOf('options', options);
      const [made] = await makes();
      await this.#access.update((records) => {
        const replaced = replaces == null ? undefined : fromHex(replaces);
        const header = this.#parts.core.vaultPutSlot(bytesAt(records, HEADER), made!.slot, made!.secret, replaced);
        return {
          put: [[HEADER, header], ...(made!.device ? [made!.device] : [])],
          remove: replaced ? [deviceName(replaced)] : [],
        };
      });
      return made!.added;
    });
  }

  /**
   * Takes a way in away; never the last. Needs a `confirm`. Whoever has a copy of the vault from before can still open
   * that copy with it: `rotate`, and new keys at the providers, are what helps then.
   */
  async removeSlot(id: string): Promise<void> {
    await this.#access.update((records) => {
      const slot = fromHex(id);
      const header = this.#parts.core.vaultRemoveSlot(bytesAt(records, HEADER), slot);
      return { put: [[HEADER, header]], remove: [deviceName(slot)] };
    });
  }

  /**
   * Gives the vault a new key that these ways in open, and no others any more, in one transaction; no content is sealed
   * anew. Other tabs are locked. Needs a `confirm`.
   */
  async rotate(slots: NewSlot[]): Promise<AddedSlot[]> {
    return this.#making(isList(slots) ? slots.map(slotOf<NewSlot>) : [], async (makes) => {
      if (!isList(slots) || slots.length === 0) throw invalid('slots', 'must name at least one way in');
      const mades = await makes();
      const [first, ...more] = mades as [Made, ...Made[]];
      try {
        await this.#access.update((records) => {
          const { core } = this.#parts;
          const old = bytesAt(records, HEADER);
          const rotated = core.vaultRotate(old, keysOf(records), first.slot, first.secret) as Sealed;
          const header = more.reduce((last, made) => core.vaultPutSlot(last, made.slot, made.secret), rotated.header);
          const devices = [...records.keys()].filter((name) => name.startsWith('device/'));
          return { remove: devices, put: [...sealedPuts({ ...rotated, header }), ...mades.flatMap(deviceOf)] };
        });
      } catch (error) {
        // What was decided may not have been stored: then what is open is not what is there.
        await this.#atHand.heard('changed').catch(() => this.#atHand.wipe('call'));
        throw error;
      }
      this.#atHand.tell('lock');
      return mades.map((made) => made.added);
    });
  }

  /**
   * Seals and stores a provider's key, and uses it from now on. It is bound to the origin of the provider's address.
   * Returns warnings about its format.
   * @throws `vault_locked`; `invalid_request` for what cannot be a key (ASCII, at most 4,096 bytes), for one that is another
   * provider's by its form, or for a provider that the configuration does not know.
   */
  async put(provider: string, key: Secret): Promise<{ warnings: string[] }> {
    return wiping(key, this.#parts.closed, async (bytes) => {
      let warnings: string[] = [];
      await this.#access.update((records) => {
        // One of the first format has no such header until it is unlocked, and that is then what is missing.
        const header = records.has(FIRST) ? new Uint8Array() : bytesAt(records, HEADER);
        const put = this.#parts.core.vaultPut(header, textAt('provider', provider), bytes);
        const sealed = put as { header: Uint8Array; record: Uint8Array; warnings: string[] };
        warnings = sealed.warnings;
        return {
          put: [
            [HEADER, sealed.header],
            [KEY + provider, sealed.record],
          ],
        };
      });
      this.#atHand.tell('changed');
      return { warnings };
    });
  }

  /** The stored keys, without the keys. Works while the vault is locked. */
  async list(): Promise<StoredKey[]> {
    return typed(async () => {
      await this.#access.saveUses();
      const records = await this.#access.all();
      const uses = usesOf(records);
      const stored = records.has(FIRST) ? oldKeysOf(records) : keysOf(records);
      return stored.map(([, record]) => {
        const key = this.#parts.glue.describeRecord(record) as StoredKey;
        // Counted by provider: a use from before this key was put was another key's.
        const lastUsedAt = uses.get(key.provider) ?? 0;
        return lastUsedAt < key.addedAt ? key : { ...key, lastUsedAt };
      });
    });
  }

  /**
   * A provider's key, as bytes: wipe them. Needs a `confirm`.
   * @throws `vault_locked`, naming `confirm` if that is what is missing.
   */
  async reveal(provider: string): Promise<Uint8Array> {
    return typed(async () => {
      const records = await this.#access.all();
      const record = records.get(KEY + textAt('provider', provider));
      if (!isBytes(record)) throw invalid('provider', 'has no key in this vault');
      return this.#parts.core.vaultReveal(bytesAt(records, HEADER), provider, record);
    });
  }

  /** Forgets a provider's key, in storage and in memory. */
  async remove(provider: string): Promise<void> {
    this.#parts.core.removeKey(textAt('provider', provider));
    await this.#access.update((records) => {
      if (!records.has(HEADER)) return {};
      const header = this.#parts.core.vaultRemove(bytesAt(records, HEADER), provider);
      return { put: [[HEADER, header]], remove: [KEY + provider] };
    });
    this.#atHand.tell('changed');
  }

  /** Forgets everything, in all tabs: the vault with all its keys and ways in, session keys, cached answers on disk. */
  async forget(): Promise<void> {
    await typed(async () => {
      this.#parts.core.vaultForget();
      await this.#access.update((records) => ({ remove: records.keys() }));
      await this.#parts.storage.update('cache', (records) => ({ remove: records.keys() }));
      this.#atHand.tell('forget');
    });
  }

  /** Every key as a file that this passphrase opens, on any device. Needs a `confirm`. */
  async exportFile(passphrase: Secret): Promise<Uint8Array> {
    return this.#making([{ kind: 'passphrase', passphrase }], async (makes) => {
      const [made] = await makes();
      const records = await this.#access.all();
      return this.#parts.core.vaultExport(bytesAt(records, HEADER), keysOf(records), made!.slot, made!.secret);
    });
  }

  /**
   * Takes in the keys of an exported file; those of the same providers are replaced. The vault must be unlocked. Skipped
   * are keys of providers that are not configured here, or at another address than the key is for.
   * @throws `vault_corrupt` for a damaged file, `vault_locked` for a wrong passphrase; nothing is taken in then.
   */
  async importFile(file: Uint8Array, passphrase: Secret): Promise<{ providers: string[]; skipped: string[] }> {
    return this.#opening(passphrase, async (key) => {
      const { core, glue, rest } = this.#parts;
      if (!isBytes(file)) throw invalid('file', 'must be its bytes');
      await rest();
      const slots = glue.vaultSlots(glue.exportHeader(file)) as RawSlot[];
      const result: { providers: string[]; skipped: string[] } = { providers: [], skipped: [] };
      await this.#access.slots.open(
        slots,
        key,
        new Map(),
        () => undefined,
        (slot, secret) =>
          this.#access.update((records) => {
            const taken = core.vaultImport(bytesAt(records, HEADER), file, slot.id, secret) as Sealed & {
              skipped: string[];
            };
            result.providers = taken.records.map(([provider]) => provider);
            result.skipped = taken.skipped;
            return { put: sealedPuts(taken) };
          }),
      );
      this.#atHand.tell('changed');
      return result;
    });
  }

  /** Makes slots when asked to, and wipes what was handed in and what became of it. */
  async #making<T>(from: NewSlot[], work: (makes: () => Promise<Made[]>) => Promise<T>): Promise<T> {
    const mades: Made[] = [];
    const makes = async () => {
      for (const slot of from) mades.push(await this.#access.slots.make(slot));
      return mades;
    };
    try {
      return await typed(() => work(makes));
    } finally {
      for (const slot of from) wipeSlot(slot);
      wipe(...mades.map((made) => made.secret));
      this.#lockIfClosed();
    }
  }

  async #opening<T>(key: SlotKey | Secret, work: (key: SlotKey) => Promise<T>): Promise<T> {
    const from: SlotKey = slotOf<SlotKey>(key);
    try {
      return await typed(() => work(from));
    } finally {
      wipeSlot(from);
      this.#lockIfClosed();
    }
  }

  /** What was opened while the gate was being closed would lie in memory for as long as the page. */
  #lockIfClosed(): void {
    if (this.#parts.closed.aborted) this.#parts.core.vaultLock();
  }
}

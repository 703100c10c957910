// How a vault is opened: slots, slowed attempts, the move from format 1, a higher cost where there is one.

import { invalid, toError } from '../errors.js';
import type { Glue, Platform } from '../platform.js';
import type { Change, Rows, Storage } from '../storage/storage.js';
import { isBytes } from './bytes.js';
import { ATTEMPTS, bytesAt, encodeUses, FIRST, HEADER, KEY, keysOf, oldKeysOf, USED, usesOf } from './names.js';
import { typed } from './secrets.js';
import { Slots, wipe, type Made, type RawSlot } from './slots.js';
import type { Damaged, SlotKey } from './types.js';

type Core = InstanceType<Glue['Core']>;
export type Records = Map<string, Rows['vault']>;

/** What is to be stored together. */
export interface Sealed {
  header: Uint8Array;
  records: [string, Uint8Array][];
}

/** What is done once a slot has opened. `again` makes the slot anew at the present cost. */
export type Then = (slot: RawSlot, secret: Uint8Array, again: () => Promise<Made>) => Promise<void>;

export const sealedPuts = ({ header, records }: Sealed): [string, Uint8Array][] => [
  [HEADER, header],
  ...records.map(([provider, record]): [string, Uint8Array] => [KEY + provider, record]),
];

/** The stored vault of one gate. */
export class Access {
  readonly slots: Slots;
  readonly #core: Core;
  readonly #glue: Glue;
  readonly #storage: Storage;
  readonly #rest: () => Promise<void> | undefined;

  constructor(core: Core, glue: Glue, platform: Platform, storage: Storage, rest: () => Promise<void> | undefined) {
    this.slots = new Slots(glue, platform, storage, rest);
    this.#rest = rest;
    this.#core = core;
    this.#glue = glue;
    this.#storage = storage;
  }

  /** What is stored, for the Wasm to read: its part is here then. */
  async all(): Promise<Records> {
    await this.#rest();
    return this.peek();
  }

  /** What is stored, to look at its names. */
  peek(): Promise<Records> {
    return this.#storage.all('vault');
  }

  /** One transaction; whatever `decide` throws becomes a `TidegateError`, and nothing is changed. */
  update(decide: (records: Records) => Change<Rows['vault']>): Promise<void> {
    return typed(async () => {
      await this.#rest();
      await this.#storage.update('vault', decide);
    });
  }

  /** Uses the keys that are stored, and no others. */
  load(records: Records, skipDamaged: boolean): Damaged[] {
    return this.#core.vaultOpen(bytesAt(records, HEADER), keysOf(records), skipDamaged) as Damaged[];
  }

  /** The slots of the stored vault, of whichever format. */
  rawSlots(records: Records): RawSlot[] {
    const first = records.get(FIRST);
    if (isBytes(first)) return [this.#glue.firstSlot(first) as RawSlot];
    return this.#glue.vaultSlots(bytesAt(records, HEADER)) as RawSlot[];
  }

  /** Opens a slot by what was given. What people type is slowed down: an attempt is stored before it is made. */
  async open(
    key: SlotKey,
    then: Then | undefined,
    open: (header: Uint8Array, slot: RawSlot, secret: Uint8Array) => void,
  ): Promise<void> {
    const slots = this.rawSlots(await this.all());
    const typed = key.kind === 'passphrase' || key.kind === 'recovery';
    let before: Rows['vault'] | undefined;
    if (typed) {
      await this.update((records) => {
        before = records.get(ATTEMPTS);
        const stored = isBytes(before) ? before : undefined;
        return { put: [[ATTEMPTS, this.#glue.unlockAttempt(stored, Date.now())]] };
      });
    }
    const settle = (row: Rows['vault'] | undefined) =>
      typed ? this.update(() => (row ? { put: [[ATTEMPTS, row]] } : { remove: [ATTEMPTS] })) : Promise.resolve();
    try {
      const records = await this.all();
      await this.slots.open(
        slots,
        key,
        records,
        // A vault of format 1 is opened by moving it.
        (slot, secret) => (records.has(FIRST) ? undefined : open(bytesAt(records, HEADER), slot, secret)),
        then,
      );
    } catch (error) {
      if (toError(error).code !== 'vault_locked') await settle(before);
      throw error;
    }
    await settle(undefined);
  }

  /** Moves a vault of format 1: writes the new one beside it, reads that back, and only then deletes the old one. */
  async migrate(secret: Uint8Array): Promise<void> {
    await this.update((records) => {
      const moved = this.#core.vaultMigrate(bytesAt(records, FIRST), oldKeysOf(records), secret) as Sealed;
      return { put: sealedPuts(moved), remove: keysOf(records).map(([provider]) => KEY + provider) };
    });
    await this.update((records) => {
      const old = oldKeysOf(records);
      const header = bytesAt(records, HEADER);
      if (!this.#glue.vaultMoved(bytesAt(records, FIRST), old, secret, header, keysOf(records))) {
        throw invalid('vault', 'could not be moved to the present format: it was left as it is', 500);
      }
      return { remove: [FIRST, ...old.map(([provider]) => provider)] };
    });
  }

  /** A slot of a lower cost than today's is made anew. Where that cannot be, it stays. */
  async raise(slot: RawSlot, secret: Uint8Array, again: () => Promise<Made>): Promise<void> {
    try {
      const made = await again();
      try {
        if (this.slots.describe(made.slot).outdated) return;
        await this.update((records) => {
          const header = bytesAt(records, HEADER);
          const own = this.rawSlots(records).find(
            ({ kind, salt }) => kind === slot.kind && String(salt) === String(slot.salt),
          );
          if (!own) return {};
          return { put: [[HEADER, this.#core.vaultRaise(header, own.id, secret, made.slot, made.secret)]] };
        });
      } finally {
        wipe(made.secret);
      }
    } catch {
      // It opens as before.
    }
  }

  /** Writes down when keys were used, if there is room: nothing else fails for want of it. */
  async saveUses(uses: unknown = this.#core.keysUsed()): Promise<void> {
    const own = uses as [string, number][];
    if (own.length === 0) return;
    const written = this.update((records) => {
      const known = usesOf(records);
      const newer = own.filter(([provider, at]) => records.has(KEY + provider) && (known.get(provider) ?? 0) < at);
      return newer.length > 0 ? { put: [[USED, encodeUses(new Map([...known, ...newer]))]] } : {};
    });
    await written.catch(() => undefined);
  }
}

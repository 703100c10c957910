// The ways into a vault: what an app hands in for each, and the secret that it comes down to. Every array that carried a
// secret is wiped, also when it is refused.

import { fieldsOf, invalid } from '../errors.js';
import type { Glue, Platform } from '../platform.js';
import type { Storage } from '../storage/storage.js';
import { isBytes } from './bytes.js';
import type { AddedSlot, NewSlot, Secret, SlotInfo, SlotKey } from './types.js';

/** As it comes out of the Wasm. */
export interface RawSlot {
  id: Uint8Array;
  kind: SlotInfo['kind'];
  name: string;
  addedAt: number;
  salt: Uint8Array;
  credential: Uint8Array;
  memoryKib: number;
  passes: number;
  lanes: number;
  outdated: boolean;
}

/** A slot that is ready to be put into a vault. */
export interface Made {
  slot: Uint8Array;
  secret: Uint8Array;
  added: AddedSlot;
  /** What is stored beside the vault. */
  device?: readonly [string, CryptoKey];
}

const NONE: Uint8Array = new Uint8Array();

/** Bytes of a secret. The same passphrase typed on another keyboard may be composed of other code points. */
export const bytesOf = (secret: Secret): Uint8Array =>
  typeof secret === 'string' ? new TextEncoder().encode(secret.normalize('NFKC')) : secret;

const isSecret = (given: unknown): given is Secret => typeof given === 'string' || isBytes(given);

/** What was given for a way in; a text or bytes alone are a passphrase. */
export function slotOf<T extends { kind: string }>(given: T | Secret): T | { kind: 'passphrase'; passphrase: Secret } {
  if (isSecret(given)) return { kind: 'passphrase', passphrase: given };
  const problem = 'must be a way in, or a passphrase as a text or bytes';
  if (given === null) throw invalid('slot', problem);
  const slot = fieldsOf('slot', given, problem) as T;
  const { kind, name, credential, salt } = slot as Record<string, unknown>;
  if (typeof kind !== 'string') throw invalid('slot.kind', 'must be passphrase, passkey, device or recovery');
  if (name != null && typeof name !== 'string') throw invalid('slot.name', 'must be a text');
  if (kind === 'passkey' && !isBytes(credential)) throw invalid('slot.credential', 'must be bytes');
  if (salt != null && !isBytes(salt)) throw invalid('slot.salt', 'must be bytes');
  return slot;
}

export const wipe = (...secrets: (Secret | undefined)[]): void => {
  for (const secret of secrets) if (isBytes(secret)) secret.fill(0);
};

/** Wipes what an app handed in. */
export function wipeSlot(slot: unknown): void {
  if (!(slot instanceof Object)) return;
  const { passphrase, prf, code } = slot as Record<string, Secret | undefined>;
  wipe(passphrase, prf, code);
}

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export const fromHex = (text: string): Uint8Array =>
  new Uint8Array(
    (typeof text === 'string' && /^[0-9a-f]{32}$/.test(text) ? text : '')
      .match(/../g)
      ?.map((byte) => parseInt(byte, 16)) ?? [],
  );

const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, index) => byte === b[index]);

/** What the vault lists of a slot. */
export function infoOf({ id, kind, name, addedAt, memoryKib, passes, lanes, credential, salt }: RawSlot): SlotInfo {
  return {
    id: hex(id),
    kind,
    name,
    addedAt,
    ...(kind === 'passphrase' && { kdf: { memoryKib, passes, lanes } }),
    ...(kind === 'passkey' && { credential, salt }),
  };
}

/** Makes slots and their secrets. */
export class Slots {
  readonly #glue: Glue;
  readonly #platform: Platform;
  readonly #storage: Storage;
  readonly #rest: () => Promise<void> | undefined;

  constructor(glue: Glue, platform: Platform, storage: Storage, rest: () => Promise<void> | undefined) {
    this.#rest = rest;
    this.#glue = glue;
    this.#platform = platform;
    this.#storage = storage;
  }

  describe(slot: Uint8Array): RawSlot {
    return this.#glue.describeSlot(slot) as RawSlot;
  }

  /** A new slot with its secret, which whoever asks wipes. */
  async make(from: NewSlot): Promise<Made> {
    await this.#rest();
    const fresh = (credential: Uint8Array = NONE, salt: Uint8Array = NONE, least = false) =>
      this.#glue.newSlot(from.kind, from.name ?? '', credential, salt, least, Date.now());
    const added = (slot: Uint8Array): AddedSlot => ({ id: hex(this.describe(slot).id), kind: from.kind });
    switch (from.kind) {
      case 'passphrase': {
        const passphrase = passphraseOf(from.passphrase);
        try {
          let slot = fresh();
          const secret = await this.#derived(passphrase, this.describe(slot)).catch((error: unknown) => {
            if (error !== 'internal') throw error;
            slot = fresh(NONE, NONE, true); // there is not so much memory
            return this.#derived(passphrase, this.describe(slot));
          });
          return { slot, secret, added: added(slot) };
        } finally {
          wipe(passphrase);
        }
      }
      case 'passkey': {
        try {
          const slot = fresh(from.credential, from.salt ?? NONE);
          return { slot, secret: prfOf(from.prf).slice(), added: added(slot) };
        } finally {
          wipe(from.prf);
        }
      }
      case 'device': {
        if (this.#storage.kind !== 'indexeddb') throw invalid('slot.kind', 'device needs a browser with IndexedDB');
        if (!isSecureContext) throw invalid('slot.kind', 'device needs a page by https, or of this computer itself');
        const slot = fresh();
        const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']);
        const { id, salt } = this.describe(slot);
        return { slot, secret: await answerOf(key, salt), added: added(slot), device: [deviceName(id), key] };
      }
      case 'recovery': {
        const slot = fresh();
        const recoveryCode = this.#glue.newRecoveryCode();
        return { slot, secret: this.#glue.recoverySecret(recoveryCode), added: { ...added(slot), recoveryCode } };
      }
      default:
        return fresh() as never; // refuses the kind by name
    }
  }

  /**
   * Tries what was given at every slot that it may open, until `open` takes one. `records` are where the device keys are.
   * `then` is told that slot, and how to make a passphrase's slot anew at the present cost.
   */
  async open(
    slots: RawSlot[],
    key: SlotKey,
    records: Map<string, unknown>,
    open: (slot: RawSlot, secret: Uint8Array) => void,
    then?: (slot: RawSlot, secret: Uint8Array, again: () => Promise<Made>) => Promise<void>,
  ): Promise<void> {
    const fitting = slots.filter(
      (slot) => slot.kind === key.kind && (key.kind !== 'passkey' || same(slot.credential, key.credential)),
    );
    if (fitting.length === 0) throw invalid('slot', `is not of this vault: it has no such ${String(key.kind)}`);
    const given = this.#given(key);
    try {
      let refused: unknown;
      for (const slot of fitting) {
        const secret = await this.#secret(slot, key, given, records);
        try {
          open(slot, secret);
          await then?.(slot, secret, () => this.make({ kind: 'passphrase', passphrase: given, name: slot.name }));
          return;
        } catch (error) {
          refused ??= error;
          if (!(error instanceof Object && 'code' in error && error.code === 'vault_locked')) throw error;
        } finally {
          wipe(secret);
        }
      }
      throw refused;
    } finally {
      wipe(given);
    }
  }

  #given(key: SlotKey): Uint8Array {
    switch (key.kind) {
      case 'passphrase':
        return passphraseOf(key.passphrase);
      case 'passkey':
        return prfOf(key.prf);
      case 'recovery':
        if (!isSecret(key.code)) throw invalid('code', 'must be a text or bytes');
        return this.#glue.recoverySecret(bytesOf(key.code));
      default:
        return NONE;
    }
  }

  async #secret(
    slot: RawSlot,
    { kind }: SlotKey,
    given: Uint8Array,
    records: Map<string, unknown>,
  ): Promise<Uint8Array> {
    if (kind === 'passphrase') {
      return this.#derived(given, slot);
    }
    if (kind !== 'device') return given.slice();
    const device = records.get(deviceName(slot.id));
    // Left behind when the vault's bytes were copied from elsewhere.
    if (!(device instanceof CryptoKey)) throw invalid('slot', 'is of another device: its key is not here');
    return answerOf(device, slot.salt);
  }

  async #derived(passphrase: Uint8Array, { salt, memoryKib, passes, lanes }: RawSlot): Promise<Uint8Array> {
    const copy = passphrase.slice();
    try {
      return await this.#platform.derive(copy, salt, memoryKib, passes, lanes);
    } finally {
      // Also where what derives could not be loaded.
      wipe(copy);
    }
  }
}

/** What is to be stored of a new slot beside the header. */
export const deviceOf = ({ device }: Made): (readonly [string, CryptoKey])[] => (device ? [device] : []);

/** Name of a device slot's key in storage. */
export const deviceName = (id: Uint8Array): string => `device/${hex(id)}`;

async function answerOf(key: CryptoKey, salt: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, salt as BufferSource));
}

function passphraseOf(passphrase: Secret): Uint8Array {
  if (!isSecret(passphrase)) throw invalid('passphrase', `must be a text or bytes, not ${typeof passphrase}`);
  const bytes = bytesOf(passphrase);
  if (bytes.length === 0) throw invalid('passphrase', 'must not be empty');
  return bytes;
}

function prfOf(prf: unknown): Uint8Array {
  if (!isBytes(prf) || prf.length !== 32) throw invalid('slot.prf', 'must be the 32 bytes of the passkey');
  return prf;
}

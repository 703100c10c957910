// What a vault takes and tells. Apps' compilers read this file: it leads to none of the gateway's own modules.

/** What carries a secret in. Bytes are wiped once they are taken; a text cannot be. */
export type Secret = string | Uint8Array;

/** A way in that is to be made: at most 16 in a vault, their names at most 100 bytes long. */
export type NewSlot =
  /**
   * A text is normalised (NFKC), bytes are taken as they are: normalise what a person typed before encoding it. Any that is
   * not empty is taken, so ask for a good one where it is chosen: who has a copy of the vault can guess for as long as they
   * like, and a short one is found however dear a guess is. The app's and the frame's own forms ask for at least 15
   * characters, as NIST SP 800-63B does of a password that nothing else stands beside.
   */
  | { kind: 'passphrase'; passphrase: string | Uint8Array; name?: string }
  /** From `createPasskey`. */
  | { kind: 'passkey'; credential: Uint8Array; salt: Uint8Array; prf: Uint8Array; name?: string }
  /**
   * A key that this browser keeps: no question is asked. Any script of this origin can use it, and it is in the profile on
   * the disk as the vault is: it protects neither against such a script nor against whoever copies the profile.
   */
  | { kind: 'device'; name?: string }
  /** Its code is made here and told once. */
  | { kind: 'recovery'; name?: string };

/** What opens a way in. */
export type SlotKey =
  | { kind: 'passphrase'; passphrase: string | Uint8Array }
  /** From `askPasskey`. */
  | { kind: 'passkey'; credential: Uint8Array; prf: Uint8Array }
  | { kind: 'device' }
  | { kind: 'recovery'; code: string | Uint8Array };

/** A way in, as the vault lists it. */
export interface SlotInfo {
  /** What `removeSlot` and `replaces` take. */
  id: string;
  kind: 'passphrase' | 'passkey' | 'device' | 'recovery' | 'unknown';
  /** As it was given; may be empty. */
  name: string;
  /** Milliseconds since 1970, as `Date.now()`. */
  addedAt: number;
  /** Cost of a passphrase: Argon2id. */
  kdf?: { memoryKib: number; passes: number; lanes: number };
  /** Id of a passkey, and what it is to be asked with. */
  credential?: Uint8Array;
  salt?: Uint8Array;
}

/** A way in that was made. */
export interface AddedSlot {
  id: string;
  kind: NewSlot['kind'];
  /** The code of a recovery slot as text in bytes, told this once: show it, have it written down, wipe it. */
  recoveryCode?: Uint8Array;
}

/** A stored key, without the key. */
export interface StoredKey {
  provider: string;
  /** Counts up with each replacement. */
  version: number;
  /** The only origin it is sent to. */
  origin: string;
  /** Milliseconds since 1970, as `Date.now()`. */
  addedAt: number;
  /** When it was last sent, by the same clock, to the minute or so; absent if never. */
  lastUsedAt?: number;
}

/** Why a vault was locked: `lock()`, its rules, or another tab. */
export type LockReason = 'call' | 'auto' | 'tab';

/** A record that cannot be used, and why. */
export interface Damaged {
  path: string;
  problem: string;
}

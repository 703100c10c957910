//! The vault's header, and the way from a slot key to the vault key.
//!
//! ```text
//! frame ( vault id | count | slot … | mac )     slot = kind | length | body
//! passphrase slot: memory | passes | lanes | salt | commitment | sealed vault key
//! ```
//!
//! The MAC, by a key derived from the vault key, covers the whole list of slots: nobody who cannot open
//! the vault can add, drop or alter one unnoticed.

use crate::error::{Code, Error, Result};
use crate::pack::{Reader, Writer};
use crate::secret::Secret;
use crate::time::Timestamp;

use super::Entropy;
use super::cipher::{self, Key};
use super::envelope::{self, Header, Kind};
use super::frame::{self, What};
use super::kdf::{KdfParams, SALT_BYTES};

/// Kind of a slot that a passphrase opens.
const PASSPHRASE: u8 = 1;

/// An open vault. Dropping it locks the vault: the vault key is wiped.
#[derive(Debug)]
pub struct Unlocked {
    pub(super) vault: [u8; 16],
    pub(super) key: Key,
}

impl Unlocked {
    /// A key for another part of the gateway (sealed cache entries, fingerprints). The same label gives
    /// the same key for as long as the vault key lives; different labels give unrelated keys.
    pub fn derive_subkey(&self, label: &str) -> Result<Secret<[u8; 32]>> {
        self.derive("subkey", label)
    }

    pub(super) fn derive(&self, purpose: &str, label: &str) -> Result<Key> {
        cipher::derive(&self.key, &self.vault, purpose, label)
    }

    fn mac(&self, covered: &[u8]) -> Result<Key> {
        let key = self.derive("header-mac", "")?;
        // EXPOSE: goes into the MAC, whose state is wiped on drop.
        cipher::hmac(key.expose(), &[covered])
    }
}

/// Makes a new vault: the header to store, and the vault, open.
///
/// `slot_key` is what the KDF made of the passphrase with this salt and these parameters. The salt must
/// be random and new.
///
/// # Errors
/// `vault_corrupt` for parameters out of bounds: such a vault could not be opened again.
pub fn create(
    slot_key: &Secret<[u8; 32]>,
    salt: [u8; SALT_BYTES],
    params: KdfParams,
    entropy: &mut Entropy<'_>,
) -> Result<(Vec<u8>, Unlocked)> {
    let KdfParams { memory_kib, passes, lanes } = params.checked()?;
    let mut unlocked = Unlocked { vault: [0; 16], key: Secret::new([0; 32]) };
    let mut nonce = [0; 12];
    entropy(&mut unlocked.vault);
    // EXPOSE: the key is filled in place; nothing reads it here.
    entropy(unlocked.key.expose_mut());
    entropy(&mut nonce);

    let keys = SlotKeys::of(slot_key, &unlocked.vault)?;
    // EXPOSE: sealed at once; only the ciphertext leaves.
    let sealed = envelope::seal(&keys.wrap, &slot_header(unlocked.vault), unlocked.key.expose(), nonce)?;
    let mut slot = Writer::new();
    slot.uint(memory_kib.into()).uint(passes.into()).uint(lanes.into());
    slot.raw(&salt).raw(&keys.commitment()).bytes(&sealed);

    let mut covered = frame::start(What::Header);
    covered.raw(&unlocked.vault).uint(1).byte(PASSPHRASE).bytes(&slot.finish());
    let covered = covered.finish();
    let mac = unlocked.mac(&covered)?;
    let mut header = Writer::new();
    // EXPOSE: a MAC is public; it only travels in the type of a key.
    header.raw(&covered).raw(mac.expose());
    Ok((frame::finish(header), unlocked))
}

/// What the KDF needs to make the slot key: salt and parameters, within bounds.
///
/// # Errors
/// `vault_corrupt` if the header is damaged or of another version.
pub fn kdf_request(header: &[u8]) -> Result<([u8; SALT_BYTES], KdfParams)> {
    let stored = Stored::read(header)?;
    Ok((stored.slot.salt, stored.slot.params))
}

/// Opens the vault.
///
/// # Errors
/// `vault_locked`, naming the field `passphrase`, if the passphrase is wrong; `vault_corrupt` if the
/// header is damaged, forged or of another version.
pub fn unlock(header: &[u8], slot_key: &Secret<[u8; 32]>) -> Result<Unlocked> {
    let Stored { vault, slot, covered, mac } = Stored::read(header)?;
    let keys = SlotKeys::of(slot_key, &vault)?;
    if !keys.committed(&slot.commitment) {
        return Err(Box::new(Error::field(Code::VaultLocked, "passphrase", "does not open this vault")));
    }
    let opened = envelope::unseal(&keys.wrap, &slot_header(vault), slot.sealed)?;
    // EXPOSE: moves into the Secret of the open vault.
    let key = opened.expose().as_slice().try_into().map_err(|_| Code::VaultCorrupt)?;
    let unlocked = Unlocked { vault, key: Secret::new(key) };
    if unlocked.mac(covered)?.ct_eq(&mac) { Ok(unlocked) } else { Err(Code::VaultCorrupt.into()) }
}

fn slot_header(vault: [u8; 16]) -> Header<'static> {
    Header { vault, record: "", version: 0, origin: "", added_at: Timestamp::EPOCH, kind: Kind::VaultKey }
}

/// The two keys of a slot: one seals the vault key, the other is what the slot commits to.
struct SlotKeys {
    wrap: Key,
    commitment: Key,
}

impl SlotKeys {
    fn of(slot_key: &Key, vault: &[u8; 16]) -> Result<Self> {
        let wrap = cipher::derive(slot_key, vault, "slot-wrap", "")?;
        Ok(Self { wrap, commitment: cipher::derive(slot_key, vault, "slot-commitment", "")? })
    }

    /// 16 bytes are stored: enough that no two keys share them, and they say nothing about the key.
    fn commitment(&self) -> [u8; 16] {
        // EXPOSE: derived for being stored in the clear.
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *self.commitment.expose();
        first
    }

    fn committed(&self, stored: &[u8; 16]) -> bool {
        Secret::new(self.commitment()).ct_eq(stored)
    }
}

/// A header as it was read: whole, but not yet authenticated.
struct Stored<'a> {
    vault: [u8; 16],
    slot: PassphraseSlot<'a>,
    covered: &'a [u8],
    mac: [u8; 32],
}

struct PassphraseSlot<'a> {
    params: KdfParams,
    salt: [u8; SALT_BYTES],
    commitment: [u8; 16],
    sealed: &'a [u8],
}

impl<'a> Stored<'a> {
    fn read(header: &'a [u8]) -> Result<Self> {
        let (content, mut reader) = frame::open(What::Header, header)?;
        let vault = reader.array();
        let mut slot = None;
        for _ in 0..reader.count() {
            let kind = reader.byte();
            let body = reader.bytes();
            if kind == PASSPHRASE && slot.is_none() {
                slot = Some(PassphraseSlot::read(body)?);
            }
        }
        let mac: [u8; 32] = reader.array();
        reader.end()?;
        let covered = content.strip_suffix(&mac).ok_or(Code::VaultCorrupt)?;
        Ok(Self { vault, slot: slot.ok_or(Code::VaultCorrupt)?, covered, mac })
    }
}

impl<'a> PassphraseSlot<'a> {
    fn read(body: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let params = KdfParams { memory_kib: reader.uint32(), passes: reader.uint32(), lanes: reader.uint32() };
        let (salt, commitment) = (reader.array(), reader.array());
        let sealed = reader.bytes();
        reader.end()?;
        Ok(Self { params: params.checked()?, salt, commitment, sealed })
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

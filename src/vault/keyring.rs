//! The vault's header: its slots, and the index of what it holds.
//!
//! ```text
//! frame ( vault id | epoch | count | slot … | count | entry … | mac )
//! slot:   length | public part | commitment | length | sealed vault key
//! entry:  provider | record id | version
//! ```
//!
//! The MAC, by a key derived from the vault key, covers all of it: nobody who cannot open the vault can add, drop or
//! alter a slot, or put back an older record, unnoticed. The epoch counts the vault's keys.

use crate::error::{Code, Error, Result};
use crate::secret::Secret;

use super::Entropy;
use super::cipher::{self, Key};
use super::envelope::{self, FORMAT};
use super::frame::{self, What};
use super::slot::{Slot, SlotKeys, SlotKind};

/// More ways in than this are a mistake.
const MOST_SLOTS: usize = 16;

/// An open vault. Dropping it locks the vault: the vault key is wiped.
#[derive(Debug)]
pub struct Unlocked {
    pub(super) vault: [u8; 16],
    pub(super) key: Key,
    epoch: u64,
}

/// A header as it was read: whole, but authenticated only by [`Unlocked::authentic`].
pub(super) struct Stored<'a> {
    pub(super) vault: [u8; 16],
    epoch: u64,
    slots: Vec<Held>,
    pub(super) index: Vec<Entry>,
    covered: &'a [u8],
    mac: [u8; 32],
}

/// A slot with what only its owner can use.
#[derive(Clone)]
struct Held {
    slot: Slot,
    commitment: [u8; 16],
    sealed: Vec<u8>,
}

/// What is stored last for a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) provider: String,
    pub(super) record: [u8; 16],
    pub(super) version: u64,
}

/// Makes a new vault with one slot: the header to store, and the vault, open. `secret` is what the slot's owner makes
/// of the slot's salt.
///
/// # Errors
/// `internal` if the platform's memory is at its end.
pub fn create(slot: &Slot, secret: &[u8], entropy: &mut Entropy<'_>) -> Result<(Vec<u8>, Unlocked)> {
    let mut unlocked = Unlocked { vault: [0; 16], key: Secret::new([0; 32]), epoch: 1 };
    entropy(&mut unlocked.vault);
    // EXPOSE: the key is filled in place; nothing reads it here.
    entropy(unlocked.key.expose_mut());
    let held = unlocked.hold(slot, secret, entropy)?;
    let header = unlocked.write(&[held], &[])?;
    Ok((header, unlocked))
}

/// The slots of a vault, oldest first. Needs no key; nobody vouches for them until the vault is open.
///
/// # Errors
/// `vault_corrupt` if the header is damaged or of another version.
pub fn slots(header: &[u8]) -> Result<Vec<Slot>> {
    Ok(Stored::read(header)?.slots.into_iter().map(|held| held.slot).collect())
}

/// Opens the vault by the slot of this id.
///
/// # Errors
/// `vault_locked`, naming the slot's kind as the field, if the secret is wrong or there is no such slot;
/// `vault_corrupt` if the header is damaged, forged or of another version.
pub fn unlock(header: &[u8], slot: &[u8], secret: &[u8]) -> Result<Unlocked> {
    let stored = Stored::read(header)?;
    let (vault, epoch) = (stored.vault, stored.epoch);
    let gone = || Error::field(Code::VaultLocked, "slot", "is not of this vault");
    let held = stored.slots.iter().find(|held| held.slot.id == *slot).ok_or_else(gone)?;
    let keys = SlotKeys::of(secret, &vault, &held.slot)?;
    let kind = held.slot.kind();
    let field = SlotKind::ALL.iter().find(|(own, _)| Some(*own) == kind).map_or("slot", |(_, name)| name);
    keys.committed(&held.commitment, field)?;
    let key = envelope::unseal_key(FORMAT, &keys.wrap, &held.slot.header(vault, epoch), &held.sealed)?;
    let unlocked = Unlocked { vault, key, epoch };
    stored.vouched(&unlocked)?;
    Ok(unlocked)
}

impl Unlocked {
    /// A key for another part of the gateway (sealed cache entries, fingerprints). The same label gives
    /// the same key for as long as the vault key lives; different labels give unrelated keys.
    pub fn derive_subkey(&self, label: &str) -> Result<Secret<[u8; 32]>> {
        self.derive("subkey", label.as_bytes())
    }

    pub(super) fn derive(&self, purpose: &str, label: &[u8]) -> Result<Key> {
        // EXPOSE: goes into the MAC, whose state is wiped on drop.
        cipher::derive(self.key.expose(), FORMAT, &self.vault, purpose, label)
    }

    /// Adds a slot, or puts it in the place of the one of the id `replaces`: the new header.
    ///
    /// # Errors
    /// `invalid_request` for a 17th slot or one to replace that is not there; else as [`slots`].
    pub fn put_slot(
        &self,
        header: &[u8],
        slot: &Slot,
        secret: &[u8],
        replaces: Option<&[u8]>,
        entropy: &mut Entropy<'_>,
    ) -> Result<Vec<u8>> {
        let Stored { mut slots, index, .. } = self.authentic(header)?;
        let held = self.hold(slot, secret, entropy)?;
        match replaces {
            Some(id) => *find(&mut slots, id)? = held,
            None if slots.len() >= MOST_SLOTS => return Err(refused("is one too many: a vault has at most 16")),
            None => slots.push(held),
        }
        self.write(&slots, &index)
    }

    /// Takes a slot away: the new header.
    ///
    /// # Errors
    /// `invalid_request` for the only slot, and for one that is not there; else as [`slots`].
    pub fn remove_slot(&self, header: &[u8], id: &[u8]) -> Result<Vec<u8>> {
        let Stored { mut slots, index, .. } = self.authentic(header)?;
        find(&mut slots, id)?;
        if slots.len() < 2 {
            return Err(refused("is the only one: add another first, or forget the vault"));
        }
        slots.retain(|held| held.slot.id != *id);
        self.write(&slots, &index)
    }

    /// The slots of this vault's own header.
    ///
    /// # Errors
    /// `vault_corrupt` if the header is damaged or somebody else's.
    pub fn authentic_slots(&self, header: &[u8]) -> Result<Vec<Slot>> {
        Ok(self.authentic(header)?.slots.into_iter().map(|held| held.slot).collect())
    }

    /// The header with an entry for a provider, or without one.
    pub(super) fn with_entry(&self, header: &[u8], provider: &str, entry: Option<Entry>) -> Result<Vec<u8>> {
        let Stored { slots, mut index, .. } = self.authentic(header)?;
        index.retain(|own| own.provider != provider);
        index.extend(entry);
        self.write(&slots, &index)
    }

    /// A vault of the same id and content under a new key, with one slot: what is lost, leaked or forgotten opens
    /// nothing any more. The records must be wrapped anew with it.
    pub(super) fn renewed(
        &self,
        header: &[u8],
        slot: &Slot,
        secret: &[u8],
        entropy: &mut Entropy<'_>,
    ) -> Result<(Vec<u8>, Self)> {
        let Stored { index, .. } = self.authentic(header)?;
        let mut renewed = Self { vault: self.vault, key: Secret::new([0; 32]), epoch: self.epoch.saturating_add(1) };
        // EXPOSE: the key is filled in place; nothing reads it here.
        entropy(renewed.key.expose_mut());
        let held = renewed.hold(slot, secret, entropy)?;
        Ok((renewed.write(&[held], &index)?, renewed))
    }

    /// The header, if it is this vault's and nobody else wrote it.
    pub(super) fn authentic<'a>(&self, header: &'a [u8]) -> Result<Stored<'a>> {
        let stored = Stored::read(header)?;
        if stored.vault != self.vault || stored.epoch != self.epoch {
            let problem = "was given a new key elsewhere: unlock it again";
            return Err(Box::new(Error::field(Code::VaultLocked, "vault", problem)));
        }
        stored.vouched(self)?;
        Ok(stored)
    }

    fn hold(&self, slot: &Slot, secret: &[u8], entropy: &mut Entropy<'_>) -> Result<Held> {
        let keys = SlotKeys::of(secret, &self.vault, slot)?;
        let mut nonce = [0; 12];
        entropy(&mut nonce);
        // EXPOSE: sealed at once; only the ciphertext leaves.
        let sealed = envelope::seal(&keys.wrap, &slot.header(self.vault, self.epoch), self.key.expose(), nonce)?;
        Ok(Held { slot: slot.clone(), commitment: keys.commitment(), sealed })
    }

    fn write(&self, slots: &[Held], index: &[Entry]) -> Result<Vec<u8>> {
        let mut covered = frame::start(What::Header);
        covered.raw(&self.vault).uint(self.epoch).uint(slots.len() as u64);
        for Held { slot, commitment, sealed } in slots {
            covered.bytes(&slot.encode()).raw(commitment).bytes(sealed);
        }
        covered.uint(index.len() as u64);
        for Entry { provider, record, version } in index {
            covered.text(provider).raw(record).uint(*version);
        }
        let covered = covered.finish();
        let mac = self.mac(&covered)?;
        let mut header = crate::pack::Writer::new();
        // EXPOSE: a MAC is public; it only travels in the type of a key.
        header.raw(&covered).raw(mac.expose());
        Ok(frame::finish(header))
    }

    fn mac(&self, covered: &[u8]) -> Result<Key> {
        let key = self.derive("header-mac", b"")?;
        // EXPOSE: goes into the MAC, whose state is wiped on drop.
        cipher::hmac(key.expose(), &[covered])
    }
}

impl<'a> Stored<'a> {
    pub(super) fn read(header: &'a [u8]) -> Result<Self> {
        let (content, mut reader) = frame::open(What::Header, header)?;
        let (vault, epoch) = (reader.array(), reader.uint());
        let mut slots = Vec::new();
        for _ in 0..reader.count() {
            let (slot, commitment) = (reader.bytes(), reader.array());
            let sealed = reader.bytes().into();
            if !reader.is_sound() {
                break;
            }
            slots.push(Held { slot: Slot::decode(slot)?, commitment, sealed });
        }
        let mut index = Vec::new();
        for _ in 0..reader.count() {
            if !reader.is_sound() {
                break;
            }
            index.push(Entry { provider: reader.text().into(), record: reader.array(), version: reader.uint() });
        }
        let mac: [u8; 32] = reader.array();
        reader.end()?;
        let covered = content.strip_suffix(&mac).ok_or(Code::VaultCorrupt)?;
        Ok(Self { vault, epoch, slots, index, covered, mac })
    }

    fn vouched(&self, unlocked: &Unlocked) -> Result<()> {
        if unlocked.mac(self.covered)?.ct_eq(&self.mac) { Ok(()) } else { Err(Code::VaultCorrupt.into()) }
    }
}

fn find<'a>(slots: &'a mut [Held], id: &[u8]) -> Result<&'a mut Held> {
    slots.iter_mut().find(|held| held.slot.id == *id).ok_or_else(|| refused("is not of this vault"))
}

fn refused(problem: &'static str) -> Box<Error> {
    Box::new(Error::invalid("slot", problem))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

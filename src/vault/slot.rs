//! A slot: one way to reach the vault key.
//!
//! Whatever a slot is of, it comes down to a secret that only its owner can make again: Argon2id of a passphrase, a
//! passkey's answer to the salt, a device key's answer to it, a recovery code. The vault key is sealed by a key derived
//! from that secret, so the vault need not know where it came from.

use crate::error::{Code, Error, Result};
use crate::pack::{Reader, Writer};
use crate::secret::Secret;
use crate::time::Timestamp;

use super::Entropy;
use super::cipher::{self, Key};
use super::envelope::{FORMAT, Header, Kind};
use super::kdf::{KdfParams, SALT_BYTES};

/// Longest name of a slot, in bytes.
const LONGEST_NAME: usize = 100;

/// Longest credential id that WebAuthn allows.
const LONGEST_CREDENTIAL: usize = 1_023;

/// What opens a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SlotKind {
    /// A passphrase, through Argon2id.
    Passphrase = 1,
    /// A passkey: what WebAuthn's PRF extension answers to the salt.
    Passkey = 2,
    /// A key that the browser keeps and does not give out: what it answers to the salt.
    Device = 3,
    /// A random code, written down.
    Recovery = 4,
}

impl SlotKind {
    /// Every kind, by its stable name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Passphrase, "passphrase"),
        (Self::Passkey, "passkey"),
        (Self::Device, "device"),
        (Self::Recovery, "recovery"),
    ];

    /// The kind of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(kind, own)| (own == name).then_some(kind))
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(kind, _)| (kind as u8 == code).then_some(kind))
    }
}

/// The public part of a slot: what its owner needs to make the secret again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Tells slots apart. Random.
    pub id: [u8; 16],
    code: u8,
    /// What a person calls it; may be empty.
    pub name: String,
    /// When it was made.
    pub added_at: Timestamp,
    /// Cost of a passphrase slot; zeros for others.
    pub params: KdfParams,
    /// What Argon2id, the passkey or the device key is given. Random.
    pub salt: [u8; SALT_BYTES],
    /// Id of the passkey; empty for others.
    pub credential: Vec<u8>,
}

impl Slot {
    /// A new slot with a fresh id and salt. `params` are of a passphrase, `credential` of a passkey.
    ///
    /// # Errors
    /// `invalid_request` for a name of more than 100 bytes or a passkey without an id; `vault_corrupt` for parameters
    /// out of bounds, since such a slot could not be opened again.
    pub fn new(
        kind: SlotKind,
        name: &str,
        params: KdfParams,
        credential: &[u8],
        now: Timestamp,
        entropy: &mut Entropy<'_>,
    ) -> Result<Self> {
        if name.len() > LONGEST_NAME {
            return Err(Box::new(Error::invalid("slot.name", "is longer than 100 bytes")));
        }
        let passkey = kind == SlotKind::Passkey;
        if passkey == credential.is_empty() || credential.len() > LONGEST_CREDENTIAL {
            return Err(Box::new(Error::invalid(
                "slot.credential",
                "must be the id of a passkey, for a passkey alone",
            )));
        }
        let params = match kind {
            SlotKind::Passphrase => params.checked()?,
            _ => KdfParams { memory_kib: 0, passes: 0, lanes: 0 },
        };
        let (mut id, mut salt) = ([0; 16], [0; SALT_BYTES]);
        entropy(&mut id);
        entropy(&mut salt);
        Ok(Self { id, code: kind as u8, name: name.into(), added_at: now, params, salt, credential: credential.into() })
    }

    /// What opens it; `None` for a kind of a later version, which is left alone.
    #[must_use]
    pub fn kind(&self) -> Option<SlotKind> {
        SlotKind::of(self.code)
    }

    /// As it stands in a header.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&self.id).byte(self.code).text(&self.name).int(self.added_at.as_millis());
        out.uint(self.params.memory_kib.into()).uint(self.params.passes.into()).uint(self.params.lanes.into());
        out.raw(&self.salt).bytes(&self.credential);
        out.finish()
    }

    /// Reads what [`Slot::encode`] wrote.
    ///
    /// # Errors
    /// `vault_corrupt` for anything else, and for a cost out of bounds: whoever can write to the storage could
    /// otherwise make an unlock take gigabytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let slot = Self {
            id: reader.array(),
            code: reader.byte(),
            name: reader.text().into(),
            added_at: Timestamp::from_millis(reader.int()),
            params: KdfParams { memory_kib: reader.uint32(), passes: reader.uint32(), lanes: reader.uint32() },
            salt: reader.array(),
            credential: reader.bytes().into(),
        };
        reader.end()?;
        if slot.kind() == Some(SlotKind::Passphrase) {
            slot.params.checked()?;
        }
        Ok(slot)
    }

    /// What the sealed vault key of this slot is.
    pub(super) const fn header(&self, vault: [u8; 16], epoch: u64) -> Header<'static> {
        let (record, added_at) = (self.id, self.added_at);
        Header { vault, record, version: epoch, provider: "", origin: "", added_at, kind: Kind::VaultKey }
    }
}

/// The two keys of a slot: one seals the vault key, the other is what the slot commits to.
pub(super) struct SlotKeys {
    pub(super) wrap: Key,
    commitment: Key,
}

impl SlotKeys {
    /// Those of a slot with this secret, which must be one that nobody can guess, or the work of a slow KDF.
    pub(super) fn of(secret: &[u8], vault: &[u8; 16], slot: &Slot) -> Result<Self> {
        let label = [&slot.id[..], &[slot.code]].concat();
        Self::labelled(secret, FORMAT, vault, &label)
    }

    pub(super) fn labelled(secret: &[u8], format: u8, vault: &[u8; 16], label: &[u8]) -> Result<Self> {
        let wrap = cipher::derive(secret, format, vault, "slot-wrap", label)?;
        Ok(Self { wrap, commitment: cipher::derive(secret, format, vault, "slot-commitment", label)? })
    }

    /// 16 bytes are stored: enough that no two keys share them, and they say nothing about the key.
    pub(super) fn commitment(&self) -> [u8; 16] {
        // EXPOSE: derived for being stored in the clear.
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *self.commitment.expose();
        first
    }

    /// `vault_locked`, naming what was given, unless the slot commits to this secret.
    pub(super) fn committed(&self, stored: &[u8; 16], field: &str) -> Result<()> {
        if Secret::new(self.commitment()).ct_eq(stored) {
            return Ok(());
        }
        Err(Box::new(Error::field(Code::VaultLocked, field, "does not open this vault")))
    }
}

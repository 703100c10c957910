//! Format 1, which had one passphrase slot and no index: read once, to be moved into the present format.
//!
//! Moving takes two steps of the storage: the new vault is written beside the old one, and only when what was stored
//! has been read back and opened, [`moved`], the old one is deleted.

use crate::error::{Code, Error, Result};
use crate::pack::Reader;
use crate::secret::Secret;
use crate::time::Timestamp;

use super::Entropy;
use super::cipher;
use super::envelope::{self, FIRST, Header, Kind};
use super::frame::{self, What};
use super::kdf::{KdfParams, SALT_BYTES};
use super::keyring::{self, Entry, Unlocked};
use super::records::{Description, ProviderKey, Records};
use super::slot::{Slot, SlotKeys, SlotKind};

struct Vault<'a> {
    vault: [u8; 16],
    params: KdfParams,
    salt: [u8; SALT_BYTES],
    commitment: [u8; 16],
    sealed: &'a [u8],
    covered: &'a [u8],
    mac: [u8; 32],
}

/// What the KDF needs: salt and cost.
///
/// # Errors
/// `vault_corrupt` if the header is damaged or of another version.
pub fn kdf_request(header: &[u8]) -> Result<([u8; SALT_BYTES], KdfParams)> {
    let Vault { salt, params, .. } = Vault::read(header)?;
    Ok((salt, params))
}

/// The same keys in a new vault of the present format, with the same passphrase, salt and cost: header, records, and the
/// vault, open.
///
/// # Errors
/// `vault_locked`, naming the field `passphrase`, if the passphrase is wrong; `vault_corrupt` if anything is damaged.
pub fn migrate(
    header: &[u8],
    records: &[(String, Vec<u8>)],
    secret: &[u8],
    now: Timestamp,
    entropy: &mut Entropy<'_>,
) -> Result<(Vec<u8>, Records, Unlocked)> {
    let keys = open(header, records, secret)?;
    let (salt, params) = kdf_request(header)?;
    let mut slot = Slot::new(SlotKind::Passphrase, "", params, &[], now, entropy)?;
    slot.salt = salt;
    let (mut next, unlocked) = keyring::create(&slot, secret, entropy)?;
    let mut moved = Vec::with_capacity(keys.len());
    for own in keys {
        let mut record = [0; 16];
        entropy(&mut record);
        let entry = Entry { provider: own.provider.clone(), record, version: own.version };
        moved.push((own.provider, unlocked.seal_key(&entry, &own.origin, &own.key, own.added_at, entropy)?));
        next = unlocked.with_entry(&next, &entry.provider.clone(), Some(entry))?;
    }
    Ok((next, moved, unlocked))
}

/// Whether the new vault, as it was read back, holds what the old one holds, all of it and the same.
///
/// # Errors
/// As [`migrate`].
pub fn moved(old: (&[u8], &[(String, Vec<u8>)]), secret: &[u8], new: (&[u8], &[(String, Vec<u8>)])) -> Result<bool> {
    let olds = open(old.0, old.1, secret)?;
    let slots = keyring::slots(new.0)?;
    let slot = slots.first().ok_or(Code::VaultCorrupt)?;
    let (news, bad) = keyring::unlock(new.0, &slot.id, secret)?.open_all(new.0, new.1)?;
    let same = |old: &ProviderKey, new: &ProviderKey| {
        let all = (&old.provider, &old.origin, old.version, old.added_at);
        all == (&new.provider, &new.origin, new.version, new.added_at)
            // EXPOSE: compared in constant time; nothing leaves.
            && old.key.ct_eq(new.key.expose().as_bytes())
    };
    let all = olds.iter().all(|old| news.iter().any(|new| same(old, new)));
    Ok(bad.is_empty() && all && olds.len() == news.len())
}

fn open(header: &[u8], records: &[(String, Vec<u8>)], secret: &[u8]) -> Result<Vec<ProviderKey>> {
    let stored = Vault::read(header)?;
    let vault = stored.vault;
    let slot = Header {
        vault,
        record: [0; 16],
        version: 0,
        provider: "",
        origin: "",
        added_at: Timestamp::EPOCH,
        kind: Kind::VaultKey,
    };
    let keys = SlotKeys::labelled(secret, FIRST, &vault, b"")?;
    keys.committed(&stored.commitment, "passphrase")?;
    let key = envelope::unseal_key(FIRST, &keys.wrap, &slot, stored.sealed)?;
    // EXPOSE: goes into the MAC, whose state is wiped on drop.
    let derive = |purpose| cipher::derive(key.expose(), FIRST, &vault, purpose, b"");
    let mac_key = derive("header-mac")?;
    // EXPOSE: goes into the MAC, whose state is wiped on drop.
    if !cipher::hmac(mac_key.expose(), &[stored.covered])?.ct_eq(&stored.mac) {
        return Err(Code::VaultCorrupt.into());
    }
    let wrap = derive("record-wrap")?;
    let damaged = |provider: &str| Error::field(Code::VaultCorrupt, &["keys.", provider].concat(), "is damaged");
    let opened = records
        .iter()
        .map(|(provider, record)| open_key(&vault, &wrap, provider, record).map_err(|_| Box::new(damaged(provider))));
    opened.collect()
}

/// Reads the clear part of a record.
///
/// # Errors
/// `vault_corrupt` if the record is damaged or of another version.
pub fn describe(record: &[u8]) -> Result<Description> {
    let Header { provider, version, origin, added_at, .. } = Record::read(record)?.header;
    Ok(Description { provider: provider.into(), version, origin: origin.into(), added_at })
}

fn open_key(vault: &[u8; 16], wrap: &cipher::Key, name: &str, record: &[u8]) -> Result<ProviderKey> {
    let Record { header, wrapped, sealed } = Record::read(record)?;
    if header.vault != *vault || header.provider != name {
        return Err(Code::VaultCorrupt.into());
    }
    let content_key = envelope::unseal_key(FIRST, wrap, &Header { kind: Kind::ContentKey, ..header }, wrapped)?;
    let content = envelope::unseal_as(FIRST, &content_key, &header, sealed)?;
    // EXPOSE: moves into the Secret of the provider's key.
    let key = std::str::from_utf8(content.expose()).map_err(|_| Code::VaultCorrupt)?;
    let (provider, origin) = (name.into(), header.origin.into());
    let key = Secret::new(key.into());
    Ok(ProviderKey { provider, origin, version: header.version, added_at: header.added_at, key })
}

struct Record<'a> {
    header: Header<'a>,
    wrapped: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Record<'a> {
    fn read(record: &'a [u8]) -> Result<Self> {
        let (_, mut reader) = frame::open_as(FIRST, What::Record, record)?;
        let (vault, provider, version) = (reader.array(), reader.text(), reader.uint());
        let (origin, added_at) = (reader.text(), Timestamp::from_millis(reader.int()));
        let (wrapped, sealed) = (reader.bytes(), reader.bytes());
        reader.end()?;
        let kind = Kind::ProviderKey;
        Ok(Self {
            header: Header { vault, record: [0; 16], version, provider, origin, added_at, kind },
            wrapped,
            sealed,
        })
    }
}

impl<'a> Vault<'a> {
    fn read(header: &'a [u8]) -> Result<Self> {
        /// Kind of a slot that a passphrase opens.
        const PASSPHRASE: u8 = 1;

        let (content, mut reader) = frame::open_as(FIRST, What::Header, header)?;
        let vault = reader.array();
        let mut found = None;
        for _ in 0..reader.count() {
            let (kind, body) = (reader.byte(), reader.bytes());
            if kind == PASSPHRASE && found.is_none() {
                found = Some(body);
            }
        }
        let mac: [u8; 32] = reader.array();
        reader.end()?;
        let covered = content.strip_suffix(&mac).ok_or(Code::VaultCorrupt)?;
        let mut slot = Reader::new(found.ok_or(Code::VaultCorrupt)?);
        let params = KdfParams { memory_kib: slot.uint32(), passes: slot.uint32(), lanes: slot.uint32() };
        let (salt, commitment, sealed) = (slot.array(), slot.array(), slot.bytes());
        slot.end()?;
        Ok(Self { vault, params: params.checked()?, salt, commitment, sealed, covered, mac })
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // as the others
mod tests;

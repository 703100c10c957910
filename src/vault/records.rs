//! What an open vault seals: providers' keys, and bytes of other parts of the gateway.
//!
//! ```text
//! frame ( vault id | provider | version | origin | added at | sealed content key | sealed key )
//! ```
//!
//! Names and times stand in the clear, so that a locked vault can list what it holds.

use crate::error::{Code, Error, Result};
use crate::pack::Reader;
use crate::secret::Secret;
use crate::time::Timestamp;

use super::Entropy;
use super::cipher::Key;
use super::envelope::{self, Header, Kind};
use super::frame::{self, What};
use super::keyring::Unlocked;

/// A provider's key, taken out of its record.
#[derive(Debug)]
pub struct ProviderKey {
    /// The provider.
    pub provider: String,
    /// The only origin that the key may be sent to.
    pub origin: String,
    /// Version of the record.
    pub version: u64,
    key: Secret<String>,
}

impl ProviderKey {
    /// The key, for a request to `origin`.
    ///
    /// # Errors
    /// `config_invalid` if the key was stored for another origin: an altered base URL must not carry a
    /// key away.
    pub fn for_origin(&self, origin: &str) -> Result<&Secret<String>> {
        if self.origin == origin {
            return Ok(&self.key);
        }
        let problem = "its key was stored for another origin: put the key again";
        Err(Box::new(Error::field(Code::ConfigInvalid, &["providers.", &self.provider].concat(), problem)))
    }
}

/// What a record says about itself while the vault is locked. Whole, but authenticated only once
/// [`Unlocked::open_record`] has opened it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// The provider.
    pub provider: String,
    /// Version of the record, raised by each new key.
    pub version: u64,
    /// The only origin that the key may be sent to.
    pub origin: String,
    /// When this version was stored.
    pub added_at: Timestamp,
}

/// Reads the clear part of a record.
///
/// # Errors
/// `vault_corrupt` if the record is damaged or of another version.
pub fn describe(record: &[u8]) -> Result<Description> {
    let Header { record, version, origin, added_at, .. } = Stored::read(record)?.header;
    Ok(Description { provider: record.into(), version, origin: origin.into(), added_at })
}

impl Unlocked {
    /// Seals a provider's key: the record to store. `version` must be higher than that of the record it
    /// replaces. Check the key with [`super::format::check_key`] before.
    pub fn put(
        &self,
        provider: &str,
        origin: &str,
        key: &Secret<String>,
        version: u64,
        now: Timestamp,
        entropy: &mut Entropy<'_>,
    ) -> Result<Vec<u8>> {
        let mut content_key = Secret::new([0; 32]);
        let (mut wrap_nonce, mut content_nonce) = ([0; 12], [0; 12]);
        // EXPOSE: the content key is filled in place; nothing reads it here.
        entropy(content_key.expose_mut());
        entropy(&mut wrap_nonce);
        entropy(&mut content_nonce);

        let vault = self.vault;
        let header = Header { vault, record: provider, version, origin, added_at: now, kind: Kind::ProviderKey };
        let wrap_header = Header { kind: Kind::ContentKey, ..header };
        // EXPOSE: sealed at once; only the ciphertext leaves.
        let wrapped = envelope::seal(&self.wrap_key()?, &wrap_header, content_key.expose(), wrap_nonce)?;
        // EXPOSE: sealed at once; only the ciphertext leaves.
        let sealed = envelope::seal(&content_key, &header, key.expose().as_bytes(), content_nonce)?;

        let mut record = frame::start(What::Record);
        record.raw(&vault).text(provider).uint(version).text(origin).int(now.as_millis());
        record.bytes(&wrapped).bytes(&sealed);
        Ok(frame::finish(record))
    }

    /// Opens the record that is stored under the name of `provider`.
    ///
    /// # Errors
    /// `vault_corrupt` if it is damaged, forged, of another version, or the record of another provider
    /// or vault.
    pub fn open_record(&self, provider: &str, record: &[u8]) -> Result<ProviderKey> {
        let Stored { header, wrapped, sealed } = Stored::read(record)?;
        if header.record != provider {
            return Err(Code::VaultCorrupt.into());
        }
        let opened = envelope::unseal(&self.wrap_key()?, &Header { kind: Kind::ContentKey, ..header }, wrapped)?;
        // EXPOSE: moves into the Secret of the content key.
        let content_key = Secret::new(opened.expose().as_slice().try_into().map_err(|_| Code::VaultCorrupt)?);
        let content = envelope::unseal(&content_key, &header, sealed)?;
        // EXPOSE: moves into the Secret of the provider's key.
        let key = std::str::from_utf8(content.expose()).map_err(|_| Code::VaultCorrupt)?;
        let (provider, origin) = (provider.into(), header.origin.into());
        Ok(ProviderKey { provider, origin, version: header.version, key: Secret::new(key.into()) })
    }

    /// Seals bytes of another part of the gateway under a key of their own label; `id` says which they
    /// are. The nonce must be random; one label may seal 2³² times.
    pub fn seal_blob(&self, label: &str, id: &str, bytes: &[u8], nonce: [u8; 12]) -> Result<Vec<u8>> {
        envelope::seal(&self.derive("blob", label)?, &self.blob_header(label, id), bytes, nonce)
    }

    /// Opens what [`Unlocked::seal_blob`] sealed under the same label and id.
    ///
    /// # Errors
    /// `vault_corrupt` for anything else.
    pub fn unseal_blob(&self, label: &str, id: &str, bytes: &[u8]) -> Result<Secret<Vec<u8>>> {
        envelope::unseal(&self.derive("blob", label)?, &self.blob_header(label, id), bytes)
    }

    const fn blob_header<'a>(&self, label: &'a str, id: &'a str) -> Header<'a> {
        let (vault, added_at) = (self.vault, Timestamp::EPOCH);
        Header { vault, record: id, version: 0, origin: label, added_at, kind: Kind::Blob }
    }

    fn wrap_key(&self) -> Result<Key> {
        self.derive("record-wrap", "")
    }
}

/// A record as it was read: whole, but not yet authenticated.
struct Stored<'a> {
    header: Header<'a>,
    wrapped: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Stored<'a> {
    fn read(record: &'a [u8]) -> Result<Self> {
        let (_, mut reader): (_, Reader<'a>) = frame::open(What::Record, record)?;
        let header = Header {
            vault: reader.array(),
            record: reader.text(),
            version: reader.uint(),
            origin: reader.text(),
            added_at: Timestamp::from_millis(reader.int()),
            kind: Kind::ProviderKey,
        };
        let (wrapped, sealed) = (reader.bytes(), reader.bytes());
        reader.end()?;
        Ok(Self { header, wrapped, sealed })
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

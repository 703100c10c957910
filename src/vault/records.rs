//! What an open vault seals: providers' keys, and bytes of other parts of the gateway.
//!
//! ```text
//! frame ( vault id | record id | provider | version | origin | added at | sealed content key | sealed key )
//! ```
//!
//! Names and times stand in the clear, so that a locked vault can list what it holds. Which record and version is the
//! last one stands in the header's index: an older one that is put back, or one that is missing, is noticed. What is
//! not noticed is the whole storage put back, header and all: there is nothing else to compare it with.

use crate::error::{Code, Error, FieldError, Result};
use crate::secret::Secret;
use crate::time::Timestamp;

use super::Entropy;
use super::cipher::Key;
use super::envelope::{self, FORMAT, Header, Kind};
use super::frame::{self, What};
use super::keyring::{Entry, Unlocked};
use super::slot::Slot;

/// Stored records, by their providers.
pub type Records = Vec<(String, Vec<u8>)>;

/// A provider's key, taken out of its record.
#[derive(Debug)]
pub struct ProviderKey {
    /// The provider.
    pub provider: String,
    /// The only origin that the key may be sent to.
    pub origin: String,
    /// Version of the record.
    pub version: u64,
    /// When this version was stored.
    pub added_at: Timestamp,
    pub(super) key: Secret<String>,
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
    let Header { provider, version, origin, added_at, .. } = Stored::read(record)?.header;
    Ok(Description { provider: provider.into(), version, origin: origin.into(), added_at })
}

/// What is to be stored for a new key, at once: one without the other is refused as damaged.
#[derive(Debug)]
pub struct Put {
    /// The vault's header.
    pub header: Vec<u8>,
    /// The provider's record.
    pub record: Vec<u8>,
}

impl Unlocked {
    /// Seals a provider's key, in the place of the one it had. Check the key with [`super::format::check_key`] before.
    ///
    /// # Errors
    /// `vault_corrupt` if the header is damaged or not this vault's.
    pub fn put(
        &self,
        header: &[u8],
        provider: &str,
        origin: &str,
        key: &Secret<String>,
        now: Timestamp,
        entropy: &mut Entropy<'_>,
    ) -> Result<Put> {
        let last = self.authentic(header)?.index.into_iter().find(|entry| entry.provider == provider);
        let entry = last.unwrap_or_else(|| {
            let mut record = [0; 16];
            entropy(&mut record);
            Entry { provider: provider.into(), record, version: 0 }
        });
        let entry = Entry { version: entry.version.saturating_add(1), ..entry };
        let record = self.seal_key(&entry, origin, key, now, entropy)?;
        Ok(Put { header: self.with_entry(header, provider, Some(entry))?, record })
    }

    /// Takes a provider's key out of the index: the header to store when its record is deleted.
    pub fn remove(&self, header: &[u8], provider: &str) -> Result<Vec<u8>> {
        self.with_entry(header, provider, None)
    }

    pub(super) fn seal_key(
        &self,
        entry: &Entry,
        origin: &str,
        key: &Secret<String>,
        added_at: Timestamp,
        entropy: &mut Entropy<'_>,
    ) -> Result<Vec<u8>> {
        let mut content_key = Secret::new([0; 32]);
        let mut nonce = [0; 12];
        // EXPOSE: the content key is filled in place; nothing reads it here.
        entropy(content_key.expose_mut());
        entropy(&mut nonce);
        let Entry { provider, record, version } = entry;
        let (record, version, kind) = (*record, *version, Kind::ProviderKey);
        let header = Header { vault: self.vault, record, version, provider, origin, added_at, kind };
        // EXPOSE: sealed at once; only the ciphertext leaves.
        let sealed = envelope::seal(&content_key, &header, key.expose().as_bytes(), nonce)?;
        self.wrap(&Stored { header, wrapped: &[], sealed: &sealed }, &content_key, entropy)
    }

    /// A record with its content key wrapped by this vault's key; the content stays as it is.
    fn wrap(&self, record: &Stored<'_>, content_key: &Key, entropy: &mut Entropy<'_>) -> Result<Vec<u8>> {
        let mut nonce = [0; 12];
        entropy(&mut nonce);
        let Stored { header, sealed, .. } = *record;
        let wrap_header = Header { kind: Kind::ContentKey, ..header };
        // EXPOSE: sealed at once; only the ciphertext leaves.
        let wrapped = envelope::seal(&self.wrap_key(&header)?, &wrap_header, content_key.expose(), nonce)?;
        let mut out = frame::start(What::Record);
        out.raw(&header.vault).raw(&header.record).text(header.provider).uint(header.version);
        out.text(header.origin).int(header.added_at.as_millis()).bytes(&wrapped).bytes(sealed);
        Ok(frame::finish(out))
    }

    /// Opens the record that is stored for `provider`.
    ///
    /// # Errors
    /// `vault_corrupt`, naming the field `keys.` and the provider, if the record is damaged, forged, older than the
    /// header's index, or of another provider or vault; without a field if it is the header.
    pub fn open_record(&self, header: &[u8], provider: &str, record: &[u8]) -> Result<ProviderKey> {
        let index = self.authentic(header)?.index;
        self.open_indexed(&index, provider, record).map_err(|problem| {
            Box::new(Error::new(Code::VaultCorrupt).with(crate::error::Detail::Fields(vec![problem])))
        })
    }

    /// Opens what can be opened of all that is stored, and says of each other record what is wrong with it.
    ///
    /// # Errors
    /// `vault_corrupt` if the header is damaged.
    pub fn open_all(
        &self,
        header: &[u8],
        records: &[(String, Vec<u8>)],
    ) -> Result<(Vec<ProviderKey>, Vec<FieldError>)> {
        let index = self.authentic(header)?.index;
        let (mut keys, mut bad) = (Vec::new(), Vec::new());
        for (provider, record) in records {
            match self.open_indexed(&index, provider, record) {
                Ok(key) => keys.push(key),
                Err(problem) => bad.push(problem),
            }
        }
        let gone = index.iter().filter(|entry| !records.iter().any(|(provider, _)| *provider == entry.provider));
        bad.extend(gone.map(|entry| problem(&entry.provider, "is missing from the storage")));
        Ok((keys, bad))
    }

    fn open_indexed(&self, index: &[Entry], provider: &str, record: &[u8]) -> Result<ProviderKey, FieldError> {
        let damaged = || problem(provider, "is damaged");
        let stored = Stored::read(record).map_err(|_| damaged())?;
        let last = index.iter().find(|entry| entry.provider == provider);
        let Header { record, version, origin, added_at, .. } = stored.header;
        if stored.header.provider != provider
            || last.is_none_or(|last| last.record != record || last.version != version)
        {
            return Err(problem(provider, "is not what was stored last: an older or another record was put back"));
        }
        let key = self.open_key(&stored).map_err(|_| damaged())?;
        Ok(ProviderKey { provider: provider.into(), origin: origin.into(), version, added_at, key })
    }

    fn open_key(&self, stored: &Stored<'_>) -> Result<Secret<String>> {
        let content = envelope::unseal(&self.content_key(stored)?, &stored.header, stored.sealed)?;
        // EXPOSE: moves into the Secret of the provider's key.
        let key = std::str::from_utf8(content.expose()).map_err(|_| Code::VaultCorrupt)?;
        Ok(Secret::new(key.into()))
    }

    fn content_key(&self, stored: &Stored<'_>) -> Result<Key> {
        let header = stored.header;
        let expected = Header { kind: Kind::ContentKey, ..header };
        envelope::unseal_key(FORMAT, &self.wrap_key(&header)?, &expected, stored.wrapped)
    }

    /// Gives the vault a new key and one slot; others are gone. No content is touched: of each record only its content
    /// key is wrapped anew. Gives the header, the records under their providers, and the vault, open.
    ///
    /// # Errors
    /// `vault_corrupt` if a record cannot be opened or is missing: it would be lost.
    pub fn rotate(
        &self,
        header: &[u8],
        records: &[(String, Vec<u8>)],
        slot: &Slot,
        secret: &[u8],
        entropy: &mut Entropy<'_>,
    ) -> Result<(Vec<u8>, Records, Self)> {
        let (_, bad) = self.open_all(header, records)?;
        if !bad.is_empty() {
            return Err(Box::new(Error::new(Code::VaultCorrupt).with(crate::error::Detail::Fields(bad))));
        }
        let (next, renewed) = self.renewed(header, slot, secret, entropy)?;
        let mut rewrapped = Vec::with_capacity(records.len());
        for (provider, record) in records {
            let stored = Stored::read(record)?;
            let content_key = self.content_key(&stored)?;
            rewrapped.push((provider.clone(), renewed.wrap(&stored, &content_key, entropy)?));
        }
        Ok((next, rewrapped, renewed))
    }

    /// Seals bytes of another part of the gateway under a key of their own label; `id` says which they
    /// are. The nonce must be random; one label may seal 2³² times.
    pub fn seal_blob(&self, label: &str, id: &str, bytes: &[u8], nonce: [u8; 12]) -> Result<Vec<u8>> {
        envelope::seal(&self.derive("blob", label.as_bytes())?, &self.blob_header(label, id), bytes, nonce)
    }

    /// Opens what [`Unlocked::seal_blob`] sealed under the same label and id.
    ///
    /// # Errors
    /// `vault_corrupt` for anything else.
    pub fn unseal_blob(&self, label: &str, id: &str, bytes: &[u8]) -> Result<Secret<Vec<u8>>> {
        envelope::unseal(&self.derive("blob", label.as_bytes())?, &self.blob_header(label, id), bytes)
    }

    const fn blob_header<'a>(&self, label: &'a str, id: &'a str) -> Header<'a> {
        let (vault, added_at) = (self.vault, Timestamp::EPOCH);
        Header { vault, record: [0; 16], version: 0, provider: id, origin: label, added_at, kind: Kind::Blob }
    }

    /// Of each record its own, so that no number of records comes near what random nonces allow one key.
    fn wrap_key(&self, header: &Header<'_>) -> Result<Key> {
        self.derive("record-wrap", &header.record)
    }
}

fn problem(provider: &str, problem: &'static str) -> FieldError {
    FieldError { path: ["keys.", provider].concat(), problem: problem.into() }
}

/// A record as it was read: whole, but not yet authenticated.
struct Stored<'a> {
    header: Header<'a>,
    wrapped: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Stored<'a> {
    fn read(record: &'a [u8]) -> Result<Self> {
        let (_, mut reader) = frame::open(What::Record, record)?;
        let (vault, record, provider, version) = (reader.array(), reader.array(), reader.text(), reader.uint());
        let (origin, added_at) = (reader.text(), Timestamp::from_millis(reader.int()));
        let (wrapped, sealed) = (reader.bytes(), reader.bytes());
        reader.end()?;
        let kind = Kind::ProviderKey;
        Ok(Self { header: Header { vault, record, version, provider, origin, added_at, kind }, wrapped, sealed })
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

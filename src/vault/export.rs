//! The vault as a file: a whole vault of its own, with a key, an id and one slot of its own, so that it says nothing
//! about the one that it was taken from and opens with a passphrase of its own.
//!
//! ```text
//! frame ( header | count | provider | record … )
//! ```

use crate::error::{Code, Detail, Error, Result};

use super::Entropy;
use super::frame::{self, What};
use super::keyring::{self, Unlocked};
use super::records::{ProviderKey, Records};
use super::slot::Slot;

/// Largest file read, in bytes.
const LONGEST: usize = 1 << 20;

impl Unlocked {
    /// Every key of the vault as a file that `slot` opens.
    ///
    /// # Errors
    /// `vault_corrupt` if a record cannot be opened or is missing: a file must hold all.
    pub fn export(
        &self,
        header: &[u8],
        records: &[(String, Vec<u8>)],
        slot: &Slot,
        secret: &[u8],
        entropy: &mut Entropy<'_>,
    ) -> Result<Vec<u8>> {
        let (keys, bad) = self.open_all(header, records)?;
        if !bad.is_empty() {
            return Err(Box::new(Error::new(Code::VaultCorrupt).with(Detail::Fields(bad))));
        }
        let (mut own, file) = keyring::create(slot, secret, entropy)?;
        let mut sealed = Vec::with_capacity(keys.len());
        for key in keys {
            let put = file.put(&own, &key.provider, &key.origin, &key.key, key.added_at, entropy)?;
            own = put.header;
            sealed.push((key.provider, put.record));
        }
        let mut out = frame::start(What::Export);
        out.bytes(&own).uint(sealed.len() as u64);
        for (provider, record) in sealed {
            out.text(&provider).bytes(&record);
        }
        Ok(frame::finish(out))
    }
}

/// The header of an exported vault, whose slots say what opens it.
///
/// # Errors
/// `vault_corrupt`, naming the field `file`, for anything that is not a whole export of this version.
pub fn header(file: &[u8]) -> Result<Vec<u8>> {
    Ok(read(file)?.0)
}

/// The keys of an exported vault.
///
/// # Errors
/// `vault_locked` for a wrong passphrase; `vault_corrupt` if any of it is damaged.
pub fn open(file: &[u8], slot: &[u8], secret: &[u8]) -> Result<Vec<ProviderKey>> {
    let (header, records) = read(file)?;
    let (keys, bad) = keyring::unlock(&header, slot, secret)?.open_all(&header, &records)?;
    if bad.is_empty() { Ok(keys) } else { Err(Box::new(Error::new(Code::VaultCorrupt).with(Detail::Fields(bad)))) }
}

fn read(file: &[u8]) -> Result<(Vec<u8>, Records)> {
    let damaged = || Box::new(Error::field(Code::VaultCorrupt, "file", "is damaged, or no export of a vault"));
    if file.len() > LONGEST {
        return Err(damaged());
    }
    let (_, mut reader) = frame::open(What::Export, file).map_err(|error| match error.detail {
        Detail::None => damaged(),
        _ => error, // of a newer version
    })?;
    let header = reader.bytes().into();
    let mut records = Vec::new();
    for _ in 0..reader.count() {
        if !reader.is_sound() {
            break;
        }
        records.push((reader.text().into(), reader.bytes().into()));
    }
    reader.end().map_err(|_| damaged())?;
    Ok((header, records))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // the dice of other tests
mod tests;

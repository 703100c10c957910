//! What headers and records have in common in storage: `magic | format | what | body | checksum`.
//!
//! The checksum tells damage without a key: of a header before the passphrase is tried, of a record
//! while the vault is locked. It stops no one who writes on purpose; the ciphers do that.

use crate::error::{Code, Error, Result};
use crate::pack::{Reader, Writer};

use super::cipher::checksum;
use super::envelope::{FORMAT, MAGIC};

/// What stands in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum What {
    /// The vault's header.
    Header = 1,
    /// A provider's key.
    Record = 2,
    /// A vault that leaves its storage.
    Export = 3,
    /// How often an unlock failed.
    Attempts = 4,
}

/// Starts a frame.
pub(super) fn start(what: What) -> Writer {
    let mut frame = Writer::new();
    frame.raw(&MAGIC).byte(FORMAT).byte(what as u8);
    frame
}

/// Ends a frame with its checksum.
pub(super) fn finish(frame: Writer) -> Vec<u8> {
    let mut bytes = frame.finish();
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// Everything before the checksum, and a reader of the body; `vault_corrupt` if it is not a whole frame
/// of this kind and version.
pub(super) fn open(what: What, bytes: &[u8]) -> Result<(&[u8], Reader<'_>)> {
    open_as(FORMAT, what, bytes)
}

/// The same for a frame of `format`. One of a newer version says so in its error.
pub(super) fn open_as(format: u8, what: What, bytes: &[u8]) -> Result<(&[u8], Reader<'_>)> {
    let (content, sum) = bytes.split_last_chunk::<16>().ok_or(Code::VaultCorrupt)?;
    let mut reader = Reader::new(content);
    let (ours, version, kind) = (reader.array() == MAGIC, reader.byte(), reader.byte());
    if !ours || checksum(content) != *sum {
        return Err(Code::VaultCorrupt.into());
    }
    if version > FORMAT {
        let problem = "is of a newer version of tidegate and was left as it is: update the package";
        return Err(Box::new(Error::field(Code::VaultCorrupt, "vault", problem)));
    }
    if version == format && kind == what as u8 { Ok((content, reader)) } else { Err(Code::VaultCorrupt.into()) }
}

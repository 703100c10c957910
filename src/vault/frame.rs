//! What headers and records have in common in storage: `magic | format | what | body | checksum`.
//!
//! The checksum tells damage without a key: of a header before the passphrase is tried, of a record
//! while the vault is locked. It stops no one who writes on purpose; the ciphers do that.

use crate::error::{Code, Result};
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
    let (content, sum) = bytes.split_last_chunk::<16>().ok_or(Code::VaultCorrupt)?;
    let mut reader = Reader::new(content);
    let known = reader.array() == MAGIC && reader.byte() == FORMAT && reader.byte() == what as u8;
    if known && checksum(content) == *sum { Ok((content, reader)) } else { Err(Code::VaultCorrupt.into()) }
}

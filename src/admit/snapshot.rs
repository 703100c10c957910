//! The ledger at rest: version 1.
//!
//! ```text
//! "TGL" · version · counter · books · targets · slots · reservations · late   · checksum (8 bytes)
//! ```
//!
//! Anything that is not exactly what was written is refused, and so is a newer version: money is not
//! counted by guessing. The checksum guards against damage, not against whoever can write to the storage.

use super::budget::Books;
use super::concurrency::Slots;
use super::ledger::{Ids, LedgerState};
use super::reservation::Reservations;
use super::target::Targets;
use crate::error::{Code, Result};
use crate::pack::{Reader, Writer};

const MAGIC: &[u8; 3] = b"TGL";
/// The version written. Older ones are to be migrated here; there are none yet.
const VERSION: u8 = 1;
const CHECKSUM: usize = 8;

impl LedgerState {
    /// The ledger as bytes. Equal states give equal bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.raw(MAGIC).byte(VERSION).uint(self.ids.0);
        self.books.encode(&mut writer);
        let keys = self.targets.stored_keys();
        self.targets.encode(&mut writer, keys.len());
        self.slots.encode(&mut writer);
        // A target with live reservations is always stored.
        let position = |key| keys.iter().position(|stored| *stored == key).map_or(0, |index| index as u64);
        self.reservations.encode(&mut writer, position);
        let mut bytes = writer.finish();
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// Reads what [`LedgerState::snapshot`] wrote.
    ///
    /// # Errors
    ///
    /// [`Code::VaultCorrupt`] if the bytes are damaged or of a newer version: leave them as they are.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let body = bytes.len().checked_sub(CHECKSUM).and_then(|length| bytes.split_at_checked(length));
        let (body, sum) = body.ok_or(Code::VaultCorrupt)?;
        let mut reader = Reader::new(body);
        if &reader.array() != MAGIC || reader.byte() != VERSION || checksum(body) != sum {
            return Err(Code::VaultCorrupt.into());
        }
        let ids = Ids(reader.uint());
        let mut books = Books::decode(&mut reader);
        let mut targets = Targets::decode(&mut reader);
        let slots = Slots::decode(&mut reader, ids.0);
        let reservations = Reservations::decode(&mut reader, ids.0, targets.len());
        reader.end()?;
        for reservation in reservations.live() {
            targets.restore(reservation.target);
            if !books.restore(reservation.period, reservation.bound) {
                return Err(Code::VaultCorrupt.into());
            }
        }
        Ok(Self { ids, books, reservations, slots, targets })
    }
}

/// Every step is a bijection of the sum for a given word, and of the word for a given sum: damage within
/// any eight aligned bytes always changes the result, damage beyond that all but surely.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut sum = 0x9e37_79b9_7f4a_7c15_u64 ^ bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0u8; 8];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    for word in words.iter().chain([&last]) {
        sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        sum ^= sum >> 32;
    }
    sum.to_le_bytes()
}

#[cfg(test)]
mod tests;

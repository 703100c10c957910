//! Slots: how many requests are in flight at once.

use super::lease::{Hold, LONGEST};
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Slot {
    id: u64,
    lease: Hold,
}

/// The slots that requests hold. A request takes one with its first attempt and keeps it through its
/// retries and fallbacks, also between two attempts; the lease is that of its latest attempt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Slots {
    /// Ascending by id.
    held: Vec<Slot>,
}

impl Slots {
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.held.len()).unwrap_or(u32::MAX)
    }

    /// Frees those whose lease ran out.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.held.retain_mut(|slot| {
            slot.lease.tick(now, LONGEST);
            !slot.lease.is_past(now)
        });
    }

    pub(super) fn holds(&self, id: u64) -> bool {
        self.held.iter().any(|slot| slot.id == id)
    }

    /// `id` is larger than any before.
    pub(super) fn take(&mut self, id: u64, lease: Hold) {
        self.held.push(Slot { id, lease });
    }

    /// Keeps the slot until the later of the two ends: another attempt of the request may hold it longer.
    pub(super) fn renew(&mut self, id: u64, lease: Hold) {
        if let Some(slot) = self.held.iter_mut().find(|slot| slot.id == id) {
            slot.lease = slot.lease.later(lease);
        }
    }

    /// Whether it was held.
    pub(super) fn end(&mut self, id: u64) -> bool {
        let position = self.held.iter().position(|slot| slot.id == id);
        position.map(|position| self.held.remove(position)).is_some()
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.uint(self.held.len() as u64);
        for slot in &self.held {
            slot.lease.encode(writer.uint(slot.id));
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>, ids_below: u64) -> Self {
        let mut held: Vec<Slot> = Vec::new();
        for _ in 0..reader.count() {
            let slot = Slot { id: reader.uint(), lease: Hold::decode(reader) };
            reader.require(slot.id < ids_below && held.last().is_none_or(|last| last.id < slot.id));
            if !reader.is_sound() {
                break;
            }
            held.push(slot);
        }
        Self { held }
    }
}

//! Reservations: what live attempts hold, and what ended ones may still correct.

use super::breaker::Permit;
use super::lease::{Hold, LONGEST};
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// How many bounds charged without a bill stay correctable; the oldest goes first.
const MOST_LATE: usize = 256;
/// Reservations at once. Slots bound them far below this, unless a caller leaks them within one request.
pub(super) const MOST_LIVE: usize = 4_096;

/// Money held by one attempt, with the permit it runs under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reservation {
    pub(super) id: u64,
    /// The request's slot.
    pub(super) slot: u64,
    /// Key of its target in the table of targets.
    pub(super) target: u64,
    /// The period it was admitted in, and will be charged to.
    pub(super) period: i64,
    pub(super) bound: NanoUsd,
    pub(super) lease: Hold,
    pub(super) permit: Permit,
}

/// A reservation that was charged its bound because the bill was not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Late {
    pub(super) id: u64,
    pub(super) slot: u64,
    pub(super) period: i64,
    pub(super) bound: NanoUsd,
    /// How long a bill may still replace the bound.
    open: Hold,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reservations {
    /// Ascending by id.
    live: Vec<Reservation>,
    /// In the order in which they were charged.
    late: Vec<Late>,
}

impl Reservations {
    pub(super) fn live(&self) -> &[Reservation] {
        &self.live
    }

    /// `reservation.id` is larger than any before.
    pub(super) fn insert(&mut self, reservation: Reservation) {
        self.live.push(reservation);
    }

    fn find(&self, id: u64) -> Option<usize> {
        self.live.binary_search_by_key(&id, |reservation| reservation.id).ok()
    }

    #[cfg(feature = "edge")]
    pub(super) fn is_live(&self, id: u64) -> bool {
        self.find(id).is_some()
    }

    pub(super) fn take(&mut self, id: u64) -> Option<Reservation> {
        self.find(id).map(|index| self.live.remove(index))
    }

    /// Corrects leases after a clock that went back, forgets what is too late to correct, and says which
    /// reservation ran out first, if any did.
    pub(super) fn sweep(&mut self, now: Timestamp) -> Vec<u64> {
        let mut expired = Vec::new();
        for reservation in &mut self.live {
            reservation.lease.tick(now, LONGEST);
            if reservation.lease.is_past(now) {
                expired.push(reservation.id);
            }
        }
        self.late.retain_mut(|late| {
            late.open.tick(now, LONGEST);
            !late.open.is_past(now)
        });
        expired
    }

    /// Remembers that the reservation was charged its bound.
    pub(super) fn remember(&mut self, reservation: &Reservation, now: Timestamp) {
        if self.late.len() >= MOST_LATE {
            self.late.remove(0);
        }
        let Reservation { id, slot, period, bound, .. } = *reservation;
        self.late.push(Late { id, slot, period, bound, open: Hold::lasting(LONGEST, now) });
    }

    pub(super) fn late(&self, id: u64) -> Option<Late> {
        self.late.iter().find(|late| late.id == id).copied()
    }

    /// The bill came: no other replaces it.
    pub(super) fn forget(&mut self, id: u64) {
        self.late.retain(|late| late.id != id);
    }

    /// `position` gives a target's place in the snapshot.
    pub(super) fn encode(&self, writer: &mut Writer, position: impl Fn(u64) -> u64) {
        writer.uint(self.live.len() as u64);
        for reservation in &self.live {
            writer.uint(reservation.id).uint(reservation.slot).uint(position(reservation.target));
            writer.int(reservation.period).uint(reservation.bound.as_nano());
            writer.uint(reservation.permit.generation).byte(reservation.permit.probe.into());
            reservation.lease.encode(writer);
        }
        writer.uint(self.late.len() as u64);
        for late in &self.late {
            writer.uint(late.id).uint(late.slot).int(late.period).uint(late.bound.as_nano());
            late.open.encode(writer);
        }
    }

    /// Ids lie below `ids_below`, targets below `targets`.
    pub(super) fn decode(reader: &mut Reader<'_>, ids_below: u64, targets: u64) -> Self {
        let mut live: Vec<Reservation> = Vec::new();
        for _ in 0..reader.count() {
            let (id, slot, target) = (reader.uint(), reader.uint(), reader.uint());
            let (period, bound) = (reader.int(), NanoUsd::new(reader.uint()));
            let permit = Permit { generation: reader.uint(), probe: reader.byte() != 0 };
            let lease = Hold::decode(reader);
            let ascending = live.last().is_none_or(|last| last.id < id);
            reader.require(ascending && id < ids_below && target < targets && live.len() < MOST_LIVE);
            if !reader.is_sound() {
                break;
            }
            live.push(Reservation { id, slot, target, period, bound, lease, permit });
        }
        let mut late = Vec::new();
        for _ in 0..reader.count() {
            let (id, slot, period) = (reader.uint(), reader.uint(), reader.int());
            let (bound, open) = (NanoUsd::new(reader.uint()), Hold::decode(reader));
            reader.require(late.len() < MOST_LATE);
            if !reader.is_sound() {
                break;
            }
            late.push(Late { id, slot, period, bound, open });
        }
        Self { live, late }
    }
}

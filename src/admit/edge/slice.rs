//! A slice of an organisation's money and of a caller's rate, spent where the requests are.

use crate::admit::lease::{Hold, LONGEST};
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// What an isolate was given, and what is left of it. It is in memory alone: if it is lost, the ledger counts all of it
/// as spent.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    /// The ledger's name of it.
    pub(super) id: u64,
    granted: NanoUsd,
    spent: NanoUsd,
    /// By attempts that run, and their bounds.
    held: Vec<(u64, NanoUsd)>,
    requests: u64,
    leased: u64,
    /// A bound did not fit any more.
    spent_up: bool,
    /// Until when it may be spent.
    until: Hold,
}

impl Slice {
    pub(super) fn new(id: u64, granted: NanoUsd, requests: u64, until: Timestamp, now: Timestamp) -> Self {
        let until = Hold::until(until, now);
        Self { id, granted, spent: NanoUsd::ZERO, held: Vec::new(), requests, leased: requests, spent_up: false, until }
    }

    /// Whether anything may still be taken from it. A clock that went back does not lengthen it.
    pub(super) fn is_open(&mut self, now: Timestamp) -> bool {
        self.until.tick(now, LONGEST);
        !self.until.is_over(now)
    }

    /// Until when it may be spent.
    pub(super) const fn end(&self) -> Timestamp {
        self.until.end()
    }

    pub(super) const fn requests(&self) -> u64 {
        self.requests
    }

    /// How many requests the next one should be for.
    pub(super) const fn next_wish(&self) -> u64 {
        let used = self.leased.saturating_sub(self.requests);
        if self.is_spent() {
            self.leased.saturating_mul(2)
        } else if used < self.leased / 2 {
            self.leased / 2
        } else {
            self.leased
        }
    }

    /// Takes a request, if one is left.
    pub(super) const fn enter(&mut self) -> bool {
        let left = self.requests > 0;
        self.requests = self.requests.saturating_sub(1);
        left
    }

    /// Nothing more is taken from it.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent_up || self.requests == 0
    }

    /// Whether a bound still fits.
    pub(super) fn fits(&mut self, bound: NanoUsd) -> bool {
        let held = self.held.iter().fold(NanoUsd::ZERO, |sum, (_, bound)| sum.saturating_add(*bound));
        let total = self.spent.checked_add(held).and_then(|used| used.checked_add(bound));
        let fits = total.is_some_and(|total| total <= self.granted);
        self.spent_up |= !fits;
        fits
    }

    /// Holds what [`Slice::fits`] granted for an attempt.
    pub(super) fn hold(&mut self, attempt: u64, bound: NanoUsd) {
        self.held.push((attempt, bound));
    }

    /// An attempt ended. `false`: it was not of this slice.
    pub(super) fn settle(&mut self, attempt: u64, charged: NanoUsd) -> bool {
        let Some(index) = self.held.iter().position(|(own, _)| *own == attempt) else { return false };
        self.held.remove(index);
        self.spent = self.spent.saturating_add(charged);
        true
    }

    /// An attempt vanished: it may have been billed.
    pub(super) fn expire(&mut self, attempt: u64) {
        let bound = self.held.iter().find(|(own, _)| *own == attempt).map(|(_, bound)| *bound);
        if let Some(bound) = bound {
            self.settle(attempt, bound);
        }
    }

    /// What it came to, once nothing runs on it.
    pub(super) fn account(&self) -> Option<(NanoUsd, u64)> {
        self.held.is_empty().then_some((self.spent, self.requests))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_what_is_neither_spent_nor_held() {
        let now = Timestamp::from_millis(0);
        let mut slice = Slice::new(7, NanoUsd::new(10), 3, Timestamp::from_millis(100), now);
        assert!(slice.fits(NanoUsd::new(10)) && !slice.is_spent());
        slice.hold(1, NanoUsd::new(6));
        assert!(slice.fits(NanoUsd::new(4)) && slice.account().is_none());
        assert!(!slice.settle(2, NanoUsd::new(9)), "not of this slice");
        assert!(slice.settle(1, NanoUsd::new(2)) && !slice.settle(1, NanoUsd::new(2)));
        assert_eq!(slice.account(), Some((NanoUsd::new(2), 3)));
        assert!(slice.fits(NanoUsd::new(8)) && !slice.is_spent());
        assert!(!slice.fits(NanoUsd::new(9)) && slice.is_spent(), "whoever asks next needs another");
        assert!(!slice.fits(NanoUsd::MAX), "no sum is too large");
    }
}

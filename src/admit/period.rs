//! Budget periods: which one an instant belongs to, and when one begins.

use crate::config::BudgetConfig;
use crate::host::ZoneRules;
use crate::time::Timestamp;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// The instants that a JavaScript `Date` can hold; asking `Intl` about others throws.
const LAST_INSTANT: i64 = 8_640_000_000_000_000;

/// The calendar of a budget: local days in its zone, each beginning at its reset hour.
///
/// A period's id is its local day number: days since 1970-01-01 on the zone's own calendar, a day
/// beginning at the reset hour. The id depends on the zone's offset at the instant itself, so that days
/// of 23, 24½ or 25 hours, skipped midnights and repeated hours need no case of their own: an hour that
/// is repeated falls into the same id and thus into the same book.
///
/// If the zone or the reset hour is reconfigured, the ids of an instant move by at most one. What was
/// spent under an id stays spent: the rest of the day may be charged to a neighbour's book, or tomorrow's
/// may be opened some hours early, but none is opened twice.
#[derive(Clone, Copy)]
pub(super) struct Calendar<'a> {
    zones: &'a dyn ZoneRules,
    zone: &'a str,
    reset: i64,
}

/// A period, and the offset that placed an instant in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) period: i64,
    /// Seconds ahead of UTC.
    pub(super) offset: i32,
}

impl<'a> Calendar<'a> {
    pub(super) fn new(config: &'a BudgetConfig, zones: &'a dyn ZoneRules) -> Self {
        let reset = i64::from(config.reset_hour.min(23)).saturating_mul(HOUR);
        Self { zones, zone: &config.time_zone, reset }
    }

    /// The period that `at` belongs to; `None` if the zone is not known.
    pub(super) fn period_of(self, at: Timestamp) -> Option<Place> {
        let at = at.as_millis().clamp(-LAST_INSTANT, LAST_INSTANT);
        let offset = self.zones.offset_at(self.zone, Timestamp::from_millis(at))?;
        if offset.unsigned_abs() > 24 * 3_600 {
            return None; // No place on Earth: the host does not know the zone.
        }
        let local = at.saturating_add(i64::from(offset).saturating_mul(SECOND));
        Some(Place { period: local.saturating_sub(self.reset).div_euclid(DAY), offset })
    }

    /// The first instant later than `after` at which `period`, or one beyond it, begins. `offset` is the
    /// zone's offset now, a first guess. `None` if the zone is not known.
    ///
    /// The period of `after` must be an earlier one. Guesses are verified against the zone's rules, and
    /// where none holds (the reset hour is skipped that day) the instant is searched for.
    pub(super) fn start_of(self, period: i64, after: Timestamp, offset: i32) -> Option<Timestamp> {
        let local = period.saturating_mul(DAY).saturating_add(self.reset);
        let with = |offset: i32| local.saturating_sub(i64::from(offset).saturating_mul(SECOND));
        let guess = with(offset);
        for shift in [None, Some(-SECOND), Some(0), Some(DAY)] {
            let candidate = match shift {
                None => guess,
                Some(shift) => with(self.place(guess.saturating_add(shift))?.offset),
            };
            if candidate > after.as_millis() && self.begins_at(period, candidate)? {
                return Some(Timestamp::from_millis(candidate));
            }
        }
        self.search(period, local.saturating_sub(DAY).max(after.as_millis()), local.saturating_add(2 * DAY))
    }

    fn place(self, millis: i64) -> Option<Place> {
        self.period_of(Timestamp::from_millis(millis))
    }

    fn begins_at(self, period: i64, millis: i64) -> Option<bool> {
        Some(self.place(millis)?.period >= period && self.place(millis.saturating_sub(SECOND))?.period < period)
    }

    /// Halves `low..high` down to the second in which `period` begins. Transitions fall on whole
    /// seconds, so that three days take 18 steps; ten more end the search
    /// whatever the rules answer.
    fn search(self, period: i64, low: i64, high: i64) -> Option<Timestamp> {
        let (mut low, mut high) = (low.div_euclid(SECOND), high.div_euclid(SECOND));
        for _ in 0..28 {
            let width = high.saturating_sub(low);
            if width <= 1 {
                break;
            }
            let middle = low.saturating_add(width / 2);
            if self.place(middle.saturating_mul(SECOND))?.period >= period { high = middle } else { low = middle }
        }
        Some(Timestamp::from_millis(high.saturating_mul(SECOND)))
    }
}

#[cfg(test)]
mod tests;

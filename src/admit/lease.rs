//! Holds that end by themselves, also when the clock is set back.

use std::time::Duration;

use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// The longest hold: leases and cooldowns beyond it are shortened. No request lives for a day, and a
/// wait of more than a day is a mistake of whoever stated it.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Something held until an instant.
///
/// The span is kept beside the instant: when the clock goes back, the instant is further away than the
/// hold was ever meant to last, and [`Hold::tick`] brings it back into reach. A hold made under a clock
/// that ran a year ahead would otherwise stay for that year. It never ends too early by this: what is
/// left after the correction is the whole span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hold {
    until: Timestamp,
    /// Milliseconds, 0 to [`LONGEST`]. Not a `Duration`, whose conversions are 128 bits wide: this is
    /// the inner loop of every decision.
    span: i64,
}

/// Whole milliseconds, at most [`LONGEST`].
fn millis(span: Duration) -> i64 {
    let millis = span.as_secs().saturating_mul(1_000).saturating_add(span.subsec_millis().into());
    i64::try_from(millis).unwrap_or(LONGEST_MILLIS).min(LONGEST_MILLIS)
}

impl Hold {
    /// From `now` until `until`, at most [`LONGEST`].
    pub(super) fn until(until: Timestamp, now: Timestamp) -> Self {
        Self::spanning(until.as_millis().saturating_sub(now.as_millis()).clamp(0, LONGEST_MILLIS), now)
    }

    /// For `span` from `now`, at most [`LONGEST`].
    pub(super) fn lasting(span: Duration, now: Timestamp) -> Self {
        Self::spanning(millis(span), now)
    }

    const fn spanning(span: i64, now: Timestamp) -> Self {
        Self { until: Timestamp::from_millis(now.as_millis().saturating_add(span)), span }
    }

    /// Shortens the hold to `most`, and to its span after the clock went back.
    pub(super) fn tick(&mut self, now: Timestamp, most: Duration) {
        self.span = self.span.min(millis(most));
        self.until = self.until.min(Self::spanning(self.span, now).until);
    }

    /// When it ends.
    pub(super) const fn end(self) -> Timestamp {
        self.until
    }

    /// Time left.
    pub(super) fn left(self, now: Timestamp) -> Duration {
        self.until.since(now)
    }

    /// Whether a lease has run out: its last instant still belongs to the holder.
    pub(super) fn is_past(self, now: Timestamp) -> bool {
        self.until < now
    }

    /// Whether a wait is over: its end belongs to whoever waited.
    pub(super) fn is_over(self, now: Timestamp) -> bool {
        self.until <= now
    }

    /// The one that ends later.
    pub(super) fn later(self, other: Self) -> Self {
        if other.until > self.until { other } else { self }
    }

    pub(super) fn encode(self, writer: &mut Writer) {
        writer.int(self.until.as_millis()).uint(self.span.unsigned_abs());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Self {
        let until = Timestamp::from_millis(reader.int());
        let span = i64::try_from(reader.uint()).unwrap_or(LONGEST_MILLIS).min(LONGEST_MILLIS);
        Self { until, span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_clock_set_back_does_not_lengthen_a_hold() {
        let year = 365 * 86_400_000;
        let mut hold = Hold::until(at(year + 5_000), at(year));
        hold.tick(at(1_000), LONGEST);
        assert_eq!(hold.left(at(1_000)), Duration::from_secs(5));
        // The correction is made once and kept: the hold does not slide along with the clock.
        hold.tick(at(4_000), LONGEST);
        assert_eq!(hold.left(at(4_000)), Duration::from_secs(2));
        assert!(!hold.is_past(at(6_000)) && hold.is_over(at(6_000)) && hold.is_past(at(6_001)));
    }

    #[test]
    fn absurd_ends_are_bounded() {
        assert_eq!(Hold::until(Timestamp::MAX, at(0)).left(at(0)), LONGEST);
        assert_eq!(Hold::lasting(LONGEST.saturating_mul(2), at(0)).left(at(0)), LONGEST);
        assert_eq!(Hold::until(at(-5), at(0)).end(), at(0));
        let mut hold = Hold::lasting(Duration::MAX, Timestamp::MAX);
        hold.tick(at(i64::MIN), LONGEST);
        assert!(hold.is_over(at(0)));
    }
}

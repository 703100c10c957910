//! Days, weeks and months: which one a local day belongs to, and what a rule allows in it.

use crate::admit::budget::Books;
use crate::config::{BudgetRule, BudgetSpan};
use crate::money::NanoUsd;

/// The period that a local day (days since 1970-01-01) belongs to.
pub(super) const fn period_of(span: BudgetSpan, day: i64) -> i64 {
    match span {
        BudgetSpan::Day => day,
        // 1970-01-01 was a Thursday.
        BudgetSpan::Week => day.saturating_add(3).div_euclid(7),
        BudgetSpan::Month => month_of(day),
    }
}

/// The local day that a period begins with.
pub(super) const fn first_day(span: BudgetSpan, period: i64) -> i64 {
    match span {
        BudgetSpan::Day => period,
        BudgetSpan::Week => period.saturating_mul(7).saturating_sub(3),
        BudgetSpan::Month => day_of(period),
    }
}

/// Days of 400 years.
const ERA: i64 = 146_097;

/// Months since year 0, by the algorithm of Howard Hinnant's `civil_from_days`: years begin in March, so that the
/// day that comes and goes is their last.
#[expect(clippy::arithmetic_side_effects, reason = "all within a few times 400 years; the era saturates")]
const fn month_of(day: i64) -> i64 {
    let shifted = day.saturating_add(719_468);
    let (era, of_era) = (shifted.div_euclid(ERA), shifted.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    era.saturating_mul(4_800).saturating_add(year * 12 + from_march + 2)
}

/// The first day of a month: the reverse.
#[expect(clippy::arithmetic_side_effects, reason = "all within a few times 400 years; the era saturates")]
const fn day_of(month: i64) -> i64 {
    let shifted = month.saturating_sub(2);
    let (era, of_era) = (shifted.div_euclid(4_800), shifted.rem_euclid(4_800));
    let (year, from_march) = (of_era / 12, of_era % 12);
    let of_year = (153 * from_march + 2) / 5;
    let of_era = year * 365 + year / 4 - year / 100 + of_year;
    era.saturating_mul(ERA).saturating_add(of_era).saturating_sub(719_468)
}

/// The cap of a period: the rule's, and what was not used of the period before if that is carried on. Carried once, so
/// that nobody saves up; what is still held counts as used, who was not there before has nothing to carry, nor has who
/// was but what it used is forgotten. What was carried on and used there is not there to be used again, when a clock that
/// was ahead comes back.
pub(super) fn limit(rule: &BudgetRule, books: &Books, period: i64) -> NanoUsd {
    let own = rule.cap.limit;
    if !rule.rollover {
        return own;
    }
    let used = |period: i64| books.book(period).map(|book| book.spent.saturating_add(book.reserved));
    let before = period.saturating_sub(1);
    let unused = match used(before) {
        Some(used) => own.saturating_sub(used),
        None if books.knows_before(period) && books.is_open(before) => own,
        None => NanoUsd::ZERO,
    };
    let ahead = used(period.saturating_add(1)).unwrap_or_default().saturating_sub(own);
    own.saturating_add(unused).saturating_sub(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_mondays_and_months_on_their_first() {
        // 2026-11-21, a Saturday.
        let day = 20_778;
        assert_eq!(first_day(BudgetSpan::Week, period_of(BudgetSpan::Week, day)), day - 5);
        assert_eq!(first_day(BudgetSpan::Month, period_of(BudgetSpan::Month, day)), day - 20);
        assert_eq!(period_of(BudgetSpan::Month, day), 2026 * 12 + 10);
        assert_eq!(period_of(BudgetSpan::Month, 0), 1970 * 12);
    }

    /// Three hundred years, day by day: the periods follow each other, and each begins with its first day.
    #[test]
    fn periods_follow_each_other() {
        let mut lengths = [0; 32];
        for span in BudgetSpan::ALL {
            let mut last = period_of(span, -36_525);
            for day in -36_524..73_050 {
                let period = period_of(span, day);
                let first = first_day(span, period);
                assert!(first <= day && period_of(span, first) == period && period_of(span, first - 1) == period - 1);
                assert!(period == last || (period == last + 1 && first == day), "{span:?} {day}");
                if period != last && span == BudgetSpan::Month {
                    lengths[usize::try_from(day - first_day(span, last)).unwrap()] += 1;
                }
                last = period;
            }
        }
        assert!(lengths[28] > 200 && lengths[29] > 60 && lengths[30] > 1_100 && lengths[31] > 2_000, "{lengths:?}");
        for day in [i64::MIN, i64::MAX] {
            for span in BudgetSpan::ALL {
                first_day(span, period_of(span, day));
                first_day(span, day);
            }
        }
    }
}

//! Instants as headers write them: the three forms of an HTTP date, and RFC 3339.

use super::decimal::digits;
use crate::time::Timestamp;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Days before each month of a common year.
const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const LENGTH: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
/// The weekday is not compared with the date.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let mut words = text.split([' ', ',', '-']).filter(|word| !word.is_empty());
    words.next().filter(|day| day.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
    let (second, third, fourth, fifth) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let zone = words.next();
    if words.next().is_some() {
        return None;
    }
    match zone {
        Some("GMT" | "UTC") => at(year(fourth)?, month(third)?, whole(second)?, clock(fifth)?),
        Some(_) => None,
        None => at(year(fifth)?, month(second)?, whole(third)?, clock(fourth)?),
    }
}

/// `2026-01-27T17:05:00Z`, with an optional fraction, `Z` or an offset.
pub(super) fn rfc3339(text: &str) -> Option<Timestamp> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut parts = date.split('-').map(whole);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || date.len() != 10 {
        return None;
    }
    let (hms, rest) = time.split_at_checked(8)?;
    let rest = rest.as_bytes();
    let (fraction, zone) = match rest.strip_prefix(b".") {
        Some(after) => {
            let end = digits(after)?.1;
            (after.get(..after.len().checked_sub(end.len())?)?, end)
        }
        None => (&[][..], rest),
    };
    // Rounded up: a reset is not yet there a fraction of a second early.
    let part = i64::from(fraction.iter().any(|digit| *digit != b'0')).saturating_mul(1_000);
    let ahead = offset(zone)?.saturating_mul(60_000);
    let instant = at(year, month.checked_sub(1)?, day, clock(hms)?)?.as_millis();
    Some(Timestamp::from_millis(instant.saturating_add(part).saturating_sub(ahead)))
}

/// Minutes that a zone is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = zone.split_first()?;
    let sign = match sign {
        b'Z' | b'z' => return rest.is_empty().then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(rest)?;
    let (minutes, rest) = digits(rest.strip_prefix(b":")?)?;
    if !rest.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    i64::try_from(hours.saturating_mul(60).saturating_add(minutes)).ok()?.checked_mul(sign)
}

/// A year of four digits, or of two: those of RFC 850 end in 2069, long after anybody sends them.
fn year(text: &str) -> Option<u64> {
    let number = whole(text)?;
    match (text.len(), number) {
        (4, _) => Some(number),
        (2, 70..) => number.checked_add(1_900),
        (2, _) => number.checked_add(2_000),
        _ => None,
    }
}

/// 0 for January.
fn month(text: &str) -> Option<u64> {
    MONTHS.iter().position(|name| *name == text).and_then(|index| u64::try_from(index).ok())
}

/// `08:49:37` as seconds of the day; second 60 is a leap second.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(whole);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some(hours.saturating_mul(3_600).saturating_add(minutes.saturating_mul(60)).saturating_add(seconds))
}

fn whole(text: &str) -> Option<u64> {
    digits(text.as_bytes()).and_then(|(value, rest)| rest.is_empty().then_some(value))
}

/// An instant of 1970 to 9999; `month` from 0, `second` of the day.
fn at(year: u64, month: u64, day: u64, second: u64) -> Option<Timestamp> {
    let leap = u64::from(year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)));
    let index = usize::try_from(month).ok()?;
    let length = LENGTH.get(index)?.saturating_add(if month == 1 { leap } else { 0 });
    if !(1_970..=9_999).contains(&year) || day > length {
        return None;
    }
    let past = year.checked_sub(1)?;
    // 477 leap days lie before 1970.
    let leap_days = (past / 4).saturating_sub(past / 100).saturating_add(past / 400).checked_sub(477)?;
    let days = year
        .checked_sub(1_970)?
        .saturating_mul(365)
        .saturating_add(leap_days)
        .saturating_add(*BEFORE.get(index)?)
        .saturating_add(if month > 1 { leap } else { 0 })
        .saturating_add(day.checked_sub(1)?);
    let seconds = days.saturating_mul(86_400).saturating_add(second);
    i64::try_from(seconds.saturating_mul(1_000)).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(parsed: Option<Timestamp>) -> Option<i64> {
        parsed.map(|instant| instant.as_millis() / 1_000)
    }

    #[test]
    fn the_three_forms_of_rfc_9110() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(seconds(http_date(text)), Some(784_111_777), "{text}");
        }
        let known = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Thu, 31 Dec 2026 23:59:60 GMT", 1_798_761_600),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Friday, 01-Jan-27 00:00:00 GMT", 1_798_761_600),
        ];
        for (text, want) in known {
            assert_eq!(seconds(http_date(text)), Some(want), "{text}");
        }
    }

    #[test]
    fn rfc_3339_with_fraction_and_offset() {
        let known = [
            ("2026-01-27T17:05:00Z", 1_769_533_500),
            ("2026-01-27t17:05:00z", 1_769_533_500),
            ("2026-01-27T19:05:00+02:00", 1_769_533_500),
            ("2026-01-27T11:35:00-05:30", 1_769_533_500),
            ("2026-01-28T17:04:00+23:59", 1_769_533_500),
            ("2026-01-27T17:05:00.000Z", 1_769_533_500),
            ("2026-01-27T17:04:59.001Z", 1_769_533_500),
        ];
        for (text, want) in known {
            assert_eq!(seconds(rfc3339(text)), Some(want), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_nothing() {
        let dates = [
            "",
            "soon",
            "Sun, 06 Nov 1994 08:49:37 PST",
            "Sun, 31 Feb 2027 00:00:00 GMT",
            "Mon, 29 Feb 2027 00:00:00 GMT",
            "Mon, 29 Feb 2100 00:00:00 GMT",
            "6, 06 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT extra",
        ];
        for text in dates {
            assert_eq!(http_date(text), None, "{text}");
        }
        let stamps = [
            "2026-01-27",
            "2026-01-27T17:05:00",
            "2026-13-27T17:05:00Z",
            "2026-00-27T17:05:00Z",
            "2026-01-27T17:05:00.Z",
            "2026-01-27T17:05:00+24:00",
            "2026-01-27T17:05:00+01:60",
            "2026-01-27T17:05:00+01:00x",
            "2026-1-27T17:05:00Z",
            "2026-1-2-3T17:05:00Z",
            "99999-01-1T17:05:00Z",
            "2026-01-27T17:05:00Zulu",
        ];
        for text in stamps {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn days_follow_one_another(year in 1_970_u64..9_999, month in 0_u64..12) {
            let index = usize::try_from(month).unwrap();
            let last = (28..=31).rev().find(|day| at(year, month, *day, 86_399).is_some()).unwrap();
            prop_assert!(last >= LENGTH[index]);
            let end = at(year, month, last, 86_399).unwrap();
            let (year, month) = if month == 11 { (year.saturating_add(1), 0) } else { (year, month.saturating_add(1)) };
            let next = at(year, month, 1, 0);
            prop_assert_eq!(Some(end.after(std::time::Duration::from_secs(1))), next);
        }

        #[test]
        fn no_text_breaks_it(text in ".*") {
            let _ = (http_date(&text), rfc3339(&text));
        }
    }
}

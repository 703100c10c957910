#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use super::*;

#[path = "../../../tests/support/zones.rs"]
mod zones;

struct Scripted;

impl ZoneRules for Scripted {
    fn offset_at(&self, zone: &str, at: Timestamp) -> Option<i32> {
        zones::offset(zone, at.as_millis())
    }
}

fn config(zone: &str, reset_hour: u8) -> BudgetConfig {
    BudgetConfig { time_zone: zone.into(), reset_hour, ..BudgetConfig::default() }
}

const NEW_YEAR: i64 = 1_767_225_600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// Where `period` begins, asked a day before.
fn start(zone: &str, reset_hour: u8, period: i64) -> i64 {
    let config = config(zone, reset_hour);
    let calendar = Calendar::new(&config, &Scripted);
    let before = at(period * 86_400 - 2 * 86_400);
    let offset = calendar.period_of(before).unwrap().offset;
    calendar.start_of(period, before, offset).unwrap().as_millis() / 1_000
}

#[test]
fn days_begin_where_the_zone_says() {
    let utc = |period: i64, hour: i64, minute: i64| period * 86_400 + hour * 3_600 + minute * 60;
    let cases = [
        ("UTC", 0, 20_541, utc(20_541, 0, 0)),
        ("UTC", 23, 20_541, utc(20_541, 23, 0)),
        // The day before the change has its old offset at midnight, the day after the new one.
        ("Europe/Berlin", 0, 20_541, utc(20_540, 23, 0)),
        ("Europe/Berlin", 0, 20_542, utc(20_541, 22, 0)),
        ("Europe/Berlin", 2, 20_541, utc(20_541, 1, 0)), // 02:00 is skipped: 03:00 summer time.
        ("Europe/Berlin", 2, 20_751, utc(20_751, 0, 0)), // 02:00 comes twice: the first.
        ("Europe/Berlin", 3, 20_751, utc(20_751, 2, 0)),
        ("America/New_York", 2, 20_520, utc(20_520, 7, 0)),
        ("America/Havana", 0, 20_520, utc(20_520, 5, 0)), // Midnight is skipped: 01:00.
        ("Australia/Lord_Howe", 2, 20_548, utc(20_547, 15, 30)), // Half an hour of change.
        ("Pacific/Kiritimati", 0, 20_541, utc(20_540, 10, 0)),
        ("Pacific/Apia", 0, 15_338, utc(15_338, 10, 0)), // That day never was: the next begins.
        ("Pacific/Apia", 0, 15_339, utc(15_338, 10, 0)),
    ];
    for (zone, reset_hour, period, expected) in cases {
        assert_eq!(start(zone, reset_hour, period), expected, "{zone} {reset_hour} {period}");
    }
}

/// A whole year, half-hour by half-hour: each period is one stretch, and the next begins where it ends.
#[test]
fn periods_follow_each_other_without_gap_or_return() {
    for (zone, ..) in zones::ZONES {
        for reset_hour in [0, 1, 2, 3, 4, 23] {
            if *zone == "Antarctica/Troll" && reset_hour == 2 {
                continue; // See the next test.
            }
            let config = config(zone, reset_hour);
            let calendar = Calendar::new(&config, &Scripted);
            let mut last = calendar.period_of(at(NEW_YEAR)).unwrap();
            let mut predicted = calendar.start_of(last.period + 1, at(NEW_YEAR), last.offset).unwrap();
            for step in 1..365 * 48 {
                let now = at(NEW_YEAR + step * 1_800);
                let place = calendar.period_of(now).unwrap();
                if place.period != last.period {
                    assert_eq!((place.period, now), (last.period + 1, predicted), "{zone} {reset_hour}");
                    predicted = calendar.start_of(place.period + 1, now, place.offset).unwrap();
                    assert!(predicted > now);
                }
                assert!(now < predicted);
                last = place;
            }
        }
    }
}

/// A month's budget begins weeks from now, where the zone has another offset.
#[test]
fn what_begins_weeks_from_now_is_known_as_exactly() {
    for (zone, ..) in zones::ZONES {
        for reset_hour in [0, 2, 3, 23] {
            let config = config(zone, reset_hour);
            let calendar = Calendar::new(&config, &Scripted);
            let mut starts = Vec::new();
            for step in 0..365 * 48 {
                let place = calendar.period_of(at(NEW_YEAR + step * 1_800)).unwrap();
                if starts.last().is_none_or(|(last, _)| *last < place.period) {
                    starts.push((place.period, NEW_YEAR + step * 1_800));
                }
            }
            for day in 1..300 {
                let (_, now) = starts[day];
                let place = calendar.period_of(at(now)).unwrap();
                for (period, begins) in &starts[day + 1..day + 60] {
                    assert_eq!(
                        calendar.start_of(*period, at(now), place.offset),
                        Some(at(*begins)),
                        "{zone} {reset_hour}"
                    );
                }
            }
        }
    }
}

/// Troll's clocks go back by two hours over the reset hour: the day begins, is left, and comes again.
#[test]
fn a_reset_hour_within_a_repeated_stretch_still_lies_ahead() {
    let config = config("Antarctica/Troll", 2);
    let calendar = Calendar::new(&config, &Scripted);
    let periods: Vec<i64> =
        (0..6).map(|half| calendar.period_of(at(20_751 * 86_400 - 1_800 + half * 1_800)).unwrap().period).collect();
    assert_eq!(periods, [20_750, 20_751, 20_751, 20_750, 20_750, 20_751]);
    let within = at(20_751 * 86_400 + 3_600);
    for guess in [0, 7_200] {
        assert_eq!(calendar.start_of(20_751, within, guess), Some(at(20_751 * 86_400 + 7_200)));
    }
}

#[test]
fn unknown_zones_have_no_periods() {
    let config = config("Mars/Olympus", 0);
    assert_eq!(Calendar::new(&config, &Scripted).period_of(at(0)), None);
    struct Wild;
    impl ZoneRules for Wild {
        fn offset_at(&self, _: &str, _: Timestamp) -> Option<i32> {
            Some(i32::MIN)
        }
    }
    assert_eq!(Calendar::new(&config, &Wild).period_of(at(0)), None);
}

#[test]
fn extreme_clocks_and_lying_zones_end() {
    /// Like `Intl`, which throws beyond the instants of a `Date`.
    struct Lying;
    impl ZoneRules for Lying {
        fn offset_at(&self, _: &str, at: Timestamp) -> Option<i32> {
            assert!(at.as_millis().unsigned_abs() <= 8_640_000_000_000_000);
            Some(if at.as_millis() % 7_000 < 3_000 { 86_000 } else { -86_000 })
        }
    }
    let config = config("UTC", 255);
    for zones in [&Scripted as &dyn ZoneRules, &Lying] {
        let calendar = Calendar::new(&config, zones);
        for millis in [i64::MIN, -1, 0, 1, i64::MAX] {
            let now = Timestamp::from_millis(millis);
            let place = calendar.period_of(now).unwrap();
            for period in [place.period + 1, i64::MIN, i64::MAX] {
                assert!(calendar.start_of(period, now, place.offset).is_some());
            }
        }
    }
}

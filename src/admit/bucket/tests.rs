#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use proptest::prelude::*;

use super::*;

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const FIVE: RateConfig = RateConfig { per_minute: 5, burst: 2 };

/// Takes one if it can.
fn take(bucket: &mut Bucket, config: RateConfig, now: i64, count: u64) -> Result<(), Option<Duration>> {
    bucket.refill(config, at(now));
    bucket.check(config, count)?;
    bucket.take(count);
    Ok(())
}

#[test]
fn a_refusal_says_the_millisecond_at_which_it_would_not_be_one() {
    let mut bucket = Bucket::full(FIVE, at(0));
    assert_eq!(take(&mut bucket, FIVE, 0, 1), Ok(()));
    assert_eq!(take(&mut bucket, FIVE, 0, 1), Ok(()));
    assert_eq!(take(&mut bucket, FIVE, 0, 1), Err(Some(Duration::from_secs(12))));
    assert_eq!(take(&mut bucket, FIVE, 11_999, 1), Err(Some(Duration::from_millis(1))));
    assert_eq!(take(&mut bucket, FIVE, 12_000, 1), Ok(()));
    assert_eq!(take(&mut bucket, FIVE, 12_000, 2), Err(Some(Duration::from_secs(24))), "all that it holds");
    assert_eq!(take(&mut bucket, FIVE, 12_000, 3), Err(None), "more than it ever holds");
    let Allowance { limit, remaining, reset } = bucket.allowance(FIVE);
    assert_eq!((limit, remaining, reset), (2, 0, Duration::from_secs(24)));
}

#[test]
fn a_clock_set_back_takes_nothing_away() {
    let mut bucket = Bucket::full(FIVE, at(0));
    assert_eq!(take(&mut bucket, FIVE, 0, 1), Ok(()));
    assert_eq!(take(&mut bucket, FIVE, -3_600_000, 1), Ok(()));
    bucket.refill(FIVE, at(-3_600_000 + 12_000));
    let Allowance { remaining, reset, .. } = bucket.allowance(FIVE);
    assert_eq!((remaining, reset), (1, Duration::from_secs(12)), "what flowed in since counts");
}

#[test]
fn estimates_are_put_right() {
    let config = RateConfig::per_minute(100);
    let mut bucket = Bucket::full(config, at(0));
    bucket.take(80);
    bucket.correct(config, 80, 10);
    assert_eq!(bucket.allowance(config).remaining, 90);
    bucket.take(90);
    bucket.correct(config, 90, 150);
    assert_eq!(bucket.check(config, 1), Err(Some(Duration::from_millis(61 * 600))), "60 are owed");
    bucket.correct(config, 0, u64::MAX);
    bucket.refill(config, at(i64::MAX));
    assert_eq!(bucket.allowance(config).remaining, 100, "nothing is owed for ever");
}

proptest! {
    /// Over any stretch: no more than it held, and what flowed in while the clock went forward.
    #[test]
    fn no_window_grants_more_than_burst_and_rate(
        per_minute in 1u32..2_000,
        burst in 1u32..200,
        steps in prop::collection::vec((prop_oneof![8 => 0i64..3_000, 1 => -100_000i64..100_000], 1u64..4), 1..200),
    ) {
        let config = RateConfig { per_minute, burst };
        let mut bucket = Bucket::full(config, at(0));
        let (mut now, mut taken) = (0, Vec::new());
        for (by, count) in steps {
            now += by;
            let granted = take(&mut bucket, config, now, count);
            if let Err(Some(wait)) = granted {
                // True to the millisecond.
                let mut later = bucket;
                let then = now + i64::try_from(wait.as_millis()).unwrap();
                prop_assert!(take(&mut later.clone(), config, then, count).is_ok());
                prop_assert!(take(&mut later, config, then - 1, count).is_err());
            }
            taken.push((by.max(0), if granted.is_ok() { count } else { 0 }));
        }
        for from in 0..taken.len() {
            let (mut passed, mut granted) = (0, 0);
            for (index, (by, count)) in taken.iter().enumerate().skip(from) {
                passed += if index > from { *by } else { 0 };
                granted += count;
                let most = u64::from(burst) * 60_000 + passed.unsigned_abs() * u64::from(per_minute);
                prop_assert!(granted * 60_000 <= most, "{granted} within {passed} ms");
            }
        }
    }

    #[test]
    fn nothing_overflows(level: i64, then: i64, now: i64, per_minute: u32, burst: u32, count: u64, used: u64) {
        let config = RateConfig { per_minute, burst };
        let mut bucket = Bucket { level, at: at(then) };
        bucket.refill(config, at(now));
        let _ = bucket.check(config, count);
        bucket.take(count);
        bucket.correct(config, count, used);
        let _ = bucket.allowance(config);
    }
}

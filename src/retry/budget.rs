//! The retry budget: retries may add a share to the traffic of the last minute, not more. Without it an
//! outage turns every request into four, just when the provider can bear the least.

use crate::config::RetryConfig;
use crate::time::Timestamp;

/// Width of a bucket.
const BUCKET_MILLIS: i64 = 10_000;
/// Six full buckets and the one being filled: every count lives at least 60 s, at most 70 s.
const BUCKETS: usize = 7;

#[derive(Clone, Copy, Default, Debug)]
struct Bucket {
    requests: u32,
    retries: u32,
}

/// Counts the requests and retries of one gate over a sliding minute, in constant memory.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    percent: u32,
    floor: u32,
    /// The newest first: ages, not clock times, so that a clock set back moves nothing.
    buckets: [Bucket; BUCKETS],
    /// Number of the newest bucket since the epoch.
    newest: i64,
}

impl RetryBudget {
    /// An empty window with the configured share and floor.
    #[must_use]
    pub fn new(config: &RetryConfig) -> Self {
        Self {
            percent: config.budget_percent,
            floor: config.budget_floor,
            buckets: [Bucket::default(); BUCKETS],
            newest: i64::MIN,
        }
    }

    /// Counts a request of a caller; its retries and fallbacks are not requests.
    pub fn note_request(&mut self, now: Timestamp) {
        let bucket = self.current(now);
        bucket.requests = bucket.requests.saturating_add(1);
    }

    /// Takes one retry out of the budget: `floor` a minute and `percent` of the requests of the last
    /// minute. False, and nothing is taken, when it is used up.
    #[must_use]
    pub fn try_retry(&mut self, now: Timestamp) -> bool {
        self.expire(now);
        let (mut requests, mut retries) = (0_u64, 0_u64);
        for bucket in &self.buckets {
            requests = requests.saturating_add(bucket.requests.into());
            retries = retries.saturating_add(bucket.retries.into());
        }
        let share = requests.saturating_mul(self.percent.into()) / 100;
        if retries >= share.saturating_add(self.floor.into()) {
            return false;
        }
        let bucket = self.current(now);
        bucket.retries = bucket.retries.saturating_add(1);
        true
    }

    fn current(&mut self, now: Timestamp) -> &mut Bucket {
        self.expire(now);
        let [newest, ..] = &mut self.buckets;
        newest
    }

    /// Drops what is older than the window.
    fn expire(&mut self, now: Timestamp) {
        let number = now.as_millis().div_euclid(BUCKET_MILLIS);
        let ahead = number.saturating_sub(self.newest);
        if ahead > 0 {
            let steps = usize::try_from(ahead).map_or(BUCKETS, |steps| steps.min(BUCKETS));
            self.buckets.rotate_right(steps);
            self.buckets.iter_mut().take(steps).for_each(|bucket| *bucket = Bucket::default());
            self.newest = number;
        } else if usize::try_from(ahead.saturating_neg()).map_or(true, |back| back >= BUCKETS) {
            // Set back by more than the window: go on from the new time with all counts kept. A small
            // step back waits for the clock instead: a clock that trembles must not age the window.
            self.newest = number;
        }
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        let start = Timestamp::from_millis(1_800_000_000_000);
        let span = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { start.before(span) } else { start.after(span) }
    }

    fn budget(percent: u32, floor: u32) -> RetryBudget {
        RetryBudget::new(&RetryConfig { budget_percent: percent, budget_floor: floor, ..RetryConfig::default() })
    }

    /// Retries granted in a row at one instant.
    fn granted(budget: &mut RetryBudget, now: Timestamp) -> u32 {
        (0..10_000).take_while(|_| budget.try_retry(now)).map(|_| 1).sum()
    }

    #[test]
    fn the_floor_and_the_share_add_up() {
        let mut budget = budget(20, 10);
        assert_eq!(granted(&mut budget, at(0)), 10);
        (0..50).for_each(|_| budget.note_request(at(1)));
        assert_eq!(granted(&mut budget, at(2)), 10);
        budget.note_request(at(3));
        assert!(!budget.try_retry(at(3)), "a fifth of 51 is not 11");
    }

    #[test]
    fn nothing_configured_is_nothing_granted() {
        let mut budget = budget(0, 0);
        budget.note_request(at(0));
        assert!(!budget.try_retry(at(0)));
    }

    #[test]
    fn the_window_expires_when_idle() {
        let mut budget = budget(100, 1);
        (0..5).for_each(|_| budget.note_request(at(0)));
        assert_eq!(granted(&mut budget, at(0)), 6);
        assert!(!budget.try_retry(at(59)));
        assert_eq!(granted(&mut budget, at(71)), 1, "the requests went with the retries");
        assert_eq!(granted(&mut budget, at(1_000_000)), 1);
    }

    #[test]
    fn a_clock_set_back_grants_nothing_and_forgets_nothing() {
        let mut budget = budget(0, 3);
        assert_eq!(granted(&mut budget, at(100)), 3);
        for back in [99, 95, 40, 0, -1_000, -100_000] {
            assert!(!budget.try_retry(at(back)), "{back}");
        }
        assert!(!budget.try_retry(at(-100_000 + 59)), "the minute runs on from the new time");
        assert!(budget.try_retry(at(-100_000 + 71)));
    }

    #[test]
    fn a_trembling_clock_does_not_age_the_window() {
        let mut budget = budget(0, 3);
        assert_eq!(granted(&mut budget, at(9)), 3);
        for _ in 0..20 {
            assert!(!budget.try_retry(at(11)));
            assert!(!budget.try_retry(at(9)));
        }
    }

    #[test]
    fn extreme_clocks_do_not_break_it() {
        let mut budget = budget(u32::MAX, u32::MAX);
        for millis in [i64::MIN, i64::MAX, 0, i64::MAX, i64::MIN] {
            budget.note_request(Timestamp::from_millis(millis));
            assert!(budget.try_retry(Timestamp::from_millis(millis)));
        }
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_the_floor(steps in prop::collection::vec(0_u64..30_000, 1..200)) {
            let (mut budget, mut now) = (budget(0, 4), at(0));
            let mut taken = Vec::new();
            for step in steps {
                now = now.after(Duration::from_millis(step));
                if budget.try_retry(now) {
                    taken.push(now);
                }
            }
            for five in taken.windows(5) {
                prop_assert!(five[4].since(five[0]) >= Duration::from_secs(60), "{five:?}");
            }
        }
    }
}

#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use BreakerOutcome::{Failure, Ignored, Success};

use super::*;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// A breaker with its counter, opening after three failures for 60 s; leases last 100 s.
struct Bench {
    breaker: Breaker,
    config: BreakerConfig,
    ids: u64,
}

impl Bench {
    fn new() -> Self {
        let config = BreakerConfig { failures: 3, open_for: Duration::from_secs(60) };
        Self { breaker: Breaker::new(0), config, ids: 0 }
    }

    fn open() -> Self {
        let mut bench = Self::new();
        for _ in 0..3 {
            let permit = bench.acquire(0).unwrap();
            bench.record(permit, Failure, 0);
        }
        bench
    }

    fn acquire(&mut self, now: i64) -> Result<Permit, u64> {
        self.breaker.tick(at(now), &self.config);
        let probe = self.breaker.check(at(now), &self.config).map_err(|wait| wait.as_secs())?;
        self.ids += 1;
        Ok(self.breaker.acquire(probe, self.ids, Hold::until(at(now + 100), at(now))))
    }

    fn record(&mut self, permit: Permit, outcome: BreakerOutcome, now: i64) -> Option<Change> {
        let Self { breaker, config, ids } = self;
        breaker.record(permit, outcome, at(now), config, || {
            *ids += 1;
            *ids
        })
    }
}

#[test]
fn consecutive_failures_open() {
    let mut bench = Bench::new();
    for outcome in [Failure, Failure, Success, Failure, Failure, Ignored] {
        let permit = bench.acquire(0).unwrap();
        assert_eq!(bench.record(permit, outcome, 0), None);
    }
    let permit = bench.acquire(0).unwrap();
    assert_eq!(bench.record(permit, Failure, 5), Some(Change::Opened(at(65))));
    assert_eq!(bench.acquire(5), Err(60));
    assert_eq!(bench.acquire(64), Err(1));
    assert!(bench.acquire(65).unwrap().probe);
}

#[test]
fn one_probe_closes_or_reopens() {
    let mut bench = Bench::open();
    let probe = bench.acquire(60).unwrap();
    assert!(probe.probe);
    assert_eq!(bench.acquire(61), Err(60), "a second probe");
    assert_eq!(bench.record(probe, Failure, 70), Some(Change::Opened(at(130))));
    assert_eq!(bench.breaker.failures(), 4);
    assert_eq!(bench.acquire(129), Err(1));
    let probe = bench.acquire(130).unwrap();
    assert_eq!(bench.record(probe, Success, 131), Some(Change::Closed));
    assert!(!bench.acquire(131).unwrap().probe);
    assert_eq!(bench.breaker.failures(), 0);
}

#[test]
fn an_ignored_probe_is_given_back_and_closes_nothing() {
    let mut bench = Bench::open();
    let first = bench.acquire(60).unwrap();
    assert_eq!(bench.record(first, Ignored, 61), None);
    let second = bench.acquire(61).unwrap();
    assert!(second.probe);
    // The first has had its say.
    assert_eq!(bench.record(first, Success, 62), None);
    assert_eq!(bench.acquire(62), Err(60));
}

#[test]
fn a_vanished_probe_is_free_after_its_lease() {
    let mut bench = Bench::open();
    let vanished = bench.acquire(60).unwrap();
    assert!(bench.acquire(160).is_err(), "the last instant is still its own");
    let next = bench.acquire(161).unwrap();
    assert!(next.probe);
    assert!(bench.acquire(261).is_err());
    assert_eq!(bench.record(vanished, Success, 262), None, "an older generation");
    assert!(bench.acquire(262).unwrap().probe);
}

#[test]
fn outcomes_of_an_older_generation_are_ignored() {
    let mut bench = Bench::new();
    let old = bench.acquire(0).unwrap();
    for _ in 0..3 {
        let permit = bench.acquire(0).unwrap();
        bench.record(permit, Failure, 0);
    }
    assert_eq!(bench.record(old, Success, 1), None);
    assert!(bench.acquire(1).is_err(), "a late success must not close");
    let probe = bench.acquire(60).unwrap();
    assert_eq!(bench.record(old, Failure, 61), None);
    assert_eq!(bench.record(probe, Success, 62), Some(Change::Closed));
    bench.record(old, Failure, 63);
    assert_eq!(bench.breaker.failures(), 0, "a late failure must not count");
}

#[test]
fn a_clock_set_back_keeps_it_open_no_longer_than_configured() {
    let mut bench = Bench::open();
    assert_eq!(bench.acquire(-1_000_000), Err(60));
    assert_eq!(bench.acquire(-1_000_000 + 59), Err(1), "the wait does not slide");
    assert!(bench.acquire(-1_000_000 + 60).unwrap().probe);
    let mut bench = Bench::open();
    bench.config.open_for = Duration::from_secs(10);
    assert_eq!(bench.acquire(0), Err(10));
}

#[test]
fn it_opens_for_milliseconds_as_well() {
    let mut bench = Bench::new();
    bench.config = BreakerConfig { failures: 1, open_for: Duration::from_millis(1_500) };
    let permit = bench.acquire(0).unwrap();
    assert_eq!(bench.record(permit, Failure, 0), Some(Change::Opened(Timestamp::from_millis(1_500))));
}

#[test]
fn zero_failures_count_as_one() {
    let mut bench = Bench::new();
    bench.config = BreakerConfig { failures: 0, open_for: Duration::ZERO };
    let permit = bench.acquire(0).unwrap();
    assert!(!permit.probe);
    assert_eq!(bench.record(permit, Success, 0), None);
    assert_eq!(bench.record(permit, Failure, 0), Some(Change::Opened(at(0))));
    assert!(bench.acquire(0).unwrap().probe);
}

#[test]
fn a_probe_of_a_clock_that_ran_ahead_does_not_wedge_the_circuit() {
    let mut bench = Bench::open();
    assert!(bench.acquire(1_000_000).unwrap().probe);
    assert_eq!(bench.acquire(0), Err(60));
    assert_eq!(bench.acquire(100), Err(0));
    assert!(bench.acquire(101).unwrap().probe);
}

#[test]
fn a_failed_probe_is_one_failure_more_and_a_good_one_ends_the_count() {
    let mut bench = Bench::open();
    assert_eq!(bench.breaker.failures(), 3);
    for (now, failures) in [(60, 4), (120, 5)] {
        let probe = bench.acquire(now).unwrap();
        assert_eq!(bench.record(probe, Failure, now), Some(Change::Opened(at(now + 60))));
        assert_eq!(bench.breaker.failures(), failures);
    }
    bench.breaker.failures = u32::MAX;
    let probe = bench.acquire(180).unwrap();
    bench.record(probe, Failure, 180);
    assert_eq!(bench.breaker.failures(), u32::MAX);
    let probe = bench.acquire(240).unwrap();
    bench.record(probe, Success, 240);
    assert!(bench.breaker.is_idle());
}

/// No permit of an earlier state fits a later one, whatever is asked of it by then. An open circuit gives none.
#[test]
fn each_state_that_gives_permits_has_a_generation_of_its_own() {
    let mut bench = Bench::new();
    let first = bench.acquire(0).unwrap();
    let mut seen = vec![bench.breaker.generation];
    let mut is_new = |bench: &Bench| {
        let generation = bench.breaker.generation;
        assert!(seen.iter().all(|own| *own < generation), "{seen:?} {generation}");
        seen.push(generation);
    };
    for _ in 0..3 {
        bench.record(first, Failure, 0);
    }
    let probe = bench.acquire(60).unwrap();
    is_new(&bench);
    bench.record(probe, Failure, 60);
    let probe = bench.acquire(120).unwrap();
    is_new(&bench);
    bench.record(probe, Success, 120);
    is_new(&bench);
}

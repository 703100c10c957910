#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use super::*;

const CENT: u64 = 10_000_000;

fn cents(amount: u64) -> NanoUsd {
    NanoUsd::new(amount * CENT)
}

struct Bench {
    books: Books,
    config: BudgetConfig,
    notices: Vec<Notice>,
}

impl Bench {
    fn new() -> Self {
        Self { books: Books::default(), config: BudgetConfig::default(), notices: Vec::new() }
    }

    fn reserve(&mut self, period: i64, bound: u64) -> bool {
        let fits = self.books.check(period, cents(bound), &self.config, &mut self.notices);
        if fits {
            self.books.reserve(period, cents(bound));
        }
        fits
    }

    fn charge(&mut self, period: i64, amount: u64, bound: u64) {
        self.books.release(period, cents(bound));
        let (amount, bound) = (cents(amount), cents(bound));
        assert!(self.books.charge(period, amount, bound, NanoUsd::ZERO, &self.config, &mut self.notices));
    }

    fn spend(&mut self, period: i64, amount: u64) {
        assert!(self.reserve(period, amount));
        self.charge(period, amount, amount);
    }

    fn told(&mut self) -> Vec<u32> {
        let notices = std::mem::take(&mut self.notices);
        let percent = |notice| if let Notice::Threshold { percent, .. } = notice { Some(percent) } else { None };
        notices.into_iter().filter_map(percent).collect()
    }
}

#[test]
fn exactly_the_cap_may_be_held() {
    let mut bench = Bench::new();
    assert!(bench.reserve(1, 60));
    assert!(!bench.reserve(1, 41));
    assert!(bench.reserve(1, 40));
    assert!(bench.reserve(1, 0), "what is free fits into a full period");
    assert!(!bench.books.check(1, NanoUsd::new(1), &bench.config, &mut bench.notices));
    assert!(!bench.books.check(2, NanoUsd::MAX, &bench.config, &mut bench.notices));
    bench.config.limit = NanoUsd::MAX;
    assert!(!bench.books.check(1, NanoUsd::MAX, &bench.config, &mut bench.notices), "a sum that overflows");
}

#[test]
fn a_cap_of_zero_admits_only_what_is_free() {
    let mut bench = Bench::new();
    bench.config.limit = NanoUsd::ZERO;
    assert!(!bench.books.check(1, NanoUsd::new(1), &bench.config, &mut bench.notices));
    bench.spend(1, 0);
    assert_eq!(bench.told(), [0; 0]);
}

#[test]
fn a_bill_above_its_bound_is_recorded_whole_and_blocks() {
    let mut bench = Bench::new();
    assert!(bench.reserve(1, 50));
    bench.charge(1, 120, 50);
    assert!(bench.notices.contains(&Notice::Overshoot { period: 1, amount: cents(70) }));
    let book = bench.books.book(1).unwrap();
    assert_eq!((book.spent, book.overshoot, book.reserved), (cents(120), cents(70), NanoUsd::ZERO));
    assert!(!bench.reserve(1, 0));
    assert!(bench.reserve(2, 1), "until the reset");
}

#[test]
fn thresholds_are_told_once_in_order() {
    let mut bench = Bench::new();
    bench.spend(1, 79);
    assert_eq!(bench.told(), [0; 0]);
    bench.spend(1, 1);
    assert_eq!(bench.told(), [80]);
    bench.spend(1, 5);
    assert_eq!(bench.told(), [0; 0]);
    bench.spend(1, 15);
    assert_eq!(bench.told(), [100]);
    bench.spend(2, 100);
    assert_eq!(bench.told(), [80, 100], "a jump over both");
}

#[test]
fn the_last_threshold_is_told_when_nothing_fits_any_more() {
    let mut bench = Bench::new();
    assert!(bench.reserve(1, 90));
    assert!(!bench.reserve(1, 20));
    assert_eq!(bench.told(), [0; 0], "80 % has not been told");
    bench.charge(1, 90, 90);
    assert_eq!(bench.told(), [80]);
    assert!(!bench.reserve(1, 101));
    assert_eq!(bench.told(), [0; 0], "larger than the cap itself");
    assert!(!bench.reserve(1, 20));
    assert!(!bench.reserve(1, 20));
    assert_eq!(bench.told(), [100], "once");
}

#[test]
fn a_raised_cap_rearms_what_it_leaves_behind() {
    let mut bench = Bench::new();
    bench.spend(1, 100);
    assert_eq!(bench.told(), [80, 100]);
    bench.config.limit = cents(120);
    bench.spend(1, 10);
    assert_eq!(bench.told(), [0; 0], "80 % of it is already spent");
    bench.spend(1, 10);
    assert_eq!(bench.told(), [100]);
    bench.config.limit = cents(110);
    assert!(!bench.reserve(1, 1));
    bench.config.limit = cents(1_000);
    bench.spend(1, 680);
    assert_eq!(bench.told(), [80]);
}

#[test]
fn a_lowered_cap_tells_at_the_next_decision() {
    let mut bench = Bench::new();
    bench.spend(1, 50);
    bench.config.limit = cents(60);
    assert!(bench.reserve(1, 1));
    assert_eq!(bench.told(), [80]);
}

#[test]
fn a_book_left_and_found_again_is_the_same() {
    let mut bench = Bench::new();
    bench.spend(10, 100);
    bench.spend(500, 100);
    assert!(!bench.reserve(10, 1), "the clock went back");
    assert!(!bench.reserve(500, 1), "and forward again");
    assert!(bench.reserve(9, 1), "never opened before");
}

#[test]
fn forgotten_periods_stay_closed() {
    let mut bench = Bench::new();
    assert!(bench.reserve(0, 1), "live: not to be forgotten");
    for period in 1..100 {
        bench.spend(period, 100);
    }
    // 64 books: the live one and the newest 63.
    assert!(bench.books.book(0).is_some() && bench.books.book(36).is_none() && bench.books.book(37).is_some());
    for period in [-5, 0, 1, 36] {
        assert!(!bench.reserve(period, 0), "{period}");
        assert_eq!(bench.books.next_open(period), 37);
    }
    assert_eq!(bench.books.shown(36, cents(100)).spent, cents(100), "a closed period shows as spent");
    // The live reservation is still settled where it belongs.
    bench.charge(0, 1, 1);
    assert_eq!(bench.books.book(0).unwrap().spent, cents(1));
}

#[cfg(feature = "edge")]
#[test]
fn trimmed_periods_stay_closed_and_what_is_held_is_not_trimmed() {
    let mut bench = Bench::new();
    for period in 1..=4 {
        bench.spend(period, 100);
    }
    assert!(bench.reserve(5, 1));
    bench.books.trim(1, 5);
    for period in 1..=4 {
        assert!(!bench.reserve(period, 1), "the clock went back to {period}");
    }
    bench.books.trim(0, 6);
    assert!(bench.books.book(5).is_some());
}

#[test]
fn a_period_older_than_a_full_shelf_takes_nobodys_place() {
    let mut bench = Bench::new();
    for period in 100..164 {
        bench.spend(period, 100);
    }
    assert!(!bench.reserve(99, 1));
    assert!(bench.books.book(100).is_some());
    assert!(bench.reserve(164, 1));
    assert!(!bench.reserve(100, 1));
}

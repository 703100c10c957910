//! Slices: how much is lent, to whom, and what comes back.

use super::*;
use crate::config::{LeaseConfig, NamedRate};

/// Slices of a quarter, and a rate of 400 requests.
fn bench(limit: u64, budgets: Vec<BudgetRule>) -> Bench {
    let mut bench = Bench::new(budgets);
    bench.config.budget.limit = cents(limit);
    bench.config.edge.leases = LeaseConfig { enabled: true, share: 4, ..LeaseConfig::default() };
    bench.config.edge.tiers =
        vec![TierConfig { name: "pro".into(), requests: RateConfig::per_minute(400), tokens: None }];
    bench.config.edge.routes.iter_mut().for_each(|route| route.rate = RateConfig::per_minute(1_000));
    bench
}

const WINDOW: Duration = Duration::from_secs(2);

impl Bench {
    /// The slice's id, its budget, its requests and its window; `None` if there is nothing to lease.
    fn lease(&mut self, requests: u64) -> Option<(u64, NanoUsd, u64, Duration)> {
        let (tenant, route, settles_within) = ("me".into(), "chat".into(), Duration::from_secs(60));
        let lease = Command::Lease { tenant, route, bound: cents(1), requests, window: WINDOW, settles_within };
        match self.errand(&user("ann"), None, Some(lease)).unwrap() {
            Outcome::Leased { slice, budget, requests, window } => Some((slice, budget, requests, window)),
            Outcome::NotLeased => None,
            other => panic!("{other:?}"),
        }
    }

    fn give_back(&mut self, slice: u64, spent: NanoUsd, requests: u64) -> Outcome {
        let back = Command::Return { slice, route: "chat".into(), spent, requests };
        self.errand(&user("ann"), None, Some(back)).unwrap()
    }

    /// Spent and reserved of the organisation's cap.
    fn money(&mut self) -> (NanoUsd, NanoUsd) {
        let Outcome::Status(figures) = self.apply(&Command::Status).unwrap() else { panic!("no figures") };
        (figures.spent, figures.reserved)
    }

    /// Requests that the caller has left in a minute.
    fn left(&mut self) -> u64 {
        let Outcome::Caller(figures) = self.errand(&user("ann"), None, Some(Command::Status)).unwrap() else {
            panic!("no figures")
        };
        figures.requests.remaining
    }
}

#[test]
fn a_slice_is_what_was_asked_for_and_no_more_than_a_share_above_the_last_eighth() {
    let mut bench = bench(1_000, Vec::new());
    let (_, budget, requests, window) = bench.lease(8).unwrap();
    assert_eq!((budget, requests, window), (cents(8), 8, WINDOW));
    assert_eq!((bench.money(), bench.left()), ((NanoUsd::ZERO, cents(8)), 392));
    let (_, budget, requests, _) = bench.lease(512).unwrap();
    assert_eq!(budget, NanoUsd::new((1_000 - 125 - 8) * CENT / 4), "a quarter of what is left");
    assert_eq!((requests, bench.left()), (98, 294), "a quarter of 392");
}

#[test]
fn near_the_cap_and_for_less_than_one_request_nothing_is_lent() {
    let mut near = bench(1_000, Vec::new());
    near.spend(&user("ann"), 871);
    assert_eq!(near.lease(8).map(|(_, budget, ..)| budget), Some(cents(1)));
    let mut nearer = bench(1_000, Vec::new());
    nearer.spend(&user("ann"), 872);
    assert_eq!(nearer.lease(8), None);
    assert_eq!(nearer.money(), (cents(872), NanoUsd::ZERO));
    let mut slow = bench(1_000, Vec::new());
    slow.config.edge.tiers[0].requests = RateConfig::per_minute(3);
    assert_eq!((slow.lease(8), slow.left()), (None, 3), "a quarter of three requests");
}

#[test]
fn what_each_request_has_to_be_asked_about_is_not_lent() {
    assert!(bench(1_000, Vec::new()).lease(8).is_some());
    for of in [BudgetScope::User, BudgetScope::Token] {
        assert_eq!(bench(1_000, vec![rule(of, BudgetSpan::Day, 900)]).lease(8), None, "{of:?}");
    }
    let mut tokens = bench(1_000, Vec::new());
    tokens.config.edge.tiers[0].tokens = Some(RateConfig::per_minute(1_000_000));
    assert_eq!(tokens.lease(8), None);
    let mut targets = bench(1_000, Vec::new());
    targets.config.edge.targets = vec![NamedRate { name: "groq/m".into(), rate: RateConfig::per_minute(1_000) }];
    assert_eq!(targets.lease(8), None);
}

#[test]
fn the_organisations_other_budgets_lend_their_share_and_hold_it() {
    let mut bench = bench(1_000, vec![rule(BudgetScope::Organisation, BudgetSpan::Week, 40)]);
    let (slice, budget, ..) = bench.lease(512).unwrap();
    assert_eq!(budget, NanoUsd::new(35 * CENT / 4));
    assert_eq!(bench.books(&user("ann"))[0].2, [40, 0, 8]);
    bench.give_back(slice, cents(3), 0);
    assert_eq!(bench.books(&user("ann"))[0].2, [40, 3, 0]);
}

#[test]
fn a_slice_ends_with_its_day() {
    let mut bench = bench(1_000, Vec::new());
    bench.now = DAY - 1;
    assert_eq!(bench.lease(8).map(|(.., window)| window), Some(Duration::from_secs(1)));
}

#[test]
fn what_comes_back_is_charged_and_the_requests_that_were_not_made_may_be_made() {
    let mut bench = bench(1_000, Vec::new());
    let (slice, ..) = bench.lease(100).unwrap();
    assert_eq!(bench.left(), 300);
    assert_eq!(bench.give_back(slice, cents(5), 60), Outcome::Settled { charged: cents(5) });
    assert_eq!((bench.money(), bench.left()), ((cents(5), NanoUsd::ZERO), 360));
    assert_eq!(bench.give_back(slice, cents(5), 60), Outcome::NotHeld, "once");
    assert_eq!((bench.money(), bench.left()), ((cents(5), NanoUsd::ZERO), 360));
}

#[test]
fn a_slice_that_does_not_come_back_is_spent_until_it_comes_late() {
    let mut bench = bench(1_000, Vec::new());
    let (slice, ..) = bench.lease(100).unwrap();
    bench.now = 62;
    assert_eq!(bench.money(), (NanoUsd::ZERO, cents(100)), "its window, and the minute in which it settles");
    bench.now = 63;
    assert_eq!(bench.money(), (cents(100), NanoUsd::ZERO));
    assert_eq!(bench.left(), 400, "a minute is over");
    bench.enter(&user("ann"), "chat", Some(1)).unwrap();
    assert_eq!(bench.give_back(slice, cents(5), 100), Outcome::Settled { charged: cents(5) });
    assert_eq!((bench.money(), bench.left()), ((cents(5), NanoUsd::ZERO), 399), "its requests count as made");
}

#[test]
fn nothing_is_lent_for_no_time_nor_to_a_name_without_bound() {
    let mut bench = bench(1_000, Vec::new());
    let ask = |tenant: &str, window| {
        let (tenant, route, settles_within) = (tenant.into(), "chat".into(), Duration::from_secs(60));
        Some(Command::Lease { tenant, route, bound: cents(1), requests: 8, window, settles_within })
    };
    let ann = user("ann");
    assert_eq!(bench.errand(&ann, None, ask("me", Duration::ZERO)).unwrap(), Outcome::NotLeased);
    assert_eq!(bench.errand(&ann, None, ask(&"x".repeat(1_025), WINDOW)).unwrap(), Outcome::NotLeased);
    assert_eq!((bench.money(), bench.left()), ((NanoUsd::ZERO, NanoUsd::ZERO), 400), "nothing is taken");
    assert!(matches!(bench.errand(&ann, None, ask(&"x".repeat(1_024), WINDOW)).unwrap(), Outcome::Leased { .. }));
}

#[test]
fn leases_that_are_switched_off_lend_nothing_more_and_take_back_what_was_lent() {
    let mut bench = bench(1_000, vec![rule(BudgetScope::Organisation, BudgetSpan::Week, 900)]);
    let (back, ..) = bench.lease(8).unwrap();
    let (lost, ..) = bench.lease(8).unwrap();
    bench.config.edge.leases.enabled = false;
    assert_eq!(bench.lease(8), None);
    assert_eq!(bench.give_back(back, cents(5), 3), Outcome::Settled { charged: cents(5) });
    assert_eq!((bench.money(), bench.left()), ((cents(5), cents(8)), 387));
    bench.now = 63;
    assert_eq!(bench.money(), (cents(13), NanoUsd::ZERO), "what was lost with its isolate is spent");
    assert_eq!(bench.give_back(lost, cents(1), 8), Outcome::Settled { charged: cents(1) });
    assert_eq!((bench.money(), bench.books(&user("ann"))[0].2), ((cents(6), NanoUsd::ZERO), [900, 6, 0]));
}

#[test]
fn a_cap_that_is_lowered_below_what_is_lent_admits_nobody_until_enough_is_back() {
    let mut bench = bench(1_000, Vec::new());
    let slices: Vec<_> = [100, 90].map(|requests| bench.lease(requests).unwrap().0).into();
    bench.config.budget.limit = cents(100);
    assert_eq!(bench.lease(8), None);
    assert_eq!(bench.money(), (NanoUsd::ZERO, cents(190)));
    bench.give_back(slices[0], cents(9), 0);
    assert_eq!(bench.admit(&user("ann"), 2).unwrap_err().code, Code::BudgetExceeded, "9 spent and 90 held");
    assert!(bench.admit(&user("ann"), 1).is_ok());
    bench.give_back(slices[1], cents(90), 0);
    assert_eq!(bench.money(), (cents(99), cents(1)));
}

#[test]
fn a_slice_is_held_in_the_books_of_its_own_period_alone() {
    use BudgetSpan::{Month, Week};
    let rules = [(Week, 40), (Month, 80)].map(|(per, limit)| rule(BudgetScope::Organisation, per, limit));
    let mut bench = bench(1_000, rules.into());
    let (slice, budget, ..) = bench.lease(512).unwrap();
    assert_eq!(budget, NanoUsd::new(35 * CENT / 4), "the tighter of the two");
    let held = |bench: &mut Bench| bench.books(&user("ann")).into_iter().map(|(.., money)| money).collect::<Vec<_>>();
    assert_eq!(held(&mut bench), [[40, 0, 8], [80, 0, 8]]);
    bench.give_back(slice, cents(2), 0);
    assert_eq!(held(&mut bench), [[40, 2, 0], [80, 2, 0]]);
}

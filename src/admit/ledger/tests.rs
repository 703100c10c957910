#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

mod slots;

use std::time::Duration;

use super::*;
use crate::admit::{CircuitState, TargetFigures};
use crate::host::UtcOnly;

const CENT: u64 = 10_000_000;
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// Leases of these tests, in seconds.
const LEASE: i64 = 180;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((20_000 * DAY + seconds) * 1_000)
}

fn cents(amount: u64) -> NanoUsd {
    NanoUsd::new(amount * CENT)
}

struct Bench {
    state: LedgerState,
    budget: BudgetConfig,
    breaker: BreakerConfig,
    max_concurrent: u32,
    now: i64,
    notices: Vec<Notice>,
}

impl Bench {
    fn new() -> Self {
        let breaker = BreakerConfig { failures: 2, open_for: Duration::from_secs(60) };
        let budget = BudgetConfig::default();
        Self { state: LedgerState::new(), budget, breaker, max_concurrent: 3, now: 0, notices: Vec::new() }
    }

    /// Every step goes through bytes, as it does between two tabs.
    fn apply(&mut self, command: &Command) -> Result<Outcome> {
        let policy = LedgerPolicy { budget: &self.budget, breaker: &self.breaker, max_concurrent: self.max_concurrent };
        let reply = self.state.apply(command, &policy, &UtcOnly, at(self.now));
        self.notices = reply.notices;
        let restored = LedgerState::restore(&self.state.snapshot()).unwrap();
        assert_eq!(restored.snapshot(), self.state.snapshot());
        self.state = restored;
        reply.result
    }

    fn admit_with(&mut self, target: &str, bound: u64, slot: Option<u64>) -> Result<(u64, u64, bool)> {
        let lease_until = at(self.now + LEASE);
        let (tenant, target) = ("me".into(), target.into());
        let admit = Command::Admit { tenant, target, bound: cents(bound), lease_until, slot };
        let outcome = self.apply(&admit)?;
        let Outcome::Admitted { reservation, slot, probe, .. } = outcome else { panic!("{outcome:?}") };
        Ok((reservation, slot, probe))
    }

    fn admit(&mut self, bound: u64) -> Result<(u64, u64, bool)> {
        self.admit_with("groq", bound, None)
    }

    fn settle(&mut self, reservation: u64, charge: Charge, outcome: BreakerOutcome) -> Outcome {
        let end_slot = true;
        self.apply(&Command::Settle { reservation, charge, outcome, cool_until: None, end_slot }).unwrap()
    }

    fn status(&mut self) -> Figures {
        let outcome = self.apply(&Command::Status).unwrap();
        let Outcome::Status(figures) = outcome else { panic!("{outcome:?}") };
        figures
    }

    fn money(&mut self) -> (u64, u64) {
        let figures = self.status();
        (figures.spent.as_nano() / CENT, figures.reserved.as_nano() / CENT)
    }

    /// Opens the circuit of `groq`.
    fn trip(&mut self) {
        for _ in 0..2 {
            let (id, ..) = self.admit(0).unwrap();
            self.settle(id, Charge::Released, BreakerOutcome::Failure);
        }
    }
}

fn code<T>(result: Result<T>) -> (Code, Option<u64>) {
    result.map_or_else(|error| (error.code, error.retry_after.map(|wait| wait.as_secs())), |_| panic!("admitted"))
}

#[test]
fn money_is_reserved_then_settled() {
    let mut bench = Bench::new();
    let (first, ..) = bench.admit(30).unwrap();
    let (second, ..) = bench.admit(30).unwrap();
    let (third, ..) = bench.admit(30).unwrap();
    assert_eq!(bench.money(), (0, 90));
    let charged = bench.settle(first, Charge::Actual(cents(12)), BreakerOutcome::Success);
    assert_eq!(charged, Outcome::Settled { charged: cents(12) });
    bench.settle(second, Charge::Released, BreakerOutcome::Failure);
    bench.settle(third, Charge::Bound, BreakerOutcome::Ignored);
    assert_eq!(bench.money(), (42, 0));
    assert_eq!(bench.status().in_flight, 0);
}

#[test]
fn a_refusal_says_what_is_left_and_when_it_resets() {
    let mut bench = Bench::new();
    bench.now = 23 * 60 * MINUTE;
    bench.admit(70).unwrap();
    let error = bench.admit(31).unwrap_err();
    assert_eq!((error.code, error.retry_after), (Code::BudgetExceeded, Some(Duration::from_secs(3_600))));
    let (limit, spent, reserved, resets_at) = (cents(100), NanoUsd::ZERO, cents(70), at(DAY));
    assert_eq!(error.detail, Detail::Budget { limit, spent, reserved, resets_at });
    assert_eq!(bench.status().in_flight, 1, "a refused request holds no slot");
}

#[test]
fn a_vanished_attempt_costs_its_bound_and_frees_the_rest() {
    let mut bench = Bench::new();
    bench.trip();
    bench.now = 60;
    let (id, _, probe) = bench.admit(40).unwrap();
    assert!(probe);
    bench.now += LEASE;
    assert_eq!(bench.money(), (0, 40), "its last instant");
    bench.now += 1;
    let (_, _, probe) = bench.admit(10).unwrap();
    assert!(probe, "the probe is free again");
    assert_eq!(bench.notices, [Notice::LeaseExpired { reservation: id }]);
    let figures = bench.status();
    assert_eq!((figures.spent, figures.reserved, figures.in_flight), (cents(40), cents(10), 1));
    // The bill comes late: it replaces the bound, once, and says nothing about the circuit.
    let late = bench.settle(id, Charge::Actual(cents(7)), BreakerOutcome::Success);
    assert_eq!(late, Outcome::Settled { charged: cents(7) });
    assert_eq!(bench.settle(id, Charge::Actual(cents(9)), BreakerOutcome::Success), Outcome::NotHeld);
    assert_eq!(bench.money(), (7, 10));
    assert_eq!(bench.status().targets.first().map(|target| target.state), Some(CircuitState::HalfOpen));
}

#[test]
fn a_bound_charged_by_hand_is_corrected_once_within_a_day() {
    let mut bench = Bench::new();
    let (early, ..) = bench.admit(20).unwrap();
    let (never, ..) = bench.admit(20).unwrap();
    for id in [early, never] {
        bench.settle(id, Charge::Bound, BreakerOutcome::Failure);
    }
    assert_eq!(bench.settle(early, Charge::Bound, BreakerOutcome::Ignored), Outcome::Settled { charged: cents(20) });
    let late = bench.settle(early, Charge::Actual(cents(25)), BreakerOutcome::Ignored);
    assert_eq!(late, Outcome::Settled { charged: cents(25) });
    assert_eq!(bench.notices, [Notice::Overshoot { period: 20_000, amount: cents(5) }]);
    assert_eq!(bench.money(), (45, 0));
    bench.now = DAY + 1;
    assert_eq!(bench.settle(never, Charge::Actual(cents(1)), BreakerOutcome::Ignored), Outcome::NotHeld);
    assert_eq!(bench.settle(12_345, Charge::Actual(cents(1)), BreakerOutcome::Ignored), Outcome::NotHeld);
}

#[test]
fn an_attempt_is_charged_to_the_day_it_was_admitted_in() {
    let mut bench = Bench::new();
    bench.now = DAY - 10;
    let (id, ..) = bench.admit(100).unwrap();
    bench.now = DAY + 10;
    assert_eq!(bench.money(), (0, 0));
    bench.admit(100).unwrap();
    bench.settle(id, Charge::Actual(cents(90)), BreakerOutcome::Success);
    assert_eq!(bench.money(), (0, 100));
    bench.now = DAY - 5;
    assert_eq!(bench.money(), (90, 0), "the clock went back");
    assert_eq!(code(bench.admit(11)).0, Code::BudgetExceeded);
}

#[test]
fn a_hold_lasts_until_the_last_instant_of_its_lease() {
    let mut bench = Bench::new();
    let (_, slot, _) = bench.admit(10).unwrap();
    bench.now = LEASE;
    assert_eq!(bench.money(), (0, 10));
    assert_eq!(bench.status().in_flight, 1);
    bench.now += 1;
    assert_eq!(bench.money(), (10, 0));
    assert_eq!(bench.apply(&Command::EndSlot { slot }).unwrap(), Outcome::NotHeld);
}

#[test]
fn a_probe_is_the_only_one_while_its_lease_lasts() {
    let mut bench = Bench::new();
    bench.trip();
    bench.now = 60;
    bench.admit(1).unwrap();
    bench.now = 60 + LEASE;
    assert_eq!(code(bench.admit(1)).0, Code::CircuitOpen);
    bench.now += 1;
    assert!(bench.admit(1).unwrap().2);
}

#[test]
fn a_stated_wait_cools_the_target_beside_the_breaker() {
    let mut bench = Bench::new();
    let cool = |reservation, seconds| Command::Settle {
        reservation,
        charge: Charge::Released,
        outcome: BreakerOutcome::Ignored,
        cool_until: Some(at(seconds)),
        end_slot: true,
    };
    let (first, ..) = bench.admit(1).unwrap();
    let (second, ..) = bench.admit(1).unwrap();
    let (third, ..) = bench.admit(1).unwrap();
    bench.apply(&cool(first, 30)).unwrap();
    bench.apply(&cool(second, 20)).unwrap();
    assert_eq!(code(bench.admit(1)), (Code::UpstreamLimited, Some(30)));
    bench.admit_with("openrouter", 1, None).unwrap();
    let figures = bench.status().targets;
    let groq = TargetFigures {
        tenant: "me".into(),
        target: "groq".into(),
        state: CircuitState::Closed,
        failures: 0,
        open_until: None,
        cooling_until: Some(at(30)),
    };
    assert_eq!(figures.first(), Some(&groq));
    bench.apply(&cool(third, 400 * DAY)).unwrap();
    assert_eq!(code(bench.admit(1)), (Code::UpstreamLimited, Some(86_400)), "an absurd wait");
    bench.now = DAY;
    bench.admit(1).unwrap();
}

#[test]
fn a_refused_attempt_takes_no_probe() {
    let mut bench = Bench::new();
    bench.trip();
    let until = at(60);
    assert_eq!(bench.notices, [Notice::CircuitOpen { tenant: "me".into(), target: "groq".into(), until }]);
    assert_eq!(code(bench.admit(1)), (Code::CircuitOpen, Some(60)));
    bench.now = 60;
    assert_eq!(code(bench.admit(101)).0, Code::BudgetExceeded);
    let (id, _, probe) = bench.admit(1).unwrap();
    assert!(probe);
    assert_eq!(bench.notices, [Notice::CircuitHalfOpen { tenant: "me".into(), target: "groq".into() }]);
    assert_eq!(code(bench.admit(1)).0, Code::CircuitOpen);
    bench.settle(id, Charge::Actual(cents(1)), BreakerOutcome::Success);
    assert_eq!(bench.notices, [Notice::CircuitClosed { tenant: "me".into(), target: "groq".into() }]);
    assert!(bench.status().targets.is_empty(), "nothing to remember");
}

#[test]
fn tenants_have_circuits_of_their_own() {
    let mut bench = Bench::new();
    bench.trip();
    let (tenant, target, lease_until) = ("you".into(), "groq".into(), at(LEASE));
    let admit = Command::Admit { tenant, target, bound: cents(1), lease_until, slot: None };
    assert!(bench.apply(&admit).is_ok());
}

#[test]
fn a_wrong_clock_does_not_wedge_anything() {
    let mut bench = Bench::new();
    bench.trip();
    bench.now = 365 * DAY;
    let (_, _, probe) = bench.admit(1).unwrap();
    assert!(probe);
    bench.now = 100;
    assert_eq!(bench.status().in_flight, 1);
    bench.now = 100 + LEASE + 1;
    assert_eq!(bench.status().in_flight, 0);
    assert!(bench.admit(1).unwrap().2);
}

#[test]
fn a_clock_set_back_holds_nothing_longer_than_was_meant() {
    let mut bench = Bench::new();
    bench.trip();
    let (reservation, ..) = bench.admit_with("openrouter", 1, None).unwrap();
    let (charge, outcome) = (Charge::Released, BreakerOutcome::Ignored);
    let cool_until = Some(at(30));
    bench.apply(&Command::Settle { reservation, charge, outcome, cool_until, end_slot: true }).unwrap();
    bench.admit_with("mistral", 10, None).unwrap();
    bench.now = -300 * DAY;
    assert_eq!(code(bench.admit(1)), (Code::CircuitOpen, Some(60)));
    assert_eq!(code(bench.admit_with("openrouter", 1, None)), (Code::UpstreamLimited, Some(30)));
    bench.now += LEASE + 1;
    bench.status();
    assert_eq!(bench.notices.len(), 1, "the attempt that vanished: {:?}", bench.notices);
}

#[test]
fn an_unknown_zone_fails_closed_but_settles() {
    let mut bench = Bench::new();
    let (id, ..) = bench.admit(10).unwrap();
    bench.budget.time_zone = "Mars/Olympus".into();
    let error = bench.admit(10).unwrap_err();
    assert_eq!((error.code, error.detail.clone()), (Code::ConfigInvalid, unknown_zone().detail));
    let settled = bench.settle(id, Charge::Actual(cents(10)), BreakerOutcome::Success);
    assert_eq!(settled, Outcome::Settled { charged: cents(10) });
}

#[test]
fn the_table_of_targets_is_bounded() {
    let mut bench = Bench::new();
    bench.now = 5;
    for number in 0..600 {
        let (id, ..) = bench.admit_with(&format!("target-{number:03}"), 0, None).unwrap();
        bench.settle(id, Charge::Released, BreakerOutcome::Failure);
    }
    let figures = bench.status().targets;
    assert_eq!(figures.len(), 512);
    assert_eq!(figures.first().map(|target| &*target.target), Some("target-088"), "the least recently used went");
}

#[test]
fn names_without_bound_are_refused() {
    let mut bench = Bench::new();
    for (tenant, target, admitted) in [(0, 0, true), (1, 0, false), (0, 1, false)] {
        let [tenant, target] = [LONGEST_NAME + tenant, LONGEST_TARGET + target].map(|length| "x".repeat(length));
        let (bound, lease_until) = (NanoUsd::ZERO, at(LEASE));
        let outcome = bench.apply(&Command::Admit { tenant, target, bound, lease_until, slot: None });
        assert_eq!(outcome.map_err(|error| error.code).err(), (!admitted).then_some(Code::Internal));
    }
    let policy = LedgerPolicy { budget: &bench.budget, breaker: &bench.breaker, max_concurrent: 1 };
    for (more, lent) in [(0, true), (1, false)] {
        let tenant = "x".repeat(LONGEST_NAME + more);
        let slice = bench.state.lease(&tenant, NanoUsd::ZERO, at(LEASE), &policy, &UtcOnly, at(0)).0;
        assert_eq!(slice.is_ok(), lent);
    }
}

#[test]
fn a_leak_within_one_request_is_bounded() {
    let mut bench = Bench::new();
    let (_, slot, _) = bench.admit(0).unwrap();
    let policy = LedgerPolicy { budget: &bench.budget, breaker: &bench.breaker, max_concurrent: 1 };
    let (tenant, target, lease_until) = ("me".into(), "groq".into(), at(LEASE));
    let admit = Command::Admit { tenant, target, bound: NanoUsd::ZERO, lease_until, slot: Some(slot) };
    let admitted = (0..MOST_LIVE + 10).filter(|_| bench.state.apply(&admit, &policy, &UtcOnly, at(0)).result.is_ok());
    assert_eq!(admitted.count(), MOST_LIVE - 1);
    let slice = bench.state.lease("me", NanoUsd::ZERO, at(LEASE), &policy, &UtcOnly, at(0)).0;
    assert_eq!(slice.unwrap_err().code, Code::QueueFull);
    assert!(LedgerState::restore(&bench.state.snapshot()).is_ok());
}

#[test]
fn a_slice_is_never_more_than_what_is_left() {
    let mut bench = Bench::new();
    bench.admit(60).unwrap();
    let policy = LedgerPolicy { budget: &bench.budget, breaker: &bench.breaker, max_concurrent: 1 };
    let mut lease = |amount| bench.state.lease("me", cents(amount), at(LEASE), &policy, &UtcOnly, at(0)).0;
    assert_eq!(lease(41).unwrap_err().code, Code::BudgetExceeded);
    assert!(lease(40).is_ok());
    assert_eq!(lease(1).unwrap_err().code, Code::BudgetExceeded);
}

#[test]
fn a_new_ledger_does_not_know_the_ids_of_a_deleted_one() {
    let mut bench = Bench::new();
    let (id, ..) = bench.admit(10).unwrap();
    bench.state = LedgerState::new();
    bench.now = 1;
    bench.admit(10).unwrap();
    assert_eq!(bench.settle(id, Charge::Actual(cents(1)), BreakerOutcome::Success), Outcome::NotHeld);
    let policy = LedgerPolicy { budget: &bench.budget, breaker: &bench.breaker, max_concurrent: 1 };
    let slice = LedgerState::new().lease("me", cents(1), at(LEASE), &policy, &UtcOnly, at(1)).0;
    assert!(slice.unwrap() > id, "also where the first was a slice");
}

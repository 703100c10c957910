//! Admissions whose replies got lost.

use super::*;
use crate::admit::edge::mark_of;
use crate::config::{BreakerConfig, RateConfig};

/// A marked admission of a request that enters.
fn admit(caller: &Caller, mark: u64, bound: u64, lease_until: Timestamp) -> Command {
    let (tenant, target) = ("me".into(), crate::admit::with_key("groq/m", "abc"));
    let command = Some(Command::Admit { tenant, target, bound: cents(bound), lease_until, slot: None });
    let entry = Some(Entry { route: "chat".into(), tokens: Some(1) });
    let mut command = Command::For(Errand { caller: caller.clone(), entry, correction: None, command }.into());
    command.mark(mark_of(mark));
    command
}

fn bench() -> Bench {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 20)]);
    bench.config.edge.tiers =
        vec![TierConfig { name: "pro".into(), requests: RateConfig::per_minute(5), tokens: None }];
    bench
}

fn remaining(bench: &Bench) -> Option<u64> {
    bench.reply.entered.map(|entered| entered.allowance.remaining)
}

#[test]
fn an_admission_that_is_asked_again_is_one() {
    let (mut bench, ann) = (bench(), user("ann"));
    let command = admit(&ann, 0x1234_5678_9abc, 10, at(180));
    let first = bench.apply(&command).unwrap();
    assert_eq!(remaining(&bench), Some(4));
    bench.ledger = EdgeLedger::open(&bench.rows).unwrap();
    let again = command.again().unwrap();
    assert_eq!(Command::decode(&again.encode()).unwrap(), again);
    assert_eq!(bench.apply(&again).unwrap(), first);
    assert_eq!((remaining(&bench), bench.ledger.in_flight()), (Some(4), 1), "it is counted once");
    assert_eq!(bench.books(&ann), [(BudgetScope::User, BudgetSpan::Day, [20, 0, 10])]);
    let Outcome::Admitted { reservation, .. } = first else { panic!("{first:?}") };
    bench.settle(reservation, Charge::Actual(cents(3)));
    assert_eq!(bench.ledger.in_flight(), 0);
    assert_eq!(bench.books(&ann), [(BudgetScope::User, BudgetSpan::Day, [20, 3, 0])]);
}

#[test]
fn one_that_was_never_decided_is_decided_when_it_is_asked_again() {
    let (mut bench, ann) = (bench(), user("ann"));
    let outcome = bench.apply(&admit(&ann, 7, 10, at(180)).again().unwrap()).unwrap();
    assert!(matches!(outcome, Outcome::Admitted { .. }));
    assert_eq!((remaining(&bench), bench.ledger.in_flight()), (Some(4), 1));
    let refused = bench.apply(&admit(&ann, 8, 11, at(180)).again().unwrap());
    assert_eq!(refused.unwrap_err().code, Code::BudgetExceeded, "its books are asked as ever");
}

#[test]
fn nobody_is_given_what_is_anothers() {
    let (mut bench, ann) = (bench(), user("ann"));
    let first = bench.apply(&admit(&ann, 0x0100_0000_0001, 5, at(180))).unwrap();
    // Half of the mark, or another bound.
    for (mark, bound) in [(0x0200_0000_0001, 5), (0x0100_0000_0002, 5), (0x0100_0000_0001, 4)] {
        let other = bench.apply(&admit(&ann, mark, bound, at(180)).again().unwrap()).unwrap();
        assert_ne!(other, first);
    }
    assert_eq!(bench.ledger.in_flight(), 4);
}

#[test]
fn what_ran_out_meanwhile_is_charged_and_admitted_anew() {
    let (mut bench, ann) = (bench(), user("ann"));
    let command = admit(&ann, 9, 10, at(180));
    let first = bench.apply(&command).unwrap();
    bench.now = 181;
    let Command::Again(inner) = command.again().unwrap() else { panic!() };
    let Command::For(mut errand) = *inner else { panic!() };
    let Some(Command::Admit { lease_until, .. }) = &mut errand.command else { panic!() };
    *lease_until = at(400);
    let second = bench.apply(&Command::Again(Command::For(errand).into())).unwrap();
    assert_ne!(first, second);
    assert!(matches!(bench.reply.notices.first(), Some(Notice::LeaseExpired { .. })), "{:?}", bench.reply.notices);
    assert_eq!(bench.books(&ann), [(BudgetScope::User, BudgetSpan::Day, [20, 10, 10])]);
}

#[test]
fn the_probe_of_a_half_open_circuit_is_given_to_the_same_request_again() {
    let (mut bench, ann) = (bench(), user("ann"));
    bench.config.breaker = BreakerConfig { failures: 1, ..BreakerConfig::default() };
    let id = bench.admit(&ann, 1).unwrap();
    let (charge, outcome) = (Charge::Released, BreakerOutcome::Failure);
    bench.apply(&Command::Settle { reservation: id, charge, outcome, cool_until: None, end_slot: true }).unwrap();
    bench.now = 60;
    let command = admit(&ann, 11, 1, at(240));
    let probe = bench.apply(&command).unwrap();
    assert!(matches!(probe, Outcome::Admitted { probe: true, .. }));
    assert_eq!(bench.apply(&command.again().unwrap()).unwrap(), probe);
    assert_eq!(bench.apply(&admit(&ann, 12, 1, at(240))).unwrap_err().code, Code::CircuitOpen);
}

#[test]
fn ids_that_end_in_marks_go_up_and_are_kept() {
    let (mut bench, ann) = (bench(), user("ann"));
    bench.config.edge.tiers.clear();
    let mut last = 0;
    for mark in [u64::MAX, 0, 0x00ff_ffff, 1 << 24, 5] {
        let outcome = bench.apply(&admit(&ann, mark, 1, at(180))).unwrap();
        let Outcome::Admitted { reservation, slot, .. } = outcome else { panic!("{outcome:?}") };
        assert!(last < reservation && reservation < slot, "{last} {reservation} {slot}");
        assert_eq!([reservation, slot].map(|id| id & 0x00ff_ffff), [mark & 0x00ff_ffff, (mark >> 24) & 0x00ff_ffff]);
        assert!(slot - last < 1 << 42, "the counter has a long way to go");
        last = slot;
        assert_eq!(EdgeLedger::open(&bench.rows).unwrap().in_flight(), bench.ledger.in_flight());
    }
}

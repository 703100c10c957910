use super::*;

#[test]
fn a_slot_is_held_from_the_first_attempt_to_the_end_of_the_request() {
    let mut bench = Bench::new();
    bench.max_concurrent = 1;
    let (id, slot, _) = bench.admit(10).unwrap();
    assert_eq!(code(bench.admit(10)), (Code::QueueFull, None));
    let released = Command::Settle {
        reservation: id,
        charge: Charge::Released,
        outcome: BreakerOutcome::Failure,
        cool_until: None,
        end_slot: false,
    };
    bench.apply(&released).unwrap();
    assert_eq!(code(bench.admit(10)).0, Code::QueueFull, "between two attempts");
    bench.now = LEASE;
    let (_, same, _) = bench.admit_with("openrouter", 10, Some(slot)).unwrap();
    assert_eq!(same, slot);
    bench.now = 2 * LEASE;
    assert_eq!(code(bench.admit_with("groq", 101, Some(slot))).0, Code::BudgetExceeded);
    assert_eq!(bench.status().in_flight, 1, "renewed, and kept by a refused attempt");
    assert_eq!(bench.apply(&Command::EndSlot { slot }).unwrap(), Outcome::SlotEnded);
    let (_, other, _) = bench.admit_with("groq", 10, Some(slot)).unwrap();
    assert_ne!(other, slot, "a slot that ended is taken anew");
    assert_eq!(code(bench.admit_with("groq", 10, Some(slot))).0, Code::QueueFull);
}

#[test]
fn a_slot_lasts_as_long_as_the_longest_attempt_of_its_request() {
    let mut bench = Bench::new();
    let (_, slot, _) = bench.admit(1).unwrap();
    let (tenant, target, lease_until) = ("me".into(), "openrouter".into(), at(10));
    bench.apply(&Command::Admit { tenant, target, bound: cents(1), lease_until, slot: Some(slot) }).unwrap();
    bench.now = LEASE;
    assert_eq!(bench.status().in_flight, 1);
    let (tenant, target, lease_until) = ("me".into(), "groq".into(), at(2 * LEASE));
    bench.apply(&Command::Admit { tenant, target, bound: cents(1), lease_until, slot: Some(slot) }).unwrap();
    bench.now = 2 * LEASE;
    assert_eq!(bench.status().in_flight, 1);
}

#[test]
fn a_late_bill_ends_the_slot_of_its_request() {
    let mut bench = Bench::new();
    let (reservation, ..) = bench.admit(1).unwrap();
    let bound = (Charge::Bound, false, 1);
    for (charge, end_slot, in_flight) in [bound, bound, (Charge::Actual(cents(1)), true, 0)] {
        let outcome = BreakerOutcome::Success;
        bench.apply(&Command::Settle { reservation, charge, outcome, cool_until: None, end_slot }).unwrap();
        assert_eq!(bench.status().in_flight, in_flight);
    }
}

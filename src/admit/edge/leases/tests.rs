use super::*;
use crate::admit::command::Charge;
use crate::error::BreakerOutcome;
use crate::host::UtcOnly;

const CENT: NanoUsd = NanoUsd::new(10_000_000);

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000_i64.saturating_add(millis))
}

fn caller(token: &str) -> Caller {
    Caller { user: None, token: Some(token.into()), tier: "pro".into() }
}

fn asking(token: &str, route: Option<&str>, slot: Option<u64>) -> Command {
    let (tenant, target) = ("me".into(), "groq/m".into());
    let admit = Command::Admit { tenant, target, bound: CENT, lease_until: at(180_000), slot };
    let entry = route.map(|route| Entry { route: route.into(), tokens: Some(9) });
    Command::For(Errand { caller: caller(token), entry, correction: None, command: Some(admit) }.into())
}

fn cents(amount: u64) -> NanoUsd {
    (0..amount).fold(NanoUsd::ZERO, |sum, _| sum.saturating_add(CENT))
}

/// An isolate, and what it wished for last.
#[derive(Default)]
struct Isolate(Leases, GatewayConfig);

impl Isolate {
    fn decide(&mut self, command: &Command, now: i64) -> Option<Reply> {
        self.0.decide(command, &self.1, &UtcOnly, at(now))
    }

    /// The ids of what is admitted here; `None`: ask the object.
    fn admit(&mut self, token: &str, route: Option<&str>, slot: Option<u64>, now: i64) -> Option<(u64, u64)> {
        match self.decide(&asking(token, route, slot), now)?.result {
            Ok(Outcome::Admitted { reservation, slot, .. }) => Some((reservation, slot)),
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, reservation: u64, charge: Charge, now: i64) -> Outcome {
        let outcome = BreakerOutcome::Success;
        let settle = Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true };
        self.decide(&settle, now).unwrap().result.unwrap()
    }

    /// For how many requests a slice is wished for.
    fn wish(&mut self, token: &str, route: &str, now: i64) -> Option<u64> {
        let Command::For(errand) = self.0.wish(&asking(token, Some(route), None), &self.1, at(now))? else {
            panic!("no errand")
        };
        let Some(Command::Lease { requests, bound, settles_within, .. }) = errand.command else { panic!("no lease") };
        assert_eq!((bound, settles_within), (CENT, self.1.timeouts.total.saturating_add(Duration::from_secs(60))));
        Some(requests)
    }

    /// A slice of so many cents and requests comes for two seconds.
    fn lease(&mut self, token: &str, route: &str, slice: u64, amount: u64, requests: u64, now: i64) {
        let command = asking(token, Some(route), None);
        let wish = self.0.wish(&command, &self.1, at(now)).unwrap();
        let window = Duration::from_secs(2);
        let leased = Reply::of(Ok(Outcome::Leased { slice, budget: cents(amount), requests, window }));
        assert!(self.0.take(&wish, &leased, at(now)));
    }

    /// What goes back: which slice, what was spent of it, how many requests are left.
    fn back(&mut self, now: i64, all: bool) -> Vec<(u64, NanoUsd, u64)> {
        let account = |command| {
            let Command::For(errand) = command else { panic!("no errand") };
            let Some(Command::Return { slice, spent, requests, .. }) = errand.command else { panic!("no return") };
            (slice, spent, requests)
        };
        self.0.give_back(at(now), all).into_iter().map(account).collect()
    }
}

#[test]
fn a_slice_serves_its_own_caller_and_route_until_it_is_spent() {
    let mut isolate = Isolate::default();
    assert_eq!(isolate.admit("a", Some("chat"), None, 0), None, "nothing is leased");
    isolate.lease("a", "chat", 7, 3, 3, 0);
    assert_eq!(isolate.admit("b", Some("chat"), None, 1), None, "another caller");
    assert_eq!(isolate.admit("a", Some("other"), None, 1), None, "another route");
    assert_eq!(isolate.admit("a", Some("chat"), Some(5), 1), None, "a request that holds a slot of the object");
    let reply = isolate.decide(&asking("a", Some("chat"), None), 1).unwrap();
    assert_eq!(reply.entered.map(|entered| (entered.granted, entered.allowance.remaining)), Some((true, 2)));
    let (_, slot) = isolate.admit("a", Some("chat"), None, 1).unwrap();
    // A retry enters no second time, and holds its own bound.
    isolate.admit("a", None, Some(slot), 1).unwrap();
    assert_eq!(isolate.admit("a", Some("chat"), None, 1), None, "the three cents are held");
}

#[test]
fn a_retry_is_no_request_of_its_own() {
    let mut isolate = Isolate::default();
    isolate.lease("a", "chat", 7, 9, 9, 0);
    let (first, slot) = isolate.admit("a", Some("chat"), None, 1).unwrap();
    let retry = isolate.decide(&asking("a", None, Some(slot)), 1).unwrap();
    let Ok(Outcome::Admitted { reservation, .. }) = retry.result else { panic!("{retry:?}") };
    assert_eq!(retry.entered, None);
    for id in [first, reservation] {
        isolate.settle(id, Charge::Released, 1);
    }
    assert_eq!(isolate.back(1, true), [(7, NanoUsd::ZERO, 8)]);
}

#[test]
fn a_charge_is_the_slices_that_admitted_it() {
    let mut isolate = Isolate::default();
    for (token, slice) in [("a", 7), ("b", 8)] {
        isolate.lease(token, "chat", slice, 9, 9, 0);
    }
    for token in ["a", "b"] {
        let (id, _) = isolate.admit(token, Some("chat"), None, 1).unwrap();
        let cost = NanoUsd::new(if token == "a" { 5 } else { 6 });
        assert_eq!(isolate.settle(id, Charge::Actual(cost), 1), Outcome::Settled { charged: cost });
    }
    let mut back = isolate.back(1, true);
    back.sort_unstable();
    assert_eq!(back, [(7, NanoUsd::new(5), 8), (8, NanoUsd::new(6), 8)]);
}

#[test]
fn a_slice_without_requests_lets_retries_go_on_and_nobody_in() {
    let mut isolate = Isolate::default();
    isolate.lease("a", "chat", 7, 9, 1, 0);
    let (_, slot) = isolate.admit("a", Some("chat"), None, 1).unwrap();
    assert_eq!(isolate.admit("a", Some("chat"), None, 1), None);
    assert!(isolate.admit("a", None, Some(slot), 1).is_some());
}

#[test]
fn a_slice_is_spent_within_its_window_whatever_the_clock_does() {
    let mut isolate = Isolate::default();
    isolate.lease("a", "chat", 7, 9, 9, 0);
    assert!(isolate.admit("a", Some("chat"), None, 1_999).is_some());
    assert_eq!(isolate.admit("a", Some("chat"), None, 2_000), None);
    let mut set_back = Isolate::default();
    set_back.lease("a", "chat", 7, 9, 9, 0);
    assert!(set_back.admit("a", Some("chat"), None, -60_000).is_some());
    assert_eq!(set_back.admit("a", Some("chat"), None, -58_000), None, "two seconds all the same");
}

#[test]
fn what_goes_back_is_what_was_charged_once_nothing_runs() {
    let mut isolate = Isolate::default();
    isolate.lease("a", "chat", 7, 9, 9, 0);
    let (first, _) = isolate.admit("a", Some("chat"), None, 1).unwrap();
    let (second, _) = isolate.admit("a", Some("chat"), None, 1).unwrap();
    assert!(first >= LOCAL && second > first, "told from the object's own");
    assert_eq!(isolate.back(1, true), [], "two run");
    assert_eq!(
        isolate.settle(first, Charge::Actual(NanoUsd::new(5)), 2),
        Outcome::Settled { charged: NanoUsd::new(5) }
    );
    assert_eq!(isolate.back(2_000, false), [], "one runs");
    isolate.settle(second, Charge::Bound, 2);
    assert_eq!(isolate.back(2, false), [], "it is open");
    isolate.lease("b", "chat", 8, 9, 9, 1_500);
    assert_eq!(isolate.0.end(), Some(at(3_500)), "of the one that was leased last");
    assert_eq!(isolate.back(2_000, false), [(7, CENT.saturating_add(NanoUsd::new(5)), 7)]);
    assert_eq!(isolate.back(3_500, false), [(8, NanoUsd::ZERO, 9)]);
    assert_eq!((isolate.0.end(), isolate.back(3_500, true)), (None, vec![]));
}

#[test]
fn an_attempt_that_vanished_goes_back_at_its_bound() {
    let mut isolate = Isolate::default();
    isolate.lease("a", "chat", 7, 9, 9, 0);
    isolate.admit("a", Some("chat"), None, 1).unwrap();
    isolate.lease("a", "other", 8, 9, 9, 180_001);
    // Any decision of this isolate's ledger sees that the lease has run out.
    isolate.admit("a", Some("other"), None, 180_002).unwrap();
    assert_eq!(isolate.back(180_002, false), [(7, CENT, 8)]);
}

#[test]
fn a_slice_is_wished_for_once_and_not_again_for_a_second() {
    let mut isolate = Isolate::default();
    assert_eq!(isolate.wish("a", "chat", 0), Some(FIRST));
    assert_eq!(isolate.wish("a", "chat", 0), None, "its answer is not there");
    assert_eq!(isolate.wish("b", "chat", 0), Some(FIRST), "another caller's");
    assert_eq!(isolate.wish("a", "other", 0), Some(FIRST), "another route's");
    assert_eq!(isolate.wish("a", "chat", 999), None);
    assert_eq!(isolate.wish("a", "chat", 1_000), Some(FIRST));
    assert_eq!(isolate.wish("a", "chat", -1), Some(FIRST), "a clock that was set back holds nobody up");
    for refused in [asking("a", None, None), asking("a", Some("chat"), Some(3)), Command::Status] {
        assert!(isolate.0.wish(&refused, &isolate.1, at(9_000)).is_none(), "{refused:?}");
    }
}

#[test]
fn an_isolate_holds_64_slices_at_most() {
    let mut isolate = Isolate::default();
    for index in 0..MOST_SLICES {
        isolate.lease(&index.to_string(), "chat", index as u64, 9, 9, 0);
    }
    assert_eq!(isolate.wish("another", "chat", 1), None);
    assert_eq!(isolate.back(2_000, false).len(), MOST_SLICES);
    assert_eq!(isolate.wish("another", "chat", 2_000), Some(FIRST));
}

#[test]
fn wishes_that_nobody_answers_leave_room_for_others() {
    let mut isolate = Isolate::default();
    for second in 0..=MOST_SLICES {
        assert_eq!(isolate.wish("a", "chat", second as i64 * 1_000), Some(FIRST), "{second}");
    }
    assert_eq!(isolate.wish("b", "chat", 0), Some(FIRST));
}

#[test]
fn how_much_is_used_is_remembered_of_the_last_64_callers() {
    let mut isolate = Isolate::default();
    let used_up = |isolate: &mut Isolate, token: &str| {
        isolate.lease(token, "chat", 7, 9, 1, 0);
        let (id, _) = isolate.admit(token, Some("chat"), None, 0).unwrap();
        isolate.settle(id, Charge::Released, 0);
        isolate.back(0, true);
    };
    for index in 0..=MOST_SLICES {
        used_up(&mut isolate, &index.to_string());
        used_up(&mut isolate, &index.to_string());
    }
    let known: Vec<_> = isolate.0.appetites.iter().map(|(caller, ..)| caller.token.as_deref().unwrap()).collect();
    assert_eq!((known.len(), known.first(), known.last()), (MOST_SLICES, Some(&"1"), Some(&"64")));
}

#[test]
fn the_next_slice_is_as_large_as_the_last_was_used() {
    for (leased, used, next) in [(8, 8, 16), (8, 5, 8), (8, 4, 8), (8, 3, FIRST), (MOST, MOST, MOST), (4, 0, FIRST)] {
        let mut isolate = Isolate::default();
        isolate.lease("a", "chat", 7, 1_000, leased, 0);
        for _ in 0..used {
            let (id, _) = isolate.admit("a", Some("chat"), None, 1).unwrap();
            isolate.settle(id, Charge::Released, 1);
        }
        assert_eq!(isolate.back(1, true).len(), 1);
        assert_eq!(isolate.wish("a", "chat", 2), Some(next), "{used} of {leased}");
        assert_eq!(isolate.wish("b", "chat", 2), Some(FIRST), "another caller's");
    }
}

#[test]
fn a_slice_whose_money_is_up_is_given_back_and_the_next_is_larger() {
    let mut isolate = Isolate::default();
    isolate.lease("a", "chat", 7, 1, 8, 0);
    let (id, _) = isolate.admit("a", Some("chat"), None, 1).unwrap();
    assert_eq!(isolate.admit("a", Some("chat"), None, 1), None);
    isolate.settle(id, Charge::Bound, 1);
    assert_eq!(isolate.back(1, false), [(7, CENT, 7)]);
    assert_eq!(isolate.wish("a", "chat", 1), Some(16));
}

#[test]
fn a_request_that_goes_on_at_the_object_gives_its_slot_back_here() {
    let mut isolate = Isolate::default();
    isolate.1.limits.max_concurrent = 1;
    isolate.lease("a", "chat", 7, 9, 9, 0);
    let (id, slot) = isolate.admit("a", Some("chat"), None, 1).unwrap();
    let (charge, outcome) = (Charge::Released, BreakerOutcome::Failure);
    let failed = Command::Settle { reservation: id, charge, outcome, cool_until: None, end_slot: false };
    isolate.decide(&failed, 1_500).unwrap().result.unwrap();
    assert_eq!(isolate.admit("a", None, Some(slot), 2_000), None, "its slice is over");
    assert_eq!(isolate.back(2_000, false), [(7, NanoUsd::ZERO, 8)]);
    isolate.lease("a", "chat", 8, 9, 9, 2_000);
    assert!(isolate.admit("a", Some("chat"), None, 2_001).is_some(), "nothing runs here");
    assert_eq!(isolate.decide(&Command::EndSlot { slot }, 2_002).unwrap().result, Ok(Outcome::NotHeld), "once");
}

#[test]
fn who_finds_no_slot_here_may_come_again_after_a_second() {
    let mut isolate = Isolate::default();
    isolate.1.limits.max_concurrent = 1;
    isolate.lease("a", "chat", 7, 9, 9, 0);
    isolate.admit("a", Some("chat"), None, 1).unwrap();
    let full = isolate.decide(&asking("a", Some("chat"), None), 1).unwrap().result.unwrap_err();
    assert_eq!((full.code, full.retry_after), (Code::QueueFull, Some(Duration::from_secs(1))));
}

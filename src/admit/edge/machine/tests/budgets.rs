//! Budgets of organisations, users and tokens.

use super::*;

#[test]
fn the_tightest_budget_wins_and_is_named() {
    use BudgetScope::{Organisation, Token, User};
    use BudgetSpan::{Day, Month, Week};
    let mut bench = Bench::new(vec![
        rule(User, Day, 10),
        rule(User, Week, 15),
        rule(Token, Month, 40),
        rule(Organisation, Week, 45),
    ]);
    let (ann, bob) = (user("ann"), user("bob"));
    bench.spend(&ann, 8);
    let (code, wait, detail) = refused(bench.admit(&ann, 5));
    assert_eq!((code, wait), (Code::BudgetExceeded, Some(86_400)));
    let Detail::BudgetOf { of, per, limit, spent, reserved, .. } = detail else { panic!("{detail:?}") };
    assert_eq!((of, per, limit, spent, reserved), ("user", "day", cents(10), cents(8), NanoUsd::ZERO));
    // Refused, it took nothing from the books that had room.
    assert_eq!(bench.books(&ann)[0], (Organisation, Week, [45, 8, 0]));
    bench.now += DAY;
    bench.spend(&ann, 7);
    let (_, wait, detail) = refused(bench.admit(&ann, 4));
    assert!(
        matches!(detail, Detail::BudgetOf { of: "user", per: "week", .. }),
        "both are full, and the week lasts longer: {detail:?}"
    );
    assert_eq!(wait, Some(6 * 86_400));
    bench.now += DAY;
    bench.spend(&bob, 10);
    bench.now += DAY;
    bench.spend(&bob, 5);
    let carl = user("carl");
    let Detail::BudgetOf { of: "token", per: "month", .. } = refused(bench.admit(&carl, 11)).2 else {
        panic!("the token's")
    };
    assert_eq!(
        bench.books(&carl),
        [
            (Organisation, Week, [45, 30, 0]),
            (User, Day, [10, 0, 0]),
            (User, Week, [15, 0, 0]),
            (Token, Month, [40, 30, 0])
        ]
    );
    bench.now += 6 * DAY;
    assert_eq!(
        bench.books(&ann),
        [
            (Organisation, Week, [45, 0, 0]),
            (User, Day, [10, 0, 0]),
            (User, Week, [15, 0, 0]),
            (Token, Month, [40, 30, 0])
        ]
    );
}

#[test]
fn thresholds_are_told_once_a_period_in_each_book() {
    use BudgetScope::{Organisation, User};
    let mut bench = Bench::new(vec![rule(User, BudgetSpan::Week, 20), rule(Organisation, BudgetSpan::Month, 100)]);
    let ann = user("ann");
    bench.spend(&ann, 16);
    assert_eq!(bench.told(), [(User, BudgetSpan::Week, 80)]);
    bench.spend(&ann, 3);
    assert_eq!(bench.told(), [(User, BudgetSpan::Week, 95)]);
    assert_eq!(refused(bench.admit(&ann, 2)).0, Code::BudgetExceeded);
    assert_eq!(bench.told(), [(User, BudgetSpan::Week, 100)]);
    assert_eq!(refused(bench.admit(&ann, 2)).0, Code::BudgetExceeded);
    assert_eq!(bench.told(), []);
    bench.now += 7 * DAY;
    bench.spend(&ann, 19);
    assert_eq!(bench.told(), [(User, BudgetSpan::Week, 80), (User, BudgetSpan::Week, 95)]);
}

#[test]
fn what_is_decided_together_tells_all_that_it_has_to_tell() {
    for first in [true, false] {
        let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 10)]);
        let reservation = bench.admit(&user("ann"), 8).unwrap();
        let (charge, outcome) = (Charge::Bound, BreakerOutcome::Success);
        let settle = Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true };
        let pair = if first { vec![settle, Command::Status] } else { vec![Command::Status, settle] };
        bench.apply(&Command::Together(pair)).unwrap();
        assert_eq!(bench.told(), [(BudgetScope::User, BudgetSpan::Day, 80)]);
    }
}

#[test]
fn what_is_decided_together_tells_what_the_ledger_has_to_tell() {
    for first in [true, false] {
        let mut bench = Bench::new(Vec::new());
        bench.config.budget.limit = cents(10);
        let reservation = bench.admit(&user("ann"), 8).unwrap();
        let (charge, outcome) = (Charge::Bound, BreakerOutcome::Success);
        let settle = Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true };
        let pair = if first { vec![settle, Command::Status] } else { vec![Command::Status, settle] };
        bench.apply(&Command::Together(pair)).unwrap();
        assert!(matches!(bench.reply.notices[..], [Notice::Threshold { percent: 80, .. }]), "{:?}", bench.reply);
    }
}

#[test]
fn a_day_a_week_and_a_month_are_counted_apart() {
    use BudgetSpan::{Day, Month, Week};
    let mut bench =
        Bench::new([(Day, 10), (Week, 70), (Month, 90)].map(|(per, of)| rule(BudgetScope::User, per, of)).into());
    let ann = user("ann");
    for _ in 0..9 {
        bench.spend(&ann, 9);
        bench.now += DAY;
    }
    let spent: Vec<u64> = bench.books(&ann).into_iter().map(|(_, _, [_, spent, _])| spent).collect();
    assert_eq!(spent, [0, 18, 81], "Wednesday of the second week");
    let Detail::BudgetOf { per: "month", .. } = refused(bench.admit(&ann, 10)).2 else { panic!("the month's") };
}

#[test]
fn a_vanished_attempt_is_charged_in_all_books_until_its_bill_comes() {
    let mut bench =
        Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 50), rule(BudgetScope::Token, BudgetSpan::Day, 50)]);
    let ann = user("ann");
    let id = bench.admit(&ann, 20).unwrap();
    let money =
        |bench: &mut Bench| bench.books(&user("ann")).into_iter().map(|(_, _, money)| money).collect::<Vec<_>>();
    assert_eq!(money(&mut bench), [[50, 0, 20], [50, 0, 20]]);
    bench.now += 181;
    assert_eq!(money(&mut bench), [[50, 20, 0], [50, 20, 0]]);
    assert_eq!(bench.settle(id, Charge::Actual(cents(3))), Outcome::Settled { charged: cents(3) });
    assert_eq!(bench.settle(id, Charge::Actual(cents(9))), Outcome::NotHeld, "one bill");
    assert_eq!(money(&mut bench), [[50, 3, 0], [50, 3, 0]]);
    let id = bench.admit(&ann, 20).unwrap();
    bench.settle(id, Charge::Released);
    assert_eq!(money(&mut bench), [[50, 3, 0], [50, 3, 0]]);
    let id = bench.admit(&ann, 20).unwrap();
    bench.now += 181;
    assert_eq!(money(&mut bench), [[50, 23, 0], [50, 23, 0]]);
    bench.settle(id, Charge::Released);
    assert_eq!(money(&mut bench), [[50, 3, 0], [50, 3, 0]], "it was not billed after all");
    let id = bench.admit(&ann, 20).unwrap();
    bench.settle(id, Charge::Bound);
    bench.now += DAY + 1;
    bench.apply(&Command::Status).unwrap();
    assert_eq!(bench.settle(id, Charge::Released), Outcome::NotHeld, "too late for a bill");
    assert!(bench.ledger.desk.claims.is_empty());
}

#[test]
fn what_was_not_used_is_carried_once() {
    let mut bench = Bench::new(vec![BudgetRule { rollover: true, ..rule(BudgetScope::User, BudgetSpan::Day, 10) }]);
    let ann = user("ann");
    let limit = |bench: &mut Bench| bench.books(&user("ann"))[0].2[0];
    assert_eq!(limit(&mut bench), 10, "a new user has nothing to carry");
    bench.spend(&ann, 4);
    bench.now += DAY;
    assert_eq!(limit(&mut bench), 16);
    bench.spend(&ann, 16);
    assert_eq!(refused(bench.admit(&ann, 1)).0, Code::BudgetExceeded);
    bench.now += DAY;
    assert_eq!(limit(&mut bench), 10, "beyond its own nothing is left");
    bench.now += 3 * DAY;
    assert_eq!(limit(&mut bench), 20, "a whole day, not three");
    bench.admit(&ann, 3).unwrap();
    bench.now += 86_300;
    bench.admit(&ann, 2).unwrap();
    bench.now += 100;
    assert_eq!(limit(&mut bench), 10 + 10 - 3 - 2, "what is held counts as used, and what ran out as its bound");
}

#[test]
fn a_late_bill_replaces_one_of_the_last_256_bounds() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Month, 500)]);
    let ann = user("ann");
    let mut ids = Vec::new();
    for _ in 0..257 {
        let id = bench.admit(&ann, 1).unwrap();
        bench.settle(id, Charge::Bound);
        ids.push(id);
    }
    assert_eq!(bench.ledger.desk.claims.len(), 256);
    assert_eq!(bench.settle(ids[0], Charge::Released), Outcome::NotHeld);
    assert_eq!(bench.settle(ids[1], Charge::Released), Outcome::Settled { charged: NanoUsd::ZERO });
    assert_eq!(bench.books(&ann), [(BudgetScope::User, BudgetSpan::Month, [500, 256, 0])]);
}

#[test]
fn who_was_forgotten_while_something_was_owed_spends_nothing_more() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Week, 10)]);
    bench.spend(&user("ann"), 10);
    // A clock far ahead lets her row go, and comes back.
    let owed = bench.rows.forget(0, Timestamp::from_millis(i64::MAX - 1)).unwrap();
    assert!(owed.is_some() && bench.rows.len() == 2, "ledger and desk stay for ever");
    bench.ledger.at_hand.clear();
    bench.ledger.desk.forgotten = owed;
    bench.ledger.write(at(0), &mut bench.rows, true).unwrap();
    bench.apply(&Command::Status).unwrap();
    let (code, wait, _) = refused(bench.admit(&user("ann"), 1));
    assert_eq!((code, wait.is_some()), (Code::BudgetExceeded, true));
    assert_eq!(Duration::from_secs(wait.unwrap_or(0)).as_secs(), 7 * 86_400);
    bench.now += 40 * DAY;
    bench.spend(&user("bob"), 10);
}

#[test]
fn thresholds_are_told_once_also_where_tiers_have_caps_of_their_own() {
    use BudgetScope::Organisation;
    let cap = |tier: &str, limit| BudgetRule { tier: Some(tier.into()), ..rule(Organisation, BudgetSpan::Day, limit) };
    let mut bench = Bench::new(vec![cap("free", 20), cap("pro", 100)]);
    let (free, pro) = (Caller { tier: "free".into(), ..user("ann") }, user("bob"));
    let mut told = Vec::new();
    for (caller, amount) in [(&free, 16), (&pro, 0), (&free, 1), (&pro, 1), (&free, 0), (&pro, 1), (&free, 0)] {
        let id = bench.admit(caller, amount).unwrap();
        told.append(&mut bench.told());
        bench.settle(id, Charge::Actual(cents(amount)));
        told.append(&mut bench.told());
    }
    assert_eq!(told, [80, 95].map(|percent| (Organisation, BudgetSpan::Day, percent)));
}

/// A bill that comes late leaves more to carry on, so the day's cap rises: nobody raised it.
#[test]
fn a_cap_that_rises_by_what_was_carried_on_tells_nothing_twice() {
    let mut bench = Bench::new(vec![BudgetRule { rollover: true, ..rule(BudgetScope::User, BudgetSpan::Day, 100) }]);
    let ann = user("ann");
    bench.now = DAY - 60;
    let late = bench.admit(&ann, 80).unwrap();
    bench.now = DAY + 200;
    bench.apply(&Command::Status).unwrap();
    assert_eq!(bench.books(&ann)[0].2, [120, 0, 0], "it ran out, and was charged its bound");
    bench.spend(&ann, 96);
    assert_eq!(bench.told(), [(BudgetScope::User, BudgetSpan::Day, 80)]);
    bench.settle(late, Charge::Actual(cents(60)));
    assert_eq!(bench.books(&ann)[0].2, [140, 96, 0]);
    let mut again = Vec::new();
    for _ in 0..44 {
        bench.spend(&ann, 1);
        again.append(&mut bench.told());
    }
    assert_eq!(again, [95, 100].map(|percent| (BudgetScope::User, BudgetSpan::Day, percent)));
    // What somebody raises is told anew.
    bench.config.edge.budgets[0].cap.limit = cents(200);
    bench.spend(&ann, 180);
    assert_eq!(bench.told(), [(BudgetScope::User, BudgetSpan::Day, 80)]);
    assert_eq!(bench.books(&ann)[0].2, [340, 320, 0]);
}

#[test]
fn a_rule_that_was_away_for_a_while_tells_nothing_twice() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 10)]);
    let ann = user("ann");
    let running = bench.admit(&ann, 1).unwrap();
    bench.spend(&ann, 8);
    assert_eq!(bench.told(), [(BudgetScope::User, BudgetSpan::Day, 80)]);
    let budgets = std::mem::take(&mut bench.config.edge.budgets);
    bench.settle(running, Charge::Actual(NanoUsd::new(1)));
    bench.config.edge.budgets = budgets;
    bench.admit(&ann, 1).unwrap();
    assert_eq!(bench.told(), []);
}

#[test]
fn what_is_charged_while_a_rule_is_away_is_told_when_it_is_back() {
    for (bill, percent) in [(NanoUsd::new(1), None), (cents(2), Some(95)), (cents(3), Some(95))] {
        let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 20)]);
        let ann = user("ann");
        let running = bench.admit(&ann, 3).unwrap();
        bench.spend(&ann, 17);
        assert_eq!(bench.told(), [(BudgetScope::User, BudgetSpan::Day, 80)]);
        let budgets = std::mem::take(&mut bench.config.edge.budgets);
        bench.settle(running, Charge::Actual(bill));
        assert_eq!(bench.told(), []);
        bench.config.edge.budgets = budgets;
        let _ = bench.admit(&ann, 0);
        let told = bench.told().into_iter().map(|(.., percent)| percent).next();
        assert_eq!(told, percent, "{bill:?}");
    }
}

#[test]
fn what_was_used_before_and_is_forgotten_is_not_carried_on() {
    let mut bench = Bench::new(vec![BudgetRule { rollover: true, ..rule(BudgetScope::User, BudgetSpan::Day, 10) }]);
    let ann = user("ann");
    bench.spend(&ann, 10);
    // The clock runs ahead for as many days as are remembered, and comes back to the day after the one that is not.
    for day in 100..106 {
        bench.now = day * DAY;
        bench.spend(&ann, 1);
    }
    bench.now = DAY;
    assert_eq!(bench.books(&ann)[0].2, [10, 0, 0]);
    assert_eq!(refused(bench.admit(&ann, 11)).0, Code::BudgetExceeded);
}

#[test]
fn what_was_carried_on_is_not_used_a_second_time_when_the_clock_comes_back() {
    let mut bench = Bench::new(vec![BudgetRule { rollover: true, ..rule(BudgetScope::User, BudgetSpan::Day, 10) }]);
    let ann = user("ann");
    bench.spend(&ann, 2);
    bench.now = DAY;
    bench.spend(&ann, 18);
    bench.now = DAY - 1;
    assert_eq!(bench.books(&ann)[0].2, [2, 2, 0], "eight of ten were used the day after");
    assert_eq!(refused(bench.admit(&ann, 1)).0, Code::BudgetExceeded);
    bench.now = DAY;
    assert_eq!(bench.books(&ann)[0].2, [18, 18, 0]);
}

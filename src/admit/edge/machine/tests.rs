#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::time::Duration;

use super::*;
use crate::admit::edge::{BudgetFigures, Correction, MemoryRows};
use crate::config::{BudgetConfig, BudgetSpan, GatewayConfig, NamedRate, TierConfig};
use crate::error::BreakerOutcome;
use crate::host::UtcOnly;

const CENT: u64 = 10_000_000;
const DAY: i64 = 86_400;
/// 2026-11-02, a Monday, 00:00.
const MONDAY: i64 = 20_759 * DAY;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((MONDAY + seconds) * 1_000)
}

fn cents(amount: u64) -> NanoUsd {
    NanoUsd::new(amount * CENT)
}

fn rule(of: BudgetScope, per: BudgetSpan, limit: u64) -> BudgetRule {
    let cap = BudgetConfig { limit: cents(limit), thresholds: vec![80, 95, 100], ..BudgetConfig::default() };
    BudgetRule { of, per, tier: None, rollover: false, cap }
}

fn user(name: &str) -> Caller {
    Caller { user: Some(name.into()), token: Some("t1".into()), tier: "pro".into() }
}

struct Bench {
    config: GatewayConfig,
    rows: MemoryRows,
    ledger: EdgeLedger,
    now: i64,
    reply: Reply,
    /// Names of the rows that the last decision wrote.
    written: Vec<String>,
    /// Whether it left something to be written later, which the bench does at once.
    deferred: bool,
}

impl Bench {
    fn new(budgets: Vec<BudgetRule>) -> Self {
        let mut config = GatewayConfig::default();
        config.budget.limit = cents(1_000);
        config.edge.budgets = budgets;
        let (rows, ledger) = (MemoryRows::default(), EdgeLedger::open(&MemoryRows::default()).unwrap());
        Self {
            config,
            rows,
            ledger,
            now: 0,
            reply: Reply::of(Ok(Outcome::Entered)),
            written: Vec::new(),
            deferred: false,
        }
    }

    /// Every decision is taken by the ledger at hand and by one that is opened for it, alike.
    fn apply(&mut self, command: &Command) -> Result<Outcome> {
        let policy = EdgePolicy::of(&self.config);
        let (mut rows, mut other) = (self.rows.clone(), EdgeLedger::open(&self.rows).unwrap());
        let fresh = other.apply(command, &policy, &UtcOnly, at(self.now), &mut rows).unwrap();
        let before = self.rows.clone();
        self.reply = self.ledger.apply(command, &policy, &UtcOnly, at(self.now), &mut self.rows).unwrap();
        assert_eq!(self.reply, fresh);
        self.deferred = self.ledger.unwritten();
        assert_eq!(other.unwritten(), self.deferred);
        assert!(!self.deferred || self.rows.iter().eq(before.iter()), "either at once or later");
        other.flush(at(self.now), &mut rows).unwrap();
        self.ledger.flush(at(self.now), &mut self.rows).unwrap();
        assert!(!self.ledger.unwritten());
        assert_eq!(self.rows.iter().collect::<Vec<_>>(), rows.iter().collect::<Vec<_>>());
        let known = |key: &str| before.read(key).unwrap();
        self.written = self
            .rows
            .iter()
            .filter(|(key, row)| known(key).as_deref() != Some(row))
            .map(|(key, _)| key.into())
            .collect();
        self.reply.result.clone()
    }

    fn errand(&mut self, caller: &Caller, entry: Option<Entry>, command: Option<Command>) -> Result<Outcome> {
        self.apply(&Command::For(Errand { caller: caller.clone(), entry, correction: None, command }.into()))
    }

    fn enter(&mut self, caller: &Caller, route: &str, tokens: Option<u64>) -> Result<Outcome> {
        self.errand(caller, Some(Entry { route: route.into(), tokens }), None)
    }

    fn admit(&mut self, caller: &Caller, bound: u64) -> Result<u64> {
        let (tenant, target) = ("me".into(), "groq/m".into());
        let lease_until = at(self.now + 180);
        let admit = Command::Admit { tenant, target, bound: cents(bound), lease_until, slot: None };
        match self.errand(caller, None, Some(admit))? {
            Outcome::Admitted { reservation, .. } => Ok(reservation),
            outcome => panic!("{outcome:?}"),
        }
    }

    fn settle(&mut self, reservation: u64, charge: Charge) -> Outcome {
        let outcome = BreakerOutcome::Success;
        self.apply(&Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true }).unwrap()
    }

    /// Spends so many cents.
    fn spend(&mut self, caller: &Caller, amount: u64) {
        let id = self.admit(caller, amount).unwrap();
        self.settle(id, Charge::Actual(cents(amount)));
    }

    /// `(limit, spent, reserved)` in cents, by budget.
    fn books(&mut self, caller: &Caller) -> Vec<(BudgetScope, BudgetSpan, [u64; 3])> {
        let Outcome::Caller(figures) = self.errand(caller, None, Some(Command::Status)).unwrap() else {
            panic!("no figures")
        };
        let money = |one: &BudgetFigures| [one.limit, one.spent, one.reserved].map(|amount| amount.as_nano() / CENT);
        figures.budgets.iter().map(|one| (one.of, one.per, money(one))).collect()
    }

    fn told(&self) -> Vec<(BudgetScope, BudgetSpan, u32)> {
        let told = |notice: &Notice| match notice {
            Notice::BudgetOf { of, per, percent, .. } => Some((*of, *per, *percent)),
            _ => None,
        };
        self.reply.notices.iter().filter_map(told).collect()
    }
}

fn refused<T>(result: Result<T>) -> (Code, Option<u64>, Detail) {
    let error = result.map(|_| ()).unwrap_err();
    (error.code, error.retry_after.map(|wait| wait.as_secs()), error.detail)
}

#[test]
fn a_tier_a_route_and_the_tokens_are_each_a_limit() {
    let mut bench = Bench::new(Vec::new());
    bench.config.edge.tiers = vec![TierConfig {
        name: "pro".into(),
        requests: RateConfig::per_minute(3),
        tokens: Some(RateConfig::per_minute(100)),
    }];
    let (ann, bob) = (user("ann"), user("bob"));
    for left in [2, 1] {
        bench.enter(&ann, "chat", Some(30)).unwrap();
        assert_eq!(bench.reply.entered.map(|entered| entered.allowance.remaining), Some(left));
    }
    let (code, wait, _) = refused(bench.enter(&ann, "chat", Some(60)));
    assert_eq!((code, wait), (Code::RateLimited, Some(12)), "20 of 60 tokens are missing, at 100 a minute");
    assert_eq!(bench.reply.entered.map(|entered| (entered.granted, entered.allowance.limit)), Some((false, 100)));
    let (code, wait, _) = refused(bench.enter(&ann, "chat", Some(101)));
    assert_eq!((code, wait), (Code::RateLimited, None), "more than there ever is");
    bench.enter(&ann, "chat", Some(40)).unwrap();
    assert_eq!(refused(bench.enter(&ann, "chat", Some(0))).1, Some(20), "a refused request took nothing");
    bench.enter(&bob, "chat", Some(90)).unwrap();
    // Asking no model is not asking a model: its route alone limits it, and each route by itself.
    for route in ["status", "metrics", "usage"] {
        bench.enter(&ann, route, None).unwrap();
    }
    assert_eq!(bench.reply.entered.map(|entered| entered.allowance.limit), Some(100));
    let correction = Some(Correction { estimated: 40, used: 5 });
    let caller = ann.clone();
    bench.apply(&Command::For(Errand { caller, entry: None, correction, command: None }.into())).unwrap();
    bench.now += 20;
    bench.enter(&ann, "chat", Some(68)).unwrap();
}

#[test]
fn a_user_with_two_tokens_has_one_rate_and_a_stranger_the_slowest() {
    let mut bench = Bench::new(Vec::new());
    let caller =
        |token: &str, tier: &str| Caller { user: Some("ann".into()), token: Some(token.into()), tier: tier.into() };
    for index in 0..5 {
        bench.enter(&caller(&format!("t{index}"), "free"), "chat", Some(0)).unwrap();
    }
    assert_eq!(refused(bench.enter(&caller("t9", "free"), "chat", Some(0))).1, Some(12));
    let stranger = Caller { user: None, token: Some("t1".into()), tier: "platinum".into() };
    for _ in 0..5 {
        bench.enter(&stranger, "chat", Some(0)).unwrap();
    }
    assert_eq!(refused(bench.enter(&stranger, "chat", Some(0))).0, Code::RateLimited);
    let long = Caller { user: Some("x".repeat(257)), ..Caller::default() };
    assert_eq!(refused(bench.enter(&long, "chat", Some(0))).0, Code::Internal);
}

#[test]
fn a_target_has_a_rate_of_its_own() {
    let mut bench = Bench::new(Vec::new());
    bench.config.edge.targets = vec![
        NamedRate { name: "groq".into(), rate: RateConfig { per_minute: 60, burst: 2 } },
        NamedRate { name: "groq/m".into(), rate: RateConfig { per_minute: 1, burst: 5 } },
        NamedRate { name: "openai".into(), rate: RateConfig { per_minute: 1, burst: 1 } },
    ];
    let ann = user("ann");
    bench.admit(&ann, 1).unwrap();
    bench.admit(&user("bob"), 1).unwrap();
    assert_eq!(refused(bench.admit(&ann, 1)).1, Some(1), "the provider's, for the whole organisation");
    assert_eq!(bench.reply.entered, None, "which is not the caller's");
    bench.now += 1;
    bench.admit(&ann, 1).unwrap();
}

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
fn a_decision_writes_its_own_rows_alone() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Month, 500)]);
    for index in 0..300 {
        bench.spend(&user(&format!("user-{index}")), 1);
    }
    let id = bench.admit(&user("user-7"), 1).unwrap();
    assert_eq!(bench.written, ["desk", "ledger"], "what is held follows from the desk");
    let bytes: usize = bench.written.iter().map(|key| bench.rows.read(key).unwrap().unwrap().len()).sum();
    assert!(bytes < 400, "{bytes}");
    bench.settle(id, Charge::Actual(cents(1)));
    assert_eq!(bench.written, ["desk", "ledger", "uuser-7"]);
    bench.enter(&user("user-8"), "chat", Some(1)).unwrap();
    assert_eq!(bench.written, ["uuser-8"]);
    assert!(bench.deferred, "no answer waits for the disk for a count");
    bench.apply(&Command::Status).unwrap();
    assert!(bench.written.is_empty());
}

#[test]
fn counts_that_wait_go_with_the_next_decision_and_before_they_are_forgotten() {
    let bench = Bench::new(Vec::new());
    let (policy, mut rows, mut ledger) = (EdgePolicy::of(&bench.config), MemoryRows::default(), bench.ledger.clone());
    let enter = |name: &str| {
        let entry = Some(Entry { route: "other".into(), tokens: None });
        Command::For(Errand { caller: user(name), entry, correction: None, command: None }.into())
    };
    ledger.apply(&enter("ann"), &policy, &UtcOnly, at(0), &mut rows).unwrap();
    assert!(ledger.unwritten() && rows.is_empty());
    let admit = Command::Admit {
        tenant: "me".into(),
        target: "groq/m".into(),
        bound: cents(1),
        lease_until: at(180),
        slot: None,
    };
    ledger.apply(&admit, &policy, &UtcOnly, at(0), &mut rows).unwrap();
    assert!(!ledger.unwritten());
    assert!(rows.read("uann").unwrap().is_some());
    for index in 0..600 {
        ledger.apply(&enter(&format!("user-{index}")), &policy, &UtcOnly, at(0), &mut rows).unwrap();
    }
    assert!(rows.len() > 500, "what is no longer at hand is written first");
}

#[test]
fn a_count_is_taken_without_a_write_and_nothing_else_is() {
    let bench = Bench::new(Vec::new());
    let (policy, mut rows, mut ledger) = (EdgePolicy::of(&bench.config), MemoryRows::default(), bench.ledger.clone());
    let errand = |name: &str, command: Option<Command>| {
        let entry = Some(Entry { route: "other".into(), tokens: None });
        Command::For(Errand { caller: user(name), entry, correction: None, command }.into()).encode()
    };
    let mut other = ledger.clone();
    for _ in 0..2 {
        let counted = ledger.count(&errand("ann", None), &policy, &UtcOnly, at(0), &mut rows).unwrap();
        let command = errand("ann", None);
        let commands = [command.as_slice()].into_iter();
        let decided = other.decide_all(commands, &policy, &UtcOnly, at(0), &mut MemoryRows::default()).unwrap();
        assert_eq!((counted, decided.len()), (decided.first().cloned(), 1));
        assert!(ledger.unwritten() && rows.is_empty());
    }
    ledger.flush(at(0), &mut rows).unwrap();
    assert_eq!(rows.len(), 1, "nothing but the caller's count");
    let (tenant, target) = ("me".into(), "groq/m".into());
    let admit = Command::Admit { tenant, target, bound: cents(1), lease_until: at(180), slot: None };
    let settle = Command::Settle {
        reservation: 1,
        charge: Charge::Bound,
        outcome: BreakerOutcome::Success,
        cool_until: None,
        end_slot: true,
    };
    for command in [errand("ann", Some(admit.clone())), admit.encode(), settle.encode(), Vec::new(), vec![255; 9]] {
        assert_eq!(ledger.count(&command, &policy, &UtcOnly, at(0), &mut rows), Ok(None));
    }
    assert!(ledger.in_flight() == 0 && !ledger.unwritten());
    let full = (0..600).find(|index| {
        ledger.count(&errand(&format!("user-{index}"), None), &policy, &UtcOnly, at(0), &mut rows) == Ok(None)
    });
    assert!(full.is_some_and(|index| index > 200), "rows must be written first: {full:?}");
    assert_eq!(rows.len(), 1);
}

#[test]
fn an_erased_user_leaves_no_name_and_what_he_held_is_settled_all_the_same() {
    let rules = BudgetScope::ALL.map(|of| rule(of, BudgetSpan::Week, 500));
    let mut bench = Bench::new(rules.into());
    let (ann, bob) = (user("ann"), Caller { token: Some("t2".into()), ..user("bob") });
    bench.spend(&ann, 3);
    bench.spend(&bob, 2);
    bench.enter(&ann, "other", None).unwrap();
    let (held, late) = (bench.admit(&ann, 10).unwrap(), bench.admit(&ann, 7).unwrap());
    bench.settle(late, Charge::Bound);
    let organisation = |bench: &mut Bench| {
        bench.books(&bob).into_iter().find(|(of, per, _)| (*of, *per) == (BudgetScope::Organisation, BudgetSpan::Week))
    };
    let before = organisation(&mut bench);
    bench.ledger.erase("ann", &["t1".into()], at(bench.now), &mut bench.rows).unwrap();
    for (key, row) in bench.rows.iter() {
        let text = String::from_utf8_lossy(row);
        assert!(!key.contains("ann") && key != "tt1" && !text.contains("ann") && !text.contains("t1"), "{key}");
    }
    assert_eq!(organisation(&mut bench), before, "what was spent and is held stays");
    bench.settle(held, Charge::Actual(cents(4)));
    bench.settle(late, Charge::Actual(cents(5)));
    let [.., after] = [before, organisation(&mut bench)].map(Option::unwrap);
    assert_eq!(after.2, [500, 3 + 2 + 4 + 5, 0]);
    assert_eq!(
        bench.books(&bob).iter().filter(|(of, ..)| *of == BudgetScope::User).map(|one| one.2).next(),
        Some([500, 2, 0])
    );
    assert!(bench.rows.read("uann").unwrap().is_none(), "no settlement brings him back");
}

#[test]
fn damaged_rows_admit_nothing() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Month, 500)]);
    bench.admit(&user("ann"), 1).unwrap();
    for key in ["desk", "ledger", "uann"] {
        let row = bench.rows.read(key).unwrap().unwrap();
        for damaged in [Vec::new(), vec![9], row[..row.len() - 1].to_vec(), [row.as_slice(), &[0]].concat()] {
            let mut rows = bench.rows.clone();
            rows.write(key, &damaged, Timestamp::MAX).unwrap();
            let command = Command::For(
                Errand {
                    caller: user("ann"),
                    entry: Some(Entry { route: "chat".into(), tokens: None }),
                    correction: None,
                    command: None,
                }
                .into(),
            );
            let policy = EdgePolicy::of(&bench.config);
            let decided = EdgeLedger::open(&rows)
                .and_then(|mut ledger| ledger.apply(&command, &policy, &UtcOnly, at(1), &mut rows));
            assert!(decided.is_err(), "{key}");
            assert_eq!(rows.read(key).unwrap(), Some(damaged));
        }
    }
    // A hold without its book.
    let mut rows = bench.rows.clone();
    let mut writer = Writer::new();
    Subject::default().encode(&mut writer);
    rows.write("uann", &writer.finish(), Timestamp::MAX).unwrap();
    let mut ledger = EdgeLedger::open(&rows).unwrap();
    let errand = Errand { caller: user("ann"), entry: None, correction: None, command: Some(Command::Status) };
    assert!(
        ledger.apply(&Command::For(errand.into()), &EdgePolicy::of(&bench.config), &UtcOnly, at(1), &mut rows).is_err()
    );
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
    bench.ledger.write(at(0), &mut bench.rows).unwrap();
    bench.apply(&Command::Status).unwrap();
    let (code, wait, _) = refused(bench.admit(&user("ann"), 1));
    assert_eq!((code, wait.is_some()), (Code::BudgetExceeded, true));
    assert_eq!(Duration::from_secs(wait.unwrap_or(0)).as_secs(), 7 * 86_400);
    bench.now += 40 * DAY;
    bench.spend(&user("bob"), 10);
}

/// A settlement and the next admission, and several commands at once: the same as one after the other, written once.
#[test]
fn together_is_one_after_the_other() {
    struct Counted(MemoryRows, u32);
    impl Rows for Counted {
        fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
            self.0.read(key)
        }
        fn write(&mut self, key: &str, bytes: &[u8], owed_until: Timestamp) -> Result<()> {
            self.1 += u32::from(key == LEDGER);
            self.0.write(key, bytes, owed_until)
        }
        fn erase(&mut self, key: &str) -> Result<()> {
            self.0.erase(key)
        }
        fn forget(&mut self, keep: usize, now: Timestamp) -> Result<Option<Timestamp>> {
            self.0.forget(keep, now)
        }
    }
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 10)]);
    let ann = user("ann");
    let first = bench.admit(&ann, 8).unwrap();
    assert_eq!(refused(bench.admit(&ann, 7)).0, Code::BudgetExceeded, "8 are reserved");
    let on_behalf = |command: Command| {
        Command::For(Errand { caller: ann.clone(), entry: None, correction: None, command: Some(command) }.into())
    };
    let settle = Command::Settle {
        reservation: first,
        charge: Charge::Actual(cents(3)),
        outcome: BreakerOutcome::Success,
        cool_until: None,
        end_slot: true,
    };
    let admit = |bound| {
        let (tenant, target, lease_until) = ("me".into(), "groq/m".into(), at(180));
        on_behalf(Command::Admit { tenant, target, bound: cents(bound), lease_until, slot: None })
    };
    let (mut rows, mut ledger) = (Counted(bench.rows.clone(), 0), bench.ledger.clone());
    let config = bench.config.clone();
    let policy = EdgePolicy::of(&config);
    let all = [Command::Together(vec![settle.clone(), admit(7)]), admit(1), Command::Status];
    let all = all.map(|command| command.encode());
    let replies = ledger.decide_all(all.iter().map(Vec::as_slice), &policy, &UtcOnly, at(0), &mut rows).unwrap();
    assert_eq!(rows.1, 1, "one write for all");
    let replies: Vec<_> = replies.iter().map(|reply| Reply::decode(reply).unwrap()).collect();
    assert!(matches!(replies[0].result, Ok(Outcome::Admitted { .. })), "{:?}", replies[0]);
    assert_eq!(replies[1].result.as_ref().unwrap_err().code, Code::BudgetExceeded, "3 are spent, 7 reserved");
    assert_eq!(ledger.in_flight(), 1);

    let one_by_one: Vec<_> = [settle, admit(7), admit(1), Command::Status]
        .map(|command| {
            let _ = bench.apply(&command);
            bench.reply.clone()
        })
        .into();
    assert_eq!(replies, one_by_one[1..]);
    assert_eq!(rows.0.iter().collect::<Vec<_>>(), bench.rows.iter().collect::<Vec<_>>());
}

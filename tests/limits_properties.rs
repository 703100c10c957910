//! Limits by caller under arbitrary interleavings of requests, settlements, crashes and clock jumps, in memory and
//! through rows at once, against a model that only reads the replies.

#![cfg(test)]
#![cfg(all(feature = "edge", not(target_arch = "wasm32")))]
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::collections::{BTreeMap, BTreeSet};

#[path = "limits_properties/model.rs"]
mod model;
#[path = "limits_properties/step.rs"]
mod step;

use model::{AHEAD, Book, Live, Model, Zones, month_of, offset_in, rules};
use proptest::prelude::*;
use step::{Step, step};
use tidegate::admit::edge::{Caller, EdgeLedger, EdgePolicy, Entry, Errand, MemoryRows, mark_of};
use tidegate::admit::{Charge, Command, Notice, Outcome, Reply};
use tidegate::config::{BudgetRule, BudgetScope, BudgetSpan, GatewayConfig, RateConfig, TierConfig};
use tidegate::error::{BreakerOutcome, Code, Detail};
use tidegate::money::NanoUsd;
use tidegate::time::Timestamp;

const DAY: i64 = 86_400_000;
const LEASE: i64 = 180_000;
/// Of the whole organisation, a day.
const LIMIT: u64 = 2_000;
const RATE: RateConfig = RateConfig { per_minute: 20, burst: 6 };

struct World {
    config: GatewayConfig,
    rows: MemoryRows,
    ledger: EdgeLedger,
    now: i64,
    model: Model,
    /// When each user's requests entered, with how far the clock had gone forward by then.
    entered: BTreeMap<u8, Vec<i64>>,
    forward: i64,
    /// Books that were looked at, and the latest that the clock ever was.
    seen: BTreeSet<Book>,
    latest: i64,
    marks: u64,
    /// The last admission that was granted, its user and its attempt.
    last: Option<(Command, u8, u64)>,
}

impl World {
    fn new() -> Self {
        let mut config = GatewayConfig::default();
        config.budget.limit = NanoUsd::new(LIMIT);
        config.edge.tiers = vec![TierConfig { name: "pro".into(), requests: RATE, tokens: None }];
        config.edge.budgets = rules();
        let rows = MemoryRows::default();
        let ledger = EdgeLedger::open(&rows).unwrap();
        // 2026-11-21.
        let now = 20_778 * DAY + DAY / 3;
        let (model, entered, seen) = (Model::default(), BTreeMap::new(), BTreeSet::new());
        Self { config, rows, ledger, now, model, entered, forward: 0, seen, latest: now, marks: 0, last: None }
    }

    fn apply(&mut self, command: &Command) -> Reply {
        let (policy, now) = (EdgePolicy::of(&self.config), Timestamp::from_millis(self.now));
        // Counts may wait to be written; whoever comes later finds them.
        self.ledger.flush(now, &mut self.rows).unwrap();
        let mut rows = self.rows.clone();
        let fresh = EdgeLedger::open(&rows).unwrap().apply(command, &policy, &Zones, now, &mut rows).unwrap();
        let reply = self.ledger.apply(command, &policy, &Zones, now, &mut self.rows).unwrap();
        assert_eq!(reply, fresh, "what is at hand and what is stored decide alike");
        assert_eq!(self.rows.iter().collect::<Vec<_>>(), rows.iter().collect::<Vec<_>>());
        for notice in &reply.notices {
            match notice {
                Notice::LeaseExpired { reservation } => {
                    let live = self.model.live.remove(reservation).expect("an attempt ends once");
                    let bound = live.bound;
                    self.model.ended.insert(*reservation, (live, bound));
                }
                Notice::BudgetOf { of, per, who, period, percent, .. } => {
                    let book = (*of, *per, who.clone().unwrap_or_default(), *period);
                    let own = self.config.edge.budgets.iter().find(|rule| (rule.of, rule.per) == (*of, *per));
                    let cap = own.expect("a rule that is there").cap.limit.as_nano();
                    assert!(self.model.told.insert((book, *percent, cap)), "told twice: {notice:?}");
                }
                _ => {}
            }
        }
        reply
    }

    /// Six periods are remembered, and a caller for a month: who comes before them, by a clock that was set back, has to
    /// wait, since nobody knows what was spent then.
    fn may_be_forgotten(&self, book: &Book) -> bool {
        let is_later = |own: &&Book| (own.0, own.1, &own.2) == (book.0, book.1, &book.2) && own.3 > book.3;
        self.seen.iter().filter(is_later).count() >= 6 || self.latest - self.now >= 32 * DAY
    }

    fn books(&self, caller: &Caller) -> Vec<Book> {
        let day = (self.now + offset_in(&self.config.budget.time_zone)).div_euclid(DAY);
        let name = |of| match of {
            BudgetScope::Organisation => String::new(),
            BudgetScope::User => caller.user.clone().unwrap_or_default(),
            BudgetScope::Token => caller.token.clone().unwrap_or_default(),
        };
        let period = |per| match per {
            BudgetSpan::Day => day,
            BudgetSpan::Week => (day - 4).div_euclid(7) + 1,
            BudgetSpan::Month => month_of(day),
        };
        let own = |rule: &BudgetRule| (rule.of, rule.per, name(rule.of), period(rule.per));
        self.config.edge.budgets.iter().map(own).collect()
    }

    /// The least that the cap of a book may be, and the most: with all that was not used of the period before, and without
    /// what the one after it has used of this one.
    fn limits(&self, book: &Book) -> (u64, u64) {
        let rule = self.config.edge.budgets.iter().find(|rule| (rule.of, rule.per) == (book.0, book.1)).unwrap();
        let own = rule.cap.limit.as_nano();
        if !rule.rollover {
            return (own, own);
        }
        let used = |period| self.model.used(&(book.0, book.1, book.2.clone(), period));
        let ahead = used(book.3 + 1).saturating_sub(own);
        (own.saturating_sub(ahead), (own + own.saturating_sub(used(book.3 - 1))).saturating_sub(ahead))
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Clock { by } => {
                self.now += by;
                self.latest = self.latest.max(self.now);
                self.forward += by.max(&0);
            }
            Step::Crash => self.ledger = EdgeLedger::open(&self.rows).unwrap(),
            Step::Deploy { rules, half, ahead, renamed } => self.deploy(*rules, *half, *ahead, *renamed),
            Step::Erase { user, token } => self.erase(*user, *token),
            Step::Enter { user } => drop(self.errand(*user, 0, true, None)),
            Step::Admit { user, token, bound, enters } => self.admit(*user, *token, *bound, *enters),
            Step::Again => self.again(),
            Step::Settle { which, charge } => self.settle(*which, *charge),
        }
    }

    fn deploy(&mut self, mask: u8, half: bool, ahead: bool, renamed: bool) {
        let kept = rules().into_iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0);
        self.config.edge.budgets = kept.map(|(_, rule)| rule).collect();
        for rule in &mut self.config.edge.budgets {
            rule.cap.limit = NanoUsd::new(rule.cap.limit.as_nano() / if half { 2 } else { 1 });
        }
        self.config.budget.time_zone = if ahead { AHEAD } else { "UTC" }.into();
        self.config.edge.tiers[0].name = if renamed { "gold" } else { "pro" }.into();
        let now = Timestamp::from_millis(self.now);
        self.ledger.flush(now, &mut self.rows).unwrap();
        self.ledger = EdgeLedger::open(&self.rows).unwrap();
    }

    fn erase(&mut self, user: u8, token: Option<u8>) {
        let (name, now) = (format!("user-{user}"), Timestamp::from_millis(self.now));
        let tokens: Vec<String> = token.iter().map(|token| format!("token-{token}")).collect();
        self.ledger.erase(&name, &tokens, now, &mut self.rows).unwrap();
        self.model.forget(BudgetScope::User, &name);
        self.entered.remove(&user);
        for token in &tokens {
            self.model.forget(BudgetScope::Token, token);
        }
    }

    fn errand(&mut self, user: u8, token: u8, enters: bool, command: Option<Command>) -> Reply {
        let caller = caller(user, token);
        self.seen.extend(self.books(&caller));
        let entry = enters.then(|| Entry { route: "chat".into(), tokens: Some(1) });
        let reply = self.apply(&Command::For(Errand { caller, entry, correction: None, command }.into()));
        assert_eq!(reply.entered.is_some(), enters);
        if let Some(entered) = reply.entered {
            if entered.granted {
                self.entered.entry(user).or_default().push(self.forward);
            } else {
                assert_eq!(reply.result.as_ref().unwrap_err().code, Code::RateLimited);
            }
        }
        reply
    }

    /// An attempt that lives is given once more, and nothing is taken for it. One that has ended is admitted anew, as any.
    fn again(&mut self) {
        let Some((mut command, user, reservation)) = self.last.take() else { return };
        // Its instants go by the clock of the object that decides.
        if let Command::For(errand) = &mut command
            && let Some(Command::Admit { lease_until, .. }) = &mut errand.command
        {
            *lease_until = Timestamp::from_millis(self.now + LEASE);
        }
        let lives = self.model.live.get(&reservation).cloned();
        let before = self.ledger.clone();
        let reply = self.apply(&command.again().unwrap());
        if let Some(live) = lives.filter(|_| self.model.live.contains_key(&reservation)) {
            let Ok(Outcome::Admitted { reservation: again, .. }) = reply.result else { panic!("{:?}", reply.result) };
            assert_eq!(again, reservation);
            assert_eq!(self.model.live[&reservation].books, live.books);
            let held = |ledger: &EdgeLedger| ledger.in_flight();
            assert!(held(&self.ledger) <= held(&before), "one slot");
        } else if let (Ok(Outcome::Admitted { reservation, .. }), Command::For(errand)) = (&reply.result, &command) {
            let Some(Command::Admit { bound, .. }) = errand.command else { panic!("{command:?}") };
            self.model.live.insert(*reservation, Live { bound: bound.as_nano(), books: self.books(&errand.caller) });
            self.model.ids.push(*reservation);
            if reply.entered.is_some() {
                self.entered.entry(user).or_default().push(self.forward);
            }
        } else if reply.entered.is_some_and(|entered| entered.granted) {
            self.entered.entry(user).or_default().push(self.forward);
        }
    }

    fn admit(&mut self, user: u8, token: u8, bound: u64, enters: bool) {
        let mut admit = Command::Admit {
            tenant: "me".into(),
            target: "groq/m".into(),
            bound: NanoUsd::new(bound),
            lease_until: Timestamp::from_millis(self.now + LEASE),
            slot: None,
        };
        self.marks += 0x9e37_79b9_7f4a;
        admit.mark(mark_of(self.marks));
        let entry = enters.then(|| Entry { route: "chat".into(), tokens: Some(1) });
        let errand = Errand { caller: caller(user, token), entry, correction: None, command: Some(admit.clone()) };
        let reply = self.errand(user, token, enters, Some(admit));
        let books = self.books(&caller(user, token));
        let fits = |world: &Self, book: &Book, limit: u64| world.model.used(book) + bound <= limit;
        match reply.result {
            Ok(Outcome::Admitted { reservation, .. }) => {
                for book in &books {
                    assert!(fits(self, book, self.limits(book).1), "{book:?}");
                }
                self.model.live.insert(reservation, Live { bound, books });
                self.model.ids.push(reservation);
                self.last = Some((Command::For(errand.into()), user, reservation));
            }
            Err(error) => match (error.code, error.detail) {
                (Code::BudgetExceeded, Detail::BudgetOf { of, per, .. }) => {
                    let named = books.iter().find(|book| (book.0.as_str(), book.1.as_str()) == (of, per)).unwrap();
                    let room = fits(self, named, self.limits(named).0);
                    assert!(!room || self.may_be_forgotten(named), "refused without need: {named:?}");
                    assert!(error.retry_after.is_some());
                }
                (Code::BudgetExceeded, Detail::Budget { .. }) | (Code::QueueFull, _) => {}
                (Code::RateLimited, _) => assert!(enters),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, which: usize, charge: Charge) {
        let Some(reservation) = self.model.ids.iter().rev().nth(which).copied() else { return };
        let outcome = BreakerOutcome::Ignored;
        let reply = self.apply(&Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true });
        // What the ledger charged in all is what every book has to show.
        if let Ok(Outcome::Settled { charged }) = reply.result {
            let known = self.model.live.remove(&reservation);
            let live = known.unwrap_or_else(|| self.model.ended[&reservation].0.clone());
            self.model.ended.insert(reservation, (live, charged.as_nano()));
        }
    }

    /// What every caller's books say, by the model and by the ledger.
    fn check(&mut self) {
        for (user, token) in [(0, 0), (1, 1), (2, 0)] {
            let own = caller(user, token);
            let reply = self.errand(user, token, false, Some(Command::Status));
            let Ok(Outcome::Caller(figures)) = reply.result else { panic!("{:?}", reply.result) };
            for one in figures.budgets {
                let books = self.books(&own);
                let book = books.iter().find(|book| (book.0, book.1) == (one.of, one.per)).unwrap();
                let told = one.spent.as_nano() + one.reserved.as_nano();
                let is_closed = told == one.limit.as_nano() && self.may_be_forgotten(book);
                assert!(is_closed || told == self.model.used(book), "{told} of {book:?}");
                assert!(one.resets_at.as_millis() > self.now);
            }
        }
    }
}

fn caller(user: u8, token: u8) -> Caller {
    Caller { user: Some(format!("user-{user}")), token: Some(format!("token-{token}")), tier: "pro".into() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_book_and_every_bucket_keeps_its_promise(steps in prop::collection::vec(step(), 1..100)) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
            if !matches!(step, Step::Clock { .. }) {
                world.check();
            }
        }
        // Everybody vanishes: nothing stays held.
        for _ in 0..2 {
            // Twice: after a clock that went back a lease begins anew.
            world.now += LEASE + 1;
            world.check();
        }
        prop_assert!(world.model.live.is_empty(), "a hold without end");
        for times in world.entered.values() {
            for (index, from) in times.iter().enumerate() {
                for (count, until) in times.iter().skip(index).enumerate() {
                    let most = i64::from(RATE.burst) * 60_000 + (until - from) * i64::from(RATE.per_minute);
                    prop_assert!((i64::try_from(count).unwrap() + 1) * 60_000 <= most, "more than burst and rate");
                }
            }
        }
    }
}

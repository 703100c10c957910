//! Limits by caller under arbitrary interleavings of requests, settlements, crashes and clock jumps, in memory and
//! through rows at once, against a model that only reads the replies.

#![cfg(test)]
#![cfg(all(feature = "edge", not(target_arch = "wasm32")))]
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tidegate::admit::edge::{Caller, EdgeLedger, EdgePolicy, Entry, Errand, MemoryRows, mark_of};
use tidegate::admit::{Charge, Command, Notice, Outcome, Reply};
use tidegate::config::{BudgetConfig, BudgetRule, BudgetScope, BudgetSpan, GatewayConfig, RateConfig, TierConfig};
use tidegate::error::{BreakerOutcome, Code, Detail};
use tidegate::host::ZoneRules;
use tidegate::money::NanoUsd;
use tidegate::time::Timestamp;

const DAY: i64 = 86_400_000;
const LEASE: i64 = 180_000;
/// Of the whole organisation, a day.
const LIMIT: u64 = 2_000;
const RATE: RateConfig = RateConfig { per_minute: 20, burst: 6 };

#[derive(Clone, Debug)]
enum Step {
    Enter {
        user: u8,
    },
    Admit {
        user: u8,
        token: u8,
        bound: u64,
        enters: bool,
    },
    /// What was admitted last is asked again, its reply having got lost.
    Again,
    Settle {
        which: usize,
        charge: Charge,
    },
    Clock {
        by: i64,
    },
    /// The ledger at hand is lost, and opened again from its rows.
    Crash,
    /// The Worker is deployed with another configuration: some of the rules, with half of their caps or not, where
    /// another date is or not, and with the callers' tier under another name or not. The ledger at hand is lost.
    Deploy {
        rules: u8,
        half: bool,
        ahead: bool,
        renamed: bool,
    },
    /// A user is erased, with a token or without.
    Erase {
        user: u8,
        token: Option<u8>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let charge = prop_oneof![
        Just(Charge::Released),
        Just(Charge::Bound),
        (0u64..400).prop_map(|nano| Charge::Actual(NanoUsd::new(nano))),
    ];
    prop_oneof![
        3 => (0u8..3).prop_map(|user| Step::Enter { user }),
        9 => (0u8..3, 0u8..2, 0u64..260, any::<bool>())
            .prop_map(|(user, token, bound, enters)| Step::Admit { user, token, bound, enters }),
        3 => Just(Step::Again),
        8 => (0usize..10, charge).prop_map(|(which, charge)| Step::Settle { which, charge }),
        1 => Just(Step::Crash),
        1 => (any::<u8>(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(rules, half, ahead, renamed)| Step::Deploy { rules, half, ahead, renamed }),
        1 => (0u8..3, prop::option::of(0u8..2)).prop_map(|(user, token)| Step::Erase { user, token }),
        5 => prop_oneof![
            6 => 0i64..40_000,
            2 => 0i64..2 * LEASE,
            1 => -2 * LEASE..0,
            1 => -DAY..3 * DAY,
            1 => prop_oneof![Just(-40 * DAY), Just(40 * DAY), Just(7 * DAY)],
        ].prop_map(|by| Step::Clock { by }),
    ]
}

/// One book: whose, and of which period.
type Book = (BudgetScope, BudgetSpan, String, i64);

#[derive(Clone)]
struct Live {
    bound: u64,
    books: Vec<Book>,
}

#[derive(Default)]
struct Model {
    live: BTreeMap<u64, Live>,
    /// Everything admitted, and what stands charged for it.
    ended: BTreeMap<u64, (Live, u64)>,
    /// With the cap that it was told for.
    told: BTreeSet<(Book, u32, u64)>,
    ids: Vec<u64>,
}

impl Model {
    /// Nobody's books are these any more.
    fn forget(&mut self, of: BudgetScope, name: &str) {
        let stays = |book: &Book| book.0 != of || book.2 != name;
        for live in self.live.values_mut().chain(self.ended.values_mut().map(|(live, _)| live)) {
            live.books.retain(stays);
        }
        self.told.retain(|(book, ..)| stays(book));
    }

    fn used(&self, book: &Book) -> u64 {
        let held = self.live.values().filter(|live| live.books.contains(book)).map(|live| live.bound).sum::<u64>();
        let spent =
            self.ended.values().filter(|(live, _)| live.books.contains(book)).map(|(_, amount)| amount).sum::<u64>();
        held + spent
    }
}

/// Months by walking them, which the ledger does not.
fn month_of(day: i64) -> i64 {
    let (mut year, mut left) = (1970, day);
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (index, length) in
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate()
        {
            if left < length {
                return year * 12 + i64::try_from(index).unwrap();
            }
            left -= length;
        }
        year += 1;
    }
}

/// All rules that there ever are.
fn rules() -> Vec<BudgetRule> {
    let rule = |of, per, limit| BudgetRule {
        of,
        per,
        tier: None,
        rollover: false,
        cap: BudgetConfig { limit: NanoUsd::new(limit), thresholds: vec![80, 95, 100], ..BudgetConfig::default() },
    };
    vec![
        rule(BudgetScope::User, BudgetSpan::Day, 500),
        rule(BudgetScope::User, BudgetSpan::Month, 1_200),
        BudgetRule { rollover: true, ..rule(BudgetScope::Token, BudgetSpan::Day, 400) },
        rule(BudgetScope::Token, BudgetSpan::Week, 900),
        rule(BudgetScope::Organisation, BudgetSpan::Week, 2_500),
    ]
}

/// Another date, sixteen hours of each day.
const AHEAD: &str = "Ahead";

fn offset_in(zone: &str) -> i64 {
    if zone == AHEAD { 16 * 3_600_000 } else { 0 }
}

struct Zones;

impl ZoneRules for Zones {
    fn offset_at(&self, zone: &str, _: Timestamp) -> Option<i32> {
        i32::try_from(offset_in(zone) / 1_000).ok()
    }
}

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

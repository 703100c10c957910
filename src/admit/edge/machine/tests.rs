#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

mod again;
mod budgets;
mod lending;
mod rates;
mod rows;

use std::time::Duration;

use super::*;
use crate::admit::command::Charge;
use crate::admit::edge::caller::{Caller, Entry};
use crate::admit::edge::{BudgetFigures, Correction, MemoryRows};
use crate::config::{BudgetConfig, BudgetRule, BudgetScope, BudgetSpan, GatewayConfig, NamedRate, TierConfig};
use crate::error::{BreakerOutcome, Detail};
use crate::host::UtcOnly;
use crate::money::NanoUsd;
use crate::pack::Writer;

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
        if only_counts(command) {
            assert!(self.rows.iter().eq(before.iter()), "later");
        } else {
            self.owes_no_money();
        }
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

    /// As after a crash: what is still to be written is no money, and holds nothing.
    fn owes_no_money(&self) {
        let row = |key: &str| self.rows.read(key).unwrap();
        assert!(row(LEDGER).is_none_or(|row| row == self.ledger.core.snapshot()));
        assert!(row(DESK).is_none_or(|row| row == self.ledger.desk.encode()));
        for one in &self.ledger.at_hand {
            let books = row(&one.key).map(|row| Subject::restore(&row).unwrap().encoded_books());
            let nothing = Subject::default().encoded_books();
            assert_eq!(books.unwrap_or(nothing), one.subject.encoded_books(), "{}", one.key);
        }
    }

    fn errand(&mut self, caller: &Caller, entry: Option<Entry>, command: Option<Command>) -> Result<Outcome> {
        self.apply(&Command::For(Errand { caller: caller.clone(), entry, correction: None, command }.into()))
    }

    fn enter(&mut self, caller: &Caller, route: &str, tokens: Option<u64>) -> Result<Outcome> {
        self.errand(caller, Some(Entry { route: route.into(), tokens }), None)
    }

    fn admit(&mut self, caller: &Caller, bound: u64) -> Result<u64> {
        let (tenant, target) = ("me".into(), crate::admit::with_key("groq/m", "abc"));
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

//! What a caller may still do.

use super::Turn;
use crate::admit::command::{Command, Outcome, Reply};
use crate::admit::edge::books::{limit, period_of};
use crate::admit::edge::caller::{BudgetFigures, Caller, CallerFigures};
use crate::admit::edge::subject::Kind;
use crate::config::RateConfig;
use crate::error::Result;

impl Turn<'_> {
    pub(super) fn figures(&mut self, caller: &Caller) -> Result<Reply> {
        // What cannot be read is found before the ledger tells what it tells once.
        for rule in self.policy.rules(caller) {
            self.subject(rule.of, caller)?;
        }
        self.payer(caller)?;
        let reply = self.plain(&Command::Status)?;
        let Ok(Outcome::Status(organisation)) = &reply.result else { return Ok(reply) };
        let (now, place) = (self.now, self.place()?);
        let tier = self.policy.edge.tier(&caller.tier);
        let requests = tier.map_or(RateConfig::per_minute(1), |tier| tier.requests);
        let payer = self.payer(caller)?;
        let shown = payer.bucket(&Kind::Requests, requests, now).allowance(requests);
        let tokens = tier.and_then(|tier| tier.tokens);
        let tokens = tokens.map(|rate| payer.bucket(&Kind::Tokens, rate, now).allowance(rate));
        let mut budgets = Vec::new();
        let policy = self.policy;
        for rule in policy.rules(caller) {
            let period = period_of(rule.per, place.period);
            let books = self.subject(rule.of, caller)?.books(rule.per);
            let limit = limit(rule, books, period);
            let book = books.shown(period, limit);
            let next = if books.is_open(period) { period.saturating_add(1) } else { books.next_open(period) };
            let resets_at = self.begins(rule, next, place)?;
            let (of, per) = (rule.of, rule.per);
            budgets.push(BudgetFigures { of, per, limit, spent: book.spent, reserved: book.reserved, resets_at });
        }
        let figures = CallerFigures { organisation: organisation.clone(), requests: shown, tokens, budgets };
        Ok(Reply { result: Ok(Outcome::Caller(figures.into())), ..reply })
    }
}

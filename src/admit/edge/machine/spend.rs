//! An attempt is admitted: by its target's buckets, by all books of its caller, by the ledger.

use super::{Ask, Turn};
use crate::admit::budget::Books;
use crate::admit::command::{Command, Notice, Outcome, Reply};
use crate::admit::edge::books::{first_day, limit, period_of};
use crate::admit::edge::caller::Caller;
use crate::admit::edge::desk::{Claim, bit};
use crate::admit::edge::subject::Kind;
use crate::admit::ledger::unknown_zone;
use crate::admit::period::{Calendar, Place};
use crate::admit::without_key;
use crate::config::{BudgetRule, BudgetScope};
use crate::error::{Code, Detail, Error, Result};
use crate::money::NanoUsd;
use crate::time::Timestamp;

impl Turn<'_> {
    /// An attempt: checks its target's buckets and all books, asks the ledger, and takes once that has admitted.
    pub(super) fn admit(&mut self, caller: &Caller, command: &Command, target: &str, bound: NanoUsd) -> Result<Reply> {
        let (edge, now) = (self.policy.edge, self.now);
        let target = without_key(target);
        let provider = target.split('/').next().unwrap_or("");
        let asks: Vec<Ask> = edge
            .targets
            .iter()
            .filter(|own| own.name == target || own.name == provider)
            .map(|own| (Kind::Named(own.name.clone()), own.rate, 1))
            .collect();
        for (kind, rate, count) in &asks {
            if let Err(wait) = self.ledger.desk.organisation.bucket(kind, *rate, now).check(*rate, *count) {
                let mut error = Error::new(Code::RateLimited);
                error.retry_after = wait;
                return Ok(Reply::of(Err(error.into())));
            }
        }
        let (mut books, mut day) = (0, 0);
        if self.policy.rules(caller).next().is_some() {
            let place = self.place()?;
            day = place.period;
            if let Some(refusal) = self.check(caller, bound, place)? {
                return Ok(Reply::of(Err(refusal)));
            }
            books = self.policy.rules(caller).fold(0, |books, rule| books | bit(rule.of, rule.per));
        }
        let reply = self.plain(command)?;
        if let Ok(Outcome::Admitted { reservation, .. }) = &reply.result {
            for (kind, rate, count) in &asks {
                self.ledger.desk.organisation.bucket(kind, *rate, now).take(*count);
            }
            if books != 0 {
                let (id, caller) = (*reservation, caller.clone());
                let claim = Claim { id, bound, day, books, late: false, caller };
                for (of, per, period) in claim.books() {
                    let subject = self.subject(of, &claim.caller)?;
                    subject.books(per).reserve(period, bound);
                    subject.trim(day);
                }
                self.ledger.desk.claims.push(claim);
            }
        }
        Ok(reply)
    }

    /// Whether the bound fits all of a caller's books; the refusal by the one that resets last, since nothing is
    /// admitted before.
    fn check(&mut self, caller: &Caller, bound: NanoUsd, place: Place) -> Result<Option<Box<Error>>> {
        let policy = self.policy;
        let mut refusal: Option<(Timestamp, Box<Error>)> = None;
        for rule in policy.rules(caller) {
            let mut told = Vec::new();
            let period = period_of(rule.per, place.period);
            let subject = self.subject(rule.of, caller)?;
            let mut cap = std::borrow::Cow::Borrowed(&rule.cap);
            if rule.rollover {
                cap.to_mut().limit = limit(rule, subject.books(rule.per), period);
            }
            let check = |books: &mut Books| books.check(period, bound, &cap, &mut told);
            let fits = subject.with_told(rule.per, period, rule.cap.limit, cap.limit, check);
            let books = subject.books(rule.per);
            let book = books.shown(period, cap.limit);
            let next = if books.is_open(period) { period.saturating_add(1) } else { books.next_open(period) };
            self.tell(rule.of, caller, rule, told);
            if fits {
                continue;
            }
            let resets_at = self.begins(rule, next, place)?;
            if refusal.as_ref().is_none_or(|(known, _)| resets_at > *known) {
                let detail = Detail::BudgetOf {
                    of: rule.of.as_str(),
                    per: rule.per.as_str(),
                    limit: cap.limit,
                    spent: book.spent,
                    reserved: book.reserved,
                    resets_at,
                };
                let error = Error::new(Code::BudgetExceeded).with(detail).after(resets_at.since(self.now));
                refusal = Some((resets_at, error.into()));
            }
        }
        Ok(refusal.map(|(_, error)| error))
    }

    pub(super) fn tell(&mut self, of: BudgetScope, caller: &Caller, rule: &BudgetRule, told: Vec<Notice>) {
        for notice in told {
            // An overshoot is told once, by the ledger.
            if let Notice::Threshold { period, percent, spent, limit } = notice {
                let who = match of {
                    BudgetScope::Organisation => None,
                    BudgetScope::User => caller.user.clone(),
                    BudgetScope::Token => caller.token.clone(),
                };
                self.notices.push(Notice::BudgetOf { of, per: rule.per, who, period, percent, spent, limit });
            }
        }
    }

    /// When a period begins.
    pub(super) fn begins(&self, rule: &BudgetRule, period: i64, place: Place) -> Result<Timestamp> {
        let calendar = Calendar::new(self.policy.ledger.budget, self.zones);
        calendar.start_of(first_day(rule.per, period), self.now, place.offset).ok_or_else(unknown_zone)
    }

    /// The present local day.
    pub(super) fn place(&self) -> Result<Place> {
        Calendar::new(self.policy.ledger.budget, self.zones).period_of(self.now).ok_or_else(unknown_zone)
    }
}

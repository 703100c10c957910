//! Slices, as the object leases them and takes them back.

use std::time::Duration;

use super::{Turn, readable};
use crate::admit::command::{Charge, Command, Outcome, Reply};
use crate::admit::edge::books::{limit, period_of};
use crate::admit::edge::caller::Caller;
use crate::admit::edge::desk::{Claim, bit};
use crate::admit::edge::subject::{Kind, Subject};
use crate::config::{BudgetScope, RateConfig};
use crate::error::{BreakerOutcome, Result};
use crate::money::NanoUsd;

/// What a slice is wanted for.
pub(super) struct Wish<'a> {
    pub(super) tenant: &'a str,
    pub(super) route: &'a str,
    pub(super) bound: NanoUsd,
    pub(super) requests: u64,
}

impl Turn<'_> {
    /// Leases a slice: a share of what is left of the organisation's budgets and of the caller's rate.
    pub(super) fn lease(
        &mut self,
        caller: &Caller,
        wish: &Wish<'_>,
        window: Duration,
        settles_within: Duration,
    ) -> Result<Reply> {
        let (policy, now) = (self.policy, self.now);
        let own = policy.rules(caller).any(|rule| rule.of != BudgetScope::Organisation);
        let tier = policy.edge.tier(&caller.tier);
        // What each request has to be asked about cannot be given away for many. Nor is anything where another release of
        // the Worker asks, whose configuration has leases that this one's has not.
        let enabled = policy.edge.leases.enabled;
        if !enabled || own || !policy.edge.targets.is_empty() || tier.is_none_or(|tier| tier.tokens.is_some()) {
            return Ok(Reply::of(Ok(Outcome::NotLeased)));
        }
        let share = u64::from(policy.edge.leases.share.max(2));
        // What cannot be read is found before the ledger tells what it tells once.
        self.payer(caller)?;
        let mut reply = self.plain(&Command::Status)?;
        let Ok(Outcome::Status(figures)) = &reply.result else { return Ok(reply) };
        let left = |limit: NanoUsd, spent, reserved| limit.saturating_sub(spent).saturating_sub(reserved);
        // The last eighth is nobody's slice: near the cap each request is decided for itself, and what is reserved
        // in vain elsewhere keeps nobody out.
        let lent = |limit: NanoUsd, left: NanoUsd| left.saturating_sub(NanoUsd::new(limit.as_nano() / 8));
        let mut most = lent(figures.limit, left(figures.limit, figures.spent, figures.reserved));
        // A slice belongs to one day.
        let window = window.min(figures.resets_at.since(now));
        let (mut books, place) = (0, self.place()?);
        let payer = Caller { user: None, token: None, tier: caller.tier.clone() };
        for rule in policy.rules(&payer) {
            let period = period_of(rule.per, place.period);
            let own = self.subject(rule.of, &payer)?.books(rule.per);
            let limit = limit(rule, own, period);
            let book = own.shown(period, limit);
            most = most.min(lent(limit, left(limit, book.spent, book.reserved)));
            books |= bit(rule.of, rule.per);
        }
        let wanted = u128::from(wish.bound.as_nano()).saturating_mul(wish.requests.into());
        let part = most.as_nano().checked_div(share).unwrap_or(0);
        let budget = NanoUsd::new(u64::try_from(wanted).unwrap_or(u64::MAX).min(part));
        let asks = self.shared_buckets(caller, wish.route);
        let bucket = |payer: &mut Subject, (kind, rate): &(Kind, RateConfig)| {
            payer.bucket(kind, *rate, now).allowance(*rate).remaining.checked_div(share).unwrap_or(0)
        };
        let payer_subject = self.payer(caller)?;
        let requests = asks.iter().map(|ask| bucket(payer_subject, ask)).min().unwrap_or(0).min(wish.requests);
        if requests == 0 || budget < wish.bound || window.is_zero() {
            reply.result = Ok(Outcome::NotLeased);
            return Ok(reply);
        }
        let until = now.after(window.saturating_add(settles_within));
        let (leased, mut told) = self.ledger.core.lease(wish.tenant, budget, until, &policy.ledger, self.zones, now);
        reply.notices.append(&mut told);
        let Ok(slice) = leased else {
            reply.result = Ok(Outcome::NotLeased);
            return Ok(reply);
        };
        let payer_subject = self.payer(caller)?;
        for (kind, rate) in &asks {
            payer_subject.bucket(kind, *rate, now).take(requests);
        }
        if books != 0 {
            let (bound, day, caller) = (budget, place.period, payer);
            let claim = Claim { id: slice, bound, day, books, late: false, caller };
            for (of, per, period) in claim.books() {
                self.subject(of, &claim.caller)?.books(per).reserve(period, bound);
            }
            self.ledger.desk.claims.push(claim);
        }
        reply.result = Ok(Outcome::Leased { slice, budget, requests, window });
        Ok(reply)
    }

    /// The buckets that count a caller's requests of a route.
    fn shared_buckets(&self, caller: &Caller, route: &str) -> Vec<(Kind, RateConfig)> {
        let edge = self.policy.edge;
        let route = edge.route(route).map(|route| (Kind::Named(["/", &route.name].concat()), route.rate));
        let tier = edge.tier(&caller.tier).map(|tier| (Kind::Requests, tier.requests));
        route.into_iter().chain(tier).collect()
    }

    /// Takes a slice back: what it spent is its bill, and the requests that were not made may be made elsewhere.
    pub(super) fn give_back(
        &mut self,
        caller: &Caller,
        slice: u64,
        route: &str,
        spent: NanoUsd,
        requests: u64,
    ) -> Result<Reply> {
        let (charge, outcome) = (Charge::Actual(spent), BreakerOutcome::Ignored);
        let held = self.ledger.core.reservations.is_live(slice);
        let settle = Command::Settle { reservation: slice, charge, outcome, cool_until: None, end_slot: false };
        let reply = self.plain(&settle)?;
        // Once it has run out, its requests count as made.
        if held && matches!(reply.result, Ok(Outcome::Settled { .. })) {
            let now = self.now;
            for (kind, rate) in self.shared_buckets(caller, route) {
                if let Some(payer) = readable(self.payer(caller))? {
                    payer.bucket(&kind, rate, now).correct(rate, requests, 0);
                }
            }
        }
        Ok(reply)
    }
}

//! A request is counted: by its route, and by its caller's tier.

use std::time::Duration;

use super::{Ask, Turn};
use crate::admit::edge::caller::{Caller, Entry};
use crate::admit::edge::subject::Kind;
use crate::error::{Allowance, Code, Error, Result};

impl Turn<'_> {
    /// Counts a request, or says why not. Takes from all of its buckets or from none.
    pub(super) fn enter(&mut self, caller: &Caller, entry: &Entry) -> Result<(Allowance, Option<Box<Error>>)> {
        let asks = self.asks(caller, entry);
        self.count(caller, &asks)
    }

    /// The buckets that count a request, and how much of each it takes.
    pub(super) fn asks(&self, caller: &Caller, entry: &Entry) -> Vec<Ask> {
        let edge = self.policy.edge;
        let mut asks: Vec<Ask> = Vec::with_capacity(3);
        if let Some(route) = edge.route(&entry.route) {
            // No target's name begins so.
            asks.push((Kind::Named(["/", &route.name].concat()), route.rate, 1));
        }
        if let (Some(tokens), Some(tier)) = (entry.tokens, edge.tier(&caller.tier)) {
            asks.push((Kind::Requests, tier.requests, 1));
            asks.extend(tier.tokens.map(|rate| (Kind::Tokens, rate, tokens)));
        }
        asks
    }

    /// Takes from all of the buckets, or says why from none.
    pub(super) fn count(&mut self, caller: &Caller, asks: &[Ask]) -> Result<(Allowance, Option<Box<Error>>)> {
        let now = self.now;
        let payer = self.payer(caller)?;
        // `None`, a wait without an end, is the longest.
        let longer = |a: Option<_>, b: Option<_>| a.is_none() || b.is_some_and(|b| a.is_some_and(|a| a > b));
        let mut refusal: Option<(Allowance, _)> = None;
        for (kind, rate, count) in asks {
            let bucket = payer.bucket(kind, *rate, now);
            if let Err(wait) = bucket.check(*rate, *count)
                && refusal.as_ref().is_none_or(|(_, known)| longer(wait, *known))
            {
                refusal = Some((bucket.allowance(*rate), wait));
            }
        }
        if let Some((allowance, wait)) = refusal {
            let mut error = Error::new(Code::RateLimited);
            error.retry_after = wait;
            return Ok((allowance, Some(error.into())));
        }
        let mut tightest: Option<Allowance> = None;
        for (kind, rate, count) in asks {
            let bucket = payer.bucket(kind, *rate, now);
            bucket.take(*count);
            let own = bucket.allowance(*rate);
            // Requests are told in requests: a caller could not tell which of the two a figure is.
            if *kind != Kind::Tokens && tightest.is_none_or(|known| own.remaining < known.remaining) {
                tightest = Some(own);
            }
        }
        let none = Allowance { limit: 0, remaining: 0, reset: Duration::ZERO };
        Ok((tightest.unwrap_or(none), None))
    }
}

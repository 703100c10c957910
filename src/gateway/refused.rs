//! Callers who asked too often. Until they may ask again they are told so here: whoever goes on all the same costs neither
//! a look through what is sent nor a decision of the ledger, of which one organisation has some hundred a second.

use std::collections::VecDeque;
use std::time::Duration;

use super::Gate;
use crate::admit::edge::Caller;
use crate::config::EdgeConfig;
use crate::error::{Allowance, Code, Error};
use crate::time::Timestamp;

/// Callers that are remembered.
const MOST: usize = 64;
/// The longest that one is: limits may be raised meanwhile.
const LONGEST: Duration = Duration::from_secs(60);

/// Callers by route, the one refused last at its end.
#[derive(Debug, Default)]
pub(super) struct Refusals(VecDeque<Refused>);

#[derive(Debug)]
struct Refused {
    caller: Caller,
    route: String,
    allowance: Allowance,
    at: Timestamp,
    until: Timestamp,
}

impl Gate {
    /// The refusal that still holds for this caller on this route.
    pub(super) fn refused(&self, caller: &Caller, route: &str, now: Timestamp) -> Option<Box<Error>> {
        let known = &mut self.state.borrow_mut().refusals.0;
        known.retain(|one| one.at <= now && now < one.until);
        let own = known.iter().find(|one| one.route == route && one.caller == *caller)?;
        let reset = own.allowance.reset.saturating_sub(now.since(own.at));
        let allowance = Some(Allowance { reset, ..own.allowance });
        Some(Error { allowance, ..Error::new(Code::RateLimited).after(own.until.since(now)) }.into())
    }

    /// Remembers a refusal, if every request of this caller on this route would be refused as long.
    pub(super) fn note_refused(&self, caller: &Caller, route: &str, error: &Error, now: Timestamp) {
        let (Code::RateLimited, Some(allowance), Some(wait)) = (error.code, error.allowance, error.retry_after) else {
            return;
        };
        if allowance.remaining > 0 || !counts_requests(&self.config.edge, caller, route, allowance.limit) {
            return;
        }
        let known = &mut self.state.borrow_mut().refusals.0;
        known.retain(|one| one.route != route || one.caller != *caller);
        if known.len() >= MOST {
            known.pop_front();
        }
        let (caller, route, until) = (caller.clone(), route.into(), now.after(wait.min(LONGEST)));
        known.push_back(Refused { caller, route, allowance, at: now, until });
    }
}

/// Whether a bucket of this size counts requests: a smaller request than the one that it refused takes as much. One of
/// tokens may have room for it.
fn counts_requests(edge: &EdgeConfig, caller: &Caller, route: &str, limit: u64) -> bool {
    let tier = edge.tier(&caller.tier);
    let tokens = tier.and_then(|tier| tier.tokens);
    let named = edge.route(route).map(|route| route.rate);
    let requests = [tier.map(|tier| tier.requests), named];
    let is = |rate: &crate::config::RateConfig| u64::from(rate.burst) == limit;
    requests.iter().flatten().any(is) && !tokens.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{GatewayConfig, NamedRate, RateConfig, TierConfig};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn gate() -> Gate {
        let tokens = Some(RateConfig::per_minute(900));
        let tiers = vec![TierConfig { name: "free".into(), requests: RateConfig::per_minute(20), tokens }];
        let routes = vec![NamedRate { name: "chat".into(), rate: RateConfig::per_minute(60) }];
        let mut config = GatewayConfig::default();
        (config.edge.tiers, config.edge.routes) = (tiers, routes);
        Gate::new(config, false, [7; 32])
    }

    fn caller(user: &str) -> Caller {
        Caller { user: Some(user.into()), token: None, tier: "free".into() }
    }

    fn refusal(limit: u64, remaining: u64, wait: u64) -> Error {
        let allowance = Some(Allowance { limit, remaining, reset: Duration::from_secs(60) });
        Error { allowance, ..Error::new(Code::RateLimited).after(Duration::from_secs(wait)) }
    }

    fn wait(gate: &Gate, user: &str, route: &str, after: Duration) -> Option<u64> {
        let known = gate.refused(&caller(user), route, NOW.after(after));
        known.map(|error| error.retry_after.unwrap().as_secs())
    }

    #[test]
    fn who_was_refused_is_refused_until_they_may_ask_again() {
        let gate = gate();
        gate.note_refused(&caller("ann"), "chat", &refusal(20, 0, 3), NOW);
        assert_eq!(wait(&gate, "ann", "chat", Duration::from_secs(1)), Some(2));
        let known = gate.refused(&caller("ann"), "chat", NOW.after(Duration::from_secs(1))).unwrap();
        let allowance = known.allowance.unwrap();
        assert_eq!((known.code, allowance.limit, allowance.remaining), (Code::RateLimited, 20, 0));
        assert_eq!(allowance.reset, Duration::from_secs(59));
        assert_eq!(wait(&gate, "bob", "chat", Duration::ZERO), None, "another caller");
        assert_eq!(wait(&gate, "ann", "embeddings", Duration::ZERO), None, "another route has a rate of its own");
        assert_eq!(wait(&gate, "ann", "chat", Duration::from_secs(3)), None, "when it was said");
        assert_eq!(wait(&gate, "ann", "chat", Duration::ZERO), None, "and it is forgotten then");
    }

    #[test]
    fn a_refusal_that_is_not_every_requests_is_asked_for_anew() {
        let gate = gate();
        let internal = Error { code: Code::Internal, ..refusal(20, 0, 3) };
        let endless = Error { retry_after: None, ..refusal(20, 0, 3) };
        // Of tokens, of requests of which there are some, of nothing that is known.
        for other in [refusal(900, 0, 3), refusal(20, 1, 3), refusal(7, 0, 3), internal, endless] {
            gate.note_refused(&caller("ann"), "chat", &other, NOW);
            assert_eq!(wait(&gate, "ann", "chat", Duration::ZERO), None, "{other:?}");
        }
        gate.note_refused(&caller("ann"), "chat", &refusal(60, 0, 3_600), NOW);
        assert_eq!(wait(&gate, "ann", "chat", Duration::ZERO), Some(60), "by the route's, and never for long");
        let before = NOW.before(Duration::from_secs(1));
        assert!(gate.refused(&caller("ann"), "chat", before).is_none(), "the clock was set back");
    }

    #[test]
    fn no_more_callers_are_remembered_than_there_is_room_for() {
        let gate = gate();
        for user in 0..=MOST {
            gate.note_refused(&caller(&user.to_string()), "chat", &refusal(20, 0, 3), NOW);
        }
        assert_eq!(wait(&gate, "0", "chat", Duration::ZERO), None);
        assert_eq!(wait(&gate, "1", "chat", Duration::ZERO), Some(3));
        assert_eq!(gate.state.borrow().refusals.0.len(), MOST);
    }
}

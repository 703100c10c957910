//! Where a request stands with the limits of its caller.
//!
//! It is counted once, with the first command that it has for the ledger anyway: its first attempt's. One that gets an
//! answer without any (from the cache, or because it is no request) is counted before it gets it. So limits by caller
//! cost no call of their own, except where there was none before.

use std::cell::Cell;
use std::rc::Rc;

use super::{Gate, Host, Wants};
use crate::admit::edge::{Caller, Correction, Entry, Errand};
use crate::admit::{Command, Entered};
use crate::chat::Usage;
use crate::config::EdgeConfig;
use crate::error::{Allowance, Code, Error, Result};
use crate::time::Timestamp;

/// One request's.
pub(super) struct Standing {
    caller: Rc<Caller>,
    route: &'static str,
    /// Tokens by an estimate, once it is known what it asks for.
    estimated: Cell<u64>,
    /// What it used, once that is known and until it was told.
    used: Cell<Option<u64>>,
    entered: Cell<Option<Entered>>,
}

impl Standing {
    pub(super) fn new(caller: Rc<Caller>, wants: Wants) -> Rc<Self> {
        let route = match wants {
            Wants::Chat => "chat",
            Wants::Embeddings { .. } => "embeddings",
        };
        Self { caller, route, estimated: Cell::new(0), used: Cell::new(None), entered: Cell::new(None) }.into()
    }

    /// Says how many tokens it may take, unless it has entered already.
    pub(super) fn estimate(&self, tokens: impl FnOnce() -> u64) {
        if self.entered.get().is_none() {
            self.estimated.set(tokens());
        }
    }

    /// Notes what was billed.
    pub(super) fn use_tokens(&self, usage: Option<&Usage>) {
        self.used.set(usage.map(|usage| usage.input.saturating_add(usage.output)));
    }

    /// Whether its tier limits tokens at all.
    pub(super) fn limits_tokens(&self, config: &EdgeConfig) -> bool {
        config.tier(&self.caller.tier).is_some_and(|tier| tier.tokens.is_some())
    }

    /// The command on the caller's behalf.
    pub(super) fn errand(&self, command: Command) -> Command {
        let enters = self.entered.get().is_none();
        let admits = matches!(command, Command::Admit { .. });
        let used = self.used.take();
        if !enters && !admits && used.is_none() {
            return command;
        }
        let errand = Errand {
            caller: (*self.caller).clone(),
            entry: enters.then(|| Entry { route: self.route.into(), tokens: Some(self.estimated.get()) }),
            correction: used.map(|used| Correction { estimated: self.estimated.get(), used }),
            command: Some(command),
        };
        Command::For(errand.into())
    }

    /// What a reply said of it.
    pub(super) fn note(&self, entered: Option<Entered>) {
        if entered.is_some() {
            self.entered.set(entered);
        }
    }

    /// Whether the caller, not a target, has asked for too much.
    pub(super) fn is_refused(&self) -> bool {
        self.entered.get().is_some_and(|entered| !entered.granted)
    }

    pub(super) fn allowance(&self) -> Option<Allowance> {
        self.entered.get().map(|entered| entered.allowance)
    }

    /// The refusal of an earlier request that still holds. Then this one has entered, in vain.
    pub(super) fn known(&self, gate: &Gate, now: Timestamp) -> Option<Box<Error>> {
        let refusal = gate.refused(&self.caller, self.route, now)?;
        self.entered.set(refusal.allowance.map(|allowance| Entered { allowance, granted: false }));
        Some(refusal)
    }

    /// Remembers a refusal of its caller's, for the requests that come next.
    pub(super) fn remember(&self, gate: &Gate, error: &Error, now: Timestamp) {
        if self.is_refused() {
            gate.note_refused(&self.caller, self.route, error, now);
        }
    }

    /// Enters, if no command of the request's has.
    ///
    /// # Errors
    /// `rate_limited`; what the ledger says if it cannot be asked: then nothing is let through.
    pub(super) async fn enter<H: Host>(&self, gate: &Gate, host: &H) -> Result<()> {
        if self.entered.get().is_some() {
            return Ok(());
        }
        let entered = enter(gate, host, &self.caller, self.route, Some(0)).await;
        match entered {
            Ok(allowance) => self.entered.set(Some(Entered { allowance, granted: true })),
            Err(error) => {
                self.entered.set(error.allowance.map(|allowance| Entered { allowance, granted: false }));
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Counts a request to a route of the host's own. Without `tokens` it asks no model.
///
/// # Errors
/// `rate_limited`, with the allowance; what the ledger says if it cannot be asked.
pub async fn enter<H: Host>(
    gate: &Gate,
    host: &H,
    caller: &Caller,
    route: &str,
    tokens: Option<u64>,
) -> Result<Allowance> {
    if let Some(refusal) = gate.refused(caller, route, host.now()) {
        return Err(refusal);
    }
    let entry = Some(Entry { route: route.into(), tokens });
    let errand = Errand { caller: caller.clone(), entry, correction: None, command: None };
    let reply = host.decide(Command::For(errand.into())).await?;
    let allowance = reply.entered.map(|entered| entered.allowance);
    match (reply.result, allowance) {
        (Ok(_), Some(allowance)) => Ok(allowance),
        (Ok(_), None) => Err(Code::Internal.into()),
        (Err(error), allowance) => {
            let error = Error { allowance, ..*error };
            gate.note_refused(caller, route, &error, host.now());
            Err(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::admit::Charge;
    use crate::config::{RateConfig, TierConfig};
    use crate::error::BreakerOutcome;
    use crate::money::NanoUsd;
    use crate::time::Timestamp;

    fn admit() -> Command {
        let (tenant, target, bound) = ("me".into(), "groq/m".into(), NanoUsd::ZERO);
        Command::Admit { tenant, target, bound, lease_until: Timestamp::EPOCH, slot: None }
    }

    fn settle() -> Command {
        let (charge, outcome) = (Charge::Released, BreakerOutcome::Ignored);
        Command::Settle { reservation: 1, charge, outcome, cool_until: None, end_slot: true }
    }

    #[test]
    fn a_request_is_counted_once_by_its_estimate_and_put_right_once_by_what_it_used() {
        let caller = Caller { user: Some("ann".into()), token: None, tier: "pro".into() };
        let standing = Standing::new(caller.into(), Wants::Chat);
        let told = |command| match standing.errand(command) {
            Command::For(errand) => Some((errand.entry.map(|entry| (entry.route, entry.tokens)), errand.correction)),
            _ => None,
        };
        let allowance = Allowance { limit: 5, remaining: 4, reset: Duration::ZERO };
        standing.estimate(|| 500);
        assert_eq!(told(admit()), Some((Some(("chat".into(), Some(500))), None)));
        standing.note(Some(Entered { allowance, granted: true }));
        standing.note(None);
        assert_eq!((standing.allowance(), standing.is_refused()), (Some(allowance), false));
        // A fallback, for which another estimate would be made.
        standing.estimate(|| 900);
        assert_eq!(told(admit()), Some((None, None)), "by its caller's limits, and not counted again");
        assert_eq!(told(settle()), None);
        standing.use_tokens(Some(&Usage { input: 300, output: 50, ..Usage::default() }));
        assert_eq!(told(settle()), Some((None, Some(Correction { estimated: 500, used: 350 }))));
        assert_eq!(told(settle()), None);
        standing.note(Some(Entered { allowance, granted: false }));
        assert!(standing.is_refused());
    }

    #[test]
    fn tokens_are_limited_where_the_callers_tier_says_so() {
        let tier = |name: &str, tokens| TierConfig { name: name.into(), requests: RateConfig::per_minute(1), tokens };
        let tiers = vec![tier("free", None), tier("pro", Some(RateConfig::per_minute(1_000)))];
        let config = EdgeConfig { tiers, ..EdgeConfig::default() };
        let limited = |name: &str| {
            let caller = Caller { tier: name.into(), ..Caller::default() };
            Standing::new(caller.into(), Wants::Chat).limits_tokens(&config)
        };
        assert_eq!((limited("free"), limited("pro")), (false, true));
    }
}

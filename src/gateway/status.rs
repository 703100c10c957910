//! How things stand, as the public API shows it: for people, dashboards and health checks.

use super::gate::Gate;
use super::offers::prices;
use crate::admit::{CircuitState, Figures, TargetFigures};
use crate::config::TargetConfig;
use crate::price::Price;
use crate::time::Timestamp;
use crate::value::Value;

/// Targets, budget and cache of a gate, by its ledger's figures. Asks nobody.
#[must_use]
pub fn status(gate: &Gate, figures: &Figures, now: Timestamp) -> Value {
    let prices = prices(gate, now);
    let each = || gate.config.targets.iter().zip(&*prices);
    let targets = each().map(|(target, price)| {
        let own = standing(gate, figures, target);
        let until = |pick: fn(&TargetFigures) -> Option<Timestamp>| own.and_then(pick).filter(|until| *until > now);
        Value::map([
            ("target", target.name.as_str().into()),
            ("provider", target.provider.as_str().into()),
            ("model", target.model.as_str().into()),
            ("keyed", gate.is_keyed(target, None).into()),
            ("priced", price.is_some().into()),
            ("breaker", own.map_or("closed", |one| one.state.as_str()).into()),
            ("failures", own.map_or(0, |one| one.failures).into()),
            ("openUntil", until(|one| one.open_until).into()),
            ("coolingUntil", until(|one| one.cooling_until).into()),
        ])
    });
    let cache = &gate.config.cache;
    let cached = Value::map([
        ("entries", u32::try_from(gate.cached()).unwrap_or(u32::MAX).into()),
        ("maxEntries", cache.max_entries.into()),
        ("ttlMs", cache.ttl.into()),
    ]);
    // What costs nothing needs no budget.
    let goes_on = |(target, price): (&TargetConfig, &Option<Price>)| {
        gate.is_keyed(target, None) && price.as_ref().is_some_and(Price::is_free)
    };
    let exhausted = figures.spent.saturating_add(figures.reserved) >= figures.limit && !each().any(goes_on);
    let budget = Value::map([
        ("limitNanoUsd", figures.limit.into()),
        ("spentNanoUsd", figures.spent.into()),
        ("reservedNanoUsd", figures.reserved.into()),
        ("overshootNanoUsd", figures.overshoot.into()),
        ("exhausted", exhausted.into()),
        ("resetsAt", figures.resets_at.into()),
    ]);
    Value::map([
        ("targets", targets.collect()),
        ("budget", budget),
        ("cache", cached),
        ("inFlight", gate.in_flight().into()),
    ])
}

/// What is remembered of a target: of the tenant that it stands worst with, if there are several. Who looks wants to know
/// that somebody is kept out.
fn standing<'a>(gate: &Gate, figures: &'a Figures, target: &TargetConfig) -> Option<&'a TargetFigures> {
    let own = figures.targets.iter().filter(|one| gate.is_in_ledger(&one.target, target, None));
    own.max_by_key(|one| {
        let rank = match one.state {
            CircuitState::Closed => 0,
            CircuitState::HalfOpen => 1,
            CircuitState::Open => 2,
        };
        (rank, one.cooling_until, one.failures, one.open_until)
    })
}

//! The rules that decisions follow.

use super::caller::Caller;
use crate::admit::ledger::LedgerPolicy;
use crate::config::{BudgetRule, BudgetScope, BudgetSpan, EdgeConfig, GatewayConfig};

/// The configuration that decisions follow. It may change from one decision to the next.
#[derive(Clone, Copy, Debug)]
pub struct EdgePolicy<'a> {
    /// Of the organisation's ledger.
    pub ledger: LedgerPolicy<'a>,
    /// By caller.
    pub edge: &'a EdgeConfig,
}

impl<'a> EdgePolicy<'a> {
    /// The rules of a configuration.
    #[must_use]
    pub const fn of(config: &'a GatewayConfig) -> Self {
        Self { ledger: LedgerPolicy::of(config), edge: &config.edge }
    }

    /// The rule for one book of a caller: the tightest, if several are meant.
    pub(super) fn rule(&self, of: BudgetScope, per: BudgetSpan, tier: &str) -> Option<&'a BudgetRule> {
        let meant =
            |rule: &&BudgetRule| rule.of == of && rule.per == per && rule.tier.as_deref().is_none_or(|own| own == tier);
        self.edge.budgets.iter().filter(meant).min_by_key(|rule| rule.cap.limit)
    }

    /// Every rule for a caller, at most one for each scope and span.
    pub(super) fn rules(&self, caller: &Caller) -> impl Iterator<Item = &'a BudgetRule> {
        let pairs = BudgetScope::ALL.into_iter().flat_map(|of| BudgetSpan::ALL.map(|per| (of, per)));
        let there = |of| match of {
            BudgetScope::Organisation => true,
            BudgetScope::User => caller.user.is_some(),
            BudgetScope::Token => caller.token.is_some(),
        };
        pairs.filter(move |(of, _)| there(*of)).filter_map(|(of, per)| self.rule(of, per, &caller.tier))
    }
}

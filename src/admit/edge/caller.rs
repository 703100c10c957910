//! Who a command is for, and what it counts as.

use crate::admit::command::{Command, Figures};
use crate::config::{BudgetScope, BudgetSpan};
use crate::error::Allowance;
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// Who asks. The organisation is the ledger's own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caller {
    /// One of the organisation's users. At most 256 bytes.
    pub user: Option<String>,
    /// The id of the API token that came with the request. At most 256 bytes.
    pub token: Option<String>,
    /// How much it may do, by the configuration's tiers.
    pub tier: String,
}

/// A request that enters: it is counted once, whatever becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The route's name. One that the configuration does not name counts as `other`.
    pub route: String,
    /// Tokens in and out, by an estimate. `None`: it asks no model, and is counted by its route alone.
    pub tokens: Option<u64>,
}

/// What a request used, where it was counted by an estimate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Correction {
    /// As entered.
    pub estimated: u64,
    /// As billed.
    pub used: u64,
}

/// A command on behalf of a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Errand {
    /// Whose.
    pub caller: Caller,
    /// With a request's first command.
    pub entry: Option<Entry>,
    /// With a settlement.
    pub correction: Option<Correction>,
    /// What else is asked. Not another errand.
    pub command: Option<Command>,
}

impl Errand {
    /// Whether it does no more than count a request: no money, nothing held.
    pub(super) const fn only_enters(&self) -> bool {
        self.entry.is_some() && self.correction.is_none() && self.command.is_none()
    }
}

/// What a caller may still do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallerFigures {
    /// The organisation's.
    pub organisation: Figures,
    /// Requests that ask a model.
    pub requests: Allowance,
    /// Tokens, if the tier limits them.
    pub tokens: Option<Allowance>,
    /// The budgets that apply to it.
    pub budgets: Vec<BudgetFigures>,
}

/// One budget's present period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetFigures {
    /// Whose spending it counts.
    pub of: BudgetScope,
    /// Its period.
    pub per: BudgetSpan,
    /// The cap, with what was rolled over.
    pub limit: NanoUsd,
    /// Settled.
    pub spent: NanoUsd,
    /// Held by live attempts.
    pub reserved: NanoUsd,
    /// When the next period begins.
    pub resets_at: Timestamp,
}

//! What only a gateway with many callers limits: rates by tier, route and target, and budgets beside the
//! organisation's own.

use std::time::Duration;

use super::BudgetConfig;

/// How often something may happen: a token bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateConfig {
    /// What flows in, per minute. At least 1.
    pub per_minute: u32,
    /// How much it holds, that is, how much may happen at once. At least 1.
    pub burst: u32,
}

impl RateConfig {
    /// A bucket that holds what flows into it in a minute.
    #[must_use]
    pub const fn per_minute(per_minute: u32) -> Self {
        Self { per_minute, burst: per_minute }
    }
}

/// What callers of one tier may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TierConfig {
    /// Its name, as callers carry it.
    pub name: String,
    /// Requests that ask a model.
    pub requests: RateConfig,
    /// Tokens in and out. `None`: not limited.
    pub tokens: Option<RateConfig>,
}

/// A rate by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedRate {
    /// Of a route, a provider, or a target (`provider/model`).
    pub name: String,
    /// How often it may be asked.
    pub rate: RateConfig,
}

/// Whose spending a budget counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BudgetScope {
    /// All of the organisation's.
    Organisation,
    /// Each of its users' own.
    User,
    /// That of each of its API tokens.
    Token,
}

impl BudgetScope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Organisation, Self::User, Self::Token];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::User => "user",
            Self::Token => "token",
        }
    }
}

/// How long a budget's period is. All begin at the reset hour of `budget`, in its time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BudgetSpan {
    /// A local day.
    Day,
    /// Seven of them, from Monday.
    Week,
    /// A calendar month.
    Month,
}

impl BudgetSpan {
    /// Every span, the shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// A cap beside `budget`. An attempt has to fit all that apply to its caller: the tightest wins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetRule {
    /// Whose spending it counts.
    pub of: BudgetScope,
    /// Its period.
    pub per: BudgetSpan,
    /// Only of callers of this tier.
    pub tier: Option<String>,
    /// Whether what was not used of the period before is added, once, to the next.
    pub rollover: bool,
    /// The cap and its thresholds. Zone and reset hour are those of `budget`.
    pub cap: BudgetConfig,
}

/// Slices of budgets and rates, spent where the requests are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseConfig {
    /// Whether slices are leased at all. Default: no.
    pub enabled: bool,
    /// How long a slice may be spent. Default 2 s.
    pub window: Duration,
    /// A slice is at most this part of what is left: 64 is a sixty-fourth. Default 64.
    pub share: u32,
}

impl Default for LeaseConfig {
    fn default() -> Self {
        Self { enabled: false, window: Duration::from_secs(2), share: 64 }
    }
}

/// Limits by caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EdgeConfig {
    /// Never empty. A caller of an unknown tier gets the slowest.
    pub tiers: Vec<TierConfig>,
    /// By name. `other` is in it, for all that are not.
    pub routes: Vec<NamedRate>,
    /// Providers and targets (`provider/model`), each for the organisation as a whole.
    pub targets: Vec<NamedRate>,
    /// Caps beside `budget`.
    pub budgets: Vec<BudgetRule>,
    /// Slices.
    pub leases: LeaseConfig,
}

/// The route of all that have no rate of their own.
pub const OTHER_ROUTE: &str = "other";
/// Percentages of a cap that are told where there are many callers: a warning, an alert, the end.
pub const EDGE_THRESHOLDS: [u32; 3] = [80, 95, 100];

const TIERS: [(&str, u32); 3] = [("free", 5), ("pro", 30), ("enterprise", 100)];
/// Every route that a request may be of.
pub(super) const ROUTE_NAMES: [&str; 6] = ["chat", "embeddings", "models", "status", "metrics", OTHER_ROUTE];
const ROUTES: [(&str, u32); 3] = [("status", 300), ("metrics", 60), (OTHER_ROUTE, 100)];

impl Default for EdgeConfig {
    fn default() -> Self {
        let tier = |(name, rate): (&str, u32)| TierConfig {
            name: name.into(),
            requests: RateConfig::per_minute(rate),
            tokens: None,
        };
        let route = |(name, rate): (&str, u32)| NamedRate { name: name.into(), rate: RateConfig::per_minute(rate) };
        Self {
            tiers: TIERS.map(tier).into(),
            routes: ROUTES.map(route).into(),
            targets: Vec::new(),
            budgets: Vec::new(),
            leases: LeaseConfig::default(),
        }
    }
}

impl EdgeConfig {
    /// What callers of a tier may do.
    #[must_use]
    pub fn tier(&self, name: &str) -> Option<&TierConfig> {
        let slowest = || self.tiers.iter().min_by_key(|tier| tier.requests.per_minute);
        self.tiers.iter().find(|tier| tier.name == name).or_else(slowest)
    }

    /// The rate of a route, under the name that its bucket has.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&NamedRate> {
        let named = |name: &str| self.routes.iter().find(|route| route.name == name);
        named(name).or_else(|| named(OTHER_ROUTE))
    }
}

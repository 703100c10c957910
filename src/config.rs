//! The validated configuration. Policies take their part of it; the raw form, with every bad field
//! named, is read in `config/parse.rs`.

#[cfg(feature = "edge")]
mod edge;
mod parse;
mod providers;
#[cfg(feature = "edge")]
mod queue;
mod screen;

#[cfg(feature = "edge")]
pub use edge::{
    BudgetRule, BudgetScope, BudgetSpan, EDGE_THRESHOLDS, EdgeConfig, LeaseConfig, NamedRate, OTHER_ROUTE, RateConfig,
    TierConfig,
};
pub use providers::PROVIDERS;
#[cfg(feature = "edge")]
pub use queue::{Priority, QueueConfig};
pub use screen::{Restore, Screening};

use std::time::Duration;

use crate::chat::Dialect;
use crate::money::{NanoUsd, Rate};

/// The spending cap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetConfig {
    /// Cap per period. Default $1.00.
    pub limit: NanoUsd,
    /// IANA name of the time zone whose midnight (or `reset_hour`) begins a period. Default `UTC`.
    pub time_zone: String,
    /// Local hour, 0 to 23, at which a period begins. Default 0.
    pub reset_hour: u8,
    /// Percentages of the cap, ascending, each told once per period; 100 is always among them. Default 80 and 100.
    pub thresholds: Vec<u32>,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self { limit: NanoUsd::ONE_USD, time_zone: "UTC".into(), reset_hour: 0, thresholds: vec![80, 100] }
    }
}

/// The circuit breaker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BreakerConfig {
    /// Consecutive failures that open a circuit. Default 5.
    pub failures: u32,
    /// How long it stays open before one probe. Default 60 s.
    pub open_for: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(60) }
    }
}

/// When an open vault locks itself; zero is never.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AutoLockConfig {
    /// After so long without a sign of the person. Default 15 minutes.
    pub idle: Duration,
    /// After the page was hidden for so long. Default never.
    pub hidden: Duration,
    /// When the page is put to sleep. Default yes.
    pub frozen: bool,
}

impl Default for AutoLockConfig {
    fn default() -> Self {
        Self { idle: Duration::from_secs(900), hidden: Duration::ZERO, frozen: true }
    }
}

/// Retries at the same target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetryConfig {
    /// Retries after the first attempt at a target. Default 3.
    pub max_retries: u32,
    /// Upper end of the first back-off. Default 1 s.
    pub base: Duration,
    /// Upper end of every back-off. Default 60 s.
    pub cap: Duration,
    /// A wait stated by the provider is slept up to this while another target could be tried. Default 2 s.
    pub short_wait: Duration,
    /// Share of requests, in percent, that retries may add. Default 20.
    pub budget_percent: u32,
    /// Retries per minute that are always allowed. Default 10.
    pub budget_floor: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_retries: 3,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            short_wait: Duration::from_secs(2),
            budget_percent: 20,
            budget_floor: 10,
        }
    }
}

/// Timers. The shortest that runs out ends an attempt; which it was is told
/// ([`TimeoutKind`](crate::error::TimeoutKind)).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeoutConfig {
    /// One attempt at a whole answer, from sending to its last byte; streams have the timers below. Default 60 s.
    pub attempt: Duration,
    /// The whole request with all its attempts and waits. Default 120 s.
    pub total: Duration,
    /// From sending to the headers of an answer that is streamed; a whole answer may take as long as the
    /// attempt, since many providers send nothing before it is complete. Default 10 s.
    pub headers: Duration,
    /// From sending to the first output of a stream: text, reasoning or a tool call, not a comment that only
    /// keeps the connection alive. Default 30 s.
    pub first_output: Duration,
    /// Between two outputs of a stream. Default 30 s.
    pub idle: Duration,
}

impl Default for TimeoutConfig {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(60),
            total: Duration::from_secs(120),
            headers: Duration::from_secs(10),
            first_output: Duration::from_secs(30),
            idle: Duration::from_secs(30),
        }
    }
}

/// The exact cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheConfig {
    /// How long an answer serves. Default 5 minutes; zero switches the cache off.
    pub ttl: Duration,
    /// How many answers are kept; the least recently used goes first. Default 100.
    pub max_entries: u32,
    /// Keep answers of requests with a temperature other than zero. Default true.
    pub sampled: bool,
    /// Keep answers that call tools. Default false.
    pub tool_calls: bool,
    /// Let a fallback's answer stand in for the primary's. Default false.
    pub fallback_answers: bool,
    /// Keep entries on disk, sealed with a key of the vault. Default false.
    pub persist: bool,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(300),
            max_entries: 100,
            sampled: true,
            tool_calls: false,
            fallback_answers: false,
            persist: false,
        }
    }
}

/// Limits on one request, and on requests at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitConfig {
    /// Text of all messages together, in UTF-16 units. Default 50,000.
    pub max_input_units: u32,
    /// Output tokens of a request that states none: also sent to the provider. Default 4,096.
    pub default_max_output_tokens: u32,
    /// Requests in flight at once. Default 64.
    pub max_concurrent: u32,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self { max_input_units: 50_000, default_max_output_tokens: 4_096, max_concurrent: 64 }
    }
}

/// What to do when a model's price is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnknownPrice {
    /// Leave the target out of the plan.
    #[default]
    Refuse,
    /// Reserve at the worst price of the whole table.
    Worst,
}

/// Whose keys the requests of the drop-in fetch use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeySource {
    /// The gate's own; one in a request is taken off.
    #[default]
    Vault,
    /// The one in the request, for the provider that the request was meant for and no other.
    Passthrough,
}

/// A price from the configuration; it goes before the built-in table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriceOverride {
    /// Provider's id.
    pub provider: String,
    /// The model, exactly.
    pub model: String,
    /// Input tokens.
    pub input: Rate,
    /// Output tokens, reasoning included.
    pub output: Rate,
    /// Input tokens read from the provider's cache; the input rate if not given.
    pub cache_read: Option<Rate>,
    /// Input tokens written to the provider's cache; the input rate if not given.
    pub cache_write: Option<Rate>,
    /// Tokens of context, input and output together.
    pub context: Option<u32>,
    /// Most output tokens of one answer.
    pub max_output: Option<u32>,
}

/// Where a request can go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetConfig {
    /// Provider's id, a key of the catalogue or of `providers`.
    pub provider: String,
    /// The provider's name of the model.
    pub model: String,
    /// `provider/model`, as events, figures and the ledger name it.
    pub name: String,
    /// The provider (of `providers`) that its requests go through: a gateway of the user's own, for a provider
    /// that this place cannot reach.
    pub relay: Option<String>,
}

/// A provider whose address or dialect differs from the catalogue's, or that is not in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderConfig {
    /// Provider's id.
    pub id: String,
    /// Base of its API, without a slash at the end.
    pub base_url: String,
    /// The one dialect that it is spoken to in. `None`: the catalogue's, `chat` for who is not in it.
    pub dialect: Option<Dialect>,
}

/// The configuration of a gate: every part valid, every default filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GatewayConfig {
    /// Changes with every change of the raw configuration; decision records carry it.
    pub version: u64,
    /// Gates of different names are isolated from each other. Default `default`.
    pub name: String,
    /// Ordered: the first is the primary, the others are fallbacks.
    pub targets: Vec<TargetConfig>,
    /// Providers' own addresses.
    pub providers: Vec<ProviderConfig>,
    /// The spending cap.
    pub budget: BudgetConfig,
    /// The circuit breaker.
    pub breaker: BreakerConfig,
    /// Retries.
    pub retry: RetryConfig,
    /// Timers.
    pub timeouts: TimeoutConfig,
    /// The exact cache.
    pub cache: CacheConfig,
    /// Limits.
    pub limits: LimitConfig,
    /// The durable queue.
    #[cfg(feature = "edge")]
    pub queue: QueueConfig,
    /// Limits by caller.
    #[cfg(feature = "edge")]
    pub edge: EdgeConfig,
    /// Prices that go before the built-in table.
    pub prices: Vec<PriceOverride>,
    /// What to do when a price is not known.
    pub unknown_price: UnknownPrice,
    /// When an open vault locks itself.
    pub auto_lock: AutoLockConfig,
    /// Whose keys the requests of the drop-in fetch use.
    pub keys: KeySource,
    /// What becomes of keys in messages. Default `mask`.
    pub screening: Screening,
    /// Which marks in answers the keys of the request are put back for. Default `text`.
    pub restore: Restore,
    /// Whether hostile patterns in requests are told. Default false.
    pub patterns: bool,
    /// Whether reasoning is output of a stream after which nothing is retried. Where it is not shown, say no:
    /// then a failure while the model thinks falls back unseen. Default true.
    pub reasoning_commits: bool,
    /// Whether a plan that begins with a free target may go on to a paid one. Default false.
    pub allow_paid_fallback: bool,
    /// The text of the reply given when all targets failed; without it the error is given.
    pub degraded: Option<String>,
}

/// Groq first, OpenRouter's free model as its fallback.
const DEFAULT_TARGETS: [(&str, &str); 2] = [("groq", "openai/gpt-oss-20b"), ("openrouter", "qwen/qwen3-coder:free")];

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            version: 0,
            name: "default".into(),
            targets: DEFAULT_TARGETS.iter().map(|(provider, model)| TargetConfig::new(provider, model)).collect(),
            providers: Vec::new(),
            budget: BudgetConfig::default(),
            breaker: BreakerConfig::default(),
            retry: RetryConfig::default(),
            timeouts: TimeoutConfig::default(),
            cache: CacheConfig::default(),
            limits: LimitConfig::default(),
            #[cfg(feature = "edge")]
            queue: QueueConfig::default(),
            #[cfg(feature = "edge")]
            edge: EdgeConfig::default(),
            prices: Vec::new(),
            unknown_price: UnknownPrice::default(),
            auto_lock: AutoLockConfig::default(),
            keys: KeySource::default(),
            screening: Screening::default(),
            restore: Restore::default(),
            patterns: false,
            reasoning_commits: true,
            allow_paid_fallback: false,
            degraded: None,
        }
    }
}

impl TargetConfig {
    /// Whose address its requests go to, and whose key they carry.
    #[must_use]
    pub fn carrier(&self) -> &str {
        self.relay.as_deref().unwrap_or(&self.provider)
    }

    /// A target and its name.
    #[must_use]
    pub fn new(provider: &str, model: &str) -> Self {
        Self { provider: provider.into(), model: model.into(), name: [provider, "/", model].concat(), relay: None }
    }
}

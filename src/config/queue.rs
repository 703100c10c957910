//! The queue's part of the configuration.

use std::time::Duration;

/// How urgent a queued request is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Priority {
    /// Before all others that came within three ageing spans.
    Critical = 0,
    /// Before `normal` and `low`.
    High = 1,
    /// The default.
    Normal = 2,
    /// When nothing else waits, or it has waited for long enough. In a tab: only while it is online.
    Low = 3,
}

impl Priority {
    /// All, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// The durable queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueConfig {
    /// Requests that wait or run in one store; more are refused. Default 1,000.
    pub capacity: u32,
    /// Requests of one store that run at once. Default 4.
    pub concurrency: u32,
    /// How much longer each priority waits than the one above, at equal arrival. Default 30 s.
    pub ageing: Duration,
    /// After how long without a sign of life a run counts as vanished. Default 180 s: a tab that nobody sees is woken once a
    /// minute, and one wake-up may come late.
    pub lease: Duration,
    /// Runs after the first that fail and count. Default 3.
    pub max_retries: u32,
    /// The first wait after a failure. Default 1 s.
    pub base: Duration,
    /// The longest wait after a failure, unless a longer one is stated. Default 60 s.
    pub cap: Duration,
    /// From a request's arrival to its result. Default 1 hour.
    pub timeout: Duration,
    /// How long what has ended is kept. Default 24 hours.
    pub ttl: Duration,
    /// How many stores an organisation's requests are spread over, in a Worker. Default 1. Order holds in each.
    pub shards: u32,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            capacity: 1_000,
            concurrency: 4,
            ageing: Duration::from_secs(30),
            lease: Duration::from_secs(180),
            max_retries: 3,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            timeout: Duration::from_secs(3_600),
            ttl: Duration::from_secs(86_400),
            shards: 1,
        }
    }
}

//! One error type, one table.
//!
//! [`Code`] says what happened; every property of a code (is it retried, does the next target get a try, does the breaker
//! count it, which HTTP status the Worker answers with) is a column of the table in `code.rs`. No error carries a prompt, a
//! body, a key or a URL's query.

#[cfg(feature = "edge")]
mod allowance;
mod code;
mod headers;

use std::borrow::Cow;
use std::time::Duration;

#[cfg(feature = "edge")]
pub use allowance::Allowance;
pub use code::{BreakerOutcome, Code, Retry};

use crate::money::NanoUsd;
use crate::time::Timestamp;

/// How soon to come again while a Worker is deployed: its objects follow within seconds, busy ones within five minutes.
#[cfg(feature = "edge")]
const DEPLOYING: Duration = Duration::from_secs(5);

/// Which timer ran out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeoutKind {
    /// One attempt took too long.
    Attempt,
    /// A stream's headers took too long.
    Headers,
    /// A stream's first output took too long.
    FirstOutput,
    /// A stream stood still between two outputs.
    Idle,
    /// The deadline of the whole request passed.
    Total,
}

impl TimeoutKind {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Headers => "headers",
            Self::FirstOutput => "first-output",
            Self::Idle => "idle",
            Self::Total => "total",
        }
    }
}

/// Why a fetch gave no response, as far as the runtime tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetworkKind {
    /// The connection failed or was lost.
    Network,
    /// The browser is offline.
    Offline,
    /// The provider does not let this page's origin read its answers.
    Cors,
}

impl NetworkKind {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Offline => "offline",
            Self::Cors => "cors",
        }
    }
}

/// One bad field: where, and what is wrong with it. Holds no value of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldError {
    /// Path as a user writes it: `targets[1].model`.
    pub path: String,
    /// What would be right: "must be a whole number from 0 to 10".
    pub problem: Cow<'static, str>,
}

/// What belongs to one kind of error.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Detail {
    /// Nothing more.
    #[default]
    None,
    /// Which fields are bad (`invalid_request`, `config_invalid`, `unpriced_input`).
    Fields(Vec<FieldError>),
    /// The cap and what stands against it (`budget_exceeded`).
    Budget {
        /// The cap of the period.
        limit: NanoUsd,
        /// Settled in this period.
        spent: NanoUsd,
        /// Held by requests in flight.
        reserved: NanoUsd,
        /// When the period ends.
        resets_at: Timestamp,
    },
    /// The same of a cap that is the caller's own, or of a longer period.
    #[cfg(feature = "edge")]
    BudgetOf {
        /// Whose spending it counts: `organisation`, `user`, `token`.
        of: &'static str,
        /// Its period: `day`, `week`, `month`.
        per: &'static str,
        /// The cap of the period, with what was rolled over.
        limit: NanoUsd,
        /// Settled in this period.
        spent: NanoUsd,
        /// Held by requests in flight.
        reserved: NanoUsd,
        /// When the period ends.
        resets_at: Timestamp,
    },
    /// The provider's HTTP status.
    Status(u16),
    /// Which timer.
    Timeout(TimeoutKind),
    /// What the network did.
    Network(NetworkKind),
}

/// One failed attempt, as it is attached to the error of the whole request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptError {
    /// Number of the attempt in this request, from 1.
    pub attempt: u32,
    /// `provider/model` of the target.
    pub target: String,
    /// How it ended.
    pub code: Code,
    /// The provider's HTTP status, if one came.
    pub status: Option<u16>,
}

/// The exchanges of a request that failed.
#[cfg(feature = "edge")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// How many there were.
    pub exchanges: u32,
    /// `provider/model` of the last one's target.
    pub target: String,
}

/// Why something did not happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// What went wrong.
    pub code: Code,
    /// The provider at fault, if any.
    pub provider: Option<String>,
    /// Number of the attempt that failed, from 1.
    pub attempt: Option<u32>,
    /// The earliest time at which another try can succeed, from now.
    pub retry_after: Option<Duration>,
    /// What belongs to this kind of error.
    pub detail: Detail,
    /// All failed attempts, when more than the error itself is to be told.
    pub attempts: Vec<AttemptError>,
    /// What they were charged: nothing where it is known that nothing was generated.
    pub cost: NanoUsd,
    /// What is left of the caller's rate, where one was asked.
    #[cfg(feature = "edge")]
    pub allowance: Option<Allowance>,
    /// Which providers were asked; nothing where none was. Not the same as `attempts`: these have refusals of the ledger's
    /// too, a repeated error has those of the first, and an attempt that was aborted is in none.
    #[cfg(feature = "edge")]
    pub asked: Option<Asked>,
    /// The HTTP status, where it says more than the code's own: 404, 405, 413, 415 for a bad request.
    pub status: Option<u16>,
    /// The request that it ended, as the events name it; none where no request had begun.
    pub request_id: Option<String>,
}

impl Error {
    /// An error of this code, with nothing attached.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            provider: None,
            attempt: None,
            retry_after: None,
            detail: Detail::None,
            attempts: Vec::new(),
            cost: NanoUsd::ZERO,
            #[cfg(feature = "edge")]
            allowance: None,
            #[cfg(feature = "edge")]
            asked: None,
            status: None,
            request_id: None,
        }
    }

    /// A Worker is being deployed: one of its objects went away, or is of another build than who asks, and they cannot read
    /// each other. Whoever comes again meets parts of one build.
    #[cfg(feature = "edge")]
    #[must_use]
    pub const fn deploying() -> Self {
        Self::new(Code::Internal).after(DEPLOYING)
    }

    /// Whether it is a failure of ours that passes: no other one has a wait.
    const fn passes(&self) -> bool {
        cfg!(feature = "edge") && matches!(self.code, Code::Internal) && self.retry_after.is_some()
    }

    /// The same with a detail.
    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// The same with a wait.
    #[must_use]
    pub const fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// An `invalid_request` that names one field.
    #[must_use]
    pub fn invalid(path: &str, problem: &'static str) -> Self {
        Self::field(Code::InvalidRequest, path, problem)
    }

    /// The same for a problem that has words of its own.
    #[must_use]
    pub fn invalid_by(path: &str, problem: String) -> Self {
        let field = FieldError { path: path.into(), problem: problem.into() };
        Self::new(Code::InvalidRequest).with(Detail::Fields([field].into()))
    }

    /// An error of this code that names one field.
    #[must_use]
    pub fn field(code: Code, path: &str, problem: &'static str) -> Self {
        Self::new(code).with(Detail::Fields([FieldError { path: path.into(), problem: problem.into() }].into()))
    }

    /// The HTTP status that the Worker answers with.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        if let Some(status) = self.status {
            return status;
        }
        if self.passes() {
            return 503;
        }
        match (self.code, &self.detail) {
            (Code::UpstreamRejected, Detail::Status(status)) if *status >= 400 && *status < 500 => *status,
            (code, _) => code.http_status(),
        }
    }

    /// One sentence for people, without anything of the request.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        if self.passes() {
            "The gateway is being updated or restarted: try again in a few seconds."
        } else if matches!(self.detail, Detail::Network(NetworkKind::Offline | NetworkKind::Cors)) || self.never_fits()
        {
            self.special()
        } else {
            self.code.message()
        }
    }

    #[inline(never)]
    const fn special(&self) -> &'static str {
        match self.detail {
            Detail::Network(NetworkKind::Cors) => {
                "The provider lets no page read its answers (CORS): ask it through a relay, such as the Worker."
            }
            Detail::Network(_) => "This device is offline: nothing was sent.",
            _ => "This request alone could cost more than the whole spending cap: lower max_tokens, or raise the cap.",
        }
    }

    /// Whether a request's bound is above the cap itself: the ledger states a wait with every other refusal.
    #[must_use]
    pub const fn never_fits(&self) -> bool {
        matches!(self.detail, Detail::Budget { .. }) && self.retry_after.is_none()
    }

    /// Whether it is only known that this device had no network: nobody was asked, and nobody failed.
    #[must_use]
    pub const fn is_offline(&self) -> bool {
        matches!(self.detail, Detail::Network(NetworkKind::Offline))
    }

    /// Whether an SDK that honours `x-should-retry` shall try again: only after a short wait of our own.
    #[must_use]
    pub fn should_retry(&self) -> bool {
        (self.code == Code::RateLimited || self.passes())
            && self.retry_after.is_some_and(|wait| wait <= Duration::from_secs(60))
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<Code> for Box<Error> {
    fn from(code: Code) -> Self {
        Self::new(Error::new(code))
    }
}

/// A result whose error is boxed: errors are rare and large, answers are frequent.
pub type Result<T, E = Box<Error>> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_wait_of_our_own_invites_a_retry() {
        let wait = |code, seconds| Error::new(code).after(Duration::from_secs(seconds)).should_retry();
        assert!(wait(Code::RateLimited, 60));
        assert!(!wait(Code::RateLimited, 61));
        assert!(!wait(Code::UpstreamLimited, 1));
        assert!(!Error::new(Code::RateLimited).should_retry());
    }

    #[test]
    fn a_deploy_passes_and_no_other_failure_of_ours_does() {
        let deploying = Error::deploying();
        assert_eq!((deploying.http_status(), deploying.should_retry()), (503, true));
        assert!(deploying.message().contains("being updated"));
        let failed = Error::new(Code::Internal);
        assert_eq!((failed.http_status(), failed.should_retry()), (500, false));
        assert_eq!(failed.message(), Code::Internal.message());
    }

    #[test]
    fn a_failure_of_the_network_says_what_helps_where_it_is_known() {
        let told = |kind| Error::new(Code::UpstreamFailed).with(Detail::Network(kind)).message();
        assert!(told(NetworkKind::Cors).contains("relay"));
        assert!(told(NetworkKind::Offline).contains("offline"));
        assert_eq!(told(NetworkKind::Network), Code::UpstreamFailed.message());
    }

    #[test]
    fn timers_have_stable_names() {
        use TimeoutKind::{Attempt, FirstOutput, Headers, Idle, Total};
        let names = [Attempt, Total, Headers, FirstOutput, Idle].map(TimeoutKind::as_str);
        assert_eq!(names, ["attempt", "total", "headers", "first-output", "idle"]);
    }

    #[test]
    fn a_refusal_keeps_the_providers_own_status() {
        assert_eq!(Error::new(Code::UpstreamRejected).with(Detail::Status(413)).http_status(), 413);
        for (status, told) in [(302, 502), (399, 502), (400, 400), (499, 499), (500, 502)] {
            assert_eq!(Error::new(Code::UpstreamRejected).with(Detail::Status(status)).http_status(), told, "{status}");
        }
    }
}

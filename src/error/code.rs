//! The codes and their tables.
#![deny(clippy::wildcard_enum_match_arm)] // a new code must be placed in every table

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong. The texts are stable and part of the public API.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name, as programs see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                // All that is told where the rest of the Wasm cannot be had; the names of the others come with it.
                if matches!(self, Self::Internal) {
                    "internal"
                } else if matches!(self, Self::Aborted) {
                    "aborted"
                } else {
                    self.name()
                }
            }

            #[inline(never)]
            const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The code of a stable name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

codes! {
    /// The request, or what a method was given, is not valid.
    InvalidRequest = "invalid_request",
    /// The configuration is not valid; the fields are named.
    ConfigInvalid = "config_invalid",
    /// The request carries a secret.
    SecretDetected = "secret_detected",
    /// The caller is not known.
    Unauthorized = "unauthorized",
    /// The caller is known and not allowed.
    Forbidden = "forbidden",
    /// One of our own rate limits.
    RateLimited = "rate_limited",
    /// The spending cap leaves no room for this request.
    BudgetExceeded = "budget_exceeded",
    /// Too many requests at once.
    QueueFull = "queue_full",
    /// No target can take this request.
    NoTarget = "no_target",
    /// The target's circuit is open.
    CircuitOpen = "circuit_open",
    /// The provider refused the key.
    Authentication = "authentication",
    /// The provider does not know the model, or no longer offers it.
    ModelNotFound = "model_not_found",
    /// The prompt does not fit the model's context.
    ContextLength = "context_length",
    /// The account at the provider has no credit left.
    Quota = "quota",
    /// The provider refused the request for another reason (4xx, or a redirect, which is never followed).
    UpstreamRejected = "upstream_rejected",
    /// A part of the request has no bounded price.
    UnpricedInput = "unpriced_input",
    /// The gateway does not serve this endpoint.
    UnsupportedEndpoint = "unsupported_endpoint",
    /// The provider asks to slow down.
    UpstreamLimited = "upstream_limited",
    /// The provider or the network failed.
    UpstreamFailed = "upstream_failed",
    /// The provider answered with something that is no answer.
    UpstreamMalformed = "upstream_malformed",
    /// A timer ran out.
    Timeout = "timeout",
    /// An answer was cut after its first output.
    StreamInterrupted = "stream_interrupted",
    /// The caller aborted.
    Aborted = "aborted",
    /// The vault is locked, or the passphrase is wrong.
    VaultLocked = "vault_locked",
    /// A stored record is not what was stored.
    VaultCorrupt = "vault_corrupt",
    /// The gate was closed, by its owner or because its name was opened with another configuration.
    Closed = "closed",
    /// A defect of the gateway, or of the storage under it.
    Internal = "internal",
}

const ABORTED: &str = "The request was aborted.";
const INTERNAL: &str = "The gateway or its storage failed.";

/// What an outcome means to the circuit breaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerOutcome {
    /// The target answered.
    Success,
    /// The target is at fault.
    Failure,
    /// Says nothing about the target's health.
    Ignored,
}

/// How a failed attempt may go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// Never at the same target.
    Never,
    /// Once.
    Once,
    /// Only if the stated wait is short enough.
    IfWaitFits,
    /// As often as the configuration, the deadline and the retry budget allow.
    Yes,
}

impl Code {
    /// May the same target be tried again?
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::UpstreamLimited => Retry::IfWaitFits,
            Self::UpstreamFailed | Self::Timeout => Retry::Yes,
            Self::UpstreamMalformed => Retry::Once,
            Self::InvalidRequest
            | Self::ConfigInvalid
            | Self::SecretDetected
            | Self::Unauthorized
            | Self::Forbidden
            | Self::RateLimited
            | Self::BudgetExceeded
            | Self::QueueFull
            | Self::NoTarget
            | Self::CircuitOpen
            | Self::Authentication
            | Self::ModelNotFound
            | Self::ContextLength
            | Self::Quota
            | Self::UpstreamRejected
            | Self::UnpricedInput
            | Self::UnsupportedEndpoint
            | Self::StreamInterrupted
            | Self::Aborted
            | Self::VaultLocked
            | Self::VaultCorrupt
            | Self::Closed
            | Self::Internal => Retry::Never,
        }
    }

    /// May the next target of the plan be tried?
    ///
    /// `rate_limited` moves on only when the bucket is a target's own, `budget_exceeded` only to a
    /// cheaper target, `unpriced_input` only because another target may bound that part: the pipeline
    /// knows these three cases.
    #[must_use]
    pub const fn next_target(self) -> bool {
        match self {
            Self::CircuitOpen
            | Self::Authentication
            | Self::ModelNotFound
            | Self::ContextLength
            | Self::Quota
            | Self::UpstreamLimited
            | Self::UpstreamFailed
            | Self::UpstreamMalformed
            | Self::Timeout
            | Self::RateLimited
            | Self::BudgetExceeded => true,
            Self::InvalidRequest
            | Self::ConfigInvalid
            | Self::SecretDetected
            | Self::Unauthorized
            | Self::Forbidden
            | Self::QueueFull
            | Self::NoTarget
            | Self::UpstreamRejected
            | Self::UnpricedInput
            | Self::UnsupportedEndpoint
            | Self::StreamInterrupted
            | Self::Aborted
            | Self::VaultLocked
            | Self::VaultCorrupt
            | Self::Closed
            | Self::Internal => false,
        }
    }

    /// What the breaker records when an attempt ends so.
    #[must_use]
    pub const fn breaker(self) -> BreakerOutcome {
        match self {
            Self::UpstreamFailed | Self::UpstreamMalformed | Self::Timeout | Self::StreamInterrupted => {
                BreakerOutcome::Failure
            }
            Self::InvalidRequest
            | Self::ConfigInvalid
            | Self::SecretDetected
            | Self::Unauthorized
            | Self::Forbidden
            | Self::RateLimited
            | Self::BudgetExceeded
            | Self::QueueFull
            | Self::NoTarget
            | Self::CircuitOpen
            | Self::Authentication
            | Self::ModelNotFound
            | Self::ContextLength
            | Self::Quota
            | Self::UpstreamRejected
            | Self::UnpricedInput
            | Self::UnsupportedEndpoint
            | Self::UpstreamLimited
            | Self::Aborted
            | Self::VaultLocked
            | Self::VaultCorrupt
            | Self::Closed
            | Self::Internal => BreakerOutcome::Ignored,
        }
    }

    /// The HTTP status that the Worker answers with. `upstream_rejected` passes the provider's own 4xx
    /// on (see [`Error::http_status`](super::Error::http_status)); `aborted` has no reader, 499 is for logs.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthorized => 401,
            Self::BudgetExceeded => 402,
            Self::Forbidden => 403,
            Self::SecretDetected | Self::UnpricedInput => 422,
            Self::VaultLocked => 423,
            Self::RateLimited | Self::UpstreamLimited => 429,
            Self::Aborted => 499,
            Self::ConfigInvalid | Self::VaultCorrupt | Self::Internal => 500,
            Self::UnsupportedEndpoint => 501,
            Self::Authentication
            | Self::ModelNotFound
            | Self::ContextLength
            | Self::Quota
            | Self::UpstreamRejected
            | Self::UpstreamFailed
            | Self::UpstreamMalformed
            | Self::StreamInterrupted => 502,
            Self::QueueFull | Self::NoTarget | Self::CircuitOpen => 503,
            Self::Timeout => 504,
            Self::Closed => 410,
        }
    }

    /// One sentence for people, without anything of the request.
    #[must_use]
    pub const fn message(self) -> &'static str {
        // As with the names.
        if matches!(self, Self::Internal) {
            INTERNAL
        } else if matches!(self, Self::Aborted) {
            ABORTED
        } else {
            self.sentence()
        }
    }

    #[inline(never)]
    const fn sentence(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is not valid.",
            Self::ConfigInvalid => "The configuration is not valid.",
            Self::SecretDetected => "The request carries a secret.",
            Self::Unauthorized => "The caller is not known: send a valid bearer token.",
            Self::Forbidden => "The caller is not allowed to do this.",
            Self::RateLimited => "Too many requests: wait for the stated time.",
            Self::BudgetExceeded => "The spending cap leaves no room for this request until it resets.",
            Self::QueueFull => "Too many requests at once: try again when one has ended.",
            Self::NoTarget => "No target can take this request: add a key, or change the targets.",
            Self::CircuitOpen => "The target failed repeatedly and rests for a while.",
            Self::Authentication => "The provider refused the key: check it, or put a new one into the vault.",
            Self::ModelNotFound => "The provider does not offer this model.",
            Self::ContextLength => "The prompt is longer than the model can take.",
            Self::Quota => "The account at the provider has no credit left.",
            Self::UpstreamRejected => "The provider refused the request.",
            Self::UnpricedInput => "The price of this request has no known bound.",
            Self::UnsupportedEndpoint => "This endpoint or option is not supported.",
            Self::UpstreamLimited => "The provider asks to slow down.",
            Self::UpstreamFailed => "The provider or the network failed.",
            Self::UpstreamMalformed => "The provider's answer could not be read.",
            Self::Timeout => "The time for an answer ran out.",
            Self::StreamInterrupted => "The answer was cut before its end.",
            Self::VaultLocked => "The vault is locked: unlock it with its passphrase.",
            Self::VaultCorrupt => "A stored record is damaged or of another version; it was left as it is.",
            Self::Closed => "The gate was closed, or its name was opened with another configuration.",
            Self::Aborted => ABORTED,
            Self::Internal => INTERNAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of DESIGN.md, line by line: code, retry, next target, breaker, status.
    #[test]
    fn the_table_is_the_documented_one() {
        use BreakerOutcome::{Failure, Ignored};
        use Retry::{IfWaitFits, Never, Once, Yes};
        let table = [
            ("invalid_request", Never, false, Ignored, 400),
            ("config_invalid", Never, false, Ignored, 500),
            ("secret_detected", Never, false, Ignored, 422),
            ("unauthorized", Never, false, Ignored, 401),
            ("forbidden", Never, false, Ignored, 403),
            ("rate_limited", Never, true, Ignored, 429),
            ("budget_exceeded", Never, true, Ignored, 402),
            ("queue_full", Never, false, Ignored, 503),
            ("no_target", Never, false, Ignored, 503),
            ("circuit_open", Never, true, Ignored, 503),
            ("authentication", Never, true, Ignored, 502),
            ("model_not_found", Never, true, Ignored, 502),
            ("context_length", Never, true, Ignored, 502),
            ("quota", Never, true, Ignored, 502),
            ("upstream_rejected", Never, false, Ignored, 502),
            ("unpriced_input", Never, false, Ignored, 422),
            ("unsupported_endpoint", Never, false, Ignored, 501),
            ("upstream_limited", IfWaitFits, true, Ignored, 429),
            ("upstream_failed", Yes, true, Failure, 502),
            ("upstream_malformed", Once, true, Failure, 502),
            ("timeout", Yes, true, Failure, 504),
            ("stream_interrupted", Never, false, Failure, 502),
            ("aborted", Never, false, Ignored, 499),
            ("vault_locked", Never, false, Ignored, 423),
            ("vault_corrupt", Never, false, Ignored, 500),
            ("closed", Never, false, Ignored, 410),
            ("internal", Never, false, Ignored, 500),
        ];
        assert_eq!(table.len(), Code::ALL.len());
        for (code, row) in Code::ALL.iter().zip(table) {
            let own = (code.as_str(), code.retry(), code.next_target(), code.breaker(), code.http_status());
            assert_eq!(own, row);
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.message().ends_with('.'), "{code:?}");
        }
    }
}

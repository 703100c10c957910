//! The codes and their table.
#![deny(clippy::wildcard_enum_match_arm)] // a new code must be placed in every table

/// A row for each code: its name, whether the same target is tried again, whether the next one is, what the breaker
/// records, the HTTP status, and a sentence.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $retry:ident, $next:literal, $breaker:ident, $status:literal,
        $sentence:expr;)*) => {
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
                // These two are told also where the second part of the Wasm cannot be had, with which the others come.
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

            /// May the same target be tried again?
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// May the next target of the plan be tried?
            ///
            /// `rate_limited` moves on only when the bucket is a target's own, `budget_exceeded` only to a
            /// cheaper target: the pipeline knows these two cases.
            #[must_use]
            pub const fn next_target(self) -> bool {
                match self { $(Self::$name => $next,)* }
            }

            /// What the breaker records when an attempt ends so.
            #[must_use]
            pub const fn breaker(self) -> BreakerOutcome {
                match self { $(Self::$name => BreakerOutcome::$breaker,)* }
            }

            /// The HTTP status that the Worker answers with. `upstream_rejected` passes the provider's own 4xx
            /// on (see [`Error::http_status`](super::Error::http_status)); `aborted` has no reader, 499 is for logs.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// One sentence for people, without anything of the request.
            #[must_use]
            pub const fn message(self) -> &'static str {
                // These two first, for the same reason as in `as_str`.
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
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

const ABORTED: &str = "The request was aborted.";
const INTERNAL: &str = "The gateway or its storage failed.";

codes! {
    /// The request, or what a method was given, is not valid.
    InvalidRequest = "invalid_request", Never, false, Ignored, 400,
        "The request is not valid.";
    /// The configuration is not valid; the fields are named.
    ConfigInvalid = "config_invalid", Never, false, Ignored, 500,
        "The configuration is not valid.";
    /// The request carries a secret.
    SecretDetected = "secret_detected", Never, false, Ignored, 422,
        "The request carries a secret.";
    /// The caller is not known.
    Unauthorized = "unauthorized", Never, false, Ignored, 401,
        "The caller is not known: send a valid bearer token.";
    /// The caller is known and not allowed.
    Forbidden = "forbidden", Never, false, Ignored, 403,
        "The caller is not allowed to do this.";
    /// One of our own rate limits.
    RateLimited = "rate_limited", Never, true, Ignored, 429,
        "Too many requests: wait for the stated time.";
    /// The spending cap leaves no room for this request.
    BudgetExceeded = "budget_exceeded", Never, true, Ignored, 402,
        "The spending cap leaves no room for this request until it resets.";
    /// Too many requests at once.
    QueueFull = "queue_full", Never, false, Ignored, 503,
        "Too many requests at once: try again when one has ended.";
    /// No target can take this request.
    NoTarget = "no_target", Never, false, Ignored, 503,
        "No target can take this request: add a key, or change the targets.";
    /// The target's circuit is open.
    CircuitOpen = "circuit_open", Never, true, Ignored, 503,
        "The target failed repeatedly and rests for a while.";
    /// The provider refused the key.
    Authentication = "authentication", Never, true, Ignored, 502,
        "The provider refused the key: check it, or put a new one into the vault.";
    /// The provider does not know the model, or no longer offers it.
    ModelNotFound = "model_not_found", Never, true, Ignored, 502,
        "The provider does not offer this model.";
    /// The prompt does not fit the model's context. Agents know it by Anthropic's words or OpenAI's, and shorten the
    /// conversation: the sentence has both.
    ContextLength = "context_length", Never, true, Ignored, 502,
        "The prompt is too long: it exceeds the context window of the model.";
    /// The account at the provider has no credit left.
    Quota = "quota", Never, true, Ignored, 502,
        "The account at the provider has no credit left.";
    /// The provider refused the request for another reason (4xx, or a redirect, which is never followed).
    UpstreamRejected = "upstream_rejected", Never, false, Ignored, 502,
        "The provider refused the request.";
    /// A part of the request has no bounded price.
    UnpricedInput = "unpriced_input", Never, false, Ignored, 422,
        "The price of this request has no known bound.";
    /// The gateway does not serve this endpoint.
    UnsupportedEndpoint = "unsupported_endpoint", Never, false, Ignored, 501,
        "This endpoint or option is not supported.";
    /// The provider asks to slow down.
    UpstreamLimited = "upstream_limited", IfWaitFits, true, Ignored, 429,
        "The provider asks to slow down.";
    /// The provider or the network failed.
    UpstreamFailed = "upstream_failed", Yes, true, Failure, 502,
        "The provider or the network failed.";
    /// The provider answered with something that is no answer.
    UpstreamMalformed = "upstream_malformed", Once, true, Failure, 502,
        "The provider's answer could not be read.";
    /// A timer ran out.
    Timeout = "timeout", Yes, true, Failure, 504,
        "The time for an answer ran out.";
    /// An answer was cut after its first output.
    StreamInterrupted = "stream_interrupted", Never, false, Failure, 502,
        "The answer was cut before its end.";
    /// The caller aborted.
    Aborted = "aborted", Never, false, Ignored, 499, ABORTED;
    /// The vault is locked, or the passphrase is wrong.
    VaultLocked = "vault_locked", Never, false, Ignored, 423,
        "The vault is locked: unlock it.";
    /// A stored record is not what was stored.
    VaultCorrupt = "vault_corrupt", Never, false, Ignored, 500,
        "A stored record is damaged or of another version; it was left as it is.";
    /// The gate was closed, by its owner or because its name was opened with another configuration.
    Closed = "closed", Never, false, Ignored, 410,
        "The gate was closed, or its name was opened with another configuration.";
    /// A defect of the gateway, or of the storage under it.
    Internal = "internal", Never, false, Ignored, 500, INTERNAL;
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn all(is: impl Fn(Code) -> bool) -> Vec<&'static str> {
        Code::ALL.iter().filter(|code| is(**code)).map(|code| code.as_str()).collect()
    }

    #[test]
    fn a_code_has_one_name_and_one_sentence() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.message().ends_with('.'), "{code:?}");
            assert_eq!(all(|other| other.message() == code.message()).len(), 1, "{code:?}");
        }
        assert_eq!(Code::parse("Internal"), None);
    }

    #[test]
    fn agents_know_a_prompt_that_is_too_long() {
        // @langchain/openai's `ContextOverflowError`; what makes other agents compact a conversation.
        for words in ["exceeds the context window", "rompt is too long"] {
            assert!(Code::ContextLength.message().contains(words), "{words}");
        }
    }

    /// The table by its columns: what is tried again may cost money, and what the breaker counts may shut a target out.
    #[test]
    fn only_these_go_on_or_count() {
        assert_eq!(all(|code| code.retry() == Retry::Yes), ["upstream_failed", "timeout"]);
        assert_eq!(all(|code| code.retry() == Retry::Once), ["upstream_malformed"]);
        assert_eq!(all(|code| code.retry() == Retry::IfWaitFits), ["upstream_limited"]);
        assert_eq!(
            all(Code::next_target),
            [
                "rate_limited",
                "budget_exceeded",
                "circuit_open",
                "authentication",
                "model_not_found",
                "context_length",
                "quota",
                "upstream_limited",
                "upstream_failed",
                "upstream_malformed",
                "timeout"
            ]
        );
        assert_eq!(
            all(|code| code.breaker() == BreakerOutcome::Failure),
            ["upstream_failed", "upstream_malformed", "timeout", "stream_interrupted"]
        );
        assert_eq!(all(|code| code.breaker() == BreakerOutcome::Success), [""; 0]);
    }

    #[test]
    fn who_calls_is_told_by_the_status_whose_fault_it_is() {
        let with = |status| all(|code| code.http_status() == status);
        assert_eq!(with(400), ["invalid_request"]);
        assert_eq!(with(401), ["unauthorized"]);
        assert_eq!(with(402), ["budget_exceeded"]);
        assert_eq!(with(403), ["forbidden"]);
        assert_eq!(with(410), ["closed"]);
        assert_eq!(with(422), ["secret_detected", "unpriced_input"]);
        assert_eq!(with(423), ["vault_locked"]);
        assert_eq!(with(429), ["rate_limited", "upstream_limited"]);
        assert_eq!(with(499), ["aborted"]);
        assert_eq!(with(503), ["queue_full", "no_target", "circuit_open"]);
        assert_eq!(with(504), ["timeout"]);
        assert!(all(|code| code.http_status() < 400 || code.http_status() > 504).is_empty());
    }
}

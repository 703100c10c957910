//! Which failures of a run are worth another one.
#![deny(clippy::wildcard_enum_match_arm)] // a new code must be placed here

use crate::error::Code;

/// What becomes of an item whose run failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// It would fail again: a dead letter.
    Never,
    /// A refusal of our own before anything was sent: it waits, and is not counted as a retry. The deadline bounds it.
    Waits,
    /// A transient failure: it waits, and is counted.
    Retries,
}

/// The table, code by code.
#[must_use]
pub const fn again(code: Code) -> Again {
    match code {
        Code::RateLimited
        | Code::BudgetExceeded
        | Code::QueueFull
        | Code::CircuitOpen
        | Code::UpstreamLimited
        | Code::VaultLocked
        | Code::Closed => Again::Waits,
        Code::UpstreamFailed
        | Code::UpstreamMalformed
        | Code::Timeout
        | Code::StreamInterrupted
        | Code::Aborted
        | Code::NoTarget
        | Code::Internal => Again::Retries,
        Code::InvalidRequest
        | Code::ConfigInvalid
        | Code::SecretDetected
        | Code::Unauthorized
        | Code::Forbidden
        | Code::Authentication
        | Code::ModelNotFound
        | Code::ContextLength
        | Code::Quota
        | Code::UpstreamRejected
        | Code::UnpricedInput
        | Code::UnsupportedEndpoint
        | Code::VaultCorrupt => Again::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Retry;

    #[test]
    fn what_the_pipeline_retries_the_queue_does_too() {
        for code in Code::ALL {
            if code.retry() == Retry::Yes || code.retry() == Retry::Once {
                assert_eq!(again(*code), Again::Retries, "{code:?}");
            }
            if matches!(code.http_status(), 400 | 401 | 403 | 422) {
                assert_eq!(again(*code), Again::Never, "{code:?}");
            }
        }
    }
}

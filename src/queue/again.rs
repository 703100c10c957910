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

/// The table, code by code. `waits`: a wait was stated, as where a failure of ours passes by itself.
#[must_use]
pub const fn again(code: Code, waits: bool) -> Again {
    match code {
        // A Worker is being deployed, or the ledger is of a newer version than this build: another one goes on with it.
        Code::Internal | Code::VaultCorrupt if waits => Again::Waits,
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
                assert_eq!(again(*code, false), Again::Retries, "{code:?}");
            }
            if matches!(code.http_status(), 400 | 401 | 403 | 422) {
                assert_eq!(again(*code, false), Again::Never, "{code:?}");
            }
        }
    }

    #[test]
    fn what_another_build_will_do_is_no_failure() {
        let rows = |waits| [Code::Internal, Code::VaultCorrupt, Code::InvalidRequest].map(|code| again(code, waits));
        assert_eq!(rows(false), [Again::Retries, Again::Never, Again::Never]);
        assert_eq!(rows(true), [Again::Waits, Again::Waits, Again::Never]);
    }
}

//! Retry, next target, or stop: one decision.

use std::time::Duration;

use super::backoff::full_jitter;
use super::classify::Verdict;
use crate::config::RetryConfig;
use crate::error::{Code, Retry};

/// How an attempt failed, as far as the next step depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// The wait the provider asks for.
    pub wait: Option<Duration>,
    /// The provider forbids a retry at this target.
    pub stop: bool,
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { code, wait: None, stop: false }
    }
}

impl From<Verdict> for Failure {
    fn from(verdict: Verdict) -> Self {
        Self { code: verdict.code, wait: verdict.wait, stop: verdict.stop }
    }
}

/// Where the request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Retries already made at this target.
    pub retries: u32,
    /// Time left until the deadline of the whole request.
    pub remaining: Duration,
    /// Another target of the plan could be admitted. For `rate_limited` and `budget_exceeded` the caller
    /// says so only if the bucket is the target's own, or the other target is cheaper.
    pub elsewhere: bool,
}

/// Where the length of a wait comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitReason {
    /// Drawn.
    Backoff,
    /// Stated by the provider.
    RetryAfter,
}

impl WaitReason {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::RetryAfter => "retry-after",
        }
    }
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Wait, then try the same target again.
    Retry {
        /// How long.
        wait: Duration,
        /// Why so long.
        reason: WaitReason,
    },
    /// Try the next target now.
    NextTarget,
    /// Give up and report; a stated wait becomes the error's `retry_after`.
    Stop,
}

/// Decides the next step. `draw` is any random number, for the jitter; a retry is asked of `may_retry`
/// (the gate's retry budget) only if everything else allows it.
///
/// A stated wait is slept up to `short_wait` while another target could be admitted, else up to `cap`;
/// one of zero says nothing, since nobody shall be hit three times in a row. No wait reaches the deadline.
/// The jitter before a retry of `upstream_limited` counts like a stated wait: that target is not failing,
/// it is full, and the next one is not.
#[must_use]
pub fn next_step(
    config: &RetryConfig,
    failure: Failure,
    position: Position,
    draw: u64,
    may_retry: &mut dyn FnMut() -> bool,
) -> Step {
    let elsewhere = position.elsewhere && failure.code.next_target();
    let give_up = if elsewhere { Step::NextTarget } else { Step::Stop };
    let (most, wait_must_fit) = match failure.code.retry() {
        Retry::Never => (0, true),
        Retry::Once => (config.max_retries.min(1), false),
        Retry::IfWaitFits => (config.max_retries, true),
        Retry::Yes => (config.max_retries, false),
    };
    if failure.stop || position.retries >= most {
        return give_up;
    }
    let (wait, reason) = match failure.wait {
        Some(wait) if !wait.is_zero() => (wait, WaitReason::RetryAfter),
        Some(_) | None => (full_jitter(config, position.retries.saturating_add(1), draw), WaitReason::Backoff),
    };
    let weighed = wait_must_fit || reason == WaitReason::RetryAfter;
    let longest = if elsewhere && weighed { config.short_wait.min(config.cap) } else { config.cap };
    if wait > longest || wait >= position.remaining || !may_retry() {
        return give_up;
    }
    Step::Retry { wait, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Position = Position { retries: 0, remaining: Duration::from_secs(120), elsewhere: true };
    const LAST_TARGET: Position = Position { elsewhere: false, ..FIRST };

    fn decide(failure: Failure, position: Position) -> Step {
        let config = RetryConfig::default();
        next_step(&config, failure, position, 700, &mut || true)
    }

    fn stated(code: Code, millis: u64) -> Failure {
        Failure { wait: Some(Duration::from_millis(millis)), ..code.into() }
    }

    const fn backoff(millis: u64) -> Step {
        Step::Retry { wait: Duration::from_millis(millis), reason: WaitReason::Backoff }
    }

    const fn slept(millis: u64) -> Step {
        Step::Retry { wait: Duration::from_millis(millis), reason: WaitReason::RetryAfter }
    }

    #[test]
    fn every_code_takes_the_step_of_its_row() {
        for code in Code::ALL.iter().copied() {
            let (here, onward) = (code.retry() != Retry::Never, code.next_target());
            let otherwise = if onward { Step::NextTarget } else { Step::Stop };
            assert_eq!(decide(code.into(), FIRST), if here { backoff(700) } else { otherwise }, "{code:?}");
            assert_eq!(decide(code.into(), LAST_TARGET), if here { backoff(700) } else { Step::Stop }, "{code:?}");
            let exhausted = Position { retries: 3, ..FIRST };
            assert_eq!(decide(code.into(), exhausted), otherwise, "{code:?}");
            let final_word = Failure { stop: true, ..code.into() };
            assert_eq!(decide(final_word, FIRST), otherwise, "{code:?}");
            assert_eq!(decide(final_word, LAST_TARGET), Step::Stop, "{code:?}");
        }
    }

    #[test]
    fn a_stated_wait_is_slept_if_short_or_without_alternative() {
        for code in [Code::UpstreamLimited, Code::UpstreamFailed] {
            assert_eq!(decide(stated(code, 2_000), FIRST), slept(2_000));
            assert_eq!(decide(stated(code, 2_001), FIRST), Step::NextTarget);
            assert_eq!(decide(stated(code, 2_001), LAST_TARGET), slept(2_001));
            assert_eq!(decide(stated(code, 60_000), LAST_TARGET), slept(60_000));
            assert_eq!(decide(stated(code, 60_001), LAST_TARGET), Step::Stop);
            assert_eq!(decide(stated(code, u64::MAX), FIRST), Step::NextTarget);
            assert_eq!(decide(stated(code, 0), FIRST), backoff(700), "zero says nothing");
        }
        let capped = RetryConfig { cap: Duration::from_secs(1), ..RetryConfig::default() };
        let wait = stated(Code::UpstreamLimited, 1_001);
        assert_eq!(next_step(&capped, wait, FIRST, 0, &mut || true), Step::NextTarget, "short, but above the cap");
        assert_eq!(decide(stated(Code::Quota, 1), FIRST), Step::NextTarget);
        assert_eq!(decide(stated(Code::UpstreamRejected, 1), FIRST), Step::Stop);
    }

    #[test]
    fn no_wait_reaches_the_deadline() {
        let left = |millis, elsewhere| Position { remaining: Duration::from_millis(millis), elsewhere, ..FIRST };
        assert_eq!(decide(stated(Code::UpstreamLimited, 1_500), left(1_500, true)), Step::NextTarget);
        assert_eq!(decide(stated(Code::UpstreamLimited, 1_500), left(1_500, false)), Step::Stop);
        assert_eq!(decide(stated(Code::UpstreamLimited, 1_500), left(1_501, false)), slept(1_500));
        assert_eq!(decide(Code::UpstreamFailed.into(), left(700, true)), Step::NextTarget);
        assert_eq!(decide(Code::Timeout.into(), left(700, false)), Step::Stop);
        assert_eq!(decide(Code::Timeout.into(), left(701, false)), backoff(700));
    }

    #[test]
    fn malformed_answers_get_one_retry() {
        let second = Position { retries: 1, ..FIRST };
        assert_eq!(decide(Code::UpstreamMalformed.into(), second), Step::NextTarget);
        assert_eq!(decide(Code::UpstreamFailed.into(), second), backoff(700));
        let config = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        assert_eq!(next_step(&config, Code::UpstreamMalformed.into(), FIRST, 0, &mut || true), Step::NextTarget);
    }

    #[test]
    fn a_full_target_is_left_when_the_jitter_is_long() {
        let config = RetryConfig::default();
        let third = Position { retries: 2, ..FIRST };
        let step = |code: Code, position| next_step(&config, code.into(), position, 3_000, &mut || true);
        assert_eq!(step(Code::UpstreamLimited, third), Step::NextTarget);
        assert_eq!(step(Code::UpstreamLimited, Position { elsewhere: false, ..third }), backoff(3_000));
        assert_eq!(step(Code::UpstreamFailed, third), backoff(3_000));
    }

    #[test]
    fn only_a_retry_that_happens_is_taken_from_the_budget() {
        let config = RetryConfig::default();
        let mut left = 1;
        let mut ask = || std::mem::take(&mut left) == 1;
        let mut step = |failure, position| next_step(&config, failure, position, 0, &mut ask);
        assert_eq!(step(stated(Code::UpstreamLimited, 9_000), FIRST), Step::NextTarget);
        assert_eq!(step(Code::Quota.into(), FIRST), Step::NextTarget);
        assert_eq!(step(Code::UpstreamFailed.into(), Position { retries: 3, ..FIRST }), Step::NextTarget);
        assert_eq!(step(Code::UpstreamFailed.into(), FIRST), backoff(0));
        assert_eq!(step(Code::UpstreamFailed.into(), FIRST), Step::NextTarget);
        assert_eq!(step(Code::UpstreamFailed.into(), LAST_TARGET), Step::Stop);
    }
}

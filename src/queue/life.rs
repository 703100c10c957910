//! What happens to an item after it came: leased, ended, put back, swept. Each decision is about one row.

use std::time::Duration;

use super::again::{Again, again};
use super::item::{Item, State};
use crate::config::QueueConfig;
use crate::error::Code;
use crate::time::Timestamp;

/// The right to run an item once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// Who holds it: drawn anew by each process, tab and object that begins.
    pub holder: u64,
    /// Which run of the item it is.
    pub attempt: u32,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// With an error.
    Failed {
        /// Which.
        code: Code,
        /// How long to wait, if that was said.
        wait: Option<Duration>,
    },
    /// Whoever ran it stops and gives it back, as it was.
    GivenBack,
}

impl Item {
    /// Leases the item, whose turn it is. One whose deadline has passed is dead instead; one that is not queued stays
    /// as it is.
    #[must_use]
    pub fn lease(&self, holder: u64, config: &QueueConfig, now: Timestamp) -> Self {
        match self.state {
            State::Queued if self.deadline <= now => self.dead(Code::Timeout, now),
            State::Queued => {
                let until = now.after(config.lease);
                Self {
                    state: State::Running { holder, until },
                    attempts: self.attempts.saturating_add(1),
                    ..self.clone()
                }
            }
            State::Delayed { .. }
            | State::Running { .. }
            | State::Completed
            | State::Dead { .. }
            | State::Cancelled => self.clone(),
        }
    }

    /// Records how a run ended; `None` if its lease is not held any more: then nothing of it is recorded.
    ///
    /// `draw` is any random number, for the back-off.
    #[must_use]
    pub fn finish(
        &self,
        lease: Lease,
        outcome: Outcome,
        draw: u64,
        config: &QueueConfig,
        now: Timestamp,
    ) -> Option<Self> {
        self.is_held_by(lease).then(|| match outcome {
            Outcome::Answered => Self { state: State::Completed, ended_at: now, ..self.clone() },
            Outcome::GivenBack => self.give_back(),
            Outcome::Failed { code, wait } => self.failed(code, wait, draw, config, now),
        })
    }

    /// Keeps a run alive; `None` if its lease is not held any more: the run is to be aborted.
    #[must_use]
    pub fn renew(&self, lease: Lease, config: &QueueConfig, now: Timestamp) -> Option<Self> {
        let state = State::Running { holder: lease.holder, until: now.after(config.lease) };
        self.is_held_by(lease).then(|| Self { state, ..self.clone() })
    }

    /// Puts an item back whose runner is known to be gone: perhaps because of the item, so it counts as a failure.
    #[must_use]
    pub fn reclaim(&self, now: Timestamp) -> Self {
        match self.state {
            State::Running { .. } => self.counted(Code::Internal, now, |item| item.state = State::Queued),
            State::Queued | State::Delayed { .. } | State::Completed | State::Dead { .. } | State::Cancelled => {
                self.clone()
            }
        }
    }

    /// Puts an item back whose runner was stopped: people close tabs, and no item is to blame for that.
    #[must_use]
    pub fn give_back(&self) -> Self {
        match self.state {
            State::Running { .. } => Self { state: State::Queued, ..self.clone() },
            State::Queued | State::Delayed { .. } | State::Completed | State::Dead { .. } | State::Cancelled => {
                self.clone()
            }
        }
    }

    /// Takes the item back, as the caller wishes. One that has ended stays as it is.
    #[must_use]
    pub fn cancel(&self, now: Timestamp) -> Self {
        if self.is_open() { Self { state: State::Cancelled, ended_at: now, ..self.clone() } } else { self.clone() }
    }

    /// What the time has made of it; `None`: it is to be erased.
    #[must_use]
    pub fn sweep(&self, config: &QueueConfig, now: Timestamp) -> Option<Self> {
        if self.index(config).due > now {
            return Some(self.clone());
        }
        match self.state {
            State::Queued => Some(self.dead(Code::Timeout, now)),
            State::Delayed { .. } | State::Running { .. } if self.deadline <= now => {
                Some(self.dead(Code::Timeout, now))
            }
            State::Delayed { .. } => Some(Self { state: State::Queued, ..self.clone() }),
            State::Running { .. } => Some(self.reclaim(now)),
            State::Completed | State::Dead { .. } | State::Cancelled => None,
        }
    }

    /// The same after the clock, which had shown `seen`, was set back to `now`: what was to wait beyond `seen` waits as
    /// long as was meant, and what ended in a time that has not come yet ended now. `None` if that changes nothing.
    #[must_use]
    pub fn set_back(&self, seen: Timestamp, now: Timestamp) -> Option<Self> {
        match self.state {
            State::Delayed { until, code } if until > seen => {
                let until = until.before(seen.since(now));
                Some(Self { state: State::Delayed { until, code }, ..self.clone() })
            }
            State::Completed | State::Dead { .. } | State::Cancelled if self.ended_at > now => {
                Some(Self { ended_at: now, ..self.clone() })
            }
            State::Queued
            | State::Delayed { .. }
            | State::Running { .. }
            | State::Completed
            | State::Dead { .. }
            | State::Cancelled => None,
        }
    }

    fn is_held_by(&self, lease: Lease) -> bool {
        matches!(self.state, State::Running { holder, .. } if holder == lease.holder) && self.attempts == lease.attempt
    }

    fn dead(&self, code: Code, now: Timestamp) -> Self {
        Self { state: State::Dead { code }, ended_at: now, ..self.clone() }
    }

    fn failed(&self, code: Code, wait: Option<Duration>, draw: u64, config: &QueueConfig, now: Timestamp) -> Self {
        let delayed = |span: Duration| {
            let until = now.after(span);
            move |item: &mut Self| {
                item.state = State::Delayed { until, code };
                // There is no use in waiting beyond the deadline.
                if until >= item.deadline {
                    *item = item.dead(code, now);
                }
            }
        };
        match again(code, wait.is_some()) {
            Again::Never => self.dead(code, now),
            Again::Waits => {
                let mut item = self.clone();
                let span = if code == Code::BudgetExceeded {
                    // It says when it begins anew. It has room sooner if what is held ends below its bound, or if it is
                    // raised: so it is asked before that, less and less often.
                    let own = backoff(config, self.attempts, config.cap.saturating_mul(SELDOM), draw);
                    own.min(wait.unwrap_or(config.cap))
                } else {
                    backoff(config, self.attempts, config.cap, draw).max(wait.unwrap_or_default())
                };
                delayed(span)(&mut item);
                item
            }
            Again::Retries => {
                let nth = self.failures.saturating_add(1);
                let span = backoff(config, nth, config.cap, draw).max(wait.unwrap_or_default());
                self.counted(code, now, delayed(span))
            }
        }
    }

    /// One failure more: `next` happens if another run may follow.
    fn counted(&self, code: Code, now: Timestamp, next: impl FnOnce(&mut Self)) -> Self {
        let failures = self.failures.saturating_add(1);
        let mut item = Self { failures, ..self.clone() };
        if failures > self.max_retries {
            return item.dead(code, now);
        }
        next(&mut item);
        item
    }
}

/// How many times the cap of other waits one for a budget may be.
const SELDOM: u32 = 10;

/// Doubles up to the cap; the upper half of it is drawn, so that who failed together does not come back together.
fn backoff(config: &QueueConfig, failure: u32, cap: Duration, draw: u64) -> Duration {
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let factor = 1u64.checked_shl(failure.saturating_sub(1)).unwrap_or(u64::MAX);
    let whole = millis(config.base).saturating_mul(factor).min(millis(cap));
    let half = whole / 2;
    Duration::from_millis(half.saturating_add(draw.checked_rem(half.saturating_add(1)).unwrap_or(0)))
}

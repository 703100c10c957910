//! Which attempts failed, and with whose error a request ends, or with what reply in its place.

use super::Run;
use crate::chat::Usage;
use crate::error::{AttemptError, BreakerOutcome, Code, Error};
use crate::gateway::Host;
use crate::gateway::answer::{CostSource, Served, degraded};
use crate::gateway::gate::is_final_upstream;

impl<H: Host> Run<H> {
    /// Attaches who failed, and keeps the primary's error.
    pub(super) fn note_failure(&mut self, index: usize, mut error: Error, status: Option<u16>) -> Error {
        let attempt = self.attempts.max(1);
        error.provider = self.context.gate.config.targets.get(index).map(|target| target.provider.clone());
        error.attempt = Some(attempt);
        self.failed.push(AttemptError { attempt, target: self.name(index), code: error.code, status });
        // The primary is the target that was asked first; of its attempts the last one counts.
        if self.failed.first().is_some_and(|first| first.target == self.name(index)) {
            self.primary = Some(error.clone());
        }
        error
    }

    /// The error to end with: the primary's if all failed upstream, else the one that ended the request.
    pub(super) fn give_up(&mut self, error: Error) -> Box<Error> {
        let code = error.code;
        let upstream = code.breaker() == BreakerOutcome::Failure || matches!(code, Code::UpstreamRejected);
        let shared = code.next_target() || upstream;
        match self.primary.take() {
            Some(primary) if shared => primary.into(),
            _ => error.into(),
        }
    }

    /// The reply that stands in for an answer.
    pub(super) fn degraded(&self, text: &str, #[cfg(feature = "edge")] tried: &[AttemptError]) -> Served {
        let context = &self.context;
        Served {
            body: degraded(context.caller, &context.request_id, text, &context.stamp).into(),
            target: String::new(),
            attempts: self.attempts,
            usage: Usage::default(),
            cost: self.cost,
            own_cost: self.cost,
            cost_source: CostSource::Computed,
            degraded: true,
            #[cfg(feature = "dialects")]
            left_out: crate::chat::LeftOut::default(),
            #[cfg(feature = "edge")]
            tried: tried.into(),
        }
    }
}

/// A reply of ours stands in only for failures upstream, never for our own refusals.
pub(super) const fn is_degradable(code: Code) -> bool {
    is_final_upstream(code) || matches!(code, Code::CircuitOpen | Code::Timeout)
}

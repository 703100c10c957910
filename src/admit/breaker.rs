//! The circuit breaker of one target: closed, open, half-open.

use std::time::Duration;

use super::lease::{Hold, LONGEST};
use crate::config::BreakerConfig;
use crate::error::{BreakerOutcome, Result};
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// Where a circuit stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Circuit {
    Closed,
    /// Refuses until the hold is over.
    Open(Hold),
    /// One probe may run; the hold is the lease of the one that does. The lease is kept here as well as
    /// in the reservation: a probe whose holder vanished must not wedge the circuit.
    HalfOpen(Option<Hold>),
}

/// Leave to make one attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Permit {
    /// The state of the circuit that gave it; its outcome counts only while that state lasts.
    pub(super) generation: u64,
    /// The one attempt of a half-open circuit.
    pub(super) probe: bool,
}

/// What an outcome changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Opened(Timestamp),
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Breaker {
    /// Drawn from a counter that never repeats, so that a permit of a forgotten breaker fits no new one.
    generation: u64,
    /// Consecutive failures, kept while open so that they can be shown.
    failures: u32,
    circuit: Circuit,
}

impl Breaker {
    pub(super) const fn new(generation: u64) -> Self {
        Self { generation, failures: 0, circuit: Circuit::Closed }
    }

    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) const fn circuit(&self) -> Circuit {
        self.circuit
    }

    /// Nothing to remember: a new breaker would do the same. No circuit opens without a failure.
    pub(super) const fn is_idle(&self) -> bool {
        self.failures == 0
    }

    /// Corrects the holds after a clock that went back or a shortened configuration.
    pub(super) fn tick(&mut self, now: Timestamp, config: &BreakerConfig) {
        match &mut self.circuit {
            Circuit::Open(hold) => hold.tick(now, config.open_for),
            Circuit::HalfOpen(Some(lease)) => lease.tick(now, LONGEST),
            Circuit::Closed | Circuit::HalfOpen(None) => {}
        }
    }

    /// Would a permit be given? `true` for a probe; else how long to wait. Changes nothing, so that a
    /// refusal for another reason takes no probe.
    pub(super) fn check(&self, now: Timestamp, config: &BreakerConfig) -> Result<bool, Duration> {
        match self.circuit {
            Circuit::Closed => Ok(false),
            Circuit::Open(hold) if hold.is_over(now) => Ok(true),
            Circuit::Open(hold) => Err(hold.left(now)),
            Circuit::HalfOpen(Some(lease)) if !lease.is_past(now) => {
                // The probe decides: closed at once, or open for `open_for`. Its lease may be far longer.
                Err(lease.left(now).min(config.open_for))
            }
            Circuit::HalfOpen(_) => Ok(true),
        }
    }

    /// Takes what [`Breaker::check`] granted. `generation` is larger than any used before, `lease` that
    /// of the attempt.
    pub(super) fn acquire(&mut self, probe: bool, generation: u64, lease: Hold) -> Permit {
        if probe {
            self.circuit = Circuit::HalfOpen(Some(lease));
            self.generation = generation;
        }
        Permit { generation: self.generation, probe }
    }

    /// Records how an attempt ended. Outcomes of an older generation say nothing about the present
    /// state and are ignored. `fresh` yields a generation larger than any used before.
    pub(super) fn record(
        &mut self,
        permit: Permit,
        outcome: BreakerOutcome,
        now: Timestamp,
        config: &BreakerConfig,
        fresh: impl FnOnce() -> u64,
    ) -> Option<Change> {
        if permit.generation != self.generation {
            return None;
        }
        match (self.circuit, outcome) {
            (Circuit::Closed, BreakerOutcome::Success) => {
                self.failures = 0;
                None
            }
            (Circuit::Closed, BreakerOutcome::Failure) => {
                self.failures = self.failures.saturating_add(1);
                (self.failures >= config.failures).then(|| self.open(now, config))
            }
            (Circuit::HalfOpen(Some(_)), BreakerOutcome::Success) => {
                *self = Self::new(fresh());
                Some(Change::Closed)
            }
            (Circuit::HalfOpen(Some(_)), BreakerOutcome::Failure) => {
                self.failures = self.failures.saturating_add(1);
                Some(self.open(now, config))
            }
            (Circuit::HalfOpen(Some(_)), BreakerOutcome::Ignored) => {
                // Given back: the next attempt probes at once.
                self.circuit = Circuit::HalfOpen(None);
                None
            }
            (Circuit::Closed, BreakerOutcome::Ignored) | (Circuit::Open(_) | Circuit::HalfOpen(None), _) => None,
        }
    }

    /// Keeps the generation: no outcome counts while it is open, and its probe is of a new one.
    fn open(&mut self, now: Timestamp, config: &BreakerConfig) -> Change {
        let hold = Hold::lasting(config.open_for, now);
        self.circuit = Circuit::Open(hold);
        Change::Opened(hold.end())
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.uint(self.generation).uint(self.failures.into());
        match self.circuit {
            Circuit::Closed => drop(writer.byte(0)),
            Circuit::Open(hold) => hold.encode(writer.byte(1)),
            Circuit::HalfOpen(None) => drop(writer.byte(2)),
            Circuit::HalfOpen(Some(lease)) => lease.encode(writer.byte(3)),
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Self {
        let (generation, failures) = (reader.uint(), reader.uint32());
        let circuit = match reader.byte() {
            0 => Circuit::Closed,
            1 => Circuit::Open(Hold::decode(reader)),
            2 => Circuit::HalfOpen(None),
            3 => Circuit::HalfOpen(Some(Hold::decode(reader))),
            _ => {
                reader.fail();
                Circuit::Closed
            }
        };
        Self { generation, failures, circuit }
    }
}

#[cfg(test)]
mod tests;

//! What one request asks of the ledger.

use std::time::Duration;

use super::notices::{notice_event, notice_name};
use super::{Context, Hold, millis};
use crate::admit::{Charge, Command, Outcome as Decided, Reply, TargetFigures};
use crate::error::{BreakerOutcome, Code, Error, Result};
use crate::gateway::Host;
use crate::money::NanoUsd;
use crate::record::Field;
use crate::time::Timestamp;

/// Marks a refusal by the caller's own rate in a record.
const CALLER: &str = "caller";

impl<H: Host> Context<H> {
    /// Asks the ledger to admit an attempt at the target of this index.
    pub(in crate::gateway) async fn admit(&self, index: usize, bound: NanoUsd, lease_until: Timestamp) -> Result<Hold> {
        let fields = ["admit".into(), index.into(), bound.as_nano().into(), lease_until.into()];
        if let Some(mut past) = self.decide(&fields) {
            if past.word() == "ok" {
                return Ok(Hold { reservation: past.int(), bound, lease_until });
            }
            let code = Code::parse(&past.word()).unwrap_or(Code::Internal);
            let wait = past.word().parse().ok().map(Duration::from_millis);
            #[cfg(feature = "edge")]
            if code == Code::RateLimited {
                let _offset = past.int();
                self.refused.set(past.word() == CALLER);
            }
            return Err(Error { retry_after: wait, ..Error::new(code) }.into());
        }
        let own_key = self.own_key.as_deref();
        let named = |target| self.gate.ledger_name(target, own_key);
        let target = self.gate.config.targets.get(index).map(named).unwrap_or_default();
        let slot = self.slot.get();
        let command = Command::Admit { tenant: self.tenant.as_ref().into(), target, bound, lease_until, slot };
        let reply = self.ask(command).await;
        let offset = reply.offset.unwrap_or(0).rem_euclid(86_400).unsigned_abs();
        match reply.result {
            Ok(Decided::Admitted { reservation, slot, probe, generation }) => {
                self.slot.set(Some(slot));
                let fields =
                    ["ok".into(), reservation.into(), slot.into(), probe.into(), generation.into(), offset.into()];
                self.came(&fields);
                Ok(Hold { reservation, bound, lease_until })
            }
            Ok(_) => {
                self.came(&["no".into(), Code::Internal.as_str().into(), "-".into(), offset.into()]);
                Err(Code::Internal.into())
            }
            Err(error) => {
                let wait = error.retry_after.map_or("-".into(), |wait| Field::from(millis(wait)));
                let fields = ["no".into(), error.code.as_str().into(), wait, offset.into(), CALLER.into()];
                let told = if self.is_refused() { fields.len() } else { 4 };
                self.came(fields.get(..told).unwrap_or_default());
                Err(error)
            }
        }
    }

    /// Reports how an attempt ended. Returns what it was charged; a ledger that cannot be reached keeps
    /// the reservation, which then runs out at its bound.
    pub(in crate::gateway) async fn settle(
        &self,
        hold: Hold,
        charge: Charge,
        outcome: BreakerOutcome,
        cool_until: Option<Timestamp>,
        end_slot: bool,
    ) -> NanoUsd {
        let (kind, amount) = match charge {
            Charge::Released => ("released", 0),
            Charge::Actual(amount) => ("actual", amount.as_nano()),
            Charge::Bound => ("bound", 0),
        };
        let health = match outcome {
            BreakerOutcome::Success => "success",
            BreakerOutcome::Failure => "failure",
            BreakerOutcome::Ignored => "ignored",
        };
        let cool = cool_until.map_or("-".into(), Field::from);
        let fields = ["settle".into(), kind.into(), amount.into(), health.into(), cool, end_slot.into()];
        if let Some(mut past) = self.decide(&fields) {
            return NanoUsd::new(past.int());
        }
        if end_slot {
            self.slot.set(None);
        }
        let command = Command::Settle { reservation: hold.reservation, charge, outcome, cool_until, end_slot };
        let charged = match self.posted(self.errand(command), end_slot) {
            // What the ledger will say: it charges what it is told.
            Ok(()) => match charge {
                Charge::Released => NanoUsd::ZERO,
                Charge::Actual(amount) => amount,
                Charge::Bound => hold.bound,
            },
            Err(command) => match self.asked(command).await.result {
                Ok(Decided::Settled { charged }) => charged,
                _ => NanoUsd::ZERO,
            },
        };
        self.came(&[charged.as_nano().into()]);
        charged
    }

    /// Hands the settlement that ends a request to the host, so that its answer need not wait for the ledger. One that
    /// never arrives leaves the reservation to its lease, which charges the bound. What an earlier attempt comes to is
    /// decided at once: the next one builds on it.
    #[cfg(feature = "edge")]
    fn posted(&self, command: Command, ends: bool) -> Result<(), Command> {
        if ends && self.posts && !self.host.listens() { self.host.post(command) } else { Err(command) }
    }

    #[cfg(not(feature = "edge"))]
    #[expect(clippy::unused_self, reason = "nothing is posted in this build")]
    const fn posted(&self, command: Command, _: bool) -> Result<(), Command> {
        Err(command)
    }

    /// Whether one of these targets neither cools nor rests: the next attempt could be admitted there.
    pub(in crate::gateway) async fn any_open(&self, targets: &[usize]) -> bool {
        if let Some(mut past) = self.decide(&["any-open".into()]) {
            return past.int() == 1;
        }
        let reply = self.told(self.host.decide(Command::Status).await);
        let own_key = self.own_key.as_deref();
        let open = match &reply.result {
            Ok(Decided::Status(figures)) => targets.iter().any(|index| {
                let target = self.gate.config.targets.get(*index);
                let is_target = |name: &str| target.is_some_and(|target| self.gate.is_in_ledger(name, target, own_key));
                let shut = |own: &TargetFigures| {
                    is_target(&own.target)
                        && *own.tenant == *self.tenant
                        && (own.open_until.is_some() || own.cooling_until.is_some())
                };
                !figures.targets.iter().any(shut)
            }),
            // Asking for admission will say what is wrong.
            _ => true,
        };
        self.came(&[open.into()]);
        open
    }

    /// Gives the request's slot back, if it still holds one.
    pub(in crate::gateway) async fn end_slot(&self) {
        if self.decide(&["end-slot".into()]).is_some() {
            return;
        }
        if let Some(slot) = self.slot.take() {
            let _ = self.ask(Command::EndSlot { slot }).await;
        }
        self.came(&[]);
    }

    /// Whether the request has gone beyond its caller's rate, which no other target mends.
    #[cfg(feature = "edge")]
    pub(in crate::gateway) fn is_refused(&self) -> bool {
        self.refused.get()
    }

    #[cfg(not(feature = "edge"))]
    #[expect(clippy::unused_self, reason = "there are no limits by caller in this build")]
    pub(in crate::gateway) const fn is_refused(&self) -> bool {
        false
    }

    async fn ask(&self, command: Command) -> Reply {
        self.asked(self.errand(command)).await
    }

    /// The command on the caller's behalf, where there are limits by caller.
    #[cfg(feature = "edge")]
    fn errand(&self, command: Command) -> Command {
        match &self.standing {
            Some(standing) => standing.errand(command),
            None => command,
        }
    }

    #[cfg(not(feature = "edge"))]
    #[expect(clippy::unused_self, reason = "there are no limits by caller in this build")]
    const fn errand(&self, command: Command) -> Command {
        command
    }

    async fn asked(&self, command: Command) -> Reply {
        let reply = self.told(self.host.decide(command).await);
        #[cfg(feature = "edge")]
        if let Some(standing) = &self.standing {
            standing.note(reply.entered);
            self.refused.set(standing.is_refused());
        }
        reply
    }

    /// Tells what the ledger noticed.
    fn told(&self, reply: Result<Reply>) -> Reply {
        // The ledger could not be asked: fail closed.
        let reply = reply.unwrap_or_else(|error| Reply::of(Err(error)));
        for notice in &reply.notices {
            self.emit(notice_name(notice), || notice_event(notice, self.host.now()));
        }
        reply
    }
}

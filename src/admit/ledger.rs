//! The ledger: budget, breakers, cooldowns and slots behind one atomic decision.

use super::breaker::Change;
use super::budget::Books;
use super::command::{Charge, Command, Figures, Notice, Outcome, Reply};
use super::concurrency::Slots;
#[cfg(feature = "edge")]
use super::edge::again::{MARKED, parts};
use super::lease::Hold;
use super::period::{Calendar, Place};
use super::reservation::{Late, MOST_LIVE, Reservation, Reservations};
use super::target::{LONGEST_NAME, LONGEST_TARGET, Targets};
use crate::config::{BreakerConfig, BudgetConfig, GatewayConfig};
use crate::error::{BreakerOutcome, Code, Detail, Error, FieldError, Result};
use crate::host::ZoneRules;
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// The configuration that decisions follow. It may change from one decision to the next.
#[derive(Clone, Copy, Debug)]
pub struct LedgerPolicy<'a> {
    /// The cap and its period.
    pub budget: &'a BudgetConfig,
    /// When circuits open, and for how long. Zero failures count as one.
    pub breaker: &'a BreakerConfig,
    /// Requests in flight at once.
    pub max_concurrent: u32,
}

impl<'a> LedgerPolicy<'a> {
    /// The rules of a configuration.
    #[must_use]
    pub const fn of(config: &'a GatewayConfig) -> Self {
        Self { budget: &config.budget, breaker: &config.breaker, max_concurrent: config.limits.max_concurrent }
    }
}

/// All that the ledger knows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LedgerState {
    pub(super) ids: Ids,
    pub(super) books: Books,
    pub(super) reservations: Reservations,
    pub(super) slots: Slots,
    pub(super) targets: Targets,
}

/// One counter for reservations, slots and generations: none is ever used twice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Ids(pub(super) u64);

impl Ids {
    /// Begins at the clock's milliseconds, so that a late bill for a ledger that was deleted meanwhile
    /// fits no reservation of its successor.
    fn start(&mut self, now: Timestamp) {
        if self.0 == 0 {
            self.0 = u64::try_from(now.as_millis().min(1 << 50)).unwrap_or(0).max(1);
        }
    }

    const fn next(&mut self) -> u64 {
        let id = self.0;
        self.0 = id.saturating_add(1);
        id
    }

    /// The next one that ends in the part of a mark.
    #[cfg(feature = "edge")]
    const fn next_marked(&mut self, part: Option<u64>) -> u64 {
        if let Some(part) = part {
            let same = (self.0 & !MARKED) | part;
            self.0 = if same < self.0 { same.saturating_add(MARKED).saturating_add(1) } else { same };
        }
        self.next()
    }
}

impl LedgerState {
    /// Nothing spent, nothing held.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reserves `bound` for a slice until it is given back or `lease_until` has passed. What ran out is to be swept before.
    #[cfg(feature = "edge")]
    pub(super) fn lease(
        &mut self,
        tenant: &str,
        bound: NanoUsd,
        lease_until: Timestamp,
        policy: &LedgerPolicy<'_>,
        zones: &dyn ZoneRules,
        now: Timestamp,
    ) -> (Result<u64>, Vec<Notice>) {
        let mut turn = Turn { state: self, policy, zones, now, notices: Vec::new(), offset: None };
        let leased = turn.lease(tenant, bound, lease_until);
        (leased, turn.notices)
    }

    /// What a marked admission was told, if its attempt lives. What ran out is to be swept before.
    #[cfg(feature = "edge")]
    pub(super) fn admitted(&self, admit: &Command) -> Option<Outcome> {
        let is_it = |own: &&Reservation| {
            self.targets.name_of(own.target).is_some_and(|name| admit.asks_for(name, own.bound, [own.id, own.slot]))
        };
        self.reservations.live().iter().find(is_it).map(|own| Outcome::Admitted {
            reservation: own.id,
            slot: own.slot,
            probe: own.permit.probe,
            generation: own.permit.generation,
        })
    }

    /// Requests that hold a slot.
    #[cfg(feature = "edge")]
    pub(super) fn in_flight(&self) -> u32 {
        self.slots.len()
    }

    /// Takes one decision at `now`. First, whatever ran out by then ends.
    ///
    /// # Errors
    ///
    /// The refusals listed at [`Reply::result`]; a refused attempt changes nothing that is held.
    pub fn apply(
        &mut self,
        command: &Command,
        policy: &LedgerPolicy<'_>,
        zones: &dyn ZoneRules,
        now: Timestamp,
    ) -> Reply {
        let mut turn = Turn { state: self, policy, zones, now, notices: Vec::new(), offset: None };
        turn.sweep();
        let result = match command {
            Command::Admit { tenant, target, bound, lease_until, slot } => {
                turn.admit(tenant, target, *bound, *lease_until, *slot)
            }
            Command::Settle { reservation, charge, outcome, cool_until, end_slot } => {
                Ok(turn.settle(*reservation, *charge, *outcome, *cool_until, *end_slot))
            }
            Command::EndSlot { slot } => {
                Ok(if turn.state.slots.end(*slot) { Outcome::SlotEnded } else { Outcome::NotHeld })
            }
            Command::Status => turn.status(),
            #[cfg(feature = "edge")]
            Command::For(_)
            | Command::Together(_)
            | Command::Again(_)
            | Command::Lease { .. }
            | Command::Return { .. } => Err(Code::Internal.into()),
        };
        let Turn { notices, offset, .. } = turn;
        Reply { notices, offset, ..Reply::of(result) }
    }
}

/// One decision being taken.
struct Turn<'a> {
    state: &'a mut LedgerState,
    policy: &'a LedgerPolicy<'a>,
    zones: &'a dyn ZoneRules,
    now: Timestamp,
    notices: Vec<Notice>,
    offset: Option<i32>,
}

impl Turn<'_> {
    /// Ends every hold that ran out. A vanished attempt may have been billed: it is charged its bound. Its
    /// probe is free again; its slot has a lease of its own, which another attempt may have lengthened.
    fn sweep(&mut self) {
        self.state.slots.sweep(self.now);
        self.state.targets.sweep(self.now, self.policy.breaker);
        for id in self.state.reservations.sweep(self.now) {
            if let Some(reservation) = self.state.reservations.take(id) {
                self.notices.push(Notice::LeaseExpired { reservation: id });
                self.charge(&reservation, Charge::Bound);
                self.record(&reservation, BreakerOutcome::Ignored, None);
            }
        }
    }

    /// Checks everything, then takes everything: a refusal leaves nothing behind.
    fn admit(
        &mut self,
        tenant: &str,
        target: &str,
        bound: NanoUsd,
        lease_until: Timestamp,
        slot: Option<u64>,
    ) -> Result<Outcome> {
        let Self { policy, now, .. } = *self;
        if tenant.len() > LONGEST_NAME || target.len() > LONGEST_TARGET {
            return Err(Code::Internal.into());
        }
        let probe = self.state.targets.check(tenant, target, now, policy.breaker)?;
        let held = slot.filter(|slot| self.state.slots.holds(*slot));
        if (held.is_none() && self.state.slots.len() >= policy.max_concurrent)
            || self.state.reservations.live().len() >= MOST_LIVE
        {
            return Err(Code::QueueFull.into());
        }
        let place = self.place()?;
        if !self.state.books.check(place.period, bound, policy.budget, &mut self.notices) {
            return Err(self.over_budget(place));
        }

        self.state.ids.start(now);
        #[cfg(feature = "edge")]
        let parts = slot.and_then(parts);
        #[cfg(feature = "edge")]
        let id = self.state.ids.next_marked(parts.map(|[own, _]| own));
        #[cfg(not(feature = "edge"))]
        let id = self.state.ids.next();
        let lease = Hold::until(lease_until, now);
        let slot = if let Some(slot) = held {
            self.state.slots.renew(slot, lease);
            slot
        } else {
            #[cfg(feature = "edge")]
            let slot = self.state.ids.next_marked(parts.map(|[_, slot]| slot));
            #[cfg(not(feature = "edge"))]
            let slot = self.state.ids.next();
            self.state.slots.take(slot, lease);
            slot
        };
        let grant = self.state.targets.acquire(tenant, target, probe, id, lease);
        if grant.half_opened {
            self.notices.push(Notice::CircuitHalfOpen { tenant: tenant.into(), target: target.into() });
        }
        self.state.books.reserve(place.period, bound);
        let permit = grant.permit;
        let reservation = Reservation { id, slot, target: grant.key, period: place.period, bound, lease, permit };
        self.state.reservations.insert(reservation);
        Ok(Outcome::Admitted { reservation: id, slot, probe, generation: permit.generation })
    }

    /// Reserves money alone, under a name that is no target of anybody: no slot, no permit.
    #[cfg(feature = "edge")]
    fn lease(&mut self, tenant: &str, bound: NanoUsd, lease_until: Timestamp) -> Result<u64> {
        let Self { policy, now, .. } = *self;
        if tenant.len() > LONGEST_NAME || self.state.reservations.live().len() >= MOST_LIVE {
            return Err(Code::QueueFull.into());
        }
        let place = self.place()?;
        if !self.state.books.check(place.period, bound, policy.budget, &mut self.notices) {
            return Err(self.over_budget(place));
        }
        self.state.ids.start(now);
        let id = self.state.ids.next();
        let lease = Hold::until(lease_until, now);
        let grant = self.state.targets.acquire(tenant, "", false, id, lease);
        self.state.books.reserve(place.period, bound);
        let (period, target, permit) = (place.period, grant.key, grant.permit);
        // No slot has this id.
        self.state.reservations.insert(Reservation { id, slot: 0, target, period, bound, lease, permit });
        Ok(id)
    }

    fn over_budget(&self, place: Place) -> Box<Error> {
        let limit = self.policy.budget.limit;
        let resets_at = match self.resets_at(place) {
            Ok(resets_at) => resets_at,
            Err(error) => return error,
        };
        let book = self.state.books.shown(place.period, limit);
        let detail = Detail::Budget { limit, spent: book.spent, reserved: book.reserved, resets_at };
        Error::new(Code::BudgetExceeded).with(detail).after(resets_at.since(self.now)).into()
    }

    fn settle(
        &mut self,
        id: u64,
        charge: Charge,
        outcome: BreakerOutcome,
        cool_until: Option<Timestamp>,
        end_slot: bool,
    ) -> Outcome {
        if let Some(reservation) = self.state.reservations.take(id) {
            let charged = self.charge(&reservation, charge);
            self.record(&reservation, outcome, cool_until);
            if end_slot {
                self.state.slots.end(reservation.slot);
            }
            return Outcome::Settled { charged };
        }
        // Charged its bound before. Its outcome was recorded then, or its permit has run out.
        let Some(late) = self.state.reservations.late(id) else { return Outcome::NotHeld };
        if end_slot {
            self.state.slots.end(late.slot);
        }
        self.correct(late, charge)
    }

    /// Ends the reservation in the books of the period it was admitted in.
    fn charge(&mut self, reservation: &Reservation, charge: Charge) -> NanoUsd {
        let Reservation { period, bound, .. } = *reservation;
        self.state.books.release(period, bound);
        let amount = match charge {
            Charge::Released => return NanoUsd::ZERO,
            Charge::Actual(amount) => amount,
            Charge::Bound => {
                self.state.reservations.remember(reservation, self.now);
                bound
            }
        };
        let Self { policy, notices, state, .. } = self;
        state.books.charge(period, amount, bound, NanoUsd::ZERO, policy.budget, notices);
        amount
    }

    /// A bill replaces the bound, once.
    fn correct(&mut self, late: Late, charge: Charge) -> Outcome {
        let Late { id, period, bound, .. } = late;
        let amount = match charge {
            Charge::Released => NanoUsd::ZERO,
            Charge::Actual(amount) => amount,
            Charge::Bound => return Outcome::Settled { charged: bound },
        };
        self.state.reservations.forget(id);
        let Self { policy, notices, state, .. } = self;
        if state.books.charge(period, amount, bound, bound, policy.budget, notices) {
            Outcome::Settled { charged: amount }
        } else {
            Outcome::NotHeld
        }
    }

    fn record(&mut self, reservation: &Reservation, outcome: BreakerOutcome, cool_until: Option<Timestamp>) {
        let Self { state, policy, now, notices, .. } = self;
        let LedgerState { targets, ids, .. } = &mut **state;
        let Some(target) = targets.by_key(reservation.target) else { return };
        target.let_go();
        let change = target.breaker.record(reservation.permit, outcome, *now, policy.breaker, || ids.next());
        if let Some(change) = change {
            let (tenant, name) = (target.tenant.clone(), target.name.clone());
            notices.push(match change {
                Change::Opened(until) => Notice::CircuitOpen { tenant, target: name, until },
                Change::Closed => Notice::CircuitClosed { tenant, target: name },
            });
        }
        if let Some(until) = cool_until {
            target.cool(until, *now);
        }
    }

    fn status(&mut self) -> Result<Outcome> {
        let place = self.place()?;
        let limit = self.policy.budget.limit;
        let book = self.state.books.shown(place.period, limit);
        Ok(Outcome::Status(Figures {
            limit,
            spent: book.spent,
            reserved: book.reserved,
            overshoot: book.overshoot,
            resets_at: self.resets_at(place)?,
            in_flight: self.state.slots.len(),
            targets: self.state.targets.figures(self.now),
        }))
    }

    /// The present period.
    fn place(&mut self) -> Result<Place> {
        let place = self.calendar().period_of(self.now).ok_or_else(unknown_zone)?;
        self.offset = Some(place.offset);
        Ok(place)
    }

    /// When a request that does not fit can fit again.
    fn resets_at(&self, place: Place) -> Result<Timestamp> {
        let next = if self.state.books.is_open(place.period) {
            place.period.saturating_add(1)
        } else {
            self.state.books.next_open(place.period)
        };
        self.calendar().start_of(next, self.now, place.offset).ok_or_else(unknown_zone)
    }

    fn calendar(&self) -> Calendar<'_> {
        Calendar::new(self.policy.budget, self.zones)
    }
}

pub(super) const UNKNOWN_ZONE: &str = "must be an IANA time zone that this host knows";

/// Without the zone there is no period to spend in: refused, never taken for UTC.
pub(super) fn unknown_zone() -> Box<Error> {
    let field = FieldError { path: "budget.timeZone".into(), problem: UNKNOWN_ZONE.into() };
    Error::new(Code::ConfigInvalid).with(Detail::Fields([field].into())).into()
}

#[cfg(test)]
mod tests;

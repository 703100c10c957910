//! The ledger as one isolate sees it when slices are leased: a hot organisation's requests are decided here, and one in
//! a while its object is asked.
//!
//! An isolate asks for a slice of the budget and of the rate, which the object counts as reserved from then on. Attempts
//! are admitted against the slice, so that the cap cannot be passed, whatever the clocks say. A slice is spent within a
//! short window, and given back once nothing runs on it. If it is not (the isolate was stopped), its lease runs out and
//! all of it counts as spent, until it is given back late. Circuits, cooldowns and slots are then the isolate's own.
//!
//! Where a user or a token has a budget, or tokens are limited, nothing is leased: each request is decided by the object.

use super::caller::{Caller, Entry, Errand};
use super::slice::Slice;
use crate::admit::command::{Command, Entered, Notice, Outcome, Reply};
use crate::admit::ledger::{LedgerPolicy, LedgerState};
use crate::config::{BudgetConfig, GatewayConfig};
use crate::error::{Allowance, Code, Error};
use crate::host::ZoneRules;
use crate::money::NanoUsd;
use crate::time::Timestamp;
use std::time::Duration;

/// Marks what was given out here: the object's own ids are far below.
const LOCAL: u64 = 1 << 62;
/// A slice is asked for that many requests like the one at hand. Twice as many after each that was used up, half as many
/// after one of which most was left: what an isolate holds and does not use is missing elsewhere.
const FIRST: u64 = 4;
const MOST: u64 = 512;
/// Callers whose slices an isolate holds at once.
const MOST_SLICES: usize = 64;
/// After the object had nothing to lease, it is not asked again for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// When all slots are held nobody knows when one is free: whoever is refused may come again after a second.
pub(super) fn come_again(mut refusal: Box<Error>) -> Box<Error> {
    if refusal.code == Code::QueueFull {
        refusal.retry_after.get_or_insert(Duration::from_secs(1));
    }
    refusal
}

/// Slices of one organisation, and what runs on them.
#[derive(Clone, Debug, Default)]
pub struct Leases {
    local: LedgerState,
    slices: Vec<Held>,
    /// How many requests the next slice of a caller's route is to be for. The one asked for last at its end.
    appetites: Vec<(Caller, String, u64)>,
}

#[derive(Clone, Debug)]
struct Held {
    caller: Caller,
    route: String,
    /// `None`: there was nothing to lease.
    slice: Option<Slice>,
    /// When to ask again.
    paused_until: Timestamp,
}

impl Leases {
    /// Decides here, if that can be. `None`: ask the object.
    pub fn decide(
        &mut self,
        command: &Command,
        config: &GatewayConfig,
        zones: &dyn ZoneRules,
        now: Timestamp,
    ) -> Option<Reply> {
        match command {
            Command::For(errand) => self.errand(errand, config, zones, now),
            Command::Settle { reservation: id, .. } | Command::EndSlot { slot: id } if *id >= LOCAL => {
                Some(self.here(command, config, zones, now))
            }
            _ => None,
        }
    }

    fn errand(
        &mut self,
        errand: &Errand,
        config: &GatewayConfig,
        zones: &dyn ZoneRules,
        now: Timestamp,
    ) -> Option<Reply> {
        let Some(admit @ Command::Admit { bound, slot, .. }) = &errand.command else {
            return match &errand.command {
                Some(Command::Settle { reservation: id, .. } | Command::EndSlot { slot: id }) if *id >= LOCAL => {
                    errand.command.as_ref().map(|command| self.here(command, config, zones, now))
                }
                _ => None,
            };
        };
        // A request goes on where it began: its slot is there.
        if slot.is_some_and(|slot| slot < LOCAL) {
            return None;
        }
        let enters = errand.entry.as_ref();
        let index = self.slices.iter_mut().position(|held| {
            let own = held.caller == errand.caller && enters.is_none_or(|entry| entry.route == held.route);
            let slice = held.slice.as_mut().filter(|_| own);
            slice.is_some_and(|slice| {
                // A request that has entered goes on, also when no other may enter.
                slice.is_open(now) && (enters.is_none() || slice.requests() > 0) && slice.fits(*bound)
            })
        });
        let Some(index) = index else {
            // From now on it goes on at the object, which gives it a slot of its own.
            if let Some(slot) = *slot {
                self.here(&Command::EndSlot { slot }, config, zones, now);
            }
            return None;
        };
        let slice = self.slices.get_mut(index)?.slice.as_mut()?;
        if enters.is_some() {
            slice.enter();
        }
        let left = slice.requests();
        let mut reply = self.here(admit, config, zones, now);
        let slice = self.slices.get_mut(index)?.slice.as_mut()?;
        if let Ok(Outcome::Admitted { reservation, .. }) = &reply.result {
            slice.hold(*reservation, *bound);
        }
        if errand.entry.is_some() {
            // What this isolate still has: what others have is not known here.
            let limit = config.edge.tier(&errand.caller.tier).map_or(0, |tier| u64::from(tier.requests.burst));
            let allowance = Allowance { limit, remaining: left, reset: config.edge.leases.window };
            reply.entered = Some(Entered { allowance, granted: true });
        }
        Some(reply)
    }

    /// The isolate's own ledger: circuits, cooldowns, slots. Its budget is the slices'.
    fn here(&mut self, command: &Command, config: &GatewayConfig, zones: &dyn ZoneRules, now: Timestamp) -> Reply {
        let budget = BudgetConfig { limit: NanoUsd::MAX, thresholds: Vec::new(), ..BudgetConfig::default() };
        let policy = LedgerPolicy { budget: &budget, ..LedgerPolicy::of(config) };
        let mut reply = self.local.apply(&unmarked(command), &policy, zones, now);
        for notice in &reply.notices {
            if let Notice::LeaseExpired { reservation } = notice {
                let id = reservation | LOCAL;
                for slice in self.slices.iter_mut().filter_map(|held| held.slice.as_mut()) {
                    slice.expire(id);
                }
            }
        }
        if let (Command::Settle { reservation, .. }, Ok(Outcome::Settled { charged })) = (command, &reply.result) {
            for slice in self.slices.iter_mut().filter_map(|held| held.slice.as_mut()) {
                if slice.settle(*reservation, *charged) {
                    break;
                }
            }
        }
        if let Ok(Outcome::Admitted { reservation, slot, .. }) = &mut reply.result {
            *reservation |= LOCAL;
            *slot |= LOCAL;
        }
        reply.result = reply.result.map_err(come_again);
        reply
    }

    /// What to ask the object before this command is decided: a slice for it, if it is one that a slice would serve.
    /// To be asked at `now` by the isolate's clock, and its answer given to [`Leases::take`] with the same `now`.
    pub fn wish(&mut self, command: &Command, config: &GatewayConfig, now: Timestamp) -> Option<Command> {
        let Command::For(errand) = command else { return None };
        let (Some(Command::Admit { tenant, bound, slot: None, .. }), Some(Entry { route, tokens: Some(_) })) =
            (&errand.command, &errand.entry)
        else {
            return None;
        };
        let waits = self.slices.iter_mut().any(|held| {
            let own = held.caller == errand.caller && held.route == *route;
            own && match &mut held.slice {
                // One at a time; while the last attempts of one still run, the next may be had.
                Some(slice) => slice.is_open(now) && !slice.is_spent(),
                None => held.paused_until > now && held.paused_until.since(now) <= PAUSE,
            }
        });
        if waits || self.slices.len() >= MOST_SLICES {
            return None;
        }
        // Until its answer is there, others of the same kind are decided by the object.
        let held =
            Held { caller: errand.caller.clone(), route: route.clone(), slice: None, paused_until: now.after(PAUSE) };
        self.slices.retain(|one| one.slice.is_some() || one.caller != held.caller || one.route != held.route);
        self.slices.push(held);
        let requests = self.appetite(&errand.caller, route);
        let lease = Command::Lease {
            tenant: tenant.clone(),
            route: route.clone(),
            bound: *bound,
            requests,
            window: config.edge.leases.window,
            settles_within: config.timeouts.total.saturating_add(Duration::from_secs(60)),
        };
        let errand = Errand { caller: errand.caller.clone(), entry: None, correction: None, command: Some(lease) };
        Some(Command::For(errand.into()))
    }

    /// Takes the object's answer to a [`Leases::wish`]. Whether a slice came.
    pub fn take(&mut self, wish: &Command, reply: &Reply, now: Timestamp) -> bool {
        let Command::For(errand) = wish else { return false };
        let Some(Command::Lease { route, .. }) = &errand.command else { return false };
        let slice = match &reply.result {
            Ok(Outcome::Leased { slice, budget, requests, window }) => {
                Some(Slice::new(*slice, *budget, *requests, now.after(*window), now))
            }
            _ => None,
        };
        let came = slice.is_some();
        self.slices.retain(|held| held.slice.is_some() || held.caller != errand.caller || held.route != *route);
        let (caller, route, paused_until) = (errand.caller.clone(), route.clone(), now.after(PAUSE));
        self.slices.insert(0, Held { caller, route, slice, paused_until });
        came
    }

    /// Slices to be given back: those whose window is over, or that the next request does not fit into, once nothing
    /// runs on them. `all`: also those that are still open, since nobody will ask again soon.
    pub fn give_back(&mut self, now: Timestamp, all: bool) -> Vec<Command> {
        let mut back = Vec::new();
        let mut sated = Vec::new();
        self.slices.retain_mut(|held| {
            let Some(slice) = &mut held.slice else { return true };
            let done = all || !slice.is_open(now) || slice.is_spent();
            let Some((spent, requests)) = slice.account().filter(|_| done) else { return true };
            sated.push((held.caller.clone(), held.route.clone(), slice.next_wish()));
            let command = Some(Command::Return { slice: slice.id, route: held.route.clone(), spent, requests });
            let errand = Errand { caller: held.caller.clone(), entry: None, correction: None, command };
            back.push(Command::For(errand.into()));
            false
        });
        for (caller, route, wish) in sated {
            self.appetites.retain(|(own, of, _)| *own != caller || *of != route);
            if self.appetites.len() >= MOST_SLICES {
                self.appetites.remove(0);
            }
            self.appetites.push((caller, route, wish.clamp(FIRST, MOST)));
        }
        back
    }

    fn appetite(&self, caller: &Caller, route: &str) -> u64 {
        let known = self.appetites.iter().find(|(own, of, _)| own == caller && of == route);
        known.map_or(FIRST, |(.., wish)| *wish)
    }

    /// When the last of its slices is over; `None`: it holds none.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.slices.iter().filter_map(|held| held.slice.as_ref()).map(Slice::end).max()
    }
}

/// With the ids as the isolate's own ledger knows them.
fn unmarked(command: &Command) -> Command {
    let mut command = command.clone();
    match &mut command {
        Command::Admit { slot: Some(id), .. }
        | Command::Settle { reservation: id, .. }
        | Command::EndSlot { slot: id } => *id &= !LOCAL,
        _ => {}
    }
    command
}

#[cfg(test)]
mod tests;

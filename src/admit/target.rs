//! Targets: each tenant's breaker and cooldown at each of them.

use std::time::Duration;

use super::breaker::{Breaker, Circuit, Permit};
use super::command::{CircuitState, TargetFigures};
use super::lease::{Hold, LONGEST};
use crate::config::BreakerConfig;
use crate::error::{Code, Error, Result};
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// How many targets are remembered, unless more have live reservations.
const MOST_TARGETS: usize = 512;
/// Longest name of a tenant or target, in bytes; a key's tag comes on top.
pub const LONGEST_NAME: usize = 1_024;
/// Longest name of a target with its key's tag, in bytes.
pub(super) const LONGEST_TARGET: usize = LONGEST_NAME + 4;
/// Before a key's tag.
const TAGGED: char = '\n';

/// The name that a target has in the ledger: with another key it has another breaker, and cools apart. `tag` is three
/// letters that follow from the key: enough to tell two keys apart, too little to tell anything of one.
#[must_use]
pub fn with_key(target: &str, tag: &str) -> String {
    let mut name = String::with_capacity(target.len().saturating_add(tag.len()).saturating_add(1));
    name.push_str(target);
    name.push(TAGGED);
    name.push_str(tag);
    name
}

/// Whether a name in the ledger is the one that [`with_key`] gives.
#[must_use]
pub fn is_with_key(name: &str, target: &str, tag: &[u8]) -> bool {
    name.rsplit_once(TAGGED).is_some_and(|(own, of)| own == target && of.as_bytes() == tag)
}

/// The target of a name in the ledger.
#[must_use]
pub fn without_key(name: &str) -> &str {
    name.rsplit_once(TAGGED).map_or(name, |(target, _)| target)
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    /// Names the entry to reservations, so that they carry no text. Of this memory only: a snapshot
    /// numbers its targets by position.
    key: u64,
    pub(super) tenant: String,
    pub(super) name: String,
    /// The reservation that used it last.
    used: u64,
    /// Live reservations. Not stored: they are counted back in.
    live: u32,
    pub(super) breaker: Breaker,
    /// The provider asked to wait.
    cooling: Option<Hold>,
}

impl Target {
    /// Nothing to remember. An idle target is not written to a snapshot, and is used as if it had just
    /// been made: the answer must not depend on whether there was a snapshot in between.
    const fn is_idle(&self) -> bool {
        self.live == 0 && self.cooling.is_none() && self.breaker.is_idle()
    }

    /// Cools until the later of the old and the new end.
    pub(super) fn cool(&mut self, until: Timestamp, now: Timestamp) {
        if until > now {
            let hold = Hold::until(until, now);
            self.cooling = Some(self.cooling.map_or(hold, |cooling| cooling.later(hold)));
        }
    }

    pub(super) fn let_go(&mut self) {
        self.live = self.live.saturating_sub(1);
    }

    fn figures(&self, now: Timestamp) -> TargetFigures {
        let (state, open_until) = match self.breaker.circuit() {
            Circuit::Closed => (CircuitState::Closed, None),
            Circuit::Open(hold) if !hold.is_over(now) => (CircuitState::Open, Some(hold.end())),
            Circuit::Open(_) | Circuit::HalfOpen(_) => (CircuitState::HalfOpen, None),
        };
        TargetFigures {
            tenant: self.tenant.clone(),
            target: self.name.clone(),
            state,
            failures: self.breaker.failures(),
            open_until,
            cooling_until: self.cooling.map(Hold::end),
        }
    }
}

/// A granted attempt: its target's key, its permit, and whether it half-opened the circuit.
pub(super) struct Grant {
    pub(super) key: u64,
    pub(super) permit: Permit,
    pub(super) half_opened: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Targets {
    /// Ascending by tenant and name.
    entries: Vec<Target>,
    next_key: u64,
}

impl Targets {
    fn find(&self, tenant: &str, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| (&*entry.tenant, &*entry.name).cmp(&(tenant, name)))
    }

    pub(super) fn by_key(&mut self, key: u64) -> Option<&mut Target> {
        self.entries.iter_mut().find(|entry| entry.key == key)
    }

    /// Whose it is, and its name.
    #[cfg(feature = "edge")]
    pub(super) fn name_of(&self, key: u64) -> Option<(&str, &str)> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| (&*entry.tenant, &*entry.name))
    }

    /// Corrects holds after a clock that went back, and ends cooldowns.
    pub(super) fn sweep(&mut self, now: Timestamp, config: &BreakerConfig) {
        for entry in &mut self.entries {
            entry.breaker.tick(now, config);
            if let Some(cooling) = &mut entry.cooling {
                cooling.tick(now, LONGEST);
                if cooling.is_over(now) {
                    entry.cooling = None;
                }
            }
        }
    }

    /// Would the target take an attempt? `true` for a probe. Changes nothing.
    pub(super) fn check(&self, tenant: &str, name: &str, now: Timestamp, config: &BreakerConfig) -> Result<bool> {
        let refuse = |code, wait: Duration| Error::new(code).after(wait).into();
        let entry = self.find(tenant, name).ok().and_then(|index| self.entries.get(index));
        let Some(entry) = entry else { return Ok(false) };
        if let Some(cooling) = entry.cooling {
            return Err(refuse(Code::UpstreamLimited, cooling.left(now)));
        }
        entry.breaker.check(now, config).map_err(|wait| refuse(Code::CircuitOpen, wait))
    }

    /// Takes what [`Targets::check`] granted, for the reservation `id`.
    pub(super) fn acquire(&mut self, tenant: &str, name: &str, probe: bool, id: u64, lease: Hold) -> Grant {
        let index = self.find(tenant, name).unwrap_or_else(|_| {
            self.make_room();
            let index = self.find(tenant, name).unwrap_or_else(|index| index);
            let (tenant, name) = (tenant.to_owned(), name.to_owned());
            let key = self.next_key;
            self.next_key = key.wrapping_add(1);
            let target = Target { key, tenant, name, used: id, live: 0, breaker: Breaker::new(id), cooling: None };
            self.entries.insert(index, target);
            index
        });
        let Some(entry) = self.entries.get_mut(index) else {
            // Not reached: the index was found or made above. A permit without a target records nothing.
            return Grant { key: u64::MAX, permit: Permit { generation: id, probe }, half_opened: false };
        };
        if entry.is_idle() {
            entry.breaker = Breaker::new(id);
        }
        let half_opened = probe && matches!(entry.breaker.circuit(), Circuit::Open(_));
        let permit = entry.breaker.acquire(probe, id, lease);
        entry.used = id;
        entry.live = entry.live.saturating_add(1);
        Grant { key: entry.key, permit, half_opened }
    }

    /// Keeps the table bounded: idle targets go first, then the least recently used closed one, then the
    /// least recently used one without live reservations.
    fn make_room(&mut self) {
        if self.entries.len() < MOST_TARGETS {
            return;
        }
        self.entries.retain(|entry| !entry.is_idle());
        if self.entries.len() < MOST_TARGETS {
            return;
        }
        let candidates = self.entries.iter().enumerate().filter(|(_, entry)| entry.live == 0);
        let rank = |entry: &Target| {
            let shut = !matches!(entry.breaker.circuit(), Circuit::Closed) || entry.cooling.is_some();
            (shut, entry.used)
        };
        let oldest = candidates.min_by_key(|(_, entry)| rank(entry)).map(|(index, _)| index);
        if let Some(index) = oldest {
            self.entries.remove(index);
        }
    }

    pub(super) fn figures(&self, now: Timestamp) -> Vec<TargetFigures> {
        self.entries.iter().filter(|entry| !entry.is_idle()).map(|entry| entry.figures(now)).collect()
    }

    /// Keys in the order of the snapshot.
    pub(super) fn stored_keys(&self) -> Vec<u64> {
        self.entries.iter().filter(|entry| !entry.is_idle()).map(|entry| entry.key).collect()
    }

    pub(super) fn encode(&self, writer: &mut Writer, count: usize) {
        writer.uint(count as u64);
        for entry in self.entries.iter().filter(|entry| !entry.is_idle()) {
            writer.text(&entry.tenant).text(&entry.name).uint(entry.used);
            entry.breaker.encode(writer);
            match entry.cooling {
                None => drop(writer.byte(0)),
                Some(cooling) => cooling.encode(writer.byte(1)),
            }
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Self {
        let mut entries: Vec<Target> = Vec::new();
        let mut next_key = 0u64;
        for _ in 0..reader.count() {
            let (tenant, name) = (reader.text(), reader.text());
            let (used, breaker) = (reader.uint(), Breaker::decode(reader));
            let cooling = reader.flag().then(|| Hold::decode(reader));
            let ascending = entries.last().is_none_or(|last| (&*last.tenant, &*last.name) < (tenant, name));
            reader.require(ascending && tenant.len() <= LONGEST_NAME && name.len() <= LONGEST_TARGET);
            if !reader.is_sound() {
                break;
            }
            let (tenant, name) = (tenant.to_owned(), name.to_owned());
            entries.push(Target { key: next_key, tenant, name, used, live: 0, breaker, cooling });
            next_key = next_key.saturating_add(1);
        }
        Self { entries, next_key }
    }

    /// How many there are; the keys of a decoded table lie below it.
    pub(super) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Counts a stored reservation back in.
    pub(super) fn restore(&mut self, key: u64) {
        if let Some(entry) = self.by_key(key) {
            entry.live = entry.live.saturating_add(1);
        }
    }
}

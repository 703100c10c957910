//! Answers by fingerprint: bounded, least recently used first out.

use std::time::Duration;

use super::entry::{Answer, Entry, Hit};
use super::fingerprint::Fingerprint;
use crate::config::CacheConfig;
use crate::error::Result;
use crate::time::Timestamp;

/// Bytes of all entries together, so that a tab is not flooded: 8 MiB.
pub const MAX_BYTES: usize = 8 << 20;
/// An answer with a longer body is not kept: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The exact cache of one gate.
///
/// Ages never shrink: when the clock is found to be earlier than it was, every entry keeps the age it
/// had, and those that live shorter than the step go, since nothing is known of their age.
pub struct ExactCache {
    /// Sorted by fingerprint.
    entries: Vec<Place>,
    max_entries: usize,
    max_ttl: Duration,
    fallback_answers: bool,
    weight: usize,
    uses: u64,
    last_seen: Option<Timestamp>,
    /// Before this none of the entries has run out; nothing: look.
    alive_until: Option<Timestamp>,
}

/// An entry, apart from its place: each new one moves half of the others' places.
struct Place {
    /// What the fingerprint begins with, so that few entries are looked at when one is searched for.
    first: u64,
    /// The cache's use counter when it was last stored or hit.
    used: u64,
    entry: Box<Entry>,
}

impl ExactCache {
    /// An empty cache.
    #[must_use]
    pub fn new(config: &CacheConfig) -> Self {
        let mut cache = Self {
            entries: Vec::new(),
            max_entries: 0,
            max_ttl: Duration::ZERO,
            fallback_answers: false,
            weight: 0,
            uses: 0,
            last_seen: None,
            alive_until: None,
        };
        cache.configure(config);
        cache
    }

    /// Takes a new configuration. What it no longer allows goes at once; a shorter time to live also
    /// shortens the life of what is kept.
    pub fn configure(&mut self, config: &CacheConfig) {
        self.max_entries = usize::try_from(config.max_entries).unwrap_or(usize::MAX);
        self.max_ttl = config.ttl;
        self.fallback_answers = config.fallback_answers;
        self.entries.iter_mut().for_each(|Place { entry, .. }| entry.ttl = entry.ttl.min(config.ttl));
        let fallback_answers = config.fallback_answers;
        self.retain(|entry| !entry.ttl.is_zero() && (fallback_answers || !entry.answer.by_fallback));
        self.shrink();
    }

    /// The answer to this question, if one is kept that still serves. Counts as a use.
    pub fn lookup(&mut self, fingerprint: &Fingerprint, now: Timestamp) -> Option<Hit> {
        self.observe(now);
        let index = self.position(fingerprint).ok()?;
        let used = self.next_use();
        let Place { used: last, entry, .. } = self.entries.get_mut(index)?;
        let Some((age, remaining)) = entry.life(now) else {
            self.take(index);
            return None;
        };
        *last = used;
        Some(Hit { answer: entry.answer.clone(), age, remaining })
    }

    /// Keeps an answer for `ttl`, in place of an older one to the same question. Says whether it is kept:
    /// not if the cache is off, the time to live is zero, the body is longer than [`MAX_BODY_BYTES`], or
    /// it is a fallback's and the configuration does not allow these. The older one goes in any case.
    ///
    /// [`may_store`](super::may_store) is asked before.
    pub fn store(&mut self, fingerprint: Fingerprint, answer: Answer, ttl: Duration, now: Timestamp) -> bool {
        self.insert(Entry { fingerprint, answer, stored_at: now, ttl }.into(), now)
    }

    /// Forgets one answer. Says whether there was one.
    pub fn remove(&mut self, fingerprint: &Fingerprint) -> bool {
        self.position(fingerprint).map(|index| self.take(index)).is_ok()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.weight = 0;
    }

    /// How many answers are kept, those that ran out and were not yet met included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is kept, for a copy on disk to follow.
    pub fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        self.entries.iter().map(|place| &place.entry.fingerprint)
    }

    /// One entry as bytes. They hold the answer and the unkeyed fingerprint: seal them.
    #[must_use]
    pub fn encode(&self, fingerprint: &Fingerprint) -> Option<Vec<u8>> {
        let index = self.position(fingerprint).ok()?;
        self.entries.get(index).map(|place| place.entry.encode())
    }

    /// Takes an entry back from its bytes. Says whether it is kept, by the rules of [`store`](Self::store)
    /// if it still serves, and if the question has no answer yet. It serves no longer than the configured
    /// time. Time that passed meanwhile counts; an entry from the future, stored before
    /// the clock was set back, counts as new, unless it is further ahead than it lives.
    ///
    /// # Errors
    /// `vault_corrupt` if the bytes are no entry of this version: drop them.
    pub fn restore(&mut self, bytes: &[u8], now: Timestamp) -> Result<bool> {
        let mut entry = Box::new(Entry::decode(bytes)?);
        if self.position(&entry.fingerprint).is_ok() {
            return Ok(false); // what is in memory is at least as new
        }
        entry.ttl = entry.ttl.min(self.max_ttl);
        let ahead = entry.stored_at.since(now);
        entry.stored_at = entry.stored_at.min(now);
        Ok(ahead <= entry.ttl && self.insert(entry, now))
    }

    fn insert(&mut self, entry: Box<Entry>, now: Timestamp) -> bool {
        self.observe(now);
        self.remove(&entry.fingerprint);
        if self.max_ttl.is_zero()
            || entry.life(now).is_none()
            || entry.answer.body.len() > MAX_BODY_BYTES
            || (entry.answer.by_fallback && !self.fallback_answers)
        {
            return false;
        }
        // Answers that ran out make room before others do. They are looked for only when there may be some.
        if self.alive_until.is_none_or(|until| now >= until) {
            self.retain(|entry| entry.life(now).is_some());
            self.alive_until = self.entries.iter().map(|place| place.entry.ends_at()).min();
        }
        let ends = entry.ends_at();
        self.alive_until = Some(self.alive_until.map_or(ends, |until| until.min(ends)));
        let used = self.next_use();
        let fingerprint = entry.fingerprint;
        if let Err(index) = self.position(&fingerprint) {
            self.weight = self.weight.saturating_add(entry.weight());
            self.entries.insert(index, Place { first: fingerprint.first(), used, entry });
        }
        self.shrink();
        // The newest goes last.
        !self.entries.is_empty()
    }

    /// Notices a clock that was set back.
    fn observe(&mut self, now: Timestamp) {
        let step = self.last_seen.map_or(Duration::ZERO, |seen| seen.since(now));
        self.last_seen = Some(now);
        if !step.is_zero() {
            self.retain(|entry| entry.set_back(step));
        }
    }

    /// Makes room: the least recently used go until both limits hold.
    fn shrink(&mut self) {
        while self.entries.len() > self.max_entries || self.weight > MAX_BYTES {
            let oldest = self.entries.iter().enumerate().min_by_key(|(_, place)| place.used);
            let Some((index, _)) = oldest else { return };
            self.take(index);
        }
    }

    fn position(&self, fingerprint: &Fingerprint) -> Result<usize, usize> {
        let first = fingerprint.first();
        self.entries
            .binary_search_by(|place| place.first.cmp(&first).then_with(|| place.entry.fingerprint.cmp(fingerprint)))
    }

    fn take(&mut self, index: usize) {
        let Place { entry, .. } = self.entries.remove(index);
        self.weight = self.weight.saturating_sub(entry.weight());
    }

    /// Whatever else it did, `keep` may have made lives shorter.
    fn retain(&mut self, mut keep: impl FnMut(&mut Entry) -> bool) {
        self.alive_until = None;
        self.entries.retain_mut(|place| keep(&mut place.entry));
        self.weight = self.entries.iter().fold(0, |sum, place| sum.saturating_add(place.entry.weight()));
    }

    const fn next_use(&mut self) -> u64 {
        self.uses = self.uses.saturating_add(1);
        self.uses
    }
}

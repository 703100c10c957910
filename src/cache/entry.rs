//! One kept answer, in memory and as bytes.

use std::rc::Rc;
use std::time::Duration;

use super::Fingerprint;
use crate::chat::Usage;
use crate::error::Result;
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// First byte of a stored entry. Another version is refused: losing an entry is a miss.
const VERSION: u8 = 2;

/// What an entry counts for beside its texts. The same on every machine, so that all evict alike.
const FLAT_WEIGHT: usize = 256;

/// What is kept of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The whole answer as JSON text, with the id of the first one: a hit gets a new id.
    pub body: Rc<str>,
    /// Who answered, as `provider/model`.
    pub target: String,
    /// Another than the first target answered.
    pub by_fallback: bool,
    /// What it cost: what every hit saves.
    pub cost: NanoUsd,
    /// The tokens that it took, as billed once; a hit bills none.
    pub usage: Usage,
}

/// A kept answer that still serves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The answer.
    pub answer: Answer,
    /// How old it is.
    pub age: Duration,
    /// How long it still serves; more than zero.
    pub remaining: Duration,
}

/// An answer with what the cache knows of it.
pub(super) struct Entry {
    pub(super) fingerprint: Fingerprint,
    pub(super) answer: Answer,
    pub(super) stored_at: Timestamp,
    pub(super) ttl: Duration,
}

impl Entry {
    /// Age and time left; `None` once it no longer serves.
    pub(super) fn life(&self, now: Timestamp) -> Option<(Duration, Duration)> {
        let age = now.since(self.stored_at);
        let remaining = self.ttl.checked_sub(age)?;
        (!remaining.is_zero()).then_some((age, remaining))
    }

    /// From when on it no longer serves, unless the clock is set back.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.stored_at.after(self.ttl)
    }

    /// Bytes that count against the limit: texts and a flat amount for the rest.
    pub(super) fn weight(&self) -> usize {
        self.answer.body.len().saturating_add(self.answer.target.len()).saturating_add(FLAT_WEIGHT)
    }

    /// The clock went back by `step` since it was last read: the age stays what it was. `false` if the
    /// step is longer than the entry lives at all, so that nothing is known of its age.
    pub(super) fn set_back(&mut self, step: Duration) -> bool {
        self.stored_at = self.stored_at.before(step);
        step <= self.ttl
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let ttl = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        writer
            .byte(VERSION)
            .raw(&self.fingerprint.0)
            .int(self.stored_at.as_millis())
            .uint(ttl)
            .text(&self.answer.target)
            .byte(u8::from(self.answer.by_fallback))
            .uint(self.answer.cost.as_nano())
            .uint(self.answer.usage.input)
            .uint(self.answer.usage.cached_input)
            .uint(self.answer.usage.cache_write)
            .uint(self.answer.usage.cache_write_1h)
            .uint(self.answer.usage.output)
            .uint(self.answer.usage.reasoning)
            .text(&self.answer.body);
        writer.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let version = reader.byte();
        reader.require(version == VERSION);
        let entry = Self {
            fingerprint: Fingerprint(reader.array()),
            stored_at: Timestamp::from_millis(reader.int()),
            ttl: Duration::from_millis(reader.uint()),
            answer: Answer {
                target: reader.text().into(),
                by_fallback: reader.flag(),
                cost: NanoUsd::new(reader.uint()),
                usage: Usage {
                    input: reader.uint(),
                    cached_input: reader.uint(),
                    cache_write: reader.uint(),
                    cache_write_1h: reader.uint(),
                    output: reader.uint(),
                    reasoning: reader.uint(),
                },
                body: reader.text().into(),
            },
        };
        reader.end()?;
        Ok(entry)
    }
}

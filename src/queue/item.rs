//! One queued request, without its content: what a store keeps in a row, and by what it finds it.

use std::time::Duration;

use super::id::Ticket;
use crate::config::{Priority, QueueConfig};
use crate::error::{Code, Result};
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;
use crate::value::Value;

/// Where an item stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Its turn comes by rank.
    Queued,
    /// A run failed, and the next may not begin before.
    Delayed {
        /// When it is queued again.
        until: Timestamp,
        /// Why.
        code: Code,
    },
    /// Somebody runs it.
    Running {
        /// Who.
        holder: u64,
        /// When the run counts as vanished.
        until: Timestamp,
    },
    /// It has its result.
    Completed,
    /// It will not be run again by itself.
    Dead {
        /// Why.
        code: Code,
    },
    /// The caller took it back.
    Cancelled,
}

/// What a store counts and orders rows by, first. Stores know the numbers (`pkg/src/queue/rows.ts`): those of items that
/// are still to be done come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Lane {
    /// Its turn comes.
    Queued = 0,
    /// Waits for an instant.
    Delayed = 1,
    /// Is being run.
    Running = 2,
    /// Has its result.
    Completed = 3,
    /// A dead letter.
    Dead = 4,
    /// Was taken back.
    Cancelled = 5,
}

/// How a row is found. A store keeps the two indexes `(lane, rank, arrival)` and `due`, and `key` unique.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Index {
    /// Where it stands.
    pub lane: Lane,
    /// Its place among the queued: the lowest runs first.
    pub rank: i64,
    /// When something has to happen to it even if nobody asks: [`Item::sweep`].
    pub due: Timestamp,
}

/// One request in the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Names it in its store: no two are equal.
    pub arrival: i64,
    /// The part of its id that nobody can guess.
    pub secret: [u8; 15],
    /// Whose it is within the organisation, as a keyed digest.
    pub owner: Option<[u8; 16]>,
    /// The caller's idempotency key, as a keyed digest.
    pub key: Option<[u8; 16]>,
    /// What was asked, as a keyed digest: the same key for something else is a mistake.
    pub digest: [u8; 16],
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub state: State,
    /// Its place in the order: its arrival, or that of its revival.
    pub order: i64,
    /// Runs begun. Names the present run.
    pub attempts: u32,
    /// Runs that failed and count.
    pub failures: u32,
    /// How many of these may be followed by another.
    pub max_retries: u32,
    /// When it came.
    pub enqueued_at: Timestamp,
    /// By when it has to be done.
    pub deadline: Timestamp,
    /// The whole time that it had for that.
    pub timeout: Duration,
    /// When it ended; its time to live counts from then.
    pub ended_at: Timestamp,
}

/// The version written. Another one is refused and left as it is.
const VERSION: u8 = 1;

impl Item {
    /// By what a store finds it.
    #[must_use]
    pub fn index(&self, config: &QueueConfig) -> Index {
        let due = match self.state {
            State::Queued => self.deadline,
            State::Delayed { until, .. } | State::Running { until, .. } => until.min(self.deadline),
            State::Completed | State::Dead { .. } | State::Cancelled => self.ended_at.after(config.ttl),
        };
        Index { lane: self.lane(), rank: self.order.saturating_add(head_start(self.priority, config)), due }
    }

    /// Whether it is still to be done.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Queued | State::Delayed { .. } | State::Running { .. })
    }

    /// Whether what was asked is still needed. If not, the store forgets it with this very write.
    #[must_use]
    pub const fn keeps_ask(&self) -> bool {
        self.is_open() || matches!(self.state, State::Dead { .. })
    }

    /// Whether what came of it is kept: an answer, or the error of a dead letter.
    #[must_use]
    pub const fn keeps_result(&self) -> bool {
        matches!(self.state, State::Completed | State::Dead { .. })
    }

    /// Whether its result is an answer.
    #[must_use]
    pub const fn is_completed(&self) -> bool {
        matches!(self.state, State::Completed)
    }

    /// Whether it is run by this holder.
    #[must_use]
    pub const fn is_run_by(&self, by: u64) -> bool {
        matches!(self.state, State::Running { holder, .. } if holder == by)
    }

    /// Whether it is worth a try without a network. What can wait does.
    #[must_use]
    pub const fn runs_offline(&self) -> bool {
        !matches!(self.priority, Priority::Low)
    }

    /// Its id.
    #[must_use]
    pub const fn ticket(&self, shard: u8) -> Ticket {
        Ticket { shard, arrival: self.arrival, secret: self.secret }
    }

    /// Whether a caller who knows `ticket` may see it: `owner` is the user that the caller is bound to, if it is.
    #[must_use]
    pub fn is_seen_by(&self, ticket: &Ticket, owner: Option<[u8; 16]>) -> bool {
        // No early end: the time says nothing about how much of the secret was right.
        let difference = self.secret.iter().zip(ticket.secret).fold(0, |sum, (own, given)| sum | (own ^ given));
        std::hint::black_box(difference) == 0 && (owner.is_none() || owner == self.owner)
    }

    /// What callers are told, without content.
    #[must_use]
    pub fn describe(&self, shard: u8, config: &QueueConfig) -> Value {
        let (status, code, next, ended) = match self.state {
            State::Queued => ("queued", None, None, None),
            State::Delayed { until, code } => ("delayed", Some(code), Some(until), None),
            State::Running { .. } => ("running", None, None, None),
            State::Completed => ("completed", None, None, Some(self.ended_at)),
            State::Dead { code } => ("dead", Some(code), None, Some(self.ended_at)),
            State::Cancelled => ("cancelled", None, None, Some(self.ended_at)),
        };
        Value::map([
            ("requestId", self.ticket(shard).to_text().into()),
            ("status", status.into()),
            ("priority", self.priority.as_str().into()),
            ("attempts", self.attempts.into()),
            ("failures", self.failures.into()),
            ("maxRetries", self.max_retries.into()),
            ("enqueuedAt", self.enqueued_at.into()),
            ("deadline", self.deadline.into()),
            ("nextAttemptAt", next.into()),
            ("endedAt", ended.into()),
            ("erasedAt", ended.map(|ended| ended.after(config.ttl)).into()),
            ("code", code.map(Code::as_str).into()),
        ])
    }

    /// The item as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.byte(VERSION).int(self.arrival).raw(&self.secret).raw(&self.digest);
        for digest in [self.owner, self.key] {
            out.bytes(digest.as_ref().map_or(&[], |digest| digest.as_slice()));
        }
        out.byte(self.priority as u8).int(self.order);
        out.uint(self.attempts.into()).uint(self.failures.into()).uint(self.max_retries.into());
        out.int(self.enqueued_at.as_millis()).int(self.deadline.as_millis());
        out.uint(u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX)).int(self.ended_at.as_millis());
        out.byte(self.lane() as u8);
        match self.state {
            State::Delayed { until, code } => out.int(until.as_millis()).text(code.as_str()),
            State::Running { holder, until } => out.uint(holder).int(until.as_millis()),
            State::Dead { code } => out.text(code.as_str()),
            State::Queued | State::Completed | State::Cancelled => &mut out,
        };
        out.finish()
    }

    /// Reads what [`Item::encode`] wrote.
    ///
    /// # Errors
    /// `vault_corrupt` if the bytes are damaged or of another version: leave the row as it is.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let version = reader.byte();
        reader.require(version == VERSION);
        let (arrival, secret, digest) = (reader.int(), reader.array(), reader.array());
        let (owner, key) = (digest_or_none(&mut reader), digest_or_none(&mut reader));
        let priority = Priority::ALL.get(usize::from(reader.byte())).copied();
        reader.require(priority.is_some());
        let mut item = Self {
            arrival,
            secret,
            owner,
            key,
            digest,
            priority: priority.unwrap_or(Priority::Low),
            state: State::Queued,
            order: reader.int(),
            attempts: reader.uint32(),
            failures: reader.uint32(),
            max_retries: reader.uint32(),
            enqueued_at: Timestamp::from_millis(reader.int()),
            deadline: Timestamp::from_millis(reader.int()),
            timeout: Duration::from_millis(reader.uint()),
            ended_at: Timestamp::from_millis(reader.int()),
        };
        item.state = match reader.byte() {
            0 => State::Queued,
            1 => State::Delayed { until: Timestamp::from_millis(reader.int()), code: code(&mut reader) },
            2 => State::Running { holder: reader.uint(), until: Timestamp::from_millis(reader.int()) },
            3 => State::Completed,
            4 => State::Dead { code: code(&mut reader) },
            last => {
                reader.require(last == 5);
                State::Cancelled
            }
        };
        reader.end()?;
        Ok(item)
    }

    const fn lane(&self) -> Lane {
        match self.state {
            State::Queued => Lane::Queued,
            State::Delayed { .. } => Lane::Delayed,
            State::Running { .. } => Lane::Running,
            State::Completed => Lane::Completed,
            State::Dead { .. } => Lane::Dead,
            State::Cancelled => Lane::Cancelled,
        }
    }
}

fn head_start(priority: Priority, config: &QueueConfig) -> i64 {
    let span = i64::try_from(config.ageing.as_millis()).unwrap_or(i64::MAX);
    span.saturating_mul(i64::from(priority as u8))
}

fn digest_or_none(reader: &mut Reader<'_>) -> Option<[u8; 16]> {
    let bytes = reader.bytes();
    let digest = bytes.try_into().ok();
    reader.require(bytes.is_empty() || digest.is_some());
    digest
}

/// A code that this version does not know stays a reason of some kind.
fn code(reader: &mut Reader<'_>) -> Code {
    Code::parse(reader.text()).unwrap_or(Code::Internal)
}

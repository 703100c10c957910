//! May this request join the queue, and where?

use std::time::Duration;

use super::ask::Ask;
use super::item::{Item, State};
use crate::config::QueueConfig;
use crate::error::{Code, Error, Result};
use crate::time::Timestamp;

/// When whoever finds no room may come again: nobody knows when there is some.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// What a store knows of itself when a request comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Items that are still to be done.
    pub open: u32,
    /// Those of them that are of whose request it is; 0 where users do not share a store with others.
    pub own: u32,
    /// The latest arrival that it has given out, as far as it knows.
    pub last: i64,
}

impl Room {
    /// The next arrival: as late as the clock says, and later than every other.
    fn next(&self, now: Timestamp) -> i64 {
        now.as_millis().max(self.last.saturating_add(1))
    }

    /// Nobody has more than is left for others: alone half of all, and whoever comes next finds room.
    fn check(&self, config: &QueueConfig) -> Result<()> {
        if config.capacity.saturating_sub(self.open) > self.own {
            Ok(())
        } else {
            Err(Error::new(Code::QueueFull).after(COME_AGAIN).into())
        }
    }
}

/// The names that a new item gets: random, and keyed digests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Naming {
    /// Random.
    pub secret: [u8; 15],
    /// Of the user, if the request is one's.
    pub owner: Option<[u8; 16]>,
    /// Of user and idempotency key, if there is one.
    pub key: Option<[u8; 16]>,
    /// Of what was asked.
    pub digest: [u8; 16],
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enqueued {
    /// To be inserted.
    New(Item),
    /// It came before under the same idempotency key; nothing is to be written.
    Known(Item),
}

/// Takes a request in. `known` is the item that has the same idempotency key.
///
/// # Errors
/// `queue_full`; `invalid_request` (422), naming `idempotencyKey`, if the key was used for something else.
pub fn enqueue(
    ask: &Ask,
    naming: Naming,
    known: Option<Item>,
    room: Room,
    config: &QueueConfig,
    now: Timestamp,
) -> Result<Enqueued> {
    if let Some(item) = known {
        if item.digest == naming.digest {
            return Ok(Enqueued::Known(item));
        }
        let other = Error::invalid("idempotencyKey", "was used for another request");
        return Err(Error { status: Some(422), ..other }.into());
    }
    room.check(config)?;
    let arrival = room.next(now);
    let timeout = ask.timeout.unwrap_or(config.timeout);
    Ok(Enqueued::New(Item {
        arrival,
        secret: naming.secret,
        owner: naming.owner,
        key: naming.key,
        digest: naming.digest,
        priority: ask.priority,
        state: State::Queued,
        order: arrival,
        attempts: 0,
        failures: 0,
        max_retries: ask.max_retries.unwrap_or(config.max_retries),
        enqueued_at: now,
        deadline: now.after(timeout),
        timeout,
        ended_at: Timestamp::EPOCH,
    }))
}

impl Item {
    /// Queues a dead letter again: behind all that is there, with new retries and as much time as before.
    ///
    /// # Errors
    /// `queue_full`; `invalid_request` (409) if it is none.
    pub fn revive(&self, room: Room, config: &QueueConfig, now: Timestamp) -> Result<Self> {
        if !matches!(self.state, State::Dead { .. }) {
            let other = Error::invalid("requestId", "must be a dead letter's");
            return Err(Error { status: Some(409), ..other }.into());
        }
        room.check(config)?;
        let (state, order, deadline) = (State::Queued, room.next(now), now.after(self.timeout));
        Ok(Self { state, order, failures: 0, deadline, ended_at: Timestamp::EPOCH, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_fills_the_queue_alone() {
        let config = QueueConfig { capacity: 8, ..QueueConfig::default() };
        let has_room = |open: u32, own: u32| Room { open, own, last: 0 }.check(&config).is_ok();
        // One after the other takes all that they get: half, then half of the rest, and so on.
        let mut open = 0;
        let shares = [(); 5].map(|()| {
            let own = (0..=8).find(|own| !has_room(open + own, *own)).unwrap();
            open += own;
            own
        });
        assert_eq!((shares, open), ([4, 2, 1, 1, 0], 8));
        // Who is nobody's in particular shares with nobody.
        assert_eq!((has_room(7, 0), has_room(8, 0), has_room(9, 0)), (true, false, false));
    }
}

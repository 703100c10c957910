//! What is asked now and answered later: a durable queue in order of priority.
//!
//! Like the ledger it is a synchronous machine, but its state is rows in a store rather than one snapshot, so that one
//! more request costs one insert, however many wait. A store (memory, SQLite in a Durable Object, IndexedDB in a tab)
//! looks up the row that a decision is about by one of two indexes, hands it in, and writes what comes out, all in one
//! transaction. Nothing is decided outside of this module.
//!
//! **Order.** Each priority is a head start in time: `rank = arrival + head start`, and the lowest rank runs first. So a
//! `low` item waits as though it had come three ageing spans later than it did, and whoever comes after that is behind
//! it, whatever its priority. Arrivals are counted in milliseconds and no two are equal: they follow the clock, and
//! when it stands or goes back they go on by one. Hence the bound: an item is passed over by what was there before it,
//! and by at most as many later ones as milliseconds are in its head start, under every clock.
//!
//! **At least once, one result.** To run an item is to hold its lease, which names the holder and the run. A lease that
//! runs out puts the item back, and the late result of that run is refused; so what is asked may be asked twice after
//! a crash, but one result is recorded. Runs that vanish count as failures: an item that kills whoever runs it ends.
//!
//! **Ends.** Completed, dead (no further retry, a failure that stays, the deadline) or cancelled. A dead letter keeps
//! what was asked and can be queued again; of the others only the result stays. After the time to live all is erased.

mod again;
mod ask;
mod enqueue;
mod id;
mod item;
mod life;

pub use again::{Again, again};
pub use ask::{Ask, shard_of};
pub use enqueue::{Enqueued, Naming, Room, enqueue};
pub use id::Ticket;
pub use item::{Index, Item, Lane, State};
pub use life::{Lease, Outcome};

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

//! May this start? The ledger of spending, circuits, cooldowns and concurrency.
//!
//! [`LedgerState`] is a synchronous state machine: a [`Command`] and the present time go in, a [`Reply`]
//! comes out, and the state in between is a few hundred bytes ([`LedgerState::snapshot`]). So the same code
//! runs in memory, within one IndexedDB transaction, and in a Durable Object; [`decide`] does the whole
//! step from bytes to bytes.
//!
//! An attempt is admitted when its target does not cool, its circuit permits it, its request has a slot
//! or one is free, and its bound fits the budget; nothing is taken unless all four agree. It is settled
//! once, with its bill, with its bound, or with nothing. If it vanishes, its lease runs out: it is charged
//! its bound, which a late bill still replaces once, and whatever else it held is free again.
//!
//! Money is charged to the period in which the attempt was admitted. A period is a local day
//! of the budget's zone; its book is remembered when the clock leaves it, so a clock set forward and
//! back finds what was spent. After 64 periods the oldest are forgotten and stay closed.

mod breaker;
#[cfg(feature = "edge")]
mod bucket;
mod budget;
mod command;
mod concurrency;
#[cfg(feature = "edge")]
pub mod edge;
mod lease;
mod ledger;
mod period;
mod reservation;
#[cfg(feature = "edge")]
mod session;
mod snapshot;
mod target;
mod wire;

pub use command::{Charge, CircuitState, Command, Figures, Notice, Outcome, Reply, TargetFigures};
#[cfg(feature = "edge")]
pub use command::{Entered, MOST_TOGETHER};
pub use ledger::{LedgerPolicy, LedgerState};
#[cfg(feature = "edge")]
pub use session::{Given, SessionLimits, session_day};
pub use target::{LONGEST_NAME, is_with_key, with_key, without_key};
pub use wire::decide;

//! What to do when a provider did not answer: read what it said, and decide the next step.
//!
//! [`classify`] turns a status, its headers and the head of its body into a [`Verdict`]: a
//! [`Code`](crate::error::Code), the wait the provider asks for, and whether the attempt may be billed.
//! [`next_step`] turns that into retry, next target or stop, within the configuration, the deadline and
//! the gate's [`RetryBudget`]. Everything here is synchronous; time and chance are arguments.
//!
//! Waits are read in one order: `retry-after-ms`, `Retry-After`, the body, reset headers of a bucket
//! that is empty, and last [`full_jitter`]. No float is parsed: every decimal becomes whole
//! milliseconds, rounded up, so that nobody comes back too early.

mod backoff;
mod body;
mod budget;
mod classify;
mod date;
mod decide;
mod decimal;
mod wait;

pub use backoff::full_jitter;
pub use body::may_be_error;
pub use budget::RetryBudget;
pub use classify::{Verdict, classify};
pub use decide::{Failure, Position, Step, WaitReason, next_step};
pub use wait::{ANSWER_HEADERS, Headers};

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

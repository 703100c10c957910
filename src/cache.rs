//! The exact cache: the same question of the same tenant gets the answer that it got before.
//!
//! Four parts, all synchronous, with time passed in:
//!
//! - [`fingerprint`] turns a request into 32 bytes. Everything that can shape the answer goes in, in
//!   canonical form; a difference that does not matter may cost a hit, never give a false one.
//! - [`may_store`] and [`Controls`] decide which requests read and which answers are kept.
//! - [`ExactCache`] keeps the answers: bounded in number and bytes, least recently used first out, each
//!   for its own time to live, also when the clock is set back.
//!
//! Joining equal requests in flight is the pipeline's part, sealing entries on disk the vault's.

mod admissible;
mod canonical;
mod entry;
mod exact;
mod fingerprint;
mod hash;

pub use admissible::{AnswerFacts, Controls, may_store};
pub use entry::{Answer, Hit};
pub use exact::{ExactCache, MAX_BODY_BYTES, MAX_BYTES};
pub use fingerprint::{Fingerprint, Scope, Targets, fingerprint, partition};

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

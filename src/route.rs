//! Which targets take a request, and in which order.

pub mod plan;

pub use plan::{Candidate, Exclusion, plan};

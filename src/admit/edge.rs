//! Limits by caller, around the ledger of an organisation: rates by tier, route and target, and budgets of the
//! organisation's weeks and months, its users and its API tokens.
//!
//! [`EdgeLedger`] holds a [`LedgerState`](super::LedgerState) and follows its replies. What it decides itself is
//! decided first and taken last: an attempt takes from all buckets and books, or from none. Who a request is for
//! is said by a [`Command::For`](super::Command::For) around the command; whose books a settlement closes is known
//! from the admission.
//!
//! It lives in rows: one for the ledger, one for the desk (what attempts hold, and what is the organisation's own),
//! one for each user and token. So a decision writes a few hundred bytes, however many users there are.

pub(super) mod again;
mod books;
mod caller;
mod desk;
mod leases;
mod machine;
mod policy;
mod posted;
mod slice;
mod store;
mod subject;
mod wire;

pub use again::mark_of;
pub use caller::{BudgetFigures, Caller, CallerFigures, Correction, Entry, Errand};
pub use leases::Leases;
pub use machine::EdgeLedger;
pub use policy::EdgePolicy;
pub use posted::{Due, POSTED_FOR, Posted};
pub use store::{MemoryRows, Rows};
pub(super) use wire::{
    decode_allowance, decode_errand, decode_figures, decode_scope, decode_span, encode_allowance, encode_errand,
    encode_figures, encode_scope, encode_span, inner,
};

//! What requests cost: known prices, token counts before a request, and the bill after it.
//!
//! Everything is integer: nano-dollars per million tokens. A price that is not known is `None`, never zero.
//! Reserving goes `Parts` → [`bound_input`] → [`reserve`]; settling goes [`Usage`](crate::chat::Usage) → [`cost`],
//! unless the provider reports a cost itself.

mod bill;
mod estimate;
mod family;
mod images;
mod packed;
mod rates;
mod table;
mod tokens;
mod weights;

pub use bill::{cost, reserve};
pub use estimate::{Parts, bound_input, estimate_input};
pub use family::Family;
pub use rates::{MAX_TIERS, Price, Rates, Tier};
pub use table::{Table, hour_of};
pub use tokens::{CLASSES, Features};

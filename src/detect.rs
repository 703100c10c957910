//! Finds keys in text of any kind: a hand-written byte scanner over the table of [`crate::keys`].
//!
//! One pass looks for three bytes of each prefix (`prefilter`), and only there the shape is read. The same pass meets
//! the beginnings of what must be decoded first: escapes, joints of a concatenation, the prefixes in base64. What is
//! decoded becomes a view whose places lead back to the text.
//!
//! Text is taken in blocks at fixed places, each with what stands before and behind it: so memory is bounded, and any
//! division into chunks gives the same findings.

mod base64;
mod escape;
mod finding;
mod hostile;
mod place;
mod prefilter;
mod redact;
mod resolve;
mod scanner;
#[cfg(not(feature = "values"))]
#[path = "detect/no_values.rs"]
mod values;
#[cfg(feature = "values")]
mod values;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vectors;
mod window;

pub use finding::{Encoding, Finding, Options};
pub use hostile::{Pattern, hostile};
pub use redact::{At, PASSES, Restorer, clean, mark, redact, redact_all};
pub use scanner::{Scanner, scan};
pub use values::Values;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod properties;
#[cfg(test)]
mod tests;

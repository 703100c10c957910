//! Providers: how a request is written for one and how its answer is read. What differs between
//! providers of the same dialect is data in [`catalogue`].

pub mod catalogue;
pub mod openai_compatible;

pub use catalogue::{Quirks, quirks};
pub use openai_compatible::{Answer, decode, encode};

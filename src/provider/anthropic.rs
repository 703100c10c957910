//! Anthropic's Messages.
//!
//! What its API has no place for travels inside the fields that its clients send back unread: a signature or
//! the data of a redacted thinking block that begin with `{` are ours, see `reasoning.rs`.

mod answer;
mod betas;
mod blocks;
mod error;
mod reasoning;
mod request;
mod stream;
mod usage;
mod write;

pub(super) use answer::{decode_body, encode_body};
pub use betas::{betas, without};
pub(super) use error::encode_error;
pub(super) use request::{decode_request, encode_request, rewrite_request};
pub use stream::{StreamDecoder, StreamEncoder};

//! OpenAI's Responses.

mod answer;
mod carry;
mod error;
mod namespace;
mod read;
mod request;
mod stream;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;
mod write;

pub(super) use answer::{decode_body, encode_body};
pub(super) use error::encode_error;
pub(super) use request::{decode_request, encode_request, rewrite_request};
pub use stream::{StreamDecoder, StreamEncoder};

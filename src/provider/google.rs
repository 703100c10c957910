//! Gemini's generateContent and streamGenerateContent (ai.google.dev/api/generate-content, `v1beta`).
//!
//! Requests: `decode` reads a caller's, `encode` writes one for Gemini. Answers: `reader` cuts them into
//! pieces, `writer` writes pieces as the API would; whole answers and streams are both made from these two.

mod answer;
mod decode;
mod encode;
mod error;
mod fields;
mod partial;
mod reader;
mod request;
mod signature;
mod stream;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;
mod thinking;
mod writer;

pub(super) use answer::{decode_body, encode_body};
pub(super) use decode::decode_request;
pub(super) use encode::encode_request;
pub(super) use error::encode_error;
pub(super) use request::{path, rewrite_request};
pub use stream::{StreamDecoder, StreamEncoder};

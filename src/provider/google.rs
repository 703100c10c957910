//! Gemini's generateContent and streamGenerateContent.

mod answer;
mod error;
mod request;
mod stream;

pub(super) use answer::{decode_body, encode_body};
pub(super) use error::encode_error;
pub(super) use request::{decode_request, encode_request, path, rewrite_request};
pub use stream::{StreamDecoder, StreamEncoder};

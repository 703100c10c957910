//! OpenAI's chat completions, as Groq, OpenRouter and most others speak them.

mod answer;
mod error;
mod request;
mod stream;
mod usage;

pub(super) use answer::{decode_body, encode_body};
pub(super) use error::encode_error;
pub(super) use request::{encode_request, rewrite_request};
pub use stream::{StreamDecoder, StreamEncoder};
pub(super) use usage::{charged, tier};

//! OpenAI's chat completions, as Groq, OpenRouter and most others speak them.

mod answer;
mod error;
mod history;
mod refused;
mod request;
mod stream;
mod usage;

pub(super) use answer::{decode_body, encode_body};
pub(super) use error::encode_error;
pub(super) use history::fitting;
pub(super) use refused::check;
pub(super) use request::{encode_request, rewrite_request};
pub(super) use stream::with_x_groq;
pub use stream::{StreamDecoder, StreamEncoder};
pub(super) use usage::{CACHE_WRITE, charged, tier};

//! Whole answers.

use crate::chat::{Completion, Delta};
use crate::provider::Stamp;

/// Reads a 2xx answer piece by piece; `None` if it is none of this dialect.
pub(in crate::provider) fn decode_body(_body: &str, _sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
    None
}

/// Writes a whole answer.
pub(in crate::provider) fn encode_body(_completion: &Completion, _stamp: &Stamp) -> String {
    String::new()
}

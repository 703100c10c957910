//! Requests.

use crate::error::{Code, Result};
use crate::json::Fields;
use crate::provider::Outgoing;

/// Reads a caller's request and writes it in neutral form.
pub(in crate::provider) fn decode_request(_body: &str) -> Result<String> {
    Err(Code::UnsupportedEndpoint.into())
}

/// Writes a neutral request in this dialect.
pub(in crate::provider) fn encode_request(_request: &Fields<'_>, _outgoing: &Outgoing<'_>) -> Result<String> {
    Err(Code::UnsupportedEndpoint.into())
}

/// Writes a request of this dialect for one target.
pub(in crate::provider) fn rewrite_request(_request: &Fields<'_>, _outgoing: &Outgoing<'_>) -> String {
    String::new()
}

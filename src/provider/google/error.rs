//! Errors as the clients of this dialect read them.

use crate::error::Error;

/// The body of an error.
pub(in crate::provider) fn encode_error(_error: &Error, _message: &str, _account: &str) -> String {
    String::new()
}

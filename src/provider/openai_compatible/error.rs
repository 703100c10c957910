//! Errors as OpenAI's clients read them.

use crate::error::{Detail, Error};
use crate::json::push_text;

/// OpenAI's word for a status.
const fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        429 => "rate_limit_error",
        501 => "invalid_request_error",
        status if status < 500 => "invalid_request_error",
        _ => "server_error",
    }
}

/// The body of an error.
pub(in crate::provider) fn encode_error(error: &Error, message: &str, account: &str) -> String {
    let mut out = String::from("{\"error\":{\"message\":");
    push_text(&mut out, message);
    out.push_str(",\"type\":\"");
    out.push_str(kind(error.http_status()));
    out.push_str("\",\"code\":\"");
    out.push_str(error.code.as_str());
    out.push_str("\",\"param\":");
    match &error.detail {
        Detail::Fields(fields) if fields.first().is_some_and(|field| !field.path.is_empty()) => {
            push_text(&mut out, fields.first().map_or("", |field| &field.path));
        }
        _ => out.push_str("null"),
    }
    if !account.is_empty() {
        out.push_str(",\"tidegate\":");
        out.push_str(account);
    }
    out.push_str("}}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_status_has_openais_word_for_it() {
        for (status, word) in [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (402, "insufficient_quota"),
            (403, "permission_error"),
            (404, "invalid_request_error"),
            (429, "rate_limit_error"),
            (500, "server_error"),
            (501, "invalid_request_error"),
            (504, "server_error"),
        ] {
            assert_eq!(kind(status), word, "{status}");
        }
    }

    #[test]
    fn a_field_is_named_where_there_is_one() {
        let body = |path| encode_error(&Error::field(Code::InvalidRequest, path, "is wrong"), "no", "");
        assert_eq!(
            body("n"),
            r#"{"error":{"message":"no","type":"invalid_request_error","code":"invalid_request","param":"n"}}"#
        );
        assert!(body("").contains(r#""param":null"#));
    }
}

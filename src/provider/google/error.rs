//! Errors as Google's clients read them (cloud.google.com/apis/design/errors): `@google/genai` raises an
//! `ApiError` with the HTTP status, and with this whole body as its message.

use super::fields::{escaped, field, push, text_field};
use crate::error::{Detail, Error};
use crate::record::push_int;

const TYPE: &str = "type.googleapis.com/google.rpc.";

/// The canonical name (`google.rpc.Code`) that belongs to an HTTP status. A cap of money is a resource that is
/// used up, and has no status there of its own.
const fn canonical(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        412 | 423 => "FAILED_PRECONDITION",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        status if status < 500 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

/// The body of an error.
pub(in crate::provider) fn encode_error(error: &Error, message: &str, account: &str) -> String {
    let status = error.http_status();
    let mut out = String::from("{\"error\":{\"code\":");
    push_int(&mut out, status.into());
    text_field(&mut out, "message", message);
    escaped(&mut out, "status", canonical(status));
    push(&mut out, &[",\"details\":[{\"@type\":\"", TYPE, "ErrorInfo\",\"reason\":\""]);
    out.push_str(&error.code.as_str().to_ascii_uppercase());
    out.push_str("\",\"domain\":\"tidegate\"}");
    if let Some(wait) = error.retry_after {
        push(&mut out, &[",{\"@type\":\"", TYPE, "RetryInfo\",\"retryDelay\":\""]);
        push_int(&mut out, wait.as_secs());
        // Three digits, whatever they are: 1005 without its first is 005.
        let mut millis = String::new();
        push_int(&mut millis, u64::from(wait.subsec_millis()).saturating_add(1000));
        push(&mut out, &[".", millis.get(1..).unwrap_or("000"), "s\"}"]);
    }
    if let Detail::Fields(fields) = &error.detail {
        push(&mut out, &[",{\"@type\":\"", TYPE, "BadRequest\",\"fieldViolations\":["]);
        for own in fields {
            super::fields::comma(&mut out);
            out.push('{');
            text_field(&mut out, "field", &own.path);
            text_field(&mut out, "description", &own.problem);
            out.push('}');
        }
        out.push_str("]}");
    }
    out.push(']');
    if !account.is_empty() {
        field(&mut out, "tidegate", account);
    }
    out.push_str("}}");
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Code;

    #[test]
    fn a_wait_and_the_bad_fields_are_details() {
        let error = Error::new(Code::RateLimited).after(Duration::from_millis(34_005));
        assert_eq!(
            encode_error(&error, "Wait.", r#"{"a":1}"#),
            r#"{"error":{"code":429,"message":"Wait.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMITED","domain":"tidegate"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.005s"}],"tidegate":{"a":1}}}"#
        );
        let error = Error::invalid("contents", "must be a list");
        assert_eq!(
            encode_error(&error, "\"No\".", ""),
            r#"{"error":{"code":400,"message":"\"No\".","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_REQUEST","domain":"tidegate"},{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents","description":"must be a list"}]}]}}"#
        );
    }

    #[test]
    fn every_code_has_a_status_that_clients_raise() {
        for code in Code::ALL {
            let error = Error::new(*code);
            assert!((400..600).contains(&error.http_status()), "{code:?}");
            let body = encode_error(&error, code.message(), "");
            assert!(crate::json::fields(&body).is_ok(), "{body}");
        }
    }
}

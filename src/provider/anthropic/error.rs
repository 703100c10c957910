//! Errors as Anthropic's clients read them.

use super::write::put;
use crate::error::{Detail, Error};
use crate::json::push_text;

/// Anthropic's word for a status.
const fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        501 => "invalid_request_error",
        status if status < 500 => "invalid_request_error",
        _ => "api_error",
    }
}

/// A conversation that the provider keeps is in no request, so nothing could bound its price. Told so, Anthropic's tool
/// runner, which asks for one by itself, sends the whole conversation instead.
const NO_THREADS: &str = ",\"details\":{\"error_code\":\"thread_unsupported_request\",\"unsupported\":[\"thread\"]}";

/// The body of an error. `param` names the bad field, as OpenAI's errors do: Anthropic has no place for it.
pub(in crate::provider) fn encode_error(error: &Error, message: &str, account: &str) -> String {
    let mut out = String::from("{\"type\":\"error\",\"error\":{\"type\":\"");
    put(&mut out, &[kind(error.http_status()), "\",\"message\":"]);
    push_text(&mut out, message);
    put(&mut out, &[",\"code\":\"", error.code.as_str(), "\""]);
    if let Detail::Fields(fields) = &error.detail
        && let Some(field) = fields.first().filter(|field| !field.path.is_empty())
    {
        out.push_str(",\"param\":");
        push_text(&mut out, &field.path);
        if field.path == "thread" {
            out.push_str(NO_THREADS);
        }
    }
    if !account.is_empty() {
        put(&mut out, &[",\"tidegate\":", account]);
    }
    out.push_str("},\"request_id\":null}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn every_error_is_one_of_anthropics() {
        let known = [
            "invalid_request_error",
            "authentication_error",
            "billing_error",
            "permission_error",
            "rate_limit_error",
            "timeout_error",
            "api_error",
            "overloaded_error",
        ];
        for code in Code::ALL {
            let body = encode_error(&Error::new(*code), "A \"sentence\".", "{\"code\":1}");
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["type"], "error");
            assert!(known.contains(&body["error"]["type"].as_str().unwrap()), "{body}");
            assert_eq!(body["error"]["message"], "A \"sentence\".");
            assert_eq!(body["error"]["tidegate"]["code"], 1);
        }
    }

    #[test]
    fn a_status_has_anthropics_word_for_it() {
        // platform.claude.com/docs/en/api/errors
        for (status, word) in [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (402, "billing_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (422, "invalid_request_error"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (502, "api_error"),
            (504, "timeout_error"),
            (529, "overloaded_error"),
        ] {
            assert_eq!(kind(status), word, "{status}");
        }
    }

    #[test]
    fn a_thread_is_refused_in_the_words_that_the_tool_runner_knows() {
        let body = encode_error(&Error::invalid("thread", "is not kept"), "No.", "");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["details"]["error_code"], "thread_unsupported_request");
        assert_eq!(body["error"]["details"]["unsupported"], serde_json::json!(["thread"]));
        let other = encode_error(&Error::invalid("threads", "is not known"), "No.", "");
        assert!(!other.contains("details"), "{other}");
    }

    #[test]
    fn the_bad_field_is_named() {
        let error = Error::invalid("messages[0].role", "must be one");
        assert_eq!(
            encode_error(&error, "No.", ""),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"No.","code":"invalid_request","param":"messages[0].role"},"request_id":null}"#
        );
    }
}

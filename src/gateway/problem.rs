//! Errors as callers see them: as plain data, and as an HTTP answer in a dialect.

use std::borrow::Cow;
use std::time::Duration;

use super::told::scrub;
use crate::chat::Dialect;
#[cfg(feature = "edge")]
use crate::error::Allowance;
use crate::error::{Code, Detail, Error, FieldError};
use crate::provider::encode_error;
use crate::value::Value;

/// An error as plain data, with the names of the public API and without keys: fields, models and providers are called
/// what others called them.
#[must_use]
pub fn problem(error: &Error) -> Value {
    let mut fields = vec![
        ("code", error.code.as_str().into()),
        ("message", error.message().into()),
        ("status", u32::from(error.http_status()).into()),
        ("shouldRetry", error.should_retry().into()),
        ("provider", error.provider.as_deref().into()),
        ("attempt", error.attempt.into()),
        ("retryAfterMs", error.retry_after.into()),
    ];
    if let Some(id) = &error.request_id {
        fields.push(("requestId", id.as_str().into()));
        fields.push(("costNanoUsd", error.cost.into()));
    }
    #[cfg(feature = "edge")]
    if let Some(asked) = &error.asked {
        let target = asked.target.as_str().into();
        fields.push(("asked", Value::map([("exchanges", asked.exchanges.into()), ("target", target)])));
    }
    #[cfg(feature = "edge")]
    if let Some(allowance) = &error.allowance {
        fields.push((
            "rate",
            Value::map([
                ("limit", allowance.limit.into()),
                ("remaining", allowance.remaining.into()),
                ("resetMs", allowance.reset.into()),
            ]),
        ));
    }
    match &error.detail {
        Detail::None => {}
        Detail::Fields(bad) => {
            let each = bad
                .iter()
                .map(|one| Value::map([("path", one.path.as_str().into()), ("problem", one.problem.as_ref().into())]));
            fields.push(("fields", each.collect()));
        }
        Detail::Budget { limit, spent, reserved, resets_at } => fields.push((
            "budget",
            Value::map([
                ("limitNanoUsd", (*limit).into()),
                ("spentNanoUsd", (*spent).into()),
                ("reservedNanoUsd", (*reserved).into()),
                ("resetsAt", (*resets_at).into()),
            ]),
        )),
        #[cfg(feature = "edge")]
        Detail::BudgetOf { of, per, limit, spent, reserved, resets_at } => fields.push((
            "budget",
            Value::map([
                ("of", (*of).into()),
                ("per", (*per).into()),
                ("limitNanoUsd", (*limit).into()),
                ("spentNanoUsd", (*spent).into()),
                ("reservedNanoUsd", (*reserved).into()),
                ("resetsAt", (*resets_at).into()),
            ]),
        )),
        Detail::Status(status) => fields.push(("upstreamStatus", u32::from(*status).into())),
        Detail::Timeout(kind) => fields.push(("timeout", kind.as_str().into())),
        Detail::Network(kind) => fields.push(("network", kind.as_str().into())),
    }
    let attempts = error.attempts.iter().map(|one| {
        Value::map([
            ("attempt", one.attempt.into()),
            ("target", one.target.as_str().into()),
            ("code", one.code.as_str().into()),
            ("status", one.status.map(u32::from).into()),
        ])
    });
    fields.push(("attempts", attempts.collect()));
    let present = fields.into_iter().filter(|(_, value)| *value != Value::Null);
    let mut told = Value::Map(present.map(|(name, value)| (name.into(), value)).collect());
    scrub(&mut told);
    told
}

/// An error as an HTTP answer: status, headers, and the body as the clients of `dialect` read it. `given` is what
/// [`problem`] gave, or an adapter's own error in that form.
#[must_use]
pub fn failure(dialect: Dialect, mut given: Value) -> (u16, Vec<(&'static str, String)>, String) {
    scrub(&mut given);
    let text = |name: &str| match given.field(name) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let int = |name: &str| match given.field(name) {
        Some(Value::Int(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    let mut error = Error::new(Code::parse(text("code")).unwrap_or(Code::Internal));
    error.retry_after = int("retryAfterMs").map(Duration::from_millis);
    let mut message = String::from(if text("message").is_empty() { error.code.message() } else { text("message") });
    if let Some(Value::List(fields)) = given.field("fields") {
        let named = |field: &Value, name: &str| match field.field(name) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let all: Vec<_> = fields.iter().map(|field| (named(field, "path"), named(field, "problem"))).collect();
        for (index, (path, problem)) in all.iter().enumerate() {
            // An adapter's own refusal says it in its sentence.
            if message == *problem {
                continue;
            }
            let before = if index == 0 { " " } else { "; " };
            for piece in [before, if path.is_empty() { "input" } else { path }, " ", problem] {
                message.push_str(piece);
            }
            if index.saturating_add(1) == all.len() {
                message.push('.');
            }
        }
        let own = all.into_iter().map(|(path, problem)| FieldError { path, problem: Cow::Owned(problem) }).collect();
        error.detail = Detail::Fields(own);
    }
    // Before the body is written: some bodies repeat the status, and their words depend on it.
    error.status = int("status").and_then(|status| u16::try_from(status).ok());
    let status = error.http_status();
    let mut account = String::new();
    if let Value::Map(fields) = &given {
        let kept = fields.iter().filter(|(name, value)| {
            !matches!(name.as_str(), "code" | "message" | "status" | "shouldRetry") && *value != Value::Null
        });
        Value::Map(kept.cloned().collect()).push_json(&mut account);
    }
    let mut headers = error.response_headers();
    #[cfg(feature = "edge")]
    if let Some(rate) = given.field("rate") {
        let int = |name: &str| match rate.field(name) {
            Some(Value::Int(number)) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        };
        let reset = Duration::from_millis(int("resetMs"));
        headers.extend(Allowance { limit: int("limit"), remaining: int("remaining"), reset }.headers());
    }
    if !text("requestId").is_empty() {
        headers.push(("x-request-id", text("requestId").into()));
    }
    headers.push(("content-type", "application/json".into()));
    (status, headers, encode_error(dialect, &error, &message, &account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::json;

    #[test]
    fn an_error_body_says_what_is_wrong_and_where() {
        let error = Error::invalid("messages[0].role", "must be user");
        let (_, _, body) = failure(Dialect::Chat, problem(&error));
        let fields = json::fields(&body).unwrap();
        let inner = json::fields(fields.field("error").unwrap().get()).unwrap();
        let text = |name: &str| inner.field(name).and_then(json::text).unwrap().into_owned();
        assert_eq!(text("message"), "The request is not valid. messages[0].role must be user.");
        assert_eq!(
            (text("type"), text("code"), text("param")),
            ("invalid_request_error".into(), "invalid_request".into(), "messages[0].role".into())
        );
        assert_eq!(
            inner.field("tidegate").map(|raw| raw.get()),
            Some(r#"{"fields":[{"path":"messages[0].role","problem":"must be user"}],"attempts":[]}"#)
        );
        let (_, _, body) = failure(Dialect::Google, problem(&Error::invalid("contents", "must be a list")));
        assert!(body.contains(r#"{"field":"contents","description":"must be a list"}"#), "{body}");
        let (_, _, body) = failure(Dialect::Chat, problem(&Error::invalid("", "must be JSON")));
        assert!(body.contains("The request is not valid. input must be JSON."), "{body}");
    }

    #[test]
    fn an_adapters_own_status_goes_before_the_codes() {
        let given = Value::map([
            ("code", "invalid_request".into()),
            ("status", 413_u32.into()),
            ("message", "The request is not valid.".into()),
            (
                "fields",
                [Value::map([("path", "body".into()), ("problem", "is too long".into())])].into_iter().collect(),
            ),
        ]);
        let (status, _, body) = failure(Dialect::Anthropic, given.clone());
        assert_eq!(status, 413);
        assert!(body.contains("request_too_large"), "{body}");
        let (status, _, body) = failure(Dialect::Google, given);
        assert_eq!(status, 413);
        assert!(body.contains("\"code\":413"), "{body}");
    }

    #[test]
    fn nothing_that_others_named_is_told_with_a_key_in_it() {
        let key = ["gsk_", "k3JQ9vT2mXw8ZrB5nLc7YdH1pFs6GaE4uKqW0tVoRiNjMbCxPzDy"].concat();
        let mut error = Error::invalid(&format!("tools[{key}]"), "is too much");
        error.provider = Some(key.clone());
        let mut told = String::new();
        problem(&error).push_json(&mut told);
        assert!(told.contains("is too much") && !told.contains(&key), "{told}");
    }

    #[test]
    fn plain_data_has_the_code_first() {
        let Value::Map(fields) = problem(&Error::new(Code::QueueFull)) else { panic!("no object") };
        assert_eq!(fields.first(), Some(&("code".into(), "queue_full".into())));
    }
}

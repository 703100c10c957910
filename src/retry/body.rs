//! What an error body says. Only well-formed JSON is read, by asking for single fields: no tree is built
//! and no number becomes a float. Anything else (HTML, a cut body, invalid UTF-8) says nothing.

use std::fmt;
use std::time::Duration;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{decimal, wait};
use crate::time::Timestamp;

/// Longer bodies are not read: no provider's error is, and a hostile one shall not cost time.
const MAX_BYTES: usize = 64 * 1024;

/// The facts of one error body. All empty when there is none.
#[derive(Default, Debug)]
pub(super) struct ErrorBody {
    /// `code`, `type` and `status`: names, or numbers as written.
    labels: [String; 3],
    /// The message, and the sub-provider's own answer that OpenRouter quotes; in lower case.
    prose: String,
    /// The wait that the body states.
    pub(super) wait: Option<Duration>,
    /// The wait of a bucket that the body's quoted headers show empty.
    pub(super) reset: Option<Duration>,
    /// Output or usage stands beside the error.
    pub(super) output: bool,
}

impl ErrorBody {
    /// Reads a body. With `embedded` (the status was 2xx) there must be an `error` that says something;
    /// otherwise the root itself may be the error.
    pub(super) fn read(body: &[u8], embedded: bool, now: Timestamp) -> Option<Self> {
        if body.len() > MAX_BYTES || embedded && !body.windows(7).any(|bytes| bytes == br#""error""#) {
            return None;
        }
        let text = std::str::from_utf8(body).ok()?.trim_start();
        // Google's OpenAI dialect wraps its error in a list.
        let root = if text.starts_with('[') { *elements(text).first()? } else { text };
        let error =
            field(root, "error").filter(|error| error.starts_with(['{', '"']) && *error != "{}" && *error != r#""""#);
        let output = ["usage", "choices", "candidates", "usageMetadata", "content", "output"]
            .iter()
            .filter_map(|name| field(root, name))
            .any(|value| value != "null" && value != "[]");
        match error {
            Some(error) if error.starts_with('"') => {
                let prose = string(error).to_ascii_lowercase();
                Some(Self { wait: wait::of_message(&prose), prose, output, ..Self::default() })
            }
            Some(error) => Some(Self { output, ..Self::of(error, now) }),
            None if embedded => None,
            None => root.starts_with('{').then(|| Self::of(root, now)),
        }
    }

    /// The facts of an error object.
    fn of(error: &str, now: Timestamp) -> Self {
        let labels = ["code", "type", "status"].map(|name| field(error, name).map(string).unwrap_or_default());
        let metadata = field(error, "metadata").unwrap_or_default();
        let mut prose = field(error, "message").map(string).unwrap_or_default();
        if let Some(raw) = field(metadata, "raw") {
            prose.push('\n');
            prose.push_str(&string(raw));
        }
        prose.make_ascii_lowercase();
        let quoted = field(metadata, "headers").unwrap_or_default();
        let header = |name: &str| field(quoted, name).map(string);
        let available = || field(field(error, "availability")?, "retry_after").map(string);
        let delay = || {
            let details = elements(field(error, "details")?);
            details.into_iter().find_map(|detail| decimal::span(&string(field(detail, "retryDelay")?)))
        };
        Self {
            wait: available()
                .and_then(|text| decimal::seconds(&text))
                .or_else(|| wait::of_headers(&header, now))
                .or_else(delay)
                .or_else(|| wait::of_message(&prose)),
            reset: wait::of_resets(&header, now),
            labels,
            prose,
            output: false,
        }
    }

    /// Is the code, type or status one of these?
    pub(super) fn labelled(&self, names: &[&str]) -> bool {
        self.labels.iter().any(|label| names.contains(&label.as_str()))
    }

    /// Does the message hold one of these, written in lower case?
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.prose.contains(phrase))
    }

    /// The HTTP status that an error inside a 2xx answer stands for; 502 when it does not tell.
    pub(super) fn embedded_status(&self) -> u16 {
        let number = |label: &String| label.parse().ok().filter(|status| (400..=599).contains(status));
        let named = |label: &String| {
            Some(match label.as_str() {
                "invalid_request_error" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "context_length_exceeded" => 400,
                "authentication_error" | "UNAUTHENTICATED" | "invalid_api_key" => 401,
                "billing_error" => 402,
                "permission_error" | "PERMISSION_DENIED" => 403,
                "not_found_error" | "NOT_FOUND" | "model_not_found" => 404,
                "request_too_large" => 413,
                "rate_limit_error" | "rate_limit_exceeded" | "RESOURCE_EXHAUSTED" | "insufficient_quota" => 429,
                "api_error" | "server_error" | "INTERNAL" => 500,
                "UNAVAILABLE" => 503,
                "timeout_error" | "DEADLINE_EXCEEDED" => 504,
                "overloaded_error" => 529,
                _ => return None,
            })
        };
        let labels = || self.labels.iter();
        labels().find_map(number).or_else(|| labels().find_map(named)).unwrap_or(502)
    }
}

/// A field of an object, as it is written; the last one of equal names, as `JSON.parse` has it. Names
/// compare without case, for the sake of quoted headers.
fn field<'j>(json: &'j str, name: &str) -> Option<&'j str> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Field(name)).ok()?;
    reader.end().ok()?;
    found
}

struct Field<'n>(&'n str);

impl<'de> Visitor<'de> for Field<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(same) = map.next_key_seed(Is(self.0))? {
            if same {
                found = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a field's name without keeping it.
struct Is<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name.eq_ignore_ascii_case(self.0))
    }
}

/// The elements of a list, as they are written.
fn elements(json: &str) -> Vec<&str> {
    let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    list.into_iter().map(RawValue::get).collect()
}

/// The content of a string; any other value as it is written.
fn string(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_written() {
        let json = r#"{"a":{"b":[1,2.50]}, "c":"x\n", "C2":"y", "a":1e400}"#;
        assert_eq!(field(json, "a"), Some("1e400"));
        assert_eq!(field(json, "c").map(string).as_deref(), Some("x\n"));
        assert_eq!(field(json, "c2"), Some(r#""y""#));
        assert_eq!(field(json, "d"), None);
        assert_eq!(field(r#"{"a":1} trailing"#, "a"), None);
        assert_eq!(field(r#"{"a":1"#, "a"), None);
        assert_eq!(field("[1]", "a"), None);
        assert_eq!(elements("[1, {\"a\":2}]"), ["1", "{\"a\":2}"]);
        assert!(elements("{}").is_empty());
    }
}

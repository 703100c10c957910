//! What an error body says. Only well-formed JSON is read, one level at a time. Anything else
//! (HTML, a cut body, invalid UTF-8) says nothing.

use std::borrow::Cow;
use std::time::Duration;

use super::{decimal, wait};
use crate::json::{self, Fields, Raw};
use crate::text;
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
    /// Output or usage stands beside the error, or in it.
    pub(super) output: bool,
}

/// Whether [`classify`](super::classify) may find an error in the body of a 2xx; if not, it need not be asked.
#[must_use]
pub fn may_be_error(body: &[u8]) -> bool {
    // Each answer is searched. The last byte of a place says how far ahead the next match can begin.
    let mut rest = body.get(no_error(body)..).unwrap_or_default();
    while let Some((place, after)) = rest.split_first_chunk::<7>() {
        rest = match place {
            b"\"error\"" => return body.len() <= MAX_BYTES,
            [.., b'"' | b'e' | b'r' | b'o'] => rest.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    false
}

/// How many bytes at the beginning no `"error"` begins within, sixteen at a time: none of them is a quote before an `e`.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128", feature = "speed"))]
fn no_error(body: &[u8]) -> usize {
    use std::arch::wasm32::{u8x16_eq, u8x16_splat, v128_and, v128_any_true};
    let (quote, e) = (u8x16_splat(b'"'), u8x16_splat(b'e'));
    let pairs = body.as_chunks::<16>().0.iter().zip(body.get(1..).unwrap_or_default().as_chunks::<16>().0);
    let begins = |block: &[u8; 16], next: &[u8; 16]| {
        let (block, next) = (text::vector(block), text::vector(next));
        v128_any_true(v128_and(u8x16_eq(block, quote), u8x16_eq(next, e)))
    };
    pairs.take_while(|(block, next)| !begins(block, next)).count().saturating_mul(16)
}

/// The others look at every place: bytes that browsers do not load.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128", feature = "speed")))]
const fn no_error(_: &[u8]) -> usize {
    0
}

impl ErrorBody {
    /// Reads a body. With `embedded` (the status was 2xx) there must be an `error` that says something;
    /// otherwise the root itself may be the error.
    pub(super) fn read(body: &[u8], embedded: bool, now: Timestamp) -> Option<Self> {
        if body.len() > MAX_BYTES || embedded && !may_be_error(body) {
            return None;
        }
        let text = std::str::from_utf8(body).ok()?;
        // Google's OpenAI dialect wraps its error in a list.
        let root =
            json::fields(text).or_else(|_| json::fields(json::items(text)?.first().map_or("", |item| item.get())));
        let root = root.ok()?;
        let output = ["usage", "choices", "candidates", "usageMetadata", "content", "output"]
            .iter()
            .filter_map(|name| root.field(name))
            .any(|value| value.get() != "null" && value.get() != "[]");
        if let Some(message) = root.field("error").and_then(json::text).filter(|message| !message.is_empty()) {
            let prose = message.to_ascii_lowercase();
            return Some(Self { wait: wait::of_message(&prose), prose, output: output && embedded, ..Self::default() });
        }
        let error = object(&root, "error");
        match (error.is_empty(), embedded) {
            (false, _) => {
                let own = Self::of(&error, now);
                // Beside an error status no usage is a bill.
                Some(Self { output: own.output || output && embedded, ..own })
            }
            (true, true) => Some(Self { output, ..Self::of(&of_choice(&root)?, now) }),
            (true, false) => Some(Self::of(&root, now)),
        }
    }

    /// The facts of an error object.
    fn of(error: &Fields<'_>, now: Timestamp) -> Self {
        let metadata = object(error, "metadata");
        let mut prose = content(error, "message");
        prose.push('\n');
        prose.push_str(&content(&metadata, "raw"));
        prose.make_ascii_lowercase();
        let quoted = object(&metadata, "headers");
        let header = |name: &str| {
            let mut same = quoted.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            same.next().map(|(_, value)| string(value))
        };
        let delay = || {
            let details = json::items(error.field("details")?.get()).ok()?;
            let mut details = details.into_iter().filter_map(|detail| json::fields(detail.get()).ok());
            details.find_map(|detail| decimal::span(&content(&detail, "retryDelay")))
        };
        Self {
            wait: decimal::seconds(&content(&object(error, "availability"), "retry_after"))
                .or_else(|| wait::of_headers(&header, now))
                .or_else(delay)
                .or_else(|| wait::of_message(&prose)),
            reset: wait::of_resets(&header, now),
            labels: ["code", "type", "status"].map(|name| content(error, name)),
            prose,
            // What the model wrote before Groq found that it is no call (400 `tool_use_failed`, `json_validate_failed`).
            output: !matches!(content(error, "failed_generation").as_str(), "" | "null"),
        }
    }

    /// Is the code, type or status one of these?
    pub(super) fn labelled(&self, names: &[&str]) -> bool {
        self.labels.iter().any(|label| names.contains(&label.as_str()))
    }

    /// Does the message hold one of these, written in lower case?
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| text::contains(&self.prose, phrase))
    }

    /// The HTTP status that an error inside a 2xx answer stands for; 502 when it does not tell.
    pub(super) fn embedded_status(&self) -> u16 {
        let number = |label: &String| {
            let status = label.parse::<u64>().ok().filter(|status| (400..=599).contains(status))?;
            u16::try_from(status).ok()
        };
        let named = |label: &String| {
            Some(match label.as_str() {
                "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "context_length_exceeded" => 400,
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
                // What OpenAI tells of a response that failed: `invalid_prompt`, `bio_policy`, `image_too_large` and the like.
                other
                    if other.starts_with("invalid_")
                        || ["policy", "image"].iter().any(|of| text::contains(other, of)) =>
                {
                    400
                }
                _ => return None,
            })
        };
        let labels = || self.labels.iter();
        labels().find_map(number).or_else(|| labels().find_map(named)).unwrap_or(502)
    }
}

/// The error that OpenRouter puts into an answer that broke off.
fn of_choice<'a>(root: &Fields<'a>) -> Option<Fields<'a>> {
    let choices = json::items(root.field("choices")?.get()).ok()?;
    let choices = choices.into_iter().filter_map(|choice| json::fields(choice.get()).ok());
    let broken = |reason: &str| matches!(reason, "null" | "\"error\"");
    let mut broken = choices.filter(|choice| choice.field("finish_reason").is_none_or(|reason| broken(reason.get())));
    broken.find_map(|choice| Some(object(&choice, "error")).filter(|error| !error.is_empty()))
}

/// A field that is an object; none is one without fields.
fn object<'a>(of: &Fields<'a>, name: &str) -> Fields<'a> {
    of.field(name).and_then(|value| json::fields(value.get()).ok()).unwrap_or_default()
}

/// The content of a string; any other value as it is written.
fn string(value: Raw<'_>) -> String {
    json::text(value).map_or_else(|| value.get().into(), Cow::into_owned)
}

/// The content of a field; nothing if there is none.
fn content(of: &Fields<'_>, name: &str) -> String {
    of.field(name).map(string).unwrap_or_default()
}

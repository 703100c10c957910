//! How long a provider asks us to wait. What is negative, not a number, in the past or garbage counts as
//! not said; a wait is never cut here, the decision weighs it.

use std::time::Duration;

use super::{date, decimal};
use crate::text;
use crate::time::Timestamp;

/// Looks a response header up by its lower-case name.
pub type Headers<'a, 'h> = dyn Fn(&str) -> Option<&'h str> + 'a;

/// The same over values that are made on asking.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The headers of an answer that are looked at, in lower case: those that say whether and when to come back. Whoever
/// sends requests need keep no others.
pub const ANSWER_HEADERS: [&str; 18] = [
    "x-should-retry",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "retry-after",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-input-tokens-reset",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-output-tokens-reset",
];

/// Buckets: what is left in one, and when it is full again.
const RESETS: [(&str, &str); 7] = [
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
];

/// The wait stated in headers made for it.
pub(super) fn of_headers(header: &Lookup<'_>, now: Timestamp) -> Option<Duration> {
    let millis = |name| header(name).and_then(|text| decimal::millis(&text));
    let after = || {
        let text = header("retry-after")?;
        decimal::seconds(&text).or_else(|| until(date::http_date(&text)?, now))
    };
    millis("retry-after-ms").or_else(|| millis("x-ms-retry-after-ms")).or_else(after)
}

/// The wait until every empty bucket is full again. A bucket that is not empty is not what stopped us:
/// Groq's counts requests of a day, and its reset can be hours away.
pub(super) fn of_resets(header: &Lookup<'_>, now: Timestamp) -> Option<Duration> {
    let empty = |name: &str| header(name).and_then(|text| decimal::millis(&text)) == Some(Duration::ZERO);
    let waits = RESETS.iter().filter(|(left, _)| empty(left)).filter_map(|(_, reset)| {
        let text = header(reset)?;
        decimal::span(&text).or_else(|| until(date::rfc3339(&text).or_else(|| epoch_millis(&text))?, now))
    });
    waits.max()
}

/// The wait in a sentence for people, given in lower case: `please try again in 2m59.56s.`
pub(super) fn of_message(message: &str) -> Option<Duration> {
    ["try again in ", "retry in ", "retry after "].into_iter().find_map(|lead| {
        let mut rest = message;
        loop {
            (_, rest) = text::split_once(rest, lead)?;
            if let Some((wait, _)) = decimal::span_prefix(rest) {
                return Some(wait);
            }
        }
    })
}

/// OpenRouter's `X-RateLimit-Reset`. Seconds, which nobody documents, would be an instant long past.
fn epoch_millis(text: &str) -> Option<Timestamp> {
    let (millis, rest) = decimal::digits(text.trim().as_bytes())?;
    rest.is_empty().then(|| Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
}

fn until(instant: Timestamp, now: Timestamp) -> Option<Duration> {
    Some(instant.since(now)).filter(|wait| !wait.is_zero())
}

//! From a provider's answer to one code of our table.

use std::time::Duration;

use super::body::ErrorBody;
use super::wait::{self, Headers};
use crate::error::Code;
use crate::time::Timestamp;

/// What an answer that is not one means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// What went wrong.
    pub code: Code,
    /// The HTTP status: the response's own, or the one that an error inside a 2xx stands for.
    pub status: u16,
    /// The wait the provider asks for, as stated, however long.
    pub wait: Option<Duration>,
    /// The provider said `x-should-retry: false`: no retry at this target.
    pub stop: bool,
    /// The attempt is possibly billed: an error inside a 2xx with output or usage beside it, one that quotes what the
    /// model wrote, or a 504 or 524. Every other answer that comes here is known to be unbilled.
    pub billed: bool,
}

const NO_CREDIT: &[&str] = &["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error"];
/// Anthropic says it with a 400 `invalid_request_error`, xAI with a 403 or a 429, OpenRouter of a key's own cap with a 403.
const NO_CREDIT_PROSE: &[&str] = &[
    "credit balance is too low",
    "specified api usage limits",
    "available credits",
    "have any credits",
    "key limit exceeded",
];

const NO_MODEL: &[&str] = &[
    "model_not_found",
    "model_not_supported",
    "model_decommissioned",
    "model_not_available",
    "model_terms_required",
    "invalid_model",
    "free_variant_ended",
];
const NO_MODEL_PROSE: &[&str] = &[
    "no endpoints found",
    "model_not_found",
    "not a valid model",
    "model not exist",
    "model not found",
    "decommissioned",
    "free variant",
    "free period",
    "free model period",
];

const TOO_LONG: &[&str] = &["context_length_exceeded", "context_window_exceeded"];
const TOO_LONG_PROSE: &[&str] = &[
    "context_length_exceeded",
    "context length",
    "context window",
    // Anthropic's and llama.cpp's, xAI's, vLLM's, and what Hugging Face's servers say.
    "context limit",
    "context size",
    "maximum prompt length",
    "maximum model length",
    "`max_new_tokens` must be",
    "prompt is too long",
    "input token count",
    "reduce the length of the messages",
    "request too large for model",
];

/// A key, or whose it is, is refused with a 400: by Google (`FAILED_PRECONDITION`: the place, or no billing), Groq, xAI,
/// Anthropic, and OpenAI where a stream wants a verified organization.
const BAD_KEY: &[&str] = &["FAILED_PRECONDITION", "organization_restricted"];
const BAD_KEY_PROSE: &[&str] =
    &["api key not", "api key expired", "incorrect api key", "organization has been disabled", "must be verified"];

/// A 403 that is about what was asked, not about who asks: OpenRouter's moderation, xAI's.
const MODERATED_PROSE: &[&str] = &["was flagged", "usage guidelines"];

/// Reads an answer. `None`: a 2xx without an embedded error, which is for the decoder.
///
/// `status` 0 is the opaque redirect of `redirect: "manual"`. At most 64 KiB of `body` are read, and only
/// if they are well-formed JSON. Headers count only when the status itself is an error: providers send
/// `Retry-After` with good answers too.
#[must_use]
pub fn classify(status: u16, headers: &Headers<'_, '_>, body: &[u8], now: Timestamp) -> Option<Verdict> {
    if (200..=299).contains(&status) {
        let error = ErrorBody::read(body, true, now)?;
        let status = error.embedded_status();
        let code = code_of(status, &error, error.wait.is_some());
        let wait = wait_for(code, error.wait, error.reset);
        return Some(Verdict { code, status, wait, stop: false, billed: error.output || is_late(status) });
    }
    let error = ErrorBody::read(body, false, now).unwrap_or_default();
    let header = |name: &str| headers(name).map(String::from);
    let stated = wait::of_headers(&header, now).or(error.wait);
    let mut code = code_of(status, &error, stated.is_some());
    let should = headers("x-should-retry").map(str::trim);
    // A 429 may be retried anyway; as a failure it would open the breaker instead of cooling the target.
    if status >= 400 && should == Some("true") && code != Code::UpstreamLimited {
        code = Code::UpstreamFailed;
    }
    let reset = wait::of_resets(&header, now).or(error.reset);
    Some(Verdict {
        code,
        status,
        wait: wait_for(code, stated, reset),
        stop: should == Some("false"),
        billed: error.output || is_late(status),
    })
}

/// Whoever stands before the provider waited for it in vain: it has the request, and runs it for all that is known. 524
/// is Cloudflare's, which many providers are behind, after 100 seconds or more without an answer.
const fn is_late(status: u16) -> bool {
    matches!(status, 504 | 524)
}

/// Resets tell a wait only to those who are limited.
fn wait_for(code: Code, stated: Option<Duration>, reset: Option<Duration>) -> Option<Duration> {
    stated.or(reset.filter(|_| code == Code::UpstreamLimited))
}

/// The table: status first, then what the body tells more exactly.
fn code_of(status: u16, error: &ErrorBody, asked_to_wait: bool) -> Code {
    match status {
        400..=499 if error.labelled(NO_CREDIT) || error.says(NO_CREDIT_PROSE) => Code::Quota,
        // OpenAI's word for more tokens than it takes in a minute: no wait helps, a shorter prompt or another target does.
        429 if error.says(&["request too large for"]) => Code::ContextLength,
        // 498 is Groq's: its flex tier is full, nothing was run (console.groq.com/docs/flex-processing).
        425 | 429 | 498 => Code::UpstreamLimited,
        // OpenRouter: requests in flight hold the credit; it is free again when they end.
        402 if asked_to_wait => Code::UpstreamLimited,
        402 => Code::Quota,
        408 => Code::UpstreamFailed,
        400..=499 if error.labelled(NO_MODEL) => Code::ModelNotFound,
        400..=499 if error.labelled(TOO_LONG) => Code::ContextLength,
        403 if error.says(MODERATED_PROSE) => Code::UpstreamRejected,
        401 | 403 => Code::Authentication,
        400 if error.labelled(BAD_KEY) || error.says(BAD_KEY_PROSE) => Code::Authentication,
        400 | 413 | 422 if error.says(TOO_LONG_PROSE) => Code::ContextLength,
        404 if error.says(&["model"]) => Code::ModelNotFound,
        400 | 404 | 410 | 422 if error.says(NO_MODEL_PROSE) => Code::ModelNotFound,
        0 | 300..=499 => Code::UpstreamRejected,
        500..=599 => Code::UpstreamFailed,
        // No such status reaches a fetch; a script could still make one up.
        _ => Code::UpstreamMalformed,
    }
}

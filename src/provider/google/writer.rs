//! Writes the parts of a `GenerateContentResponse`.

use super::fields::{comma, compact, escaped, field, push};
use super::signature;
use crate::chat::{Finish, ToolCall, Usage};
use crate::json::{self, Escaped};
use crate::record::push_int;

/// A text, or a thought.
pub(super) fn text(out: &mut String, inner: &str, thought: bool) {
    comma(out);
    push(out, &["{\"text\":\"", inner, if thought { "\",\"thought\":true}" } else { "\"}" }]);
}

/// The arguments of a call as a JSON object; `None` while they are none. No arguments at all are `{}`.
pub(super) fn arguments(inner: &str) -> Option<String> {
    let text = Escaped::trusted(inner);
    let text = text.text()?;
    if text.trim().is_empty() {
        return Some("{}".into());
    }
    json::fields(&text).ok()?;
    let mut out = String::with_capacity(text.len());
    compact(&mut out, &text);
    Some(out)
}

/// A whole call; `args` is what [`arguments`] gave. The first of a content never goes without a signature (`marked`).
pub(super) fn call(out: &mut String, call: &ToolCall, args: &str, marked: bool) {
    comma(out);
    out.push_str("{\"functionCall\":{");
    if !call.id.is_empty() {
        escaped(out, "id", &call.id);
    }
    escaped(out, "name", &call.name);
    field(out, "args", args);
    out.push('}');
    let signature = call.extra.as_deref().and_then(signature::of_extra);
    if let Some(signature) = signature.or_else(|| marked.then(|| signature::FOREIGN.into())) {
        escaped(out, "thoughtSignature", &signature);
    }
    out.push('}');
}

/// Gemini's word for a reason. `malformed`: a call could not be written because its arguments are no JSON
/// object, which Gemini tells of its own calls in this way too.
pub(super) const fn reason(finish: Option<Finish>, malformed: bool) -> &'static str {
    match finish {
        Some(Finish::Length) => "MAX_TOKENS",
        Some(Finish::ContentFilter) => "SAFETY",
        Some(Finish::Stop | Finish::ToolCalls) | None if malformed => "MALFORMED_FUNCTION_CALL",
        Some(Finish::Other) => "OTHER",
        Some(Finish::Stop | Finish::ToolCalls) | None => "STOP",
    }
}

/// One candidate. `parts` is a JSON list without its brackets; none leaves the content out.
pub(super) fn candidate(out: &mut String, index: u32, parts: &str, reason: Option<&str>) {
    comma(out);
    out.push('{');
    if !parts.is_empty() {
        push(out, &["\"content\":{\"parts\":[", parts, "],\"role\":\"model\"}"]);
    }
    if let Some(reason) = reason {
        escaped(out, "finishReason", reason);
    }
    field(out, "index", "");
    push_int(out, index.into());
    out.push('}');
}

/// What stands after the candidates, and the end of the object.
pub(super) fn tail(out: &mut String, usage: Option<&Usage>, model: &str, id: &str) {
    if let Some(usage) = usage {
        field(out, "usageMetadata", "{");
        for (name, count) in [
            ("promptTokenCount", usage.input),
            ("candidatesTokenCount", usage.output.saturating_sub(usage.reasoning)),
            ("totalTokenCount", usage.input.saturating_add(usage.output)),
            ("cachedContentTokenCount", usage.cached_input),
            ("thoughtsTokenCount", usage.reasoning),
        ] {
            // As the API does: the last two only where there is something to count.
            if count > 0 || !matches!(name, "cachedContentTokenCount" | "thoughtsTokenCount") {
                field(out, name, "");
                push_int(out, count);
            }
        }
        out.push('}');
    }
    for (name, inner) in [("modelVersion", model), ("responseId", id)] {
        if !inner.is_empty() {
            escaped(out, name, inner);
        }
    }
    out.push('}');
}

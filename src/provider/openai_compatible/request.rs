//! Requests.

use crate::error::Result;
use crate::json::{self, Fields, push_text};
use crate::provider::Outgoing;
use crate::provider::catalogue::quirks;

/// Writes a neutral request, which is one of this dialect already.
pub(in crate::provider) fn encode_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<String> {
    Ok(rewrite_request(request, outgoing))
}

/// Writes `request` for one target. Fields that nothing changes keep their text; the model, the output bound
/// and the stream flag are the target's. A stream is asked for its usage, which is hidden again from a caller
/// who did not ask.
pub(in crate::provider) fn rewrite_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> String {
    let quirks = quirks(outgoing.provider);
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut body = String::with_capacity(length.saturating_add(200));
    body.push_str("{\"model\":");
    push_text(&mut body, outgoing.model);
    body.push_str(",\"");
    body.push_str(quirks.max_tokens);
    body.push_str("\":");
    body.push_str(&outgoing.max_output_tokens.to_string());
    if quirks.reports_cost {
        body.push_str(",\"usage\":{\"include\":true}");
    }
    if outgoing.stream {
        body.push_str(",\"stream\":true,\"stream_options\":{\"include_usage\":true");
        let own = request.field("stream_options").and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
        for (name, raw) in own.iter().filter(|(name, _)| *name != "include_usage") {
            push_field(&mut body, name, raw.get());
        }
        body.push('}');
    }
    for (name, raw) in request.iter() {
        let replaced = matches!(name, "model" | "max_tokens" | "max_completion_tokens" | "stream" | "stream_options");
        if !replaced && !(quirks.reports_cost && name == "usage") {
            push_field(&mut body, name, raw.get());
        }
    }
    body.push('}');
    body
}

fn push_field(body: &mut String, name: &str, value: &str) {
    body.push(',');
    push_text(body, name);
    body.push(':');
    body.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing<'a>(provider: &'a str, model: &'a str, stream: bool) -> Outgoing<'a> {
        Outgoing { provider, model, max_output_tokens: 64, stream }
    }

    #[test]
    fn what_nothing_changes_keeps_its_text() {
        let body = r#"{"model":"mine","messages":[{"role":"user","content":"\u0041 \"b\""}],"max_tokens":5,"stream":false,
            "tools":[ {"type":"function"} ],"seed":7,"new":{"deep":[1.50]}}"#;
        let request = json::fields(body).unwrap();
        assert_eq!(
            rewrite_request(&request, &outgoing("groq", "openai/gpt-oss-20b", false)),
            r#"{"model":"openai/gpt-oss-20b","max_completion_tokens":64,"messages":[{"role":"user","content":"\u0041 \"b\""}],"tools":[ {"type":"function"} ],"seed":7,"new":{"deep":[1.50]}}"#
        );
        let encoded = rewrite_request(&request, &outgoing("openrouter", "a\"b", false));
        assert!(
            encoded.starts_with(r#"{"model":"a\"b","max_tokens":64,"usage":{"include":true},"messages""#),
            "{encoded}"
        );
    }

    #[test]
    fn a_stream_is_asked_for_its_usage() {
        let request = json::fields(
            r#"{"messages":[],"stream":true,"stream_options":{"include_usage":false,"include_obfuscation":false}}"#,
        )
        .unwrap();
        assert_eq!(
            rewrite_request(&request, &outgoing("groq", "m", true)),
            r#"{"model":"m","max_completion_tokens":64,"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},"messages":[]}"#
        );
    }
}

//! Requests for the same dialect: the path, and the one number that changes.

use super::fields::{comma, field, push};
use super::signature;
use crate::json::{self, Fields, push_text};
use crate::provider::Outgoing;
use crate::text::decimal;

/// The path of one call after the base URL, which ends in `/v1beta`. `model` may be `gemini-x`, `models/gemini-x`
/// or `tunedModels/x`; everything else in it is percent-encoded, so that it cannot leave its segment.
pub(in crate::provider) fn path(model: &str, stream: bool) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let (folder, name) = match model.strip_prefix("tunedModels/") {
        Some(name) => ("/tunedModels/", name),
        None => ("/models/", model.strip_prefix("models/").unwrap_or(model)),
    };
    let mut path = String::from(folder);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push('%');
            let digits = [byte >> 4, byte & 15].map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or(b'0'));
            path.extend(digits.map(char::from));
        }
    }
    path.push_str(if stream { ":streamGenerateContent?alt=sse" } else { ":generateContent" });
    path
}

/// Writes a request of this dialect for one target. Model and stream are in the path: only
/// `generationConfig.maxOutputTokens` changes, and a `model` that a caller wrote into the body. Both may be
/// spelled in either way. Signatures that were made up for another provider's answer are taken back, unless a gateway is
/// asked.
pub(in crate::provider) fn rewrite_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> String {
    let bound = decimal(outgoing.max_output_tokens.into());
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut body = String::with_capacity(length.saturating_add(100));
    body.push('{');
    let mut bounded = false;
    for (name, raw) in request.iter() {
        comma(&mut body);
        push_text(&mut body, name);
        body.push(':');
        match name {
            "generationConfig" | "generation_config" => {
                bounded = true;
                config(&mut body, &json::fields(raw.get()).unwrap_or_default(), &bound);
            }
            "model" => {
                let folder = if outgoing.model.contains('/') { "" } else { "models/" };
                push_text(&mut body, &[folder, outgoing.model].concat());
            }
            "contents" if !outgoing.relayed => signature::push_contents(&mut body, raw.get(), outgoing.model),
            _ => body.push_str(raw.get()),
        }
    }
    if !bounded {
        field(&mut body, "generationConfig", "");
        config(&mut body, &Fields::default(), &bound);
    }
    body.push('}');
    body
}

fn config(body: &mut String, own: &Fields<'_>, bound: &str) {
    push(body, &["{\"maxOutputTokens\":", bound]);
    for (name, raw) in own.iter().filter(|(name, _)| !matches!(*name, "maxOutputTokens" | "max_output_tokens")) {
        body.push(',');
        push_text(body, name);
        push(body, &[":", raw.get()]);
    }
    body.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_stays_in_its_segment() {
        assert_eq!(path("gemini-2.5-flash", false), "/models/gemini-2.5-flash:generateContent");
        assert_eq!(path("models/gemini-3-pro", true), "/models/gemini-3-pro:streamGenerateContent?alt=sse");
        assert_eq!(path("tunedModels/mine", false), "/tunedModels/mine:generateContent");
        assert_eq!(path("../keys?x=#%2e", false), "/models/..%2Fkeys%3Fx%3D%23%252e:generateContent");
        assert_eq!(path("tunedModels/../é:x", false), "/tunedModels/..%2F%C3%A9%3Ax:generateContent");
    }

    #[test]
    fn only_the_bound_changes() {
        let outgoing = Outgoing {
            provider: "google",
            model: "m",
            max_output_tokens: 64,
            stream: true,
            relayed: false,
            most: None,
        };
        let rewrite = |body: &str| rewrite_request(&json::fields(body).unwrap(), &outgoing);
        assert_eq!(
            rewrite(
                r#"{"contents":[ {"parts":[{"text":"\u0041"}]} ],"safetySettings":[{}],"generation_config":{"topK": 4,"max_output_tokens":9,"temperature":1.50},"new":{"a":[1.0]}}"#
            ),
            r#"{"contents":[ {"parts":[{"text":"\u0041"}]} ],"safetySettings":[{}],"generation_config":{"maxOutputTokens":64,"topK":4,"temperature":1.50},"new":{"a":[1.0]}}"#
        );
        assert_eq!(rewrite("{}"), r#"{"generationConfig":{"maxOutputTokens":64}}"#);
        assert_eq!(
            rewrite(r#"{"model":"models/other","contents":[],"generationConfig":null}"#),
            r#"{"model":"models/m","contents":[],"generationConfig":{"maxOutputTokens":64}}"#
        );
        let signed = rewrite(r#"{"contents":[{"parts":[{"text":"x","thoughtSignature":"tidegate7b7d"}]}]}"#);
        assert!(signed.contains(r#""thoughtSignature":null"#), "what was made up here is taken back: {signed}");
        let relayed = Outgoing { relayed: true, ..outgoing };
        let body = r#"{"contents":[{"parts":[{"text":"x","thoughtSignature":"tidegate7b7d"}]}]}"#;
        let sent = rewrite_request(&json::fields(body).unwrap(), &relayed);
        assert!(sent.contains("tidegate7b7d"), "a gateway knows what it is: {sent}");
    }
}

//! Requests.

use super::history::rewritten;
use super::refused::check;
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw, push_text};
use crate::money::{NanoUsd, Rate};
use crate::provider::Outgoing;
use crate::provider::catalogue::{history, quirks};
use crate::record::push_int;
use crate::text::decimal;

/// Writes a neutral request of a caller of another dialect. What it has beyond the dialect goes to those who
/// know it (OpenRouter), and becomes what the others know where there is such: a budget for reasoning becomes
/// an effort. Marks for a provider's cache stay behind, and so does the reasoning of earlier turns where the
/// provider does not take it back.
///
/// # Errors
/// `invalid_request` that names what only one other dialect has; `top_k` where only the provider's temperature and `top_p` are known; a
/// tool's result with pictures in it; and what OpenAI's and Groq's models refuse.
pub(in crate::provider) fn encode_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<String> {
    if cfg!(feature = "dialects") {
        super::refused::others_own(request)?;
    }
    let quirks = quirks(outgoing.provider);
    if quirks.extended {
        return Ok(rewrite_request(request, outgoing));
    }
    if request.field("top_k").is_some_and(|raw| raw.get() != "null") {
        return Err(Error::invalid("top_k", "must be left out for this provider").into());
    }
    if cfg!(feature = "dialects") {
        check(request, outgoing)?;
    }
    let mut messages = String::new();
    let mut effort = String::new();
    let mut kept = Vec::with_capacity(request.len());
    for (name, raw) in request.iter() {
        match name {
            "messages" => messages = plain_messages(raw, !history(outgoing.provider).thought.is_empty())?,
            "reasoning" if effort.is_empty() => effort = effort_of(raw, outgoing.max_output_tokens),
            "reasoning_effort" if raw.get() != "null" => effort = raw.get().into(),
            "reasoning" | "reasoning_effort" | "top_k" => {}
            _ => kept.push((name, raw)),
        }
    }
    if cfg!(feature = "dialects") {
        effort = super::refused::effort(&effort, outgoing)?;
    }
    // A document of its own, so that the fields made here have a text to point to.
    let mut made = String::from("{\"messages\":");
    made.push_str(&messages);
    if !effort.is_empty() {
        made.push_str(",\"reasoning_effort\":");
        made.push_str(&effort);
    }
    made.push('}');
    let made = json::fields(&made)?;
    let all: Fields<'_> = kept.into_iter().chain(made.iter()).collect();
    Ok(rewrite_request(&all, outgoing))
}

/// OpenRouter's `reasoning` as an effort: its own word, or a budget in tokens by OpenRouter's shares of the
/// output bound (openrouter.ai/docs/use-cases/reasoning-tokens: low 20 %, medium 50 %, high 80 %).
fn effort_of(raw: Raw<'_>, max_output_tokens: u32) -> String {
    let own = json::fields(raw.get()).unwrap_or_default();
    if let Some(effort) = own.field("effort").filter(|effort| effort.get() != "null") {
        return effort.get().into();
    }
    let Some(budget) = own.field("max_tokens").and_then(json::uint) else { return String::new() };
    let share = budget.saturating_mul(100).checked_div(u64::from(max_output_tokens)).unwrap_or(100);
    String::from(match (budget, share) {
        (0, _) => "\"none\"",
        (_, 0..=35) => "\"low\"",
        (_, 36..=65) => "\"medium\"",
        (..) => "\"high\"",
    })
}

/// What only other dialects read in a message.
const LEFT_OUT: [&str; 3] = ["reasoning", "reasoning_details", "cache_control"];

/// The messages without what only other dialects read. `thought`: the reasoning is looked at later.
fn plain_messages(raw: Raw<'_>, thought: bool) -> Result<String> {
    let mut out = String::with_capacity(raw.get().len());
    for (index, message) in json::items(raw.get())?.into_iter().enumerate() {
        if !is_plain_result(message) {
            let path = ["messages[", &decimal(index as u64), "].content"].concat();
            return Err(Error::invalid(&path, "must be text alone: this API takes no pictures from tools").into());
        }
        out.push(if index == 0 { '[' } else { ',' });
        push_without(&mut out, message, LEFT_OUT.split_at(usize::from(thought)).1, &mut |name, value, out| {
            let inner = match name {
                "content" if value.get().starts_with('[') => "cache_control",
                "tool_calls" => "extra_content",
                _ => return false,
            };
            push_items(out, value, &[inner]);
            true
        });
    }
    out.push_str(if out.is_empty() { "[]" } else { "]" });
    Ok(out)
}

/// Whether a message is no tool's result, or one of text alone: the dialect knows no other
/// (platform.openai.com/docs/api-reference/chat/create, "Tool message").
fn is_plain_result(message: Raw<'_>) -> bool {
    let fields = json::fields(message.get()).unwrap_or_default();
    let is = |fields: &Fields<'_>, name: &str, word: &str| fields.field(name).is_some_and(|raw| raw.get() == word);
    let parts = fields.field("content").and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default();
    let mut parts = parts.into_iter().map(|part| json::fields(part.get()).unwrap_or_default());
    !is(&fields, "role", "\"tool\"") || parts.all(|part| is(&part, "type", "\"text\""))
}

/// Appends a list of objects without some of their fields.
pub(super) fn push_items(out: &mut String, list: Raw<'_>, left_out: &[&str]) {
    out.push('[');
    for (index, item) in json::items(list.get()).unwrap_or_default().into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if item.get().starts_with('{') {
            push_without(out, item, left_out, &mut |_, _, _| false);
        } else {
            out.push_str(item.get());
        }
    }
    out.push(']');
}

/// Writes a field's value in its own way; false to have it written as it is.
pub(super) type Instead<'a> = dyn FnMut(&str, Raw<'_>, &mut String) -> bool + 'a;

/// Appends an object without some of its fields.
pub(super) fn push_without(out: &mut String, object: Raw<'_>, left_out: &[&str], instead: &mut Instead<'_>) {
    let fields = json::fields(object.get()).unwrap_or_default();
    out.push('{');
    let mut first = true;
    for (name, value) in fields.iter().filter(|(name, _)| !left_out.contains(name)) {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        push_text(out, name);
        out.push(':');
        if !instead(name, value, out) {
            out.push_str(value.get());
        }
    }
    out.push('}');
}

/// Writes `request` for one target. Fields that nothing changes keep their text; the model, the output bound
/// and the stream flag are the target's. A stream is asked for its usage, which is hidden again from a caller
/// who did not ask. What the model said earlier is written as the provider takes it back.
pub(in crate::provider) fn rewrite_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> String {
    let quirks = quirks(outgoing.provider);
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut body = String::with_capacity(length.saturating_add(200));
    body.push_str("{\"model\":");
    push_text(&mut body, outgoing.model);
    body.push_str(",\"");
    body.push_str(quirks.max_tokens);
    body.push_str("\":");
    push_int(&mut body, outgoing.max_output_tokens.into());
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
        if replaced || (quirks.reports_cost && name == "usage") {
            continue;
        }
        let anew = match (name, outgoing.most) {
            ("messages", _) if quirks.particular => rewritten(raw, outgoing),
            ("provider", Some(most)) if quirks.reports_cost => Some(routed(raw, most)),
            _ => None,
        };
        push_field(&mut body, name, anew.as_deref().unwrap_or(raw.get()));
    }
    body.push('}');
    body
}

/// Whom OpenRouter may pass a request on to, as the caller wishes, but never dearer than was reserved for: of one model
/// the dearest provider takes a dozen times what the cheapest does, and a caller may name it or rule the others out
/// (openrouter.ai/docs/features/provider-routing, "Max price").
fn routed(wished: Raw<'_>, most: (Rate, Rate)) -> String {
    let own = json::fields(wished.get()).unwrap_or_default();
    let asked = own.field("max_price").and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
    let mut out = String::from("{\"max_price\":{");
    for (name, most) in [("\"prompt\":", most.0), (",\"completion\":", most.1)] {
        let less = asked.field(name.split('"').nth(1).unwrap_or_default());
        let less = less.and_then(|raw| NanoUsd::parse_usd(raw.get().trim_matches('"')));
        out.push_str(name);
        push_usd(&mut out, most.cost(1_000_000).min(less.unwrap_or(NanoUsd::MAX)));
    }
    for (name, raw) in asked.iter().filter(|(name, _)| !matches!(*name, "prompt" | "completion")) {
        push_field(&mut out, name, raw.get());
    }
    out.push('}');
    for (name, raw) in own.iter().filter(|(name, _)| *name != "max_price") {
        push_field(&mut out, name, raw.get());
    }
    out.push('}');
    out
}

/// Appends an amount in dollars.
fn push_usd(out: &mut String, amount: NanoUsd) {
    const DOLLAR: u64 = 1_000_000_000;
    push_int(out, amount.as_nano() / DOLLAR);
    // Nine digits: those behind a one in front.
    let digits = decimal((amount.as_nano() % DOLLAR).saturating_add(DOLLAR));
    out.push('.');
    out.push_str(digits.get(1..).unwrap_or_default());
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
        Outgoing { provider, model, max_output_tokens: 64, stream, relayed: false, most: None }
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
    fn what_only_other_dialects_read_stays_behind() {
        let request = json::fields(
            r#"{"model":"x","reasoning":{"max_tokens":40},"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},
            {"role":"assistant","content":null,"reasoning":"hm","reasoning_details":[{}],"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{}}}]}]}"#,
        )
        .unwrap();
        let plain = encode_request(&request, &outgoing("groq", "m", false)).unwrap();
        assert_eq!(
            plain,
            r#"{"model":"m","max_completion_tokens":64,"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}],"reasoning_effort":"medium"}"#
        );
        let whole = encode_request(&request, &outgoing("openrouter", "m", false)).unwrap();
        assert!(whole.contains("cache_control") && whole.contains("reasoning_details"), "{whole}");
    }

    #[test]
    fn what_cannot_be_carried_is_named() {
        for own in [
            r#""safety_settings":[{}]"#,
            r#""output_config":{"effort":"low"},"reasoning_effort":"none""#,
            r#""logprobs":true"#,
            r#""top_logprobs":2"#,
        ] {
            let body = ["{\"messages\":[],", own, "}"].concat();
            let request = json::fields(&body).unwrap();
            assert!(encode_request(&request, &outgoing("openrouter", "m", false)).is_err(), "{own}");
        }
        let request = json::fields(r#"{"messages":[],"top_k":5}"#).unwrap();
        let error = encode_request(&request, &outgoing("groq", "m", false)).unwrap_err();
        assert!(matches!(&error.detail, crate::error::Detail::Fields(fields) if fields[0].path == "top_k"));
        assert!(encode_request(&request, &outgoing("openrouter", "m", false)).is_ok());
        let result = |parts: &str| {
            format!(
                r#"{{"messages":[{{"role":"user","content":[{{"type":"image_url"}}]}},{{"role":"tool","content":{parts}}}]}}"#
            )
        };
        for fine in [r#""one""#, r#"[{"type":"text","text":"one"}]"#] {
            let body = result(fine);
            assert!(encode_request(&json::fields(&body).unwrap(), &outgoing("groq", "m", false)).is_ok(), "{body}");
        }
        let body = result(
            r#"[{"type":"text","text":"one"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]"#,
        );
        let request = json::fields(&body).unwrap();
        let error = encode_request(&request, &outgoing("openai", "m", false)).unwrap_err();
        assert!(
            matches!(&error.detail, crate::error::Detail::Fields(fields) if fields[0].path == "messages[1].content")
        );
        assert!(encode_request(&request, &outgoing("openrouter", "m", false)).is_ok(), "it passes them on");
    }

    #[test]
    fn no_wish_for_a_provider_is_dearer_than_what_was_reserved() {
        let most = (Rate::per_million(30_000_000), Rate::per_million(1_140_000_000));
        let wished = |provider: &str| {
            let body = format!(r#"{{"provider":{provider},"messages":[]}}"#);
            let to = Outgoing { most: Some(most), ..outgoing("openrouter", "m", false) };
            let sent = rewrite_request(&json::fields(&body).unwrap(), &to);
            let sent = json::fields(&sent).unwrap();
            sent.field("provider").unwrap().get().to_owned()
        };
        let ours = r#"{"max_price":{"prompt":0.030000000,"completion":1.140000000}"#;
        for own in [
            r#"{"only":["dear"]}"#,
            r#"{"only":["dear"],"max_price":{"prompt":100,"completion":"100"}}"#,
            r#"{"max_price":{"prompt":1e999999,"completion":"no number"},"only":["dear"]}"#,
            r#"{"max_price":{"prompt":1},"m\u0061x_price":{"prompt":9},"only":["dear"]}"#,
        ] {
            assert_eq!(wished(own), [ours, r#","only":["dear"]}"#].concat(), "{own}");
        }
        assert_eq!(wished("7"), [ours, "}"].concat());
        let less = r#"{"max_price":{"completion":"0.5","prompt":0.01,"request":0},"zdr":true}"#;
        let kept = r#"{"max_price":{"prompt":0.010000000,"completion":0.500000000,"request":0},"zdr":true}"#;
        assert_eq!(wished(less), kept);
        let body = json::fields(r#"{"provider":{"only":["a"]}}"#).unwrap();
        let other = Outgoing { most: Some(most), ..outgoing("groq", "m", false) };
        assert!(rewrite_request(&body, &other).ends_with(r#""provider":{"only":["a"]}}"#));
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

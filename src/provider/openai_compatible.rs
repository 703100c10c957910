//! OpenAI's chat completions, as Groq, OpenRouter and most others speak them.

use crate::chat::Usage;
use crate::json::{self, Fields};
use crate::money::NanoUsd;

use super::catalogue::quirks;

/// Writes `request` for one target. Fields that nothing changes keep their text; the model and the
/// output bound are the target's, a stream is not asked for.
#[must_use]
pub fn encode(request: &Fields<'_>, provider: &str, model: &str, max_output_tokens: u32) -> String {
    let quirks = quirks(provider);
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut body = String::with_capacity(length.saturating_add(160));
    body.push_str("{\"model\":");
    push_text(&mut body, model);
    body.push_str(",\"");
    body.push_str(quirks.max_tokens);
    body.push_str("\":");
    body.push_str(&max_output_tokens.to_string());
    if quirks.reports_cost {
        body.push_str(",\"usage\":{\"include\":true}");
    }
    for (name, raw) in request.iter() {
        let replaced = matches!(name, "model" | "max_tokens" | "max_completion_tokens" | "stream" | "stream_options");
        if replaced || (quirks.reports_cost && name == "usage") {
            continue;
        }
        body.push(',');
        push_text(&mut body, name);
        body.push(':');
        body.push_str(raw.get());
    }
    body.push('}');
    body
}

/// Appends `text` as a JSON string.
pub fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => {
                out.push_str("\\u00");
                for digit in [u32::from(control) >> 4, u32::from(control) & 15] {
                    out.extend(char::from_digit(digit, 16));
                }
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// What the gateway reads of an answer. The body itself goes to the caller as it came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// Tokens, if the provider says.
    pub usage: Option<Usage>,
    /// What the provider says that it charged.
    pub cost: Option<NanoUsd>,
    /// Whether every choice ended by itself (`stop`) or by calling a tool.
    pub complete: bool,
    /// Whether a choice calls a tool.
    pub tool_calls: bool,
}

/// Reads a 2xx answer; `None` if it is no chat completion.
#[must_use]
pub fn decode(body: &str, provider: &str) -> Option<Answer> {
    let fields = json::fields(body).ok()?;
    let choices = json::items(fields.field("choices")?.get()).ok()?;
    if choices.is_empty() {
        return None;
    }
    let mut answer = Answer { complete: true, ..Answer::default() };
    for choice in choices {
        let choice = json::fields(choice.get()).ok()?;
        let message = json::fields(choice.field("message")?.get()).ok()?;
        let calls = message.field("tool_calls").and_then(|calls| json::items(calls.get()).ok());
        answer.tool_calls |= calls.is_some_and(|calls| !calls.is_empty())
            || message.field("function_call").is_some_and(|call| call.get() != "null");
        let reason = choice.field("finish_reason").and_then(json::text);
        answer.complete &= matches!(reason.as_deref(), Some("stop" | "tool_calls" | "function_call"));
    }
    // Groq has both `usage` and `x_groq.usage` at times: one of them counts.
    let groq =
        || fields.field("x_groq").and_then(|own| json::fields(own.get()).ok()).and_then(|own| own.field("usage"));
    if let Some(raw) = fields.field("usage").filter(|raw| raw.get() != "null").or_else(groq) {
        // A usage that cannot be read is an unknown one: the answer stands, and its bound is charged.
        let usage = json::fields(raw.get()).unwrap_or_default();
        answer.usage = read_usage(&usage);
        if quirks(provider).reports_cost {
            // Null or absent is unknown, 0 is a real zero.
            answer.cost = usage.field("cost").and_then(|cost| NanoUsd::parse_usd(cost.get()));
        }
    }
    Some(answer)
}

fn read_usage(usage: &Fields<'_>) -> Option<Usage> {
    let count = |name: &str| usage.field(name).and_then(json::uint);
    let detail = |group: &str, name: &str| {
        let group = usage.field(group).and_then(|raw| json::fields(raw.get()).ok());
        group.as_ref().and_then(|group| group.field(name)).and_then(json::uint)
    };
    let input = count("prompt_tokens")?;
    let output = count("completion_tokens")?;
    let cached = detail("prompt_tokens_details", "cached_tokens").or_else(|| count("prompt_cache_hit_tokens"));
    Some(Usage {
        input,
        cached_input: cached.unwrap_or(0).min(input),
        cache_write: detail("prompt_tokens_details", "cache_write_tokens").unwrap_or(0).min(input),
        cache_write_1h: 0,
        output,
        reasoning: detail("completion_tokens_details", "reasoning_tokens").unwrap_or(0).min(output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_changes_keeps_its_text() {
        let body = r#"{"model":"mine","messages":[{"role":"user","content":"\u0041 \"b\""}],"max_tokens":5,"stream":false,
            "tools":[ {"type":"function"} ],"seed":7,"new":{"deep":[1.50]}}"#;
        let request = json::fields(body).unwrap();
        assert_eq!(
            encode(&request, "groq", "openai/gpt-oss-20b", 64),
            r#"{"model":"openai/gpt-oss-20b","max_completion_tokens":64,"messages":[{"role":"user","content":"\u0041 \"b\""}],"tools":[ {"type":"function"} ],"seed":7,"new":{"deep":[1.50]}}"#
        );
        let encoded = encode(&request, "openrouter", "a\"b", 64);
        assert!(
            encoded.starts_with(r#"{"model":"a\"b","max_tokens":64,"usage":{"include":true},"messages""#),
            "{encoded}"
        );
    }

    #[test]
    fn usage_and_cost_are_read_as_each_provider_writes_them() {
        let choice = r#""choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"x"}}]"#;
        let read = |usage: &str, provider: &str| decode(&format!("{{{choice},{usage}}}"), provider).unwrap();
        let openai = read(
            r#""usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3},"cost":9}"#,
            "openai",
        );
        assert_eq!(
            openai.usage,
            Some(Usage { input: 10, cached_input: 4, cache_write: 0, cache_write_1h: 0, output: 5, reasoning: 3 })
        );
        assert_eq!(openai.cost, None, "only OpenRouter's cost is what it charges");
        let router = read(r#""usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.00014}"#, "openrouter");
        assert_eq!(router.cost, Some(NanoUsd::new(140_000)));
        assert_eq!(
            read(r#""usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0}"#, "openrouter").cost,
            Some(NanoUsd::ZERO)
        );
        assert_eq!(read(r#""usage":{"prompt_tokens":1,"completion_tokens":2,"cost":null}"#, "openrouter").cost, None);
        let groq = read(r#""usage":null,"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4}}"#, "groq");
        assert_eq!(groq.usage.map(|usage| (usage.input, usage.output)), Some((3, 4)));
        for unknown in [r#""object":"x""#, r#""usage":7"#, r#""usage":{"prompt_tokens":-1,"completion_tokens":2}"#] {
            assert_eq!(read(unknown, "groq").usage, None);
        }
    }

    #[test]
    fn cut_and_calling_answers_are_told_apart() {
        let read = |choice: &str| decode(&format!(r#"{{"choices":[{choice}]}}"#), "groq");
        assert!(!read(r#"{"finish_reason":"length","message":{"content":"x"}}"#).unwrap().complete);
        assert!(!read(r#"{"message":{"content":"x"}}"#).unwrap().complete);
        let calling =
            read(r#"{"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[{"id":"1"}]}}"#).unwrap();
        assert!(calling.complete && calling.tool_calls);
        for body in ["", "<html>", "[]", "{}", r#"{"choices":[]}"#, r#"{"choices":[{}]}"#, r#"{"choices":7}"#] {
            assert_eq!(decode(body, "groq"), None, "{body}");
        }
    }
}

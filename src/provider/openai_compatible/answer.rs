//! Whole answers.

use std::borrow::Cow;

use super::usage::{push_usage, usage};
use crate::chat::{Choice, Completion, Delta, Finish};
use crate::json::{self, Escaped, Fields, Item, Raw};
use crate::provider::Stamp;
use crate::record::push_int;

/// Reads a 2xx answer; `None` if it is no chat completion.
pub(in crate::provider) fn decode_body(provider: &str, body: &str, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
    let fields = json::fields(body).ok()?;
    let choices = fields.field("choices")?;
    start(&fields, sink);
    let mut index = 0u32;
    json::each(choices.get(), &mut |choice| {
        let Item::Object(choice) = choice else { return None };
        if failed(&choice) {
            return None;
        }
        let message = json::fields(choice.field("message")?.get()).ok()?;
        let mut begun = 0u32;
        pieces(index, &message, &mut |mut delta| {
            // A list needs no numbers: some servers count from 1, or give each call the same.
            match &mut delta {
                Delta::ToolCall { index, .. } => {
                    *index = begun;
                    begun = begun.saturating_add(1);
                }
                Delta::ToolArguments { index, .. } => *index = begun.saturating_sub(1),
                _ => {}
            }
            sink(delta);
        });
        logprobs(&choice, sink);
        // Without a reason nobody knows whether it is whole.
        let reason = choice.field("finish_reason").and_then(finish).unwrap_or(Finish::Other);
        sink(Delta::Finish { choice: index, reason });
        index = index.saturating_add(1);
        Some(())
    })?;
    if index == 0 {
        return None;
    }
    sources(&fields, sink);
    usage(&fields, provider, sink);
    sink(Delta::End);
    Some(())
}

/// Id and model.
pub(super) fn start(fields: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    let text = |name: &str| fields.field(name).and_then(Escaped::of).unwrap_or_default();
    sink(Delta::Start { id: text("id"), model: text("model") });
}

/// The reason in neutral words; `None` for none. Some servers write an empty one until there is one.
pub(super) fn finish(raw: Raw<'_>) -> Option<Finish> {
    Some(match json::text(raw)?.as_ref() {
        "" => return None,
        // The others are what some servers write of their own.
        "stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn" => Finish::Stop,
        // `model_length` is Mistral's, for the end of the context.
        "length" | "model_length" | "max_tokens" => Finish::Length,
        "tool_calls" | "function_call" | "tool_use" => Finish::ToolCalls,
        // `sensitive` is Z.ai's.
        "content_filter" | "refusal" | "sensitive" => Finish::ContentFilter,
        _ => Finish::Other,
    })
}

/// Whether an answer broke off, though the status was 200 when it did: OpenRouter and Mistral end it with `error`,
/// DeepSeek with `insufficient_system_resource`, Z.ai with `network_error`; OpenRouter puts an `error` beside it
/// (openrouter.ai/docs/api-reference/overview#finish-reason, api-docs.deepseek.com/api/create-chat-completion).
pub(super) fn failed(choice: &Fields<'_>) -> bool {
    match choice.field("finish_reason").and_then(json::text).as_deref() {
        Some("error" | "insufficient_system_resource" | "network_error") => true,
        None | Some("") => choice.field("error").is_some_and(|raw| raw.get() != "null"),
        Some(_) => false,
    }
}

/// What Perplexity and xAI found in searching stands beside the answers (docs.perplexity.ai/api-reference,
/// docs.x.ai/docs/guides/live-search), in a stream beside each piece.
pub(super) fn sources(fields: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    let said = |name: &str| fields.field(name).is_some_and(|raw| !matches!(raw.get(), "null" | "[]"));
    if said("citations") || said("search_results") {
        sink(Delta::Unmapped("citations"));
    }
}

/// Probabilities of tokens have no neutral form.
pub(super) fn logprobs(choice: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    if choice.field("logprobs").is_some_and(|raw| raw.get() != "null") {
        sink(Delta::Unmapped("logprobs"));
    }
}

/// What a message, or the delta of one, brings.
pub(super) fn pieces(choice: u32, message: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    // Both names are in use: Groq and OpenRouter write `reasoning`, DeepSeek and others `reasoning_content`;
    // who writes both means the same text.
    let mut reasoned = false;
    for (name, raw) in message.iter() {
        match name {
            "content" => match Escaped::of(raw) {
                Some(text) if !text.is_empty() => sink(Delta::Text { choice, text }),
                Some(_) => {}
                None => parts(choice, raw, sink),
            },
            "reasoning" | "reasoning_content" if !reasoned => {
                if let Some(text) = Escaped::of(raw).filter(|text| !text.is_empty()) {
                    reasoned = true;
                    sink(Delta::Reasoning { choice, text });
                }
            }
            "refusal" => {
                if let Some(text) = Escaped::of(raw).filter(|text| !text.is_empty()) {
                    sink(Delta::Refusal { choice, text });
                }
            }
            "reasoning_details" => details(choice, raw, sink),
            "tool_calls" => calls(choice, raw, sink),
            "function_call" => call(choice, 0, Escaped::default(), raw, None, sink),
            "audio" if raw.get() != "null" => sink(Delta::Unmapped("audio")),
            "images" if !matches!(raw.get(), "null" | "[]") => sink(Delta::Unmapped("images")),
            "annotations" if !matches!(raw.get(), "null" | "[]") => sink(Delta::Unmapped("annotations")),
            // What Groq's systems searched and ran by themselves (console.groq.com/docs/compound).
            "executed_tools" if !matches!(raw.get(), "null" | "[]") => sink(Delta::Unmapped("server tools")),
            _ => {}
        }
    }
}

/// Content as a list of parts. Mistral's reasoning models think in parts of parts
/// (docs.mistral.ai/capabilities/reasoning).
fn parts(choice: u32, raw: Raw<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    for part in json::items(raw.get()).unwrap_or_default() {
        let Ok(part) = json::fields(part.get()) else { continue };
        match (part.field("text").and_then(Escaped::of), part.field("thinking")) {
            (Some(text), _) => sink(Delta::Text { choice, text }),
            (None, Some(thinking)) => {
                for thought in json::items(thinking.get()).unwrap_or_default() {
                    let thought = json::fields(thought.get()).unwrap_or_default();
                    if let Some(text) = thought.field("text").and_then(Escaped::of) {
                        sink(Delta::Reasoning { choice, text });
                    }
                }
            }
            (None, None) => sink(Delta::Unmapped("content")),
        }
    }
}

/// Signed or encrypted reasoning. Items that are plain text repeat `reasoning`.
fn details(choice: u32, raw: Raw<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    for item in json::items(raw.get()).unwrap_or_default() {
        let signed = json::fields(item.get()).is_ok_and(|fields| {
            let said = |name: &str| fields.field(name).is_some_and(|raw| !matches!(raw.get(), "null" | "\"\""));
            said("signature") || said("data")
        });
        if signed {
            sink(Delta::ReasoningDetail { choice, item: Cow::Borrowed(item.get()) });
        }
    }
}

fn calls(choice: u32, raw: Raw<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    for (place, item) in (0u32..).zip(json::items(raw.get()).unwrap_or_default()) {
        let Ok(fields) = json::fields(item.get()) else { continue };
        let index = fields.field("index").and_then(json::uint).and_then(|index| u32::try_from(index).ok());
        let id = fields.field("id").and_then(Escaped::of).unwrap_or_default();
        let extra = fields.field("extra_content").filter(|raw| raw.get() != "null").map(|raw| Cow::Borrowed(raw.get()));
        let index = index.unwrap_or(place);
        match fields.field("function") {
            Some(function) => call(choice, index, id, function, extra, sink),
            // A call of a kind that has no neutral form (`custom`) is a call all the same, and its pieces are output.
            None if !id.is_empty() || fields.field("custom").is_some() => {
                if !id.is_empty() {
                    sink(Delta::ToolCall { choice, index, id, name: Escaped::default(), extra });
                }
                sink(Delta::Unmapped("tool_calls"));
            }
            None => {}
        }
    }
}

/// In a stream the first piece of a call has its name, or at least its id; later pieces have arguments only.
fn call(
    choice: u32,
    index: u32,
    id: Escaped<'_>,
    function: Raw<'_>,
    extra: Option<Cow<'_, str>>,
    sink: &mut dyn FnMut(Delta<'_>),
) {
    let Ok(function) = json::fields(function.get()) else { return };
    let name = function.field("name").and_then(Escaped::of).unwrap_or_default();
    if !name.is_empty() || !id.is_empty() {
        sink(Delta::ToolCall { choice, index, id, name, extra });
    }
    // Some servers write the object itself instead of its text.
    let arguments = function.field("arguments").and_then(|raw| match raw.get() {
        object if object.starts_with('{') => Some(Escaped::from_text(object)),
        _ => Escaped::of(raw),
    });
    if let Some(json) = arguments.filter(|json| !json.is_empty()) {
        sink(Delta::ToolArguments { choice, index, json });
    }
}

/// Writes a whole answer.
pub(in crate::provider) fn encode_body(completion: &Completion, stamp: &Stamp) -> String {
    let mut out = String::with_capacity(512);
    head(&mut out, &completion.id, &completion.model, "chat.completion", stamp);
    out.push_str(",\"choices\":[");
    for (index, choice) in completion.choices.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str("{\"index\":");
        push_int(&mut out, index as u64);
        out.push_str(",\"message\":");
        message(&mut out, choice, stamp.is_openrouters());
        out.push_str(",\"logprobs\":null,\"finish_reason\":\"");
        out.push_str(reason(choice.finish));
        out.push_str("\"}");
    }
    out.push(']');
    if let Some(usage) = &completion.usage {
        out.push_str(",\"usage\":");
        push_usage(&mut out, usage);
    }
    // OpenRouter's own client refuses an answer without it.
    out.push_str(",\"system_fingerprint\":null}");
    out
}

/// Opens an answer's object, up to its `model`.
pub(super) fn head(out: &mut String, id: &str, model: &str, object: &str, stamp: &Stamp) {
    for piece in ["{\"id\":\"", id, "\",\"object\":\"", object, "\",\"created\":"] {
        out.push_str(piece);
    }
    push_int(out, stamp.created_s);
    for piece in [",\"model\":\"", model, "\""] {
        out.push_str(piece);
    }
}

/// `openrouter`: its clients read no `reasoning` beside `reasoning_details`, so it stands there too, as OpenRouter has it.
fn message(out: &mut String, choice: &Choice, openrouter: bool) {
    out.push_str("{\"role\":\"assistant\",\"content\":");
    quoted_or_null(out, &choice.text);
    out.push_str(",\"refusal\":");
    quoted_or_null(out, &choice.refusal);
    if !choice.reasoning.is_empty() {
        out.push_str(",\"reasoning\":");
        quoted_or_null(out, &choice.reasoning);
    }
    if !choice.details.is_empty() {
        out.push_str(",\"reasoning_details\":[");
        let is_said = |item: &String| json::fields(item).is_ok_and(|item| item.field("text").is_some());
        if openrouter && !choice.reasoning.is_empty() && !choice.details.iter().any(is_said) {
            for piece in ["{\"type\":\"reasoning.text\",\"text\":\"", &choice.reasoning, "\",\"format\":\"unknown\"},"]
            {
                out.push_str(piece);
            }
        }
        out.push_str(&choice.details.join(","));
        out.push(']');
    }
    for (index, call) in choice.calls.iter().enumerate() {
        out.push_str(if index == 0 { ",\"tool_calls\":[" } else { "," });
        for piece in ["{\"id\":\"", &call.id, "\",\"type\":\"function\",\"function\":{\"name\":\"", &call.name] {
            out.push_str(piece);
        }
        for piece in ["\",\"arguments\":\"", &call.arguments, "\"}"] {
            out.push_str(piece);
        }
        if let Some(extra) = &call.extra {
            out.push_str(",\"extra_content\":");
            out.push_str(extra);
        }
        out.push('}');
    }
    out.push_str(if choice.calls.is_empty() { "}" } else { "]}" });
}

/// OpenAI writes `null` where there is no text.
fn quoted_or_null(out: &mut String, inner: &str) {
    if inner.is_empty() {
        out.push_str("null");
    } else {
        for piece in ["\"", inner, "\""] {
            out.push_str(piece);
        }
    }
}

/// The dialect's word for a reason. An answer that never gave one ended by itself, as far as anyone knows; one that
/// gave a reason which nobody knows is not called whole.
pub(super) const fn reason(finish: Option<Finish>) -> &'static str {
    match finish {
        Some(Finish::Length | Finish::Other) => "length",
        Some(Finish::ToolCalls) => "tool_calls",
        Some(Finish::ContentFilter) => "content_filter",
        Some(Finish::Stop) | None => "stop",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A whole answer of this provider's, as it is read; `None` if it is none.
    pub(in crate::provider::openai_compatible) fn read(body: &str, provider: &str) -> Option<Completion> {
        let mut completion = Completion::default();
        decode_body(provider, body, &mut |delta| completion.push(&delta))?;
        Some(completion)
    }

    #[test]
    fn what_is_no_completion_is_refused() {
        for body in ["", "<html>", "[]", "{}", r#"{"choices":[]}"#, r#"{"choices":[{}]}"#, r#"{"choices":7}"#] {
            assert_eq!(read(body, "groq"), None, "{body}");
        }
    }

    #[test]
    fn thoughts_in_parts_are_reasoning() {
        // docs.mistral.ai/capabilities/reasoning
        let body = r#"{"choices":[{"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"h"},{"type":"text","text":"m"}]},{"type":"text","text":"A"}]},"finish_reason":"stop"}]}"#;
        let completion = read(body, "mistral").unwrap();
        let choice = &completion.choices[0];
        assert_eq!((choice.reasoning.as_str(), choice.text.as_str()), ("hm", "A"));
        assert!(completion.unmapped.is_empty());
    }

    #[test]
    fn calls_of_a_list_are_told_apart_whatever_their_numbers() {
        for numbers in [["", ""], [r#""index":0,"#, r#""index":0,"#], [r#""index":1,"#, r#""index":2,"#]] {
            for [x, y] in [["x", "y"], ["", ""]] {
                let item = |number: &str, id: &str, function: &str| {
                    format!(r#"{{{number}"id":"{id}","type":"function","function":{{{function}}}}}"#)
                };
                let calls = [
                    item(numbers[0], x, r#""name":"f","arguments":{"a":"\u0041"}"#),
                    item(numbers[1], y, r#""name":"g","arguments":"{\"a\":1}""#),
                ];
                let choice =
                    format!(r#"{{"message":{{"tool_calls":[{}]}},"finish_reason":"tool_calls"}}"#, calls.join(","));
                let completion = read(&format!(r#"{{"choices":[{choice},{choice}]}}"#), "mine").unwrap();
                assert_eq!(completion.choices.len(), 2);
                for choice in completion.choices {
                    let read: Vec<_> = choice.calls.iter().map(|own| (&*own.id, &*own.name, &*own.arguments)).collect();
                    assert_eq!(read, [(x, "f", r#"{\"a\":\"\\u0041\"}"#), (y, "g", r#"{\"a\":1}"#)], "{calls:?}");
                }
            }
        }
    }

    #[test]
    fn an_answer_that_broke_off_is_none() {
        let end = |end: &str| format!(r#"{{"choices":[{{"message":{{"role":"assistant","content":"x"}},{end}}}]}}"#);
        for broken in [
            r#""finish_reason":"error""#,
            r#""finish_reason":"insufficient_system_resource""#,
            r#""finish_reason":"network_error""#,
            r#""finish_reason":null,"error":{"code":502}"#,
        ] {
            assert_eq!(read(&end(broken), "openrouter"), None, "{broken}");
        }
        for (word, finish) in [
            ("model_length", Finish::Length),
            ("tool_use", Finish::ToolCalls),
            ("sensitive", Finish::ContentFilter),
            ("refusal", Finish::ContentFilter),
            ("new", Finish::Other),
        ] {
            let answer = read(&end(&format!(r#""finish_reason":"{word}""#)), "mine").unwrap();
            assert_eq!(answer.choices[0].finish, Some(finish), "{word}");
        }
        assert!(read(&end(r#""finish_reason":"stop","error":null"#), "openrouter").is_some());
    }

    #[test]
    fn an_answer_written_again_says_the_same() {
        let body = r#"{"id":"a","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\u0041\n","refusal":null,"reasoning":"hm","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"},"extra_content":{"google":{"thought_signature":"s"}}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":1}},"system_fingerprint":null}"#;
        let completion = read(body, "openai").unwrap();
        let stamp = Stamp::new(5, true);
        assert_eq!(encode_body(&completion, &stamp), body);
        let mut again = Completion::default();
        completion.deltas(&mut |delta| again.push(&delta));
        assert_eq!(again, completion);
    }
}

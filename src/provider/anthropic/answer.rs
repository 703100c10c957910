//! Whole answers.

use super::blocks::{Blocks, finish, push_stop};
use super::reasoning::{Block, extra_block};
use super::usage::{Tokens, push_usage, tell_usage};
use super::write::{comma, is_blank, put};
use crate::chat::{Choice, Completion, Delta, Finish, ToolCall};
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::Stamp;
use crate::record::push_int;

/// Reads a 2xx answer piece by piece; `None` if it is no message.
pub(in crate::provider) fn decode_body(body: &str, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
    let fields = json::fields(body).ok()?;
    let content = json::items(fields.field("content")?.get()).ok()?;
    fields.field("role").and_then(json::text).filter(|role| role == "assistant")?;
    // All are looked at before the first is given out: what is no answer leaves no pieces behind.
    let content = content.into_iter().map(block).collect::<Option<Vec<_>>>()?;
    start(&fields, sink);
    let mut blocks = Blocks::default();
    for block in content {
        blocks.start(0, &block, sink)?;
        blocks.stop(0, sink);
    }
    if !finish(&fields, sink) {
        // A whole answer always has a reason: nobody knows whether this one is whole.
        sink(Delta::Finish { choice: 0, reason: Finish::Other });
    }
    tell_usage(&mut Tokens::default(), &fields, sink);
    sink(Delta::End);
    Some(())
}

fn block(raw: Raw<'_>) -> Option<Fields<'_>> {
    json::fields(raw.get()).ok().filter(|block| block.field("type").is_some())
}

/// Id and model.
pub(super) fn start(message: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    let text = |name: &str| message.field(name).and_then(Escaped::of).unwrap_or_default();
    sink(Delta::Start { id: text("id"), model: text("model") });
}

/// Opens a message, up to its `content`. An id is made up from the time where a provider has none.
pub(super) fn head(out: &mut String, id: &str, model: &str, stamp: &Stamp) {
    put(out, &["{\"id\":\"", id]);
    if id.is_empty() {
        out.push_str("msg_");
        push_int(out, stamp.created_s);
    }
    put(out, &["\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"", model, "\",\"content\":["]);
}

/// Writes a whole answer: the first, for the API knows no others.
pub(in crate::provider) fn encode_body(completion: &Completion, stamp: &Stamp) -> String {
    let none = Choice::default();
    let choice = completion.choices.first().unwrap_or(&none);
    let mut out = String::with_capacity(512);
    head(&mut out, &completion.id, &completion.model, stamp);
    thoughts(&mut out, choice);
    // Some models write a line feed before they call a tool. A client sends it back, and the API refuses it.
    if !choice.text.is_empty() && (choice.calls.is_empty() || !is_blank(&choice.text)) {
        comma(&mut out);
        put(&mut out, &["{\"type\":\"text\",\"text\":\"", &choice.text, "\",\"citations\":null}"]);
    }
    for (index, call) in (0u32..).zip(&choice.calls) {
        if call.name.is_empty() {
            continue;
        }
        let id = call_id(&call.id, index);
        if let Some(extra) = &call.extra {
            comma(&mut out);
            extra_block(&id, extra).push(&mut out);
        }
        comma(&mut out);
        put(&mut out, &["{\"type\":\"tool_use\",\"id\":\"", &id, "\",\"name\":\"", &call.name, "\",\"input\":"]);
        out.push_str(&input(call));
        out.push('}');
    }
    out.push_str("],\"container\":null,");
    push_stop(&mut out, choice.finish, !choice.calls.is_empty(), &choice.refusal);
    out.push_str(",\"usage\":");
    push_usage(&mut out, &completion.usage.unwrap_or_default());
    out.push('}');
    out
}

/// Thinking, each piece in its own block if it is signed.
fn thoughts(out: &mut String, choice: &Choice) {
    let mut blocks: Vec<Block> = choice.details.iter().filter_map(|item| Block::of(item)).collect();
    let mut signed = String::new();
    for block in &blocks {
        if let Block::Thinking { text, .. } = block {
            signed.push_str(text);
        }
    }
    // The signed texts repeat the plain one, unless a provider left them out of its items.
    let mut plain = choice.reasoning != signed;
    if signed.is_empty() {
        let bare = blocks.iter_mut().find_map(|block| match block {
            Block::Thinking { text, .. } => Some(text),
            Block::Redacted { .. } => None,
        });
        if let Some(text) = bare {
            text.push_str(&choice.reasoning);
            plain = false;
        }
    }
    if plain {
        Block::Thinking { text: choice.reasoning.clone(), signature: String::new() }.push(out);
    }
    for block in blocks {
        comma(out);
        block.push(out);
    }
}

/// The id of a call, escaped; made up from its place where a provider has none.
pub(super) fn call_id(id: &str, index: u32) -> String {
    if !id.is_empty() {
        return id.into();
    }
    let mut id = String::from("toolu_");
    push_int(&mut id, u64::from(index));
    id
}

/// The arguments as an object. A model may write what is none: then the text stands in one.
fn input(call: &ToolCall) -> String {
    let arguments = Escaped::trusted(&call.arguments);
    match arguments.text() {
        Some(text) if text.trim().is_empty() => "{}".into(),
        Some(text) if json::fields(&text).is_ok() => text.trim().into(),
        _ => ["{\"invalid_arguments\":\"", &call.arguments, "\"}"].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Usage;

    const STAMP: Stamp = Stamp::new(0, false);

    fn read(body: &str) -> Option<Completion> {
        let mut completion = Completion::default();
        decode_body(body, &mut |delta| completion.push(&delta))?;
        Some(completion)
    }

    const BODY: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"h","signature":"s"},{"type":"redacted_thinking","data":"Em"},{"type":"thinking","thinking":"m","signature":"t"},{"type":"text","text":"A\n","citations":null},{"type":"tool_use","id":"t","name":"f","input":{"a":"\u0041"}},{"type":"tool_use","id":"u","name":"g","input":{}}],"container":null,"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":3,"cache_read_input_tokens":2,"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":2},"output_tokens":9,"output_tokens_details":{"thinking_tokens":4},"server_tool_use":null}}"#;

    #[test]
    fn an_answer_written_again_says_the_same() {
        let completion = read(BODY).unwrap();
        let choice = &completion.choices[0];
        assert_eq!((choice.text.as_str(), choice.reasoning.as_str(), choice.details.len()), ("A\\n", "hm", 3));
        assert_eq!(choice.calls[0].arguments, r#"{\"a\":\"\\u0041\"}"#);
        let usage = Usage { input: 12, cached_input: 2, cache_write: 3, cache_write_1h: 2, output: 9, reasoning: 4 };
        assert_eq!(completion.usage, Some(usage));
        assert_eq!(encode_body(&completion, &STAMP), BODY);
    }

    #[test]
    fn what_has_no_place_is_named() {
        let body = r#"{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","content":[]},{"type":"text","text":"x","citations":[{}]},{"type":"new"},{"type":"fallback"}],"stop_reason":"pause_turn"}"#;
        let completion = read(body).unwrap();
        assert_eq!(completion.unmapped, ["server_tool_use", "server_tool_result", "citations", "content_block"]);
        assert_eq!((completion.choices[0].finish, completion.usage), (Some(Finish::Other), None));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let error = r#"{"type":"error","error":{"type":"overloaded_error"}}"#;
        let chat = r#"{"choices":[{"message":{"role":"assistant","content":"x"}}]}"#;
        let user = r#"{"role":"user","content":[]}"#;
        let bare = r#"{"role":"assistant","content":[{"text":"x"}]}"#;
        for body in ["", "<html>", "[]", "{}", r#"{"content":7}"#, error, chat, user, bare] {
            let mut pieces = 0;
            assert_eq!(decode_body(body, &mut |_| pieces += 1), None, "{body}");
            assert_eq!(pieces, 0);
        }
    }

    fn written(choice: Choice) -> serde_json::Value {
        let completion = Completion { choices: vec![choice], ..Completion::default() };
        serde_json::from_str(&encode_body(&completion, &STAMP)).unwrap()
    }

    #[test]
    fn reasoning_of_others_is_written_once() {
        let signed = r#"{"type":"reasoning.text","signature":"s"}"#;
        let reasoning = || String::from("hm");
        let of = |details: Vec<String>| {
            written(Choice { reasoning: reasoning(), details, ..Choice::default() })["content"].clone()
        };
        assert_eq!(of(vec![])[0], serde_json::json!({"type": "thinking", "thinking": "hm", "signature": ""}));
        let bare = of(vec![signed.into()]);
        assert_eq!(bare, serde_json::json!([{"type": "thinking", "thinking": "hm", "signature": "s"}]));
        let hidden = of(vec![r#"{"type":"reasoning.encrypted","data":"x"}"#.into()]);
        assert_eq!((hidden[0]["thinking"].as_str(), hidden[1]["data"].as_str()), (Some("hm"), Some("x")));
    }

    #[test]
    fn a_refusal_is_told_whatever_the_answer_ended_for() {
        for (finish, word) in [
            (Finish::Stop, "refusal"),
            (Finish::ContentFilter, "refusal"),
            (Finish::Other, "refusal"),
            (Finish::Length, "max_tokens"),
            (Finish::ToolCalls, "tool_use"),
        ] {
            let body = written(Choice { refusal: "I can".into(), finish: Some(finish), ..Choice::default() });
            assert_eq!((&body["stop_reason"], &body["stop_details"]["explanation"]), (&word.into(), &"I can".into()));
        }
        let body = written(Choice { finish: Some(Finish::Length), ..Choice::default() });
        assert_eq!(body["stop_details"], serde_json::Value::Null);
    }

    #[test]
    fn arguments_are_an_object_whatever_the_model_wrote() {
        for (arguments, expected) in [
            ("", serde_json::json!({})),
            (r#" {\"a\": 1} "#, serde_json::json!({"a": 1})),
            (r#"{\"a\":"#, serde_json::json!({"invalid_arguments": "{\"a\":"})),
            ("7", serde_json::json!({"invalid_arguments": "7"})),
        ] {
            let call = ToolCall { name: "f".into(), arguments: arguments.into(), ..ToolCall::default() };
            let body = written(Choice { calls: vec![call], ..Choice::default() });
            assert_eq!(body["content"][0]["input"], expected);
            assert_eq!(body["content"][0]["id"], "toolu_0");
            assert_eq!(body["stop_reason"], "tool_use");
        }
    }
}

//! Answers and requests of any shape.

use proptest::prelude::*;

use super::super::*;
use super::{SAMPLE, STAMP, read_again, read_body, read_stream, write_stream};
use crate::chat::{ChatRequest, Choice, Completion, Finish, ToolCall, Usage};
use crate::json;
use crate::provider::Outgoing;

/// Text as it stands in JSON: escapes and all.
fn escaped() -> impl Strategy<Value = String> {
    "([a-z {}\\[\\]:,é😀]|\\\\n|\\\\\"|\\\\u00e9|\\\\\\\\){1,12}"
}

fn answers() -> impl Strategy<Value = Completion> {
    let call = (escaped(), escaped(), escaped(), any::<bool>());
    let usage = proptest::option::of((0..1000u64, 0..1000u64));
    let maybe = || proptest::option::of(escaped());
    let details = proptest::collection::vec(escaped(), 0..3);
    let calls = proptest::collection::vec(call, 0..4);
    let texts = (maybe(), maybe(), maybe(), details);
    (texts, calls, usage, 0..3u8).prop_map(|((text, refusal, reasoning, details), calls, usage, end)| {
        let call = |(index, (id, name, arguments, extra)): (usize, (String, String, String, bool))| ToolCall {
            id: format!("{id}{index}"),
            name,
            arguments,
            extra: extra.then(|| r#"{"google":{"thought_signature":"s\""}}"#.into()),
        };
        let calls: Vec<_> = calls.into_iter().enumerate().map(call).collect();
        let finish = match end {
            0 if calls.is_empty() => Finish::Stop,
            0 => Finish::ToolCalls,
            1 => Finish::Length,
            _ => Finish::ContentFilter,
        };
        let detail = |text: String| format!(r#"{{"type":"reasoning.text","text":"{text}","signature":"S"}}"#);
        Completion {
            id: "id".into(),
            model: "m".into(),
            choices: vec![Choice {
                text: text.unwrap_or_default(),
                refusal: refusal.unwrap_or_default(),
                reasoning: reasoning.unwrap_or_default(),
                details: details.into_iter().map(detail).collect(),
                calls,
                finish: Some(finish),
                ..Choice::default()
            }],
            usage: usage.map(|(input, output)| Usage { input, output, ..Usage::default() }),
            ..Completion::default()
        }
    })
}

/// One input item, as it should be or with one piece of it replaced.
fn item() -> impl Strategy<Value = String> {
    const ITEMS: [&str; 8] = [
        r#"{"role":"user","content":"a"}"#,
        r#"{"role":"developer","content":[{"type":"input_text","text":"a"}]}"#,
        r#"{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"u"}]}"#,
        r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"b"}]}"#,
        r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#,
        r#"{"type":"function_call_output","call_id":"c","output":"a"}"#,
        r#"{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"a"}],"encrypted_content":"e"}"#,
        r#"{"type":"reasoning","summary":[],"encrypted_content":"tidegate:{\"type\":\"tool_call\",\"id\":\"c\",\"extra_content\":{}}"}"#,
    ];
    let pieces = prop_oneof![Just("\"a\""), Just("\"c\""), Just("\"f\""), Just("\"summary_text\""), Just("none")];
    let others = prop_oneof![Just("null"), Just("7"), Just("[]"), Just("{}"), Just("\"\""), Just("[{}]")];
    (0..ITEMS.len(), pieces, others).prop_map(|(item, piece, other)| ITEMS[item].replacen(piece, other, 1))
}

proptest! {
    #[test]
    fn an_answer_of_any_dialect_survives(completion in answers()) {
        prop_assert_eq!(read_body(&encode_body(&completion, &STAMP)), Some(completion.clone()));
        prop_assert_eq!(read_again(&write_stream(&completion)), completion);
    }

    #[test]
    fn broken_input_never_panics(event in 0..SAMPLE.len(), cut in 0..2000usize, with in "[\\[\\]{}\":,0-9a-z\\\\]{0,6}") {
        let mut data = SAMPLE[event].to_owned();
        let at = (0..=cut.min(data.len())).rev().find(|at| data.is_char_boundary(*at)).unwrap_or(0);
        data.replace_range(at..at.saturating_add(with.len()).min(data.len()), &with);
        let mut events: Vec<_> = SAMPLE.iter().map(|data| ("", *data)).collect();
        events[event] = ("", &data);
        let _ = read_stream(&events);
        let _ = read_body(&data);
        let _ = decode_request(&data);
    }

    #[test]
    fn requests_of_any_shape_never_panic(
        name in "input|tools|tool_choice|text|reasoning|include|messages|response_format",
        value in "(\\{|\\[|\"type\":|\"message\"|\"function\"|\"content\":|\"role\":\"user\"|\\}|\\]|,|null|1){1,12}",
    ) {
        let _ = decode_request(&format!(r#"{{"{name}":{value}}}"#));
        let _ = decode_request(&format!(r#"{{"input":"x","{name}":{value}}}"#));
        if let Ok(fields) = json::fields(&format!(r#"{{"{name}":{value}}}"#)) {
            let (provider, model, stream, relayed) = ("p", "m", true, false);
            let outgoing = Outgoing { provider, model, max_output_tokens: 1, stream, relayed, most: None };
            if let Ok(encoded) = encode_request(&fields, &outgoing) {
                prop_assert!(json::fields(&encoded).is_ok());
            }
        }
    }

    /// Well-formed items in any order, with fields missing or of another type: what is accepted is a chat
    /// request, and can be written in this dialect again.
    #[test]
    fn what_is_accepted_is_well_formed(items in proptest::collection::vec(item(), 1..6)) {
        if let Ok(neutral) = decode_request(&format!(r#"{{"input":[{}]}}"#, items.join(","))) {
            let fields = json::fields(&neutral);
            prop_assert!(fields.is_ok(), "{}", neutral);
            prop_assert!(ChatRequest::parse(&neutral).is_ok(), "{}", neutral);
            let (provider, model, stream, relayed) = ("p", "m", false, false);
            let outgoing = Outgoing { provider, model, max_output_tokens: 1, stream, relayed, most: None };
            let encoded = encode_request(&fields.unwrap(), &outgoing);
            prop_assert!(encoded.is_ok_and(|body| json::fields(&body).is_ok()), "{}", neutral);
        }
    }
}

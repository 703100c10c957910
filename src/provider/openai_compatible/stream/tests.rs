use super::*;
use crate::chat::{Completion, Finish};
use crate::json::Escaped;

fn calls(events: &[&str]) -> Vec<(String, String, String)> {
    let (mut decoder, mut completion) = (StreamDecoder::new("openai"), Completion::default());
    for calls in events {
        let data = format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{"tool_calls":[{calls}]}}}}]}}"#);
        decoder.event("", &data, &mut |delta| completion.push(&delta)).unwrap();
    }
    let calls = completion.choices.remove(0).calls.into_iter();
    calls.map(|call| (call.id, call.name, call.arguments)).collect()
}

fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.into(), name.into(), arguments.into())
}

#[test]
fn an_answer_ends_once_and_the_pieces_of_a_custom_call_are_output() {
    let mut decoder = StreamDecoder::new("openai");
    let mut read = |choice: &str| {
        let (mut ends, mut output) = (0, 0);
        let data = format!(r#"{{"id":"c","choices":[{{"index":0,{choice}}}]}}"#);
        let mut sink = |delta: Delta<'_>| {
            ends += u32::from(matches!(delta, Delta::Finish { .. }));
            output += u32::from(delta.commits());
        };
        decoder.event("", &data, &mut sink).unwrap();
        (ends, output)
    };
    let begun = r#""delta":{"tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"f","input":""}}]}"#;
    let piece = r#""delta":{"tool_calls":[{"index":0,"custom":{"input":"SELECT"}}]}"#;
    assert!(read(begun).1 > 0);
    assert_eq!(read(piece), (0, 1), "it is no silence");
    assert_eq!(read(r#""delta":{},"finish_reason":"tool_calls""#), (1, 0));
    assert_eq!(read(r#""delta":{},"finish_reason":"tool_calls""#), (0, 0), "beside the usage, once more");
}

#[test]
fn an_answer_that_groq_stopped_early_has_failed() {
    let read = |more: &str| {
        let data =
            format!(r#" {{"id":"c","choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],"x_groq":{more}}}"#);
        let (mut decoder, mut failed) = (StreamDecoder::new("groq"), None);
        let mut sink = |delta: Delta<'_>| {
            if let Delta::Failed { body } = delta {
                failed = Some(body.into_owned());
            }
        };
        decoder.event("", &data, &mut sink).unwrap();
        (failed, decoder.is_finished())
    };
    let (failed, finished) = read(r#"{"id":"r","error":"over_capacity"}"#);
    let body = failed.expect("it was taken for a whole answer");
    let body = json::fields(&body).unwrap();
    assert_eq!(body.field("error").and_then(json::text).as_deref(), Some("over_capacity"));
    assert!(body.field("choices").is_some() && !finished);
    for whole in [r#"{"id":"r"}"#, r#"{"error":null}"#, r#"{"error":""}"#, "null"] {
        assert_eq!(read(whole), (None, true), "{whole}");
    }
}

#[test]
fn an_event_named_error_is_one_whatever_is_in_it() {
    let mut decoder = StreamDecoder::new("openai");
    let mut failed = Vec::new();
    let mut sink = |delta: Delta<'_>| match delta {
        Delta::Failed { body } => failed.push(body.into_owned()),
        other => panic!("{other:?}"),
    };
    let body = r#"{"message":"overloaded"}"#;
    decoder.event("error", body, &mut sink).unwrap();
    assert_eq!(failed, [body]);
}

#[test]
fn nothing_at_all_and_an_answer_without_its_end_are_not_finished() {
    let mut decoder = StreamDecoder::new("openai");
    decoder.event("", "[DONE]", &mut |_| {}).unwrap();
    assert!(!decoder.is_finished());
    let choice = |index: u32, reason: &str| {
        format!(r#"{{"choices":[{{"index":{index},"delta":{{"content":"x"}},"finish_reason":{reason}}}]}}"#)
    };
    for (event, finished) in [
        (choice(0, "null"), false),
        (choice(0, "\"stop\""), true),
        (choice(1, "null"), false),
        (choice(1, "\"stop\""), true),
    ] {
        decoder.event("", &event, &mut |_| {}).unwrap();
        assert_eq!(decoder.is_finished(), finished, "{event}");
    }
}

#[test]
fn what_is_written_says_who_speaks_once_and_ends_with_usage_only_if_it_was_asked_for() {
    for include_usage in [false, true] {
        let mut encoder = StreamEncoder::new(Stamp { created_s: 1, include_usage });
        let mut out = String::new();
        let text = |text: &'static str| Delta::Text { choice: 0, text: Escaped::trusted(text) };
        for delta in [
            text("a"),
            text("b"),
            Delta::ToolArguments { choice: 0, index: 2, json: Escaped::trusted("{}") },
            Delta::Finish { choice: 0, reason: Finish::Stop },
            Delta::Usage { usage: Usage { input: 3, output: 2, ..Usage::default() }, cost: None },
            Delta::End,
        ] {
            encoder.push(&delta, &mut out);
        }
        let events: Vec<_> = out.split_terminator("\n\n").collect();
        let deltas: Vec<_> =
            events.iter().filter_map(|event| event.split_once("\"delta\":")?.1.split_once(",\"logprobs")).collect();
        assert_eq!(
            deltas.iter().map(|(delta, _)| *delta).collect::<Vec<_>>(),
            [
                r#"{"role":"assistant","content":"a"}"#,
                r#"{"content":"b"}"#,
                r#"{"tool_calls":[{"index":2,"function":{"arguments":"{}"}}]}"#,
                "{}"
            ]
        );
        assert!(deltas[3].1.contains(r#""finish_reason":"stop""#), "{out}");
        assert_eq!(out.contains(r#""choices":[],"usage":{"prompt_tokens":3,"#), include_usage, "{out}");
        assert_eq!(events.last(), Some(&"data: [DONE]"));
    }
}

#[test]
fn whole_calls_of_one_number_are_told_apart_by_their_ids() {
    for index in [r#""index":0,"#, ""] {
        let one = |id: &str| format!(r#"{{{index}"id":"{id}","function":{{"name":"f","arguments":"{{}}"}}}}"#);
        let apart = calls(&[&one("a"), &one("b"), &one("c")]);
        assert_eq!(apart, [call("a", "f", "{}"), call("b", "f", "{}"), call("c", "f", "{}")], "{index:?}");
    }
}

#[test]
fn pieces_of_one_call_stay_together() {
    let begin = r#"{"index":3,"id":"a","function":{"name":"f","arguments":"{"}}"#;
    let more = r#"{"index":3,"function":{"arguments":"}"}}"#;
    // Some repeat name and id, some send an empty id, some the id only once it is known.
    let repeated = r#"{"index":3,"id":"a","function":{"name":"f","arguments":"}"}}"#;
    let emptied = r#"{"index":3,"id":"","function":{"arguments":"}"}}"#;
    for end in [more, repeated, emptied] {
        assert_eq!(calls(&[begin, end]), [call("a", "f", "{}")], "{end}");
    }
    let nameless = r#"{"index":3,"id":"","function":{"name":"f","arguments":"{"}}"#;
    assert_eq!(calls(&[nameless, repeated]), [call("a", "f", "{}")]);
    let second = r#"{"index":5,"id":"b","function":{"name":"g","arguments":"{}"}}"#;
    assert_eq!(calls(&[begin, second, more]), [call("a", "f", "{}"), call("b", "g", "{}")]);
}

#[test]
fn a_signature_that_comes_alone_is_kept_with_its_text() {
    // As OpenRouter streams the thoughts of Anthropic's models (openrouter.ai/docs/use-cases/reasoning-tokens).
    let text = |text: &str| {
        format!(r#""reasoning":"{text}","reasoning_details":[{{"type":"reasoning.text","text":"{text}","index":0}}]"#)
    };
    let signed = |signature: &str| {
        format!(r#""reasoning_details":[{{"type":"reasoning.text","signature":"{signature}","index":0}}]"#)
    };
    let (mut decoder, mut completion) = (StreamDecoder::new("openrouter"), Completion::default());
    for delta in [text("h"), text("m\\n"), signed("s"), text("so"), signed("t")] {
        let data = format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{{delta}}}}}]}}"#);
        decoder.event("", &data, &mut |delta| completion.push(&delta)).unwrap();
    }
    let expected = [
        r#"{"type":"reasoning.text","text":"hm\n","signature":"s","index":0}"#,
        r#"{"type":"reasoning.text","text":"so","signature":"t","index":0}"#,
    ];
    assert_eq!(completion.choices[0].details, expected);
}

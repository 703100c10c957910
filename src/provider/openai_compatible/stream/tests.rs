use super::*;
use crate::chat::{Completion, Finish};
use crate::json::Escaped;
use crate::provider::Unasked;

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
fn an_error_is_one_with_and_without_something_around_it() {
    let bare = r#"{"object":"error","message":"Requests rate limit exceeded","type":"rate_limit_error","code":429}"#;
    let wrapped = format!(r#"{{"error":{bare}}}"#);
    for (name, data) in [("", bare), ("error", bare), ("", wrapped.as_str()), ("error", wrapped.as_str())] {
        let mut failed = Vec::new();
        let mut sink = |delta: Delta<'_>| match delta {
            Delta::Failed { body } => failed.push(body.into_owned()),
            other => panic!("{other:?}"),
        };
        StreamDecoder::new("mistral").event(name, data, &mut sink).unwrap();
        assert_eq!(failed, [wrapped.as_str()], "{name} {data}");
    }
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
fn an_id_that_comes_before_its_name_is_kept_for_it() {
    let id = |index: u32, id: &str| format!(r#"{{"index":{index},"id":"{id}","function":{{"arguments":""}}}}"#);
    let name = |index: u32, name: &str| format!(r#"{{"index":{index},"function":{{"name":"{name}"}}}}"#);
    let more =
        |index: u32, id: &str, text: &str| format!(r#"{{"index":{index}{id},"function":{{"arguments":"{text}"}}}}"#);
    let repeated = r#","id":"x""#;
    let (x, y, f, g) = (id(3, "x"), id(4, "y"), name(3, "f"), name(4, "g"));
    let (a, b, c) = (more(3, repeated, "1"), more(4, "", "2"), more(3, repeated, "3"));
    for order in [[&x, &f, &a, &c, &y, &g, &b], [&x, &y, &f, &g, &b, &a, &c], [&x, &y, &f, &a, &g, &b, &c]] {
        let read = calls(&order.map(String::as_str));
        assert_eq!(read, [call("x", "f", "13"), call("y", "g", "2")], "{order:?}");
    }
    let whole = r#"{"index":0,"id":"x","function":{"name":"f","arguments":"1"}}"#;
    let named_again = r#"{"index":0,"function":{"name":"f","arguments":"2"}}"#;
    assert_eq!(calls(&[whole, named_again]), [call("x", "f", "12")], "a name alone takes no id away");
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
fn what_a_provider_found_by_itself_is_named_streamed_and_whole() {
    let named = |whole: bool, delta: &str, beside: &str| {
        let mut completion = Completion::default();
        let mut commits = false;
        let mut sink = |delta: Delta<'_>| {
            commits |= delta.commits();
            completion.push(&delta);
        };
        let key = if whole { "message" } else { "delta" };
        let data = format!(r#"{{"choices":[{{"{key}":{{{delta}}},"finish_reason":"stop"}}]{beside}}}"#);
        if whole {
            crate::provider::decode_body(crate::chat::Dialect::Chat, "mine", &data, &mut sink).unwrap();
        } else {
            StreamDecoder::new("mine").event("", &data, &mut sink).unwrap();
        }
        (completion.unmapped, commits)
    };
    for whole in [true, false] {
        for (beside, expected) in [
            (r#","citations":["https://a.example"]"#, &["citations"][..]),
            (r#","search_results":[{"url":"https://a.example"}]"#, &["citations"]),
            (r#","citations":null,"search_results":[]"#, &[]),
        ] {
            assert_eq!(named(whole, r#""role":"assistant""#, beside), (expected.to_vec(), false), "{beside}");
        }
        let ran = r#""executed_tools":[{"index":0,"type":"search","output":"x"}]"#;
        assert_eq!(named(whole, ran, ""), (vec!["server tools"], true));
        assert_eq!(named(whole, r#""executed_tools":[]"#, "").0, Vec::<&str>::new());
    }
}

#[test]
fn groqs_clients_are_told_usage_where_they_read_it() {
    for (include_usage, x_groq) in [(false, true), (true, true), (true, false), (false, false)] {
        let unasked = if x_groq { Unasked::XGroq } else { Unasked::Nowhere };
        let mut encoder = StreamEncoder::new(Stamp { unasked, ..Stamp::new(1, include_usage) });
        let mut out = String::new();
        let usage = Usage { input: 9, cached_input: 2, cache_write: 3, output: 5, ..Usage::default() };
        encoder.push(&Delta::Usage { usage, cost: None }, &mut out);
        encoder.push(&Delta::End, &mut out);
        let said = |name: &str| {
            let event =
                out.strip_prefix("data: {\"id\"").map(|rest| ["{\"id\"", rest.lines().next().unwrap()].concat())?;
            let fields = json::fields(&event).unwrap();
            fields.field(name).map(|raw| raw.get().to_owned())
        };
        let counts = r#"{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":3},"completion_tokens_details":{"reasoning_tokens":0}}"#;
        assert_eq!(said("usage"), include_usage.then(|| counts.into()));
        assert_eq!(said("x_groq"), x_groq.then(|| format!(r#"{{"usage":{counts}}}"#)));
        let choices = if x_groq { Some(NOTHING) } else { include_usage.then_some("[]") };
        assert_eq!(said("choices").as_deref(), choices);
        assert!(out.ends_with("data: [DONE]\n\n"));
    }
}

#[test]
fn openrouters_clients_are_told_reasoning_once_streamed_and_whole() {
    let signed = r#"{"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1"}"#;
    let hidden = r#"{"type":"reasoning.encrypted","data":"x"}"#;
    let of = |openrouter: bool| {
        let unasked = if openrouter { Unasked::Chunk } else { Unasked::Nowhere };
        Stamp { unasked, ..Stamp::new(1, false) }
    };
    let streamed = |item: &str, openrouter: bool| {
        let (mut encoder, mut out) = (StreamEncoder::new(of(openrouter)), String::new());
        encoder.push(&Delta::ReasoningDetail { choice: 0, item: item.into() }, &mut out);
        let event = out.trim_start_matches("data: ").trim_end().to_owned();
        let list = event.split_once("\"reasoning_details\":[").unwrap().1.split_once("]}").unwrap().0;
        list.to_owned()
    };
    assert_eq!(streamed(signed, false), signed);
    assert_eq!(streamed(signed, true), r#"{"type":"reasoning.text","signature":"s","format":"anthropic-claude-v1"}"#);
    assert_eq!(streamed(hidden, true), hidden);

    let whole = |item: &str, openrouter: bool| {
        let choice = crate::chat::Choice {
            reasoning: "hm".into(),
            details: vec![item.into()],
            finish: Some(Finish::Stop),
            ..crate::chat::Choice::default()
        };
        let completion = Completion { choices: vec![choice], ..Completion::default() };
        let body = crate::provider::encode_body(crate::chat::Dialect::Chat, &completion, &of(openrouter));
        body.split_once("\"reasoning_details\":[").unwrap().1.split_once("]}").unwrap().0.to_owned()
    };
    assert_eq!(whole(signed, true), signed);
    assert_eq!(whole(hidden, false), hidden);
    let said = r#"{"type":"reasoning.text","text":"hm","format":"unknown"}"#;
    assert_eq!(whole(hidden, true), [said, ",", hidden].concat());
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
    assert_eq!(failed, [r#"{"error":{"message":"overloaded"}}"#]);
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
        let mut encoder = StreamEncoder::new(Stamp::new(1, include_usage));
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

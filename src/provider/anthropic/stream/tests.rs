use super::*;
use crate::chat::{Completion, Finish, Usage};
use crate::provider::{Stamp, sse};

#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod any_order;

const STAMP: Stamp = Stamp::new(0, false);

/// What a stream of events gives, and whether it may end after them.
fn read(events: &[&str]) -> Result<(Completion, bool), Malformed> {
    let (mut decoder, mut completion) = (StreamDecoder::default(), Completion::default());
    for event in events {
        decoder.event("", event, &mut |delta| completion.push(&delta))?;
    }
    Ok((completion, decoder.is_finished()))
}

/// The events that the encoder makes of pieces: name and data.
fn write(pieces: &[Delta<'_>]) -> Vec<(String, String)> {
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    for piece in pieces {
        encoder.push(piece, &mut out);
    }
    events_of(&out)
}

/// The events of a stream: name and data.
fn events_of(stream: &str) -> Vec<(String, String)> {
    let mut events = Vec::new();
    let mut decoder = sse::Decoder::default();
    let mut sink = |frame: sse::Frame<'_>| {
        events.push((frame.name.into_owned(), frame.data.map(|data| data.into_owned()).unwrap_or_default()));
    };
    decoder.push(stream.as_bytes(), &mut sink).unwrap();
    decoder.finish(&mut sink);
    events
}

fn text(text: &str) -> Delta<'_> {
    Delta::Text { choice: 0, text: Escaped::trusted(text) }
}

fn reasoning(text: &str) -> Delta<'_> {
    Delta::Reasoning { choice: 0, text: Escaped::trusted(text) }
}

fn call<'a>(index: u32, id: &'a str, name: &'a str) -> Delta<'a> {
    Delta::ToolCall { choice: 0, index, id: Escaped::trusted(id), name: Escaped::trusted(name), extra: None }
}

fn arguments(index: u32, json: &str) -> Delta<'_> {
    Delta::ToolArguments { choice: 0, index, json: Escaped::trusted(json) }
}

fn detail(item: &str) -> Delta<'_> {
    Delta::ReasoningDetail { choice: 0, item: item.into() }
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"m","role":"assistant","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;
const END_TURN: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}"#;

#[test]
fn reads_thinking_text_and_tools() {
    let (completion, finished) = read(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"m"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Em"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"A\n"}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{}}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"u","name":"g","input":{}}}"#,
        r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_stop","index":4}"#,
        r#"{"type":"brand_new","x":1}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}"#,
        STOP,
    ])
    .unwrap();
    assert!(finished);
    let choice = &completion.choices[0];
    assert_eq!((completion.id.as_str(), choice.reasoning.as_str(), choice.text.as_str()), ("msg_1", "hm", "A\\n"));
    let details = [
        r#"{"type":"reasoning.text","text":"hm","signature":"sig","format":"anthropic-claude-v1"}"#,
        r#"{"type":"reasoning.encrypted","data":"Em","format":"anthropic-claude-v1"}"#,
    ];
    assert_eq!(choice.details, details);
    let calls: Vec<_> = choice.calls.iter().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
    assert_eq!(calls, [("t", "f", r#"{\"a\":1}"#), ("u", "g", "{}")]);
    assert_eq!(choice.finish, Some(Finish::ToolCalls));
    assert_eq!(completion.usage, Some(Usage { input: 7, output: 9, ..Usage::default() }));
    assert_eq!(completion.unmapped, ["citations"]);
}

#[test]
fn an_end_counts_only_with_its_reason_and_its_marker() {
    assert!(read(&[START, END_TURN, STOP]).unwrap().1);
    assert!(!read(&[START, END_TURN]).unwrap().1);
    assert!(!read(&[START, STOP]).unwrap().1);
    assert!(!read(&[START, END_TURN, "[DONE]"]).unwrap().1);
    let (mut decoder, mut ends) = (StreamDecoder::default(), 0);
    for event in [START, END_TURN, END_TURN, STOP, STOP, "<html>"] {
        let mut sink = |delta: Delta<'_>| ends += u32::from(matches!(delta, Delta::Finish { .. } | Delta::End));
        decoder.event("", event, &mut sink).unwrap();
    }
    assert_eq!(ends, 2, "one reason, one end, nothing after it");
}

#[test]
fn a_second_answer_in_the_same_stream_is_none() {
    assert!(read(&[START, START, END_TURN, STOP]).unwrap().1, "the same beginning twice");
    assert_eq!(read(&[START, &START.replace("msg_1", "msg_2")]), Err(Malformed));
}

#[test]
fn every_reason_has_its_word() {
    for (reason, expected) in [
        ("end_turn", Finish::Stop),
        ("stop_sequence", Finish::Stop),
        ("max_tokens", Finish::Length),
        ("model_context_window_exceeded", Finish::Length),
        ("tool_use", Finish::ToolCalls),
        ("refusal", Finish::ContentFilter),
        ("pause_turn", Finish::Other),
        ("something_new", Finish::Other),
    ] {
        let (completion, _) = read(&[START, &END_TURN.replace("end_turn", reason), STOP]).unwrap();
        assert_eq!(completion.choices[0].finish, Some(expected), "{reason}");
    }
}

#[test]
fn an_error_is_given_with_its_body() {
    let failed = |name: &str, data: &str| {
        let mut bodies = Vec::new();
        StreamDecoder::default()
            .event(name, data, &mut |delta| {
                if let Delta::Failed { body } = delta {
                    bodies.push(body.into_owned());
                }
            })
            .unwrap();
        bodies
    };
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(failed("error", overloaded), [overloaded]);
    assert_eq!(failed("", overloaded), [overloaded]);
    assert_eq!(failed("error", r#"{"message":"x"}"#), [r#"{"error":{"message":"x"}}"#]);
}

#[test]
fn what_is_no_event_is_malformed_and_nothing_panics() {
    for data in [
        "",
        "<html>",
        "[]",
        "7",
        r#"{"type":"message_start"}"#,
        r#"{"type":"content_block_start","index":0}"#,
        r#"{"type":"content_block_start","content_block":{"type":"text"}}"#,
        r#"{"type":"content_block_start","index":-1,"content_block":{"type":"text"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":7}"#,
        r#"{"type":"message_delta"}"#,
    ] {
        assert_eq!(read(&[data]), Err(Malformed), "{data}");
    }
    let mut open = vec![START; 1];
    open.extend([r#"{"type":"content_block_start","index":0,"content_block":{"type":"text"}}"#; 200]);
    assert_eq!(read(&open), Err(Malformed), "blocks without end");
}

#[test]
fn writes_events_in_the_order_of_the_api() {
    let start = Delta::Start { id: Escaped::trusted("msg_1"), model: Escaped::trusted("m") };
    let usage = Usage { input: 10, cached_input: 4, output: 5, ..Usage::default() };
    let events = write(&[
        start,
        reasoning("h"),
        reasoning("m"),
        detail(r#"{"type":"reasoning.text","text":"hm","signature":"s"}"#),
        text("A"),
        text("B"),
        Delta::Finish { choice: 0, reason: Finish::Stop },
        Delta::Usage { usage, cost: None },
        Delta::End,
        text("late"),
    ]);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    let (begin, more, stop) = ("content_block_start", "content_block_delta", "content_block_stop");
    let expected =
        ["message_start", begin, more, more, more, stop, begin, more, more, stop, "message_delta", "message_stop"];
    assert_eq!(names, expected);
    for (name, data) in &events {
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name.as_str());
    }
    assert_eq!(
        events[4].1,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}"#
    );
    assert_eq!(
        events[6].1,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":null}}"#
    );
    let delta: serde_json::Value = serde_json::from_str(&events[10].1).unwrap();
    assert_eq!(delta["delta"]["stop_reason"], "end_turn");
    assert_eq!((&delta["usage"]["input_tokens"], &delta["usage"]["output_tokens"]), (&6.into(), &5.into()));
    let (again, finished) = read(&events.iter().map(|(_, data)| data.as_str()).collect::<Vec<_>>()).unwrap();
    assert!(finished);
    assert_eq!((again.choices[0].text.as_str(), again.choices[0].reasoning.as_str()), ("AB", "hm"));
    assert_eq!(again.usage, Some(usage));
}

#[test]
fn calls_that_interleave_are_written_one_after_the_other() {
    let extra = r#"{"google":{"thought_signature":"x"}}"#;
    let signed = Delta::ToolCall {
        choice: 0,
        index: 2,
        id: Escaped::trusted("c"),
        name: Escaped::trusted("h"),
        extra: Some(extra.into()),
    };
    let events = write(&[
        call(0, "a", "f"),
        call(1, "", "g"),
        arguments(0, r#"{\"x\""#),
        arguments(1, r#"{\"y\""#),
        signed,
        call(0, "a", "f"),
        arguments(0, ":1}"),
        arguments(1, ":2}"),
        arguments(500, "{}"),
        Delta::Finish { choice: 0, reason: Finish::Stop },
        Delta::End,
    ]);
    let (again, _) = read(&events.iter().map(|(_, data)| data.as_str()).collect::<Vec<_>>()).unwrap();
    let choice = &again.choices[0];
    let calls: Vec<_> = choice.calls.iter().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
    assert_eq!(calls, [("a", "f", r#"{\"x\":1}"#), ("toolu_1", "g", r#"{\"y\":2}"#), ("c", "h", "{}")]);
    assert_eq!(choice.calls[2].extra.as_deref(), Some(extra));
    assert_eq!(choice.finish, Some(Finish::ToolCalls), "clients run tools by the reason");
    let opened = events.iter().filter(|(name, _)| name == "content_block_start").count();
    let mut depth = 0;
    for (name, _) in &events {
        depth += i32::from(name == "content_block_start") - i32::from(name == "content_block_stop");
        assert!((0..=1).contains(&depth));
    }
    assert_eq!(opened, 4);
}

#[test]
fn a_signature_goes_where_its_text_is() {
    let bare = detail(r#"{"type":"reasoning.text","signature":"s"}"#);
    let events = write(&[reasoning("hm"), bare, Delta::End]);
    let (again, _) = read(&events.iter().map(|(_, data)| data.as_str()).collect::<Vec<_>>()).unwrap();
    let signed = r#"{"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1"}"#;
    assert_eq!(again.choices[0].details, [signed]);
    let alone = detail(r#"{"type":"reasoning.text","text":"hm","signature":"s"}"#);
    let events = write(&[alone, Delta::End]);
    let (again, _) = read(&events.iter().map(|(_, data)| data.as_str()).collect::<Vec<_>>()).unwrap();
    assert_eq!(again.choices[0].reasoning, "hm");
}

#[test]
fn an_answer_that_thought_in_several_blocks_is_streamed_again_in_as_many() {
    let blocks: [(&str, &str); 3] = [("h\\n", "s"), ("m", "t"), ("h\\n", "u")];
    let mut pieces = Vec::new();
    for (text, signature) in blocks {
        let item = format!(r#"{{"type":"reasoning.text","text":"{text}","signature":"{signature}"}}"#);
        pieces.extend([reasoning(text), Delta::ReasoningDetail { choice: 0, item: item.into() }]);
    }
    let mut kept = Completion::default();
    pieces.iter().for_each(|piece| kept.push(piece));
    assert_eq!(kept.choices[0].reasoning, "h\\nmh\\n");
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    kept.deltas(&mut |piece| encoder.push(&piece, &mut out));
    pieces.push(Delta::End);
    assert_eq!(events_of(&out), write(&pieces));
}

#[test]
fn a_refusal_is_told_with_its_words() {
    let words = Delta::Refusal { choice: 0, text: Escaped::trusted("No.") };
    let events = write(&[words, Delta::Finish { choice: 0, reason: Finish::Stop }, Delta::End]);
    let (again, _) = read(&events.iter().map(|(_, data)| data.as_str()).collect::<Vec<_>>()).unwrap();
    assert_eq!(again.choices[0].refusal, "No.");
    assert_eq!(again.choices[0].finish, Some(Finish::ContentFilter));
}

#[test]
fn an_answer_without_anything_is_whole() {
    let names: Vec<_> = write(&[Delta::End, Delta::End]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["message_start", "message_delta", "message_stop"]);
    assert!(write(&[Delta::End])[0].1.contains(r#""message":{"id":"msg_0","#), "every message has an id");
}

#[test]
fn white_space_before_a_call_is_no_text() {
    let kinds = |pieces: &[Delta<'_>]| {
        let said = |(_, data): &(String, String)| match serde_json::from_str::<serde_json::Value>(data).unwrap() {
            event if event["type"] == "content_block_start" => {
                event["content_block"]["type"].as_str().map(String::from)
            }
            event => event["delta"]["text"].as_str().map(String::from),
        };
        write(pieces).iter().filter_map(said).collect::<Vec<_>>()
    };
    let blank = [text("\\n"), text(" \\n")];
    assert_eq!(kinds(&[&blank[..], &[call(0, "a", "f"), Delta::End]].concat()), ["tool_use"]);
    assert_eq!(
        kinds(&[&blank[..], &[text("a"), text("\\n"), Delta::End]].concat()),
        ["text", "\\n \\n", "a", "\\n"].map(|piece| piece.replace("\\n", "\n"))
    );
    assert_eq!(kinds(&[&blank[..1], &[Delta::End]].concat()), ["text", "\n"], "the whole answer");
    let thought = kinds(&[&[reasoning("hm")][..], &blank[..1], &[Delta::End]].concat());
    assert_eq!(thought.last().unwrap(), "\n", "all of it but what was thought");
    let much = kinds(&vec![text("\\n"); 500]);
    assert!(much.len() > 300 && much.concat().starts_with("text\n"), "it is not kept without end");
}

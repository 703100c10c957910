//! Answers and streams: what one dialect says, written in this one and read again, is the same.

mod calls;
mod properties;

use super::*;
use crate::chat::{Choice, Completion, Delta, Finish, ToolCall, Usage};
use crate::json;
use crate::provider::{Malformed, Stamp};

const STAMP: Stamp = Stamp::new(5, true);

fn read_body(body: &str) -> Option<Completion> {
    let mut completion = Completion::default();
    decode_body("openai", body, &mut |delta| completion.push(&delta))?;
    Some(completion)
}

/// Name and data of every event; the name must be the data's `type`, the numbers must count.
fn events(stream: &str) -> Vec<(String, String)> {
    let mut events = Vec::new();
    for (number, block) in stream.split_terminator("\n\n").enumerate() {
        let (name, data) = block.split_once('\n').unwrap();
        let (name, data) = (name.strip_prefix("event: ").unwrap(), data.strip_prefix("data: ").unwrap());
        let fields = json::fields(data).unwrap_or_else(|_| panic!("{data}"));
        assert!(!fields.has_repeated(), "{data}");
        assert_eq!(fields.field("type").and_then(json::text).as_deref(), Some(name));
        assert_eq!(fields.field("sequence_number").and_then(json::uint), Some(number as u64));
        events.push((name.into(), data.into()));
    }
    events
}

fn read_stream(events: &[(&str, &str)]) -> Result<(Completion, Vec<String>, bool), Malformed> {
    let (mut decoder, mut completion, mut failed) = (StreamDecoder::default(), Completion::default(), Vec::new());
    for (name, data) in events {
        decoder.event(name, data, &mut |delta| {
            if let Delta::Failed { body } = &delta {
                failed.push(body.to_string());
            }
            completion.push(&delta);
        })?;
    }
    Ok((completion, failed, decoder.is_finished()))
}

fn write_stream(completion: &Completion) -> String {
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    completion.deltas(&mut |delta| encoder.push(&delta, &mut out));
    out
}

fn read_again(stream: &str) -> Completion {
    let events = events(stream);
    let events: Vec<_> = events.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
    let (completion, failed, finished) = read_stream(&events).unwrap();
    assert!(finished && failed.is_empty(), "{stream}");
    completion
}

/// Deltas only, as a sample of what the real API sends.
const SAMPLE: [&str; 24] = [
    r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"gpt-5","output":[],"usage":null}}"#,
    r#"{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","status":"in_progress","model":"gpt-5","output":[]}}"#,
    r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","encrypted_content":"part","summary":[]}}"#,
    r#"{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}"#,
    r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"On"}"#,
    r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"e"}"#,
    r#"{"type":"response.reasoning_summary_text.done","item_id":"rs_1","output_index":0,"summary_index":0,"text":"One"}"#,
    r#"{"type":"response.reasoning_summary_part.done","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":"One"}}"#,
    r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":1,"delta":"Two"}"#,
    r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","encrypted_content":"whole","summary":[{"type":"summary_text","text":"One"},{"type":"summary_text","text":"Two"}]}}"#,
    r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#,
    r#"{"type":"response.content_part.added","item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}}"#,
    r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"Hi \"","obfuscation":"xx"}"#,
    r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"you\"\u00fc"}"#,
    r#"{"type":"response.output_text.done","item_id":"msg_1","output_index":1,"content_index":0,"text":"Hi \"you\"\u00fc"}"#,
    r#"{"type":"response.content_part.done","item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","annotations":[],"text":"Hi \"you\"\u00fc"}}"#,
    r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"msg_1","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"text":"Hi \"you\"\u00fc"}],"role":"assistant"}}"#,
    r#"{"type":"response.output_item.added","output_index":2,"item":{"id":"fc_1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_1","name":"f"}}"#,
    r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":2,"delta":"{\"a\""}"#,
    r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":2,"delta":":1}"}"#,
    r#"{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":2,"arguments":"{\"a\":1}"}"#,
    r#"{"type":"response.output_item.done","output_index":2,"item":{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"a\":1}","call_id":"call_1","name":"f"}}"#,
    r#"{"type":"keepalive","sequence_number":9}"#,
    r#"{"type":"response.completed","response":{"id":"resp_1","status":"completed","model":"gpt-5","error":null,"incomplete_details":null,"output":[{"id":"rs_1","type":"reasoning","encrypted_content":"whole","summary":[{"type":"summary_text","text":"One"},{"type":"summary_text","text":"Two"}]},{"id":"msg_1","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"text":"Hi \"you\"\u00fc"}],"role":"assistant"},{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"a\":1}","call_id":"call_1","name":"f"}],"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":0},"output_tokens":8,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":18}}}"#,
];

fn sample() -> Completion {
    Completion {
        id: "resp_1".into(),
        model: "gpt-5".into(),
        choices: vec![Choice {
            text: r#"Hi \"you\"\u00fc"#.into(),
            reasoning: r"One\n\nTwo".into(),
            details: vec![
                r#"{"type":"reasoning.encrypted","data":"whole","id":"rs_1","format":"openai-responses-v1"}"#.into(),
            ],
            calls: vec![ToolCall {
                id: "call_1".into(),
                name: "f".into(),
                arguments: r#"{\"a\":1}"#.into(),
                extra: None,
            }],
            finish: Some(Finish::ToolCalls),
            ..Choice::default()
        }],
        usage: Some(Usage { input: 10, cached_input: 4, output: 8, reasoning: 3, ..Usage::default() }),
        ..Completion::default()
    }
}

fn sample_without(left_out: &[&str]) -> Vec<(&'static str, &'static str)> {
    let kept = |data: &&str| !left_out.iter().any(|name| data.contains(name));
    SAMPLE.into_iter().filter(kept).map(|data| ("", data)).collect()
}

#[test]
fn a_text_that_comes_four_times_counts_once() {
    let no_items = [".done", "item.added", "part.added"];
    for left_out in [
        vec![],
        vec![".delta"],
        vec![".delta", "text.done", "arguments.done"],
        vec![".delta", "text.done", "arguments.done", "part.done"],
        vec![".done"],
        vec![".delta", "item.added", "part.added"],
        vec![".delta", no_items[0], no_items[1], no_items[2]],
        vec!["response.created", "in_progress"],
    ] {
        let (completion, failed, finished) = read_stream(&sample_without(&left_out)).unwrap();
        let mut expected = sample();
        if left_out == [".done"] {
            expected.choices[0].details.clear(); // the whole one stands only in what is done
        }
        assert_eq!(completion, expected, "without {left_out:?}");
        assert!(finished && failed.is_empty());
    }
}

#[test]
fn a_body_says_what_its_stream_says() {
    let last = json::fields(SAMPLE[23]).unwrap();
    assert_eq!(read_body(last.field("response").unwrap().get()), Some(sample()));
}

#[test]
fn the_terminal_event_is_demanded() {
    for length in 0..SAMPLE.len() {
        let events: Vec<_> = SAMPLE[..length].iter().map(|data| ("", *data)).collect();
        assert!(!read_stream(&events).unwrap().2, "after {length}");
    }
    let mut done: Vec<_> = SAMPLE[..4].iter().map(|data| ("", *data)).collect();
    done.push(("", "[DONE]"));
    assert!(!read_stream(&done).unwrap().2);
}

#[test]
fn items_without_an_index_are_told_apart_by_their_ids() {
    let events = [
        r#"{"type":"response.output_item.added","item":{"id":"a","type":"function_call","call_id":"c1","name":"f","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.delta","item_id":"a","delta":"{}"}"#,
        r#"{"type":"response.output_item.added","item":{"id":"b","type":"function_call","call_id":"c2","name":"g","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.done","item_id":"b","arguments":"{}"}"#,
        r#"{"type":"response.output_item.done","item":{"id":"a","type":"function_call","call_id":"c1","name":"f","arguments":"{}"}}"#,
        r#"{"type":"response.incomplete","response":{"id":"r"}}"#,
    ];
    let (completion, _, finished) = read_stream(&events.map(|data| ("", data))).unwrap();
    let calls: Vec<_> = completion.choices[0].calls.iter().map(|call| (&*call.name, &*call.arguments)).collect();
    assert_eq!((calls, finished), (vec![("f", "{}"), ("g", "{}")], true));
    assert_eq!(completion.choices[0].finish, Some(Finish::Length));
}

#[test]
fn every_end_has_its_reason() {
    for (end, expected) in [
        (r#""status":"completed""#, Finish::Stop),
        (r#""output":[]"#, Finish::Stop),
        (r#""status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}"#, Finish::Length),
        (r#""status":"incomplete","incomplete_details":{"reason":"content_filter"}"#, Finish::ContentFilter),
        (r#""status":"incomplete","incomplete_details":{"reason":"new"}"#, Finish::Length),
        (r#""status":"incomplete""#, Finish::Length),
    ] {
        let body = format!(
            r#"{{"id":"r",{end},"output":[{{"type":"message","content":[{{"type":"refusal","refusal":"no"}}]}}]}}"#
        );
        let completion = read_body(&body).unwrap();
        assert_eq!((completion.choices[0].finish, &*completion.choices[0].refusal), (Some(expected), "no"), "{end}");
    }
}

#[test]
fn a_failure_is_told_once() {
    let quota = r#"{"type":"error","sequence_number":2,"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"m"}}"#;
    let flat = r#"{"type":"error","code":"rate_limit_exceeded","message":"m","param":null,"sequence_number":3}"#;
    let failed = r#"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"m"},"usage":null}}"#;
    let silent = r#"{"type":"response.failed","response":{"status":"failed","error":null,"usage":{"input_tokens":1,"output_tokens":2}}}"#;
    for events in [
        vec![quota, failed],
        vec![flat, failed],
        vec![failed, quota],
        vec![silent],
        vec![r#"{"error":{"code":503,"message":"m"}}"#],
    ] {
        let events: Vec<_> = events.into_iter().map(|data| ("", data)).collect();
        let (completion, bodies, finished) = read_stream(&events).unwrap();
        assert_eq!((bodies.len(), finished), (1, false), "{events:?}");
        let body = json::fields(&bodies[0]).unwrap();
        assert!(body.field("error").is_some(), "{bodies:?}");
        assert_eq!(body.field("usage").is_some(), events[0].1 == silent, "{bodies:?}");
        assert_eq!(completion.usage.is_some(), events[0].1 == silent);
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"output":7}"#,
        r#"{"output":[7]}"#,
        r#"{"output":[{}]}"#,
        r#"{"output":[{"type":"message","content":7}]}"#,
        r#"{"output":[{"type":"message","content":[{"type":"output_text"}]}]}"#,
        r#"{"status":"failed","error":{"code":"server_error"},"output":[]}"#,
        r#"{"status":"completed","error":{"code":"server_error"},"output":[]}"#,
        r#"{"status":"queued","output":[]}"#,
        r#"{"status":"in_progress","output":[]}"#,
        r#"{"status":"cancelled","output":[]}"#,
    ] {
        assert_eq!(read_body(body), None, "{body}");
    }
    for data in [
        "",
        "7",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"response.output_text.delta"}"#,
        r#"{"type":"response.output_text.delta","delta":7}"#,
        r#"{"type":"response.output_text.delta","delta":"x","output_index":-1}"#,
        r#"{"type":"response.output_text.delta","delta":"x","output_index":99999999999}"#,
        r#"{"type":"response.output_item.added"}"#,
        r#"{"type":"response.output_item.done","item":{}}"#,
        r#"{"type":"response.completed","response":{"output":{}}}"#,
    ] {
        assert_eq!(read_stream(&[("", data)]), Err(Malformed), "{data}");
    }
}

#[test]
fn what_has_no_neutral_form_is_named() {
    let body = r#"{"output":[{"type":"web_search_call","id":"w"},{"type":"brand_new"},{"type":"message","content":[{"type":"output_text","text":"x","annotations":[{"type":"url_citation"}]},{"type":"output_image"}]}]}"#;
    let completion = read_body(body).unwrap();
    assert_eq!(completion.unmapped, ["web_search_call", "output", "annotations", "content"]);
    assert_eq!(completion.choices[0].text, "x");
}

#[test]
fn events_come_in_the_documented_order() {
    let stream = write_stream(&sample());
    let names: Vec<_> = events(&stream).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    .map(|name| format!("response.{name}"));
    assert_eq!(names, expected);
    // The last event holds the body that the same answer has without a stream.
    let events = events(&stream);
    let last = json::fields(&events[18].1).unwrap();
    assert_eq!(last.field("response").unwrap().get(), encode_body(&sample(), &STAMP));
}

#[test]
fn the_body_is_a_whole_response_object() {
    let mut completion = sample();
    completion.choices[0] = Choice { text: "cut".into(), finish: Some(Finish::Length), ..Choice::default() };
    assert_eq!(
        encode_body(&completion, &STAMP),
        r#"{"id":"resp_1","object":"response","created_at":5,"status":"incomplete","background":false,"error":null,"incomplete_details":{"reason":"max_output_tokens"},"instructions":null,"max_output_tokens":null,"model":"gpt-5","output":[{"id":"msg_0_resp_1","type":"message","status":"incomplete","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"cut"}]}],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":0},"output_tokens":8,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":18},"user":null,"metadata":{}}"#
    );
}

#[test]
fn what_was_written_to_the_cache_is_a_part_of_the_input_and_is_told_again() {
    let body = |counts: &str| {
        format!(r#"{{"id":"resp_1","status":"completed","model":"gpt-5.6","output":[],"usage":{counts}}}"#)
    };
    let counts = r#"{"input_tokens":2006,"input_tokens_details":{"cached_tokens":500,"cache_write_tokens":1200},"output_tokens":300,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":2306}"#;
    let completion = read_body(&body(counts)).unwrap();
    let expected = Usage { input: 2006, cached_input: 500, cache_write: 1200, output: 300, ..Usage::default() };
    assert_eq!(completion.usage, Some(expected));
    let written = encode_body(&completion, &STAMP);
    assert!(written.contains(&format!(r#""usage":{counts}"#)), "{written}");
    assert_eq!(read_body(&written).unwrap().usage, completion.usage);
    // Never more than the whole input: what is left of it is billed as uncached.
    let beyond = read_body(&body(&counts.replace("1200", "2007"))).unwrap();
    assert_eq!(beyond.usage.map(|usage| usage.cache_write), Some(2006));
}

#[test]
fn pieces_of_two_calls_may_cross() {
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    let text = |text| json::Escaped::trusted(text);
    let call = |index, id, name| Delta::ToolCall { choice: 0, index, id: text(id), name: text(name), extra: None };
    let arguments = |index, json| Delta::ToolArguments { choice: 0, index, json: text(json) };
    for delta in [
        call(0, "a", "f"),
        call(1, "b", "g"),
        arguments(1, "[1"),
        arguments(0, "{}"),
        call(1, "b", "g"),
        arguments(1, "]"),
        arguments(7, "lost"),
        Delta::Text { choice: 1, text: text("another answer") },
        Delta::Finish { choice: 0, reason: Finish::ToolCalls },
        Delta::End,
        Delta::Text { choice: 0, text: text("too late") },
    ] {
        encoder.push(&delta, &mut out);
    }
    let again = read_again(&out);
    let calls: Vec<_> = again.choices[0].calls.iter().map(|call| (&*call.id, &*call.arguments)).collect();
    assert_eq!((calls, again.choices[0].text.as_str()), (vec![("a", "{}"), ("b", "[1]")], ""));
}

#[test]
fn every_call_has_an_id_of_its_own() {
    let call = |name: &str| ToolCall { name: name.into(), arguments: "{}".into(), ..ToolCall::default() };
    let choice = Choice { calls: vec![call("f"), call("g")], finish: Some(Finish::ToolCalls), ..Choice::default() };
    let completion = Completion { id: "r1".into(), choices: vec![choice], ..Completion::default() };
    let whole = read_body(&encode_body(&completion, &STAMP)).unwrap();
    for again in [whole, read_again(&write_stream(&completion))] {
        let ids: Vec<_> = again.choices[0].calls.iter().map(|call| call.id.as_str()).collect();
        assert_eq!(ids, ["fc_0_r1", "fc_1_r1"]);
    }
}

#[test]
fn an_error_goes_into_the_stream_as_its_own_event() {
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    encoder.push(&Delta::Text { choice: 0, text: json::Escaped::trusted("x") }, &mut out);
    let error = crate::error::Error::new(crate::error::Code::StreamInterrupted);
    let body = encode_error(&error, "It broke.", r#"{"attempts":[]}"#);
    encoder.error(&error, &body, &mut out);
    encoder.push(&Delta::End, &mut out);
    let events = events(&out);
    let (name, data) = events.last().unwrap();
    assert_eq!(name, "error");
    let fields = json::fields(data).unwrap();
    assert_eq!(format!("{{\"error\":{}}}", fields.field("error").unwrap().get()), body);
}

#[test]
fn what_a_provider_says_that_it_charged_counts() {
    let usage = r#""usage":{"input_tokens":9,"output_tokens":2,"cost":0.002,"cost_in_usd_ticks":1721250}"#;
    let response = format!(r#"{{"id":"r","model":"m","status":"completed","output":[],{usage}}}"#);
    for (provider, nano) in [("xai", Some(172_125)), ("openrouter", Some(2_000_000)), ("openai", None)] {
        let mut told = Vec::new();
        let mut sink = |delta: Delta<'_>| {
            if let Delta::Usage { cost, .. } = delta {
                told.push(cost.map(crate::money::NanoUsd::as_nano));
            }
        };
        decode_body(provider, &response, &mut sink).unwrap();
        let event = format!(r#"{{"type":"response.completed","response":{response}}}"#);
        StreamDecoder::new(provider).event("", &event, &mut sink).unwrap();
        assert_eq!(told, [nano, nano], "{provider}");
    }
}

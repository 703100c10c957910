use super::*;
use crate::chat::Completion;
use crate::error::Code;

const STAMP: Stamp = Stamp::new(1, true);

/// What the events mean, whether the stream may end after them, and what was an error in them.
fn read(events: &[&str]) -> (Completion, bool, Vec<String>) {
    let (mut decoder, mut completion, mut failed) = (StreamDecoder::default(), Completion::default(), Vec::new());
    for event in events {
        decoder
            .event("", event, &mut |delta| {
                if let Delta::Failed { body } = &delta {
                    failed.push(body.clone().into_owned());
                }
                completion.push(&delta);
            })
            .unwrap();
    }
    (completion, decoder.is_finished(), failed)
}

fn written(deltas: &[Delta<'_>]) -> Vec<String> {
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    for delta in deltas {
        encoder.push(delta, &mut out);
    }
    let events = out.split_terminator("\n\n");
    events.map(|event| event.strip_prefix("data: ").unwrap().to_owned()).collect()
}

fn escaped(text: &str) -> json::Escaped<'_> {
    json::Escaped::trusted(text)
}

fn call(index: u32, name: &'static str) -> Delta<'static> {
    let (id, name) = (escaped(if index == 0 { "a" } else { "b" }), escaped(name));
    Delta::ToolCall { choice: 0, index, id, name, extra: None }
}

fn args(index: u32, json: &'static str) -> Delta<'static> {
    Delta::ToolArguments { choice: 0, index, json: escaped(json) }
}

#[test]
fn a_stream_is_read() {
    let (completion, finished, _) = read(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"trafficType":"X"},"modelVersion":"m","responseId":"r-1"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"},{"functionCall":{"name":"f","args":{ "a" : "\"" }},"thoughtSignature":"S"}]}}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":1},"responseId":"other"}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"g","id":"own"}},{"text":"","thoughtSignature":"T"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"toolUsePromptTokenCount":2,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":7,"totalTokenCount":23}}"#,
    ]);
    assert!(finished);
    assert_eq!((completion.id.as_str(), completion.model.as_str()), ("r-1", "m"));
    let choice = &completion.choices[0];
    assert_eq!((choice.reasoning.as_str(), choice.text.as_str()), ("hm", "Hi"));
    assert_eq!(choice.finish, Some(Finish::ToolCalls));
    let [first, second] = choice.calls.as_slice() else { panic!("{choice:?}") };
    assert_eq!((first.id.as_str(), first.name.as_str()), ("call_r-1_0", "f"));
    assert_eq!(first.arguments, r#"{\"a\":\"\\\"\"}"#);
    assert_eq!(first.extra.as_deref(), Some(r#"{"google":{"thought_signature":"S"}}"#));
    assert_eq!((second.id.as_str(), second.arguments.as_str()), ("own", "{}"));
    assert_eq!(choice.details, [r#"{"type":"reasoning.encrypted","format":"google-gemini-v1","data":"T"}"#]);
    let usage = completion.usage.unwrap();
    assert_eq!((usage.input, usage.cached_input, usage.output, usage.reasoning), (11, 4, 12, 7));
}

#[test]
fn an_end_before_a_finish_reason_is_a_cut() {
    assert!(!read(&[]).1);
    let two = r#"{"candidates":[{"index":0,"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"x"}]}}]}"#;
    assert!(!read(&[two]).1);
    let (completion, finished, _) = read(&[two, r#"{"candidates":[{"index":1,"finishReason":"MAX_TOKENS"}]}"#]);
    assert!(finished);
    let reasons: Vec<_> = completion.choices.iter().map(|choice| choice.finish).collect();
    assert_eq!(reasons, [Some(Finish::Stop), Some(Finish::Length)]);
    let (blocked, finished, _) = read(&[r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#]);
    assert!(finished);
    assert_eq!(blocked.choices[0].finish, Some(Finish::ContentFilter));
}

#[test]
fn arguments_in_pieces_become_one() {
    let part = |call: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{call}}}]}}}}]}}"#);
    let events = [
        part(r#"{"name":"f","willContinue":true}"#),
        part(r#"{"partialArgs":[{"jsonPath":"$.id","stringValue":"A","willContinue":true}],"willContinue":true}"#),
        part(r#"{"partialArgs":[{"jsonPath":"$.id","stringValue":"B"}],"willContinue":true}"#),
        part("{}"),
        part(r#"{"name":"g","willContinue":true}"#),
        r#"{"candidates":[{"finishReason":"STOP"}]}"#.into(),
    ];
    let (completion, _, _) = read(&events.each_ref().map(String::as_str));
    let calls = &completion.choices[0].calls;
    assert_eq!(calls[0].arguments, r#"{\"id\":\"AB\"}"#);
    assert_eq!((calls[1].name.as_str(), calls[1].arguments.as_str()), ("g", "{}"));
}

#[test]
fn an_error_in_the_stream_is_one_object() {
    let error = r#"{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}"#;
    assert_eq!(read(&[error]).2, [error]);
    assert_eq!(read(&[&format!("[{error}]")]).2, [error]);
    let mut decoder = StreamDecoder::default();
    for (data, body) in [("{\"a\":1}", "{\"error\":{\"a\":1}}"), ("oh \"no\"", r#"{"error":"oh \"no\""}"#)] {
        let mut failed = String::new();
        let sink = &mut |delta: Delta<'_>| {
            if let Delta::Failed { body } = delta {
                failed = body.into_owned();
            }
        };
        decoder.event("error", data, sink).unwrap();
        assert_eq!(failed, body);
    }
    for data in
        ["", "x", "7", "[]", r#"{"candidates":{}}"#, r#"{"candidates":[7]}"#, r#"{"candidates":[{"index":128}]}"#]
    {
        assert_eq!(decoder.event("", data, &mut |_| {}), Err(Malformed), "{data}");
    }
}

#[test]
fn calls_are_written_whole_and_the_end_carries_finish_and_usage() {
    let usage = Usage { input: 3, output: 5, reasoning: 2, ..Usage::default() };
    let events = written(&[
        Delta::Start { id: escaped("r"), model: escaped("m") },
        Delta::Text { choice: 0, text: escaped("a\\n") },
        call(0, "f"),
        args(0, r#"{\"x\":"#),
        args(0, r#"\n1}"#),
        call(1, "g"),
        Delta::Usage { usage, cost: None },
        Delta::Finish { choice: 0, reason: Finish::ToolCalls },
        Delta::End,
    ]);
    let tail = r#""modelVersion":"m","responseId":"r"}"#;
    let part =
        |part: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{part}],"role":"model"}},"index":0}}],{tail}"#);
    assert_eq!(
        events,
        [
            part(r#"{"text":"a\n"}"#),
            part(r#"{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"tidegatecall"}"#),
            part(r#"{"functionCall":{"id":"b","name":"g","args":{}},"thoughtSignature":"tidegatecall"}"#),
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":""}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":3,"candidatesTokenCount":3,"totalTokenCount":8,"thoughtsTokenCount":2}},{tail}"#
            ),
        ]
    );
}

#[test]
fn mixed_pieces_of_calls_find_their_calls() {
    let events = written(&[
        call(0, "f"),
        call(1, "g"),
        args(1, r#"{\"b\":2}"#),
        args(0, r#"{\"a\":"#),
        args(0, "1}"),
        Delta::Finish { choice: 0, reason: Finish::Stop },
        Delta::End,
    ]);
    assert_eq!(events.len(), 2);
    let both = r#"{"functionCall":{"id":"a","name":"f","args":{"a":1}},"thoughtSignature":"tidegatecall"},{"functionCall":{"id":"b","name":"g","args":{"b":2}}}"#;
    assert!(events[0].contains(both), "{}", events[0]);
}

#[test]
fn a_call_that_is_no_object_is_left_out_and_said() {
    for (reason, word) in [(Finish::ToolCalls, "MALFORMED_FUNCTION_CALL"), (Finish::Length, "MAX_TOKENS")] {
        let events = written(&[call(0, "f"), args(0, r#"{\"x\":"#), Delta::Finish { choice: 0, reason }, Delta::End]);
        assert_eq!(events.len(), 1);
        assert!(events[0].contains(&format!("\"finishReason\":\"{word}\"")), "{}", events[0]);
    }
}

#[test]
fn an_error_is_an_event() {
    let (error, mut out) = (Error::new(Code::StreamInterrupted), String::new());
    StreamEncoder::new(STAMP).error(&error, "{\"error\":{}}", &mut out);
    assert_eq!(out, "data: {\"error\":{}}\n\n");
}

/// Arguments that are not whole are not read again and again for whatever comes between their pieces.
#[test]
fn a_call_that_never_ends_waits_for_the_end() {
    let long = ["{\\\"a\\\":\\\"}", &"x".repeat(1 << 20)].concat();
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    encoder.push(&call(0, "f"), &mut out);
    encoder.push(&Delta::ToolArguments { choice: 0, index: 0, json: escaped(&long) }, &mut out);
    for _ in 0..20 {
        encoder.push(&Delta::Text { choice: 0, text: escaped("t") }, &mut out);
    }
    assert!(encoder.choices[0].read < 2 * MOST_READ, "{}", encoder.choices[0].read);
    encoder.push(&args(0, "\\\"}"), &mut out);
    encoder.push(&Delta::Finish { choice: 0, reason: Finish::ToolCalls }, &mut out);
    assert!(out.contains("\"functionCall\""), "it is written once it is whole");
}

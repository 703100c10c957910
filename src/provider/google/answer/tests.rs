use super::*;
use crate::chat::{Finish, ToolCall, Usage};

const STAMP: Stamp = Stamp::new(1, true);

fn read(body: &str) -> Option<Completion> {
    let mut completion = Completion::default();
    decode_body(body, &mut |delta| completion.push(&delta))?;
    Some(completion)
}

fn finish(candidate: &str) -> Option<Finish> {
    read(&format!(r#"{{"candidates":[{candidate}]}}"#)).unwrap().choices[0].finish
}

#[test]
fn what_has_no_reason_has_not_ended() {
    let read = |candidates: &str| {
        let body = format!(r#"{{"candidates":{candidates},"usageMetadata":{{"promptTokenCount":9}}}}"#);
        decode_body(&body, &mut |_| {})
    };
    let text = r#""content":{"parts":[{"text":"half of"}]}"#;
    assert_eq!(read(&format!("[{{{text}}}]")), None);
    assert_eq!(read(&format!(r#"[{{{text},"finishReason":"STOP"}},{{{text},"index":1}}]"#)), None);
    assert_eq!(read(&format!(r#"[{{{text},"finishReason":"MAX_TOKENS"}}]"#)), Some(()));
    assert_eq!(read(r#"[{"finishReason":"MAX_TOKENS"}]"#), Some(()), "all of it went into thoughts");
}

#[test]
fn an_answer_written_again_says_the_same() {
    let body = r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"\u0041\n"},{"text":"","thoughtSignature":"T"},{"functionCall":{"id":"a","name":"f","args":{"x":"\""}},"thoughtSignature":"S"}],"role":"model"},"finishReason":"STOP","index":0},{"finishReason":"SAFETY","index":1}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":5,"totalTokenCount":17,"cachedContentTokenCount":4,"thoughtsTokenCount":3},"modelVersion":"m","responseId":"r"}"#;
    let completion = read(body).unwrap();
    assert_eq!(encode_body(&completion, &STAMP), body);
    let usage = Usage { input: 9, cached_input: 4, output: 8, reasoning: 3, ..Usage::default() };
    assert_eq!(completion.usage, Some(usage));
    assert_eq!(completion.choices[1].finish, Some(Finish::ContentFilter));
}

#[test]
fn every_reason_has_a_neutral_one() {
    for (word, expected) in [
        ("STOP", Finish::Stop),
        ("MAX_TOKENS", Finish::Length),
        ("SAFETY", Finish::ContentFilter),
        ("RECITATION", Finish::ContentFilter),
        ("PROHIBITED_CONTENT", Finish::ContentFilter),
        ("BLOCKLIST", Finish::ContentFilter),
        ("SPII", Finish::ContentFilter),
        ("IMAGE_SAFETY", Finish::ContentFilter),
        ("MALFORMED_FUNCTION_CALL", Finish::Length),
        ("UNEXPECTED_TOOL_CALL", Finish::Length),
        ("LANGUAGE", Finish::Other),
        ("OTHER", Finish::Other),
        ("SOMETHING_NEW", Finish::Other),
    ] {
        assert_eq!(finish(&format!(r#"{{"finishReason":"{word}"}}"#)), Some(expected), "{word}");
    }
    let call = r#"{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}"#;
    assert_eq!(finish(call), Some(Finish::ToolCalls));
}

#[test]
fn a_refused_prompt_is_an_answer_that_was_withheld() {
    let blocked = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"m","responseId":"r"}"#;
    let completion = read(blocked).unwrap();
    assert_eq!(completion.choices[0].finish, Some(Finish::ContentFilter));
    assert_eq!(completion.usage.map(|usage| (usage.input, usage.output)), Some((7, 0)));
}

#[test]
fn what_has_no_neutral_form_is_named() {
    let body = r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"executableCode":{}},{"codeExecutionResult":{}}]},"groundingMetadata":{"x":1},"citationMetadata":{},"logprobsResult":{"a":1},"finishReason":"STOP"}]}"#;
    assert_eq!(read(body).unwrap().unmapped, ["images", "server tools", "annotations", "logprobs"]);
}

#[test]
fn what_is_no_answer_is_refused() {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"candidates":[]}"#,
        r#"{"candidates":7}"#,
        r#"{"candidates":[7]}"#,
        r#"{"candidates":[{"content":7}]}"#,
        r#"{"candidates":[{"content":{"parts":{}}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":7}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":"x"}}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"args":{}}}]}}]}"#,
        r#"{"error":{"code":400}}"#,
        r#"{"promptFeedback":{}}"#,
    ] {
        assert_eq!(read(body), None, "{body}");
    }
}

#[test]
fn a_usage_that_cannot_be_read_is_unknown() {
    for usage in ["7", "{}", r#"{"promptTokenCount":1.5}"#, r#"{"promptTokenCount":1,"thoughtsTokenCount":-1}"#] {
        let body = format!(r#"{{"candidates":[{{"finishReason":"STOP"}}],"usageMetadata":{usage}}}"#);
        assert_eq!(read(&body).unwrap().usage, None, "{usage}");
    }
}

#[test]
fn another_providers_answer_becomes_one_of_geminis() {
    let call =
        |arguments: &str| ToolCall { id: "c".into(), name: "f".into(), arguments: arguments.into(), extra: None };
    let choice = Choice {
        text: "Well.".into(),
        refusal: "No.".into(),
        calls: vec![call(""), call(r#"{\"x\""#)],
        finish: Some(Finish::ToolCalls),
        ..Choice::default()
    };
    let body = encode_body(&Completion { choices: vec![choice], ..Completion::default() }, &STAMP);
    assert_eq!(
        body,
        r#"{"candidates":[{"content":{"parts":[{"text":"Well."},{"text":"No."},{"functionCall":{"id":"c","name":"f","args":{}},"thoughtSignature":"tidegatecall"}],"role":"model"},"finishReason":"MALFORMED_FUNCTION_CALL","index":0}]}"#
    );
}

//! What providers answer.

use std::time::Duration;

use proptest::prelude::*;
use tidegate::error::Code;
use tidegate::testing::{Scripted, completion};

use super::{QUESTION, World, damaged, text};

const WHOLE: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,
"message":{"role":"assistant","content":"Hello \ud83c\udf0a","tool_calls":null},"finish_reason":"stop"}],
"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"cost":0.000012,
"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}"#;

fn scripted(status: u16, headers: &[(String, String)], body: &[u8]) -> Scripted {
    Scripted::Answer(Duration::from_millis(10), status, headers.to_vec(), body.to_vec())
}

/// Asks a provider that gives this answer to every request.
fn answered(status: u16, headers: &[(String, String)], body: &[u8]) -> Option<Code> {
    let (headers, body) = (headers.to_vec(), body.to_vec());
    let world = World::new(move || scripted(status, &headers, &body));
    let first = world.ask(QUESTION);
    if let Ok(reply) = &first {
        assert!((200..300).contains(&status) && serde_json::from_str::<serde::de::IgnoredAny>(&reply.body).is_ok());
    }
    // The gate is none the worse: a day later, with a provider that works, it answers.
    world.host.answer(|_| completion("ok", 1, 1));
    world.host.advance(Duration::from_secs(86_400));
    world.ask(QUESTION).expect("the gate goes on");
    first.err().map(|error| error.code)
}

#[test]
fn no_completion_is_malformed() {
    let nested = ["[".repeat(1_000_000), "]".repeat(1_000_000)].concat();
    let huge = "x".repeat(10 << 20);
    let bodies: [&[u8]; 14] = [
        b"",
        b"<!doctype html><title>502</title>",
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"\"text\"",
        b"{\"choices\":7}",
        b"{\"choices\":[{\"message\":",
        b"\xff\xfe\x00{",
        b"{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"\xff\"}}]}",
        b"data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
        nested.as_bytes(),
        huge.as_bytes(),
    ];
    for body in bodies {
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(answered(200, &[], body), Some(Code::UpstreamMalformed), "{start}");
        assert!(answered(500, &[], body).is_some());
        assert!(answered(429, &[], body).is_some());
    }
}

#[test]
fn a_long_answer_is_still_an_answer() {
    let body = WHOLE.replace("Hello", &"x".repeat(10 << 20));
    assert_eq!(answered(200, &[], body.as_bytes()), None);
    assert_eq!(answered(200, &[], WHOLE.as_bytes()), None);
}

#[test]
fn every_status_ends_in_an_answer_or_an_error() {
    for status in 0..=999 {
        assert!(answered(status, &[], b"<html>").is_some(), "{status}");
    }
    for status in [1_000, 9_999, u16::MAX] {
        assert!(answered(status, &[], WHOLE.as_bytes()).is_some(), "{status}");
    }
}

#[test]
fn numbers_that_cannot_be_never_become_money() {
    for usage in [
        r#"{"prompt_tokens":-5,"completion_tokens":-5}"#,
        r#"{"prompt_tokens":1e400,"completion_tokens":1}"#,
        r#"{"prompt_tokens":18446744073709551615,"completion_tokens":18446744073709551615}"#,
        r#"{"prompt_tokens":99999999999999999999999,"completion_tokens":1}"#,
        r#"{"prompt_tokens":"10","completion_tokens":null}"#,
        r#"{"prompt_tokens":10,"completion_tokens":5,"cost":-1}"#,
        r#"{"prompt_tokens":10,"completion_tokens":5,"cost":1e308}"#,
        r#"{"prompt_tokens":1,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":18446744073709551615}}"#,
        "[]",
        "7",
    ] {
        let body = format!(
            r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","content":"a"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
        );
        // Counts that are none make the answer unreadable; in any case the books stay in order.
        let code = answered(200, &[], body.as_bytes());
        assert!(matches!(code, None | Some(Code::UpstreamMalformed)), "{usage}: {code:?}");
    }
}

const NAMES: [&str; 9] = [
    "retry-after",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "x-should-retry",
    "x-ratelimit-reset",
    "x-ratelimit-remaining",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-reset-requests",
    "anthropic-ratelimit-tokens-reset",
];

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = prop_oneof![
        any::<String>(),
        "[0-9]{0,30}(\\.[0-9]{0,30})?(ms|s|m|h|d)?",
        "-?[0-9]{1,4}(e[0-9]{1,5})?",
        "(Mon|Thu|Xyz), [0-9]{1,2} (Jan|Feb|Dec) [0-9]{4,9} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    ];
    let header = (proptest::sample::select(NAMES.as_slice()), value).prop_map(|(name, value)| (name.into(), value));
    proptest::collection::vec(header, 0..5)
}

proptest! {
    #[test]
    fn random_ones(status: u16, headers in headers(), body: Vec<u8>) {
        let _ = answered(status, &headers, &body);
    }

    #[test]
    fn damaged_ones(status in prop_oneof![Just(200u16), 200..600u16], headers in headers(), body in damaged(WHOLE)) {
        let _ = answered(status, &headers, body.as_bytes());
    }

    #[test]
    fn nearly_json(status in 200..600u16, body in text()) {
        let _ = answered(status, &[], body.as_bytes());
    }
}

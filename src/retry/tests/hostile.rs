use proptest::prelude::*;

use super::*;
use crate::retry::may_be_error;

#[test]
fn only_the_first_64_kib_are_read() {
    let body = |length: usize| {
        let frame = r#"{"error":{"code":"model_not_found","pad":""}}"#;
        let pad = "x".repeat(length.saturating_sub(frame.len()));
        frame.replace(r#""pad":"""#, &format!(r#""pad":"{pad}""#))
    };
    assert_eq!(code(404, &body(64 * 1024)), Code::ModelNotFound);
    assert_eq!(code(404, &body(64 * 1024 + 1)), Code::UpstreamRejected);
    assert_eq!(answer(200, &[], &body(64 * 1024)).unwrap().code, Code::ModelNotFound);
    assert_eq!(answer(200, &[], &body(64 * 1024 + 1)), None);
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    for (open, close) in [("[", "]"), (r#"{"error":"#, "}"), (r#"{"a":"#, "}")] {
        for depth in [100, 5_000] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let _ = code(400, &nested);
            assert_eq!(
                code(404, &format!(r#"{{"error":{{"x":{nested},"code":"model_not_found"}}}}"#)),
                Code::ModelNotFound
            );
        }
        let _ = code(429, &open.repeat(60_000));
    }
}

#[test]
fn wrong_types_say_nothing() {
    let bodies = [
        "null",
        "[]",
        "[null]",
        "7",
        r#""error""#,
        r#"{"error":[]}"#,
        r#"{"error":7}"#,
        r#"{"error":{"code":{},"type":[],"status":{},"message":7,"details":7,"metadata":7,"availability":[]}}"#,
        r#"{"error":{"metadata":{"headers":[1],"raw":{}},"details":[1,null,{"retryDelay":{}}]}}"#,
        "{\"error\":{\"code\":\"model_not_found\"}",
        "{\"error\":{\"message\":\"\\ud800\"}}",
        "\u{feff}{}",
    ];
    for body in bodies {
        let verdict = answer(429, &[], body).unwrap();
        assert_eq!((verdict.code, verdict.wait), (Code::UpstreamLimited, None), "{body}");
    }
    let invalid =
        classify(404, &|_| None, b"{\"error\":{\"code\":\"model_not_found\",\"message\":\"\xff\"}}", NOW).unwrap();
    assert_eq!(invalid.code, Code::UpstreamRejected);
}

proptest! {
    #[test]
    fn no_answer_breaks_it(status: u16, body in prop::collection::vec(any::<u8>(), 0..200), header in ".*") {
        let _ = classify(status, &|_| Some(&header), &body, NOW);
    }

    #[test]
    fn no_cut_or_altered_error_breaks_it(status in 200_u16..600, cut in 0_usize..200, at in 0_usize..200, byte: u8) {
        let mut body = br#"{"error":{"code":429,"message":"try again in 2m5.5s","details":[{"retryDelay":"3s"}],"metadata":{"raw":"x","headers":{"Retry-After":"1"}}},"usage":{}}"#.to_vec();
        if let Some(place) = body.get_mut(at) {
            *place = byte;
        }
        body.truncate(body.len().saturating_sub(cut));
        let _ = classify(status, &|_| None, &body, NOW);
    }

    #[test]
    fn an_error_is_seen_wherever_it_stands(body in "[\"ero]{0,9}x?(\"error\")?[\"erox]{0,9}") {
        prop_assert_eq!(may_be_error(body.as_bytes()), body.contains("\"error\""));
    }

    #[test]
    fn an_error_status_is_never_an_answer(status: u16, body in ".*") {
        prop_assume!(!(200..=299).contains(&status));
        prop_assert!(answer(status, &[], &body).is_some());
    }
}

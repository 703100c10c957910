use super::*;
use crate::chat::Delta;
use crate::provider::StreamDecoder;

/// What an error event of each dialect stands for.
#[test]
fn every_dialects_error_event_is_understood() {
    let events = [
        (Dialect::Chat, "", r#"{"error":{"message":"Overloaded","code":529}}"#, Code::UpstreamFailed),
        (Dialect::Chat, "error", r#"{"error":{"message":"slow down","code":429}}"#, Code::UpstreamLimited),
        (
            Dialect::Anthropic,
            "error",
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Code::UpstreamFailed,
        ),
        (
            Dialect::Anthropic,
            "error",
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#,
            Code::UpstreamLimited,
        ),
        (
            Dialect::Google,
            "",
            r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
            Code::UpstreamFailed,
        ),
        (
            Dialect::Responses,
            "error",
            r#"{"type":"error","code":"server_error","message":"boom","param":null,"sequence_number":3}"#,
            Code::UpstreamFailed,
        ),
        (
            Dialect::Responses,
            "response.failed",
            r#"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"},"output":[]}}"#,
            Code::UpstreamLimited,
        ),
    ];
    for (dialect, name, data, code) in events {
        let mut bodies = Vec::new();
        let mut decoder = StreamDecoder::new(dialect, "x");
        let read = decoder.event(name, data, &mut |delta| {
            if let Delta::Failed { body } = delta {
                bodies.push(body.into_owned());
            }
        });
        assert!(read.is_ok() && bodies.len() == 1, "{data}");
        assert_eq!(Failure::embedded(&bodies[0], Timestamp::EPOCH).code, code, "{data}");
    }
}

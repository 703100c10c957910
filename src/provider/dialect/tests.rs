use super::*;
use crate::chat::{Choice, Finish};

const STAMP: Stamp = Stamp::new(0, true);

fn ended(reason: Option<Finish>) -> Completion {
    let choice = Choice { text: "half of".into(), finish: reason, ..Choice::default() };
    Completion { id: "a".into(), model: "m".into(), choices: vec![choice], ..Completion::default() }
}

type Sink<'s> = &'s mut dyn FnMut(Delta<'_>);

fn reason_of(read: &mut dyn FnMut(Sink<'_>)) -> Option<Finish> {
    let mut reason = None;
    read(&mut |delta| {
        if let Delta::Finish { reason: own, .. } = delta {
            reason = Some(own);
        }
    });
    reason
}

#[test]
fn an_end_that_nobody_knows_the_reason_of_is_called_whole_in_no_dialect() {
    for (own, whole) in [(Finish::Stop, true), (Finish::Length, false), (Finish::Other, false)] {
        let completion = ended(Some(own));
        for dialect in Dialect::ALL {
            let body = encode_body(dialect, &completion, &STAMP);
            let said = reason_of(&mut |sink| decode_body(dialect, "x", &body, sink).unwrap());
            assert_eq!(said == Some(Finish::Stop), whole, "{own:?}: {body}");

            let (mut encoder, mut out) = (StreamEncoder::new(dialect, STAMP), String::new());
            completion.deltas(&mut |delta| encoder.push(&delta, &mut out));
            let mut decoder = StreamDecoder::new(dialect, "x");
            let said = reason_of(&mut |sink| {
                let mut frames = crate::provider::sse::Decoder::default();
                let mut each = |frame: crate::provider::sse::Frame<'_>| {
                    if let Some(data) = &frame.data {
                        decoder.event(&frame.name, data, sink).unwrap();
                    }
                };
                frames.push(out.as_bytes(), &mut each).unwrap();
            });
            assert_eq!(said == Some(Finish::Stop), whole, "{own:?}: {out}");
        }
    }
}

#[test]
fn an_answer_goes_on_while_its_reason_is_an_empty_one() {
    let chat = |text: &str, reason: &str| {
        format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":"{reason}"}}]}}"#)
    };
    let gemini = |text: &str, reason: &str| {
        format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}},"finishReason":"{reason}"}}]}}"#)
    };
    let claude = |reason: &str| format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}}}}"#);
    let begun = r#"{"type":"message_start","message":{"id":"a","model":"m"}}"#;
    let stopped = r#"{"type":"message_stop"}"#;
    for (dialect, events, last) in [
        (Dialect::Chat, vec![chat("a", ""), chat("b", "")], vec![chat("", "stop")]),
        (Dialect::Google, vec![gemini("a", "FINISH_REASON_UNSPECIFIED"), gemini("b", "")], vec![gemini("c", "STOP")]),
        (Dialect::Anthropic, vec![begun.into(), claude("")], vec![claude("end_turn"), stopped.into()]),
    ] {
        let mut decoder = StreamDecoder::new(dialect, "x");
        let mut ends = Vec::new();
        let mut sink = |delta: Delta<'_>| {
            if let Delta::Finish { reason, .. } = delta {
                ends.push(reason);
            }
        };
        for event in &events {
            decoder.event("", event, &mut sink).unwrap();
            assert!(!decoder.is_finished(), "{event}");
        }
        for event in &last {
            decoder.event("", event, &mut sink).unwrap();
        }
        assert!(decoder.is_finished(), "{dialect:?}");
        assert_eq!(ends, [Finish::Stop], "{dialect:?}");
    }
}

//! Hostile input: whatever comes, nothing panics, and what is written is JSON.

use proptest::prelude::*;

use super::*;
use crate::chat::{Completion, Delta};
use crate::json;
use crate::provider::{Outgoing, Stamp};

const STAMP: Stamp = Stamp::new(1, true);

const REQUEST: &str = r#"{"contents":[{"role":"user","parts":[{"text":"Go"},{"inlineData":{"mimeType":"image/png","data":"AA"}},{"fileData":{"mimeType":"image/png","fileUri":"https://a/b"}}]},{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"T"},{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"tidegate7b7d"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"y":2}}}]}],"systemInstruction":{"parts":[{"text":"Be brief."}]},"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true}},"anyOf":[{"minItems":"1"}]}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"maxOutputTokens":64,"temperature":1,"stopSequences":["x"],"thinkingConfig":{"thinkingBudget":9},"responseMimeType":"application/json","responseSchema":{"type":"STRING"}}}"#;
const NEUTRAL: &str = r#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]},{"role":"assistant","content":null,"reasoning":"hm","reasoning_details":[{"type":"reasoning.encrypted","format":"google-gemini-v1","data":"T"}],"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"S"}}}]},{"role":"tool","tool_call_id":"a","content":"four"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":{"type":"object"}}},"reasoning":{"effort":"low"},"stop":["x"],"n":2}"#;
const ANSWER: &str = r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"A\n","thoughtSignature":"T"},{"functionCall":{"name":"f","args":{"x":"\""}},"thoughtSignature":"S"},{"functionCall":{"name":"g","willContinue":true}},{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0]","stringValue":"x"}]}},{"inlineData":{"mimeType":"image/png","data":"AA"}}],"role":"model"},"finishReason":"STOP","index":0}],"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":5},"modelVersion":"m","responseId":"r"}"#;

/// Runs everything that reads on one input.
fn swallow(input: &str) {
    let outgoing = Outgoing {
        provider: "google",
        model: "gemini-3-pro",
        max_output_tokens: 9,
        stream: true,
        relayed: false,
        most: None,
    };
    if let Ok(neutral) = decode_request(input, Some(input), true) {
        assert!(json::fields(&neutral).is_ok(), "{neutral}");
    }
    if let Ok(fields) = json::fields(input) {
        let rewritten = rewrite_request(&fields, &outgoing);
        assert!(json::fields(&rewritten).is_ok(), "{rewritten}");
        if let Ok(request) = encode_request(&fields, &outgoing) {
            assert!(json::fields(&request).is_ok(), "{request}");
        }
    }
    let (mut completion, mut encoder, mut out) = (Completion::default(), StreamEncoder::new(STAMP), String::new());
    let mut decoder = StreamDecoder::default();
    let sink = &mut |delta: Delta<'_>| {
        completion.push(&delta);
        encoder.push(&delta, &mut out);
    };
    let _ = decoder.event("", input, sink);
    let _ = decoder.event("error", input, sink);
    let _ = decode_body(input, sink);
    encoder.push(&Delta::End, &mut out);
    let body = encode_body(&completion, &STAMP);
    assert!(json::fields(&body).is_ok(), "{body}");
    for event in out.split_terminator("\n\n") {
        let data = event.strip_prefix("data: ").unwrap();
        assert!(!data.contains(['\n', '\r']) && json::fields(data).is_ok(), "{data}");
    }
    assert!(path(input, true).bytes().all(|byte| byte.is_ascii_graphic()));
}

/// The places of the values in JSON text, as ranges of bytes.
fn values(text: &str, at: usize, out: &mut Vec<(usize, usize)>) {
    out.push((at, text.len()));
    let place = |inner: &str| at.saturating_add((inner.as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
    for inner in json::items(text).unwrap_or_default() {
        values(inner.get(), place(inner.get()), out);
    }
    for (_, inner) in json::fields(text).unwrap_or_default().iter() {
        values(inner.get(), place(inner.get()), out);
    }
}

#[test]
fn a_wrong_type_anywhere_is_no_panic() {
    for sample in [REQUEST, NEUTRAL, ANSWER] {
        swallow(sample);
        let mut places = Vec::new();
        values(sample, 0, &mut places);
        assert!(places.len() > 30);
        for (at, length) in places {
            for other in ["null", "7", "-1.5e9", "true", "\"\"", "\"\\ud800\"", "\"a\\\"\\n\"", "[]", "[[]]", "{}"] {
                let end = at.saturating_add(length);
                swallow(&[sample.get(..at).unwrap(), other, sample.get(end..).unwrap()].concat());
            }
        }
    }
}

#[test]
fn a_cut_anywhere_is_no_panic() {
    for sample in [REQUEST, NEUTRAL, ANSWER] {
        for end in 0..sample.len() {
            swallow(sample.get(..end).unwrap());
        }
    }
}

proptest! {
    #[test]
    fn noise_is_no_panic(noise in "\\PC*", at in 0usize..2000) {
        swallow(&noise);
        for sample in [REQUEST, NEUTRAL, ANSWER] {
            let (before, after) = sample.split_at(at.min(sample.len()));
            swallow(&[before, &noise, after].concat());
        }
    }

    #[test]
    fn any_text_comes_through(text in ".*", thought in ".*") {
        let mut body = String::from("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":");
        json::push_text(&mut body, &text);
        body.push_str("},{\"thought\":true,\"text\":");
        json::push_text(&mut body, &thought);
        body.push_str("}]},\"finishReason\":\"STOP\"}]}");
        let mut completion = Completion::default();
        prop_assert!(decode_body(&body, &mut |delta| completion.push(&delta)).is_some());
        let encoded = encode_body(&completion, &STAMP);
        let mut again = Completion::default();
        prop_assert!(decode_body(&encoded, &mut |delta| again.push(&delta)).is_some());
        prop_assert_eq!(&again, &completion);
        let own = json::Escaped::trusted(&again.choices[0].text);
        prop_assert_eq!(own.text().unwrap(), text);
    }
}

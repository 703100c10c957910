use super::*;
use crate::error::Detail;

fn encode(dialect: Dialect, body: &str) -> Result<String> {
    encode_request(dialect, &EmbeddingsRequest::parse(body).unwrap(), "embed-1")
}

fn field(error: &Error) -> (Code, &str) {
    match &error.detail {
        Detail::Fields(fields) => (error.code, &fields[0].path),
        other => panic!("{other:?}"),
    }
}

#[test]
fn to_its_own_format_only_the_model_changes() {
    let body = r#"{"input":["\u0041", "b"],"model":"mine","dimensions":8,"encoding_format":"base64","user":"u","new":{"a":[1.50]}}"#;
    let expected = r#"{"model":"embed-1","input":["\u0041", "b"],"dimensions":8,"encoding_format":"base64","user":"u","new":{"a":[1.50]}}"#;
    assert_eq!(rewrite_request(Dialect::Chat, &json::fields(body).unwrap(), "embed-1"), expected);
    assert_eq!(encode(Dialect::Chat, body).unwrap(), expected);

    let rewrite = |body: &str| rewrite_request(Dialect::Google, &json::fields(body).unwrap(), "g-1");
    assert_eq!(
        rewrite(r#"{"model":"models/x","content":{"parts":[{"text":"a"},{"text":"b"}]},"taskType":"CLUSTERING"}"#),
        r#"{"model":"models/g-1","content":{"parts":[{"text":"a"},{"text":"b"}]},"taskType":"CLUSTERING"}"#
    );
    assert_eq!(
        rewrite(r#"{"requests":[{"model":"models/x","content":{"parts":[{"text":"\u0041"}]}},{"content":1.0}]}"#),
        r#"{"requests":[{"model":"models/g-1","content":{"parts":[{"text":"\u0041"}]}},{"model":"models/g-1","content":1.0}]}"#
    );
}

#[test]
fn openai_to_gemini() {
    let one =
        r#"{"model":"m","input":"a\n\u0041","dimensions":256,"encoding_format":"base64","user":"u","title":null}"#;
    assert_eq!(
        encode(Dialect::Google, one).unwrap(),
        r#"{"model":"models/embed-1","content":{"parts":[{"text":"a\nA"}]},"outputDimensionality":256}"#
    );
    let several = r#"{"input":["a","b"],"task_type":"CLUSTERING","title":"t"}"#;
    let own = |text: &str| {
        format!(
            r#"{{"model":"models/embed-1","content":{{"parts":[{{"text":"{text}"}}]}},"taskType":"CLUSTERING","title":"t"}}"#
        )
    };
    assert_eq!(encode(Dialect::Google, several).unwrap(), format!(r#"{{"requests":[{},{}]}}"#, own("a"), own("b")));
    let error = encode(Dialect::Google, r#"{"input":"a","input_type":"query"}"#).unwrap_err();
    assert_eq!(field(&error), (Code::InvalidRequest, "input_type"));
}

#[test]
fn gemini_to_openai() {
    let decode = |body: &str, batch| decode_request(Dialect::Google, body, Some("g-1"), batch).unwrap();
    let one =
        r#"{"model":"models/g-1","content":{"role":"user","parts":[{"text":"a\u0041"}]},"outputDimensionality":64}"#;
    assert_eq!(decode(one, false), r#"{"model":"g-1","input":"a\u0041","dimensions":64}"#);
    let several = r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"output_dimensionality":64,"title":null},
        {"model":"models/g-1","content":{"parts":[{"text":"b"}]},"outputDimensionality":64}]}"#;
    let neutral = decode(several, true);
    assert_eq!(neutral, r#"{"model":"g-1","input":["a","b"],"dimensions":64}"#);
    assert_eq!(encode(Dialect::Chat, &neutral).unwrap(), r#"{"model":"embed-1","input":["a","b"],"dimensions":64}"#);
    // One in a batch is still a batch.
    let single = decode(r#"{"requests":[{"content":{"parts":[{"text":"a"}]}}]}"#, true);
    assert!(EmbeddingsRequest::parse(&single).unwrap().listed);
    // What only Gemini has stays visible, and keeps it from going elsewhere.
    let task = decode(r#"{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"}"#, false);
    assert_eq!(task, r#"{"model":"g-1","input":"a","task_type":"CLUSTERING"}"#);
    assert_eq!(field(&encode(Dialect::Chat, &task).unwrap_err()), (Code::InvalidRequest, "task_type"));
    assert!(encode(Dialect::Google, &task).unwrap().contains(r#""taskType":"CLUSTERING""#));
    assert_eq!(decode_request(Dialect::Chat, "as it is", None, false).unwrap(), "as it is");
}

#[test]
fn what_has_no_neutral_form_is_named() {
    use Code::{InvalidRequest, UnpricedInput};
    let part = |part: &str| format!(r#"{{"content":{{"parts":[{part}]}}}}"#);
    for (body, code, path) in [
        ("[]".into(), InvalidRequest, ""),
        ("{}".into(), InvalidRequest, "content"),
        (r#"{"content":7}"#.into(), InvalidRequest, "content"),
        (r#"{"content":{}}"#.into(), InvalidRequest, "content.parts"),
        (r#"{"content":{"parts":7}}"#.into(), InvalidRequest, "content.parts"),
        (r#"{"content":{"parts":[],"x":1}}"#.into(), InvalidRequest, "content.x"),
        (part(""), InvalidRequest, "content.parts"),
        (part(r#"{"text":7}"#), InvalidRequest, "content.parts"),
        (part(r#"{"text":"a"},{"text":"b"}"#), InvalidRequest, "content.parts"),
        (part(r#"{"inlineData":{}}"#), UnpricedInput, "content.parts"),
        (part(r#"{"text":"a","thought":true}"#), UnpricedInput, "content.parts"),
        (
            r#"{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{}}"#.into(),
            InvalidRequest,
            "embedContentConfig",
        ),
    ] {
        let error = decode_request(Dialect::Google, &body, None, false).unwrap_err();
        assert_eq!(field(&error), (code, path), "{body}");
    }
    let text = r#"{"content":{"parts":[{"text":"a"}]}}"#;
    for (body, path) in [
        ("{}".into(), "requests"),
        (r#"{"requests":[]}"#.into(), "requests"),
        (r#"{"requests":[7]}"#.into(), "requests[0]"),
        (r#"{"requests":[],"x":1}"#.into(), "x"),
        (format!(r#"{{"requests":[{text},{{}}]}}"#), "requests[1].content"),
        (
            format!(r#"{{"requests":[{text},{{"content":{{"parts":[{{"text":"b"}}]}},"taskType":"X"}}]}}"#),
            "requests[1]",
        ),
    ] {
        let error = decode_request(Dialect::Google, &body, None, true).unwrap_err();
        assert_eq!(field(&error), (InvalidRequest, path), "{body}");
    }
    let none = |result: Result<String>| result.unwrap_err().code == Code::UnsupportedEndpoint;
    assert!(none(decode_request(Dialect::Anthropic, "{}", None, false)));
    assert!(none(encode(Dialect::Anthropic, r#"{"input":"a"}"#)));
}

#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
proptest::proptest! {
    #[test]
    fn texts_survive_the_way_there_and_back(texts in proptest::collection::vec(".{0,12}", 1..4), dimensions in 1u32..) {
        let body = serde_json::json!({"input": texts, "dimensions": dimensions}).to_string();
        let google = encode(Dialect::Google, &body).unwrap();
        let neutral = decode_request(Dialect::Google, &google, Some("m"), true).unwrap();
        let read = EmbeddingsRequest::parse(&neutral).unwrap();
        proptest::prop_assert_eq!(&read.inputs, &texts);
        proptest::prop_assert_eq!(read.dimensions, Some(dimensions));
    }

    #[test]
    fn hostile_requests_never_panic(body in "[\\[\\]{}:,\"a-z0-9.e-]{0,80}|\\{\"(requests|content|input)\":[\\[\\]{}:,\"a-z0-9]{0,40}\\}") {
        for batch in [false, true] {
            let _ = decode_request(Dialect::Google, &body, None, batch);
        }
        let _ = EmbeddingsRequest::parse(&body);
        if let Ok(fields) = json::fields(&body) {
            let _ = rewrite_request(Dialect::Google, &fields, "m");
        }
    }
}

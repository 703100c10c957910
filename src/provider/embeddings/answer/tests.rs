use super::*;

const REPLY: Reply<'_> = Reply { model: "asked", listed: true, base64: false, estimated_tokens: 9 };

const OPENAI: &str = r#"{"object":"list","data":[{"object":"embedding","index":1,"embedding":[ -2.50 ]},
    {"object":"embedding","index":0,"embedding":[1,0.10]}],"model":"e\u0031","usage":{"prompt_tokens":12,"total_tokens":12,"cost":0.5}}"#;

fn texts<'a>(answer: &Embeddings<'a>) -> Vec<&'a str> {
    answer.vectors.iter().map(|raw| raw.get()).collect()
}

#[test]
fn openai_answers_are_read_by_index() {
    let read = |provider: &str, inputs| decode_body(Dialect::Chat, provider, OPENAI, inputs);
    let answer = read("openai", 2).unwrap();
    assert_eq!(texts(&answer), ["[1,0.10]", "[ -2.50 ]"], "digit by digit");
    assert_eq!((answer.model.get(), answer.usage.map(|usage| usage.input), answer.cost), ("e\\u0031", Some(12), None));
    assert_eq!(read("openrouter", 2).unwrap().cost, Some(NanoUsd::new(500_000_000)));
    assert_eq!((read("openai", 1), read("openai", 3)), (None, None), "another number of inputs");
    let least =
        decode_body(Dialect::Responses, "own", r#"{"data":[{"embedding":"AACAPw=="}],"usage":{"total_tokens":3}}"#, 1);
    let least = least.unwrap();
    assert_eq!((texts(&least), least.usage.map(|usage| usage.input)), (vec![r#""AACAPw==""#], Some(3)));
}

#[test]
fn gemini_answers_are_read_in_order() {
    let read = |body, inputs| decode_body(Dialect::Google, "google", body, inputs);
    let several = r#"{"embeddings":[{"values":[0.1,2]},{"values":[3e-2]}],"metadata":{}}"#;
    let answer = read(several, 2).unwrap();
    assert_eq!(texts(&answer), ["[0.1,2]", "[3e-2]"]);
    assert_eq!((answer.model.get(), answer.usage), ("", None));
    let one = r#"{"embedding":{"values":[0.1]},"usageMetadata":{"promptTokenCount":4}}"#;
    assert_eq!(read(one, 1).unwrap().usage.map(|usage| usage.input), Some(4));
    assert_eq!(read(several, 1), None);
}

#[test]
fn what_is_no_answer_is_refused() {
    let vector = |vector: &str| format!(r#"{{"data":[{{"embedding":{vector}}}]}}"#);
    let mut bodies: Vec<String> = [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"data":7}"#,
        r#"{"data":[]}"#,
        r#"{"data":[{}]}"#,
        r#"{"data":[7]}"#,
        r#"{"data":[{"index":1,"embedding":[1]}]}"#,
        r#"{"data":[{"index":-1,"embedding":[1]}]}"#,
        r#"{"embedding":{}}"#,
        r#"{"embedding":7}"#,
        r#"{"embeddings":[{"values":null}]}"#,
        r#"{"embeddings":{}}"#,
    ]
    .map(String::from)
    .into();
    bodies.extend(["null", "7", "{}", "[]", "[ ]", "[null]", "[[1]]", "[\"1\"]", "[true]"].map(vector));
    for body in &bodies {
        for dialect in Dialect::ALL {
            assert_eq!(decode_body(dialect, "p", body, 1), None, "{body}");
        }
    }
    let twice = r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]}"#;
    assert_eq!(decode_body(Dialect::Chat, "p", twice, 2), None, "one place, two vectors");
    assert_eq!(decode_body(Dialect::Chat, "p", twice, 1), None, "and none left empty");
}

#[test]
fn gemini_answers_for_an_openai_caller() {
    let body = r#"{"embeddings":[{"values":[1.0, -2.5]},{"values":[0.1]}]}"#;
    let answer = decode_body(Dialect::Google, "google", body, 2).unwrap();
    assert_eq!(
        encode_body(Dialect::Chat, &answer, &REPLY).unwrap(),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0, -2.5]},{"object":"embedding","index":1,"embedding":[0.1]}],"model":"asked","usage":{"prompt_tokens":9,"total_tokens":9}}"#
    );
    let base64 = encode_body(Dialect::Chat, &answer, &Reply { base64: true, ..REPLY }).unwrap();
    assert!(
        base64.contains(r#""embedding":"AACAPwAAIMA=""#) && base64.contains(r#""embedding":"zczMPQ==""#),
        "{base64}"
    );
    let huge = decode_body(Dialect::Google, "google", r#"{"embedding":{"values":[1e99]}}"#, 1).unwrap();
    assert_eq!(encode_body(Dialect::Chat, &huge, &Reply { base64: true, ..REPLY }), None, "beyond 32 bits");
    assert_eq!(encode_body(Dialect::Anthropic, &answer, &REPLY), None);
}

#[test]
fn openai_answers_for_a_gemini_caller() {
    let answer = decode_body(Dialect::Chat, "openai", OPENAI, 2).unwrap();
    assert_eq!(
        encode_body(Dialect::Google, &answer, &REPLY).unwrap(),
        r#"{"embeddings":[{"values":[1,0.10]},{"values":[ -2.50 ]}]}"#
    );
    let one = decode_body(Dialect::Chat, "openai", r#"{"data":[{"embedding":[1]}]}"#, 1).unwrap();
    let single = Reply { listed: false, ..REPLY };
    assert_eq!(encode_body(Dialect::Google, &one, &single).unwrap(), r#"{"embedding":{"values":[1]}}"#);
    assert_eq!(encode_body(Dialect::Google, &one, &REPLY).unwrap(), r#"{"embeddings":[{"values":[1]}]}"#);
    // Between two of OpenAI's format: usage and model are the provider's, base64 only for who asked.
    let text = encode_body(Dialect::Chat, &answer, &REPLY).unwrap();
    assert!(text.ends_with(r#""model":"e\u0031","usage":{"prompt_tokens":12,"total_tokens":12}}"#), "{text}");
    let coded = decode_body(Dialect::Chat, "openai", r#"{"data":[{"embedding":"AACAPw=="}]}"#, 1).unwrap();
    assert!(encode_body(Dialect::Chat, &coded, &Reply { base64: true, ..REPLY }).unwrap().contains(r#":"AACAPw==""#));
    assert_eq!(encode_body(Dialect::Chat, &coded, &REPLY), None);
    assert_eq!(encode_body(Dialect::Google, &coded, &REPLY), None);
}

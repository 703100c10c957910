//! Requests of the right words in wrong places.

use super::*;
use proptest::prelude::*;

/// JSON made of the words that the code looks for.
fn value() -> impl Strategy<Value = Value> {
    let words = [
        "user",
        "assistant",
        "system",
        "tool",
        "text",
        "type",
        "thinking",
        "tool_use",
        "tool_result",
        "image",
        "base64",
        "image_url",
        "function",
        "data:image/png;base64,AA",
        "enabled",
        "json_schema",
        "{",
        "",
    ];
    let leaf = prop_oneof![
        proptest::sample::select(words.to_vec()).prop_map(|word| json!(word)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|flag| json!(flag)),
        Just(Value::Null),
    ];
    let names = [
        "model",
        "messages",
        "role",
        "content",
        "type",
        "text",
        "thinking",
        "signature",
        "data",
        "source",
        "id",
        "name",
        "input",
        "tool_use_id",
        "tools",
        "function",
        "tool_calls",
        "arguments",
        "image_url",
        "url",
        "system",
        "reasoning",
        "reasoning_details",
        "output_config",
        "format",
        "schema",
        "tool_choice",
        "media_type",
        "max_tokens",
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((proptest::sample::select(names.to_vec()), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(messages in value(), extra in value(), cut in 0usize..400) {
        let mut request = json!({"model": "m", "messages": messages});
        if let Value::Object(extra) = extra {
            for (name, value) in extra {
                request[name.as_str()] = value;
            }
        }
        let text = request.to_string();
        for body in [text.as_str(), text.get(..cut.min(text.len())).unwrap_or("")] {
            if let Ok(neutral) = decode_request(body) {
                serde_json::from_str::<Value>(&neutral).unwrap();
            }
            if let Ok(fields) = json::fields(body) {
                if let Ok(encoded) = encode_request(&fields, &outgoing("claude-3")) {
                    serde_json::from_str::<Value>(&encoded).unwrap();
                }
                serde_json::from_str::<Value>(&rewrite_request(&fields, &outgoing("m"))).unwrap();
            }
        }
    }
}

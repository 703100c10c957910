//! Requests that are right but for a few values, in both directions: read or refused, never a panic, and
//! whatever is written is JSON.

use proptest::prelude::*;

use super::*;

/// A caller's request with everything in it.
fn theirs() -> Value {
    json!({"model": "m", "max_tokens": 4096, "temperature": 1, "stop_sequences": ["a"], "metadata": {"user_id": "u"},
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "enabled", "budget_tokens": 2048}, "output_config": {"effort": "low",
            "format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": false}}},
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object", "additionalProperties": false},
            "strict": true}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "t"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "h", "signature": "s"},
                {"type": "redacted_thinking", "data": "{\"tool_call\":\"a\",\"extra_content\":{}}"},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "is_error": true,
                "content": [{"type": "text", "text": "r"}]}]}]})
}

/// A neutral request with everything in it.
fn neutral() -> Value {
    let mut request: Value = serde_json::from_str(&decode_request(&theirs().to_string()).unwrap()).unwrap();
    let file = json!({"type": "file", "file": {"filename": "f", "file_data": "data:application/pdf;base64,AA"}});
    request["messages"][1]["content"][2] = file;
    request["tool_choice"] = json!({"type": "function", "function": {"name": "f"}});
    request["reasoning_effort"] = json!("none");
    request
}

/// The paths of all values in it.
fn paths(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.into());
    let mut each = |name: &str, value: &Value| paths(value, &format!("{at}/{name}"), out);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| each(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| each(&index.to_string(), value)),
        _ => {}
    }
}

fn other() -> impl Strategy<Value = Value> {
    let words = [
        "",
        "{",
        "text",
        "tool",
        "tool_result",
        "thinking",
        "url",
        "data:image/png;base64,AA",
        "data:;base64,",
        "none",
    ];
    prop_oneof![
        proptest::sample::select(words.to_vec()).prop_map(|word| json!(word)),
        ".{0,8}".prop_map(|text| json!(text)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|flag| json!(flag)),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{"type": "text", "text": "x"}])),
        Just(json!({"type": "text", "new": 1})),
    ]
}

fn spoilt(mut request: Value, changes: &[(usize, Value)]) -> String {
    for (place, value) in changes {
        let mut all = Vec::new();
        paths(&request, "", &mut all);
        if let Some(slot) =
            request.pointer_mut(all.get(place.checked_rem(all.len()).unwrap_or(0)).map_or("", String::as_str))
        {
            *slot = value.clone();
        }
    }
    request.to_string()
}

fn is_json(text: &str) {
    serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
}

#[test]
fn the_right_ones_are_read() {
    is_json(&decode_request(&theirs().to_string()).unwrap());
    try_encode(&neutral(), "claude-3").unwrap();
}

proptest! {
    #[test]
    fn a_spoilt_request_is_read_or_refused(changes in proptest::collection::vec((any::<usize>(), other()), 1..4)) {
        let body = spoilt(theirs(), &changes);
        if let Ok(neutral) = decode_request(&body) {
            is_json(&neutral);
        }
        if let Ok(fields) = json::fields(&body) {
            is_json(&rewrite_request(&fields, &outgoing("m")));
        }
        let body = spoilt(neutral(), &changes);
        if let Ok(fields) = json::fields(&body) {
            for model in ["claude-3", "claude-opus-5", "m"] {
                if let Ok(encoded) = encode_request(&fields, &outgoing(model)) {
                    is_json(&encoded);
                }
            }
        }
    }

    #[test]
    fn a_cut_request_is_refused(cut in 1usize..1000) {
        let body = theirs().to_string();
        let kept = body.len().saturating_sub(cut);
        prop_assert!(decode_request(body.get(..kept).unwrap_or("")).is_err());
    }
}

//! What coding agents send beside a conversation.

use super::*;

/// The field of a request that has no bounded price.
fn unpriced(request: &Value) -> String {
    let error = decode_request(&request.to_string()).unwrap_err();
    assert_eq!(error.code, Code::UnpricedInput, "{request}");
    match error.detail {
        Detail::Fields(fields) => fields[0].path.clone(),
        other => panic!("{other:?}"),
    }
}

fn edits(kinds: &[&str]) -> Value {
    let edits: Vec<Value> = kinds.iter().map(|kind| json!({"type": kind, "keep": "all"})).collect();
    with(ask(), "context_management", json!({ "edits": edits }))
}

#[test]
fn what_is_cleared_from_a_conversation_need_not_be_read() {
    let plain = decoded(&ask());
    for fine in [&[][..], &["clear_thinking_20251015"], &["clear_tool_uses_20250919", "clear_thinking_20251015"]] {
        assert_eq!(decoded(&edits(fine)), plain, "{fine:?}");
    }
    assert_eq!(decoded(&with(ask(), "context_management", json!({}))), plain);
    assert_eq!(decoded(&with(ask(), "context_management", Value::Null)), plain);
}

#[test]
fn a_summary_is_an_answer_that_nobody_reserved_for() {
    for (kinds, expected) in [
        (&["compact_20260112"][..], "context_management.edits[0].type"),
        (&["clear_thinking_20251015", "compact_20260112"], "context_management.edits[1].type"),
        (&["brand_new_20270101"], "context_management.edits[0].type"),
        (&["clear_everything"], "context_management.edits[0].type"),
    ] {
        assert_eq!(unpriced(&edits(kinds)), expected, "{kinds:?}");
    }
}

#[test]
fn what_the_provider_runs_has_no_bounded_price() {
    for kind in ["web_search_20250305", "web_fetch_20250910", "code_execution_20250825", "brand_new", "bash"] {
        let tools = json!([{"name": "f", "input_schema": {}}, {"type": kind, "name": "w"}]);
        assert_eq!(unpriced(&with(ask(), "tools", tools)), "tools[1].type");
    }
}

/// Anthropic's own description of these tools is not in the request, and is read all the same.
#[test]
fn tools_that_the_client_runs_cost_their_description() {
    for kind in ["bash_20250124", "text_editor_20250728", "memory_20250818", "computer_20251124"] {
        let tool = json!({"type": kind, "name": "t"});
        let own = tool.to_string();
        let neutral = decode_request(&with(ask(), "tools", json!([tool])).to_string()).unwrap();
        let fields = json::fields(&neutral).unwrap();
        let tools = fields.field("tools").unwrap();
        assert!(tools.get().len() > own.len() + DEFINITION, "{neutral}");
        assert_eq!(serde_json::from_str::<Value>(tools.get()).unwrap(), json!([{"type": "custom", "custom": tool}]));
        assert_eq!(named(try_encode(&serde_json::from_str(&neutral).unwrap(), "m")), "tools[0].type");
    }
}

#[test]
fn tools_that_only_count_do_not_fill_the_memory() {
    let some = |count: usize| with(ask(), "tools", json!(vec![json!({"type": "bash_20250124"}); count]));
    assert!(decode_request(&some(16).to_string()).is_ok());
    assert_eq!(named(decode_request(&some(17).to_string())), "tools[16].type");
    let two = json!([{"type": "bash_20250124", "Type": "web_search_20250305"}]);
    assert_eq!(named(decode_request(&with(ask(), "tools", two).to_string())), "tools[0].Type");
    let two = json!({"edits": [{"type": "clear_thinking_20251015", "Type": "compact_20260112"}]});
    assert_eq!(
        named(decode_request(&with(ask(), "context_management", two).to_string())),
        "context_management.edits[0].Type"
    );
}

/// Tokens of the longest description, and what one token is at least in bytes.
const DEFINITION: usize = 735 + 499;

#[test]
fn an_effort_without_thinking_is_about_the_text() {
    let neutral = |thinking: &str, effort: &str| {
        decoded(&with(with(ask(), "thinking", json!({"type": thinking})), "output_config", json!({"effort": effort})))
    };
    let both = neutral("disabled", "low");
    assert_eq!((&both["reasoning_effort"], &both["output_config"]), (&json!("none"), &json!({"effort": "low"})));
    assert_eq!(named(try_encode(&both, "claude-opus-4-5")), "output_config");
    for (thinking, effort, expected) in
        [("adaptive", "max", "xhigh"), ("adaptive", "low", "low"), ("disabled", "high", "none")]
    {
        let one = neutral(thinking, effort);
        assert_eq!((&one["reasoning_effort"], one.get("output_config")), (&json!(expected), None), "{effort}");
    }
}

/// As clients of chat completions put it: on the message.
#[test]
fn a_mark_on_a_message_is_one_on_its_last_block() {
    let (mark, other) = (json!({"type": "ephemeral"}), json!({"type": "ephemeral", "ttl": "1h"}));
    let list = |last: Value| json!([{"type": "text", "text": "a"}, last]);
    let own = json!({"type": "text", "text": "b", "cache_control": other});
    let messages = json!([
        {"role": "user", "content": "a", "cache_control": mark},
        {"role": "assistant", "content": list(json!({"type": "text", "text": "b"})), "cache_control": mark},
        {"role": "user", "content": list(own), "cache_control": mark},
        {"role": "user", "content": "c"},
    ]);
    let marks: Vec<Vec<Value>> = encoded_messages(messages)
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| turn["content"].as_array().unwrap().iter().map(|block| block["cache_control"].clone()).collect())
        .collect();
    let none = Value::Null;
    assert_eq!(
        marks,
        [vec![mark.clone()], vec![none.clone(), mark.clone()], vec![none.clone(), other.clone(), none.clone()]]
    );
    let system = json!([{"role": "system", "content": "s", "cache_control": mark}, {"role": "user", "content": "a"}]);
    assert_eq!(encoded(&json!({"messages": system}))["system"][0]["cache_control"], mark);
    let result = json!([{"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [
            {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}, "cache_control": mark}]},
        {"role": "tool", "tool_call_id": "t", "content": "4", "cache_control": mark}]);
    let turns = encoded_messages(result);
    assert_eq!(turns[1]["content"][0]["cache_control"], mark);
    assert_eq!(turns[2]["content"][0]["content"][0]["cache_control"], mark);
}

//! What is refused, and which field the refusal names.

use super::*;

#[test]
fn what_a_caller_cannot_say_elsewhere_is_refused_by_name() {
    let user = |block: Value| with(ask(), "messages", json!([{"role": "user", "content": [block]}]));
    for (request, expected) in [
        (json!({"messages": []}), "model"),
        (json!({"model": "m"}), "messages"),
        (with(ask(), "max_tokens", json!(0)), "max_tokens"),
        (with(ask(), "stream", json!("yes")), "stream"),
        (with(ask(), "temperature", json!("1")), "temperature"),
        (with(ask(), "stop_sequences", json!(["a", 1])), "stop_sequences[1]"),
        (with(ask(), "container", json!("c")), "container"),
        (with(ask(), "mcp_servers", json!([])), "mcp_servers"),
        (with(ask(), "system", json!([{"type": "image"}])), "system[0].type"),
        (with(ask(), "tools", json!([{"name": "f"}])), "tools[0].input_schema"),
        (with(ask(), "tools", json!([{"name": "f", "input_schema": {}, "new": 1}])), "tools[0].new"),
        (with(ask(), "tool_choice", json!({"type": "tool"})), "tool_choice.name"),
        (with(ask(), "thinking", json!({"type": "enabled", "budget_tokens": 4096})), "thinking.budget_tokens"),
        (with(ask(), "thinking", json!({"type": "between_tools"})), "thinking.type"),
        (with(ask(), "output_config", json!({"effort": "more"})), "output_config.effort"),
        (with(ask(), "context_management", json!([])), "context_management"),
        (with(ask(), "context_management", json!({"new": 1})), "context_management.new"),
        (with(ask(), "context_management", json!({"edits": [{}]})), "context_management.edits[0].type"),
        (with(ask(), "output_config", json!({"format": {"type": "xml"}})), "output_config.format.type"),
        (with(ask(), "messages", json!([{"role": "tool", "content": "x"}])), "messages[0].role"),
        (with(ask(), "messages", json!([{"role": "user", "content": ""}])), "messages[0].content"),
        (user(json!({"type": "server_tool_use"})), "messages[0].content[0].type"),
        (user(json!({"type": "text"})), "messages[0].content[0].text"),
        (
            user(json!({"type": "image", "source": {"type": "file", "file_id": "f"}})),
            "messages[0].content[0].source.type",
        ),
        (
            user(json!({"type": "document", "source": {"type": "url", "url": "u"}})),
            "messages[0].content[0].source.type",
        ),
        (user(json!({"type": "tool_result", "content": "x"})), "messages[0].content[0].tool_use_id"),
    ] {
        assert_eq!(named(decode_request(&request.to_string())), expected, "{request}");
    }
    let server = json!([{"role": "assistant", "content": [{"type": "server_tool_use", "id": "s"}]}]);
    assert_eq!(named(decode_request(&with(ask(), "messages", server).to_string())), "messages[0].content[0].type");
    for body in ["", "[]", r#"{"model":"m","model":"n"}"#] {
        assert_eq!(named(decode_request(body)), "");
    }
}

#[test]
fn what_this_api_cannot_be_asked_is_refused_by_name() {
    let said = |message: Value| with(ask(), "messages", json!([{"role": "user", "content": "Hi"}, message]));
    let calls = |call: Value| said(json!({"role": "assistant", "tool_calls": [call]}));
    let image =
        |url: &str| said(json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}));
    for (request, expected) in [
        (with(ask(), "n", json!(2)), "n"),
        (with(ask(), "seed", json!(7)), "seed"),
        (with(ask(), "temperature", json!(1.5)), "temperature"),
        (with(ask(), "presence_penalty", json!(0.5)), "presence_penalty"),
        (with(ask(), "logprobs", json!(true)), "logprobs"),
        (with(ask(), "logit_bias", json!({"1": 2})), "logit_bias"),
        (with(ask(), "stop", json!(["\n"])), "stop"),
        (with(ask(), "stop", json!([1])), "stop"),
        (with(ask(), "functions", json!([])), "functions"),
        (with(ask(), "reasoning_effort", json!("some")), "reasoning_effort"),
        (with(ask(), "reasoning", json!({"max_tokens": 5})), "reasoning.max_tokens"),
        (with(ask(), "brand_new", json!(1)), "brand_new"),
        (with(ask(), "tools", json!([{"type": "custom"}])), "tools[0].type"),
        (json!({"messages": [{"role": "system", "content": "A"}]}), "messages"),
        (said(json!({"role": "user", "content": null})), "messages[1].content"),
        (said(json!({"role": "user", "content": "x", "name": "Bo"})), "messages[1].name"),
        (said(json!({"role": "function", "content": "x"})), "messages[1].role"),
        (said(json!({"role": "tool", "content": "x"})), "messages[1].tool_call_id"),
        (said(json!({"role": "user", "content": [{"type": "input_audio"}]})), "messages[1].content[0].type"),
        (image("data:image/tiff;base64,AA"), "messages[1].content[0].image_url.url"),
        (image("data:nothing"), "messages[1].content[0].image_url.url"),
        (
            calls(json!({"id": "a", "function": {"name": "f", "arguments": "{"}})),
            "messages[1].tool_calls[0].function.arguments",
        ),
        (calls(json!({"id": "", "function": {"name": "f", "arguments": ""}})), "messages[1].tool_calls[0].id"),
        (calls(json!({"id": "a"})), "messages[1].tool_calls[0].function"),
    ] {
        assert_eq!(named(try_encode(&request, "m")), expected, "{request}");
    }
    let forced = with(
        with(ask(), "tools", json!([{"type": "function", "function": {"name": "f"}}])),
        "tool_choice",
        json!("required"),
    );
    assert_eq!(named(try_encode(&with(forced, "reasoning_effort", json!("low")), "m")), "tool_choice");
}

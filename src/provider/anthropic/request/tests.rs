mod agents;
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod hostile;
mod models;
mod refusals;
mod thinking;

use super::*;
use crate::chat::ChatRequest;
use crate::error::{Code, Detail, Result};
use serde_json::{Value, json};

fn outgoing(model: &str) -> Outgoing<'_> {
    Outgoing { provider: "anthropic", model, max_output_tokens: 4096, stream: false, relayed: false, most: None }
}

/// A caller's request in neutral form; it must be one that the gateway reads.
fn decoded(request: &Value) -> Value {
    let neutral = decode_request(&request.to_string()).unwrap();
    ChatRequest::parse(&neutral).unwrap();
    serde_json::from_str(&neutral).unwrap()
}

fn try_encode(request: &Value, model: &str) -> Result<String> {
    let text = request.to_string();
    encode_request(&json::fields(&text).unwrap(), &outgoing(model))
}

fn encoded(request: &Value) -> Value {
    serde_json::from_str(&try_encode(request, "claude-opus-4-5").unwrap()).unwrap()
}

/// The field that a refusal names.
fn named<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.code, Code::InvalidRequest);
    match error.detail {
        Detail::Fields(fields) => fields[0].path.clone(),
        other => panic!("{other:?}"),
    }
}

fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}

fn ask() -> Value {
    json!({"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": "Hi"}]})
}

fn decoded_message(message: Value) -> Value {
    decoded(&with(ask(), "messages", json!([{"role": "user", "content": "Hi"}, message])))["messages"][1].clone()
}

fn encoded_messages(messages: Value) -> Value {
    encoded(&json!({"messages": messages}))["messages"].clone()
}

#[test]
fn a_plain_request_reads_as_a_plain_one() {
    let request = json!({"model": "m", "max_tokens": 9, "system": "Be brief.", "stream": true, "temperature": 0.5,
        "top_p": 0.9, "top_k": 5, "stop_sequences": ["END"], "metadata": {"user_id": "u"}, "service_tier": "auto",
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]}]});
    let expected = json!({"model": "m", "max_tokens": 9, "stream": true, "temperature": 0.5, "top_p": 0.9, "top_k": 5,
        "stop": ["END"], "user": "u", "messages": [{"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]});
    assert_eq!(decoded(&request), expected);
}

#[test]
fn texts_keep_their_own_escapes() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"\u0041\/"}]}]}"#;
    let neutral = decode_request(body).unwrap();
    assert_eq!(neutral, r#"{"model":"m","messages":[{"role":"user","content":"\u0041\/"}]}"#);
    let encoded = encode_request(&json::fields(&neutral).unwrap(), &outgoing("m")).unwrap();
    let content = r#""messages":[{"role":"user","content":[{"type":"text","text":"\u0041\/"}]}]"#;
    assert_eq!(encoded, [r#"{"model":"m","max_tokens":4096,"#, content, "}"].concat());
}

#[test]
fn parts_become_blocks_and_back() {
    let mark = json!({"type": "ephemeral"});
    let blocks = json!([
        {"type": "text", "text": "a", "cache_control": mark},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA/+"}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JV"}, "title": "t"}]);
    let parts = json!([
        {"type": "text", "text": "a", "cache_control": mark},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA/+"}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        {"type": "file", "file": {"filename": "t", "file_data": "data:application/pdf;base64,JV"}}]);
    assert_eq!(decoded_message(json!({"role": "user", "content": blocks}))["content"], parts);
    assert_eq!(encoded_messages(json!([{"role": "user", "content": parts}]))[0]["content"], blocks);
    let plain = json!([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}}]);
    assert_eq!(decoded_message(json!({"role": "user", "content": plain}))["content"][0]["text"], "d");
    let jpg = json!([{"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AA", "detail": "low"}}]);
    let image = encoded_messages(json!([{"role": "user", "content": jpg}]))[0]["content"][0].clone();
    assert_eq!(image["source"]["media_type"], "image/jpeg");
}

#[test]
fn texts_beside_one_another_stay_apart() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let user = json!({"role": "user", "content": [text("a"), text("b")]});
    let assistant = json!({"role": "assistant", "content": "c", "refusal": "d"});
    assert_eq!(
        encoded_messages(json!([user, assistant])),
        json!([{"role": "user", "content": [text("a"), text("b")]}, {"role": "assistant", "content": [text("c"), text("d")]}])
    );
    let mut noted = text("a");
    noted["annotations"] = json!([1]);
    let request = json!({"messages": [{"role": "user", "content": [noted]}]});
    assert_eq!(named(try_encode(&request, "claude-opus-4-6")), "messages[0].content[0].annotations");
}

#[test]
fn tool_calls_and_results_go_both_ways() {
    let request = with(
        ask(),
        "messages",
        json!([
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": "\""}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}, "caller": {"type": "direct"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "4"},
                {"type": "tool_result", "tool_use_id": "b", "is_error": true, "content": [{"type": "text", "text": "no"}]},
                {"type": "text", "text": "Go on."}]}]),
    );
    let neutral = decoded(&request);
    let expected = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":\"\\\"\"}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "4"},
        {"role": "tool", "tool_call_id": "b", "content": "Error: no"},
        {"role": "user", "content": "Go on."}]);
    assert_eq!(neutral["messages"], expected);
    let turns = encoded_messages(neutral["messages"].clone());
    let roles: Vec<_> = turns.as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"], "results and what follows are one turn");
    assert_eq!(turns[1]["content"][1], json!({"type": "tool_use", "id": "a", "name": "f", "input": {"x": "\""}}));
    assert_eq!(turns[2]["content"][0]["tool_use_id"], "a");
    assert_eq!(turns[2]["content"][0]["content"], json!([{"type": "text", "text": "4"}]));
    assert_eq!(turns[2]["content"][2]["text"], "Go on.");
}

#[test]
fn a_failed_result_with_an_image_says_so_first() {
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}});
    let result = json!({"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": [image]});
    let content = decoded_message(json!({"role": "user", "content": [result]}))["content"].clone();
    assert_eq!((&content[0]["text"], &content[1]["type"]), (&json!("Error:"), &json!("image_url")));
    let none = json!({"type": "tool_result", "tool_use_id": "a"});
    assert_eq!(decoded_message(json!({"role": "user", "content": [none]}))["content"], "");
}

#[test]
fn ids_of_other_providers_fit_the_api() {
    let call = json!({"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": ""}});
    let turns = encoded_messages(json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "functions.f:0", "name": "f", "content": ""}]));
    assert_eq!(turns[1]["content"][0]["id"], "functions_f_0");
    assert_eq!(turns[2]["content"][0], json!({"type": "tool_result", "tool_use_id": "functions_f_0"}));
}

#[test]
fn neighbours_of_one_role_are_one_turn_and_instructions_come_first() {
    let request = json!({"messages": [
        {"role": "system", "content": "A"}, {"role": "developer", "content": [{"type": "text", "text": "B"}]},
        {"role": "user", "content": "1"}, {"role": "user", "content": "2"},
        {"role": "assistant", "content": "3"}, {"role": "assistant", "refusal": "4"}]});
    let text = |text: &str| json!({"type": "text", "text": text});
    let expected = json!({"model": "claude-opus-4-5", "max_tokens": 4096, "system": [text("A"), text("B")], "messages": [
        {"role": "user", "content": [text("1"), text("2")]}, {"role": "assistant", "content": [text("3"), text("4")]}]});
    assert_eq!(encoded(&request), expected);
    let late = json!({"messages": [{"role": "user", "content": "1"}, {"role": "system", "content": "A"}]});
    assert_eq!(named(try_encode(&late, "m")), "messages[1].role");
    let later = json!([{"role": "user", "content": "1"}, {"role": "system", "content": "A"}]);
    assert_eq!(decoded(&with(ask(), "messages", later.clone()))["messages"], later);
}

#[test]
fn tools_and_their_choice_go_both_ways() {
    let schema = json!({"type": "object", "properties": {"x": {"type": "number"}}, "additionalProperties": false});
    let tools = json!([{"name": "f", "description": "d", "input_schema": schema, "strict": true}]);
    let functions = json!([{"type": "function",
        "function": {"name": "f", "description": "d", "parameters": schema, "strict": true}}]);
    assert_eq!(decoded(&with(ask(), "tools", tools.clone()))["tools"], functions);
    let request = with(json!({"messages": ask()["messages"]}), "tools", functions);
    assert_eq!(encoded(&request)["tools"], tools);
    for (theirs, ours) in [
        (json!({"type": "auto"}), json!("auto")),
        (json!({"type": "any"}), json!("required")),
        (json!({"type": "none"}), json!("none")),
        (json!({"type": "tool", "name": "f"}), json!({"type": "function", "function": {"name": "f"}})),
    ] {
        assert_eq!(decoded(&with(ask(), "tool_choice", theirs.clone()))["tool_choice"], ours);
        assert_eq!(encoded(&with(request.clone(), "tool_choice", ours))["tool_choice"], theirs);
    }
    let serial = json!({"type": "any", "disable_parallel_tool_use": true});
    assert_eq!(decoded(&with(ask(), "tool_choice", serial))["parallel_tool_calls"], false);
    let choice = encoded(&with(request.clone(), "parallel_tool_calls", json!(false)))["tool_choice"].clone();
    assert_eq!(choice, json!({"type": "auto", "disable_parallel_tool_use": true}));
    let bare = json!([{"type": "function", "function": {"name": "f"}}]);
    assert_eq!(
        encoded(&with(request, "tools", bare))["tools"][0]["input_schema"],
        json!({"type": "object", "properties": {}})
    );
}

#[test]
fn a_schema_for_the_answer_goes_both_ways() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "schema": schema});
    let neutral = json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}});
    assert_eq!(decoded(&with(ask(), "output_format", format.clone()))["response_format"], neutral);
    assert_eq!(decoded(&with(ask(), "output_config", json!({"format": format})))["response_format"], neutral);
    assert_eq!(encoded(&with(ask(), "response_format", neutral))["output_config"], json!({"format": format}));
    let told =
        json!({"type": "json_schema", "json_schema": {"name": "a", "description": "d", "schema": {"type": "array"}}});
    let told = encoded(&with(ask(), "response_format", told))["output_config"]["format"]["schema"].clone();
    assert_eq!(told, json!({"description": "d", "type": "array"}));
    assert_eq!(encoded(&with(ask(), "response_format", json!({"type": "text"}))).get("output_config"), None);
    let loose = with(ask(), "response_format", json!({"type": "json_object"}));
    assert_eq!(named(try_encode(&loose, "m")), "response_format.type");
}

#[test]
fn hints_are_dropped_and_empty_wishes_mean_nothing() {
    let request = json!({"messages": ask()["messages"], "store": true, "metadata": {"a": "b"}, "service_tier": "flex",
        "prompt_cache_key": "k", "safety_identifier": "s", "stream_options": {"include_usage": true}, "n": 1, "seed": null,
        "logprobs": false, "presence_penalty": 0.0, "modalities": ["text"], "user": "u", "stop": "END", "tools": []});
    let mut body = encoded(&request);
    body["messages"].take();
    let expected = json!({"model": "claude-opus-4-5", "max_tokens": 4096, "messages": null, "metadata": {"user_id": "u"}, "stop_sequences": ["END"]});
    assert_eq!(body, expected);
}

#[test]
fn the_same_dialect_keeps_every_text() {
    let body = r#"{"model":"mine","max_tokens":5,"stream":false,"messages":[{"role":"user","content":"\u0041"}],"thinking":{ "type":"adaptive" },"new":[1.50]}"#;
    let outgoing = Outgoing { stream: true, ..outgoing("claude") };
    assert_eq!(
        rewrite_request(&json::fields(body).unwrap(), &outgoing),
        r#"{"model":"claude","max_tokens":4096,"stream":true,"messages":[{"role":"user","content":"\u0041"}],"thinking":{ "type":"adaptive" },"new":[1.50]}"#
    );
}

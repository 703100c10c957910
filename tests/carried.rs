//! Whatever a request says is carried into the other dialect or refused: each field of rich requests is changed, and each
//! object is given one that nobody knows. What comes out must differ, name the change, or be no request at all. The
//! exceptions are the hints that the encoders document.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use serde_json::{Value, json};
use tidegate::chat::Dialect;
use tidegate::error::Result;
use tidegate::json::fields;
use tidegate::provider::{Outgoing, decode_request, encode_request};

type Write<'a> = dyn Fn(&Value) -> Result<String> + 'a;

/// A field that no dialect knows, and what it says.
const UNKNOWN: (&str, &str) = ("some_day", "not yet");

/// Every place of a value, as JSON pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(own) => own.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), out)),
        Value::Array(own) => {
            own.iter().enumerate().for_each(|(index, value)| places(value, &format!("{at}/{index}"), out))
        }
        _ => {}
    }
}

/// What else may stand at a place.
fn others(own: &Value) -> Vec<Value> {
    let mut others = vec![json!([{ UNKNOWN.0: UNKNOWN.1 }])];
    others.extend(match own {
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert(UNKNOWN.0.into(), UNKNOWN.1.into());
            Some(Value::Object(more))
        }
        Value::Array(items) => Some(items.iter().skip(1).cloned().collect()),
        Value::String(text) => Some(json!(format!("{text} or so"))),
        Value::Number(number) => Some(json!(number.as_f64().unwrap() + 1.0)),
        Value::Bool(flag) => Some(json!(!flag)),
        Value::Null => None,
    });
    others
}

/// Nothing may be lost but below `hints`.
fn nothing_is_lost(request: &Value, hints: &[&str], write: &Write<'_>) {
    let base = write(request).unwrap();
    let mut all = Vec::new();
    places(request, "", &mut all);
    for hint in hints {
        assert!(all.iter().any(|at| at == hint), "{hint} is in no request");
    }
    let is_hint = |at: &String| {
        hints.iter().any(|hint| at.strip_prefix(hint).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    for at in all.iter().filter(|at| !is_hint(at)) {
        for other in others(request.pointer(at).unwrap()) {
            let mut changed = request.clone();
            *changed.pointer_mut(at).unwrap() = other.clone();
            let Ok(written) = write(&changed) else { continue };
            assert_ne!(written, base, "{at} is lost when it is {other}");
            let adds = request.pointer(at).unwrap().is_object() && other.is_object();
            assert!(!adds || written.contains(UNKNOWN.1), "{at} loses {other}");
        }
    }
}

fn to(dialect: Dialect, provider: &str, model: &str, request: &Value) -> Result<String> {
    let text = request.to_string();
    let outgoing = Outgoing { provider, model, max_output_tokens: 5_000, stream: false, relayed: false, most: None };
    encode_request(dialect, &fields(&text)?, &outgoing)
}

fn from(dialect: Dialect, request: &Value) -> Result<String> {
    decode_request(dialect, &request.to_string(), Some("m"), false)
}

/// A neutral request with what all dialects have, and more.
fn neutral(more: &Value) -> Value {
    let mut request = json!({
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}]},
            {"role": "assistant", "content": "Let me see.", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "A"}], "refusal": "no"},
            {"role": "user", "content": "Go on."}],
        "tools": [{"type": "function", "function": {
            "name": "f", "description": "d", "strict": true,
            "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "temperature": 0.5, "top_p": 0.9,
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "n", "description": "what", "strict": true,
            "schema": {"type": "object", "additionalProperties": false}}}
    });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

const SCHEMA_NAME: &str = "/response_format/json_schema/name";
const SCHEMA_STRICT: &str = "/response_format/json_schema/strict";

fn few(more: &Value) -> Value {
    let mut request = json!({"messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "function", "function": {"name": "f"}}]});
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn allowed() -> Value {
    json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}})
}

#[test]
fn a_neutral_request_for_a_compatible_server() {
    let more = json!({"seed": 1, "n": 2, "stop": ["x"], "logprobs": false, "logit_bias": {"1": 2}, "prediction": {}});
    nothing_is_lost(&neutral(&more), &[], &|request| to(Dialect::Chat, "mine", "m", request));
}

#[test]
fn a_neutral_request_for_anthropic() {
    let write = |request: &Value| to(Dialect::Anthropic, "anthropic", "claude-opus-4-7", request);
    let drawn = |request: &Value| to(Dialect::Anthropic, "anthropic", "claude-sonnet-4-6", request);
    // All schemas are strict there, and have no names; the provider decides how closely it looks at an image.
    let hints = [SCHEMA_NAME, SCHEMA_STRICT, "/messages/1/content/1/image_url/detail"];
    for other in ["temperature", "top_p"] {
        let more = json!({"top_k": 3, "stop": ["x", "y"], "parallel_tool_calls": false, "user": "u", other: null});
        nothing_is_lost(&neutral(&more), &hints, &drawn);
    }
    nothing_is_lost(&few(&json!({"reasoning": {"effort": "low"}, "tool_choice": "auto"})), &[], &write);
    let text = few(&json!({"response_format": {"type": "text"}}));
    nothing_is_lost(&text, &[], &write);
    let file = json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"}});
    let seen = json!({"role": "tool", "tool_call_id": "c", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]});
    let messages = json!({"messages": [{"role": "user", "content": [file]}, seen]});
    nothing_is_lost(&few(&messages), &[], &write);
}

#[test]
fn a_neutral_request_for_responses() {
    let write = |request: &Value| to(Dialect::Responses, "openai", "gpt-4.1", request);
    let reasoning = |request: &Value| to(Dialect::Responses, "openai", "gpt-5", request);
    let more =
        json!({"parallel_tool_calls": false, "user": "u", "metadata": {"a": "b"}, "verbosity": "low", "store": true});
    nothing_is_lost(&neutral(&more), &["/metadata"], &write);
    nothing_is_lost(&few(&json!({"reasoning_effort": "low"})), &[], &reasoning);
    let parts = json!([
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"}},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]);
    let more = json!({"messages": [{"role": "user", "content": parts}], "tool_choice": allowed(), "reasoning": {"max_tokens": 1024, "summary": "auto"}});
    nothing_is_lost(&few(&more), &[], &reasoning);
    nothing_is_lost(&few(&json!({"response_format": {"type": "json_object"}})), &[], &write);
}

#[test]
fn a_neutral_request_for_gemini() {
    let write = |request: &Value| to(Dialect::Google, "google", "gemini-3-pro", request);
    let more = json!({"top_k": 3, "stop": ["x", "y"], "seed": 4, "reasoning": {"effort": "low"}});
    // What must be called is held to its schema anyway.
    let hints = [SCHEMA_NAME, SCHEMA_STRICT, "/tools/0/function/strict"];
    nothing_is_lost(&neutral(&more), &hints, &write);
    let older = |request: &Value| to(Dialect::Google, "google", "gemini-2.0-flash", request);
    let more = json!({"n": 2, "presence_penalty": 0.5, "frequency_penalty": 0.5});
    nothing_is_lost(&few(&more), &[], &older);
    let parts = json!([
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"}},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]);
    let more = json!({"messages": [{"role": "user", "content": parts}], "tool_choice": allowed(), "response_format": {"type": "json_object"}});
    nothing_is_lost(&few(&more), &["/messages/0/content/0/file/filename"], &write);
}

#[test]
fn a_request_in_the_dialect_of_responses() {
    let request = json!({
        "model": "m", "instructions": "Be brief.",
        "input": [
            {"type": "message", "role": "developer", "content": "In English."},
            {"role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "one"}]},
            {"role": "user", "content": "Go on."}],
        "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 55, "parallel_tool_calls": false, "stream": true,
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "description": "what", "strict": true,
            "schema": {"type": "object", "additionalProperties": false}}},
        "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "truncation": "disabled"
    });
    // Encrypted reasoning comes unasked where there is any; summaries and reasoning texts are one.
    let hints = ["/include", "/input/2/summary/0/type"];
    nothing_is_lost(&request, &hints, &|request| from(Dialect::Responses, request));
}

#[test]
fn a_request_in_the_dialect_of_anthropic() {
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}});
    let request = json!({
        "model": "m", "max_tokens": 5000, "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "In English."}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                image,
                {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
                {"type": "document", "title": "t", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Read me."}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "redacted_thinking", "data": "r"},
                {"type": "text", "text": "A"},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "one"}, image], "is_error": true},
                {"type": "text", "text": "Go on."}]}],
        "tools": [{"type": "custom", "name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop_sequences": ["x", "y"], "stream": true,
        "thinking": {"type": "enabled", "budget_tokens": 2000}, "metadata": {"user_id": "u"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}
    });
    nothing_is_lost(&request, &["/metadata"], &|request| from(Dialect::Anthropic, request));
}

#[test]
fn a_request_in_the_dialect_of_gemini() {
    let request = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "In English."}]},
        "contents": [
            {"role": "user", "parts": [
                {"text": "What is this?"},
                {"inlineData": {"mimeType": "image/png", "data": "AA"}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b.png"}},
                {"inlineData": {"mimeType": "application/pdf", "data": "AA", "displayName": "d.pdf"}},
                {"inlineData": {"mimeType": "audio/wav", "data": "AA"}}]},
            {"role": "model", "parts": [
                {"text": "hm", "thought": true, "thoughtSignature": "s1"},
                {"text": "A", "thoughtSignature": "s0"},
                {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "s2"}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": {"r": 1}}}, {"text": "Go on."}]}],
        "tools": [{"functionDeclarations": [
            {"name": "f", "description": "d", "parameters": {"type": "OBJECT", "nullable": true, "required": ["a"], "properties": {
                "a": {"type": "STRING", "format": "x", "enum": ["a", "b"]},
                "b": {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "1"}}}},
            {"name": "g", "parametersJsonSchema": {"type": "object"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}},
        "generationConfig": {
            "temperature": 0.5, "topP": 0.9, "topK": 4, "candidateCount": 2, "maxOutputTokens": 50, "stopSequences": ["x", "y"],
            "seed": 4, "presencePenalty": 0.5, "frequencyPenalty": 0.5, "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT"}, "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": true},
            "mediaResolution": "MEDIA_RESOLUTION_LOW"},
        "safetySettings": [{"category": "c", "threshold": "t"}]
    });
    // An image's bytes tell what it is; a result finds its call by its id, else by its function's name.
    let hints = [
        "/contents/0/parts/2/fileData/mimeType",
        "/contents/2/parts/0/functionResponse/id",
        "/contents/2/parts/0/functionResponse/name",
    ];
    nothing_is_lost(&request, &hints, &|request| from(Dialect::Google, request));
}

//! Providers, and what each answers.

use serde_json::{Value, json};
use tidegate::chat::Dialect;

pub(super) struct Provider {
    pub id: &'static str,
    pub model: &'static str,
    pub dialect: Dialect,
}

const fn provider(id: &'static str, model: &'static str, dialect: Dialect) -> Provider {
    Provider { id, model, dialect }
}

pub(super) const PROVIDERS: [Provider; 13] = [
    provider("openai", "gpt-5", Dialect::Responses),
    provider("anthropic", "claude-haiku-4-5", Dialect::Anthropic),
    provider("anthropic", "claude-opus-4-7", Dialect::Anthropic),
    provider("google", "gemini-3-pro-preview", Dialect::Google),
    provider("google", "gemini-2.5-flash", Dialect::Google),
    provider("openai", "gpt-5-mini", Dialect::Chat),
    provider("groq", "openai/gpt-oss-20b", Dialect::Chat),
    provider("groq", "llama-3.3-70b-versatile", Dialect::Chat),
    provider("deepseek", "deepseek-v4-pro", Dialect::Chat),
    provider("mistral", "mistral-large-latest", Dialect::Chat),
    provider("openrouter", "anthropic/claude-opus-4-7", Dialect::Chat),
    provider("xai", "grok-4", Dialect::Chat),
    provider("vllm", "qwen", Dialect::Chat),
];

/// What an answer has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub reasons: bool,
    /// 0: none, 1: white space, else a text.
    pub text: u8,
    pub calls: u8,
    /// Reasoning once more before the calls; a text after them.
    pub mixed: bool,
}

/// The answer of a provider, in its own dialect, and what it signed. `at` makes it another each time.
pub(super) fn answer(provider: &Provider, shape: Shape, at: usize) -> (Value, Vec<String>) {
    let mut shape = shape;
    if shape.calls == 0 {
        shape.text = 2;
    }
    let text = match shape.text {
        0 => None,
        1 => Some("\n\n".to_owned()),
        _ => Some(format!("Answer {at}.")),
    };
    match provider.dialect {
        Dialect::Chat => chat(provider, shape, text, at),
        Dialect::Responses => responses(shape, text, at),
        Dialect::Anthropic => anthropic(shape, text, at),
        Dialect::Google => google(shape, text, at),
    }
}

fn chat(provider: &Provider, shape: Shape, text: Option<String>, at: usize) -> (Value, Vec<String>) {
    let call = |index: u8| {
        let id = match provider.id {
            "vllm" => format!("chatcmpl-tool-{at:0>30}{index:0>2}"),
            "mistral" => format!("Ab{at:0>5}{index:0>2}"),
            _ => format!("call_{at}x{index}"),
        };
        json!({"id": id, "type": "function", "function": {"name": "f", "arguments": format!("{{\"at\":{index}}}")}})
    };
    let mut message = json!({"role": "assistant", "content": text});
    let (mut signed, thought) = (Vec::new(), format!("Thought {at}."));
    match provider.id {
        "openai" => {
            message["refusal"] = Value::Null;
            message["annotations"] = json!([]);
        }
        "groq" if provider.model.contains("gpt-oss") && shape.reasons => message["reasoning"] = json!(thought),
        "deepseek" | "xai" | "vllm" if shape.reasons => message["reasoning_content"] = json!(thought),
        "openrouter" if shape.reasons => {
            let signature = format!("ANT{at}=");
            message["reasoning"] = json!(thought);
            message["reasoning_details"] = json!([{"type": "reasoning.text", "text": thought, "signature": signature, "format": "anthropic-claude-v1", "index": 0}]);
            signed.push(signature);
        }
        _ => {}
    }
    if shape.calls > 0 {
        message["tool_calls"] = (0..shape.calls).map(call).collect();
    }
    let reason = if shape.calls > 0 { "tool_calls" } else { "stop" };
    let choice = json!({"index": 0, "message": message, "finish_reason": reason});
    (
        json!({"id": format!("chatcmpl-{at}"), "object": "chat.completion", "created": 1, "model": provider.model, "choices": [choice]}),
        signed,
    )
}

fn responses(shape: Shape, text: Option<String>, at: usize) -> (Value, Vec<String>) {
    let (mut output, mut signed) = (Vec::new(), Vec::new());
    let mut reason = |output: &mut Vec<Value>, part: &str| {
        let encrypted = format!("OAI{at}{part}=");
        output.push(json!({"type": "reasoning", "id": format!("rs_{at:0>20}{part}"), "summary": [], "encrypted_content": encrypted}));
        signed.push(encrypted);
    };
    if shape.reasons {
        reason(&mut output, "a");
    }
    if let Some(text) = text {
        output.push(json!({"type": "message", "id": format!("msg_{at}"), "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]}));
        if shape.mixed && shape.reasons && shape.calls > 0 {
            reason(&mut output, "b");
        }
    }
    for index in 0..shape.calls {
        output.push(json!({"type": "function_call", "id": format!("fc_{at}{index}"), "status": "completed",
            "call_id": format!("call_r{at}x{index}"), "name": "f", "arguments": format!("{{\"at\":{index}}}")}));
    }
    let body = json!({"id": format!("resp_{at}"), "object": "response", "created_at": 1, "model": "gpt-5", "status": "completed",
        "error": null, "incomplete_details": null, "output": output});
    (body, signed)
}

fn anthropic(shape: Shape, text: Option<String>, at: usize) -> (Value, Vec<String>) {
    let (mut content, mut signed) = (Vec::new(), Vec::new());
    let mut think = |content: &mut Vec<Value>, part: &str| {
        let signature = format!("ANT{at}{part}=");
        content.push(json!({"type": "thinking", "thinking": format!("Thought {at}{part}."), "signature": signature}));
        signed.push(signature);
    };
    if shape.reasons {
        think(&mut content, "a");
        if shape.mixed {
            content.push(json!({"type": "redacted_thinking", "data": format!("ANTr{at}=")}));
        }
    }
    // The API writes no text that it would not take.
    if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
        content.push(json!({"type": "text", "text": text}));
    }
    for index in 0..shape.calls {
        content.push(
            json!({"type": "tool_use", "id": format!("toolu_{at}x{index}"), "name": "f", "input": {"at": index}}),
        );
    }
    let reason = if shape.calls > 0 { "tool_use" } else { "end_turn" };
    let body = json!({"id": format!("msg_{at}"), "type": "message", "role": "assistant", "model": "claude", "content": content,
        "stop_reason": reason, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
    if shape.reasons && shape.mixed {
        signed.push(format!("ANTr{at}="));
    }
    (body, signed)
}

fn google(shape: Shape, text: Option<String>, at: usize) -> (Value, Vec<String>) {
    let mut parts = Vec::new();
    let signature = format!("GEM{at}=");
    if shape.reasons {
        parts.push(json!({"text": format!("Thought {at}."), "thought": true}));
    }
    if let Some(text) = text {
        parts.push(json!({"text": text}));
    }
    for index in 0..shape.calls {
        let mut part = json!({"functionCall": {"name": "f", "args": {"at": index}}});
        if shape.mixed {
            part["functionCall"]["id"] = json!(format!("g{at}x{index}"));
        }
        parts.push(part);
    }
    let first = parts.iter().position(|part| part.get("functionCall").is_some());
    match first {
        // Seen in streams: the signature of a call in a part of its own, behind it.
        Some(_) if shape.mixed && shape.text == 1 => parts.push(json!({"text": "", "thoughtSignature": signature})),
        Some(place) => parts[place]["thoughtSignature"] = json!(signature),
        None if shape.mixed => parts.push(json!({"text": "", "thoughtSignature": signature})),
        None => parts.last_mut().unwrap()["thoughtSignature"] = json!(signature),
    }
    let body = json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1}, "modelVersion": "gemini", "responseId": format!("r{at}")});
    (body, vec![signature])
}

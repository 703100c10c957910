//! What each provider refuses of a conversation, as its documentation and its errors say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::providers::Provider;
use tidegate::chat::Dialect;

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Why the provider would answer 400; `None` if it would not.
pub(super) fn refusal(provider: &Provider, body: &Value) -> Option<String> {
    match provider.dialect {
        Dialect::Chat => chat(provider, list(body, "messages")),
        Dialect::Responses => responses(list(body, "input")),
        Dialect::Anthropic => anthropic(body),
        Dialect::Google => google(provider.model, list(body, "contents")),
    }
}

macro_rules! need {
    ($fine:expr, $($told:tt)*) => {
        if !$fine {
            return Some(format!($($told)*));
        }
    };
}

fn chat(provider: &Provider, messages: &[Value]) -> Option<String> {
    let mut waiting: Vec<&str> = Vec::new();
    let mut ids = BTreeSet::new();
    let called = messages.iter().any(|message| message.get("tool_calls").is_some_and(|calls| !calls.is_null()));
    for (at, message) in messages.iter().enumerate() {
        let role = word(message, "role");
        need!(waiting.is_empty() || role == "tool", "{at}: calls without results: {waiting:?}");
        match role {
            "tool" => {
                let id = word(message, "tool_call_id");
                let place = waiting.iter().position(|own| *own == id);
                need!(place.is_some(), "{at}: a result without its call: {id}");
                waiting.remove(place.unwrap());
            }
            "assistant" => {
                let calls = list(message, "tool_calls");
                let empty = message["content"].is_null() || message["content"] == "";
                need!(!empty || !calls.is_empty() || message["refusal"].is_string(), "{at}: says nothing: {message}");
                for call in calls {
                    let id = word(call, "id");
                    need!(ids.insert(id), "{at}: an id twice: {id}");
                    need!(call["function"]["arguments"].is_string(), "{at}: arguments");
                    waiting.push(id);
                }
                if let Some(told) = fields(provider, message, called) {
                    return Some(format!("{at}: {told}"));
                }
            }
            _ => {}
        }
    }
    need!(waiting.is_empty(), "calls without results: {waiting:?}");
    None
}

fn fields(provider: &Provider, message: &Value, called: bool) -> Option<String> {
    let strict = matches!(provider.id, "groq" | "mistral");
    for (name, _) in message.as_object().unwrap() {
        let known = matches!(name.as_str(), "role" | "content" | "tool_calls" | "name")
            || (provider.id == "groq" && name == "reasoning" && provider.model.contains("gpt-oss"));
        need!(!strict || known, "property '{name}' is unsupported");
    }
    let thought = message["reasoning_content"].is_string();
    need!(provider.id != "deepseek" || !called || thought, "reasoning_content must be passed back");
    for call in list(message, "tool_calls") {
        let id = word(call, "id");
        need!(!strict || call.get("extra_content").is_none(), "property 'extra_content' is unsupported");
        let plain = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        need!(provider.id != "mistral" || plain, "tool call id was {id}");
        need!(provider.id != "openai" || id.len() <= 40, "id: string too long");
    }
    None
}

fn responses(items: &[Value]) -> Option<String> {
    let (mut waiting, mut ids, mut reasoned) = (BTreeSet::new(), BTreeSet::new(), false);
    for (at, item) in items.iter().enumerate() {
        if let Some(id) = item.get("id").and_then(Value::as_str) {
            let prefix = match word(item, "type") {
                "reasoning" => "rs_",
                "function_call" => "fc_",
                _ => "msg_",
            };
            let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            need!(id.starts_with(prefix) && id.len() <= 64 && plain, "{at}: id {id}");
            need!(ids.insert(id), "{at}: an id twice: {id}");
        }
        match word(item, "type") {
            "reasoning" => {
                need!(word(item, "encrypted_content").starts_with("OAI"), "{at}: invalid_encrypted_content: {item}");
                reasoned = true;
                continue;
            }
            "function_call" => {
                let id = word(item, "call_id");
                need!(!id.is_empty() && id.len() <= 64 && waiting.insert(id), "{at}: call_id {id}");
                need!(item["arguments"].is_string(), "{at}: arguments");
            }
            "function_call_output" => {
                need!(waiting.remove(word(item, "call_id")), "{at}: no call for this output");
                need!(!reasoned, "{at}: reasoning without its item");
            }
            _ => need!(word(item, "role") == "assistant" || !reasoned, "{at}: reasoning without its item"),
        }
        reasoned = false;
    }
    need!(waiting.is_empty() && !reasoned, "no output for {waiting:?}");
    None
}

fn anthropic(body: &Value) -> Option<String> {
    let messages = list(body, "messages");
    let (mut waiting, mut ids) = (Vec::new(), BTreeSet::new());
    // Whether the turn begins with thinking, and whether its tools go on.
    let (mut thought, mut open) = (None, false);
    for (at, message) in messages.iter().enumerate() {
        let blocks = list(message, "content");
        let plain = word(message, "content");
        need!(!blocks.is_empty() || !plain.trim().is_empty(), "{at}: empty content");
        for block in blocks.iter().filter(|block| block["type"] == "text") {
            need!(!word(block, "text").trim().is_empty(), "{at}: text must contain non-whitespace text");
        }
        if message["role"] == "user" {
            let results: Vec<_> = blocks.iter().take_while(|block| block["type"] == "tool_result").collect();
            let others = blocks.get(results.len()..).unwrap();
            need!(others.iter().all(|block| block["type"] != "tool_result"), "{at}: results come first");
            open = !results.is_empty();
            for result in results {
                let place = waiting.iter().position(|id| *id == word(result, "tool_use_id"));
                need!(place.is_some(), "{at}: unexpected tool_use_id");
                waiting.remove(place.unwrap());
            }
            need!(waiting.is_empty(), "{at}: tool_use without tool_result: {waiting:?}");
            if !open {
                thought = None;
            }
            continue;
        }
        need!(waiting.is_empty(), "{at}: tool_use without tool_result");
        thought.get_or_insert(blocks.first().is_some_and(|block| word(block, "type").contains("thinking")));
        open = false;
        for block in blocks {
            match word(block, "type") {
                "thinking" => need!(word(block, "signature").starts_with("ANT"), "{at}: invalid signature: {block}"),
                "redacted_thinking" => need!(word(block, "data").starts_with("ANT"), "{at}: invalid data: {block}"),
                "tool_use" => {
                    let id = word(block, "id");
                    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
                    need!(plain && !id.is_empty(), "{at}: id {id}");
                    need!(ids.insert(id), "{at}: `tool_use` ids must be unique: {id}");
                    need!(block["input"].is_object(), "{at}: input");
                    waiting.push(id);
                }
                _ => {}
            }
        }
    }
    let budget = body["thinking"]["type"] == "enabled";
    need!(!(budget && open && thought == Some(false)), "expected `thinking`, but found `tool_use`");
    need!(waiting.is_empty() && messages.last().is_some_and(|last| last["role"] == "user"), "the end");
    None
}

fn google(model: &str, contents: &[Value]) -> Option<String> {
    let mut waiting = 0;
    let question = |content: &Value| {
        content["role"] != "model" && list(content, "parts").iter().any(|part| part.get("functionResponse").is_none())
    };
    let current = contents.iter().rposition(question).unwrap_or(0);
    for (at, content) in contents.iter().enumerate() {
        let parts = list(content, "parts");
        need!(!parts.is_empty(), "{at}: must include at least one parts field");
        let count = |name: &str| parts.iter().filter(|part| part.get(name).is_some_and(|own| !own.is_null())).count();
        let (calls, results) = (count("functionCall"), count("functionResponse"));
        need!(results == waiting, "{at}: {results} function responses for {waiting} function calls");
        waiting = calls;
        if content["role"] != "model" {
            continue;
        }
        need!(at > 0, "a call comes after a user's turn");
        need!(calls == 0 || contents[at - 1]["role"] != "model", "{at}: a call comes after a user's turn");
        for part in parts {
            let signature = word(part, "thoughtSignature");
            let own = signature.starts_with("GEM") || signature == "skip_thought_signature_validator";
            need!(signature.is_empty() || own, "{at}: corrupted thought signature: {signature}");
        }
        let first = parts.iter().find(|part| part.get("functionCall").is_some());
        // Or behind it, as streams have it at times.
        let behind = parts.last().is_some_and(|part| part["text"] == "" && part["thoughtSignature"].is_string());
        let signed = behind || first.is_none_or(|part| part["thoughtSignature"].is_string());
        need!(at < current || signed || !model.contains("gemini-3"), "{at}: missing a thought_signature: {content}");
    }
    need!(waiting == 0, "no responses for {waiting} calls");
    None
}

/// What a provider's model said, piece by piece, but for white space: of its answer, or of a request that brings it back.
/// Nothing for the dialect that has no order.
pub(super) fn pieces(dialect: Dialect, body: &Value) -> Vec<String> {
    let of = |parts: &[Value]| -> Vec<String> { parts.iter().flat_map(|part| piece(dialect, part)).collect() };
    match dialect {
        Dialect::Chat => Vec::new(),
        Dialect::Responses if body.get("output").is_some() => of(list(body, "output")),
        Dialect::Responses => of(list(body, "input")),
        Dialect::Anthropic if body.get("content").is_some() => of(list(body, "content")),
        Dialect::Anthropic => list(body, "messages").iter().flat_map(|message| of(list(message, "content"))).collect(),
        Dialect::Google if body.get("candidates").is_some() => of(list(&body["candidates"][0]["content"], "parts")),
        Dialect::Google => list(body, "contents").iter().flat_map(|content| of(list(content, "parts"))).collect(),
    }
}

fn piece(dialect: Dialect, part: &Value) -> Vec<String> {
    let signature = word(part, "thoughtSignature");
    match (dialect, word(part, "type")) {
        (Dialect::Google, _) if part.get("functionCall").is_some() => {
            let signature = signature.strip_prefix("skip_thought_signature_validator").unwrap_or(signature);
            vec![format!("call {} {signature}", part["functionCall"]["args"])]
        }
        (Dialect::Google, _) => {
            // A text may have its signature in a part of its own (as streams have it).
            let text = Some(format!("text {}", part["text"])).filter(|_| !word(part, "text").trim().is_empty());
            let signature = Some(format!("signature {signature}")).filter(|_| !signature.is_empty());
            text.into_iter().chain(signature).collect()
        }
        (_, "reasoning") => vec![word(part, "encrypted_content").into()],
        (_, "thinking") => vec![format!("{} {}", part["thinking"], part["signature"])],
        (_, "redacted_thinking") => vec![part["data"].to_string()],
        (_, "text") if !word(part, "text").trim().is_empty() => vec![part["text"].to_string()],
        (_, "message") if !word(&part["content"][0], "text").trim().is_empty() => {
            vec![part["content"][0]["text"].to_string()]
        }
        (_, "tool_use") => vec![part["id"].to_string()],
        (_, "function_call") => vec![part["call_id"].to_string()],
        _ => Vec::new(),
    }
}

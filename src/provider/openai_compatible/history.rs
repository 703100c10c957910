//! What the model said earlier, as a provider takes it back.
//!
//! A conversation is answered by one provider after another: a fallback, or another choice of the app's. Clients send
//! each answer back as it came, and some providers refuse fields of others' answers, or want one that others' lack.

use super::request::{push_items, push_without};
use crate::json::{self, Escaped, Fields, Raw, push_text};
use crate::provider::Outgoing;
use crate::provider::catalogue::{History, history};
use crate::text::contains;

/// What is in the names of Groq's models that reason: the others refuse `reasoning` (console.groq.com/docs/reasoning).
const REASONING: [&str; 2] = ["gpt-oss", "qwen"];

/// The messages as `outgoing`'s provider takes them; `None` if they may stay as they are.
pub(super) fn rewritten(messages: Raw<'_>, outgoing: &Outgoing<'_>) -> Option<String> {
    // Reasoning and refusals, and calls: `extra_content` stands in them, `annotations` beside a refusal. And cache marks. What
    // only looks like it is written as it was.
    let found = ["\"re", "\"tool_call", MARK].iter().any(|name| contains(messages.get(), name));
    found.then(|| anew(messages, outgoing)).flatten()
}

/// A cache mark: a hint that Anthropic's models and gateways read, on a message, on a part of one or on a call.
const MARK: &str = "\"cache_control\"";

fn anew(messages: Raw<'_>, outgoing: &Outgoing<'_>) -> Option<String> {
    let own = history(outgoing.provider);
    // "property 'cache_control' is unsupported", "Unknown parameter: 'messages[0].content[0].cache_control'".
    let unmarked = (own.unmarked && contains(messages.get(), MARK)).then(|| plain(messages));
    let messages = json::items(unmarked.as_deref().unwrap_or(messages.get())).ok()?;
    let called = messages.iter().any(|message| given(&read(*message), "tool_calls").is_some());
    let thought = match own.thought {
        "reasoning" if !REASONING.iter().any(|name| contains(outgoing.model, name)) => "",
        "reasoning_content" if !called => "",
        name => name,
    };
    let mut out = String::from("[");
    for message in messages {
        if out.len() > 1 {
            out.push(',');
        }
        let fields = read(message);
        match given(&fields, "role").and_then(json::text).as_deref() {
            Some("assistant") => answer(&fields, &History { thought, ..own }, &mut out),
            Some("tool") => with_id(message, "tool_call_id", own.id, &mut out),
            _ => out.push_str(message.get()),
        }
    }
    out.push(']');
    Some(out)
}

/// The messages without cache marks.
fn plain(messages: Raw<'_>) -> String {
    let mut out = String::from("[");
    for message in json::items(messages.get()).unwrap_or_default() {
        if out.len() > 1 {
            out.push(',');
        }
        push_without(&mut out, message, &["cache_control"], &mut |name, value, out| {
            let is_list = matches!(name, "content" | "tool_calls") && value.get().starts_with('[');
            if is_list {
                push_items(out, value, &["cache_control"]);
            }
            is_list
        });
    }
    out.push(']');
    out
}

/// What no provider but its own reads in a message; the reasoning is looked at apart.
const FOREIGN: [&str; 4] = ["reasoning", "reasoning_content", "reasoning_details", "extra_content"];

/// A message of the model.
fn answer(fields: &Fields<'_>, own: &History, out: &mut String) {
    let (is_strict, thought) = (own.strict, own.thought);
    let text = |name: &str| given(fields, name).and_then(Escaped::of).filter(|text| !text.is_empty());
    // What it said in refusing is what it said.
    let refusal = given(fields, "refusal").filter(|raw| raw.get() != "\"\"");
    let content = given(fields, "content").filter(|raw| !matches!(raw.get(), "\"\"" | "[]"));
    out.push_str("{\"role\":\"assistant\"");
    for (name, raw) in fields.iter().filter(|(name, _)| *name != "role") {
        match (name, refusal) {
            ("tool_calls", _) if raw.get() != "null" => calls(raw, own.id, out),
            ("content", Some(_)) if is_strict && content.is_none() => {}
            // Two texts of which there is room for one.
            ("refusal", Some(_)) if is_strict && content.is_some() => field(out, name, raw.get()),
            ("refusal", Some(refusal)) if is_strict => field(out, "content", refusal.get()),
            ("tool_calls", _) => {}
            ("refusal" | "annotations", _) if is_strict => {}
            _ if FOREIGN.contains(&name) => {}
            _ => field(out, name, raw.get()),
        }
    }
    let said = text("reasoning_content").or_else(|| text("reasoning"));
    match (said, thought) {
        (_, "") => {}
        (Some(said), _) => field(out, thought, &["\"", said.get(), "\""].concat()),
        // Another provider's answer has none, and the field must be there.
        (None, "reasoning_content") => field(out, thought, "\"\""),
        (None, _) => {}
    }
    out.push('}');
}

/// Calls without what another provider signed them with.
fn calls(raw: Raw<'_>, most: u8, out: &mut String) {
    let mut list = String::new();
    for call in json::items(raw.get()).unwrap_or_default() {
        list.push(if list.is_empty() { '[' } else { ',' });
        with_id(call, "id", most, &mut list);
    }
    list.push_str(if list.is_empty() { "[]" } else { "]" });
    field(out, "tool_calls", &list);
}

/// A call or a result with the id of the call as the provider takes it.
fn with_id(object: Raw<'_>, name: &str, most: u8, out: &mut String) {
    let fields = read(object);
    let id = given(&fields, name).and_then(json::text).and_then(|id| fitting(&id, most));
    if id.is_none() && fields.field("extra_content").is_none() {
        return out.push_str(object.get());
    }
    let mut own = String::new();
    for (other, raw) in fields.iter().filter(|(name, _)| *name != "extra_content") {
        match &id {
            Some(id) if other == name => field(&mut own, name, &["\"", id, "\""].concat()),
            _ => field(&mut own, other, raw.get()),
        }
    }
    out.push('{');
    out.push_str(own.get(1..).unwrap_or_default());
    out.push('}');
}

/// A short id for a call whose own does not fit: nine letters and digits, the same for the same and others for others.
/// `most`: how long it may be; 9: it must be so long, and of letters and digits; 0: any will do.
pub(in crate::provider) fn fitting(id: &str, most: u8) -> Option<String> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let fits = match most {
        0 => true,
        9 => id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        most => id.len() <= usize::from(most),
    };
    if fits {
        return None;
    }
    // FNV-1a: ids are no secrets, and of one conversation.
    let mut hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut out = String::with_capacity(9);
    for _ in 0..9 {
        let digit = usize::try_from(hash % 62).ok().and_then(|place| DIGITS.get(place));
        out.push(char::from(digit.copied().unwrap_or(b'0')));
        hash /= 62;
    }
    Some(out)
}

fn read(object: Raw<'_>) -> Fields<'_> {
    json::fields(object.get()).unwrap_or_default()
}

fn given<'a>(fields: &Fields<'a>, name: &str) -> Option<Raw<'a>> {
    fields.field(name).filter(|raw| raw.get() != "null")
}

fn field(out: &mut String, name: &str, value: &str) {
    out.push(',');
    push_text(out, name);
    out.push(':');
    out.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::quirks;

    /// The messages of a conversation, of which one more than the person's is `said`.
    fn sent(provider: &str, model: &str, said: &str) -> String {
        let messages = format!(r#"[{{"role":"user","content":"hi"}},{said}]"#);
        let list = json::fields(&format!(r#"{{"messages":{messages}}}"#))
            .map(|fields| {
                let outgoing =
                    Outgoing { provider, model, max_output_tokens: 9, stream: false, relayed: false, most: None };
                quirks(provider).particular.then(|| rewritten(fields.field("messages").unwrap(), &outgoing)).flatten()
            })
            .unwrap();
        let list = list.unwrap_or(messages);
        list.strip_prefix(r#"[{"role":"user","content":"hi"},"#).unwrap().strip_suffix(']').unwrap().into()
    }

    #[test]
    fn what_strict_providers_refuse_is_taken_out() {
        let openai = r#"{"role":"assistant","content":"a","refusal":null,"annotations":[]}"#;
        let gemini = r#"{"role":"assistant","content":null,"reasoning":"hm","reasoning_details":[{}],"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{}}},{"id":"2"}]}"#;
        let refused = r#"{"role":"assistant","content":null,"refusal":"no","name":"x"}"#;
        for (provider, model) in [("groq", "llama-3.3-70b-versatile"), ("mistral", "mistral-large-latest")] {
            let gemini =
                gemini.replace(r#""id":"1""#, r#""id":"abcdefghi""#).replace(r#""id":"2""#, r#""id":"ABCDEFGH9""#);
            let gemini = gemini.as_str();
            assert_eq!(sent(provider, model, openai), r#"{"role":"assistant","content":"a"}"#);
            assert_eq!(
                sent(provider, model, gemini),
                r#"{"role":"assistant","content":null,"tool_calls":[{"id":"abcdefghi","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"ABCDEFGH9"}]}"#
            );
            assert_eq!(sent(provider, model, refused), r#"{"role":"assistant","content":"no","name":"x"}"#);
            let plain = r#"{"role":"assistant", "content":"a" }"#;
            assert_eq!(sent(provider, model, plain), plain, "what needs no change keeps its bytes");
        }
        for provider in ["openrouter", "xai", "google", "mine"] {
            assert_eq!(sent(provider, "m", gemini), gemini, "{provider}");
        }
    }

    #[test]
    fn cache_marks_stay_with_those_who_read_them() {
        let own = r#"{"type":"ephemeral"}"#;
        let parts = format!(
            r#"{{"role":"user","content":[{{"type":"text","text":"a","cache_control":{own}}},"b"],"cache_control":{own}}}"#
        );
        let text = format!(r#"{{"role":"system","content":"say \"cache_control\"","cache_control":{own}}}"#);
        let call = format!(
            r#"{{"role":"assistant","content":null,"tool_calls":[{{"id":"abcdefghi","cache_control":{own}}}]}}"#
        );
        for provider in ["openai", "groq", "mistral"] {
            assert_eq!(
                sent(provider, "m", &call),
                r#"{"role":"assistant","content":null,"tool_calls":[{"id":"abcdefghi"}]}"#
            );
            assert_eq!(sent(provider, "m", &parts), r#"{"role":"user","content":[{"type":"text","text":"a"},"b"]}"#);
            assert_eq!(sent(provider, "m", &text), r#"{"role":"system","content":"say \"cache_control\""}"#);
        }
        for provider in ["openrouter", "deepseek", "mine"] {
            assert_eq!(sent(provider, "m", &parts), parts, "{provider}");
        }
    }

    #[test]
    fn groqs_reasoning_models_get_their_reasoning_back_by_its_name() {
        for name in ["reasoning", "reasoning_content"] {
            let said = format!(r#"{{"role":"assistant","content":"a","{name}":"hm \"x\""}}"#);
            assert_eq!(
                sent("groq", "openai/gpt-oss-20b", &said),
                r#"{"role":"assistant","content":"a","reasoning":"hm \"x\""}"#
            );
            assert_eq!(sent("groq", "llama-3.1-8b-instant", &said), r#"{"role":"assistant","content":"a"}"#);
        }
    }

    #[test]
    fn deepseek_gets_the_reasoning_of_each_message_once_a_tool_was_called() {
        let called = r#"{"role":"assistant","content":"","reasoning":"hm","tool_calls":[{"id":"1"}]}"#;
        let expected = r#"{"role":"assistant","content":"","tool_calls":[{"id":"1"}],"reasoning_content":"hm"}"#;
        assert_eq!(sent("deepseek", "deepseek-v4-pro", called), expected);
        let foreign = r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"1"}]}"#;
        assert_eq!(
            sent("deepseek", "deepseek-v4-pro", foreign),
            r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"1"}],"reasoning_content":""}"#
        );
        let both = [foreign, r#"{"role":"assistant","content":"b","reasoning_content":"well"}"#].join(",");
        assert!(sent("deepseek", "m", &both).ends_with(r#","content":"b","reasoning_content":"well"}"#));
        let talked = r#"{"role":"assistant","content":"a","reasoning_content":"hm","tool_calls":null}"#;
        assert_eq!(sent("deepseek", "m", talked), r#"{"role":"assistant","content":"a"}"#, "not read without calls");
    }

    #[test]
    fn ids_of_calls_are_as_their_provider_takes_them() {
        let long = format!("chatcmpl-tool-{}", "f".repeat(32));
        let talk = |id: &str| {
            format!(
                r#"{{"role":"assistant","content":null,"tool_calls":[{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}},{{"role":"tool","tool_call_id":"{id}","content":"{id} tool_call_id"}}"#
            )
        };
        let ids = |provider: &str, id: &str| {
            let sent = sent(provider, "m", &talk(id));
            let list = format!("[{sent}]");
            let items = json::items(&list).unwrap();
            let (said, result) = (read(items[0]), read(items[1]));
            let call = read(json::items(said.field("tool_calls").unwrap().get()).unwrap()[0]);
            let ids = [call.field("id"), result.field("tool_call_id")]
                .map(|id| json::text(id.unwrap()).unwrap().into_owned());
            assert_eq!(ids[0], ids[1], "{provider}");
            assert!(sent.ends_with(&format!(r#""content":"{id} tool_call_id"}}"#)), "{sent}");
            ids[0].clone()
        };
        for id in ["call_1", "toolu_01XFDUDYJgAACzvnptvVoYEL", "call_0fypS1hVX", "é", &long] {
            let own = ids("mistral", id);
            assert!(own.len() == 9 && own.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{own}");
            assert_eq!(ids("mistral", &own), own, "its own stay");
            assert_eq!(ids("groq", id), id);
        }
        assert_ne!(ids("mistral", "call_1"), ids("mistral", "call_2"));
        assert_eq!(ids("openai", &long).len(), 9);
        assert_eq!(ids("openai", &"x".repeat(40)), "x".repeat(40));
        assert_eq!(ids("mine", &long), long);
    }
}

//! What must go back to a provider as it is, and how a client of this dialect brings it back.
//!
//! Clients return `encrypted_content` of reasoning items untouched. For OpenAI's own it is kept as an item of
//! type `reasoning.encrypted` with OpenRouter's format name. What other dialects need back (Anthropic's
//! signatures, Gemini's thought signatures) travels in the same field behind a prefix: the neutral JSON object
//! itself.

use crate::json::{self, Escaped, Raw, push_escaped};

use super::write::{item, member, push_all, quoted};

/// OpenRouter's name for OpenAI's encrypted reasoning (openrouter.ai/docs, reasoning tokens).
const FORMAT: &str = "openai-responses-v1";
/// Begins an `encrypted_content` that is ours. Base64 has no colon, so OpenAI's own never begins so.
const PREFIX: &str = "tidegate:";
/// The type of an object that holds the `extra_content` of a tool call.
const CALL: &str = "tool_call";

/// What an `encrypted_content` holds.
#[derive(Debug)]
pub(super) enum Carried {
    /// An item for `reasoning_details`.
    Detail(String),
    /// The `extra_content` of a tool call.
    Extra {
        /// The call's id, escaped.
        call: String,
        /// A JSON object.
        extra: String,
    },
}

/// Reads an `encrypted_content`; `id` is its item's.
pub(super) fn read(encrypted: &Escaped<'_>, id: &Escaped<'_>) -> Carried {
    ours(encrypted).unwrap_or_else(|| {
        let mut out = String::from("{");
        quoted(&mut out, "type", "reasoning.encrypted");
        quoted(&mut out, "data", encrypted.get());
        if !id.is_empty() {
            quoted(&mut out, "id", id.get());
        }
        quoted(&mut out, "format", FORMAT);
        out.push('}');
        Carried::Detail(out)
    })
}

/// `None` for what we did not write, or what somebody changed since.
fn ours(encrypted: &Escaped<'_>) -> Option<Carried> {
    encrypted.get().strip_prefix(PREFIX)?;
    let text = encrypted.text()?;
    let object = text.strip_prefix(PREFIX)?;
    let fields = json::fields(object).ok()?;
    if json::text(fields.field("type")?)?.as_ref() != CALL {
        return Some(Carried::Detail(object.into()));
    }
    let extra = fields.field("extra_content").filter(|raw| json::fields(raw.get()).is_ok())?;
    Some(Carried::Extra { call: Escaped::of(fields.field("id")?)?.get().into(), extra: extra.get().into() })
}

/// The inside of an `encrypted_content` for an item of `reasoning_details`.
pub(super) fn of_detail(detail: &str) -> String {
    let mut out = String::from(PREFIX);
    push_escaped(&mut out, detail);
    out
}

/// The inside of an `encrypted_content` for the `extra_content` of a call, whose id is escaped.
pub(super) fn of_extra(call: &str, extra: &str) -> String {
    let mut object = String::from("{");
    quoted(&mut object, "type", CALL);
    quoted(&mut object, "id", call);
    member(&mut object, "extra_content", extra);
    object.push('}');
    of_detail(&object)
}

/// The reasoning item that an item of `reasoning_details` is, if it is OpenAI's own, with `summary` as its
/// text. Other providers' reasoning means nothing here.
pub(super) fn reasoning_item(detail: Raw<'_>, summary: Option<&Escaped<'_>>) -> Option<String> {
    let fields = json::fields(detail.get()).ok()?;
    let own = fields.field("format").and_then(json::text).as_deref() == Some(FORMAT);
    let data = fields.field("data").and_then(Escaped::of).filter(|data| own && !data.is_empty())?;
    let mut out = String::from("{");
    quoted(&mut out, "type", "reasoning");
    if let Some(id) = fields.field("id").and_then(Escaped::of).filter(|id| !id.is_empty()) {
        quoted(&mut out, "id", id.get());
    }
    out.push_str(",\"summary\":[");
    if let Some(text) = summary {
        push_all(&mut out, &["{\"type\":\"summary_text\",\"text\":\"", text.get(), "\"}"]);
    }
    out.push(']');
    quoted(&mut out, "encrypted_content", data.get());
    out.push('}');
    Some(out)
}

/// A caller's input without the reasoning that was written here, of another provider's answer; `None` if there is none.
/// OpenAI refuses an `encrypted_content` that is not its own, and looks for an item that has none by its id.
pub(super) fn without_foreign(input: Raw<'_>) -> Option<String> {
    // Most conversations have nothing of it: they are read once, letter by letter.
    if !input.get().split('"').any(|piece| piece.starts_with(PREFIX) || is_made_up(piece)) {
        return None;
    }
    let mut out = String::new();
    for raw in json::items(input.get()).ok()? {
        let fields = json::fields(raw.get()).unwrap_or_default();
        let text = |name: &str| fields.field(name).and_then(json::text);
        let is_foreign = text("type").as_deref() == Some("reasoning")
            && text("encrypted_content").map_or_else(
                || text("id").is_some_and(|id| is_made_up(&id)),
                |encrypted| encrypted.starts_with(PREFIX),
            );
        if !is_foreign {
            item(&mut out, raw.get());
        }
    }
    Some(["[", &out, "]"].concat())
}

/// Whether an id is one that reasoning got here: its place in the answer stands in it. OpenAI's are one word.
fn is_made_up(id: &str) -> bool {
    let place = id.strip_prefix("rs_").and_then(|rest| rest.split_once('_')).map(|(place, _)| place);
    place.is_some_and(|place| !place.is_empty() && place.len() < 5 && place.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(items: &str) -> Option<String> {
        let input = ["{\"input\":[", items, "]}"].concat();
        without_foreign(json::fields(&input).unwrap().field("input").unwrap())
    }

    #[test]
    fn what_was_made_up_never_reaches_openai() {
        let said = r#"{"type":"message","role":"assistant","id":"msg_1_resp","content":[{"type":"output_text","text":"tidegate: see rs_0_x"}]}"#;
        let own = r#"{"type":"reasoning","id":"rs_0aF","summary":[],"encrypted_content":"gAAA"}"#;
        let signed = r#"{"type":"reasoning","id":"rs_0_chatcmpl-1","summary":[],"encrypted_content":"tidegate:{}"}"#;
        let plain = r#"{"type":"reasoning","id":"rs_12_msg_01","summary":[],"encrypted_content":null}"#;
        let all = [signed, own, plain, said].join(",");
        assert_eq!(kept(&all), Some(["[", own, ",", said, "]"].concat()));
        assert_eq!(kept(signed), Some("[]".into()));
        let quoted = said.replace("tidegate: ", "");
        for other in [own, &quoted, r#"{"type":"reasoning","id":"rs_68af","summary":[]}"#] {
            assert_eq!(kept(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_carried_comes_back() {
        let detail = r#"{"type":"reasoning.text","text":"a \"b\"\n","signature":"Eq/+=="}"#;
        match read(&Escaped::trusted(&of_detail(detail)), &Escaped::trusted("rs_1")) {
            Carried::Detail(read) => assert_eq!(read, detail),
            other => panic!("{other:?}"),
        }
        match read(
            &Escaped::trusted(&of_extra("c\\\"1", r#"{"google":{"thought_signature":"s"}}"#)),
            &Escaped::default(),
        ) {
            Carried::Extra { call, extra } => {
                assert_eq!((call.as_str(), extra.as_str()), ("c\\\"1", r#"{"google":{"thought_signature":"s"}}"#));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_ours_is_openais() {
        for text in ["gAAAA=", "tidegate:", "tidegate:{", "tidegate:{}", "tidegate:[]", "tidegate:\\ud800"] {
            match read(&Escaped::trusted(text), &Escaped::trusted("rs_1")) {
                Carried::Detail(read) => {
                    assert_eq!(
                        read,
                        format!(r#"{{"type":"reasoning.encrypted","data":"{text}","id":"rs_1","format":"{FORMAT}"}}"#)
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

//! Thinking blocks and the items of `reasoning_details` that stand for them.
//!
//! A signed thinking block is `{"type":"reasoning.text","text":…,"signature":…,"format":"anthropic-claude-v1"}`,
//! a redacted one `{"type":"reasoning.encrypted","data":…,"format":…}`, as OpenRouter writes them. What other
//! providers want back has no block of its own, but
//! clients send thinking back unread. So an item with more in it than a block has room for travels as JSON
//! text in the block's `signature` or `data`, and so does a tool call's `extra_content`, in a redacted block
//! before the call. The API's own signatures are base64 and never begin with a brace.

use super::write::{comma, field, put};
use crate::json::{self, Escaped, Fields, Raw};
use crate::text::contains;

/// What the format of Anthropic's items is called.
const FORMAT: &str = ",\"format\":\"anthropic-claude-v1\"}";
/// The fields that a block has room for, or that need none.
const OWN: [&str; 7] = ["type", "text", "signature", "data", "format", "index", "id"];

/// Whether an item says that it is Anthropic's, or says nothing.
fn is_native(item: &Fields<'_>) -> bool {
    let format = item.field("format").filter(|raw| raw.get() != "null");
    format.is_none_or(|raw| json::text(raw).is_some_and(|format| format.starts_with("anthropic")))
}

/// A block, its texts escaped.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Block {
    /// Thinking that can be read; the signature may be empty.
    Thinking {
        /// What was thought.
        text: String,
        /// Proof of it.
        signature: String,
    },
    /// Thinking that cannot.
    Redacted {
        /// The encrypted text.
        data: String,
    },
}

impl Block {
    /// The block of one item; `None` for what is no object.
    pub(super) fn of(item: &str) -> Option<Self> {
        let fields = json::fields(item).ok()?;
        let kind = fields.field("type").and_then(json::text)?;
        // `index` and `id` are places in OpenRouter's list.
        let own = is_native(&fields) && fields.iter().all(|(name, raw)| OWN.contains(&name) || raw.get() == "null");
        let inner = |name: &str| fields.field(name).and_then(Escaped::of).unwrap_or_default().get().to_owned();
        Some(match kind.as_ref() {
            "reasoning.text" if own => Self::Thinking { text: inner("text"), signature: inner("signature") },
            "reasoning.text" => {
                let mut rest = String::from("{");
                for (name, raw) in fields.iter().filter(|(name, _)| *name != "text") {
                    field(&mut rest, name, raw.get());
                }
                rest.push('}');
                Self::Thinking { text: inner("text"), signature: Escaped::from_text(&rest).get().to_owned() }
            }
            "reasoning.encrypted" if own => Self::Redacted { data: inner("data") },
            _ => Self::Redacted { data: Escaped::from_text(item).get().to_owned() },
        })
    }

    /// The same, but for Anthropic itself: `None` for what it did not write. Items of other providers say so
    /// in their `format`.
    pub(super) fn native(item: &str) -> Option<Self> {
        let fields = json::fields(item).ok()?;
        if !is_native(&fields) {
            return None;
        }
        let inner = |name: &str| fields.field(name).and_then(Escaped::of).unwrap_or_default().get().to_owned();
        match fields.field("type").and_then(json::text).as_deref() {
            Some("reasoning.text") => Some(Self::Thinking { text: inner("text"), signature: inner("signature") })
                .filter(|block| block.signed()),
            Some("reasoning.encrypted") => Some(Self::Redacted { data: inner("data") }).filter(|block| block.signed()),
            _ => None,
        }
    }

    fn signed(&self) -> bool {
        let (Self::Thinking { signature: proof, .. } | Self::Redacted { data: proof }) = self;
        !proof.is_empty() && !proof.starts_with('{')
    }

    /// Whether a content list, as it is written here, begins with thinking.
    pub(super) fn is_first(blocks: &str) -> bool {
        ["{\"type\":\"thinking\"", "{\"type\":\"redacted_thinking\""].iter().any(|kind| blocks.starts_with(kind))
    }

    /// Appends the block as it stands in a content list.
    pub(super) fn push(&self, out: &mut String) {
        match self {
            Self::Thinking { text, signature } => {
                put(out, &["{\"type\":\"thinking\",\"thinking\":\"", text, "\",\"signature\":\"", signature, "\"}"]);
            }
            Self::Redacted { data } => put(out, &["{\"type\":\"redacted_thinking\",\"data\":\"", data, "\"}"]),
        }
    }
}

/// The redacted block that brings a tool call's `extra_content`.
pub(super) fn extra_block(id: &str, extra: &str) -> Block {
    let json = ["{\"tool_call\":\"", id, "\",\"extra_content\":", extra, "}"].concat();
    Block::Redacted { data: Escaped::from_text(&json).get().to_owned() }
}

/// What a block gives back.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Given {
    /// An item of `reasoning_details`.
    Item(String),
    /// A tool call's id, escaped, and its `extra_content`.
    Extra(String, String),
    /// Nothing: thinking without a signature.
    Nothing,
}

/// Reads a thinking block.
pub(super) fn thinking(text: &str, signature: &str) -> Given {
    if signature.is_empty() {
        return Given::Nothing;
    }
    let mut item = ["{\"type\":\"reasoning.text\",\"text\":\"", text, "\""].concat();
    let Some(rest) = ours(signature) else {
        put(&mut item, &[",\"signature\":\"", signature, "\"", FORMAT]);
        return Given::Item(item);
    };
    let rest = json::fields(&rest).unwrap_or_default();
    for (name, raw) in rest.iter().filter(|(name, _)| !matches!(*name, "type" | "text")) {
        field(&mut item, name, raw.get());
    }
    item.push('}');
    Given::Item(item)
}

/// Reads a redacted thinking block.
pub(super) fn redacted(data: &str) -> Given {
    let Some(json) = ours(data) else {
        return Given::Item(["{\"type\":\"reasoning.encrypted\",\"data\":\"", data, "\"", FORMAT].concat());
    };
    let fields = json::fields(&json).unwrap_or_default();
    match (fields.field("tool_call").and_then(Escaped::of), fields.field("extra_content")) {
        (Some(id), Some(extra)) => Given::Extra(id.get().into(), extra.get().into()),
        _ => Given::Item(json),
    }
}

/// What we put into a signature or into data: the text of a JSON object.
fn ours(escaped: &str) -> Option<String> {
    let escaped = Escaped::trusted(escaped);
    let text = escaped.text().filter(|text| text.starts_with('{') && json::fields(text).is_ok())?;
    Some(text.into_owned())
}

/// Whether Anthropic would refuse a block of a request: thinking that another provider did, unsigned or with
/// what we put into it.
pub(super) fn is_foreign(block: Raw<'_>) -> bool {
    // Blocks are megabytes of images at times: only those that can be thinking are read.
    let fields = if contains(block.get(), "thinking") {
        json::fields(block.get()).unwrap_or_default()
    } else {
        Fields::default()
    };
    let proof = match fields.field("type").and_then(json::text).as_deref() {
        Some("thinking") => fields.field("signature"),
        Some("redacted_thinking") => fields.field("data"),
        _ => return false,
    };
    proof.and_then(Escaped::of).is_none_or(|proof| proof.is_empty() || proof.get().starts_with('{'))
}

/// Appends `"reasoning":…,"reasoning_details":[…]`, whatever there is of them.
pub(super) fn push_reasoning(out: &mut String, reasoning: &str, details: &[String]) {
    if !reasoning.is_empty() {
        put(out, &[",\"reasoning\":\"", reasoning, "\""]);
    }
    if !details.is_empty() {
        out.push_str(",\"reasoning_details\":[");
        for item in details {
            comma(out);
            out.push_str(item);
        }
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(block: &Block) -> Given {
        match block {
            Block::Thinking { text, signature } => thinking(text, signature),
            Block::Redacted { data } => redacted(data),
        }
    }

    #[test]
    fn its_own_items_are_plain_blocks() {
        let signed =
            r#"{"type":"reasoning.text","text":"hm \"x\"","signature":"Er4B/+=","format":"anthropic-claude-v1"}"#;
        let block = Block::of(signed).unwrap();
        assert_eq!(block, Block::Thinking { text: r#"hm \"x\""#.into(), signature: "Er4B/+=".into() });
        assert_eq!(back(&block), Given::Item(signed.into()));
        assert_eq!(Block::native(signed), Some(block));
        let hidden = r#"{"type":"reasoning.encrypted","data":"EmwK","format":"anthropic-claude-v1"}"#;
        assert_eq!(Block::of(hidden), Some(Block::Redacted { data: "EmwK".into() }));
        assert_eq!(back(&Block::of(hidden).unwrap()), Given::Item(hidden.into()));
        assert_eq!(thinking("unsigned", ""), Given::Nothing);
    }

    #[test]
    fn foreign_items_come_back_whole_and_never_reach_anthropic() {
        let encrypted = r#"{"type":"reasoning.encrypted","id":"rs_1","format":"openai-responses-v1","data":"gAAA\n"}"#;
        let text = r#"{"type":"reasoning.text","text":"hm","signature":"s","format":"google-gemini-v1","index":0}"#;
        for item in [encrypted, text, r#"{"type":"reasoning.summary","summary":"x"}"#] {
            let block = Block::of(item).unwrap();
            assert_eq!(back(&block), Given::Item(item.into()));
            assert_eq!(Block::native(item), None);
            let mut out = String::new();
            block.push(&mut out);
            let list = ["[", &out, "]"].concat();
            assert!(is_foreign(json::items(&list).unwrap()[0]), "{item}");
        }
        let routed = r#"{"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1","index":0,"id":null}"#;
        for item in [routed, r#"{"type":"reasoning.text","text":"hm","signature":"s"}"#] {
            let block = Some(Block::Thinking { text: "hm".into(), signature: "s".into() });
            assert_eq!((Block::native(item), Block::of(item)), (block, Block::native(item)));
        }
    }

    #[test]
    fn a_calls_extra_comes_back() {
        let extra = r#"{"google":{"thought_signature":"a\"b"}}"#;
        assert_eq!(back(&extra_block("call_1", extra)), Given::Extra("call_1".into(), extra.into()));
    }

    #[test]
    fn what_is_no_item_is_no_block() {
        for item in ["", "[]", "{}", "7", r#"{"type":1}"#] {
            assert_eq!(Block::of(item), None);
            assert_eq!(Block::native(item), None);
        }
        for data in ["{", "{}x", r#"{\"tool_call\":1}"#, "\\ud800"] {
            assert!(matches!(redacted(data), Given::Item(_)), "{data}");
            assert!(matches!(thinking("t", data), Given::Item(_)), "{data}");
        }
    }
}

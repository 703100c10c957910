//! Output items as they are written.

use super::super::namespace::push_name;
use super::super::write::{member, push_all, quoted, separate};
use crate::chat::Usage;
use crate::provider::openai_compatible::CACHE_WRITE;
use crate::record::push_int;

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Message,
    Reasoning,
    /// A function call: the index among the calls of the answer.
    Call(u32),
}

/// One text of an item: a content part of a message, the summary of reasoning, the arguments of a call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Part {
    pub(super) refusal: bool,
    /// Escaped.
    pub(super) text: String,
}

/// One item. All texts are escaped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// `"item_id":…,"output_index":…`, as every event about the item has it.
    pub(super) place: String,
    pub(super) parts: Vec<Part>,
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) encrypted: Option<String>,
    /// `in_progress` until it is closed.
    pub(super) status: &'static str,
}

impl Item {
    /// An item at `index` of the response of this id. Its own id tells it from those of other responses. OpenAI takes it
    /// back with a later turn: 64 letters, digits, `_` and `-` at most.
    pub(super) fn new(kind: Kind, index: usize, response: &str) -> Self {
        let prefix = match kind {
            Kind::Message => "msg_",
            Kind::Reasoning => "rs_",
            Kind::Call(_) => "fc_",
        };
        let mut number = String::new();
        push_int(&mut number, index as u64);
        let known = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let response: String = response.chars().filter(known).collect();
        let own = response.get(response.len().saturating_sub(48)..).unwrap_or_default();
        let id = [prefix, &number, "_", own].concat();
        let place = [",\"item_id\":\"", &id, "\",\"output_index\":", &number].concat();
        Self {
            kind,
            id,
            place,
            parts: Vec::new(),
            call_id: String::new(),
            name: String::new(),
            encrypted: None,
            status: "in_progress",
        }
    }

    /// Appends to the text that was begun last.
    pub(super) fn extend(&mut self, text: &str) {
        if self.parts.is_empty() {
            self.parts.push(Part::default());
        }
        if let Some(part) = self.parts.last_mut() {
            part.text.push_str(text);
        }
    }

    /// Appends the item as it stands.
    pub(super) fn write(&self, out: &mut String) {
        separate(out);
        out.push('{');
        quoted(out, "id", &self.id);
        match self.kind {
            Kind::Message => {
                quoted(out, "type", "message");
                quoted(out, "status", self.status);
                quoted(out, "role", "assistant");
                out.push_str(",\"content\":[");
                for part in &self.parts {
                    separate(out);
                    push_part(out, part);
                }
                out.push(']');
            }
            Kind::Reasoning => {
                quoted(out, "type", "reasoning");
                out.push_str(",\"summary\":[");
                for part in &self.parts {
                    separate(out);
                    push_summary(out, &part.text);
                }
                out.push(']');
                match &self.encrypted {
                    Some(encrypted) => quoted(out, "encrypted_content", encrypted),
                    None => member(out, "encrypted_content", "null"),
                }
            }
            Kind::Call(_) => {
                quoted(out, "type", "function_call");
                quoted(out, "status", self.status);
                quoted(out, "arguments", self.parts.first().map_or("", |part| &part.text));
                // Results are told apart by it. Some servers give none.
                quoted(out, "call_id", if self.call_id.is_empty() { &self.id } else { &self.call_id });
                push_name(out, &self.name);
            }
        }
        out.push('}');
    }
}

/// Appends a content part of a message.
pub(super) fn push_part(out: &mut String, part: &Part) {
    let before = if part.refusal {
        "{\"type\":\"refusal\",\"refusal\":\""
    } else {
        "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\""
    };
    push_all(out, &[before, &part.text, "\"}"]);
}

/// Appends a part of a reasoning summary.
pub(super) fn push_summary(out: &mut String, text: &str) {
    push_all(out, &["{\"type\":\"summary_text\",\"text\":\"", text, "\"}"]);
}

/// Appends a usage object. OpenAI's always has all of these.
pub(super) fn push_usage(out: &mut String, usage: &Usage) {
    for (name, count) in [
        ("{\"input_tokens\":", usage.input),
        (",\"input_tokens_details\":{\"cached_tokens\":", usage.cached_input),
        (CACHE_WRITE, usage.cache_write),
        ("},\"output_tokens\":", usage.output),
        (",\"output_tokens_details\":{\"reasoning_tokens\":", usage.reasoning),
        ("},\"total_tokens\":", usage.input.saturating_add(usage.output)),
    ] {
        out.push_str(name);
        push_int(out, count);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_have_ids_that_openai_takes_back() {
        let long = format!("gen:{}", "x-é.9".repeat(40));
        for id in ["", "chatcmpl-0a1b2c3d-0000-4000-8000-aaaaaaaaaaaa", "a\\u002fb\\\"c", &long] {
            for kind in [Kind::Message, Kind::Reasoning, Kind::Call(0)] {
                let item = Item::new(kind, 127, id);
                let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                assert!(item.id.len() <= 64 && item.id.bytes().all(known), "{}", item.id);
            }
        }
    }
}

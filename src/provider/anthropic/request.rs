//! Requests.

mod decode;
mod effort;
mod encode;
mod media;
mod messages;
mod place;
mod tools;
mod turns;

pub(in crate::provider) use decode::decode_request;
pub(in crate::provider) use encode::encode_request;

use super::reasoning::is_foreign;
use super::write::{comma, field, put};
use crate::json::{self, Fields, Raw, push_text};
use crate::provider::Outgoing;
use crate::record::push_int;
use crate::text::contains;

/// Opens a request: the model, the output bound and the stream flag are the target's.
fn head(outgoing: &Outgoing<'_>, length: usize) -> String {
    let mut out = String::with_capacity(length.saturating_add(200));
    out.push_str("{\"model\":");
    push_text(&mut out, outgoing.model);
    out.push_str(",\"max_tokens\":");
    push_int(&mut out, outgoing.max_output_tokens.into());
    if outgoing.stream {
        out.push_str(",\"stream\":true");
    }
    out
}

/// Writes a request of this dialect for one target. Fields that nothing changes keep their text.
///
/// One thing is taken out: thinking blocks that another provider's answer brought into the conversation (a
/// fallback answered a turn). The API refuses a request for a signature that is not its own, and what
/// another model thought is no part of what it said.
pub(in crate::provider) fn rewrite_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> String {
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut out = head(outgoing, length);
    for (name, raw) in request.iter() {
        match name {
            "model" | "max_tokens" | "stream" => {}
            "messages" => match without_foreign(raw) {
                Some(messages) => field(&mut out, name, &messages),
                None => field(&mut out, name, raw.get()),
            },
            _ => field(&mut out, name, raw.get()),
        }
    }
    out.push('}');
    out
}

/// The messages without foreign thinking; `None` if there is none in them.
fn without_foreign(messages: Raw<'_>) -> Option<String> {
    // Most conversations hold no thinking at all: they are not read.
    if !contains(messages.get(), "thinking") {
        return None;
    }
    let mut found = false;
    let mut out = String::from("[");
    for message in json::items(messages.get()).ok()? {
        let fields = json::fields(message.get()).unwrap_or_default();
        let blocks = fields.field("content").and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default();
        if !blocks.iter().any(|block| is_foreign(*block)) {
            comma(&mut out);
            out.push_str(message.get());
            continue;
        }
        found = true;
        let mut content = String::from("[");
        for block in blocks.iter().filter(|block| !is_foreign(**block)) {
            comma(&mut content);
            content.push_str(block.get());
        }
        if content.len() == 1 {
            continue; // nothing was said: the API takes no empty message
        }
        comma(&mut out);
        out.push('{');
        for (name, raw) in fields.iter() {
            if name == "content" {
                comma(&mut out);
                put(&mut out, &["\"content\":", &content, "]"]);
            } else {
                field(&mut out, name, raw.get());
            }
        }
        out.push('}');
    }
    out.push(']');
    found.then_some(out)
}

#[cfg(test)]
mod tests;

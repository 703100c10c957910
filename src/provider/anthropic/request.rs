//! Requests.

mod decode;
mod effort;
mod encode;
mod media;
mod messages;
mod models;
mod place;
mod sampling;
mod schema;
mod sources;
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
/// One thing is taken out, unless a gateway is asked: thinking blocks that another provider's answer brought into the
/// conversation (a fallback answered a turn). The API refuses a request for a signature that is not its own, and
/// what another model thought is no part of what it said. While tools go on that such an answer called, a budget for
/// thinking is left out too: with one the API wants its own thinking before the calls.
pub(in crate::provider) fn rewrite_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> String {
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut out = head(outgoing, length);
    let has_budget = request.field("thinking").is_some_and(|raw| contains(raw.get(), "\"enabled\""));
    let messages = request.field("messages").filter(|_| !outgoing.relayed);
    let own = messages.and_then(|raw| without_foreign(raw, has_budget)).unwrap_or_default();
    for (name, raw) in request.iter() {
        match (name, &own.messages) {
            ("model" | "max_tokens" | "stream", _) => {}
            ("messages", Some(own)) => field(&mut out, name, own),
            ("thinking", _) if has_budget && own.unthought => {}
            _ => field(&mut out, name, raw.get()),
        }
    }
    out.push('}');
    out
}

/// What is Anthropic's own of a conversation.
#[derive(Default)]
struct Own {
    /// The messages without foreign thinking; `None` if there is none in them.
    messages: Option<String>,
    /// Tools go on that another provider's model called, without thinking before.
    unthought: bool,
}

fn without_foreign(messages: Raw<'_>, has_budget: bool) -> Option<Own> {
    // Most conversations hold no thinking at all: they are not read.
    if !has_budget && !contains(messages.get(), "thinking") {
        return None;
    }
    let mut found = false;
    let mut turn = Turn::default();
    let mut out = String::from("[");
    for message in json::items(messages.get()).ok()? {
        let fields = json::fields(message.get()).unwrap_or_default();
        let blocks = fields.field("content").and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default();
        if has_budget {
            turn.message(&fields, &blocks);
        }
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
    Some(Own { messages: found.then_some(out), unthought: turn.is_unthought() })
}

/// What the model says and does from one question to the next. With a budget for thinking it must begin with thinking as
/// long as its tools go on: "When `thinking` is enabled, a final `assistant` message must start with a thinking block".
#[derive(Clone, Copy, Default)]
struct Turn {
    /// Whether it begins with thinking.
    thought: Option<bool>,
    open: bool,
}

impl Turn {
    /// One of a caller's messages.
    fn message(&mut self, message: &Fields<'_>, blocks: &[Raw<'_>]) {
        let of = |block: Raw<'_>, name: &str| {
            let text = json::fields(block.get()).ok()?.field(name).and_then(json::text)?;
            Some(text.into_owned())
        };
        if message.field("role").is_some_and(|role| role.get() == "\"assistant\"") {
            let first = blocks.iter().find(|block| !is_foreign(**block)).and_then(|block| of(*block, "type"));
            let thought = first.is_some_and(|kind| contains(&kind, "thinking"));
            // What Claude called without its thinking, the app has lost: that is told by the API.
            let own = blocks.iter().any(|block| of(*block, "id").is_some_and(|id| id.starts_with("toolu_")));
            self.said(thought || own);
        } else if blocks.iter().any(|block| of(*block, "type").as_deref() == Some("tool_result")) {
            self.goes_on();
        } else {
            self.asked();
        }
    }

    const fn said(&mut self, thought: bool) {
        if self.thought.is_none() {
            self.thought = Some(thought);
        }
        self.open = false;
    }

    /// A tool answered.
    const fn goes_on(&mut self) {
        self.open = true;
    }

    /// The person said something; not beside the results of tools.
    const fn asked(&mut self) {
        if !self.open {
            self.thought = None;
        }
    }

    const fn is_unthought(self) -> bool {
        self.open && matches!(self.thought, Some(false))
    }
}

#[cfg(test)]
mod tests;

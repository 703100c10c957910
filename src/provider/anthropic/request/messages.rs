//! A neutral conversation as turns.
//!
//! Instructions stand before all turns: only the newest models take them in the middle, and moving them to
//! the front would change what they apply to. So a later one cannot be carried. Neighbours of one role are
//! one turn, as the API reads them anyway; tool results are a user's.

use super::Turn;
use super::media::{encode as media, mark};
use super::place::{NO_FORM, Place, present};
use crate::error::Result;
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::anthropic::reasoning::Block;
use crate::provider::anthropic::write::{comma, field, is_blank, put};

/// Turns, collected.
#[derive(Default)]
struct Turns {
    out: String,
    role: &'static str,
}

impl Turns {
    /// Adds blocks to the turn of this role.
    fn push(&mut self, role: &'static str, blocks: &str) {
        if self.role == role {
            comma(&mut self.out);
        } else {
            self.close();
            comma(&mut self.out);
            put(&mut self.out, &["{\"role\":\"", role, "\",\"content\":["]);
            self.role = role;
        }
        self.out.push_str(blocks);
    }

    fn close(&mut self) {
        if !self.role.is_empty() {
            self.out.push_str("]}");
        }
    }
}

/// What a conversation's end asks of the model.
#[derive(Clone, Copy, Default)]
pub(super) struct End {
    /// Tools go on that the model called without thinking before.
    pub(super) unthought: bool,
    /// The answer has begun, and the model is to go on with it.
    pub(super) begun: bool,
}

/// Appends `system` and `messages`.
pub(super) fn encode(out: &mut String, raw: Raw<'_>) -> Result<End> {
    let list = Place::field("messages");
    let (mut system, mut turns, mut turn) = (String::new(), Turns::default(), Turn::default());
    for (index, raw) in list.list(raw)?.into_iter().enumerate() {
        let place = list.item(index);
        let fields = place.object(raw)?;
        match fields.field("role").and_then(json::text).as_deref() {
            Some("system" | "developer") => {
                if !turns.role.is_empty() {
                    return place.refuse("role", "must come before all others: this API takes instructions first");
                }
                place.known(&fields, &["role", "content", "cache_control"])?;
                let blocks = content(&place, &fields, false)?;
                if !blocks.is_empty() {
                    comma(&mut system);
                    system.push_str(&blocks);
                }
            }
            Some("user") => {
                place.known(&fields, &["role", "content", "cache_control"])?;
                let blocks = content(&place, &fields, true)?;
                if blocks.is_empty() {
                    return place.refuse("content", "must not be empty");
                }
                turns.push("user", &blocks);
                turn.asked();
            }
            Some("assistant") => {
                let blocks = assistant(&place, &fields)?;
                if !blocks.is_empty() {
                    turn.said(Block::is_first(&blocks));
                    turns.push("assistant", &blocks);
                }
            }
            Some("tool") => {
                // The name of the tool is in its call.
                place.known(&fields, &["role", "content", "tool_call_id", "name", "cache_control"])?;
                let mut block = String::from("{\"type\":\"tool_result\",\"tool_use_id\":");
                id(&mut block, &place, &fields, "tool_call_id")?;
                let blocks = content(&place, &fields, true)?;
                if !blocks.is_empty() {
                    put(&mut block, &[",\"content\":[", &blocks, "]"]);
                }
                block.push('}');
                turns.push("user", &block);
                turn.goes_on();
            }
            _ => return place.refuse("role", NO_FORM),
        }
    }
    if turns.role.is_empty() {
        return Err(list.error("must have one that is no system or developer message"));
    }
    turns.close();
    if !system.is_empty() {
        put(out, &[",\"system\":[", &system, "]"]);
    }
    put(out, &[",\"messages\":[", &turns.out, "]"]);
    Ok(End { unthought: turn.is_unthought(), begun: turns.role == "assistant" })
}

/// The blocks of a message's content; nothing for null. The API takes no text that is empty or white space alone, which
/// some models write before they call a tool. A cache mark on the message is one on the last of its blocks.
fn content(place: &Place<'_>, fields: &Fields<'_>, files: bool) -> Result<String> {
    let mut out = String::new();
    let Some(raw) = present(fields, "content") else { return Ok(out) };
    let place = place.of("content");
    if json::text(raw).is_some() {
        text(&mut out, raw, fields);
        return Ok(out);
    }
    let parts = place.list(raw)?;
    let last = parts.len().saturating_sub(1);
    for (index, raw) in parts.into_iter().enumerate() {
        let place = place.item(index);
        let part = place.object(raw)?;
        let marked = if index == last && present(&part, "cache_control").is_none() { fields } else { &part };
        match json::text(place.said(&part, "type")?).as_deref() {
            Some(kind @ ("text" | "refusal")) => {
                place.known(&part, &["type", kind, "cache_control"])?;
                text(&mut out, place.said(&part, kind)?, marked);
            }
            Some(kind @ ("image_url" | "file")) if files => {
                comma(&mut out);
                media(&mut out, kind, &place, &part)?;
                mark(&mut out, marked);
                out.push('}');
            }
            _ => return place.refuse("type", NO_FORM),
        }
    }
    Ok(out)
}

fn text(out: &mut String, raw: Raw<'_>, part: &Fields<'_>) {
    if !Escaped::of(raw).is_some_and(|inner| is_blank(inner.get())) {
        comma(out);
        put(out, &["{\"type\":\"text\",\"text\":", raw.get()]);
        mark(out, part);
        out.push('}');
    }
}

/// What the model said. Its thinking goes back only if Anthropic's signature is on it: what another provider
/// signed, or nobody, is refused there and is no part of what was said.
fn assistant(place: &Place<'_>, fields: &Fields<'_>) -> Result<String> {
    // `annotations` tell of an answer's sources: a caller sends the answer back as it came.
    const KNOWN: [&str; 9] = [
        "role",
        "content",
        "cache_control",
        "refusal",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "annotations",
        "tool_calls",
    ];
    place.known(fields, &KNOWN)?;
    let mut out = String::new();
    if let Some(raw) = present(fields, "reasoning_details") {
        for item in place.of("reasoning_details").list(raw)? {
            if let Some(block) = Block::native(item.get()) {
                comma(&mut out);
                block.push(&mut out);
            }
        }
    }
    let said = content(place, fields, false)?;
    if !said.is_empty() {
        comma(&mut out);
        out.push_str(&said);
    }
    if present(fields, "refusal").is_some() {
        text(&mut out, place.said(fields, "refusal")?, &Fields::default());
    }
    if let Some(raw) = present(fields, "tool_calls") {
        let list = place.of("tool_calls");
        for (index, raw) in list.list(raw)?.into_iter().enumerate() {
            comma(&mut out);
            call(&mut out, &list.item(index), raw)?;
        }
    }
    Ok(out)
}

fn call(out: &mut String, place: &Place<'_>, raw: Raw<'_>) -> Result<()> {
    let outer = place.object(raw)?;
    // `extra_content` is another provider's signature, `index` what is left of a stream.
    place.known(&outer, &["id", "type", "function", "extra_content", "index", "cache_control"])?;
    if present(&outer, "type").is_some_and(|kind| json::text(kind).as_deref() != Some("function")) {
        return place.refuse("type", NO_FORM);
    }
    let own = place.of("function");
    let function = own.object(outer.field("function").ok_or_else(|| own.error("is missing"))?)?;
    own.known(&function, &["name", "arguments"])?;
    let arguments = json::text(own.said(&function, "arguments")?).unwrap_or_default();
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments.trim() };
    if json::fields(arguments).is_err() {
        return own.refuse("arguments", "must be the text of a JSON object");
    }
    out.push_str("{\"type\":\"tool_use\",\"id\":");
    id(out, place, &outer, "id")?;
    field(out, "name", own.said(&function, "name")?.get());
    field(out, "input", arguments);
    mark(out, &outer);
    out.push('}');
    Ok(())
}

/// Appends the id of a call as the API takes it: letters, digits, `_` and `-`. Other providers' ids may hold
/// more; the same id becomes the same in the call and in its result.
fn id(out: &mut String, place: &Place<'_>, fields: &Fields<'_>, name: &str) -> Result<()> {
    let id = json::text(place.said(fields, name)?).unwrap_or_default();
    if id.is_empty() {
        return place.refuse(name, "must not be empty");
    }
    let known = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    out.push('"');
    out.extend(id.chars().map(known));
    out.push('"');
    Ok(())
}

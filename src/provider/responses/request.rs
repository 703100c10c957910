//! Requests.

mod decode;
mod encode;
mod input;
mod messages;
#[cfg(test)]
mod tests;
mod tools;

pub(in crate::provider) use decode::decode_request;
pub(in crate::provider) use encode::encode_request;

use super::carry;
use super::write::member;
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw, push_text};
use crate::provider::Outgoing;
use crate::record::push_int;

const TEXT: &str = "must be a text";
const UNKNOWN: &str = "has no form in the other dialect";

/// Writes a request of this dialect for one target. Fields that nothing changes keep their text; the model,
/// the output bound and the stream flag are the target's. Reasoning of other providers is taken out, unless a gateway
/// is asked.
pub(in crate::provider) fn rewrite_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> String {
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut body = head(outgoing, length.saturating_add(200));
    for (name, raw) in request.iter().filter(|(name, _)| !matches!(*name, "model" | "max_output_tokens" | "stream")) {
        body.push(',');
        push_text(&mut body, name);
        body.push(':');
        let own = if name == "input" && !outgoing.relayed { carry::without_foreign(raw) } else { None };
        body.push_str(own.as_deref().unwrap_or(raw.get()));
    }
    body.push('}');
    body
}

/// Opens a request with what the gateway decided.
fn head(outgoing: &Outgoing<'_>, capacity: usize) -> String {
    let mut body = String::with_capacity(capacity);
    body.push_str("{\"model\":");
    push_text(&mut body, outgoing.model);
    body.push_str(",\"max_output_tokens\":");
    push_int(&mut body, u64::from(outgoing.max_output_tokens));
    if outgoing.stream {
        member(&mut body, "stream", "true");
    }
    body
}

/// `list[3].rest`.
fn at(list: &str, index: usize, rest: &str) -> String {
    let mut number = String::new();
    push_int(&mut number, index as u64);
    [list, "[", &number, "]", rest].concat()
}

/// The fields of an object in which no name occurs twice: readers disagree on which of the two counts.
fn object<'a>(raw: Raw<'a>, path: &str) -> Result<Fields<'a>> {
    let fields = json::fields(raw.get()).ok().filter(|fields| !fields.has_repeated());
    fields.ok_or_else(|| Error::invalid(path, "must be a JSON object without repeated fields").into())
}

fn list<'a>(raw: Raw<'a>, path: &str) -> Result<Vec<Raw<'a>>> {
    json::items(raw.get()).map_err(|_| Error::invalid(path, "must be a list").into())
}

/// A field that is there and not `null`.
fn said<'a>(fields: &Fields<'a>, name: &str) -> Option<Raw<'a>> {
    fields.field(name).filter(|raw| raw.get() != "null")
}

/// A text as it is written.
fn text_of<'a>(fields: &Fields<'a>, name: &str, path: &str) -> Result<Raw<'a>> {
    let text = fields.field(name).filter(|raw| is_text(*raw));
    text.ok_or_else(|| Error::invalid(&[path, ".", name].concat(), TEXT).into())
}

fn is_text(raw: Raw<'_>) -> bool {
    raw.get().starts_with('"')
}

/// Refuses every field but these.
fn only(fields: &Fields<'_>, known: &[&str], path: &str) -> Result<()> {
    for (name, raw) in fields.iter() {
        if raw.get() != "null" && !known.contains(&name) {
            return Err(Error::invalid(&[path, ".", name].concat(), UNKNOWN).into());
        }
    }
    Ok(())
}

/// The members of an object that are said, for another object: name there, name here.
fn copy(from: &Fields<'_>, names: &[&str], out: &mut String) {
    for name in names {
        if let Some(raw) = said(from, name) {
            member(out, name, raw.get());
        }
    }
}

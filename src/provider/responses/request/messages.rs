//! From chat messages to input items. One message of the model may be several items: its reasoning, its
//! text, its calls.

use super::super::carry;
use super::super::write::{item, member, push_all, quoted, separate};
use super::encode::function;
use super::{TEXT, at, is_text, list, object, only, said, text_of};
use crate::error::{Error, Result};
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::openai_compatible::fitting;

/// Appends `input`, and `instructions` for a leading system message.
pub(super) fn encode(raw: Raw<'_>, out: &mut String) -> Result<()> {
    let messages = list(raw, "messages")?;
    let (mut instructions, mut items) = (None, String::new());
    for (index, raw) in messages.iter().enumerate() {
        let path = at("messages", index, "");
        let message = object(*raw, &path)?;
        let role = json::text(text_of(&message, "role", &path)?);
        let content = said(&message, "content");
        match role.as_deref() {
            Some("system" | "developer") if index == 0 && messages.len() > 1 && content.is_some_and(is_text) => {
                only(&message, &["role", "content", "cache_control"], &path)?;
                instructions = content;
            }
            Some("system" | "developer" | "user") => {
                only(&message, &["role", "content", "cache_control"], &path)?;
                separate(&mut items);
                items.push('{');
                member(&mut items, "role", text_of(&message, "role", &path)?.get());
                member(&mut items, "content", &content_of(content, "input_text", &path)?);
                items.push('}');
            }
            Some("assistant") => assistant(&message, &path, &mut items)?,
            Some("tool") => {
                only(&message, &["role", "content", "tool_call_id", "name", "cache_control"], &path)?;
                separate(&mut items);
                items.push('{');
                quoted(&mut items, "type", "function_call_output");
                call_id(&mut items, text_of(&message, "tool_call_id", &path)?);
                member(&mut items, "output", &content_of(content, "input_text", &path)?);
                items.push('}');
            }
            _ => {
                let problem = "must be system, developer, user, assistant or tool";
                return Err(Error::invalid(&[&path, ".role"].concat(), problem).into());
            }
        }
    }
    if let Some(instructions) = instructions {
        member(out, "instructions", instructions.get());
    }
    member(out, "input", &["[", &items, "]"].concat());
    Ok(())
}

fn assistant(message: &Fields<'_>, path: &str, items: &mut String) -> Result<()> {
    const KNOWN: [&str; 9] = [
        "role",
        "content",
        "refusal",
        "tool_calls",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "annotations",
        "cache_control",
    ];
    only(message, &KNOWN, path)?;
    if let Some(details) = said(message, "reasoning_details") {
        let text = said(message, "reasoning").and_then(Escaped::of).filter(|text| !text.is_empty());
        // The text belongs to the first item of it: which piece to which item is not told.
        let mut text = text.as_ref();
        for detail in list(details, &[path, ".reasoning_details"].concat())? {
            if let Some(own) = carry::reasoning_item(detail, text) {
                item(items, &own);
                text = None;
            }
        }
    }
    let mut parts = String::new();
    match said(message, "content") {
        Some(raw) if raw.get() == "\"\"" => {}
        Some(raw) if is_text(raw) => push_text(&mut parts, "output_text", raw),
        Some(raw) => push_parts(&mut parts, raw, "output_text", path)?,
        None => {}
    }
    if said(message, "refusal").is_some() {
        push_refusal(&mut parts, text_of(message, "refusal", path)?);
    }
    if !parts.is_empty() {
        item(items, "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[");
        push_all(items, &[&parts, "]}"]);
    }
    let Some(calls) = said(message, "tool_calls") else { return Ok(()) };
    let path = [path, ".tool_calls"].concat();
    for (index, raw) in list(calls, &path)?.into_iter().enumerate() {
        let path = at(&path, index, "");
        let call = object(raw, &path)?;
        only(&call, &["id", "type", "index", "function", "extra_content", "cache_control"], &path)?;
        let own = function(&call, &path)?;
        only(&own, &["name", "arguments"], &[&path, ".function"].concat())?;
        separate(items);
        items.push('{');
        quoted(items, "type", "function_call");
        call_id(items, text_of(&call, "id", &path)?);
        member(items, "name", text_of(&own, "name", &path)?.get());
        member(items, "arguments", text_of(&own, "arguments", &path)?.get());
        items.push('}');
    }
    Ok(())
}

/// Appends the id of a call: the API takes 64 characters ("Invalid 'input[2].call_id': string too long").
fn call_id(items: &mut String, id: Raw<'_>) {
    match json::text(id).and_then(|id| fitting(&id, 64)) {
        Some(id) => quoted(items, "call_id", &id),
        None => member(items, "call_id", id.get()),
    }
}

/// A text, or a list of parts of which texts are of type `text`.
fn content_of(content: Option<Raw<'_>>, text: &str, path: &str) -> Result<String> {
    match content {
        Some(raw) if is_text(raw) => Ok(raw.get().into()),
        Some(raw) => {
            let mut parts = String::new();
            push_parts(&mut parts, raw, text, path)?;
            Ok(["[", &parts, "]"].concat())
        }
        None => Err(Error::invalid(&[path, ".content"].concat(), "must be a text or a list of parts").into()),
    }
}

fn push_text(out: &mut String, kind: &str, text: Raw<'_>) {
    separate(out);
    push_all(out, &["{\"type\":\"", kind, "\",\"text\":", text.get(), "}"]);
}

fn push_refusal(out: &mut String, text: Raw<'_>) {
    separate(out);
    push_all(out, &["{\"type\":\"refusal\",\"refusal\":", text.get(), "}"]);
}

fn push_parts(out: &mut String, raw: Raw<'_>, text: &str, path: &str) -> Result<()> {
    let path = [path, ".content"].concat();
    for (index, raw) in list(raw, &path)?.into_iter().enumerate() {
        part(raw, text, &at(&path, index, ""), out)?;
    }
    Ok(())
}

fn part(raw: Raw<'_>, text: &str, path: &str, out: &mut String) -> Result<()> {
    let part = object(raw, path)?;
    let known = |name: &str| only(&part, &["type", name, "cache_control"], path);
    let inner = |name: &str, members: &[&str]| -> Result<Fields<'_>> {
        known(name)?;
        let path = [path, ".", name].concat();
        let inner = object(said(&part, name).ok_or_else(|| Error::invalid(&path, "must be an object"))?, &path)?;
        only(&inner, members, &path)?;
        Ok(inner)
    };
    // What the model said cannot hold images.
    let mine = text == "input_text";
    match json::text(text_of(&part, "type", path)?).as_deref() {
        Some("text") => {
            known("text")?;
            push_text(out, text, text_of(&part, "text", path)?);
        }
        Some("refusal") if !mine => {
            known("refusal")?;
            push_refusal(out, text_of(&part, "refusal", path)?);
        }
        Some("image_url") if mine => {
            let image = inner("image_url", &["url", "detail"])?;
            separate(out);
            push_all(out, &["{\"type\":\"input_image\",\"image_url\":", text_of(&image, "url", path)?.get()]);
            match said(&image, "detail") {
                Some(detail) if is_text(detail) => member(out, "detail", detail.get()),
                Some(_) => return Err(Error::invalid(&[path, ".image_url.detail"].concat(), TEXT).into()),
                None => {}
            }
            out.push('}');
        }
        Some("file") if mine => {
            let file = inner("file", &["file_id", "file_data", "filename"])?;
            separate(out);
            out.push_str("{\"type\":\"input_file\"");
            super::copy(&file, &["file_id", "file_data", "filename"], out);
            out.push('}');
        }
        Some("input_audio") if mine => {
            let audio = inner("input_audio", &["data", "format"])?;
            separate(out);
            out.push_str("{\"type\":\"input_audio\",\"input_audio\":{");
            super::copy(&audio, &["data", "format"], out);
            out.push_str("}}");
        }
        _ => return Err(Error::invalid(&[path, ".type"].concat(), "has no form in OpenAI's Responses").into()),
    }
    Ok(())
}

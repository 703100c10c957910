//! A caller's conversation in neutral form.

use super::media::{decode as media, mark};
use super::place::{NO_FORM, OBJECT, Place, present};
use super::sources::search_result;
use crate::error::Result;
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::anthropic::reasoning::{Given, push_reasoning, redacted, thinking};
use crate::provider::anthropic::write::{comma, put};

/// Content parts, collected. One plain text is written as a text: some servers know no list.
#[derive(Default)]
struct Parts<'a> {
    list: String,
    count: usize,
    plain: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Takes in a text, an image or a document.
    fn push(&mut self, kind: &str, place: &Place<'_>, fields: &Fields<'a>) -> Result<()> {
        match kind {
            "text" => {
                place.known(fields, &["type", "text", "cache_control", "citations"])?;
                let text = place.said(fields, "text")?.get();
                self.plain = present(fields, "cache_control").is_none().then_some(text);
                comma(&mut self.list);
                put(&mut self.list, &["{\"type\":\"text\",\"text\":", text]);
            }
            "search_result" => {
                self.plain = None;
                comma(&mut self.list);
                search_result(&mut self.list, place, fields)?;
            }
            "image" | "document" => {
                self.plain = None;
                comma(&mut self.list);
                media(&mut self.list, kind, place, fields)?;
            }
            _ => return place.refuse("type", NO_FORM),
        }
        mark(&mut self.list, fields);
        self.list.push('}');
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The value of `content`; `None` if there is nothing.
    fn take(&mut self) -> Option<String> {
        let Self { list, count, plain } = std::mem::take(self);
        match (count, plain) {
            (0, _) => None,
            (1, Some(text)) => Some(text.into()),
            _ => Some(["[", &list, "]"].concat()),
        }
    }

    /// Writes a message of what there is.
    fn flush(&mut self, out: &mut String, role: &str) {
        if let Some(content) = self.take() {
            comma(out);
            put(out, &["{\"role\":\"", role, "\",\"content\":", &content, "}"]);
        }
    }
}

/// Appends `"messages":[…]`, instructions first.
pub(super) fn decode(out: &mut String, system: Option<Raw<'_>>, messages: Raw<'_>) -> Result<()> {
    out.push_str(",\"messages\":[");
    if let Some(raw) = system {
        texts(out, &Place::field("system"), raw)?;
    }
    let list = Place::field("messages");
    for (index, raw) in list.list(messages)?.into_iter().enumerate() {
        let place = list.item(index);
        let fields = place.object(raw)?;
        place.known(&fields, &["role", "content"])?;
        let content = place.of("content");
        let raw = fields.field("content").ok_or_else(|| content.error("is missing"))?;
        match fields.field("role").and_then(json::text).as_deref() {
            // The API takes no empty turn, and no message may get lost.
            Some("user") if matches!(raw.get(), "\"\"" | "[]") => return Err(content.error("must not be empty")),
            Some("user") => user(out, &content, raw)?,
            Some("assistant") => assistant(out, &content, raw)?,
            // Newer models take instructions in the middle too.
            Some("system") => texts(out, &content, raw)?,
            _ => return place.refuse("role", "must be user, assistant or system"),
        }
    }
    out.push(']');
    Ok(())
}

/// The blocks of a content with their places and kinds; a text is one block.
fn blocks<'a>(
    place: &Place<'_>,
    raw: Raw<'a>,
    each: &mut dyn FnMut(&str, &Place<'_>, &Fields<'a>) -> Result<()>,
) -> Result<()> {
    if json::text(raw).is_some() {
        if raw.get() == "\"\"" {
            return Ok(());
        }
        return each("text", place, &[("text", raw)].into_iter().collect());
    }
    for (index, raw) in place.list(raw)?.into_iter().enumerate() {
        let place = place.item(index);
        let fields = place.object(raw)?;
        let kind = json::text(place.said(&fields, "type")?).unwrap_or_default();
        each(&kind, &place, &fields)?;
    }
    Ok(())
}

/// Instructions: texts only.
fn texts(out: &mut String, place: &Place<'_>, raw: Raw<'_>) -> Result<()> {
    let mut parts = Parts::default();
    blocks(place, raw, &mut |kind, place, fields| match kind {
        "text" => parts.push(kind, place, fields),
        _ => place.refuse("type", "must be text"),
    })?;
    parts.flush(out, "system");
    Ok(())
}

fn user(out: &mut String, place: &Place<'_>, raw: Raw<'_>) -> Result<()> {
    let mut parts = Parts::default();
    blocks(place, raw, &mut |kind, place, fields| {
        if kind != "tool_result" {
            return parts.push(kind, place, fields);
        }
        parts.flush(out, "user");
        result(out, place, fields)
    })?;
    parts.flush(out, "user");
    Ok(())
}

/// A tool's result is a message of its own. That it is an error is told in its text, as OpenAI's clients do.
fn result(out: &mut String, place: &Place<'_>, fields: &Fields<'_>) -> Result<()> {
    place.known(fields, &["type", "tool_use_id", "content", "is_error", "cache_control"])?;
    let failed = match present(fields, "is_error").map(Raw::get) {
        Some("true") => true,
        Some("false") | None => false,
        Some(_) => return place.refuse("is_error", "must be true or false"),
    };
    let mut parts = Parts::default();
    let error = json::fields("{\"text\":\"Error:\"}").map_err(|_| place.error(OBJECT))?;
    if failed {
        parts.push("text", place, &error)?;
    }
    if let Some(raw) = present(fields, "content") {
        blocks(&place.of("content"), raw, &mut |kind, place, fields| parts.push(kind, place, fields))?;
    }
    // Nearly all results are one text: it stays one.
    let told = parts.plain.filter(|_| failed && parts.count == 2).and_then(|text| text.strip_prefix('"'));
    let content = match told {
        Some(text) => ["\"Error: ", text].concat(),
        None => parts.take().unwrap_or_else(|| "\"\"".into()),
    };
    let id = place.said(fields, "tool_use_id")?.get();
    comma(out);
    put(out, &["{\"role\":\"tool\",\"tool_call_id\":", id, ",\"content\":", &content, "}"]);
    Ok(())
}

fn assistant(out: &mut String, place: &Place<'_>, raw: Raw<'_>) -> Result<()> {
    let mut parts = Parts::default();
    let (mut reasoning, mut details, mut calls) = (String::new(), Vec::new(), String::new());
    let mut extra: Option<(String, String)> = None;
    blocks(place, raw, &mut |kind, place, fields| {
        let inner =
            |name: &str| -> Result<Escaped<'_>> { Ok(Escaped::of(place.said(fields, name)?).unwrap_or_default()) };
        let given = match kind {
            "text" => return parts.push(kind, place, fields),
            "thinking" => {
                place.known(fields, &["type", "thinking", "signature"])?;
                let text = inner("thinking")?;
                reasoning.push_str(text.get());
                let signature = present(fields, "signature").and_then(Escaped::of).unwrap_or_default();
                thinking(text.get(), signature.get())
            }
            "redacted_thinking" => {
                place.known(fields, &["type", "data"])?;
                redacted(inner("data")?.get())
            }
            "tool_use" => {
                // Who called the tool (`caller`) is the model: the tools that the provider runs are refused.
                place.known(fields, &["type", "id", "name", "input", "cache_control", "caller"])?;
                let input = fields.field("input").filter(|raw| json::fields(raw.get()).is_ok());
                let input = input.ok_or_else(|| place.of("input").error("must be a JSON object"))?;
                let (id, name) = (inner("id")?, inner("name")?);
                comma(&mut calls);
                put(&mut calls, &["{\"id\":\"", id.get(), "\",\"type\":\"function\",\"function\":{\"name\":\""]);
                let arguments = Escaped::from_text(input.get());
                put(&mut calls, &[name.get(), "\",\"arguments\":\"", arguments.get(), "\"}"]);
                if let Some((_, extra)) = extra.take().filter(|(of, _)| of == id.get()) {
                    put(&mut calls, &[",\"extra_content\":", &extra]);
                }
                calls.push('}');
                return Ok(());
            }
            _ => return place.refuse("type", NO_FORM),
        };
        match given {
            Given::Item(item) => details.push(item),
            Given::Extra(id, json) => extra = Some((id, json)),
            Given::Nothing => {}
        }
        Ok(())
    })?;
    let none = if calls.is_empty() { "\"\"" } else { "null" };
    comma(out);
    put(out, &["{\"role\":\"assistant\",\"content\":", &parts.take().unwrap_or_else(|| none.into())]);
    push_reasoning(out, &reasoning, &details);
    if !calls.is_empty() {
        put(out, &[",\"tool_calls\":[", &calls, "]"]);
    }
    out.push('}');
    Ok(())
}

//! `systemInstruction` and `contents` as messages.
//!
//! Contents of the model that follow one another are one message: `@google/genai` keeps each event of a
//! stream as a content of its own. Results of functions become messages of their own, before what the person
//! says in the same content.

use std::borrow::Cow;

use super::part::{self, Kind, Part};
use crate::chat::with_text;
use crate::error::{Error, Result};
use crate::json::{Escaped, Fields, Raw, push_text};
use crate::provider::google::fields::{
    comma, compact, escaped, field, given, item, join, list, object, plain, push, text,
};
use crate::provider::google::signature;
use crate::text::decimal;

/// Writes `messages`.
pub(super) fn decode(
    system: Option<Raw<'_>>,
    contents: Option<Raw<'_>>,
    detail: Option<&'static str>,
    out: &mut String,
) -> Result<()> {
    let mut messages = Messages { out: String::from("["), detail, model: None, calls: Vec::new(), called: 0 };
    if let Some(system) = system {
        messages.person("system", &read(system, "systemInstruction")?.1, "systemInstruction")?;
    }
    let contents = contents.ok_or_else(|| Error::invalid("contents", "must be a list of at least one content"))?;
    for (index, raw) in list(contents, "contents")?.into_iter().enumerate() {
        let path = item("contents", index);
        let (role, parts) = read(raw, &path)?;
        match role.as_deref() {
            Some("model") => messages.model(parts, &path)?,
            None | Some("user" | "function") => {
                messages.close();
                messages.results(&parts, &path)?;
                messages.person("user", &parts, &path)?;
            }
            Some(_) => return Err(Error::invalid(&join(&path, "role"), "must be user or model").into()),
        }
    }
    messages.close();
    messages.out.push(']');
    field(out, "messages", &messages.out);
    Ok(())
}

type Content<'a> = (Option<Cow<'a, str>>, Vec<Part<'a>>);

fn read<'a>(raw: Raw<'a>, path: &str) -> Result<Content<'a>> {
    let fields = object(raw.get(), path)?;
    part::only(&fields, &["role", "parts"], path)?;
    let role = given(&fields, "role").map(|raw| text(raw, &join(path, "role"))).transpose()?;
    let path = join(path, "parts");
    let Some(parts) = given(&fields, "parts") else {
        return Err(Error::invalid(&path, "must be a list of at least one part").into());
    };
    let parts = list(parts, &path)?.into_iter().enumerate();
    let parts = parts.map(|(index, raw)| Part::read(raw, &item(&path, index))).collect::<Result<Vec<_>>>()?;
    if parts.is_empty() {
        return Err(Error::invalid(&path, "must be a list of at least one part").into());
    }
    Ok((role.filter(|role| !role.is_empty()), parts))
}

struct Messages<'a> {
    out: String,
    detail: Option<&'static str>,
    /// The model's message, while its contents follow one another.
    model: Option<Model>,
    /// The functions that the model called, as long as they have no result.
    calls: Vec<Call<'a>>,
    /// How many it called.
    called: u64,
}

/// Everything is escaped already.
#[derive(Default)]
struct Model {
    text: String,
    reasoning: String,
    /// How much of the reasoning stands before the last detail.
    signed: usize,
    details: String,
    calls: String,
}

struct Call<'a> {
    id: String,
    name: Cow<'a, str>,
}

/// Calls that wait for their results at once: each result is looked for among them.
const MOST_WAITING: usize = 1_024;

impl<'a> Messages<'a> {
    /// What the person says, or the instructions; nothing for a content of function results alone.
    fn person(&mut self, role: &str, parts: &[Part<'_>], path: &str) -> Result<()> {
        let mut own = parts.iter().enumerate().filter(|(_, part)| !matches!(part.kind, Kind::Response(_))).peekable();
        if own.peek().is_none() {
            return Ok(());
        }
        let mut content = String::new();
        for (index, part) in own {
            let path = item(&join(path, "parts"), index);
            if part.thought {
                return Err(Error::invalid(&join(&path, "thought"), "must be left out: only the model thinks").into());
            }
            match &part.kind {
                Kind::Text(text) => {
                    comma(&mut content);
                    push(&mut content, &["{\"type\":\"text\",\"text\":\"", text.get(), "\"}"]);
                }
                Kind::Inline(blob) if role == "user" => part::inline(blob, self.detail, &path, &mut content)?,
                Kind::File(file) if role == "user" => part::file(file, self.detail, &path, &mut content)?,
                Kind::Nothing => {}
                _ => return Err(Error::invalid(&path, "must be a text, or in a user's content an image").into()),
            }
        }
        comma(&mut self.out);
        push(&mut self.out, &["{\"role\":\"", role, "\",\"content\":"]);
        match parts {
            [Part { kind: Kind::Text(text), .. }] => push(&mut self.out, &["\"", text.get(), "\"}"]),
            _ => push(&mut self.out, &["[", &content, "]}"]),
        }
        Ok(())
    }

    /// One content of the model.
    fn model(&mut self, parts: Vec<Part<'a>>, path: &str) -> Result<()> {
        let mut model = self.model.take().unwrap_or_default();
        for (index, part) in parts.into_iter().enumerate() {
            let path = item(&join(path, "parts"), index);
            match part.kind {
                Kind::Text(text) if part.thought => model.reasoning.push_str(text.get()),
                Kind::Text(text) => model.text.push_str(text.get()),
                Kind::Call(call) => {
                    self.call(&mut model.calls, &call, part.signature, &join(&path, "functionCall"))?;
                    continue;
                }
                Kind::Nothing => {}
                Kind::Inline(_) | Kind::File(_) | Kind::Response(_) => {
                    return Err(Error::invalid(&path, "must be a text or a function call").into());
                }
            }
            if let Some(signature) = part.signature {
                comma(&mut model.details);
                let detail = signature::detail_of_caller(signature.get(), part.thought);
                model.details.push_str(&with_text(&detail, model.reasoning.get(model.signed..).unwrap_or_default()));
                model.signed = model.reasoning.len();
            }
        }
        self.model = Some(model);
        Ok(())
    }

    fn call(&mut self, out: &mut String, call: &Fields<'a>, signature: Option<Escaped<'_>>, path: &str) -> Result<()> {
        part::only(call, &["id", "name", "args"], path)?;
        let name_path = join(path, "name");
        let name = given(call, "name").ok_or_else(|| Error::invalid(&name_path, "must be a text"))?;
        let name = text(name, &name_path)?;
        let id = given(call, "id").map(|raw| text(raw, &join(path, "id"))).transpose()?.filter(|id| !id.is_empty());
        let id = id.map_or_else(|| ["call_", &decimal(self.called)].concat(), Cow::into_owned);
        let mut args = String::new();
        match given(call, "args") {
            Some(raw) => {
                plain(raw, &join(path, "args"))?;
                compact(&mut args, raw.get());
            }
            None => args.push_str("{}"),
        }
        comma(out);
        out.push_str("{\"id\":");
        push_text(out, &id);
        out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        push_text(out, &name);
        out.push_str(",\"arguments\":");
        push_text(out, &args);
        out.push('}');
        if let Some(signature) = signature {
            field(out, "extra_content", &signature::extra(&signature));
        }
        out.push('}');
        if self.calls.len() >= MOST_WAITING {
            return Err(Error::invalid(path, "is one of more than 1,024 calls that wait for a result").into());
        }
        self.calls.push(Call { id, name });
        self.called = self.called.saturating_add(1);
        Ok(())
    }

    /// Results of functions, each matched to its call: by the id, else the first of this name that waits.
    fn results(&mut self, parts: &[Part<'_>], path: &str) -> Result<()> {
        for (index, part) in parts.iter().enumerate() {
            let Kind::Response(response) = &part.kind else { continue };
            let path = join(&item(&join(path, "parts"), index), "functionResponse");
            part::only(response, &["id", "name", "response"], &path)?;
            let said = |name: &str| given(response, name).map(|raw| text(raw, &join(&path, name))).transpose();
            let (id, name) = (said("id")?, said("name")?);
            let by_id = |call: &Call<'_>| id.as_deref().is_some_and(|id| call.id == id);
            let by_name = |call: &Call<'_>| name.as_deref().is_some_and(|name| call.name == name);
            let call = self.calls.iter().position(by_id).or_else(|| self.calls.iter().position(by_name));
            let call = call.ok_or_else(|| Error::invalid(&path, "must answer a function call before it"))?;
            let call = self.calls.remove(call);
            let mut result = String::new();
            match given(response, "response") {
                Some(raw) => {
                    plain(raw, &join(&path, "response"))?;
                    compact(&mut result, raw.get());
                }
                None => result.push_str("{}"),
            }
            comma(&mut self.out);
            self.out.push_str("{\"role\":\"tool\",\"tool_call_id\":");
            push_text(&mut self.out, &call.id);
            self.out.push_str(",\"content\":");
            push_text(&mut self.out, &result);
            self.out.push('}');
        }
        Ok(())
    }

    /// Ends the model's message.
    fn close(&mut self) {
        let Some(model) = self.model.take() else { return };
        let out = &mut self.out;
        comma(out);
        out.push_str("{\"role\":\"assistant\"");
        if model.text.is_empty() && !model.calls.is_empty() {
            field(out, "content", "null");
        } else {
            escaped(out, "content", &model.text);
        }
        if !model.reasoning.is_empty() {
            escaped(out, "reasoning", &model.reasoning);
        }
        for (name, items) in [("reasoning_details", &model.details), ("tool_calls", &model.calls)] {
            if !items.is_empty() {
                field(out, name, "");
                push(out, &["[", items, "]"]);
            }
        }
        out.push('}');
    }
}

//! Messages as `contents` and `systemInstruction`.
//!
//! Instructions stand apart here, wherever in the conversation they were. Results of functions that follow
//! one another are one content: Gemini asks for as many results as there were calls. So is what the model says in
//! messages that follow one another: a call must come right after a user's turn.

use super::parts::{self, Images};
use crate::error::{Error, Result};
use crate::json::{self, Escaped, Fields, Raw, push_text};
use crate::provider::google::fields::{comma, escaped, field, given, item, join, known, lacking, plain, push, text};
use crate::provider::google::{signature, writer};

/// Writes the contents; gives whether the images are of low detail.
pub(super) fn encode(raw: Raw<'_>, model: &str, out: &mut String) -> Result<bool> {
    let mut contents = Contents {
        system: String::new(),
        out: String::from("["),
        calls: Vec::new(),
        open: "",
        images: Images::default(),
        stand_in: signature::is_asked_by(model),
    };
    let messages = json::items(raw.get()).map_err(|_| Error::invalid("messages", "must be a list"))?;
    for (index, raw) in messages.into_iter().enumerate() {
        let path = item("messages", index);
        let fields = plain(raw, &path)?;
        contents.message(&fields, &path)?;
    }
    contents.close();
    if contents.out == "[" {
        return Err(Error::invalid("messages", "must have one that is no system or developer message").into());
    }
    contents.out.push(']');
    field(out, "contents", &contents.out);
    if !contents.system.is_empty() {
        field(out, "systemInstruction", "");
        push(out, &["{\"parts\":[", &contents.system, "]}"]);
    }
    contents.images.are_low()
}

/// How many calls a result is looked for among: conversations have a handful between a call and its result, and a made-up
/// one of a hundred thousand would have all of them compared with all.
const MOST_CALLS: usize = 1_024;

struct Contents {
    system: String,
    out: String,
    /// Calls by id, with the function's name.
    calls: Vec<(String, String)>,
    /// Who speaks in the content that has begun: the model, or functions whose results it has (`user`). Empty: nobody.
    open: &'static str,
    images: Images,
    /// Whether this model refuses calls without a signature.
    stand_in: bool,
}

impl Contents {
    fn message(&mut self, fields: &Fields<'_>, path: &str) -> Result<()> {
        let role = fields.field("role").and_then(json::text).unwrap_or_default();
        let content_path = join(path, "content");
        let content = given(fields, "content");
        let said =
            || content.ok_or_else(|| Box::new(Error::invalid(&content_path, "must be a text or a list of parts")));
        match role.as_ref() {
            "system" | "developer" => {
                known(fields, &["role", "content", "cache_control"], path)?;
                parts::content(said()?, &content_path, None, &mut self.system)
            }
            "user" => {
                known(fields, &["role", "content", "cache_control"], path)?;
                let mut own = String::new();
                parts::content(said()?, &content_path, Some(&mut self.images), &mut own)?;
                if own.is_empty() {
                    return Err(Error::invalid(&content_path, "must not be empty").into());
                }
                self.close();
                self.push("user", &own);
                self.close();
                Ok(())
            }
            "assistant" => self.assistant(fields, content, path),
            "tool" => {
                known(fields, &["role", "content", "cache_control", "tool_call_id", "name"], path)?;
                let id_path = join(path, "tool_call_id");
                let id = text(given(fields, "tool_call_id").ok_or_else(|| Error::invalid(&id_path, MUST))?, &id_path)?;
                let call = self.calls.iter().rev().take(MOST_CALLS).find(|(own, _)| *own == id);
                let (_, name) = call.ok_or_else(|| Error::invalid(&id_path, "must name a call before it"))?;
                let mut part = String::from("{\"functionResponse\":{\"id\":");
                push_text(&mut part, &id);
                part.push_str(",\"name\":");
                push_text(&mut part, name);
                part.push_str(",\"response\":");
                parts::result(&parts::texts(said()?, &content_path)?, &mut part);
                part.push_str("}}");
                self.push("user", &part);
                Ok(())
            }
            _ => Err(Error::invalid(&join(path, "role"), "must be system, developer, user, assistant or tool").into()),
        }
    }

    fn assistant(&mut self, fields: &Fields<'_>, content: Option<Raw<'_>>, path: &str) -> Result<()> {
        let (mut own, mut reasoned) = (String::new(), false);
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            match name {
                "role" | "content" | "refusal" | "reasoning_details" | "tool_calls" | "cache_control" => {}
                // What an answer said beside itself is no part of the conversation.
                "annotations" => {}
                // Two names for the same text.
                "reasoning" | "reasoning_content" => {
                    let inner = Escaped::of(raw).ok_or_else(|| Error::invalid(&join(path, name), MUST))?;
                    if !reasoned && !inner.is_empty() {
                        writer::text(&mut own, inner.get(), true);
                        reasoned = true;
                    }
                }
                _ => return Err(lacking(&join(path, name))),
            }
        }
        for raw in [content, given(fields, "refusal")].into_iter().flatten() {
            parts::content(raw, &join(path, "content"), None, &mut own)?;
        }
        if let Some(details) = given(fields, "reasoning_details") {
            let path = join(path, "reasoning_details");
            for detail in json::items(details.get()).map_err(|_| Error::invalid(&path, "must be a list"))? {
                signature::push_own(&mut own, detail.get());
            }
        }
        if let Some(calls) = given(fields, "tool_calls") {
            let path = join(path, "tool_calls");
            let calls = json::items(calls.get()).map_err(|_| Error::invalid(&path, "must be a list"))?;
            // Of calls at the same time only the first is signed.
            let mut signed = !self.stand_in || calls.iter().any(|call| signature_of(*call).is_some());
            for (index, raw) in calls.into_iter().enumerate() {
                self.call(raw, &item(&path, index), !signed, &mut own)?;
                signed = true;
            }
        }
        // Who said nothing has no content.
        if !own.is_empty() {
            self.push("model", &own);
        }
        Ok(())
    }

    fn call(&mut self, raw: Raw<'_>, path: &str, stand_in: bool, out: &mut String) -> Result<()> {
        let call = plain(raw, path)?;
        known(&call, &["id", "type", "index", "function", "extra_content", "cache_control"], path)?;
        let function_path = join(path, "function");
        let other = given(&call, "type").is_some_and(|kind| kind.get() != "\"function\"");
        let function = call.field("function").filter(|_| !other).ok_or_else(|| lacking(&join(path, "type")))?;
        let function = plain(function, &function_path)?;
        known(&function, &["name", "arguments"], &function_path)?;
        let read = |fields: &Fields<'_>, name: &str, path: &str| {
            let raw = given(fields, name).and_then(json::text);
            raw.map(String::from).ok_or_else(|| Box::new(Error::invalid(&join(path, name), MUST)))
        };
        let (id, name) = (read(&call, "id", path)?, read(&function, "name", &function_path)?);
        comma(out);
        out.push_str("{\"functionCall\":{\"id\":");
        push_text(out, &id);
        out.push_str(",\"name\":");
        push_text(out, &name);
        out.push_str(",\"args\":");
        parts::arguments(given(&function, "arguments"), &join(&function_path, "arguments"), out)?;
        out.push('}');
        if let Some(signature) = signature_of(raw).or_else(|| stand_in.then(|| signature::STAND_IN.into())) {
            escaped(out, "thoughtSignature", &signature);
        }
        out.push('}');
        self.calls.push((id, name));
        Ok(())
    }

    /// Appends parts to the content of this role.
    fn push(&mut self, role: &'static str, parts: &str) {
        if self.open != role {
            self.close();
            comma(&mut self.out);
            push(&mut self.out, &["{\"role\":\"", role, "\",\"parts\":["]);
            self.open = role;
        }
        comma(&mut self.out);
        self.out.push_str(parts);
    }

    /// Ends the content.
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.out.push_str("]}");
            self.open = "";
        }
    }
}

const MUST: &str = "must be a text";

fn signature_of(call: Raw<'_>) -> Option<String> {
    signature::of_extra(json::fields(call.get()).ok()?.field("extra_content")?.get())
}

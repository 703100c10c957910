//! From input items to chat messages. What the model said in one turn (reasoning, a message, calls) is one
//! message there.

use super::super::carry::{self, Carried};
use super::super::write::{item, member, push_all, quoted, separate};
use super::tools::{in_small_letters, name_of, tools};
use super::{TEXT, UNKNOWN, at, is_text, list, object, only, said, text_of};
use crate::chat::with_text;
use crate::error::{Error, Result};
use crate::json::{self, Escaped, Fields, Raw, push_text};

/// How far back what must go back with a call is looked for.
const MOST_EXTRAS: usize = 128;

/// Calls of tools that the client runs, though they are neither functions nor `custom`, and what came of them.
const OTHER_CALLS: [&str; 4] = ["tool_search_call", "local_shell_call", "shell_call", "apply_patch_call"];
const OTHER_RESULTS: [&str; 4] =
    ["tool_search_output", "local_shell_call_output", "shell_call_output", "apply_patch_call_output"];

/// Chat messages in the making.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Messages that are whole, with commas between.
    out: String,
    /// The turn of the model that is being read.
    turn: Turn,
    /// What must go back with calls that come later: their ids, a JSON object.
    extras: Vec<(String, String)>,
    /// Tools that came with the request or in the conversation, with commas between.
    pub(super) tools: String,
}

/// What the model said until somebody else speaks. Everything is JSON text with commas between.
#[derive(Debug, Default)]
struct Turn {
    /// Escaped.
    reasoning: String,
    details: String,
    parts: String,
    /// The text of the only part.
    only: Option<String>,
    calls: String,
}

impl Messages {
    /// A system message.
    pub(super) fn system(&mut self, content: Raw<'_>) {
        self.message("system", None, content.get());
    }

    /// Reads `input`.
    pub(super) fn read(&mut self, input: Raw<'_>) -> Result<()> {
        if is_text(input) {
            self.message("user", None, input.get());
            return Ok(());
        }
        let items =
            json::items(input.get()).map_err(|_| Error::invalid("input", "must be a text or a list of items"))?;
        if items.is_empty() {
            return Err(Error::invalid("input", "must have at least one item").into());
        }
        items.into_iter().enumerate().try_for_each(|(index, raw)| self.item(raw, &at("input", index, "")))
    }

    /// The list of messages, and the tools.
    pub(super) fn finish(mut self) -> (String, String) {
        self.flush();
        (["[", &self.out, "]"].concat(), self.tools)
    }

    fn item(&mut self, raw: Raw<'_>, path: &str) -> Result<()> {
        let fields = object(raw, path)?;
        let kind = match said(&fields, "type") {
            Some(_) => json::text(text_of(&fields, "type", path)?).unwrap_or_default(),
            None => "message".into(),
        };
        let kind_path = || [path, ".type"].concat();
        match kind.as_ref() {
            "message" => self.said(&fields, path),
            own @ ("function_call" | "custom_tool_call") => {
                let (kind, input) =
                    if own == "function_call" { ("function", "arguments") } else { ("custom", "input") };
                only(&fields, &["type", "id", "status", "call_id", "name", "namespace", input], path)?;
                let name = name_of(&fields, path)?;
                let given = ["\",\"", input, "\":", text_of(&fields, input, path)?.get()].concat();
                self.call(text_of(&fields, "call_id", path)?, kind, &name, &given);
                Ok(())
            }
            "function_call_output" => self.result(&fields, path),
            "reasoning" => self.reasoning(&fields, path),
            "additional_tools" => {
                only(&fields, &["type", "id", "role", "tools"], path)?;
                let path = [path, ".tools"].concat();
                let raw = said(&fields, "tools").ok_or_else(|| Error::invalid(&path, "must be a list"))?;
                tools(raw, &path, &mut self.tools)
            }
            "custom_tool_call_output" => self.result(&fields, path),
            // All but OpenAI refuse what comes before it, so nobody reads more of it than how long it is.
            own if OTHER_CALLS.contains(&own) => {
                in_small_letters(&fields, path)?;
                let input = ["\",\"input\":", raw.get()].concat();
                self.call(text_of(&fields, "call_id", path)?, "custom", own, &input);
                Ok(())
            }
            own if OTHER_RESULTS.contains(&own) => {
                in_small_letters(&fields, path)?;
                // What was found may be called.
                if let Some(raw) = said(&fields, "tools") {
                    tools(raw, &[path, ".tools"].concat(), &mut self.tools)?;
                }
                let mut content = String::new();
                push_text(&mut content, raw.get());
                self.message("tool", Some(text_of(&fields, "call_id", path)?), &content);
                Ok(())
            }
            "item_reference" => {
                let problem =
                    "must be a whole item: what OpenAI stored is not here. Clients send items when `store` is false";
                Err(Error::invalid(&kind_path(), problem).into())
            }
            _ => Err(Error::invalid(&kind_path(), UNKNOWN).into()),
        }
    }

    fn said(&mut self, fields: &Fields<'_>, path: &str) -> Result<()> {
        only(fields, &["type", "id", "status", "role", "content", "phase"], path)?;
        let role = json::text(text_of(fields, "role", path)?);
        let content = content(fields, "content", path)?;
        match role.as_deref() {
            Some("assistant") => self.answer(content),
            Some("user") => self.message("user", None, &content.json()),
            // To other providers the two are one.
            Some("system" | "developer") => self.message("system", None, &content.json()),
            _ => {
                let problem = "must be user, assistant, system or developer";
                return Err(Error::invalid(&[path, ".role"].concat(), problem).into());
            }
        }
        Ok(())
    }

    fn answer(&mut self, content: Content) {
        self.next_turn();
        if content.parts.is_empty() {
            return;
        }
        self.turn.only = content.only.filter(|_| self.turn.parts.is_empty());
        item(&mut self.turn.parts, &content.parts);
    }

    /// Something that may begin another turn: it does if the last one has its text and waits for no results.
    fn next_turn(&mut self) {
        if !self.turn.parts.is_empty() && self.turn.calls.is_empty() {
            self.flush();
        }
    }

    /// A call of a tool by its name, escaped, with what stands behind that.
    fn call(&mut self, id: Raw<'_>, kind: &str, name: &str, given: &str) {
        let calls = &mut self.turn.calls;
        separate(calls);
        push_all(
            calls,
            &["{\"id\":", id.get(), ",\"type\":\"", kind, "\",\"", kind, "\":{\"name\":\"", name, given, "}"],
        );
        let id = Escaped::of(id).unwrap_or_default();
        // It stands right before its call, and those of one turn are few: whoever sends a hundred thousand of each would
        // have all of them compared with all.
        if let Some((_, extra)) = self.extras.iter().rev().take(MOST_EXTRAS).find(|(call, _)| call == id.get()) {
            member(calls, "extra_content", extra);
        }
        calls.push('}');
    }

    /// What came of a call.
    fn result(&mut self, fields: &Fields<'_>, path: &str) -> Result<()> {
        only(fields, &["type", "id", "status", "call_id", "output", "name"], path)?;
        let call = text_of(fields, "call_id", path)?;
        let content = content(fields, "output", path)?;
        self.message("tool", Some(call), &content.json());
        Ok(())
    }

    fn reasoning(&mut self, fields: &Fields<'_>, path: &str) -> Result<()> {
        only(fields, &["type", "id", "status", "summary", "content", "encrypted_content"], path)?;
        let id = fields.field("id").and_then(Escaped::of).unwrap_or_default();
        let carried = match said(fields, "encrypted_content") {
            Some(_) => Escaped::of(text_of(fields, "encrypted_content", path)?).map(|own| carry::read(&own, &id)),
            None => None,
        };
        let mut said_here = String::new();
        for name in ["content", "summary"] {
            let Some(raw) = said(fields, name) else { continue };
            let path = [path, ".", name].concat();
            for (index, part) in list(raw, &path)?.into_iter().enumerate() {
                let path = at(&path, index, "");
                let part = object(part, &path)?;
                only(&part, &["type", "text"], &path)?;
                let text = Escaped::of(text_of(&part, "text", &path)?).unwrap_or_default();
                paragraph(&mut said_here, text.get());
            }
        }
        let detail = match carried {
            Some(Carried::Extra { call, extra }) => {
                self.extras.push((call, extra));
                // An item of ours that only brings this along: no word of the model.
                if said_here.is_empty() {
                    return Ok(());
                }
                None
            }
            Some(Carried::Detail(detail)) => Some(detail),
            None => None,
        };
        self.next_turn();
        if let Some(detail) = detail {
            item(&mut self.turn.details, &with_text(&detail, &said_here));
        }
        paragraph(&mut self.turn.reasoning, &said_here);
        Ok(())
    }

    /// A message of somebody else ends the model's turn.
    fn message(&mut self, role: &str, call: Option<Raw<'_>>, content: &str) {
        self.flush();
        let out = &mut self.out;
        separate(out);
        out.push('{');
        quoted(out, "role", role);
        if let Some(call) = call {
            member(out, "tool_call_id", call.get());
        }
        member(out, "content", content);
        out.push('}');
    }

    fn flush(&mut self) {
        let turn = core::mem::take(&mut self.turn);
        if turn.reasoning.is_empty() && turn.details.is_empty() && turn.parts.is_empty() && turn.calls.is_empty() {
            return;
        }
        let out = &mut self.out;
        separate(out);
        out.push('{');
        quoted(out, "role", "assistant");
        match (&turn.only, turn.parts.is_empty()) {
            (Some(text), _) => member(out, "content", text),
            (None, true) => member(out, "content", "null"),
            (None, false) => member(out, "content", &["[", &turn.parts, "]"].concat()),
        }
        if !turn.reasoning.is_empty() {
            quoted(out, "reasoning", &turn.reasoning);
        }
        for (name, list) in [("reasoning_details", &turn.details), ("tool_calls", &turn.calls)] {
            if !list.is_empty() {
                member(out, name, &["[", list, "]"].concat());
            }
        }
        out.push('}');
    }
}

/// Appends a paragraph of reasoning: parts of a summary are such.
fn paragraph(out: &mut String, text: &str) {
    if !out.is_empty() && !text.is_empty() {
        out.push_str("\\n\\n");
    }
    out.push_str(text);
}

/// Content in the form of chat completions.
struct Content {
    /// Parts with commas between.
    parts: String,
    /// The only part, if it is a text: not every provider reads lists.
    only: Option<String>,
}

impl Content {
    fn json(&self) -> String {
        self.only.clone().unwrap_or_else(|| ["[", &self.parts, "]"].concat())
    }
}

fn content(fields: &Fields<'_>, name: &str, path: &str) -> Result<Content> {
    let path = [path, ".", name].concat();
    let raw = fields.field(name).ok_or_else(|| Error::invalid(&path, "must be a text or a list of parts"))?;
    let (mut parts, mut only) = (String::new(), None);
    if is_text(raw) {
        push_text_part(&mut parts, raw);
        return Ok(Content { parts, only: Some(raw.get().into()) });
    }
    let items = json::items(raw.get()).map_err(|_| Error::invalid(&path, "must be a text or a list of parts"))?;
    for (index, raw) in items.into_iter().enumerate() {
        let text = part(raw, &at(&path, index, ""), &mut parts)?;
        only = text.filter(|_| index == 0).map(|text| text.get().into());
    }
    Ok(Content { parts, only })
}

fn push_text_part(out: &mut String, text: Raw<'_>) {
    separate(out);
    push_all(out, &["{\"type\":\"text\",\"text\":", text.get(), "}"]);
}

/// Appends one part; its text, if it is one.
fn part<'a>(raw: Raw<'a>, path: &str, out: &mut String) -> Result<Option<Raw<'a>>> {
    /// Hints: a cache mark, what was known of earlier answers.
    const HINTS: [&str; 4] = ["type", "prompt_cache_breakpoint", "annotations", "logprobs"];
    let part = object(raw, path)?;
    let known = |names: &[&str]| only(&part, &[&HINTS, names].concat(), path);
    let fail = |name: &str, problem| Err(Error::invalid(&[path, ".", name].concat(), problem).into());
    match json::text(text_of(&part, "type", path)?).as_deref() {
        Some("input_text" | "output_text" | "text") => {
            known(&["text"])?;
            let text = text_of(&part, "text", path)?;
            push_text_part(out, text);
            return Ok(Some(text));
        }
        Some("refusal") => {
            known(&["refusal"])?;
            separate(out);
            push_all(out, &["{\"type\":\"refusal\",\"refusal\":", text_of(&part, "refusal", path)?.get(), "}"]);
        }
        Some("input_image") => {
            if said(&part, "file_id").is_some() {
                return fail("file_id", "must be absent: give the image in `image_url`");
            }
            known(&["image_url", "detail"])?;
            separate(out);
            push_all(
                out,
                &["{\"type\":\"image_url\",\"image_url\":{\"url\":", text_of(&part, "image_url", path)?.get()],
            );
            if let Some(detail) = said(&part, "detail") {
                if !is_text(detail) {
                    return fail("detail", TEXT);
                }
                member(out, "detail", detail.get());
            }
            out.push_str("}}");
        }
        Some("input_file") => {
            if said(&part, "file_url").is_some() {
                return fail("file_url", "must be absent: give the file in `file_data`");
            }
            known(&["file_id", "file_data", "filename"])?;
            separate(out);
            out.push_str("{\"type\":\"file\",\"file\":{");
            for name in ["file_id", "file_data", "filename"] {
                if said(&part, name).is_some() {
                    member(out, name, text_of(&part, name, path)?.get());
                }
            }
            out.push_str("}}");
        }
        Some("input_audio") => {
            known(&["input_audio"])?;
            let audio = said(&part, "input_audio").filter(|audio| json::fields(audio.get()).is_ok());
            let Some(audio) = audio else { return fail("input_audio", "must be an object") };
            separate(out);
            push_all(out, &["{\"type\":\"input_audio\",\"input_audio\":", audio.get(), "}"]);
        }
        _ => return fail("type", UNKNOWN),
    }
    Ok(None)
}

//! Streams.

mod encode;
mod output;

pub use encode::StreamEncoder;

use super::read::{self, Kind, Place, Reader};
use super::write::member;
use crate::chat::Delta;
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::Malformed;

/// Reads a stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamDecoder {
    reader: Reader,
    started: bool,
    finished: bool,
    failed: bool,
    /// Ids of items without an index, as some servers leave them.
    ids: Vec<String>,
    /// The item that began last, for events that do not say theirs.
    current: u64,
}

/// The first index of items that came without one.
const UNNUMBERED: u64 = 1 << 19;
/// Items that may come without an index.
const MOST: usize = 1024;

impl StreamDecoder {
    pub(in crate::provider) fn new(provider: &str) -> Self {
        Self { reader: Reader::new(provider), ..Self::default() }
    }

    pub(in crate::provider) fn event(
        &mut self,
        name: &str,
        data: &str,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if data.trim() == "[DONE]" {
            return Ok(());
        }
        let fields = json::fields(data).map_err(|_| Malformed)?;
        // A failure may be told twice: as an error, then as the failed response.
        if self.finished || self.failed {
            return Ok(());
        }
        let own = fields.field("type").and_then(json::text);
        let kind = own.as_deref().unwrap_or(name);
        let response = fields.field("response").and_then(|raw| json::fields(raw.get()).ok());
        if let Some(response) = response.as_ref().filter(|_| !self.started) {
            self.started = true;
            read::start(response, sink);
        }
        match (kind, response) {
            ("response.completed", Some(response)) => self.end(&response, false, sink),
            ("response.incomplete", Some(response)) => self.end(&response, true, sink),
            ("response.failed" | "response.cancelled", Some(response)) => {
                self.failed = true;
                failed(&response, sink);
                Ok(())
            }
            (kind, _) => self.output(kind, data, &fields, sink),
        }
    }

    /// An event about the output, or an error; others say nothing that is needed.
    fn output(
        &mut self,
        kind: &str,
        data: &str,
        fields: &Fields<'_>,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let of = |kind, part: &str, text: &str, whole| Some((kind, fields.field(part), fields.field(text), whole));
        let text = match kind {
            "response.output_text.delta" => of(Kind::Text, "content_index", "delta", false),
            "response.output_text.done" => of(Kind::Text, "content_index", "text", true),
            "response.refusal.delta" => of(Kind::Refusal, "content_index", "delta", false),
            "response.refusal.done" => of(Kind::Refusal, "content_index", "refusal", true),
            "response.reasoning_text.delta" => of(Kind::Thought, "content_index", "delta", false),
            "response.reasoning_text.done" => of(Kind::Thought, "content_index", "text", true),
            "response.reasoning_summary_text.delta" => of(Kind::Summary, "summary_index", "delta", false),
            "response.reasoning_summary_text.done" => of(Kind::Summary, "summary_index", "text", true),
            "response.function_call_arguments.delta" => of(Kind::Arguments, "", "delta", false),
            "response.function_call_arguments.done" => of(Kind::Arguments, "", "arguments", true),
            _ => None,
        };
        let item = self.item(fields)?;
        if let Some((kind, part, text, whole)) = text {
            let text = match text.and_then(Escaped::of) {
                Some(text) => text,
                // Some servers say that it is done, but not again what.
                None if whole => return Ok(()),
                None => return Err(Malformed),
            };
            return self.reader.text(Place { kind, item, part: index(part, 0)? }, text, whole, sink);
        }
        match kind {
            "response.output_item.added" => {
                self.current = item;
                self.reader.item(item, fields.field("item").ok_or(Malformed)?, false, sink)
            }
            "response.output_item.done" => self.reader.item(item, fields.field("item").ok_or(Malformed)?, true, sink),
            "response.content_part.done" => {
                let part = index(fields.field("content_index"), 0)?;
                self.reader.part(item, part, fields.field("part").ok_or(Malformed)?, sink)
            }
            "response.reasoning_summary_part.done" => {
                let part = index(fields.field("summary_index"), 0)?;
                self.reader.part(item, part, fields.field("part").ok_or(Malformed)?, sink)
            }
            "response.output_text.annotation.added" => {
                let part = index(fields.field("content_index"), 0)?;
                self.reader.unmapped(item, part, "annotations", sink)
            }
            "" | "error" => {
                let body = match fields.field("error").filter(|error| error.get() != "null") {
                    Some(_) => data.into(),
                    // The documented form has code and message at the top.
                    None if kind == "error" => ["{\"error\":", data, "}"].concat().into(),
                    None => return Err(Malformed),
                };
                self.failed = true;
                sink(Delta::Failed { body });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Which item an event is about: by its index, else by its id, else the one that began last.
    fn item(&mut self, fields: &Fields<'_>) -> Result<u64, Malformed> {
        if let Some(raw) = fields.field("output_index").filter(|raw| raw.get() != "null") {
            return json::uint(raw).ok_or(Malformed);
        }
        let item = fields.field("item").and_then(|raw| json::fields(raw.get()).ok());
        let id = fields.field("item_id").or_else(|| item.as_ref()?.field("id")).and_then(Escaped::of);
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(self.current) };
        let known = self.ids.iter().position(|known| known == id.get());
        let index = known.unwrap_or(self.ids.len());
        if known.is_none() {
            if index >= MOST {
                return Err(Malformed);
            }
            self.ids.push(id.get().into());
        }
        Ok(UNNUMBERED.saturating_add(index as u64))
    }

    fn end(
        &mut self,
        response: &Fields<'_>,
        incomplete: bool,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        // A server that streams nothing but the whole response at its end.
        if let Some(output) = response.field("output").filter(|raw| self.reader.is_empty() && raw.get() != "null") {
            for (index, item) in (0u64..).zip(json::items(output.get()).map_err(|_| Malformed)?) {
                self.reader.item(index, item, true, sink)?;
            }
        }
        self.reader.conclude(response, incomplete, sink);
        self.finished = true;
        sink(Delta::End);
        Ok(())
    }

    /// The terminal event is demanded.
    pub(in crate::provider) const fn is_finished(&self) -> bool {
        self.finished
    }
}

/// An index that is there must be one.
fn index(raw: Option<Raw<'_>>, otherwise: u64) -> Result<u64, Malformed> {
    match raw.filter(|raw| raw.get() != "null") {
        Some(raw) => json::uint(raw).ok_or(Malformed),
        None => Ok(otherwise),
    }
}

/// The error of a failed response, with its usage beside it: then it is billed.
fn failed(response: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    if let Some(usage) = read::usage(response) {
        sink(Delta::Usage { usage, cost: None });
    }
    let mut body = String::from("{");
    let said = |name: &str| response.field(name).map(Raw::get).filter(|raw| *raw != "null");
    member(&mut body, "error", said("error").unwrap_or("{\"code\":\"server_error\",\"message\":\"failed\"}"));
    if let Some(usage) = said("usage") {
        member(&mut body, "usage", usage);
    }
    body.push('}');
    sink(Delta::Failed { body: body.into() });
}

//! Streams. Each event is a `GenerateContentResponse` of its own; there is no terminal event, the stream's end
//! is the end.

use std::borrow::Cow;

use super::fields::{given, push};
use super::reader::Reader;
use super::{signature, writer};
use crate::chat::{Delta, Finish, ToolCall, Usage};
use crate::error::Error;
use crate::json::{self, push_text};
use crate::provider::{Malformed, Stamp};

/// Answers and calls that one stream has at most: what is beyond is left out.
const MOST: usize = 128;

/// Bytes of arguments that are read to see whether they are whole, at each piece that comes between theirs. Behind that
/// they are written at the end.
const MOST_READ: usize = 4 << 20;

/// Reads a stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamDecoder {
    reader: Reader,
}

impl StreamDecoder {
    pub(in crate::provider) fn event(
        &mut self,
        name: &str,
        data: &str,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let data = data.trim();
        // Google sends none; servers that imitate it do.
        if data == "[DONE]" {
            sink(Delta::End);
            return Ok(());
        }
        // An error may stand in a list: the form of a stream that is no stream of events.
        let first = json::items(data).ok().and_then(|items| items.first().copied());
        let data = first.map_or(data, json::Raw::get);
        let fields = json::fields(data);
        if fields.as_ref().is_ok_and(|fields| given(fields, "error").is_some()) {
            sink(Delta::Failed { body: Cow::Borrowed(data) });
            return Ok(());
        }
        if name == "error" {
            let mut body = String::from("{\"error\":");
            if fields.is_ok() {
                body.push_str(data);
            } else {
                push_text(&mut body, data);
            }
            body.push('}');
            sink(Delta::Failed { body: body.into() });
            return Ok(());
        }
        self.reader.response(&fields.map_err(|_| Malformed)?, sink).ok_or(Malformed)
    }

    pub(in crate::provider) fn is_finished(&self) -> bool {
        self.reader.is_finished()
    }

    pub(in crate::provider) const fn is_refused(&self) -> bool {
        self.reader.is_refused()
    }
}

/// Writes a stream. Function calls are written only whole, because few clients put arguments together; the
/// finish reasons and the usage come last, in one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEncoder {
    id: String,
    model: String,
    choices: Vec<Candidate>,
    usage: Option<Usage>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Candidate {
    /// Calls by their index; `None` for those that are written.
    calls: Vec<Option<ToolCall>>,
    /// Bytes of arguments that were read before they were whole.
    read: usize,
    /// A call was left out because its arguments are no JSON object.
    malformed: bool,
    finish: Option<Finish>,
}

impl StreamEncoder {
    pub(in crate::provider) const fn new(_stamp: Stamp) -> Self {
        Self { id: String::new(), model: String::new(), choices: Vec::new(), usage: None }
    }

    pub(in crate::provider) fn push(&mut self, delta: &Delta<'_>, out: &mut String) {
        match delta {
            Delta::Start { id, model } => {
                if self.id.is_empty() && self.model.is_empty() {
                    self.id = id.get().into();
                    self.model = model.get().into();
                }
            }
            Delta::Text { choice, text } | Delta::Refusal { choice, text } => {
                self.text(*choice, text.get(), false, out)
            }
            Delta::Reasoning { choice, text } => self.text(*choice, text.get(), true, out),
            Delta::ReasoningDetail { choice, item } => {
                let mut parts = String::new();
                signature::push_any(&mut parts, item);
                self.event(*choice, &parts, out);
            }
            Delta::ToolCall { choice, index, id, name, extra } => {
                self.calls(*choice, false, out);
                if let Some(call) = self.call(*choice, *index) {
                    let arguments = std::mem::take(&mut call.arguments);
                    let extra = extra.as_deref().map(String::from);
                    *call = ToolCall { id: id.get().into(), name: name.get().into(), arguments, extra };
                }
            }
            Delta::ToolArguments { choice, index, json } => {
                if let Some(call) = self.call(*choice, *index) {
                    call.arguments.push_str(json.get());
                }
            }
            Delta::Finish { choice, reason } => {
                self.calls(*choice, true, out);
                if let Some(own) = self.at(*choice) {
                    own.finish = Some(*reason);
                }
            }
            Delta::Usage { usage, .. } => self.usage = Some(*usage),
            Delta::End => self.end(out),
            Delta::Dearer { .. } | Delta::Failed { .. } | Delta::Unmapped(_) => {}
        }
    }

    fn at(&mut self, choice: u32) -> Option<&mut Candidate> {
        let place = usize::try_from(choice).ok().filter(|place| *place < MOST)?;
        while self.choices.len() <= place {
            self.choices.push(Candidate::default());
        }
        self.choices.get_mut(place)
    }

    /// A call that is not written yet.
    fn call(&mut self, choice: u32, index: u32) -> Option<&mut ToolCall> {
        let place = usize::try_from(index).ok().filter(|place| *place < MOST)?;
        let calls = &mut self.at(choice)?.calls;
        while calls.len() <= place {
            calls.push(Some(ToolCall::default()));
        }
        calls.get_mut(place)?.as_mut()
    }

    fn text(&mut self, choice: u32, inner: &str, thought: bool, out: &mut String) {
        if !inner.is_empty() {
            self.calls(choice, false, out);
            let mut parts = String::new();
            writer::text(&mut parts, inner, thought);
            self.event(choice, &parts, out);
        }
    }

    /// Writes the calls that are complete, in order. Until the end (`all`) one whose arguments are no object
    /// yet waits, and so do those after it: some providers mix the pieces of several calls.
    fn calls(&mut self, choice: u32, all: bool, out: &mut String) {
        let Some(own) = self.at(choice) else { return };
        let mut parts = String::new();
        for slot in &mut own.calls {
            let Some(call) = slot else { continue };
            // A call may have no arguments, but that none come is known only at the end.
            let begun = all || own.read <= MOST_READ && call.arguments.contains('}');
            let args = if begun && !call.name.is_empty() {
                own.read = own.read.saturating_add(call.arguments.len());
                writer::arguments(&call.arguments)
            } else {
                None
            };
            match args {
                // Clients keep each event as a content of its own, and the first call of each wants a signature.
                Some(args) => {
                    let marked = parts.is_empty();
                    writer::call(&mut parts, call, &args, marked);
                }
                None if all => own.malformed |= *call != ToolCall::default(),
                None => break,
            }
            *slot = None;
        }
        if !parts.is_empty() {
            self.event(choice, &parts, out);
        }
    }

    fn event(&mut self, choice: u32, parts: &str, out: &mut String) {
        if self.at(choice).is_some() {
            out.push_str("data: {\"candidates\":[");
            writer::candidate(out, choice, parts, None);
            out.push(']');
            writer::tail(out, None, &self.model, &self.id);
            out.push_str("\n\n");
        }
    }

    fn end(&mut self, out: &mut String) {
        for choice in 0..u32::try_from(self.choices.len()).unwrap_or(0) {
            self.calls(choice, true, out);
        }
        out.push_str("data: {\"candidates\":[");
        for (index, choice) in (0u32..).zip(&self.choices) {
            let reason = writer::reason(choice.finish, choice.malformed);
            writer::candidate(out, index, "{\"text\":\"\"}", Some(reason));
        }
        out.push(']');
        writer::tail(out, self.usage.take().as_ref(), &self.model, &self.id);
        out.push_str("\n\n");
        self.choices.clear();
    }

    /// Google's clients raise an `ApiError` for an event with an `error` whose `code` is from 400 to 599.
    #[expect(clippy::unused_self, reason = "the same shape in every dialect")]
    pub(in crate::provider) fn error(&mut self, _error: &Error, body: &str, out: &mut String) {
        push(out, &["data: ", body, "\n\n"]);
    }
}

#[cfg(test)]
mod tests;

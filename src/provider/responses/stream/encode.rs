//! Written streams. The whole answer is kept, because the last event repeats it.
//!
//! The order of events is the one that OpenAI documents
//! (developers.openai.com/api/reference/resources/responses/streaming-events) and that its client checks: an
//! item is added before anything is said about it, a part before its text, and all are done before the end.

use super::output::{Item, Kind, Part, push_part, push_summary, push_usage};
use crate::chat::{Completion, Delta, Finish, MOST_CALLS, Usage};
use crate::error::Error;
use crate::provider::Stamp;
use crate::record::push_int;

use super::super::carry;
use super::super::namespace::push_name;
use super::super::write::push_all;

/// Items of one answer: each is looked for among all others, and all are kept until the end.
const MOST_ITEMS: usize = 1_024;

/// Writes a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEncoder {
    stamp: Stamp,
    id: String,
    model: String,
    /// Number of the next event.
    sequence: u64,
    begun: bool,
    ended: bool,
    /// Only the whole answer is wanted.
    silent: bool,
    items: Vec<Item>,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl StreamEncoder {
    pub(in crate::provider) const fn new(stamp: Stamp) -> Self {
        Self {
            stamp,
            id: String::new(),
            model: String::new(),
            sequence: 0,
            begun: false,
            ended: false,
            silent: false,
            items: Vec::new(),
            finish: None,
            usage: None,
        }
    }

    /// Whether it has more items than an answer has.
    pub(in crate::provider) const fn is_full(&self) -> bool {
        self.items.len() > MOST_ITEMS
    }

    /// The response object that ends the stream of this answer.
    pub(in crate::provider::responses) fn body(&mut self, completion: &Completion) -> String {
        self.silent = true;
        let mut none = String::new();
        completion.deltas(&mut |delta| self.push(&delta, &mut none));
        self.response(self.outcome())
    }

    /// There is one answer to a request in this dialect: pieces of others are left out.
    pub(in crate::provider) fn push(&mut self, delta: &Delta<'_>, out: &mut String) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } if !self.begun => {
                self.id = id.get().into();
                self.model = model.get().into();
                self.begin(out);
            }
            Delta::Text { choice: 0, text } => self.text(false, text.get(), out),
            Delta::Refusal { choice: 0, text } => self.text(true, text.get(), out),
            Delta::Reasoning { choice: 0, text } => self.reasoning(text.get(), out),
            Delta::ReasoningDetail { choice: 0, item } => self.encrypted(carry::of_detail(item), out),
            Delta::ToolCall { choice: 0, index, id, name, extra } => {
                if let Some(extra) = extra {
                    self.encrypted(carry::of_extra(id.get(), extra), out);
                }
                self.call(*index, id.get(), name.get(), out);
            }
            Delta::ToolArguments { choice: 0, index, json } => self.arguments(*index, json.get(), out),
            Delta::Finish { choice: 0, reason } => {
                self.finish = Some(*reason);
                self.close_all(out);
            }
            Delta::Usage { usage, .. } => self.usage = Some(*usage),
            Delta::End => self.end(out),
            _ => {}
        }
    }

    /// OpenAI's client raises an `APIError` for an event of this name, the AI SDK gives an error part.
    pub(in crate::provider) fn error(&mut self, _error: &Error, body: &str, out: &mut String) {
        let members = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).unwrap_or("");
        self.event("error", &[",", members], out);
        self.ended = true;
    }

    fn event(&mut self, name: &str, pieces: &[&str], out: &mut String) {
        if self.silent {
            return;
        }
        push_all(out, &["event: ", name, "\ndata: {\"type\":\"", name, "\",\"sequence_number\":"]);
        push_int(out, self.sequence);
        self.sequence = self.sequence.saturating_add(1);
        push_all(out, pieces);
        out.push_str("}\n\n");
    }

    fn begin(&mut self, out: &mut String) {
        if !self.begun {
            self.begun = true;
            for name in ["response.created", "response.in_progress"] {
                let response = self.response("in_progress");
                self.event(name, &[",\"response\":", &response], out);
            }
        }
    }

    fn end(&mut self, out: &mut String) {
        self.begin(out);
        self.close_all(out);
        self.ended = true;
        let status = self.outcome();
        let response = if self.silent { String::new() } else { self.response(status) };
        let name = if status == "completed" { "response.completed" } else { "response.incomplete" };
        self.event(name, &[",\"response\":", &response], out);
    }

    const fn outcome(&self) -> &'static str {
        match self.finish {
            Some(Finish::Length | Finish::ContentFilter | Finish::Other) => "incomplete",
            _ => "completed",
        }
    }

    /// The item that pieces of this kind belong to: the last one, if it is of this kind and open, else a new one.
    fn open(&mut self, kind: Kind, out: &mut String) -> usize {
        let last = self.items.len().saturating_sub(1);
        if self.items.get(last).is_some_and(|item| item.kind == kind && item.status == "in_progress") {
            return last;
        }
        self.begin(out);
        // Pieces of a call may still come, those of a text come in order.
        if self.items.get(last).is_some_and(|item| !matches!(item.kind, Kind::Call(_))) {
            self.close(last, "completed", out);
        }
        self.items.push(Item::new(kind, self.items.len(), &self.id));
        self.items.len().saturating_sub(1)
    }

    fn added(&mut self, index: usize, out: &mut String) {
        let Some(item) = self.items.get(index).filter(|_| !self.silent) else { return };
        let mut whole = String::new();
        item.write(&mut whole);
        let mut number = String::new();
        push_int(&mut number, index as u64);
        self.event("response.output_item.added", &[",\"output_index\":", &number, ",\"item\":", &whole], out);
    }

    /// Whether the item at `index` has just been opened: it has nothing in it yet.
    fn is_new(&self, index: usize) -> bool {
        self.items.get(index).is_some_and(|item| item.parts.is_empty() && item.encrypted.is_none())
    }

    fn text(&mut self, refusal: bool, text: &str, out: &mut String) {
        if text.is_empty() {
            return;
        }
        let index = self.open(Kind::Message, out);
        if self.is_new(index) {
            self.added(index, out);
        }
        let Some(item) = self.items.get(index) else { return };
        if item.parts.last().is_none_or(|part| part.refusal != refusal) {
            self.part_done(index, out);
            let Some(item) = self.items.get_mut(index) else { return };
            item.parts.push(Part { refusal, text: String::new() });
            self.part_event(index, "response.content_part.added", out);
        }
        let Some(item) = self.items.get_mut(index) else { return };
        item.extend(text);
        let (place, part) = (item.place.clone(), content_index(item));
        let (name, after) = if refusal {
            ("response.refusal.delta", "\"")
        } else {
            ("response.output_text.delta", "\",\"logprobs\":[]")
        };
        self.event(name, &[&place, &part, ",\"delta\":\"", text, after], out);
    }

    /// `response.content_part.added` or `.done` for the last part of a message.
    fn part_event(&mut self, index: usize, name: &str, out: &mut String) {
        let Some(item) = self.items.get(index).filter(|_| !self.silent) else { return };
        let Some(part) = item.parts.last() else { return };
        let mut whole = String::new();
        push_part(&mut whole, part);
        let (place, part) = (item.place.clone(), content_index(item));
        self.event(name, &[&place, &part, ",\"part\":", &whole], out);
    }

    /// The last part of a message is done, if there is one.
    fn part_done(&mut self, index: usize, out: &mut String) {
        let Some(item) = self.items.get(index).filter(|_| !self.silent) else { return };
        let Some(last) = item.parts.last() else { return };
        let (place, part, text) = (item.place.clone(), content_index(item), last.text.clone());
        if last.refusal {
            self.event("response.refusal.done", &[&place, &part, ",\"refusal\":\"", &text, "\""], out);
        } else {
            let pieces = [&place, &part, ",\"text\":\"", &text, "\",\"logprobs\":[]"];
            self.event("response.output_text.done", &pieces, out);
        }
        self.part_event(index, "response.content_part.done", out);
    }

    /// Reasoning is written as a summary: the AI SDK reads nothing else. One part is enough.
    fn reasoning(&mut self, text: &str, out: &mut String) {
        if text.is_empty() {
            return;
        }
        let index = self.open(Kind::Reasoning, out);
        if self.is_new(index) {
            self.added(index, out);
            self.summary_event(index, "response.reasoning_summary_part.added", "", out);
        }
        let Some(item) = self.items.get_mut(index) else { return };
        item.extend(text);
        let place = item.place.clone();
        let pieces = [&place, ",\"summary_index\":0,\"delta\":\"", text, "\""];
        self.event("response.reasoning_summary_text.delta", &pieces, out);
    }

    fn summary_event(&mut self, index: usize, name: &str, text: &str, out: &mut String) {
        let Some(item) = self.items.get(index) else { return };
        let mut part = String::new();
        push_summary(&mut part, text);
        let place = item.place.clone();
        self.event(name, &[&place, ",\"summary_index\":0,\"part\":", &part], out);
    }

    /// What must go back closes its item: the client takes it from the item that is done.
    fn encrypted(&mut self, encrypted: String, out: &mut String) {
        let index = self.open(Kind::Reasoning, out);
        if self.is_new(index) {
            self.added(index, out);
        }
        if let Some(item) = self.items.get_mut(index) {
            item.encrypted = Some(encrypted);
        }
        self.close(index, "completed", out);
    }

    fn call(&mut self, call: u32, id: &str, name: &str, out: &mut String) {
        // A provider that repeats the name with every piece begins no new call; and an answer with more than so many
        // is refused, whoever would read on.
        if call >= MOST_CALLS || self.items.iter().any(|item| item.kind == Kind::Call(call)) {
            return;
        }
        let index = self.open(Kind::Call(call), out);
        if let Some(item) = self.items.get_mut(index) {
            item.call_id = id.into();
            item.name = name.into();
        }
        self.added(index, out);
    }

    fn arguments(&mut self, call: u32, json: &str, out: &mut String) {
        let open = |item: &&mut Item| item.kind == Kind::Call(call) && item.status == "in_progress";
        let Some(item) = self.items.iter_mut().find(open).filter(|_| !json.is_empty()) else { return };
        item.extend(json);
        let place = item.place.clone();
        self.event("response.function_call_arguments.delta", &[&place, ",\"delta\":\"", json, "\""], out);
    }

    /// Closes what is open. At the output bound it is the last item that is cut.
    fn close_all(&mut self, out: &mut String) {
        let last = self.items.len().saturating_sub(1);
        for index in 0..self.items.len() {
            self.close(index, if index == last { self.outcome() } else { "completed" }, out);
        }
    }

    fn close(&mut self, index: usize, status: &'static str, out: &mut String) {
        let Some(item) = self.items.get_mut(index).filter(|item| item.status == "in_progress") else { return };
        item.status = status;
        let kind = item.kind;
        if matches!(kind, Kind::Call(_)) && item.parts.is_empty() {
            // A call without arguments: clients parse them as JSON.
            item.extend("{}");
        }
        let place = item.place.clone();
        let text = item.parts.first().map(|part| part.text.clone());
        match (kind, text) {
            (Kind::Message, _) => self.part_done(index, out),
            (Kind::Reasoning, Some(text)) => {
                let pieces = [&place, ",\"summary_index\":0,\"text\":\"", &text, "\""];
                self.event("response.reasoning_summary_text.done", &pieces, out);
                self.summary_event(index, "response.reasoning_summary_part.done", &text, out);
            }
            (Kind::Call(_), Some(text)) => {
                let name = self.items.get(index).map(|item| item.name.clone()).unwrap_or_default();
                let mut own = String::new();
                push_name(&mut own, &name);
                let pieces = [&place, ",", &own, ",\"arguments\":\"", &text, "\""];
                self.event("response.function_call_arguments.done", &pieces, out);
            }
            (Kind::Reasoning | Kind::Call(_), None) => {}
        }
        let Some(item) = self.items.get(index).filter(|_| !self.silent) else { return };
        let mut whole = String::new();
        item.write(&mut whole);
        let mut number = String::new();
        push_int(&mut number, index as u64);
        self.event("response.output_item.done", &[",\"output_index\":", &number, ",\"item\":", &whole], out);
    }

    /// The response object. What the request said is not known here: its fields have OpenAI's defaults.
    fn response(&self, status: &str) -> String {
        let mut out = String::with_capacity(1024);
        push_all(&mut out, &["{\"id\":\"", &self.id, "\",\"object\":\"response\",\"created_at\":"]);
        push_int(&mut out, self.stamp.created_s);
        push_all(
            &mut out,
            &[",\"status\":\"", status, "\",\"background\":false,\"error\":null,\"incomplete_details\":"],
        );
        out.push_str(match self.finish {
            // The API has no word for an end that nobody knows the reason of.
            Some(Finish::Length | Finish::Other) => "{\"reason\":\"max_output_tokens\"}",
            Some(Finish::ContentFilter) => "{\"reason\":\"content_filter\"}",
            _ => "null",
        });
        push_all(
            &mut out,
            &[",\"instructions\":null,\"max_output_tokens\":null,\"model\":\"", &self.model, "\",\"output\":["],
        );
        for item in &self.items {
            item.write(&mut out);
        }
        out.push_str(
            "],\"parallel_tool_calls\":true,\"previous_response_id\":null,\
             \"reasoning\":{\"effort\":null,\"summary\":null},\"store\":false,\"temperature\":null,\
             \"text\":{\"format\":{\"type\":\"text\"}},\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":null,\
             \"truncation\":\"disabled\",\"usage\":",
        );
        match &self.usage {
            Some(usage) if status != "in_progress" => push_usage(&mut out, usage),
            _ => out.push_str("null"),
        }
        out.push_str(",\"user\":null,\"metadata\":{}}");
        out
    }
}

/// `,"content_index":…` of a message's last part.
fn content_index(item: &Item) -> String {
    let mut out = String::from(",\"content_index\":");
    push_int(&mut out, item.parts.len().saturating_sub(1) as u64);
    out
}

//! Writes a stream as the API does: one message, blocks with indices from 0 without a gap, one open at a
//! time, then the reason with the usage, then the end.

use crate::chat::{Delta, Finish, Usage};
use crate::error::Error;
use crate::json::{self, Escaped};
use crate::provider::Stamp;
use crate::provider::anthropic::answer::{call_id, head};
use crate::provider::anthropic::blocks::push_stop;
use crate::provider::anthropic::reasoning::{Block, extra_block};
use crate::provider::anthropic::usage::push_usage;
use crate::provider::anthropic::write::{is_blank, put};
use crate::record::push_int;

/// So much white space is waited with, in bytes; who writes more says it.
const MOST_BLANK: usize = 200;

/// Tool calls that one answer keeps: an index above is a mistake or an attack.
const MOST_CALLS: u32 = 128;

/// Writes a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEncoder {
    stamp: Stamp,
    id: String,
    model: String,
    begun: bool,
    ended: bool,
    open: Open,
    /// Blocks that began.
    blocks: u64,
    /// The open thinking block's text so far, or the open call's arguments.
    inside: String,
    /// White space that a text began with, until more of the text comes: a block of nothing else is refused when a
    /// client sends it back.
    blank: String,
    /// Whether any other text was written.
    said: bool,
    /// What came while the open call was not whole: its block cannot be opened again.
    held: Vec<Held>,
    /// Calls that wait for the open one to be whole: blocks cannot interleave, and other dialects' may.
    waiting: Vec<Call>,
    /// Calls that were written, one bit each.
    called: u128,
    refusal: String,
    finish: Option<Finish>,
    usage: Usage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Open {
    Nothing,
    Text,
    Thinking,
    Tool(u32),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Held {
    Text(String),
    Reasoning(String),
    Detail(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Call {
    index: u32,
    /// Empty until the call begins.
    name: String,
    id: String,
    extra: Option<String>,
    arguments: String,
}

fn bit(index: u32) -> u128 {
    1u128.checked_shl(index).unwrap_or(0)
}

impl StreamEncoder {
    pub(in crate::provider) fn new(stamp: Stamp) -> Self {
        Self {
            stamp,
            id: String::new(),
            model: String::new(),
            begun: false,
            ended: false,
            open: Open::Nothing,
            blocks: 0,
            inside: String::new(),
            blank: String::new(),
            said: false,
            held: Vec::new(),
            waiting: Vec::new(),
            called: 0,
            refusal: String::new(),
            finish: None,
            usage: Usage::default(),
        }
    }

    /// Only the first answer is written, for the API knows no others. The usage stands with the reason, at
    /// the end: it may come after the reason.
    pub(in crate::provider) fn push(&mut self, delta: &Delta<'_>, out: &mut String) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } if !self.begun => {
                self.id = id.get().into();
                self.model = model.get().into();
            }
            Delta::Text { choice: 0, text } if self.is_held() => self.held.push(Held::Text(text.get().into())),
            Delta::Reasoning { choice: 0, text } if self.is_held() => {
                self.held.push(Held::Reasoning(text.get().into()));
            }
            Delta::ReasoningDetail { choice: 0, item } if self.is_held() => {
                self.held.push(Held::Detail(item.as_ref().into()));
            }
            Delta::Text { choice: 0, text } => self.text(text.get(), out),
            Delta::Reasoning { choice: 0, text } => self.reasoning(text.get(), out),
            Delta::ReasoningDetail { choice: 0, item } => self.detail(item, out),
            Delta::Refusal { choice: 0, text } => self.refusal.push_str(text.get()),
            Delta::ToolCall { choice: 0, index, id, name, extra } => {
                let call = Call {
                    index: *index,
                    name: name.get().into(),
                    id: call_id(id.get(), *index),
                    extra: extra.as_deref().map(String::from),
                    arguments: String::new(),
                };
                self.call(call, out);
            }
            Delta::ToolArguments { choice: 0, index, json } => {
                if self.open == Open::Tool(*index) {
                    self.arguments(json.get(), out);
                    if !self.held.is_empty() && self.is_whole() {
                        self.release(out);
                    }
                } else if let Some(call) = self.wait(*index) {
                    call.arguments.push_str(json.get());
                }
            }
            Delta::Finish { choice: 0, reason } => self.finish = Some(*reason),
            Delta::Usage { usage, .. } => self.usage = *usage,
            Delta::End => self.end(out),
            // Other answers' pieces, and what has no place here.
            Delta::Start { .. }
            | Delta::Text { .. }
            | Delta::Reasoning { .. }
            | Delta::ReasoningDetail { .. }
            | Delta::Refusal { .. }
            | Delta::ToolCall { .. }
            | Delta::ToolArguments { .. }
            | Delta::Finish { .. }
            | Delta::Dearer { .. }
            | Delta::Failed { .. }
            | Delta::Unmapped(_) => {}
        }
    }

    /// An `error` event: Anthropic's clients raise an `APIError` for it.
    #[expect(clippy::unused_self, reason = "the same shape in every dialect")]
    pub(in crate::provider) fn error(&mut self, _error: &Error, body: &str, out: &mut String) {
        put(out, &["event: error\ndata: ", body, "\n\n"]);
    }

    fn text(&mut self, text: &str, out: &mut String) {
        if self.open != Open::Text {
            if is_blank(text) && self.blank.len() < MOST_BLANK {
                return self.blank.push_str(text);
            }
            self.enter(Open::Text, out);
            self.said = true;
            let blank = std::mem::take(&mut self.blank);
            if !blank.is_empty() {
                self.delta("text_delta\",\"text", &blank, out);
            }
        }
        self.delta("text_delta\",\"text", text, out);
    }

    fn reasoning(&mut self, text: &str, out: &mut String) {
        self.enter(Open::Thinking, out);
        self.delta("thinking_delta\",\"thinking", text, out);
        self.inside.push_str(text);
    }

    /// Whether what stands beside calls has to wait: a call is open whose arguments go on.
    fn is_held(&self) -> bool {
        matches!(self.open, Open::Tool(_)) && (!self.held.is_empty() || !self.is_whole())
    }

    /// Whether the open call's arguments are an object.
    fn is_whole(&self) -> bool {
        let arguments = Escaped::trusted(&self.inside);
        self.inside.ends_with('}') && arguments.text().is_some_and(|text| json::fields(&text).is_ok())
    }

    fn release(&mut self, out: &mut String) {
        for piece in std::mem::take(&mut self.held) {
            match &piece {
                Held::Text(text) => self.text(text, out),
                Held::Reasoning(text) => self.reasoning(text, out),
                Held::Detail(item) => self.detail(item, out),
            }
        }
    }

    fn arguments(&mut self, json: &str, out: &mut String) {
        self.delta("input_json_delta\",\"partial_json", json, out);
        self.inside.push_str(json);
    }

    /// Has a text or thinking block open.
    fn enter(&mut self, kind: Open, out: &mut String) {
        if self.open == kind {
            return;
        }
        self.close(out);
        self.start(out);
        out.push_str(if kind == Open::Text {
            "{\"type\":\"text\",\"text\":\"\",\"citations\":null}}\n\n"
        } else {
            "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n"
        });
        self.open = kind;
        self.inside.clear();
    }

    /// A signature goes into the block whose text it signs. If that one holds more, or nothing is open, the
    /// item brings its own text, in a block of its own.
    fn detail(&mut self, item: &str, out: &mut String) {
        match Block::of(item) {
            Some(Block::Thinking { text, signature }) if !signature.is_empty() => {
                if self.open != Open::Thinking || !text.is_empty() && text != self.inside {
                    self.close(out);
                    self.enter(Open::Thinking, out);
                    if !text.is_empty() {
                        self.delta("thinking_delta\",\"thinking", &text, out);
                    }
                }
                self.delta("signature_delta\",\"signature", &signature, out);
                self.close(out);
            }
            Some(block @ Block::Redacted { .. }) => self.whole(&block, out),
            Some(Block::Thinking { .. }) | None => {}
        }
    }

    /// A block that comes in one piece.
    fn whole(&mut self, block: &Block, out: &mut String) {
        self.close(out);
        self.start(out);
        block.push(out);
        out.push_str("}\n\n");
        self.open = Open::Text;
        self.close(out);
    }

    /// The first call is written as it comes; those that begin before it has ended wait, for its arguments
    /// may still go on. They are written when the answer ends: no client runs a tool before that.
    fn call(&mut self, call: Call, out: &mut String) {
        if self.called & bit(call.index) != 0 || call.name.is_empty() {
            return; // some providers name the call in every piece
        }
        if self.called == 0 && call.index < MOST_CALLS {
            let early = self.waiting.iter().position(|own| own.index == call.index);
            let arguments = early.map(|place| self.waiting.swap_remove(place).arguments);
            self.write(&Call { arguments: arguments.unwrap_or_default(), ..call }, out);
        } else if let Some(waiting) = self.wait(call.index).filter(|own| own.name.is_empty()) {
            let arguments = std::mem::take(&mut waiting.arguments);
            *waiting = Call { arguments, ..call };
        }
    }

    /// The call of this index among those that wait.
    fn wait(&mut self, index: u32) -> Option<&mut Call> {
        if index >= MOST_CALLS {
            return None;
        }
        let place = self.waiting.iter().position(|own| own.index == index).unwrap_or_else(|| {
            let (name, id, arguments) = (String::new(), String::new(), String::new());
            self.waiting.push(Call { index, name, id, extra: None, arguments });
            self.waiting.len().saturating_sub(1)
        });
        self.waiting.get_mut(place)
    }

    /// Begins a call's block, with the arguments that are there already.
    fn write(&mut self, call: &Call, out: &mut String) {
        self.called |= bit(call.index);
        if let Some(extra) = &call.extra {
            self.whole(&extra_block(&call.id, extra), out);
        }
        self.close(out);
        self.start(out);
        let pieces =
            ["{\"type\":\"tool_use\",\"id\":\"", &call.id, "\",\"name\":\"", &call.name, "\",\"input\":{}}}\n\n"];
        put(out, &pieces);
        self.open = Open::Tool(call.index);
        self.inside.clear();
        if !call.arguments.is_empty() {
            self.arguments(&call.arguments, out);
        }
    }

    /// Opens an event that begins a block, up to the block.
    fn start(&mut self, out: &mut String) {
        self.begin(out);
        out.push_str("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":");
        push_int(out, self.blocks);
        out.push_str(",\"content_block\":");
        self.blocks = self.blocks.saturating_add(1);
    }

    /// A piece of the open block.
    fn delta(&self, kind: &str, text: &str, out: &mut String) {
        out.push_str("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
        push_int(out, self.blocks.saturating_sub(1));
        put(out, &[",\"delta\":{\"type\":\"", kind, "\":\"", text, "\"}}\n\n"]);
    }

    fn close(&mut self, out: &mut String) {
        if self.open != Open::Nothing {
            self.open = Open::Nothing;
            out.push_str("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":");
            push_int(out, self.blocks.saturating_sub(1));
            out.push_str("}\n\n");
        }
    }

    fn begin(&mut self, out: &mut String) {
        if !self.begun {
            self.begun = true;
            out.push_str("event: message_start\ndata: {\"type\":\"message_start\",\"message\":");
            head(out, &self.id, &self.model, &self.stamp);
            out.push_str(
                "],\"container\":null,\"stop_reason\":null,\"stop_sequence\":null,\"stop_details\":null,\"usage\":",
            );
            push_usage(out, &self.usage);
            out.push_str("}}\n\n");
        }
    }

    fn end(&mut self, out: &mut String) {
        self.begin(out);
        self.release(out);
        let mut waiting = std::mem::take(&mut self.waiting);
        // Few, and in order nearly always: a sort of its own would be more Wasm.
        while let Some(first) = waiting.iter().map(|call| call.index).min() {
            if let Some(place) = waiting.iter().position(|call| call.index == first) {
                let call = waiting.swap_remove(place);
                if !call.name.is_empty() {
                    self.write(&call, out);
                }
            }
        }
        // Nothing else was said.
        if !self.said && self.called == 0 && !self.blank.is_empty() {
            self.enter(Open::Text, out);
            self.delta("text_delta\",\"text", &self.blank, out);
        }
        self.close(out);
        self.ended = true;
        out.push_str("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{");
        push_stop(out, self.finish, self.called != 0, &self.refusal);
        out.push_str("},\"usage\":");
        push_usage(out, &self.usage);
        out.push_str("}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    }
}

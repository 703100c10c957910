//! The content blocks of an answer. A whole answer is read as a stream whose blocks come in one piece.

use std::borrow::Cow;

use super::reasoning::{self, Given};
use crate::chat::{Delta, Finish};
use crate::json::{self, Escaped, Fields, Raw};

/// The API has one block open at a time; what has more than this is no answer.
const MOST_OPEN: usize = 64;

/// Blocks that began and have not ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Blocks {
    open: Vec<(u64, Open)>,
    calls: u32,
    /// A tool call's id, and the `extra_content` that came before it.
    extra: Option<(String, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Open {
    Thinking {
        text: String,
        signature: String,
    },
    /// `input` is what the block began with: it counts if no pieces come.
    Tool {
        call: u32,
        input: Option<String>,
    },
    /// Text, and what has no neutral form.
    Other,
}

impl Blocks {
    /// A block begins, with whatever is in it already. `None` for what is no block.
    pub(super) fn start(&mut self, index: u64, block: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
        let said = |name: &str| block.field(name).and_then(Escaped::of).unwrap_or_default();
        let kind = block.field("type").and_then(json::text)?;
        let mut open = Open::Other;
        match kind.as_ref() {
            "text" => {
                emit_text(said("text"), sink);
                let cited = block.field("citations").filter(|raw| !matches!(raw.get(), "null" | "[]"));
                cited.is_some().then(|| sink(Delta::Unmapped("citations")));
            }
            "thinking" => {
                let (text, signature) = (said("thinking"), said("signature").get().to_owned());
                open = Open::Thinking { text: text.get().to_owned(), signature };
                emit_reasoning(text, sink);
            }
            "redacted_thinking" => self.given(reasoning::redacted(said("data").get()), sink),
            "tool_use" => {
                let (call, id) = (self.calls, said("id"));
                self.calls = self.calls.saturating_add(1);
                let extra = self.extra.take().filter(|(of, _)| of == id.get()).map(|(_, extra)| Cow::Owned(extra));
                sink(Delta::ToolCall { choice: 0, index: call, id, name: said("name"), extra });
                let input = block.field("input").filter(|raw| json::fields(raw.get()).is_ok());
                open = Open::Tool { call, input: Some(input.map_or("{}", Raw::get).into()) };
            }
            // A note that another model answers: no output.
            "fallback" => {}
            "server_tool_use" => sink(Delta::Unmapped("server_tool_use")),
            other if other.ends_with("_tool_result") => sink(Delta::Unmapped("server_tool_result")),
            _ => sink(Delta::Unmapped("content_block")),
        }
        (self.open.len() < MOST_OPEN).then(|| self.open.push((index, open)))
    }

    /// A block goes on.
    pub(super) fn delta(&mut self, index: u64, delta: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
        let said = |name: &str| delta.field(name).and_then(Escaped::of).unwrap_or_default();
        let kind = delta.field("type").and_then(json::text)?;
        let open = self.open.iter_mut().find(|(own, _)| *own == index).map(|(_, open)| open);
        match (kind.as_ref(), open) {
            ("text_delta", _) => emit_text(said("text"), sink),
            ("input_json_delta", Some(Open::Tool { call, input })) => {
                let json = said("partial_json");
                if !json.is_empty() {
                    *input = None;
                    sink(Delta::ToolArguments { choice: 0, index: *call, json });
                }
            }
            ("thinking_delta", Some(Open::Thinking { text, .. })) => {
                let more = said("thinking");
                text.push_str(more.get());
                emit_reasoning(more, sink);
            }
            ("signature_delta", Some(Open::Thinking { signature, .. })) => {
                *signature = said("signature").get().to_owned()
            }
            ("citations_delta", _) => sink(Delta::Unmapped("citations")),
            // The input of a server's tool, and what may be new.
            _ => {}
        }
        Some(())
    }

    /// A block ends.
    pub(super) fn stop(&mut self, index: u64, sink: &mut dyn FnMut(Delta<'_>)) {
        if let Some(place) = self.open.iter().position(|(own, _)| *own == index) {
            let (_, open) = self.open.swap_remove(place);
            self.close(open, sink);
        }
    }

    /// Every block ends: some servers leave that out.
    pub(super) fn stop_all(&mut self, sink: &mut dyn FnMut(Delta<'_>)) {
        for (_, open) in std::mem::take(&mut self.open) {
            self.close(open, sink);
        }
    }

    fn close(&mut self, open: Open, sink: &mut dyn FnMut(Delta<'_>)) {
        match open {
            Open::Thinking { text, signature } => self.given(reasoning::thinking(&text, &signature), sink),
            // A tool without parameters is called with no pieces at all.
            Open::Tool { call, input: Some(input) } => {
                sink(Delta::ToolArguments { choice: 0, index: call, json: Escaped::from_text(&input) });
            }
            Open::Tool { input: None, .. } | Open::Other => {}
        }
    }

    fn given(&mut self, given: Given, sink: &mut dyn FnMut(Delta<'_>)) {
        match given {
            Given::Item(item) => sink(Delta::ReasoningDetail { choice: 0, item: item.into() }),
            Given::Extra(id, extra) => self.extra = Some((id, extra)),
            Given::Nothing => {}
        }
    }
}

fn emit_text(text: Escaped<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    if !text.is_empty() {
        sink(Delta::Text { choice: 0, text });
    }
}

fn emit_reasoning(text: Escaped<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    if !text.is_empty() {
        sink(Delta::Reasoning { choice: 0, text });
    }
}

/// Why the answer ended, out of a message or of the `delta` of one; false if it does not say. The explanation
/// of a refusal is its text.
pub(super) fn finish(of: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> bool {
    // Some servers write an empty one until there is one.
    let reason = of.field("stop_reason").and_then(json::text).filter(|reason| !reason.is_empty());
    let Some(reason) = reason else { return false };
    let reason = match reason.as_ref() {
        "end_turn" => Finish::Stop,
        "stop_sequence" => {
            // Which one it was has no neutral form.
            sink(Delta::Unmapped("stop_sequence"));
            Finish::Stop
        }
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::ContentFilter,
        // `pause_turn`: a server's tool takes long, and the answer is not whole.
        _ => Finish::Other,
    };
    let details = of.field("stop_details").and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
    if let Some(text) = details.field("explanation").and_then(Escaped::of).filter(|text| !text.is_empty()) {
        sink(Delta::Refusal { choice: 0, text });
    }
    sink(Delta::Finish { choice: 0, reason });
    true
}

/// Appends `"stop_reason":…,"stop_sequence":null,"stop_details":…`. A call to a tool is told even if its
/// provider has no reason for it: clients run tools by the reason. `refusal` is escaped text.
pub(super) fn push_stop(out: &mut String, finish: Option<Finish>, called: bool, refusal: &str) {
    let reason = match finish {
        Some(Finish::Length) => "max_tokens",
        Some(Finish::ContentFilter) => "refusal",
        Some(Finish::ToolCalls) => "tool_use",
        _ if called => "tool_use",
        _ if !refusal.is_empty() => "refusal",
        // A reason that nobody knows: the answer may not be whole.
        Some(Finish::Other) => "max_tokens",
        Some(Finish::Stop) | None => "end_turn",
    };
    super::write::put(out, &["\"stop_reason\":\"", reason, "\",\"stop_sequence\":null,\"stop_details\":"]);
    // What was said in refusing has no other place, whatever the answer ended for.
    if reason == "refusal" || !refusal.is_empty() {
        let (before, after) = if refusal.is_empty() { ("null", "") } else { ("\"", "\"") };
        let pieces = ["{\"type\":\"refusal\",\"category\":null,\"explanation\":", before, refusal, after, "}"];
        super::write::put(out, &pieces);
    } else {
        out.push_str("null");
    }
}

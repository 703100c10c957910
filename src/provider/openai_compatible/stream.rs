//! Streams.

use super::answer::{failed, finish, head, logprobs, pieces, reason, sources, start};
use super::usage::{push_usage, usage};
use crate::chat::{Delta, Usage};
use crate::error::Error;
use crate::json::{self, Escaped, Fields, Raw, push_text};
use crate::provider::{Malformed, Stamp};
use crate::record::push_int;

/// Tool calls that are counted; what is above is a mistake or an attack, and keeps its number.
const MOST_CALLS: usize = 512;

/// Reads a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamDecoder {
    provider: String,
    started: bool,
    calls: Vec<Begun>,
    /// Answers that began and have not ended.
    open: u128,
    /// Answers that ended.
    ended: u128,
    /// Whether the last event was nothing but usage.
    usage_only: bool,
}

impl StreamDecoder {
    pub(in crate::provider) fn new(provider: &str) -> Self {
        Self { provider: provider.into(), started: false, calls: Vec::new(), open: 0, ended: 0, usage_only: false }
    }

    pub(in crate::provider) fn event(
        &mut self,
        name: &str,
        data: &str,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        self.usage_only = false;
        if data.trim() == "[DONE]" {
            sink(Delta::End);
            return Ok(());
        }
        let fields = json::fields(data).map_err(|_| Malformed)?;
        let wrapped = fields.field("error").is_some_and(|raw| raw.get() != "null");
        // Mistral's errors, and older vLLM's, have nothing around them.
        if wrapped || name == "error" || fields.field("object").is_some_and(|raw| raw.get() == "\"error\"") {
            let body = if wrapped { data.into() } else { ["{\"error\":", data, "}"].concat().into() };
            sink(Delta::Failed { body });
            return Ok(());
        }
        if let Some(error) = stopped(&fields) {
            // In the form that all errors have. What stands beside it says whether there was output.
            let rest = data.trim_start().strip_prefix('{').unwrap_or("}");
            sink(Delta::Failed { body: ["{\"error\":", error.get(), ",", rest].concat().into() });
            return Ok(());
        }
        let choices = match fields.field("choices") {
            Some(raw) if raw.get() != "null" => {
                let choices = json::items(raw.get()).map_err(|_| Malformed)?;
                self.usage_only = choices.is_empty() && fields.field("usage").is_some_and(|raw| raw.get() != "null");
                choices
            }
            // A usage-only chunk, or one that a proxy made up to keep the line alive.
            _ => Vec::new(),
        };
        // Azure's first chunk has neither: it says what its filters found in the prompt.
        let named = |name: &str| fields.field(name).is_some_and(|raw| !matches!(raw.get(), "null" | "\"\""));
        if !self.started && (named("id") || named("model")) {
            self.started = true;
            start(&fields, sink);
        }
        let mut broken = false;
        for choice in choices {
            broken |= self.choice(choice, sink)?;
        }
        sources(&fields, sink);
        usage(&fields, &self.provider, sink);
        if broken {
            sink(Delta::Failed { body: data.into() });
        }
        Ok(())
    }

    /// True if the answer broke off.
    fn choice(&mut self, choice: Raw<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Result<bool, Malformed> {
        let choice = json::fields(choice.get()).map_err(|_| Malformed)?;
        let index = choice.field("index").and_then(json::uint).unwrap_or(0);
        let index = u32::try_from(index).ok().filter(|index| *index < u128::BITS).ok_or(Malformed)?;
        let bit = 1u128 << index;
        self.open |= bit;
        if let Some(delta) = choice.field("delta").filter(|raw| raw.get() != "null") {
            let calls = &mut self.calls;
            let delta = json::fields(delta.get()).map_err(|_| Malformed)?;
            pieces(index, &delta, &mut |delta| numbered(delta, calls, sink));
        }
        logprobs(&choice, sink);
        if failed(&choice) {
            return Ok(true);
        }
        // Some say it once more beside the usage: an answer ends once.
        if let Some(reason) = choice.field("finish_reason").and_then(finish).filter(|_| self.ended & bit == 0) {
            self.ended |= bit;
            sink(Delta::Finish { choice: index, reason });
        }
        Ok(false)
    }

    /// `[DONE]` is optional, a finish reason for every answer is not.
    pub(in crate::provider) const fn is_finished(&self) -> bool {
        self.open != 0 && self.open == self.ended
    }

    /// Whether the last event was nothing but the usage that was asked for.
    pub(in crate::provider) const fn is_usage_only(&self) -> bool {
        self.usage_only
    }
}

/// Why Groq stopped early (`x_groq.error`, a text; github.com/groq/groq-typescript, `ChatCompletionChunk`).
fn stopped<'a>(fields: &Fields<'a>) -> Option<Raw<'a>> {
    let group = json::fields(fields.field("x_groq")?.get()).ok()?;
    group.field("error").filter(|raw| !matches!(raw.get(), "null" | "\"\""))
}

/// A tool call that has begun, as the provider names it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Begun {
    choice: u32,
    index: u32,
    id: String,
}

/// Counts the tool calls of an answer from 0, in the order in which they begin: some servers count what they did
/// not send as well, and clients fall over the gap. Gemini's compatible API, and others that send calls whole, give
/// each the number 0: a call that begins with another id is another call. An id that comes before its name waits for
/// it: the name is what a call begins with.
fn numbered(mut delta: Delta<'_>, calls: &mut Vec<Begun>, sink: &mut dyn FnMut(Delta<'_>)) {
    let begins = match &delta {
        Delta::ToolCall { id, .. } => id.get(),
        _ => "",
    };
    let begins = String::from(begins);
    if let Delta::ToolCall { choice, index, .. } | Delta::ToolArguments { choice, index, .. } = &mut delta {
        // Of those of one number the last one goes on.
        let last = |calls: &[Begun]| calls.iter().rposition(|one| (one.choice, one.index) == (*choice, *index));
        let known = last(calls).and_then(|at| calls.get_mut(at));
        let is_new = known.is_none_or(|known| {
            if known.id.is_empty() {
                known.id.clone_from(&begins);
            }
            !begins.is_empty() && known.id != begins
        });
        if is_new && calls.len() < MOST_CALLS {
            calls.push(Begun { choice: *choice, index: *index, id: begins });
        }
        let place = last(calls);
        if let Some(at) = place {
            let before = calls.get(..at).unwrap_or_default().iter().filter(|one| one.choice == *choice).count();
            *index = u32::try_from(before).unwrap_or(u32::MAX);
        }
        let own = place.and_then(|at| calls.get(at));
        if let (Delta::ToolCall { id, name, .. }, Some(own)) = (&mut delta, own) {
            if name.is_empty() {
                return;
            }
            if id.is_empty() {
                *id = Escaped::trusted(&own.id).into_owned();
            }
        }
    }
    sink(delta);
}

/// Answers of a chunk that brings none. Groq's chunks always have one, and its clients look at it.
const NOTHING: &str = "[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":null}]";
/// Where Groq tells usage (github.com/groq/groq-typescript, `ChatCompletionChunk.XGroq`).
const X_GROQ: &str = ",\"x_groq\":{\"usage\":";

/// An event of another provider's with its usage where Groq's clients read it; `None` for one without usage.
pub(in crate::provider) fn with_x_groq(data: &str) -> Option<String> {
    let fields = json::fields(data).ok()?;
    let usage = fields.field("usage").filter(|raw| raw.get() != "null")?;
    let mut out = String::with_capacity(data.len().saturating_mul(2));
    for (name, raw) in fields.iter().filter(|(name, _)| *name != "x_groq") {
        out.push(if out.is_empty() { '{' } else { ',' });
        push_text(&mut out, name);
        out.push(':');
        out.push_str(if name == "choices" && raw.get() == "[]" { NOTHING } else { raw.get() });
    }
    for piece in [X_GROQ, usage.get(), "}}"] {
        out.push_str(piece);
    }
    Some(out)
}

/// An item of `reasoning_details` without its text; `None` if it has none.
fn textless(item: &str) -> Option<String> {
    let fields = json::fields(item).ok()?;
    fields.field("text")?;
    let mut out = String::with_capacity(item.len());
    for (name, raw) in fields.iter().filter(|(name, _)| *name != "text") {
        out.push(if out.is_empty() { '{' } else { ',' });
        push_text(&mut out, name);
        out.push(':');
        out.push_str(raw.get());
    }
    out.push('}');
    Some(out)
}

/// Writes a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEncoder {
    stamp: Stamp,
    id: String,
    model: String,
    started: u128,
    usage: Option<Usage>,
}

impl StreamEncoder {
    pub(in crate::provider) const fn new(stamp: Stamp) -> Self {
        Self { stamp, id: String::new(), model: String::new(), started: 0, usage: None }
    }

    pub(in crate::provider) fn push(&mut self, delta: &Delta<'_>, out: &mut String) {
        match delta {
            Delta::Start { id, model } => {
                self.id = id.get().into();
                self.model = model.get().into();
            }
            Delta::Text { choice, text } => self.chunk(*choice, &["\"content\":\"", text.get(), "\""], None, out),
            Delta::Refusal { choice, text } => self.chunk(*choice, &["\"refusal\":\"", text.get(), "\""], None, out),
            Delta::Reasoning { choice, text } => {
                self.chunk(*choice, &["\"reasoning\":\"", text.get(), "\""], None, out)
            }
            Delta::ReasoningDetail { choice, item } => {
                // Its text went out in pieces: OpenRouter's clients would add it to them.
                let bare = if self.stamp.is_openrouters() { textless(item) } else { None };
                let item = bare.as_deref().unwrap_or(item);
                self.chunk(*choice, &["\"reasoning_details\":[", item, "]"], None, out);
            }
            Delta::ToolCall { choice, index, id, name, extra } => {
                let mut number = String::new();
                push_int(&mut number, u64::from(*index));
                let (before, extra) = match extra {
                    Some(extra) => ("\",\"arguments\":\"\"},\"extra_content\":", extra.as_ref()),
                    None => ("\",\"arguments\":\"\"}", ""),
                };
                let call = [
                    "\"tool_calls\":[{\"index\":",
                    &number,
                    ",\"id\":\"",
                    id.get(),
                    "\",\"type\":\"function\",\"function\":{\"name\":\"",
                    name.get(),
                    before,
                    extra,
                    "}]",
                ];
                self.chunk(*choice, &call, None, out);
            }
            Delta::ToolArguments { choice, index, json } => {
                let mut number = String::new();
                push_int(&mut number, u64::from(*index));
                let call =
                    ["\"tool_calls\":[{\"index\":", &number, ",\"function\":{\"arguments\":\"", json.get(), "\"}}]"];
                self.chunk(*choice, &call, None, out);
            }
            Delta::Finish { choice, reason: why } => self.chunk(*choice, &[], Some(reason(Some(*why))), out),
            Delta::Usage { usage, .. } => self.usage = Some(*usage),
            Delta::End => self.end(out),
            Delta::Dearer { .. } | Delta::Failed { .. } | Delta::Unmapped(_) => {}
        }
    }

    /// The first chunk of an answer says who speaks.
    fn chunk(&mut self, choice: u32, delta: &[&str], finish: Option<&str>, out: &mut String) {
        out.push_str("data: ");
        head(out, &self.id, &self.model, "chat.completion.chunk", &self.stamp);
        out.push_str(",\"choices\":[{\"index\":");
        push_int(out, u64::from(choice));
        out.push_str(",\"delta\":{");
        let bit = 1u128.checked_shl(choice).unwrap_or(0);
        if self.started & bit == 0 {
            self.started |= bit;
            out.push_str("\"role\":\"assistant\"");
            if !delta.is_empty() {
                out.push(',');
            }
        }
        for piece in delta {
            out.push_str(piece);
        }
        out.push_str("},\"logprobs\":null,\"finish_reason\":");
        match finish {
            Some(reason) => {
                for piece in ["\"", reason, "\""] {
                    out.push_str(piece);
                }
            }
            None => out.push_str("null"),
        }
        out.push_str("}]}\n\n");
    }

    fn end(&mut self, out: &mut String) {
        let (asked, x_groq) = (self.stamp.include_usage, self.stamp.is_groqs());
        if let Some(usage) = self.usage.take().filter(|_| asked || x_groq) {
            out.push_str("data: ");
            head(out, &self.id, &self.model, "chat.completion.chunk", &self.stamp);
            for piece in [",\"choices\":", if x_groq { NOTHING } else { "[]" }] {
                out.push_str(piece);
            }
            for (_, name) in [(asked, ",\"usage\":"), (x_groq, X_GROQ)].iter().filter(|(is_read, _)| *is_read) {
                out.push_str(name);
                push_usage(out, &usage);
            }
            out.push_str(if x_groq { "}}\n\n" } else { "}\n\n" });
        }
        out.push_str("data: [DONE]\n\n");
    }

    /// OpenAI's clients raise an `APIError` for an event with an `error` in it.
    #[expect(clippy::unused_self, reason = "the same shape in every dialect")]
    pub(in crate::provider) fn error(&mut self, _error: &Error, body: &str, out: &mut String) {
        for piece in ["data: ", body, "\n\n"] {
            out.push_str(piece);
        }
    }
}

#[cfg(test)]
mod tests;

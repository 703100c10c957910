//! Output items, read whole or piece by piece. Every text comes up to four times in a stream (its deltas, its
//! own `done`, its part's, its item's): the first counts, the others are for those who missed it.

use std::borrow::Cow;

use super::carry::{self, Carried};
use super::namespace::joined;
use crate::chat::{Delta, Finish, Usage};
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::Malformed;
use crate::provider::openai_compatible::{charged, tier};

/// Places that one answer may have: more are a mistake or an attack.
const MOST: usize = 1 << 14;
/// Calls that one answer may have, and what must go back with calls that have not come yet.
const MOST_CALLS: usize = 1 << 10;
/// One more than the greatest index that an item or a part may have.
const INDICES: u64 = 1 << 20;

/// What a place in an answer holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `output_text`.
    Text,
    /// `refusal`.
    Refusal,
    /// A `summary_text` of a reasoning item.
    Summary,
    /// A `reasoning_text`.
    Thought,
    /// Arguments of a function call.
    Arguments,
    /// A function call as such.
    Call,
    /// `encrypted_content`.
    Encrypted,
    /// Something that has no neutral form.
    Other,
}

/// The order and the kinds of all that was read of one answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reader {
    /// Whose answer it is.
    provider: String,
    /// Places that were emitted, sorted.
    seen: Vec<u64>,
    /// Items that are function calls, in order of their beginning.
    calls: Vec<u64>,
    /// The place of the last reasoning text.
    reasoned: Option<u64>,
    /// What must go back with calls: their ids, a JSON object.
    extras: Vec<(String, String)>,
}

/// Which place a piece belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// `output_index`.
    pub(super) item: u64,
    /// `content_index` or `summary_index`.
    pub(super) part: u64,
}

impl Reader {
    /// A reader of one answer of `provider`.
    pub(super) fn new(provider: &str) -> Self {
        Self { provider: provider.into(), ..Self::default() }
    }

    /// Whether nothing was emitted yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Marks a place; whether it was new.
    fn mark(&mut self, place: Place) -> Result<bool, Malformed> {
        if place.item >= INDICES || place.part >= INDICES || self.seen.len() >= MOST {
            return Err(Malformed);
        }
        let key = place.item << 24 | place.part << 4 | place.kind as u64;
        let at = self.seen.binary_search(&key);
        if let Err(at) = at {
            self.seen.insert(at, key);
        }
        Ok(at.is_err())
    }

    /// A piece of a text, or with `whole` the whole of it, which is read only if no piece came.
    pub(super) fn text(
        &mut self,
        place: Place,
        text: Escaped<'_>,
        whole: bool,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let call = self.calls.iter().position(|item| *item == place.item).and_then(|index| u32::try_from(index).ok());
        let lost = place.kind == Kind::Arguments && call.is_none();
        if text.is_empty() || lost || !self.mark(place)? && whole {
            return Ok(());
        }
        match place.kind {
            Kind::Text => sink(Delta::Text { choice: 0, text }),
            Kind::Refusal => sink(Delta::Refusal { choice: 0, text }),
            Kind::Arguments => sink(Delta::ToolArguments { choice: 0, index: call.unwrap_or(0), json: text }),
            _ => {
                // Parts of a summary are paragraphs.
                let key = place.item << 24 | place.part << 4 | place.kind as u64;
                if self.reasoned.replace(key).is_some_and(|last| last != key) {
                    sink(Delta::Reasoning { choice: 0, text: Escaped::trusted("\\n\\n") });
                }
                sink(Delta::Reasoning { choice: 0, text });
            }
        }
        Ok(())
    }

    /// An item that begins, or with `whole` one that is done. Whatever of it came before is not read again.
    pub(super) fn item(
        &mut self,
        item: u64,
        raw: Raw<'_>,
        whole: bool,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let fields = json::fields(raw.get()).map_err(|_| Malformed)?;
        let kind = fields.field("type").and_then(json::text).ok_or(Malformed)?;
        match kind.as_ref() {
            "message" if whole => self.parts(item, &fields, "content", sink),
            "function_call" => {
                self.call(item, &fields, sink)?;
                match fields.field("arguments").and_then(Escaped::of) {
                    Some(text) if whole => self.text(Place { kind: Kind::Arguments, item, part: 0 }, text, true, sink),
                    _ => Ok(()),
                }
            }
            "reasoning" if whole => {
                self.parts(item, &fields, "content", sink)?;
                self.parts(item, &fields, "summary", sink)?;
                self.encrypted(item, &fields, sink)
            }
            "message" | "reasoning" => Ok(()),
            other => {
                // What the client runs though it is no function: a call all the same, by a name that nobody else has.
                if CLIENTS_CALLS.contains(&other) {
                    let id = fields.field("call_id").and_then(Escaped::of).unwrap_or_default();
                    self.begin(item, id, Escaped::default(), sink)?;
                }
                self.unmapped(item, 0, name(other), sink)
            }
        }
    }

    fn parts(
        &mut self,
        item: u64,
        fields: &Fields<'_>,
        list: &str,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let Some(raw) = fields.field(list).filter(|raw| raw.get() != "null") else { return Ok(()) };
        let parts = json::items(raw.get()).map_err(|_| Malformed)?;
        parts.into_iter().zip(0u64..).try_for_each(|(raw, part)| self.part(item, part, raw, sink))
    }

    /// A part that is done.
    pub(super) fn part(
        &mut self,
        item: u64,
        part: u64,
        raw: Raw<'_>,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let fields = json::fields(raw.get()).map_err(|_| Malformed)?;
        let (kind, text) = match fields.field("type").and_then(json::text).as_deref() {
            Some("output_text" | "text") => (Kind::Text, "text"),
            Some("refusal") => (Kind::Refusal, "refusal"),
            Some("summary_text") => (Kind::Summary, "text"),
            Some("reasoning_text") => (Kind::Thought, "text"),
            _ => return self.unmapped(item, part, "content", sink),
        };
        let text = fields.field(text).and_then(Escaped::of).ok_or(Malformed)?;
        self.text(Place { kind, item, part }, text, true, sink)?;
        for name in ["annotations", "logprobs"] {
            if fields.field(name).is_some_and(|raw| !matches!(raw.get(), "null" | "[]")) {
                self.unmapped(item, part, name, sink)?;
            }
        }
        Ok(())
    }

    /// Once per place.
    pub(super) fn unmapped(
        &mut self,
        item: u64,
        part: u64,
        what: &'static str,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if self.mark(Place { kind: Kind::Other, item, part })? {
            sink(Delta::Unmapped(what));
        }
        Ok(())
    }

    /// A call begins as soon as it has a name.
    fn call(&mut self, item: u64, fields: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        let name = fields.field("name").and_then(Escaped::of).filter(|name| !name.is_empty());
        let id = fields.field("call_id").and_then(Escaped::of).unwrap_or_default();
        let Some(name) = name else { return Ok(()) };
        match fields.field("namespace").and_then(Escaped::of).filter(|space| !space.is_empty()) {
            Some(space) => self.begin(item, id, Escaped::trusted(&joined(space.get(), name.get())), sink),
            None => self.begin(item, id, name, sink),
        }
    }

    /// Tells a call, once.
    fn begin(
        &mut self,
        item: u64,
        id: Escaped<'_>,
        name: Escaped<'_>,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if self.mark(Place { kind: Kind::Call, item, part: 0 })? {
            let index =
                u32::try_from(self.calls.len()).ok().filter(|_| self.calls.len() < MOST_CALLS).ok_or(Malformed)?;
            self.calls.push(item);
            let extra = self.extras.iter().position(|(call, _)| call == id.get());
            let extra = extra.map(|at| Cow::Owned(self.extras.swap_remove(at).1));
            sink(Delta::ToolCall { choice: 0, index, id, name, extra });
        }
        Ok(())
    }

    fn encrypted(&mut self, item: u64, fields: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        let encrypted = fields.field("encrypted_content").and_then(Escaped::of).filter(|text| !text.is_empty());
        let Some(encrypted) = encrypted else { return Ok(()) };
        if self.mark(Place { kind: Kind::Encrypted, item, part: 0 })? {
            let id = fields.field("id").and_then(Escaped::of).unwrap_or_default();
            match carry::read(&encrypted, &id) {
                Carried::Detail(detail) => sink(Delta::ReasoningDetail { choice: 0, item: Cow::Owned(detail) }),
                Carried::Extra { .. } if self.extras.len() >= MOST_CALLS => return Err(Malformed),
                Carried::Extra { call, extra } => self.extras.push((call, extra)),
            }
        }
        Ok(())
    }

    /// Usage and the reason of the end, from the response object that says them.
    /// `incomplete`: it is not whole, even if it does not say so itself.
    pub(super) fn conclude(&self, response: &Fields<'_>, incomplete: bool, sink: &mut dyn FnMut(Delta<'_>)) {
        if let Some(usage) = usage(response) {
            let own = response.field("usage").and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
            sink(Delta::Usage { usage, cost: charged(&own, &self.provider) });
            tier(response, sink);
        }
        let details = response.field("incomplete_details").and_then(|raw| json::fields(raw.get()).ok());
        let status = response.field("status").and_then(json::text);
        let reason = match details.as_ref().and_then(|details| details.field("reason")).and_then(json::text).as_deref()
        {
            Some("max_output_tokens" | "max_tokens") => Finish::Length,
            Some("content_filter") => Finish::ContentFilter,
            // It did not come to its end, whatever the reason is called: other dialects know no other word for that.
            Some(_) => Finish::Length,
            None if incomplete || status.as_deref() == Some("incomplete") => Finish::Length,
            None if self.calls.is_empty() => Finish::Stop,
            None => Finish::ToolCalls,
        };
        sink(Delta::Finish { choice: 0, reason });
    }
}

/// The answer's id and model.
pub(super) fn start(response: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    let text = |name: &str| response.field(name).and_then(Escaped::of).unwrap_or_default();
    sink(Delta::Start { id: text("id"), model: text("model") });
}

/// Usage that cannot be read is an unknown one.
pub(super) fn usage(response: &Fields<'_>) -> Option<Usage> {
    let usage = json::fields(response.field("usage")?.get()).ok()?;
    let count = |name: &str| usage.field(name).and_then(json::uint);
    let detail = |group: &str, name: &str| {
        let group = usage.field(group).and_then(|raw| json::fields(raw.get()).ok());
        group.as_ref().and_then(|group| group.field(name)).and_then(json::uint).unwrap_or(0)
    };
    let (input, output) = (count("input_tokens")?, count("output_tokens")?);
    Some(Usage {
        input,
        cached_input: detail("input_tokens_details", "cached_tokens").min(input),
        cache_write: detail("input_tokens_details", "cache_write_tokens").min(input),
        cache_write_1h: 0,
        output,
        reasoning: detail("output_tokens_details", "reasoning_tokens").min(output),
    })
}

/// Calls of tools that the client runs, though they are no functions.
const CLIENTS_CALLS: [&str; 5] =
    ["custom_tool_call", "tool_search_call", "local_shell_call", "shell_call", "apply_patch_call"];

/// The name of an item that has no neutral form.
fn name(kind: &str) -> &'static str {
    const KNOWN: [&str; 13] = [
        "web_search_call",
        "file_search_call",
        "computer_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "local_shell_call",
        "shell_call",
        "apply_patch_call",
        "custom_tool_call",
        "tool_search_call",
    ];
    KNOWN.into_iter().find(|known| *known == kind).unwrap_or("output")
}

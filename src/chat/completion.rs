//! A whole answer in neutral form: collected from a stream, read from one dialect, written in another.

use std::borrow::Cow;

use super::{Delta, Finish, Usage};
use crate::json::{self, Escaped, push_text};
use crate::money::NanoUsd;

/// Answers, and tool calls of one answer, that a completion keeps: an index above is a mistake or an attack.
pub const MOST_CALLS: u32 = 128;

/// A whole answer. All texts are kept escaped, as [`Escaped`] has them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Completion {
    /// The provider's id of the answer.
    pub id: String,
    /// The model, as the provider names it.
    pub model: String,
    /// The answers (`n`), by index.
    pub choices: Vec<Choice>,
    /// Tokens, if the provider said.
    pub usage: Option<Usage>,
    /// What the provider says that it charged.
    pub cost: Option<NanoUsd>,
    /// What had no neutral form and is not in here.
    pub unmapped: Vec<&'static str>,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// Visible text.
    pub text: String,
    /// Text of a refusal.
    pub refusal: String,
    /// Reasoning in plain text.
    pub reasoning: String,
    /// Reasoning that must go back as it is, one JSON object each.
    pub details: Vec<String>,
    /// How much of `reasoning` these have in them.
    pub(crate) signed: Signed,
    /// Tool calls in order.
    pub calls: Vec<ToolCall>,
    /// Why it ended; `None` while it has not.
    pub finish: Option<Finish>,
}

/// A length that follows from the details: summed up for each of them, ten thousand would be read fifty million times.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signed(usize);

/// All are alike.
impl PartialEq for Signed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Signed {}

/// One tool call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ToolCall {
    /// Its id.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments: JSON text, escaped.
    pub arguments: String,
    /// What must go back with it (`extra_content`), a JSON object.
    pub extra: Option<String>,
}

impl Completion {
    /// Takes one piece in.
    pub fn push(&mut self, delta: &Delta<'_>) {
        match delta {
            Delta::Start { id, model } if self.id.is_empty() && self.model.is_empty() => {
                self.id = id.get().into();
                self.model = model.get().into();
            }
            Delta::Start { .. } | Delta::Dearer { .. } | Delta::Failed { .. } | Delta::End => {}
            Delta::Text { choice, text } => self.with(*choice, |choice| choice.text.push_str(text.get())),
            Delta::Refusal { choice, text } => self.with(*choice, |choice| choice.refusal.push_str(text.get())),
            Delta::Reasoning { choice, text } => self.with(*choice, |choice| choice.reasoning.push_str(text.get())),
            Delta::ReasoningDetail { choice, item } => self.with(*choice, |choice| {
                let text = choice.reasoning.get(choice.signed.0..).unwrap_or_default();
                let item = with_text(item, text).into_owned();
                choice.signed.0 = choice.signed.0.saturating_add(text_of(&item).get().len());
                choice.details.push(item);
            }),
            Delta::ToolCall { choice, index, id, name, extra } => self.call(*choice, *index, |call| {
                call.id = id.get().into();
                call.name = name.get().into();
                call.extra = extra.as_deref().map(String::from);
            }),
            Delta::ToolArguments { choice, index, json } => {
                self.call(*choice, *index, |call| call.arguments.push_str(json.get()));
            }
            Delta::Finish { choice, reason } => self.with(*choice, |choice| choice.finish = Some(*reason)),
            Delta::Usage { usage, cost } => {
                self.usage = Some(*usage);
                self.cost = cost.or(self.cost);
            }
            Delta::Unmapped(what) => {
                if !self.unmapped.contains(what) {
                    self.unmapped.push(what);
                }
            }
        }
    }

    /// The answer in pieces again, each text whole.
    pub fn deltas(&self, sink: &mut dyn FnMut(Delta<'_>)) {
        sink(Delta::Start { id: Escaped::trusted(&self.id), model: Escaped::trusted(&self.model) });
        for (choice, own) in (0u32..).zip(&self.choices) {
            // Pieces that are signed each repeat their part of the reasoning: it comes before its signature.
            let mut signed = String::new();
            own.details.iter().for_each(|item| signed.push_str(text_of(item).get()));
            let in_pieces = signed == own.reasoning;
            if !in_pieces && !own.reasoning.is_empty() {
                sink(Delta::Reasoning { choice, text: Escaped::trusted(&own.reasoning) });
            }
            for item in &own.details {
                let text = text_of(item);
                if in_pieces && !text.is_empty() {
                    sink(Delta::Reasoning { choice, text });
                }
                sink(Delta::ReasoningDetail { choice, item: Cow::Borrowed(item) });
            }
            if !own.text.is_empty() {
                sink(Delta::Text { choice, text: Escaped::trusted(&own.text) });
            }
            // What was said comes before the reason why no more of it is.
            if !own.refusal.is_empty() {
                sink(Delta::Refusal { choice, text: Escaped::trusted(&own.refusal) });
            }
            for (index, call) in (0u32..).zip(&own.calls) {
                let (id, name) = (Escaped::trusted(&call.id), Escaped::trusted(&call.name));
                let extra = call.extra.as_deref().map(Cow::Borrowed);
                sink(Delta::ToolCall { choice, index, id, name, extra });
                if !call.arguments.is_empty() {
                    sink(Delta::ToolArguments { choice, index, json: Escaped::trusted(&call.arguments) });
                }
            }
            if let Some(reason) = own.finish {
                sink(Delta::Finish { choice, reason });
            }
        }
        if let Some(usage) = self.usage {
            sink(Delta::Usage { usage, cost: self.cost });
        }
        sink(Delta::End);
    }

    fn with(&mut self, index: u32, change: impl FnOnce(&mut Choice)) {
        if let Some(choice) = at(&mut self.choices, index) {
            change(choice);
        }
    }

    fn call(&mut self, choice: u32, index: u32, change: impl FnOnce(&mut ToolCall)) {
        self.with(choice, |choice| {
            if let Some(call) = at(&mut choice.calls, index) {
                change(call);
            }
        });
    }
}

/// The text of an item of `reasoning_details`; empty if it has none.
fn text_of(item: &str) -> Escaped<'_> {
    json::fields(item).ok().and_then(|fields| fields.field("text").and_then(Escaped::of)).unwrap_or_default()
}

/// An item of `reasoning_details` with the text, escaped, that it signs. In a stream (of OpenRouter's) the signature may
/// come alone, behind its text; back at its provider one without the other is refused.
#[must_use]
pub fn with_text<'a>(item: &'a str, text: &str) -> Cow<'a, str> {
    let Ok(fields) = json::fields(item) else { return Cow::Borrowed(item) };
    let of_text = fields.field("type").is_some_and(|raw| raw.get() == "\"reasoning.text\"");
    if !of_text || text.is_empty() || !text_of(item).is_empty() {
        return Cow::Borrowed(item);
    }
    let mut out = ["{\"type\":\"reasoning.text\",\"text\":\"", text, "\""].concat();
    for (name, raw) in fields.iter().filter(|(name, _)| !matches!(*name, "type" | "text")) {
        out.push(',');
        push_text(&mut out, name);
        out.push(':');
        out.push_str(raw.get());
    }
    out.push('}');
    out.into()
}

/// The item of this index, made if it is not there.
fn at<T: Default>(items: &mut Vec<T>, index: u32) -> Option<&mut T> {
    let index = usize::try_from(index).ok().filter(|_| index < MOST_CALLS)?;
    while items.len() <= index {
        items.push(T::default());
    }
    items.get_mut(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_comes_before_the_refusal_of_more() {
        let choice = Choice { text: "Well.".into(), refusal: "No.".into(), ..Choice::default() };
        let mut said = Vec::new();
        Completion { choices: vec![choice], ..Completion::default() }.deltas(&mut |delta| match delta {
            Delta::Text { text, .. } | Delta::Refusal { text, .. } => said.push(text.get().to_owned()),
            _ => {}
        });
        assert_eq!(said, ["Well.", "No."]);
    }

    #[test]
    fn what_is_signed_is_known_without_a_look_at_every_detail() {
        let mut completion = Completion::default();
        let item = || Cow::Borrowed(r#"{"type":"reasoning.text","signature":"s"}"#);
        for text in ["one", "", "three"] {
            completion.push(&Delta::Reasoning { choice: 0, text: Escaped::trusted(text) });
            completion.push(&Delta::ReasoningDetail { choice: 0, item: item() });
        }
        let choice = &completion.choices[0];
        let all: usize = choice.details.iter().map(|item| text_of(item).get().len()).sum();
        assert_eq!((choice.signed.0, all, choice.reasoning.len()), (8, 8, 8));
        let texts: Vec<_> = choice.details.iter().map(|item| text_of(item).get().to_owned()).collect();
        assert_eq!(texts, ["one", "", "three"]);
    }
}

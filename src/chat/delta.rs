//! An answer in pieces: what every dialect's stream, and every dialect's whole answer, is read into, and
//! what every dialect is written from.

use std::borrow::Cow;

use super::Usage;
use crate::json::Escaped;
use crate::money::NanoUsd;

/// Why an answer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    /// By itself, or at a stop sequence.
    Stop,
    /// At the output bound.
    Length,
    /// To have tools called.
    ToolCalls,
    /// The provider withheld the rest, or the model refused.
    ContentFilter,
    /// For a reason that has no neutral name. No translation calls such an answer whole.
    Other,
}

/// One piece of an answer. Texts stay escaped as the provider wrote them, so that a piece costs no copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delta<'a> {
    /// The answer's id and model; may come more than once, the first counts.
    Start {
        /// The provider's id of the answer.
        id: Escaped<'a>,
        /// The model, as the provider names it.
        model: Escaped<'a>,
    },
    /// Visible text.
    Text {
        /// Which of several answers (`n`), from 0.
        choice: u32,
        /// The piece.
        text: Escaped<'a>,
    },
    /// The text of a refusal (OpenAI's `refusal`).
    Refusal {
        /// Which answer.
        choice: u32,
        /// The piece.
        text: Escaped<'a>,
    },
    /// Reasoning in plain text.
    Reasoning {
        /// Which answer.
        choice: u32,
        /// The piece.
        text: Escaped<'a>,
    },
    /// Reasoning that must go back to its provider as it is: a signature, an encrypted block. One JSON object
    /// in the form of OpenRouter's `reasoning_details` items.
    ReasoningDetail {
        /// Which answer.
        choice: u32,
        /// The JSON object.
        item: Cow<'a, str>,
    },
    /// A tool call begins.
    ToolCall {
        /// Which answer.
        choice: u32,
        /// Which call of this answer, from 0, in order.
        index: u32,
        /// The call's id; made up from the index where the provider has none (Gemini).
        id: Escaped<'a>,
        /// The tool's name.
        name: Escaped<'a>,
        /// What must go back to the provider with the call, as the JSON object `extra_content` of Google's
        /// compatible API: `{"google":{"thought_signature":"…"}}`.
        extra: Option<Cow<'a, str>>,
    },
    /// A piece of a tool call's arguments: JSON text, escaped as the inside of a JSON string.
    ToolArguments {
        /// Which answer.
        choice: u32,
        /// Which call.
        index: u32,
        /// The piece.
        json: Escaped<'a>,
    },
    /// An answer ended.
    Finish {
        /// Which answer.
        choice: u32,
        /// Why.
        reason: Finish,
    },
    /// Tokens so far, cumulative: the last one counts.
    Usage {
        /// Tokens.
        usage: Usage,
        /// What the provider says that it charged.
        cost: Option<NanoUsd>,
    },
    /// The answer is billed at more than the listed price, by the account's own settings (a request that asks for a dearer
    /// tier is refused).
    Dearer {
        /// How much of the listed price, in percent.
        percent: u32,
    },
    /// The provider failed in the middle. A JSON object with an `error` in it.
    Failed {
        /// The object.
        body: Cow<'a, str>,
    },
    /// The terminal marker: `[DONE]`, `message_stop`, `response.completed`. Gemini has none.
    End,
    /// Output that has no neutral form (a citation, an image): named, so that a translation can say that it
    /// left it out.
    Unmapped(&'static str),
}

impl Delta<'_> {
    /// Bytes that an answer grows by with this piece, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Text { text, .. } | Self::Refusal { text, .. } | Self::Reasoning { text, .. } => text.get().len(),
            Self::ToolArguments { json, .. } => json.get().len(),
            Self::ReasoningDetail { item, .. } => item.len(),
            Self::ToolCall { id, name, extra, .. } => {
                let extra = extra.as_ref().map_or(0, |extra| extra.len());
                id.get().len().saturating_add(name.get().len()).saturating_add(extra)
            }
            Self::Start { .. }
            | Self::Finish { .. }
            | Self::Usage { .. }
            | Self::Dearer { .. }
            | Self::Failed { .. }
            | Self::End
            | Self::Unmapped(_) => 0,
        }
    }

    /// Whether this is reasoning.
    #[must_use]
    pub const fn is_reasoning(&self) -> bool {
        matches!(self, Self::Reasoning { .. } | Self::ReasoningDetail { .. })
    }

    /// Whether this is output, after which nothing is retried: visible text, a refusal, reasoning, a tool
    /// call. Roles, ids, usage, pings and empty pieces are not.
    #[must_use]
    pub fn commits(&self) -> bool {
        match self {
            Self::Text { text, .. } | Self::Refusal { text, .. } | Self::Reasoning { text, .. } => !text.is_empty(),
            Self::ToolArguments { json, .. } => !json.is_empty(),
            Self::ToolCall { .. } | Self::ReasoningDetail { .. } => true,
            // These tell of other output, and stand beside it.
            Self::Unmapped(what) => !matches!(*what, "logprobs" | "stop_sequence" | "citations"),
            Self::Start { .. } | Self::Finish { .. } | Self::Failed { .. } | Self::End => false,
            Self::Usage { .. } | Self::Dearer { .. } => false,
        }
    }
}

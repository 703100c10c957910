//! What the gateway itself needs to know of an answer.

use crate::chat::{Delta, Finish, Usage};
use crate::money::NanoUsd;

/// What the gateway reads of an answer, streamed or whole. The answer itself goes to the caller.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// Tokens, if the provider says.
    pub usage: Option<Usage>,
    /// What the provider says that it charged.
    pub cost: Option<NanoUsd>,
    /// Whether every answer ended by itself or by calling a tool.
    pub complete: bool,
    /// Whether an answer calls a tool.
    pub tool_calls: bool,
    /// Answers that ended.
    pub ended: u32,
    /// Whether it has pictures, sound or files, which only its own dialect can carry.
    pub media: bool,
}

impl Answer {
    /// Takes one piece in.
    pub fn push(&mut self, delta: &Delta<'_>) {
        match delta {
            Delta::ToolCall { .. } => self.tool_calls = true,
            Delta::Finish { reason, .. } => {
                let good = matches!(reason, Finish::Stop | Finish::ToolCalls);
                self.complete = good && (self.complete || self.ended == 0);
                self.ended = self.ended.saturating_add(1);
            }
            // Cumulative: the last one counts.
            Delta::Usage { usage, cost } => {
                self.usage = Some(*usage);
                self.cost = cost.or(self.cost);
            }
            Delta::Start { .. }
            | Delta::Text { .. }
            | Delta::Refusal { .. }
            | Delta::Reasoning { .. }
            | Delta::ReasoningDetail { .. }
            | Delta::ToolArguments { .. }
            | Delta::Failed { .. }
            | Delta::End => {}
            Delta::Unmapped(what) => self.media |= matches!(*what, "images" | "audio" | "files"),
        }
    }
}

//! What the gateway itself needs to know of an answer.

#[cfg(feature = "dialects")]
use crate::chat::LeftOut;
use crate::chat::{Delta, Finish, MOST_CALLS, Usage};
use crate::money::NanoUsd;

/// What the gateway reads of an answer, streamed or whole. The answer itself goes to the caller.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// Tokens, if the provider says.
    pub usage: Option<Usage>,
    /// How much of the listed price the provider takes, in percent; 0 is all of it.
    pub percent: u32,
    /// What the provider says that it charged.
    pub cost: Option<NanoUsd>,
    /// Whether every answer that was asked for ended by itself or by calling a tool.
    pub complete: bool,
    /// Whether an answer calls a tool.
    pub tool_calls: bool,
    /// Answers that ended.
    pub ended: u32,
    /// Whether it says anything: text, reasoning, a call.
    pub said: bool,
    /// Whether it has what only its own dialect can carry: pictures, sound, files, too many calls, or one whose
    /// arguments cannot be put together.
    pub media: bool,
    /// Whether it has anything that would be missing where it is given again.
    pub lossy: bool,
    /// What of it was left out of what is written for a caller of another dialect.
    #[cfg(feature = "dialects")]
    pub left_out: LeftOut,
    /// Whether it is written anew for a caller of another dialect: who gets it again gets what was written.
    pub translated: bool,
    /// Whether a gateway tells it, which tells no tokens for what cost it none.
    pub relayed: bool,
}

impl Answer {
    /// Takes one piece in.
    pub fn push(&mut self, delta: &Delta<'_>) {
        match delta {
            Delta::ToolCall { index, .. } => {
                (self.tool_calls, self.said) = (true, true);
                // So many are kept of one answer.
                self.media |= *index >= MOST_CALLS;
                self.lossy |= *index >= MOST_CALLS;
            }
            Delta::Text { .. } | Delta::Reasoning { .. } => self.said = true,
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
            Delta::Dearer { percent } => self.percent = *percent,
            Delta::Start { .. }
            | Delta::Refusal { .. }
            | Delta::ReasoningDetail { .. }
            | Delta::ToolArguments { .. }
            | Delta::Failed { .. }
            | Delta::End => {}
            Delta::Unmapped(what) => {
                self.media |= matches!(*what, "images" | "audio" | "files" | "arguments");
                if *what == "tool_calls" {
                    // Calls of a kind of its own, which are calls all the same.
                    (self.tool_calls, self.said) = (true, true);
                }
                self.lossy |= !self.translated;
                #[cfg(feature = "dialects")]
                if self.translated {
                    self.left_out.add(what);
                }
            }
        }
    }

    /// Takes counts that cannot be for no counts: there is no request without input, and what was said has tokens.
    /// Servers that do not count write zeros, and some leave a count out. For an answer at its end.
    pub fn doubt(&mut self) {
        let impossible = |usage: &Usage| usage.input == 0 || usage.output == 0 && self.said;
        if !self.relayed && self.usage.as_ref().is_some_and(impossible) {
            self.usage = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Escaped;

    fn doubted(input: u64, output: u64, pieces: &[Delta<'_>]) -> bool {
        let mut answer = Answer::default();
        pieces.iter().for_each(|piece| answer.push(piece));
        answer.push(&Delta::Usage { usage: Usage { input, output, ..Usage::default() }, cost: None });
        answer.doubt();
        answer.usage.is_none()
    }

    #[test]
    fn counts_that_cannot_be_are_unknown() {
        let text = || Delta::Text { choice: 0, text: Escaped::trusted("x") };
        let reasoning = || Delta::Reasoning { choice: 0, text: Escaped::trusted("x") };
        let call =
            Delta::ToolCall { choice: 0, index: 0, id: Escaped::default(), name: Escaped::trusted("f"), extra: None };
        for said in [text(), reasoning(), call] {
            assert!(doubted(9, 0, std::slice::from_ref(&said)), "{said:?}");
            assert!(!doubted(9, 1, std::slice::from_ref(&said)), "{said:?}");
            assert!(doubted(0, 1, std::slice::from_ref(&said)), "{said:?}");
        }
        let refusal = || Delta::Refusal { choice: 0, text: Escaped::trusted("why") };
        let end = || Delta::Finish { choice: 0, reason: Finish::ContentFilter };
        assert!(!doubted(9, 0, &[refusal(), end()]), "an answer that was withheld has no tokens of its own");
        assert!(doubted(0, 0, &[]));
    }

    #[test]
    fn the_last_usage_counts_and_a_cost_that_was_told_once_stays() {
        let mut answer = Answer::default();
        let usage = |output| Usage { input: 5, output, ..Usage::default() };
        answer.push(&Delta::Usage { usage: usage(1), cost: Some(NanoUsd::new(7)) });
        answer.push(&Delta::Usage { usage: usage(2), cost: None });
        assert_eq!((answer.usage, answer.cost), (Some(usage(2)), Some(NanoUsd::new(7))));
        answer.push(&Delta::Usage { usage: usage(3), cost: Some(NanoUsd::new(9)) });
        assert_eq!((answer.usage, answer.cost), (Some(usage(3)), Some(NanoUsd::new(9))));
    }
}

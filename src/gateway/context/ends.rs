//! How exchanges and streams ended, as records have it.

use crate::chat::Usage;
use crate::money::NanoUsd;
use crate::provider::Answer;
use crate::record::{Field, Outcome};

/// How a stream ended, as far as money and the breaker go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::gateway) enum StreamEnd {
    /// As its dialect demands.
    Complete,
    /// Anywhere else.
    Cut,
    /// The time for the whole ran out over a caller who hardly read.
    Unread,
    /// The caller left before its end.
    Left,
}

impl StreamEnd {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cut => "cut",
            Self::Unread => "unread",
            Self::Left => "left",
        }
    }

    pub(super) fn parse(word: &str) -> Self {
        match word {
            "complete" => Self::Complete,
            "cut" => Self::Cut,
            "unread" => Self::Unread,
            _ => Self::Left,
        }
    }
}

pub(super) fn with_answer<'a>(word: &'a str, answer: &Answer) -> [Field<'a>; 11] {
    let usage = answer.usage.unwrap_or_default();
    [
        word.into(),
        // Unknown, known, or known and billed at so many percent.
        answer.usage.map_or(0, |_| answer.percent.max(1)).into(),
        usage.input.into(),
        usage.cached_input.into(),
        usage.cache_write.into(),
        usage.cache_write_1h.into(),
        usage.output.into(),
        usage.reasoning.into(),
        answer.cost.map_or("-".into(), |cost| Field::from(cost.as_nano())),
        answer.complete.into(),
        answer.tool_calls.into(),
    ]
}

pub(super) fn read_answer(past: &mut Outcome) -> Answer {
    let percent = u32::try_from(past.int()).unwrap_or(u32::MAX);
    let usage = Usage {
        input: past.int(),
        cached_input: past.int(),
        cache_write: past.int(),
        cache_write_1h: past.int(),
        output: past.int(),
        reasoning: past.int(),
    };
    let cost = past.word().parse().ok().map(NanoUsd::new);
    let (complete, tool_calls) = (past.int() == 1, past.int() == 1);
    let (usage, percent) = ((percent > 0).then_some(usage), if percent > 1 { percent } else { 0 });
    Answer { usage, percent, cost, complete, tool_calls, ended: 1, ..Answer::default() }
}

//! What Claude's models refuse, which goes by their age: what the API answers with a 400 is to be known before a
//! request is sent, so that another target gets it (platform.claude.com: the migration guide of each model, "Effort").

use crate::text::find;

/// How old a model is, by what it refuses. Each refuses what those before it do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Age {
    /// Another maker's model behind an API of this dialect: nothing is known of it.
    Foreign,
    /// Up to Claude 4.5: it takes a budget for thinking and no word, and a temperature or a `top_p`.
    Budget,
    /// Claude 4.6: words, but `xhigh`; no answer that has begun.
    Words,
    /// Opus 4.7 and after: nothing but the usual temperature, `top_p` and `top_k`.
    Unsampled,
    /// It always thinks.
    Thinking,
    /// And it decides itself whether it calls a tool.
    Unforced,
}

/// What is in the names of models that know only the budget. The last figures are those of dates: `opus-4-20250514`.
const BUDGET: [&str; 10] = [
    "claude-3",
    "opus-4-0",
    "opus-4-1",
    "opus-4-2",
    "opus-4-5",
    "sonnet-4-0",
    "sonnet-4-2",
    "sonnet-4-5",
    "haiku-4-5",
    "claude-4",
];
const WORDS: [&str; 2] = ["opus-4-6", "sonnet-4-6"];
const UNFORCED: [&str; 6] = ["opus-5-5", "sonnet-5-5", "fable-5-1", "fable-5-2", "mythos-5-1", "mythos-5-2"];
const THINKING: [&str; 2] = ["fable-5", "mythos-5"];

impl Age {
    /// The age of the model of this name. A name that is not known is that of a new one.
    pub(super) fn of(model: &str) -> Self {
        let any = |names: &[&str], dates: bool| names.iter().any(|name| names_it(model, name, dates));
        if find(model, "claude").is_none() {
            Self::Foreign
        } else if any(&BUDGET, true) {
            Self::Budget
        } else if any(&WORDS, false) {
            Self::Words
        } else if any(&UNFORCED, false) {
            Self::Unforced
        } else if any(&THINKING, false) {
            Self::Thinking
        } else {
            Self::Unsampled
        }
    }
}

/// Whether a version stands in a model's name, and not the first figures of a date in its place.
fn names_it(model: &str, version: &str, dates: bool) -> bool {
    let after = find(model, version).map(|at| model.as_bytes().get(at.saturating_add(version.len())));
    after.is_some_and(|next| dates || !next.is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the Vercel AI SDK has them (@ai-sdk/anthropic 4.0.105, `anthropic-model-catalog.ts`), and the migration guides.
    #[test]
    fn each_model_has_its_age() {
        for (model, age) in [
            ("kimi-k3", Age::Foreign),
            ("claude-3-7-sonnet-20250219", Age::Budget),
            ("claude-opus-4-20250514", Age::Budget),
            ("claude-sonnet-4-5-20250929", Age::Budget),
            ("claude-haiku-4-5", Age::Budget),
            ("claude-opus-4-6", Age::Words),
            ("claude-sonnet-4-6", Age::Words),
            ("claude-opus-4-7", Age::Unsampled),
            ("claude-opus-4-8", Age::Unsampled),
            ("claude-opus-5", Age::Unsampled),
            ("claude-sonnet-5-20260630", Age::Unsampled),
            ("claude-haiku-5-5", Age::Unsampled),
            ("claude-someday-9", Age::Unsampled),
            ("claude-fable-5", Age::Thinking),
            ("claude-fable-5-20260601", Age::Thinking),
            ("claude-mythos-5", Age::Thinking),
            ("claude-fable-5-2", Age::Unforced),
            ("claude-opus-5-5", Age::Unforced),
            ("claude-sonnet-5-5-20260928", Age::Unforced),
        ] {
            assert_eq!(Age::of(model), age, "{model}");
        }
    }
}

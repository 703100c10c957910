//! What differs between providers. Facts of a date (mid 2026): kept here as data, never spread through the
//! code.

use crate::chat::Dialect;

/// How one provider departs from the dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quirks {
    /// Dialects that its API speaks, the preferred one first.
    pub dialects: &'static [Dialect],
    /// Name of the field that bounds the output.
    pub max_tokens: &'static str,
    /// Whether `usage: {"include": true}` makes the answer carry its cost in dollars.
    pub reports_cost: bool,
    /// Whether `completion_tokens` leaves reasoning out.
    pub reasoning_beside: bool,
}

/// The dialect as most compatible servers speak it: only OpenAI itself and Groq know the newer
/// `max_completion_tokens`, all know `max_tokens`.
const COMPATIBLE: Quirks =
    Quirks { dialects: &[Dialect::Chat], max_tokens: "max_tokens", reports_cost: false, reasoning_beside: false };

const TABLE: [(&str, Quirks); 6] = [
    ("groq", Quirks { max_tokens: "max_completion_tokens", ..COMPATIBLE }),
    (
        "openai",
        Quirks { dialects: &[Dialect::Chat, Dialect::Responses], max_tokens: "max_completion_tokens", ..COMPATIBLE },
    ),
    // openrouter.ai/docs/use-cases/usage-accounting: the cost in `usage` is what is charged.
    ("openrouter", Quirks { reports_cost: true, ..COMPATIBLE }),
    // docs.x.ai: reasoning tokens stand beside the completion tokens.
    ("xai", Quirks { reasoning_beside: true, ..COMPATIBLE }),
    ("anthropic", Quirks { dialects: &[Dialect::Anthropic], ..COMPATIBLE }),
    ("google", Quirks { dialects: &[Dialect::Google], ..COMPATIBLE }),
];

/// How `provider` departs from the dialect.
#[must_use]
pub fn quirks(provider: &str) -> Quirks {
    TABLE.iter().find(|(id, _)| *id == provider).map_or(COMPATIBLE, |(_, quirks)| *quirks)
}

//! What differs between providers that speak OpenAI's dialect. Facts of a date (mid 2026): kept here as
//! data, never spread through the code.

/// How one provider departs from the dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quirks {
    /// Name of the field that bounds the output.
    pub max_tokens: &'static str,
    /// Whether `usage: {"include": true}` makes the answer carry its cost in dollars.
    pub reports_cost: bool,
}

/// The dialect as most compatible servers speak it: only OpenAI itself and Groq know the newer
/// `max_completion_tokens`, all know `max_tokens`.
const COMPATIBLE: Quirks = Quirks { max_tokens: "max_tokens", reports_cost: false };

const TABLE: [(&str, Quirks); 3] = [
    ("groq", Quirks { max_tokens: "max_completion_tokens", ..COMPATIBLE }),
    ("openai", Quirks { max_tokens: "max_completion_tokens", ..COMPATIBLE }),
    // openrouter.ai/docs/use-cases/usage-accounting: the cost in `usage` is what is charged.
    ("openrouter", Quirks { reports_cost: true, ..COMPATIBLE }),
];

/// How `provider` departs from the dialect.
#[must_use]
pub fn quirks(provider: &str) -> Quirks {
    TABLE.iter().find(|(id, _)| *id == provider).map_or(COMPATIBLE, |(_, quirks)| *quirks)
}

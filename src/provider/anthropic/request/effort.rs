//! How much a model thinks before it answers.
//!
//! Three ways to say it: a budget of tokens (`thinking: enabled` with `budget_tokens`; neutral
//! `reasoning.max_tokens`), a word (`output_config.effort`; neutral `reasoning_effort` or `reasoning.effort`),
//! or not at all. Models up to Claude 4.5 know only the budget, those since 4.6 are asked with the word
//! (platform.claude.com, "Adaptive thinking"; from Opus 4.7 on the budget is refused). Between the two the
//! shares of the output bound that OpenRouter documents for its `reasoning.effort` serve: minimal 10 %, low
//! 20 %, medium 50 %, high 80 %, xhigh 95 %, and at least 1,024 tokens. Claude 4.6 knows no `xhigh`: it gets `max`, the
//! next above `high` there, as from the Vercel AI SDK.

use super::models::Age;
use super::place::{Place, present};
use crate::error::Result;
use crate::json::{self, Fields, Raw};
use crate::provider::Outgoing;
use crate::provider::anthropic::write::put;
use crate::record::push_int;

/// The API's least budget, in tokens.
const LEAST: u64 = 1024;

/// Words, the neutral one and Anthropic's, and their shares of the output bound, in percent.
const WORDS: [(&str, &str, u64); 5] = [
    ("minimal", "low", 10),
    ("low", "low", 20),
    ("medium", "medium", 50),
    ("high", "high", 80),
    ("xhigh", "xhigh", 95),
];

/// What the neutral request asks for.
#[derive(Clone, Copy, Default)]
pub(super) struct Effort {
    /// The row of `WORDS`.
    word: Option<(&'static str, &'static str, u64)>,
    budget: Option<u64>,
    off: bool,
    /// The thinking is not to be shown.
    hidden: bool,
    /// The field that asked, for refusals.
    field: &'static str,
}

impl Effort {
    /// Takes in `reasoning_effort`.
    pub(super) fn word(&mut self, raw: Raw<'_>, place: &Place<'_>, field: &'static str) -> Result<()> {
        let word = place.text(raw)?;
        self.field = field;
        if word == "none" {
            self.off = true;
            return Ok(());
        }
        let row = WORDS.iter().find(|(neutral, ..)| *neutral == word).copied();
        self.word = Some(row.ok_or_else(|| place.error("must be none, minimal, low, medium, high or xhigh"))?);
        Ok(())
    }

    /// Takes in `reasoning`.
    pub(super) fn object(&mut self, raw: Raw<'_>) -> Result<()> {
        let place = Place::field("reasoning");
        let fields = place.object(raw)?;
        place.known(&fields, &["max_tokens", "effort", "enabled", "exclude"])?;
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            let own = place.of(name);
            match (name, raw.get()) {
                ("effort", _) => self.word(raw, &own, "reasoning.effort")?,
                ("max_tokens", _) => {
                    let budget = json::uint(raw).filter(|budget| *budget >= LEAST);
                    self.budget = Some(budget.ok_or_else(|| own.error("must be a whole number from 1024"))?);
                    self.field = "reasoning.max_tokens";
                }
                ("enabled", "false") => (self.off, self.field) = (true, "reasoning"),
                ("enabled", "true") if self.word.is_none() => {
                    self.word = WORDS.get(2).copied();
                    self.field = "reasoning";
                }
                ("exclude", hide @ ("true" | "false")) => self.hidden = hide == "true",
                (_, "true") => {}
                _ => return Err(own.error("must be true or false")),
            }
        }
        Ok(())
    }

    /// Whether the model is asked to think.
    pub(super) const fn thinks(&self) -> bool {
        !self.off && (self.word.is_some() || self.budget.is_some())
    }

    /// Appends `thinking` and returns Anthropic's word for `output_config.effort`.
    ///
    /// # Errors
    /// When the output bound leaves no room for the thinking: it counts against the bound. When tools go on that the
    /// model called without thinking before (`unthought`), as another provider's did: no budget is taken then. And when a
    /// model is not to think that always does.
    pub(super) fn push(
        &self,
        out: &mut String,
        outgoing: &Outgoing<'_>,
        age: Age,
        unthought: bool,
    ) -> Result<Option<&'static str>> {
        if self.off {
            if age >= Age::Thinking {
                return Err(Place::field(self.field).error("must not be none: this model always thinks"));
            }
            out.push_str(",\"thinking\":{\"type\":\"disabled\"}");
            return Ok(None);
        }
        if !self.thinks() {
            return Ok(None);
        }
        let bound = u64::from(outgoing.max_output_tokens);
        let display = if self.hidden { ",\"display\":\"omitted\"}" } else { "}" };
        if age != Age::Budget {
            let share = |budget: u64| budget.saturating_mul(100).checked_div(bound).unwrap_or(100);
            let of_budget = |budget: u64| WORDS.iter().take(4).find(|(.., percent)| share(budget) <= *percent);
            let row = self.word.or_else(|| of_budget(self.budget?).or(WORDS.get(3)).copied());
            // From Opus 4.7 on nothing of it is shown to whoever does not ask.
            let display = if self.hidden || age == Age::Foreign { display } else { ",\"display\":\"summarized\"}" };
            put(out, &[",\"thinking\":{\"type\":\"adaptive\"", display]);
            return Ok(row.map(|(_, word, _)| if word == "xhigh" && age == Age::Words { "max" } else { word }));
        }
        if unthought {
            return Err(Place::field(self.field)
                .error("cannot be set for this model while tools go on that another provider's model called"));
        }
        let percent = self.word.map_or(0, |(.., percent)| percent);
        let budget = self.budget.unwrap_or_else(|| bound.saturating_mul(percent).saturating_div(100).max(LEAST));
        if budget >= bound {
            return Err(Place::field(self.field).error("leaves no tokens for the answer: raise the output bound"));
        }
        out.push_str(",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":");
        push_int(out, budget);
        out.push_str(display);
        Ok(None)
    }
}

/// Appends the neutral fields for a caller's `thinking` and `output_config.effort`.
///
/// Adaptive thinking without a word is `high`, the API's own default, and `max` the most that others have a word for.
/// Whether the thinking is shown (`display`) does not shape the answer and is left out.
pub(super) fn decode(out: &mut String, request: &Fields<'_>, effort: Option<Raw<'_>>) -> Result<()> {
    const BUDGET: &str = "must be a whole number from 1024, below max_tokens unless there are tools";
    let place = Place::field("output_config");
    let own = place.of("effort");
    let word = effort.map(|raw| own.text(raw)).transpose()?;
    let mut word = match word.as_deref() {
        None => None,
        Some("max") => Some("xhigh"),
        Some(word @ ("low" | "medium" | "high" | "xhigh")) => Some(word),
        Some(_) => return Err(own.error("must be low, medium, high, xhigh or max")),
    };
    if let Some(raw) = present(request, "thinking") {
        let place = Place::field("thinking");
        let fields = place.object(raw)?;
        place.known(&fields, &["type", "budget_tokens", "display"])?;
        match json::text(place.said(&fields, "type")?).as_deref() {
            Some("enabled") => {
                let most = present(request, "max_tokens").and_then(json::uint).unwrap_or(u64::MAX).saturating_sub(1);
                let budget = fields.field("budget_tokens").and_then(json::uint).filter(|budget| *budget >= LEAST);
                // Between tools it is that of all the answers of a turn; of one the bound holds (platform.claude.com,
                // "Interleaved thinking"). Other APIs know a budget of one.
                let budget = budget.filter(|budget| *budget <= most || present(request, "tools").is_some());
                let budget = budget.ok_or_else(|| place.of("budget_tokens").error(BUDGET))?;
                out.push_str(",\"reasoning\":{\"max_tokens\":");
                push_int(out, budget.min(most.max(LEAST)));
                out.push('}');
            }
            Some("adaptive") => word = word.or(Some("high")),
            Some("disabled") => {
                // The word still shapes the text, unless it is the API's own: no other dialect can say both.
                if let Some(word) = word.filter(|word| *word != "high") {
                    put(out, &[",\"output_config\":{\"effort\":\"", word, "\"}"]);
                }
                word = Some("none");
            }
            _ => return place.refuse("type", "must be enabled, adaptive or disabled"),
        }
    }
    if let Some(word) = word {
        put(out, &[",\"reasoning_effort\":\"", word, "\""]);
    }
    Ok(())
}

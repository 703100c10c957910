//! How much a model thinks: Gemini's level or budget, and the neutral effort or budget.

use super::fields::{field, given, join, lacking, number, object, plain, push, refuse, text, text_field};
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw};
use crate::text::contains;

/// Effort, level, and the budget of models that know no levels (2.x): the table of Google's own compatible
/// API (ai.google.dev/gemini-api/docs/openai#thinking).
const TABLE: [(&str, &str, &str); 6] = [
    ("none", "MINIMAL", "0"),
    ("minimal", "MINIMAL", "1024"),
    ("low", "LOW", "1024"),
    ("medium", "MEDIUM", "8192"),
    ("high", "HIGH", "24576"),
    ("xhigh", "HIGH", "24576"),
];

/// Reads `generationConfig.thinkingConfig` and writes the neutral fields. `includeThoughts` says only what is
/// shown, so alone it changes nothing; a budget of -1 is what models do without one.
pub(super) fn decode(raw: Raw<'_>, path: &str, out: &mut String) -> Result<()> {
    let (mut effort, mut budget, mut shown) = (None, None, false);
    for (name, raw) in object(raw.get(), path)?.iter().filter(|(_, raw)| raw.get() != "null") {
        let path = join(path, name);
        match name {
            "includeThoughts" => shown = raw.get() == "true",
            "thinkingLevel" => {
                let level = text(raw, &path)?.to_ascii_uppercase();
                if level != "THINKING_LEVEL_UNSPECIFIED" {
                    // "none" stands first, and has a level only for want of one.
                    let row = TABLE.iter().skip(1).find(|(_, own, _)| *own == level);
                    let row = row.ok_or_else(|| Error::invalid(&path, "must be MINIMAL, LOW, MEDIUM or HIGH"))?;
                    effort = Some(row.0);
                }
            }
            "thinkingBudget" => match number(raw, &path)? {
                "-1" => {}
                "0" => effort = Some("none"),
                tokens if json::uint(raw).is_some() => budget = Some(tokens),
                _ => return Err(Error::invalid(&path, "must be a whole number of tokens, or -1").into()),
            },
            _ => return Err(refuse(&path)),
        }
    }
    match (effort, budget) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid(path, "must have a thinkingLevel or a thinkingBudget, not both").into());
        }
        (_, Some(tokens)) => {
            field(out, "reasoning", "");
            push(out, &["{\"max_tokens\":", tokens, "}"]);
        }
        (Some(effort), None) if shown && effort != "none" => {
            field(out, "reasoning", "");
            push(out, &["{\"effort\":\"", effort, "\"}"]);
        }
        (Some(effort), None) => text_field(out, "reasoning_effort", effort),
        (None, None) => {}
    }
    Ok(())
}

/// Reads `reasoning_effort` and `reasoning` and writes `thinkingConfig`. Thoughts are shown to those who ask
/// by `reasoning`, as at OpenRouter, whose form it is; OpenAI's `reasoning_effort` alone shows none.
pub(super) fn encode(request: &Fields<'_>, model: &str, out: &mut String) -> Result<()> {
    let (mut effort, mut budget, mut shown) = (None, None, None);
    let mut path = "reasoning_effort";
    if let Some(raw) = given(request, path) {
        effort = Some(text(raw, path)?);
    }
    if let Some(raw) = given(request, "reasoning") {
        path = "reasoning";
        for (name, raw) in plain(raw, path)?.iter().filter(|(_, raw)| raw.get() != "null") {
            match (name, raw.get()) {
                ("effort", _) => effort = Some(text(raw, "reasoning.effort")?),
                ("max_tokens", tokens) if json::uint(raw).is_some() => budget = Some(tokens),
                ("max_tokens", _) => {
                    return Err(Error::invalid("reasoning.max_tokens", "must be a whole number of tokens").into());
                }
                ("exclude", "true") => shown = Some(false),
                ("enabled", "false") => effort = Some("none".into()),
                ("exclude", "false") | ("enabled", "true") => {}
                _ => return Err(lacking(&join(path, name))),
            }
        }
        shown = shown.or(Some(true));
    }
    let mut config = String::from("{");
    let by_budget = contains(model, "gemini-2");
    if let Some(tokens) = budget {
        field(&mut config, "thinkingBudget", tokens);
    } else if let Some(effort) = effort.as_deref() {
        let row = TABLE.iter().find(|(own, _, _)| *own == effort);
        let (_, mut level, tokens) =
            *row.ok_or_else(|| Error::invalid(path, "must be none, minimal, low, medium or high"))?;
        let always = always_thinks(model);
        if effort == "none" {
            if always {
                return Err(Error::invalid(path, "must not be none: this model always thinks").into());
            }
            shown = None;
        } else if always && level == "MINIMAL" {
            level = "LOW";
        }
        if by_budget {
            field(&mut config, "thinkingBudget", tokens);
        } else {
            text_field(&mut config, "thinkingLevel", level);
        }
    }
    if shown == Some(true) && budget != Some("0") {
        field(&mut config, "includeThoughts", "true");
    }
    if config.len() > 1 {
        field(out, "thinkingConfig", "");
        push(out, &[&config, "}"]);
    }
    Ok(())
}

/// Whether a model always thinks, and knows no MINIMAL: "'minimal' is not a supported thinking level for this model.
/// Allowed values are: medium, low, high." (ai.google.dev/gemini-api/docs/thinking: the Pro models, Flash since 3.7).
fn always_thinks(model: &str) -> bool {
    const NAMES: [&str; 6] = [
        "-pro",
        "gemini-3.7-flash",
        "gemini-3.8-flash",
        "gemini-3.9-flash",
        "gemini-4-hydrogen",
        "gemini-flash-latest",
    ];
    NAMES.iter().any(|name| contains(model, name)) && !contains(model, "flash-lite")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_gemini(request: &str, model: &str) -> String {
        let mut out = String::new();
        match encode(&json::fields(request).unwrap(), model, &mut out) {
            Ok(()) => out,
            Err(error) => format!("{:?}", error.detail),
        }
    }

    #[test]
    fn older_models_take_a_budget_and_newer_ones_a_level() {
        let low = r#"{"reasoning_effort":"low"}"#;
        assert_eq!(to_gemini(low, "gemini-2.5-flash"), r#""thinkingConfig":{"thinkingBudget":1024}"#);
        assert_eq!(to_gemini(low, "gemini-3-flash"), r#""thinkingConfig":{"thinkingLevel":"LOW"}"#);
        let none = r#"{"reasoning_effort":"none"}"#;
        assert_eq!(to_gemini(none, "gemini-2.5-flash"), r#""thinkingConfig":{"thinkingBudget":0}"#);
        for model in ["gemini-2.5-pro", "gemini-3.8-flash", "gemini-3.7-flash"] {
            assert!(to_gemini(none, model).contains("always thinks"), "{model}");
        }
        for model in ["gemini-3.5-flash", "gemini-3.8-flash-lite", "gemini-4-argon"] {
            assert_eq!(to_gemini(none, model), r#""thinkingConfig":{"thinkingLevel":"MINIMAL"}"#, "{model}");
        }
        let least = r#"{"reasoning_effort":"minimal"}"#;
        assert_eq!(to_gemini(least, "gemini-3.8-flash"), r#""thinkingConfig":{"thinkingLevel":"LOW"}"#);
        let minimal = r#"{"reasoning":{"effort":"minimal"}}"#;
        assert_eq!(
            to_gemini(minimal, "gemini-3-pro-preview"),
            r#""thinkingConfig":{"thinkingLevel":"LOW","includeThoughts":true}"#
        );
        assert_eq!(
            to_gemini(r#"{"reasoning":{"max_tokens":2000,"exclude":true}}"#, "gemini-3-pro"),
            r#""thinkingConfig":{"thinkingBudget":2000}"#
        );
        assert_eq!(to_gemini("{}", "gemini-3-pro"), "");
        assert!(to_gemini(r#"{"reasoning_effort":"huge"}"#, "gemini-3-pro").contains("reasoning_effort"));
        assert!(to_gemini(r#"{"reasoning":{"new":1}}"#, "gemini-3-pro").contains("reasoning.new"));
    }

    #[test]
    fn levels_and_budgets_become_efforts_and_budgets() {
        let read = |config: &str| {
            let body = format!("[{config}]");
            let raw = json::items(&body).unwrap()[0];
            let mut out = String::new();
            match decode(raw, "thinkingConfig", &mut out) {
                Ok(()) => out,
                Err(error) => format!("{:?}", error.detail),
            }
        };
        assert_eq!(read(r#"{"thinkingLevel":"minimal"}"#), r#""reasoning_effort":"minimal""#);
        assert_eq!(read(r#"{"thinking_level":"HIGH","include_thoughts":true}"#), r#""reasoning":{"effort":"high"}"#);
        assert_eq!(read(r#"{"thinkingBudget":0}"#), r#""reasoning_effort":"none""#);
        assert_eq!(read(r#"{"thinkingBudget":512,"includeThoughts":true}"#), r#""reasoning":{"max_tokens":512}"#);
        assert_eq!(read(r#"{"thinkingBudget":-1,"includeThoughts":true}"#), "");
        for bad in [r#"{"thinkingBudget":-2}"#, r#"{"thinkingLevel":"NONE"}"#, r#"{"x":1}"#, "[]"] {
            assert!(read(bad).contains("Fields"), "{bad}");
        }
    }
}

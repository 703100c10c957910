//! Which provider's key a variable must hold, by its name.

use super::{Checked, check_key};
use crate::error::Result;

/// What the names of variables call the providers. A longer name goes before one that it ends with.
const NAMES: [(&str, &str); 16] = [
    ("GROQ", "groq"),
    ("OPENROUTER", "openrouter"),
    ("OPEN_ROUTER", "openrouter"),
    ("AZURE_OPENAI", ""), // no shape of its own
    ("OPENAI", "openai"),
    ("ANTHROPIC", "anthropic"),
    ("CLAUDE", "anthropic"),
    ("GEMINI", "google"),
    ("GOOGLE", "google"),
    ("GOOGLE_GENERATIVE_AI", "google"),
    ("DEEPSEEK", "deepseek"),
    ("HF", "huggingface"),
    ("HUGGINGFACE", "huggingface"),
    ("HUGGING_FACE", "huggingface"),
    ("MISTRAL", "mistral"),
    ("XAI", "xai"),
];

/// What a key is called behind its provider's name.
const KINDS: [&str; 4] = ["_API_KEY", "_API_TOKEN", "_KEY", "_TOKEN"];

/// The provider whose key the variable `name` must hold: `GROQ_API_KEY`, `VITE_GROQ_KEY`, `MY_HF_TOKEN`.
#[must_use]
pub fn provider_of(name: &str) -> Option<&'static str> {
    let owner = KINDS.iter().find_map(|kind| name.strip_suffix(kind))?;
    let ends = |word: &str| owner.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'));
    let (_, provider) = NAMES.iter().find(|(word, _)| ends(word))?;
    Some(*provider).filter(|provider| !provider.is_empty())
}

/// Checks the value of a variable as the key that its name speaks of; `None` if it speaks of none, or if the value is
/// no key but tells where one is (`op://…`, `$OTHER`, dotenvx's `encrypted:…`).
#[must_use]
pub fn check_variable(name: &str, value: &[u8]) -> Option<(&'static str, Result<Checked>)> {
    let provider = provider_of(name)?;
    let elsewhere = value.starts_with(b"$")
        || value.starts_with(b"encrypted:")
        || value.windows(3).take(32).any(|three| three == b"://");
    if elsewhere || value.trim_ascii().is_empty() { None } else { Some((provider, check_key(provider, value))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_speaks_of_a_provider() {
        for (name, provider) in [
            ("GROQ_API_KEY", Some("groq")),
            ("VITE_GROQ_KEY", Some("groq")),
            ("MY_OPENAI_API_KEY", Some("openai")),
            ("AZURE_OPENAI_API_KEY", None),
            ("GOOGLE_GENERATIVE_AI_API_KEY", Some("google")),
            ("GOOGLE_PRIVATE_KEY", None),
            ("ANTHROPIC_AUTH_TOKEN", None),
            ("HF_TOKEN", Some("huggingface")),
            ("SELF_TOKEN", None),
            ("NOTGROQ_API_KEY", None),
            ("GROQ_API_KEY_ID", None),
            ("groq_api_key", None),
            ("API_KEY", None),
            ("", None),
        ] {
            assert_eq!(provider_of(name), provider, "{name}");
        }
    }

    #[test]
    fn a_value_is_held_against_its_name() {
        let problem = |name: &str, value: &str| {
            let (_, checked) = check_variable(name, value.as_bytes())?;
            checked.err().map(|error| format!("{:?}", error.detail))
        };
        let openai = format!("sk-proj-{0}T3BlbkFJ{0}", "aB3_".repeat(18) + "xy");
        assert!(problem("GROQ_API_KEY", &openai).is_some_and(|told| told.contains("is a key of OpenAI")));
        assert!(problem("GROQ_API_KEY", "gsk_abc").is_some_and(|told| told.contains("cut short")));
        assert!(problem("GROQ_API_KEY", "your-key-here").is_some_and(|told| told.contains("placeholder")));
        assert_eq!(problem("OPENAI_API_KEY", &openai), None);
        for elsewhere in ["", "  ", "$OTHER", "${OTHER}", "op://vault/groq/key", "encrypted:BD7f…"] {
            assert!(check_variable("GROQ_API_KEY", elsewhere.as_bytes()).is_none(), "{elsewhere}");
        }
    }
}

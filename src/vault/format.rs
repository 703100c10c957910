//! Is this a key at all? Asked before one is stored, so that a slip of the clipboard is told at once and
//! not by a provider's 401 later.
//!
//! Refused is only what cannot be a key of that provider. A shape that differs from the one we know is a
//! warning: providers change theirs, and validators that insist keep people out.

#[cfg(feature = "values")]
mod variable;

use crate::error::{Error, Result};
use crate::keys::{self, RULES, Rule};
use crate::secret::Secret;
use crate::text;

#[cfg(feature = "values")]
pub use variable::{check_variable, provider_of};

/// Longest key taken, in bytes.
pub const LONGEST: usize = 4_096;

/// A key that may be stored, without the quotes and blanks around it.
#[derive(Debug)]
pub struct Checked {
    /// The cleaned key.
    pub key: Secret<String>,
    /// What is unusual about it: sentences for people, without any part of the key.
    pub warnings: Vec<&'static str>,
}

/// What is said of the keys of a provider that we know.
struct Owner {
    provider: &'static str,
    /// Of its key where another's should be.
    owns: &'static str,
    /// Of a key that has none of its shapes.
    differs: &'static str,
    /// A prefix, the length of such a key, and what is said of a shorter one; of kinds whose length is well known.
    cut: Option<(&'static str, usize, &'static str)>,
}

/// The shapes themselves are rows of [`RULES`].
const OWNERS: [Owner; 9] = [
    Owner {
        provider: "groq",
        owns: "is a key of Groq",
        differs: "This does not look like a Groq key: gsk_ and 52 letters or digits.",
        cut: Some(("gsk_", 56, "is cut short: a Groq key has 56 characters")),
    },
    Owner {
        provider: "openrouter",
        owns: "is a key of OpenRouter",
        differs: "This does not look like an OpenRouter key: sk-or-v1- and 64 hexadecimal digits.",
        cut: Some(("sk-or-v1-", 73, "is cut short: an OpenRouter key has 73 characters")),
    },
    Owner {
        provider: "openai",
        owns: "is a key of OpenAI",
        differs: "This does not look like an OpenAI key: sk-proj-, sk-svcacct- or sk-, and a long text.",
        cut: Some(("sk-proj-", 56, "is cut short: an OpenAI key is longer")),
    },
    Owner {
        provider: "anthropic",
        owns: "is a key of Anthropic",
        differs: "This does not look like an Anthropic API key: sk-ant-api03- and 95 characters.",
        cut: Some(("sk-ant-api", 108, "is cut short: an Anthropic key has 108 characters")),
    },
    Owner {
        provider: "google",
        owns: "is a key of Google",
        differs: "This does not look like a Google key: AIza and 35 characters, or AQ. and 50.",
        cut: Some(("AIza", 39, "is cut short: a Google key has 39 characters")),
    },
    Owner {
        provider: "deepseek",
        owns: "is a key of DeepSeek",
        differs: "This does not look like a DeepSeek key: sk- and 32 letters or digits.",
        cut: Some(("sk-", 35, "is cut short: a DeepSeek key has 35 characters")),
    },
    Owner {
        provider: "huggingface",
        owns: "is a key of Hugging Face",
        differs: "This does not look like a Hugging Face key: hf_ and 34 letters.",
        cut: Some(("hf_", 37, "is cut short: a Hugging Face key has 37 characters")),
    },
    Owner {
        provider: "mistral",
        owns: "is a key of Mistral",
        differs: "This does not look like a Mistral key: 32 letters or digits.",
        cut: None,
    },
    Owner {
        provider: "xai",
        owns: "is a key of xAI",
        differs: "This does not look like an xAI key: xai- and 80 letters or digits.",
        cut: Some(("xai-", 74, "is cut short: an xAI key has 84 characters")),
    },
];

/// Kinds that their provider issues, but not for its API.
const NO_API: [&str; 2] = ["anthropic-session", "google-oauth-secret"];

/// Prefixes that many give to their keys.
const COMMON: [&str; 2] = ["sk-", "sk_"];

/// Whether a key has a shape that its provider's API takes.
fn fits(provider: &str, key: &str) -> bool {
    // Without a prefix, and so of no use to a scanner.
    let mistral = provider == "mistral" && key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let own = |rule: &&Rule| rule.provider == provider && !NO_API.contains(&rule.id);
    mistral || RULES.iter().filter(own).any(|rule| keys::fits(rule, key))
}

/// What is said of a key whose prefix is of somebody else's alone.
fn of_another(provider: &str, key: &str) -> Option<&'static str> {
    let names = |prefix: &&str| {
        key.starts_with(*prefix)
            && prefix.len() >= 3
            && !COMMON.contains(prefix)
            // Tokens of any issuer, addresses and the like may be keys of a proxy.
            && !prefix.contains([':', '/', ' '])
            && !prefix.starts_with("eyJ")
    };
    let prefixes = |rule: &'static Rule| rule.prefixes().filter(names).map(|prefix| (prefix.len(), rule.provider));
    let shapes = || RULES.iter().filter(|rule| !rule.is_named()).flat_map(prefixes);
    let longest = shapes().map(|(length, _)| length).max()?;
    let mut owners = shapes().filter(|(length, _)| *length == longest).map(|(_, owner)| owner);
    let first = owners.next()?;
    if first == provider || owners.any(|owner| owner == provider) {
        return None;
    }
    let known = OWNERS.iter().find(|owner| owner.provider == first);
    Some(known.map_or("is a key of another service", |owner| owner.owns))
}

/// Cleans `input` and checks it as a key of `provider`.
///
/// # Errors
/// `invalid_request` that names the field `key` and says what is wrong, never what was given.
pub fn check_key(provider: &str, input: &[u8]) -> Result<Checked> {
    if input.len() > LONGEST {
        return refuse("is longer than 4,096 bytes");
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return refuse("is not text");
    };
    let mut warnings = Vec::new();
    let mut key = text.trim_matches(around);
    if let Some((scheme, rest)) = key.split_once(char::is_whitespace)
        && scheme.eq_ignore_ascii_case("bearer")
    {
        key = rest.trim_matches(around);
        warnings.push("The word Bearer before the key was left out.");
    }

    // Short prefixes prove nothing: words may follow them.
    let long = |rule: &Rule| rule.prefixes().any(|prefix| prefix.len() > 3 && key.starts_with(prefix));
    let known = RULES.iter().any(|rule| long(rule) && keys::fits(rule, key));
    if let Some(problem) = impossible(key).or_else(|| placeholder(key, known)) {
        return refuse(problem);
    }
    // Only for providers whose keys we know: behind another name may be a proxy that takes any key.
    if let Some(owner) = OWNERS.iter().find(|owner| owner.provider == provider) {
        if let Some(problem) = of_another(provider, key) {
            return refuse(problem);
        }
        if !fits(provider, key) {
            let cut = owner.cut.filter(|(prefix, length, _)| key.len() < *length && key.starts_with(prefix));
            if let Some((_, _, problem)) = cut {
                return refuse(problem);
            }
            warnings.push(owner.differs);
        }
    }
    Ok(Checked { key: Secret::new(key.into()), warnings })
}

fn refuse(problem: &'static str) -> Result<Checked> {
    Err(Box::new(Error::invalid("key", problem)))
}

/// What clipboards, shells and word processors leave around a key.
fn around(c: char) -> bool {
    let quote = matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}');
    let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    quote || invisible || c.is_whitespace()
}

/// No header can carry it.
fn impossible(key: &str) -> Option<&'static str> {
    if key.is_empty() || key.eq_ignore_ascii_case("bearer") {
        Some("is empty")
    } else if text::contains(key, "\u{2026}") {
        Some("was copied from where it is shown shortened")
    } else if key.contains(char::is_whitespace) {
        Some("contains a blank or a line break")
    } else if key.contains(char::is_control) {
        Some("contains a control character")
    } else if !key.is_ascii() {
        Some("contains a character that is not ASCII")
    } else {
        None
    }
}

/// Something that stands where a key should be. The words are long enough, or bound to what follows, so
/// that a random key does not contain one by chance; a key of a known shape is not even searched for them.
fn placeholder(key: &str, known: bool) -> Option<&'static str> {
    const PLACEHOLDER: &str = "is a placeholder, not a key";
    const MASKED: &str = "was copied from where it is shown shortened";
    const WORDS: [&str; 11] = [
        "your-",
        "your_",
        "yourkey",
        "yourapi",
        "yourtoken",
        "example",
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "api_key",
    ];
    // Past the prefix: `xai-` and the like must not count.
    let body = key.rsplit(['-', '_']).next().unwrap_or(key);
    if text::contains(key, "...") || text::contains(key, "***") {
        return Some(MASKED);
    }
    let mut bytes = body.bytes();
    let first = bytes.next();
    let uniform = body.len() >= 4 && bytes.all(|byte| Some(byte) == first);
    let lower = Secret::new(key.to_ascii_lowercase());
    // EXPOSE: searched for words, and wiped on drop.
    let lower = lower.expose();
    let run_of_x = text::contains(lower, "xxxxxxxx") || (key.len() < 24 && text::contains(lower, "xxxx"));
    let bracketed = key.contains(['<', '>', '{', '}', '$']);
    let worded = WORDS.iter().any(|word| text::contains(lower, word));
    (uniform || (!known && (run_of_x || bracketed || worded))).then_some(PLACEHOLDER)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

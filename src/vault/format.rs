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

/// The providers whose keys we know, each with a prefix and the length of such a key, of kinds whose length is well known. The
/// shapes themselves are rows of [`RULES`].
const OWNERS: [(&str, &str, usize); 9] = [
    ("groq", "gsk_", 56),
    ("openrouter", "sk-or-v1-", 73),
    ("openai", "sk-proj-", 56),
    ("anthropic", "sk-ant-api", 108),
    ("google", "AIza", 39),
    ("deepseek", "sk-", 35),
    ("huggingface", "hf_", 37),
    ("mistral", "", 0),
    ("xai", "xai-", 74),
];

/// What is said of their keys.
struct Words {
    /// Of its key where another's should be.
    owns: &'static str,
    /// Of a key that has none of its shapes.
    differs: &'static str,
    /// Of one that begins as its keys do and is shorter.
    cut: &'static str,
}

/// Apart from [`OWNERS`]: a key that is as it should be needs no words, and they load later.
#[inline(never)]
fn words_of(provider: &str) -> Words {
    let (owns, differs, cut) = match provider {
        "groq" => (
            "is a key of Groq",
            "This does not look like a Groq key: gsk_ and 52 letters or digits.",
            "is cut short: a Groq key has 56 characters",
        ),
        "openrouter" => (
            "is a key of OpenRouter",
            "This does not look like an OpenRouter key: sk-or-v1- and 64 hexadecimal digits.",
            "is cut short: an OpenRouter key has 73 characters",
        ),
        "openai" => (
            "is a key of OpenAI",
            "This does not look like an OpenAI key: sk-proj-, sk-svcacct- or sk-, and a long text.",
            "is cut short: an OpenAI key is longer",
        ),
        "anthropic" => (
            "is a key of Anthropic",
            "This does not look like an Anthropic API key: sk-ant-api03- and 95 characters.",
            "is cut short: an Anthropic key has 108 characters",
        ),
        "google" => (
            "is a key of Google",
            "This does not look like a Google key: AIza and 35 characters, or AQ. and 50.",
            "is cut short: a Google key has 39 characters",
        ),
        "deepseek" => (
            "is a key of DeepSeek",
            "This does not look like a DeepSeek key: sk- and 32 letters or digits.",
            "is cut short: a DeepSeek key has 35 characters",
        ),
        "huggingface" => (
            "is a key of Hugging Face",
            "This does not look like a Hugging Face key: hf_ and 34 letters.",
            "is cut short: a Hugging Face key has 37 characters",
        ),
        "mistral" => ("is a key of Mistral", "This does not look like a Mistral key: 32 letters or digits.", ""),
        "xai" => (
            "is a key of xAI",
            "This does not look like an xAI key: xai- and 80 letters or digits.",
            "is cut short: an xAI key has 84 characters",
        ),
        _ => ("is a key of another service", "", ""),
    };
    Words { owns, differs, cut }
}

/// Kinds that their provider issues, but not for its API.
const NO_API: [&str; 2] = ["anthropic-session", "google-oauth-secret"];

/// Prefixes that many give to their keys, and that of a gateway's tokens, which stand in for anybody's.
const COMMON: [&str; 3] = ["sk-", "sk_", "tg_live_"];

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
    Some(words_of(first).owns)
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
    if let Some((_, prefix, length)) = OWNERS.iter().find(|(owner, _, _)| *owner == provider) {
        if let Some(problem) = of_another(provider, key) {
            return refuse(problem);
        }
        if !fits(provider, key) {
            let words = words_of(provider);
            if key.len() < *length && key.starts_with(prefix) {
                return refuse(words.cut);
            }
            warnings.push(words.differs);
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

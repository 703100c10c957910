//! Is this a key at all? Asked before one is stored, so that a slip of the clipboard is told at once and
//! not by a provider's 401 later.
//!
//! Refused is only what cannot be a key of that provider. A shape that differs from the one we know is a
//! warning: providers change theirs, and validators that insist keep people out.

use crate::error::{Error, Result};
use crate::secret::Secret;

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

/// Prefixes that name their owner. The longer of two that overlap stands first.
const OWNERS: [(&str, &str, &str); 8] = [
    ("gsk_", "groq", "is a key of Groq"),
    ("sk-or-", "openrouter", "is a key of OpenRouter"),
    ("sk-ant-", "anthropic", "is a key of Anthropic"),
    ("sk-proj-", "openai", "is a key of OpenAI"),
    ("sk-svcacct-", "openai", "is a key of OpenAI"),
    ("sk-admin-", "openai", "is an administrator's key of OpenAI"),
    ("xai-", "xai", "is a key of xAI"),
    ("AIza", "google", "is a key of Google"),
];

/// The shape of one provider's keys, as far as it is known.
struct Shape {
    provider: &'static str,
    prefix: &'static str,
    /// Bytes of the whole key.
    length: usize,
    body: fn(u8) -> bool,
    cut: &'static str,
    differs: &'static str,
}

const SHAPES: [Shape; 2] = [
    Shape {
        provider: "groq",
        prefix: "gsk_",
        length: 56,
        body: |byte| byte.is_ascii_alphanumeric(),
        cut: "is cut short: a Groq key has 56 characters",
        differs: "This does not look like a Groq key: gsk_ and 52 letters or digits.",
    },
    Shape {
        provider: "openrouter",
        prefix: "sk-or-v1-",
        length: 73,
        body: |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        cut: "is cut short: an OpenRouter key has 73 characters",
        differs: "This does not look like an OpenRouter key: sk-or-v1- and 64 hexadecimal digits.",
    },
];

impl Shape {
    fn fits(&self, key: &str) -> bool {
        key.len() == self.length && key.strip_prefix(self.prefix).is_some_and(|body| body.bytes().all(self.body))
    }
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

    let shape = SHAPES.iter().find(|shape| shape.provider == provider);
    let known = SHAPES.iter().any(|shape| shape.fits(key));
    if let Some(problem) = impossible(key).or_else(|| placeholder(key, known)) {
        return refuse(problem);
    }
    if let Some(shape) = shape {
        // Only for providers whose keys we know: behind another name may be a proxy that takes any key.
        let owner = OWNERS.iter().find(|(prefix, _, _)| key.starts_with(prefix));
        if let Some((_, _, problem)) = owner.filter(|(_, owner, _)| *owner != provider) {
            return refuse(problem);
        }
        if key.len() < shape.length && key.starts_with(shape.prefix) {
            return refuse(shape.cut);
        }
        if !shape.fits(key) {
            warnings.push(shape.differs);
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
    } else if key.contains('\u{2026}') {
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
    if key.contains("...") || key.contains("***") {
        return Some(MASKED);
    }
    let mut bytes = body.bytes();
    let first = bytes.next();
    let uniform = body.len() >= 4 && bytes.all(|byte| Some(byte) == first);
    let lower = Secret::new(key.to_ascii_lowercase());
    // EXPOSE: searched for words, and wiped on drop.
    let lower = lower.expose();
    let run_of_x = lower.contains("xxxxxxxx") || (key.len() < 24 && lower.contains("xxxx"));
    let bracketed = key.contains(['<', '>', '{', '}', '$']);
    let worded = WORDS.iter().any(|word| lower.contains(word));
    (uniform || (!known && (run_of_x || bracketed || worded))).then_some(PLACEHOLDER)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

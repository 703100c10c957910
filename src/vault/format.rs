//! Is this a key at all? Asked before one is stored, so that a slip of the clipboard is told at once and
//! not by a provider's 401 later.
//!
//! Refused is only what cannot be a key of that provider. A shape that differs from the one we know is a
//! warning: providers change theirs, and validators that insist keep people out.

use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::text;

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
const OWNERS: [(&str, &str, &str); 10] = [
    ("gsk_", "groq", "is a key of Groq"),
    ("sk-or-", "openrouter", "is a key of OpenRouter"),
    ("sk-ant-", "anthropic", "is a key of Anthropic"),
    ("sk-proj-", "openai", "is a key of OpenAI"),
    ("sk-svcacct-", "openai", "is a key of OpenAI"),
    ("sk-admin-", "openai", "is an administrator's key of OpenAI"),
    ("xai-", "xai", "is a key of xAI"),
    ("AIza", "google", "is a key of Google"),
    ("AQ.", "google", "is a key of Google"),
    ("hf_", "huggingface", "is a key of Hugging Face"),
];

/// One shape of one provider's keys, as far as it is known.
struct Shape {
    provider: &'static str,
    prefix: &'static str,
    /// Fewest and most bytes of the whole key.
    length: (usize, usize),
    body: fn(u8) -> bool,
    /// Said of a shorter key with this prefix, where no such key was ever seen.
    cut: Option<&'static str>,
}

impl Shape {
    const fn new(
        provider: &'static str,
        prefix: &'static str,
        length: (usize, usize),
        body: fn(u8) -> bool,
        cut: Option<&'static str>,
    ) -> Self {
        Self { provider, prefix, length, body, cut }
    }

    fn fits(&self, key: &str) -> bool {
        (self.length.0..=self.length.1).contains(&key.len())
            && key.strip_prefix(self.prefix).is_some_and(|body| body.bytes().all(self.body))
    }
}

const fn letters_and_digits(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const fn hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The shapes that the open rule sets of secret scanners agree on (gitleaks, trufflehog, secretlint,
/// kingfisher; 2026). Where they differ, the wider one: who insists keeps people out.
const SHAPES: [Shape; 13] = [
    Shape::new("groq", "gsk_", (56, 56), letters_and_digits, Some("is cut short: a Groq key has 56 characters")),
    Shape::new(
        "openrouter",
        "sk-or-v1-",
        (73, 73),
        hexadecimal,
        Some("is cut short: an OpenRouter key has 73 characters"),
    ),
    // Two random parts around a marker; their length has changed over the years.
    Shape::new("openai", "sk-proj-", (56, 200), base64url, OPENAI_CUT),
    Shape::new("openai", "sk-svcacct-", (59, 200), base64url, OPENAI_CUT),
    Shape::new("openai", "sk-admin-", (57, 200), base64url, OPENAI_CUT),
    Shape::new("openai", "sk-", (51, 51), letters_and_digits, None),
    Shape::new(
        "anthropic",
        "sk-ant-api",
        (108, 108),
        base64url,
        Some("is cut short: an Anthropic key has 108 characters"),
    ),
    Shape::new("google", "AIza", (39, 39), base64url, Some("is cut short: a Google key has 39 characters")),
    // The newer kind, whose length is less well known.
    Shape::new("google", "AQ.", (53, 53), base64url, None),
    Shape::new("deepseek", "sk-", (35, 35), letters_and_digits, Some("is cut short: a DeepSeek key has 35 characters")),
    Shape::new(
        "huggingface",
        "hf_",
        (37, 37),
        letters_and_digits,
        Some("is cut short: a Hugging Face key has 37 characters"),
    ),
    Shape::new("mistral", "", (32, 32), letters_and_digits, None),
    Shape::new("xai", "xai-", (74, 124), letters_and_digits, Some("is cut short: an xAI key has 84 characters")),
];

const OPENAI_CUT: Option<&str> = Some("is cut short: an OpenAI key is longer");

/// What is said of a key that has none of its provider's shapes.
const DIFFERS: [(&str, &str); 9] = [
    ("groq", "This does not look like a Groq key: gsk_ and 52 letters or digits."),
    ("openrouter", "This does not look like an OpenRouter key: sk-or-v1- and 64 hexadecimal digits."),
    ("openai", "This does not look like an OpenAI key: sk-proj-, sk-svcacct- or sk-, and a long text."),
    ("anthropic", "This does not look like an Anthropic API key: sk-ant-api03- and 95 characters."),
    ("google", "This does not look like a Google key: AIza and 35 characters, or AQ. and 50."),
    ("deepseek", "This does not look like a DeepSeek key: sk- and 32 letters or digits."),
    ("huggingface", "This does not look like a Hugging Face key: hf_ and 34 letters."),
    ("mistral", "This does not look like a Mistral key: 32 letters or digits."),
    ("xai", "This does not look like an xAI key: xai- and 80 letters or digits."),
];

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
    let known = SHAPES.iter().any(|shape| shape.prefix.len() > 3 && shape.fits(key));
    if let Some(problem) = impossible(key).or_else(|| placeholder(key, known)) {
        return refuse(problem);
    }
    // Only for providers whose keys we know: behind another name may be a proxy that takes any key.
    if let Some((_, differs)) = DIFFERS.iter().find(|(own, _)| *own == provider) {
        let owner = OWNERS.iter().find(|(prefix, _, _)| key.starts_with(prefix));
        if let Some((_, _, problem)) = owner.filter(|(_, owner, _)| *owner != provider) {
            return refuse(problem);
        }
        let mut shapes = SHAPES.iter().filter(|shape| shape.provider == provider);
        if !shapes.clone().any(|shape| shape.fits(key)) {
            let cut = shapes.find(|shape| key.len() < shape.length.0 && key.starts_with(shape.prefix));
            if let Some(problem) = cut.and_then(|shape| shape.cut) {
                return refuse(problem);
            }
            warnings.push(*differs);
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

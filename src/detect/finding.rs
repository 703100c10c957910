//! What is found, and how it is told.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::keys::{Class, Hit, RULES, Rule, Severity};
use crate::secret::Secret;
use crate::value::Value;

/// How the key was written where it was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// In parts that are joined by `+`.
    Concat,
    /// With escapes of JSON or JavaScript: `\u0067`, `\/`.
    Json,
    /// With `%67`.
    Percent,
    /// With `\x67`.
    Hex,
    /// In base64, at any alignment.
    Base64,
}

impl Encoding {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Concat => "concat",
            Self::Json => "json",
            Self::Percent => "percent",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }
}

/// What a scan is given beside the text.
pub struct Options {
    /// Keys the fingerprints.
    pub key: Secret<Vec<u8>>,
    /// Whether publishable keys are reported too.
    pub publishable: bool,
}

/// A key in a text. It does not carry the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The kind of key.
    pub rule: &'static str,
    /// Who issues it.
    pub provider: &'static str,
    /// What it means.
    pub class: Class,
    /// How bad it is.
    pub severity: Severity,
    /// How it was written.
    pub encoding: Encoding,
    /// Its first byte, and past its last, in the text.
    pub span: (u64, u64),
    /// The same in UTF-16 units.
    pub utf16: (u64, u64),
    /// Line and column where it begins, from 1; columns are UTF-16 units.
    pub place: (u64, u64),
    /// Its prefix and its last characters.
    pub preview: String,
    /// The first 64 bits of the HMAC-SHA-256 of the key, in hexadecimal: the same for the same key, and no use to who
    /// tries out keys without knowing what keyed it.
    pub fingerprint: String,
    /// What to do.
    pub advice: &'static str,
    /// Where the provider tells about it, without `https://`.
    pub docs: &'static str,
}

impl Finding {
    /// As plain data, with the names of the public API.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::map([
            ("rule", self.rule.into()),
            ("provider", self.provider.into()),
            ("class", self.class.as_str().into()),
            ("severity", self.severity.as_str().into()),
            ("encoding", self.encoding.as_str().into()),
            ("start", self.span.0.into()),
            ("end", self.span.1.into()),
            ("startUtf16", self.utf16.0.into()),
            ("endUtf16", self.utf16.1.into()),
            ("line", self.place.0.into()),
            ("column", self.place.1.into()),
            ("preview", self.preview.as_str().into()),
            ("fingerprint", self.fingerprint.as_str().into()),
            ("advice", self.advice.into()),
            ("docs", ["https://", self.docs].concat().into()),
        ])
    }
}

/// A key found in a window, before it is told.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) hit: Hit,
    pub(super) encoding: Encoding,
    /// Where the text stands that the span counts from.
    pub(super) base: u64,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The key itself, decoded.
    pub(super) token: Secret<Vec<u8>>,
    /// Which of the values it is, if it was found by one and not by its shape.
    pub(super) value: Option<usize>,
}

impl Found {
    pub(super) const fn span(&self) -> (u64, u64) {
        (self.base.saturating_add(self.start as u64), self.base.saturating_add(self.end as u64))
    }

    pub(super) fn rule(&self) -> Option<&'static Rule> {
        RULES.get(self.hit.rule)
    }

    pub(super) fn class(&self) -> Class {
        if self.value.is_some() { Class::Secret } else { self.hit.class() }
    }

    /// What is shown of it: the prefix, and of longer keys the last four characters.
    pub(super) fn preview(&self) -> String {
        // EXPOSE: a prefix that all keys of the kind have and at most four of its characters go on.
        let token = self.token.expose();
        let Some(rule) = self.rule() else { return String::new() };
        let shown = if rule.is_named() {
            0
        } else {
            let own = rule.prefixes.iter().find(|prefix| token.starts_with(prefix.as_bytes()));
            own.map_or(0, |prefix| prefix.len())
        };
        let tail = if token.len() >= shown.saturating_add(24) { 4 } else { 0 };
        let head = token.get(..shown).unwrap_or_default();
        let tail = token.get(token.len().saturating_sub(tail)..).unwrap_or_default();
        let mut out = String::new();
        out.push_str(str::from_utf8(head).unwrap_or_default());
        out.push('\u{2026}');
        out.push_str(str::from_utf8(tail).unwrap_or_default());
        out
    }

    /// Its keyed fingerprint.
    pub(super) fn fingerprint(&self, key: &Secret<Vec<u8>>) -> String {
        // EXPOSE: goes into the MAC; only 64 bits of its result, which do not reveal the key, leave.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose()) else { return String::new() };
        // EXPOSE: as above.
        mac.update(self.token.expose());
        let bytes = mac.finalize().into_bytes();
        crate::record::hex(bytes.get(..8).unwrap_or_default())
    }
}

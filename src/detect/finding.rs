//! What is found, and how it is told.

use crate::keys::{Class, Hit, Severity, row};
use crate::secret::{Secret, hmac};
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
    /// The row of the table: of two for the same span the earlier one is told.
    pub(super) row: usize,
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

/// What is found as it stands at `hit` of a window: its lines and its units are not counted yet. `shown` is what all
/// keys of the kind begin with.
pub(super) fn found(hit: &Hit, shown: &str, token: &[u8], options: &Options) -> Finding {
    let (class, severity, advice) = hit.meaning();
    let (rule, provider, docs) = row(hit.rule).map_or(("", "", ""), |rule| (rule.id, rule.provider, rule.docs()));
    // Of longer keys the last four characters are shown, too.
    let tail = token.len().checked_sub(4).filter(|tail| *tail >= shown.len().wrapping_add(20));
    let tail = tail.and_then(|tail| token.get(tail..)).unwrap_or_default();
    // EXPOSE: both go into the MAC.
    let mac = hmac(options.key.expose(), &[token]);
    Finding {
        rule,
        provider,
        class,
        severity,
        encoding: Encoding::Plain,
        span: (hit.start as u64, hit.end as u64),
        utf16: (0, 0),
        place: (0, 0),
        preview: [shown, "\u{2026}", str::from_utf8(tail).unwrap_or_default()].concat(),
        // EXPOSE: only 64 bits of it, which do not reveal the key, leave.
        fingerprint: crate::record::hex(mac.expose().get(..8).unwrap_or_default()),
        advice: advice.as_str(),
        docs,
        row: hit.rule,
    }
}

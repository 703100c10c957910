//! What keys look like: one table of shapes, and the reader that holds a text against it. The detector, the check of
//! a key before it is stored, and the documentation are all driven by it.

#[cfg(any(test, feature = "testing"))]
pub mod forms;
mod placeholder;
mod proof;
mod read;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
mod table;

pub use placeholder::is_placeholder;
pub use proof::Claim;
pub(crate) use proof::{decode64, sextet};
pub use read::{Hit, aws_pair, fits, left_of, read};
pub use table::RULES;

use crate::value::Value;

/// What it means that a key of this kind lies open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Made to be seen: reported, never as a leak.
    Publishable,
    /// Depends on what it is used for, or is half of a pair.
    Ambiguous,
    /// Whoever has it acts in its owner's name.
    Secret,
}

impl Class {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Ambiguous => "ambiguous",
            Self::Secret => "secret",
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Nothing to do.
    Info,
    /// A key for tests.
    Low,
    /// Worth a look.
    Medium,
    /// Costs money or data.
    High,
    /// Opens whole accounts.
    Critical,
}

impl Severity {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Sets of bytes, as bits of [`class_of`].
pub(crate) mod set {
    pub(crate) const DIGIT: u16 = 1;
    pub(crate) const A_TO_F: u16 = 2;
    pub(crate) const G_TO_Z: u16 = 4;
    pub(crate) const UPPER: u16 = 8;
    pub(crate) const DASH: u16 = 16;
    pub(crate) const UNDERSCORE: u16 = 32;
    pub(crate) const PLUS_SLASH: u16 = 64;
    pub(crate) const EQUALS: u16 = 128;
    pub(crate) const DOT: u16 = 256;
    pub(crate) const LOWER: u16 = A_TO_F | G_TO_Z;
    pub(crate) const HEX: u16 = DIGIT | A_TO_F;
    pub(crate) const LETTER: u16 = LOWER | UPPER;
    pub(crate) const ALNUM: u16 = LETTER | DIGIT;
    pub(crate) const BASE32: u16 = UPPER | DIGIT;
    pub(crate) const SLUG: u16 = LOWER | DIGIT | DASH;
    pub(crate) const BASE64URL: u16 = ALNUM | DASH | UNDERSCORE;
    pub(crate) const BASE64: u16 = ALNUM | PLUS_SLASH;
    pub(crate) const HOST: u16 = ALNUM | DASH | DOT;
}

/// The sets that a byte belongs to.
#[must_use]
pub(crate) const fn class_of(byte: u8) -> u16 {
    match byte {
        b'0'..=b'9' => set::DIGIT,
        b'a'..=b'f' => set::A_TO_F,
        b'g'..=b'z' => set::G_TO_Z,
        b'A'..=b'Z' => set::UPPER,
        b'-' => set::DASH,
        b'_' => set::UNDERSCORE,
        b'+' | b'/' => set::PLUS_SLASH,
        b'=' => set::EQUALS,
        b'.' => set::DOT,
        _ => 0,
    }
}

/// One part of what follows a prefix.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// As many bytes of a set as there are; not fewer or more than these numbers.
    Run(u16, u16, u16),
    /// These bytes.
    Lit(&'static str),
    /// What stands between a name and its value: blanks, quotes, `=`, `:`, `=>`. The key begins after it.
    Glue,
    /// At most two `=` of padding.
    Pad,
    /// Lines of base64 up to `-----END`, however their ends are written.
    Pem,
}

/// What a key of the shape must show beside its alphabet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// Nothing.
    None,
    /// The marker of OpenAI, with at least 20 characters on both sides.
    OpenAi,
    /// Ends with `AA`.
    EndsAa,
    /// The first two parts decode to JSON objects; what they claim decides whether it is publishable.
    Jwt,
    /// Decodes to a host name and `$`.
    Host,
    /// Decodes to JSON, or is a long hexadecimal number.
    Json,
    /// The host of a Sentry address.
    Dsn,
    /// Upper and lower case and digits, mixed.
    Mixed,
    /// An account of Stripe at its beginning.
    Stripe,
}

/// What its owner should do. A sentence; shared, since each is bytes of Wasm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advice {
    /// For keys of accounts.
    Rotate,
    /// For keys with which a test account is used.
    Test,
    /// For Google's keys.
    Restrict,
    /// For one half of a pair.
    Pair,
    /// For tokens whose claims say little.
    Token,
    /// For keys that open an account's administration.
    Admin,
    /// For keys made to be seen.
    Public,
    /// For keys that stand in documentation.
    Sample,
}

impl Advice {
    /// The sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotate => "Revoke it at the provider and make a new one; then take it out of here.",
            Self::Test => "A key for tests: replace it, and keep it out of what you publish.",
            Self::Restrict => {
                "Public only if it is restricted to Firebase APIs; any other Google key must be replaced."
            }
            Self::Pair => "Names a key without being one: make sure that its secret half is nowhere near.",
            Self::Token => "Whoever has it is its bearer until it expires: end the session that it belongs to.",
            Self::Admin => "Revoke it at once: it administers the account. Then look through the account's log.",
            Self::Public => "Made to be public: nothing to do.",
            Self::Sample => "Printed in its provider's documentation: nobody's key. Put your own in its place.",
        }
    }
}

/// One shape of one kind of key. Kinds with several shapes have several rows.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The kind, stable.
    pub id: &'static str,
    /// Who issues it.
    pub provider: &'static str,
    /// What it means that it lies open. A proof may find it to be of another.
    pub class: Class,
    /// How bad that is.
    pub severity: Severity,
    /// What it begins with, one of these.
    pub prefixes: &'static [&'static str],
    /// What follows.
    pub pieces: &'static [Piece],
    /// What it must show beside that.
    pub proof: Proof,
    /// What to do.
    pub advice: Advice,
    /// Where the provider tells about it, without `https://`.
    pub docs: &'static str,
}

impl Rule {
    /// Whether the prefix is the name of a variable, and no part of the key.
    #[must_use]
    pub fn is_named(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Glue))
    }

    /// The rule as plain data, for documentation and tools.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::map([
            ("id", self.id.into()),
            ("provider", self.provider.into()),
            ("class", self.class.as_str().into()),
            ("severity", self.severity.as_str().into()),
            ("advice", self.advice.as_str().into()),
            ("docs", ["https://", self.docs].concat().into()),
        ])
    }
}

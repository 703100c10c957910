//! What keys look like: one table of shapes, and the reader that holds a text against it. The detector, the check of
//! a key before it is stored, and the documentation are all driven by it.

#[cfg(any(test, feature = "testing"))]
pub mod forms;
mod placeholder;
mod proof;
mod read;
mod rule;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
mod table;

pub use placeholder::is_placeholder;
pub use proof::Claim;
pub(crate) use proof::{decode64, sextet};
pub use read::{Hit, aws_pair, fits, left_of, read};
pub use rule::{Piece, RULES, Rule, row};

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
    pub(crate) const DIGIT: u32 = 1;
    pub(crate) const A_TO_F: u32 = 2;
    pub(crate) const G_TO_Z: u32 = 4;
    /// `A` to `F`.
    pub(crate) const UPPER_TO_F: u32 = 8;
    /// `G` to `Z`.
    pub(crate) const UPPER_G_TO_Z: u32 = 1 << 17;
    pub(crate) const DASH: u32 = 16;
    pub(crate) const UNDERSCORE: u32 = 32;
    pub(crate) const PLUS_SLASH: u32 = 64;
    pub(crate) const EQUALS: u32 = 128;
    pub(crate) const DOT: u32 = 256;
    pub(crate) const QUOTE: u32 = 1 << 9;
    pub(crate) const BACKSLASH: u32 = 1 << 10;
    pub(crate) const BLANK: u32 = 1 << 11;
    pub(crate) const LINE_END: u32 = 1 << 12;
    /// `:`.
    pub(crate) const COLON: u32 = 1 << 13;
    /// `>` and `,`.
    pub(crate) const ARROW_COMMA: u32 = 1 << 14;
    /// `(`, `[` and `{`.
    pub(crate) const BRACKET: u32 = 1 << 15;
    /// `|` and `@`.
    pub(crate) const BAR_AT: u32 = 1 << 16;
    pub(crate) const SEMICOLON: u32 = 1 << 18;
    pub(crate) const UPPER: u32 = UPPER_TO_F | UPPER_G_TO_Z;
    pub(crate) const LOWER: u32 = A_TO_F | G_TO_Z;
    pub(crate) const HEX: u32 = DIGIT | A_TO_F;
    /// In capitals or not.
    pub(crate) const ANY_HEX: u32 = HEX | UPPER_TO_F;
    pub(crate) const LETTER: u32 = LOWER | UPPER;
    pub(crate) const ALNUM: u32 = LETTER | DIGIT;
    pub(crate) const BASE32: u32 = UPPER | DIGIT;
    pub(crate) const SLUG: u32 = LOWER | DIGIT | DASH;
    pub(crate) const BASE64URL: u32 = ALNUM | DASH | UNDERSCORE;
    pub(crate) const BASE64: u32 = ALNUM | PLUS_SLASH;
    /// Both alphabets.
    pub(crate) const BASE64_ANY: u32 = BASE64 | BASE64URL;
    pub(crate) const HOST: u32 = ALNUM | DASH | DOT;
    /// What may stand in a key, or in what comes directly before it.
    pub(crate) const INSIDE: u32 = BASE64_ANY | DOT | EQUALS | COLON | BAR_AT;
    /// What parts a name from its value; there is more of it around.
    pub(crate) const PARTS: u32 = EQUALS | COLON | ARROW_COMMA | BLANK;
    /// What may stand between a name and its value.
    pub(crate) const GLUE: u32 = PARTS | QUOTE | BACKSLASH | BRACKET;
}

/// The set that a byte belongs to.
#[must_use]
pub(crate) fn class_of(byte: u8) -> u32 {
    SETS.get(usize::from(byte)).map_or(0, |set| 1 << (set & 31))
}

/// The number of each byte's bit; of the last, which means nothing, where it has none.
static SETS: [u8; 128] = {
    let mut sets = [31; 128];
    let mut byte = 0;
    while let Some((set, _)) = sets.split_at_mut(byte as usize).1.split_first_mut() {
        let mut number = 0u8;
        while number < 31 && set_of(byte) >> number & 1 == 0 {
            number = number.wrapping_add(1);
        }
        *set = number;
        byte = byte.wrapping_add(1);
    }
    sets
};

const fn set_of(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => set::DIGIT,
        b'a'..=b'f' => set::A_TO_F,
        b'g'..=b'z' => set::G_TO_Z,
        b'A'..=b'F' => set::UPPER_TO_F,
        b'G'..=b'Z' => set::UPPER_G_TO_Z,
        b'-' => set::DASH,
        b'_' => set::UNDERSCORE,
        b'+' | b'/' => set::PLUS_SLASH,
        b'=' => set::EQUALS,
        b'.' => set::DOT,
        b'"' | b'\'' | b'`' => set::QUOTE,
        b'\\' => set::BACKSLASH,
        b' ' | b'\t' => set::BLANK,
        b'\n' | b'\r' => set::LINE_END,
        b':' => set::COLON,
        b'>' | b',' => set::ARROW_COMMA,
        b'(' | b'[' | b'{' => set::BRACKET,
        b'|' | b'@' => set::BAR_AT,
        b';' => set::SEMICOLON,
        _ => 0,
    }
}

/// Whether a byte is of one of these sets.
#[inline(never)]
pub(crate) fn is(byte: u8, sets: u32) -> bool {
    class_of(byte) & sets != 0
}

/// How many bytes of these sets a text begins with, but no more than `most`.
#[inline(never)]
pub(crate) fn run(text: &[u8], sets: u32, most: usize) -> usize {
    text.iter().take(most).take_while(|byte| is(**byte, sets)).count()
}

/// How many bytes of these sets a text ends with, but no more than `most`.
#[inline(never)]
pub(crate) fn run_before(text: &[u8], sets: u32, most: usize) -> usize {
    text.iter().rev().take(most).take_while(|byte| is(**byte, sets)).count()
}

/// Where `part` first stands in a text, in capitals or not.
#[inline(never)]
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len().max(1)).position(|own| own.eq_ignore_ascii_case(part))
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
            Self::Rotate => "Revoke it at the provider, make a new one, and take it out of here.",
            Self::Test => "A key for tests: replace it, and publish it nowhere.",
            Self::Restrict => "Public only if restricted to Firebase APIs; any other must be replaced.",
            Self::Pair => "Names a key and is none: keep its secret half away from it.",
            Self::Token => "Whoever has it is its bearer until it expires: end its session.",
            Self::Admin => "Revoke it at once: it administers the account. Then read its log.",
            Self::Public => "Made to be public: nothing to do.",
            Self::Sample => "From documentation, nobody's key: put your own in its place.",
        }
    }
}

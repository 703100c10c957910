//! Holds a text against one shape.

use super::proof::{self, Claim};
use super::{Advice, Class, Piece, Proof, RULES, Rule, Severity, class_of, placeholder, set};

/// A key in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The row of [`RULES`].
    pub rule: usize,
    /// Its first byte.
    pub start: usize,
    /// Past its last byte.
    pub end: usize,
    /// What it is, where its own claims say other than the row.
    pub claim: Claim,
}

impl Hit {
    fn row(&self) -> Option<&'static Rule> {
        RULES.get(self.rule)
    }

    /// What it means that it lies open.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.claim {
            Claim::None => self.row().map_or(Class::Ambiguous, |rule| rule.class),
            Claim::Anonymous | Claim::Sample => Class::Publishable,
            Claim::ServiceRole => Class::Secret,
        }
    }

    /// How bad that is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.claim {
            Claim::None => self.row().map_or(Severity::Medium, |rule| rule.severity),
            Claim::Anonymous | Claim::Sample => Severity::Info,
            Claim::ServiceRole => Severity::Critical,
        }
    }

    /// What to do.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.claim {
            Claim::None => self.row().map_or(Advice::Rotate, |rule| rule.advice),
            Claim::Anonymous => Advice::Public,
            Claim::Sample => Advice::Sample,
            Claim::ServiceRole => Advice::Admin,
        }
        .as_str()
    }
}

/// Longest PEM, with all that its line ends may be written with.
const LONGEST_PEM: usize = 14_000;
/// Fewest characters of a key in a PEM: an Ed25519 key has 64.
const SHORTEST_PEM: usize = 60;

/// The key of row `index` whose prefix (or name) begins at `at`, if there is one that is no placeholder. One that
/// its provider's documentation prints is told as such.
#[must_use]
pub fn read(index: usize, prefix: &str, text: &[u8], at: usize) -> Option<Hit> {
    let rule = RULES.get(index)?;
    if !text.get(at..)?.starts_with(prefix.as_bytes()) || !(rule.is_named() || left_of(text, at)) {
        return None;
    }
    let body = at.saturating_add(prefix.len());
    let (start, end) = follow(rule, text, body)?;
    let start = if rule.is_named() { start } else { at };
    let body = text.get(if rule.is_named() { start } else { body }..end)?;
    let whole = text.get(start..end)?;
    if placeholder::is_known(whole) {
        return Some(Hit { rule: index, start, end, claim: Claim::Sample });
    }
    let claim = proof::check(rule.proof, body, whole)?;
    (!placeholder::is_placeholder(rule, body)).then_some(Hit { rule: index, start, end, claim })
}

/// Whether a text has this shape from its first byte to its last; placeholders may.
#[must_use]
pub fn fits(rule: &Rule, text: &str) -> bool {
    let bytes = text.as_bytes();
    let whole = |prefix: &&str| {
        text.starts_with(*prefix)
            && follow(rule, bytes, prefix.len()) == Some((prefix.len(), bytes.len()))
            && proof::check(rule.proof, bytes.get(prefix.len()..).unwrap_or_default(), bytes).is_some()
    };
    !rule.is_named() && rule.prefixes.iter().any(whole)
}

/// Where the key begins after its name, if it has one, and where it ends.
fn follow(rule: &Rule, text: &[u8], body: usize) -> Option<(usize, usize)> {
    let (mut start, mut at, mut last) = (body, body, 0);
    for piece in rule.pieces {
        let rest = text.get(at..)?;
        match *piece {
            Piece::Run(alphabet, least, most) => {
                let length = run(rest, alphabet, usize::from(most).saturating_add(1));
                if length < usize::from(least) || length > usize::from(most) {
                    return None;
                }
                (at, last) = (at.saturating_add(length), alphabet);
            }
            Piece::Lit(literal) => {
                if !rest.starts_with(literal.as_bytes()) {
                    return None;
                }
                at = at.saturating_add(literal.len());
            }
            Piece::Glue => {
                at = at.saturating_add(glue(rest)?);
                start = at;
            }
            Piece::Pad => at = at.saturating_add(run(rest, set::EQUALS, 2)),
            Piece::Pem => return Some((start, at.saturating_add(pem(rest)?))),
        }
    }
    // Not the middle of a longer word. A quote or a blank is never asked for.
    let next = text.get(at).map_or(0, |byte| class_of(*byte));
    let whole = next & (last | set::ALNUM) == 0;
    whole.then_some((start, at))
}

/// How many bytes of `alphabet` the text begins with, at most `most`.
pub(super) fn run(text: &[u8], alphabet: u16, most: usize) -> usize {
    text.iter().take(most).take_while(|byte| class_of(**byte) & alphabet != 0).count()
}

/// What stands between a name and its value: at least one of `=`, `:`, `>`, `,` or a blank.
fn glue(text: &[u8]) -> Option<usize> {
    let length = text.iter().take(24).take_while(|byte| b" \t\"'`=:>,\\([{".contains(byte)).count();
    let parts = text.get(..length)?.iter().any(|byte| b"=:>, ".contains(byte));
    parts.then_some(length)
}

/// Whether a key may begin at `at`: not in the middle of a word. Escapes end in letters and digits and are none.
#[must_use]
pub fn left_of(text: &[u8], at: usize) -> bool {
    let back = |distance: usize| at.checked_sub(distance).and_then(|at| text.get(at)).copied().unwrap_or(0);
    let previous = back(1);
    if !previous.is_ascii_alphanumeric() {
        return true;
    }
    let hex = |from: usize| (1..=from).all(|distance| back(distance).is_ascii_hexdigit());
    (back(2) == b'\\' && b"nrtbfv0".contains(&previous))
        || (back(3) == b'%' && hex(2))
        || (back(3) == b'x' && back(4) == b'\\' && hex(2))
        || (back(5) == b'u' && back(6) == b'\\' && hex(4))
        || (previous == b'm' && colour(text.get(..at).unwrap_or_default()))
}

/// Whether a text ends with what colours a terminal: `ESC [ 3 1 m`, the first however it is written.
fn colour(text: &[u8]) -> bool {
    let mut back = text.iter().rev().skip(1).take(12).skip_while(|byte| byte.is_ascii_digit() || **byte == b';');
    back.next() == Some(&b'[') && back.next().is_some_and(|byte| matches!(byte, 0x1b | b'b' | b'B' | b'3' | b'e'))
}

/// Reads from behind `-----BEGIN` to the end of the block. Line ends may be real, escaped, percent-encoded, or the
/// joints of a concatenation; what is no base64 is passed over, as long as it is short.
fn pem(text: &[u8]) -> Option<usize> {
    let text = text.get(..text.len().min(LONGEST_PEM)).unwrap_or(text);
    // The label: at most ` ENCRYPTED PRIVATE KEY BLOCK`, its blanks perhaps encoded.
    let head = text.get(..text.len().min(64)).unwrap_or(text);
    let label = head.windows(5).position(|part| part == b"-----")?;
    let words = head.get(..label)?;
    let has = |word: &[u8]| words.windows(word.len()).any(|part| part == word);
    if !has(b"PRIVATE") || !has(b"KEY") {
        return None;
    }
    let body = label.saturating_add(5);
    let (mut at, mut good, mut end, mut kinds) = (body, 0usize, body, 0u64);
    while let Some(byte) = text.get(at) {
        let rest = text.get(at..)?;
        if rest.starts_with(b"-----END") {
            let tail = rest.get(8..rest.len().min(72)).unwrap_or_default();
            let close = tail.windows(5).position(|part| part == b"-----").map_or(0, |at| at.saturating_add(5));
            end = at.saturating_add(8).saturating_add(close);
            break;
        }
        // A whole line of base64, or the last one.
        let length = run(rest, set::BASE64 | set::EQUALS, 4_096);
        if length >= 8 || (length > 0 && good > 0 && !byte.is_ascii_lowercase()) {
            for byte in rest.iter().take(length) {
                kinds |= 1 << (byte & 63);
            }
            good = good.saturating_add(length);
            at = at.saturating_add(length);
            end = at;
        } else {
            let gap = at.saturating_sub(end);
            // `Proc-Type: 4,ENCRYPTED` and `DEK-Info: …` may stand before the base64.
            if gap > if good == 0 { 160 } else { 40 } {
                break;
            }
            at = at.saturating_add(1);
        }
    }
    (good >= SHORTEST_PEM && kinds.count_ones() >= 16).then_some(end)
}

/// The secret half near an AWS access key id that stands at `start..end`: forty mixed characters within a line or
/// two of it.
#[must_use]
pub fn aws_pair(text: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    const NEAR: usize = 160;
    let mut at = start.saturating_sub(NEAR);
    let stop = end.saturating_add(NEAR).min(text.len());
    while at < stop {
        let length = run(text.get(at..)?, set::BASE64, 8_192);
        let value = text.get(at..at.saturating_add(length))?;
        // In a path the slashes would count to the value.
        if length == 40 && left_of(text, at) && proof::check(Proof::Mixed, value, value).is_some() {
            let slashes = value.iter().filter(|byte| **byte == b'/').count();
            let equals = text.get(at.saturating_add(40)) == Some(&b'=');
            if slashes <= 4 && !equals && !placeholder::looks_made_up(value) {
                return Some((at, at.saturating_add(40)));
            }
        }
        at = at.saturating_add(length).saturating_add(1);
    }
    None
}

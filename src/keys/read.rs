//! Holds a text against one shape.

use super::proof::{self, Claim};
use super::{Advice, Class, Piece, Proof, Rule, Severity, class_of, find, is, placeholder, row, run, run_before, set};

/// A key in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The row of [`super::RULES`].
    pub rule: usize,
    /// Its first byte.
    pub start: usize,
    /// Past its last byte.
    pub end: usize,
    /// What it is, where its own claims say other than the row.
    pub claim: Claim,
}

impl Hit {
    /// What it means that it lies open, how bad that is, and what to do. Without a rule it is a secret.
    #[must_use]
    pub fn meaning(&self) -> (Class, Severity, Advice) {
        let row = row(self.rule).map(|rule| (rule.class, rule.severity, rule.advice));
        match self.claim {
            Claim::None => row.unwrap_or((Class::Secret, Severity::High, Advice::Rotate)),
            Claim::Anonymous => (Class::Publishable, Severity::Info, Advice::Public),
            Claim::Sample => (Class::Publishable, Severity::Info, Advice::Sample),
            Claim::ServiceRole => (Class::Secret, Severity::Critical, Advice::Admin),
        }
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
    let rule = row(index)?;
    if !text.get(at..)?.starts_with(prefix.as_bytes()) || !(rule.is_named() || left_of(text, at)) {
        return None;
    }
    let body = at.wrapping_add(prefix.len());
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
    let whole = |prefix: &'static str| {
        text.starts_with(prefix)
            && follow(rule, bytes, prefix.len()) == Some((prefix.len(), bytes.len()))
            && proof::check(rule.proof, bytes.get(prefix.len()..).unwrap_or_default(), bytes).is_some()
    };
    !rule.is_named() && rule.prefixes().any(whole)
}

/// Where the key begins after its name, if it has one, and where it ends.
fn follow(rule: &Rule, text: &[u8], body: usize) -> Option<(usize, usize)> {
    let (mut start, mut at, mut last) = (body, body, 0);
    for piece in rule.pieces() {
        let rest = text.get(at..)?;
        let length = match piece {
            Piece::Run(alphabet, least, most) => {
                last = alphabet;
                let length = run(rest, alphabet, most.wrapping_add(1));
                if length < least || length > most {
                    return None;
                }
                length
            }
            Piece::Lit(literal) => rest.starts_with(literal.as_bytes()).then_some(literal.len())?,
            Piece::Glue => {
                let length = glue(rest)?;
                start = at.wrapping_add(length);
                length
            }
            Piece::Pad => run(rest, set::EQUALS, 2),
            Piece::Pem => return Some((start, at.wrapping_add(pem(rest)?))),
        };
        at = at.wrapping_add(length);
    }
    // Not the middle of a longer word. A quote or a blank is never asked for.
    let next = text.get(at).map_or(0, |byte| class_of(*byte));
    (next & (last | set::ALNUM) == 0).then_some((start, at))
}

/// What stands between a name and its value: at least one of `=`, `:`, `>`, `,` or a blank.
fn glue(text: &[u8]) -> Option<usize> {
    let length = run(text, set::GLUE, 24);
    // The last that are no such: if all are, nothing parts the two.
    let parted = run(text, set::GLUE & !set::PARTS, length) < length;
    parted.then_some(length)
}

/// Whether a key may begin at `at`: not in the middle of a word. Escapes end in letters and digits and are none.
#[must_use]
pub fn left_of(text: &[u8], at: usize) -> bool {
    let text = text.get(..at).unwrap_or_default();
    let [.., last] = text else { return true };
    if !is(*last, set::ALNUM) || matches!(text, [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'0']) {
        return true;
    }
    let before = |count: usize, part: &[u8]| {
        text.get(..text.len().wrapping_sub(count)).is_some_and(|before| before.ends_with(part))
    };
    if *last == b'm' {
        // What colours a terminal: `ESC [ 3 1 m`, the first however it is written.
        let code = text.get(..at.wrapping_sub(1)).unwrap_or_default();
        let code = run_before(code, set::DIGIT | set::SEMICOLON, 12).wrapping_add(1);
        return [0x1b, b'b', b'B', b'3', b'e'].iter().any(|escape| before(code, &[*escape, b'[']));
    }
    let digits = run_before(text, set::ANY_HEX, 4);
    (digits >= 2 && (before(2, b"%") || before(2, b"\\x"))) || (digits >= 4 && before(4, b"\\u"))
}

/// Reads from behind `-----BEGIN` to the end of the block. Line ends may be real, escaped, percent-encoded, or the
/// joints of a concatenation; what is no base64 is passed over, as long as it is short.
fn pem(text: &[u8]) -> Option<usize> {
    const DASHES: &[u8] = b"-----";
    let text = text.get(..LONGEST_PEM).unwrap_or(text);
    // The label: at most ` ENCRYPTED PRIVATE KEY BLOCK`, its blanks perhaps encoded.
    let head = text.get(..64).unwrap_or(text);
    let label = find(head, DASHES)?;
    let words = head.get(..label)?;
    find(words, b"PRIVATE")?;
    find(words, b"KEY")?;
    let mut at = label.wrapping_add(DASHES.len());
    let (mut good, mut end, mut kinds) = (0usize, at, 0u64);
    while let Some(rest) = text.get(at..)
        && let Some(byte) = rest.first()
    {
        if let Some(tail) = rest.strip_prefix(b"-----END") {
            let tail = tail.get(..64).unwrap_or(tail);
            let close = find(tail, DASHES).map_or(0, |at| at.wrapping_add(DASHES.len()));
            end = at.wrapping_add(8).wrapping_add(close);
            break;
        }
        // A whole line of base64, or the last one.
        let length = run(rest, set::BASE64 | set::EQUALS, 4_096);
        if length >= 8 || (length > 0 && good > 0 && !is(*byte, set::LOWER)) {
            for byte in rest.iter().take(length) {
                kinds |= 1 << (byte & 63);
            }
            good = good.wrapping_add(length);
            at = at.wrapping_add(length);
            end = at;
        } else {
            // `Proc-Type: 4,ENCRYPTED` and `DEK-Info: …` may stand before the base64.
            if at.wrapping_sub(end) > if good == 0 { 160 } else { 40 } {
                break;
            }
            at = at.wrapping_add(1);
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
        let value = text.get(at..at.wrapping_add(length))?;
        // In a path the slashes would count to the value.
        if length == 40 && left_of(text, at) && proof::check(Proof::Mixed, value, value).is_some() {
            let slashes = value.iter().filter(|byte| **byte == b'/').count();
            let end = at.wrapping_add(40);
            if slashes <= 4 && text.get(end) != Some(&b'=') && !placeholder::looks_made_up(value) {
                return Some((at, end));
            }
        }
        at = at.wrapping_add(length).wrapping_add(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing that a person would make up, of which two make a secret.
    const HALF: &str = "q7Zk2Xw9Lm4Tb8Rv3Np6";

    #[test]
    fn the_secret_half_of_a_pair_is_what_stands_alone_near_its_id() {
        let secret = [HALF, "Hd5Jc1Gf0YsAu7Ei2Oe4"].concat();
        let id = "AKIA2E0A8F3B244C9986";
        let pair = |between: &str, after: &str| {
            let text = [id, between, &secret, after].concat();
            aws_pair(text.as_bytes(), 0, id.len()).map(|(start, end)| text.get(start..end).unwrap().to_string())
        };
        for (between, after) in [("\n", ""), (":", "\n"), ("\" \"", "\""), (" ", " x"), (&" ".repeat(159), "")] {
            assert_eq!(pair(between, after), Some(secret.clone()), "{between:?} {after:?}");
        }
        for (between, after) in [("\n", "="), ("\n", "a"), ("\na", ""), (&" ".repeat(160), "")] {
            assert_eq!(pair(between, after), None, "{between:?} {after:?}");
        }
        // Its id may come after it.
        let text = [&secret, " ", id].concat();
        assert_eq!(aws_pair(text.as_bytes(), 41, text.len()), Some((0, 40)));
        for (slashes, found) in [(4, true), (5, false)] {
            let path = secret.replacen(['k', 'w', 'm', 'b', 'v'], "/", slashes);
            let text = [id, " ", &path].concat();
            assert_eq!(aws_pair(text.as_bytes(), 0, id.len()).is_some(), found, "{path}");
        }
    }

    #[test]
    fn a_key_begins_behind_an_escape_and_in_no_word() {
        for before in
            ["", " ", "\"", "=", "\\n", "\\t", "%22", "%2B", "\\x3d", "\\u003d", "\u{1b}[31m", "\\x1b[0;1m", "\\033[1m"]
        {
            assert!(left_of([before, "gsk_"].concat().as_bytes(), before.len()), "{before:?}");
        }
        for before in ["a", "x1", "22", "%2", "x3d", "\\x3", "u003d", "\\u03d", "31m", "[31m", "a[31m"] {
            assert!(!left_of([before, "gsk_"].concat().as_bytes(), before.len()), "{before:?}");
        }
    }

    #[test]
    fn a_private_key_is_found_whole_with_what_stands_before_its_body() {
        let line = [HALF, HALF, HALF, "Hd5J"].concat();
        let body = [line.as_str(), &line, &line, "Hd5Jc1=="].join("\n");
        let head =
            " RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0A1B2C3D4E5F60718293A4B5C6D7E8F9\n\n";
        let text = [head, &body, "\n-----END RSA PRIVATE KEY-----"].concat();
        assert_eq!(pem([&text, "\nNext=1"].concat().as_bytes()), Some(text.len()));
        let cut = [head, &body].concat();
        assert_eq!(pem([&cut, "\n", &"a b c ".repeat(9)].concat().as_bytes()), Some(cut.len()), "without its end");
        let late = [" PRIVATE KEY-----", &" ".repeat(200), &body].concat();
        assert_eq!(pem(late.as_bytes()), None, "its body is elsewhere");
    }

    #[test]
    fn a_private_key_has_a_body_that_chance_would_give() {
        let block = |body: &str| pem([" PRIVATE KEY-----\n", body, "\n-----END PRIVATE KEY-----"].concat().as_bytes());
        assert!(block(&[HALF, "Hd5Jc1Gf0YsAu7Ei2Oe4"].concat().repeat(5)).is_some());
        assert_eq!(block(&"A".repeat(640)), None);
        assert_eq!(block(&"MIIBVgIBADANBg".repeat(20)), None, "ten kinds");
    }
}

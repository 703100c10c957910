//! Which variables are secrets, by their names, and which values are worth searching: a value that is a common word
//! would be found everywhere.

use crate::keys::Severity;

/// Words of a name that tell of nothing else, wherever they stand in it.
const CERTAIN: [&str; 6] = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "CREDENTIAL", "PRIVATE"];
/// Words of a name that tell of a secret, wherever they stand in it.
const SECRET: [&str; 12] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "CONNECTIONSTRING",
    "PEPPER",
    "APIKEY",
    "ACCESSKEY",
    "AUTHKEY",
    "PRIVATEKEY",
];
/// The same, as whole words.
const WHOLE: [&str; 13] =
    ["KEY", "KEYS", "PASS", "PWD", "PRIVATE", "AUTH", "PAT", "JWT", "BEARER", "COOKIE", "WEBHOOK", "DSN", "SALT"];
/// Last words that say that it is about a secret, but none.
const ABOUT: [&str; 36] = [
    "ID",
    "IDS",
    "URL",
    "URI",
    "HOST",
    "ENDPOINT",
    "ORIGIN",
    "DOMAIN",
    "PATH",
    "FILE",
    "DIR",
    "NAME",
    "PREFIX",
    "HEADER",
    "TYPE",
    "ALG",
    "ALGORITHM",
    "TTL",
    "AGE",
    "EXPIRY",
    "EXPIRES",
    "LIFETIME",
    "DAYS",
    "LENGTH",
    "SIZE",
    "LIMIT",
    "COUNT",
    "ISSUER",
    "AUDIENCE",
    "VERSION",
    "REGION",
    "ENABLED",
    "REQUIRED",
    "PUBLIC",
    "PUBLISHABLE",
    "ANON",
];
/// Words before `KEY` that say that it was made to be seen.
const SEEN: [&str; 6] = ["PUBLIC", "PUBLISHABLE", "ANON", "SITE", "PUB", "PRIMARY"];
/// What stands in a template.
const TEMPLATE: [&[u8]; 9] =
    [b"your", b"xxxx", b"changeme", b"change-me", b"change_me", b"example", b"placeholder", b"replace", b"todo"];

/// How bad it is that the value of such a name lies open, if it tells of a secret: high for `dbPassword` and
/// `SESSION_SECRET`, medium for `API_KEY`, since some are made to be seen.
pub(super) fn severity_of(name: &str) -> Option<Severity> {
    let words = words(name);
    let of = |list: &[&str], word: &str| list.contains(&word);
    let last = words.last()?;
    let key = |word: &str| matches!(word, "KEY" | "TOKEN");
    let seen = words.windows(2).any(|pair| matches!(pair, [before, word] if of(&SEEN, before) && key(word)));
    let secret = |word: &String| of(&WHOLE, word) || SECRET.iter().any(|part| word.contains(part));
    // The folder that a shell stands in.
    let shell = name == "PWD";
    if shell || of(&ABOUT, last) || seen || !words.iter().any(secret) {
        return None;
    }
    let certain = words.iter().any(|word| CERTAIN.iter().any(|part| word.contains(part)));
    Some(if certain { Severity::High } else { Severity::Medium })
}

/// The words of a name, in capitals, however they are joined.
fn words(name: &str) -> Vec<String> {
    let (mut all, mut word, mut before) = (Vec::new(), String::new(), ' ');
    for letter in name.chars() {
        let begins = !letter.is_ascii_alphanumeric() || before.is_ascii_lowercase() && letter.is_ascii_uppercase();
        if begins && !word.is_empty() {
            all.push(core::mem::take(&mut word));
        }
        if letter.is_ascii_alphanumeric() {
            word.push(letter.to_ascii_uppercase());
        }
        before = letter;
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

/// Whether a value is long and mixed enough to be nobody else's: at least 8 characters, 5 different ones; of letters of
/// one case or of digits alone more.
pub(super) fn is_worth(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    let (mut lower, mut upper, mut digit, mut other) = (0usize, 0usize, 0usize, 0usize);
    for byte in value {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
        let count = match byte {
            b'a'..=b'z' => &mut lower,
            b'A'..=b'Z' => &mut upper,
            b'0'..=b'9' => &mut digit,
            _ => &mut other,
        };
        *count = count.saturating_add(1);
    }
    let different = seen.iter().filter(|seen| **seen).count();
    let one_sided = [lower, upper, digit].contains(&value.len());
    // Words joined by dashes or dots, an address, a path: what else stands in a page.
    let words = digit == 0
        && upper.min(lower) == 0
        && value.iter().all(|byte| byte.is_ascii_alphabetic() || b"-_./: ".contains(byte));
    let least = if one_sided || words { 16 } else { 8 };
    let address = value.starts_with(b"http://") || value.starts_with(b"https://") || value.starts_with(b"$");
    let template = TEMPLATE.iter().any(|word| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)));
    value.len() >= least && different >= 5 && !template && !address
}

/// The password of an address, as it stands there and decoded: `postgres://name:password@host`. None that is not worth
/// searching.
pub(super) fn passwords(value: &[u8]) -> Vec<Vec<u8>> {
    let find = || {
        let scheme = value.windows(3).position(|part| part == b"://")?;
        let rest = value.get(scheme.saturating_add(3)..)?;
        // A password may hold what ends an authority, if nobody encoded it.
        let at = rest.iter().rposition(|byte| *byte == b'@')?;
        let both = rest.get(..at)?;
        both.get(both.iter().position(|byte| *byte == b':')?.saturating_add(1)..)
    };
    let Some(raw) = find().filter(|raw| is_worth(raw) && !raw.contains(&b' ')) else { return Vec::new() };
    let mut all = Vec::from([raw.to_vec()]);
    if raw.contains(&b'%') {
        all.push(decoded(raw));
    }
    all
}

fn decoded(raw: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(raw.len()), raw);
    while let [first, after @ ..] = rest {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high.wrapping_mul(16).wrapping_add(low).to_le_bytes()[0]);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

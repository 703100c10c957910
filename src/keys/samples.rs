//! Makes keys of every kind, for tests: nobody's, but with all that a real one shows.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "tests make them"
)]

use super::{Piece, Proof, RULES, Rule, set};

/// A source of numbers: `next(n)` is below `n`.
pub type Next<'a> = &'a mut dyn FnMut(usize) -> usize;

const ALL: &[u8; 66] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_+/";

/// So many bytes of a set of `keys::set`.
pub fn random(alphabet: u32, length: usize, next: Next<'_>) -> String {
    let own: Vec<u8> = ALL.iter().copied().filter(|byte| super::class_of(*byte) & alphabet != 0).collect();
    (0..length).map(|_| own.get(next(own.len())).map_or('0', |byte| char::from(*byte))).collect()
}

/// Bytes as base64, with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18_usize.saturating_sub(digit * 6)) & 63) as usize;
            let shown = DIGITS.get(value).map_or('=', |byte| char::from(*byte));
            out.push(if digit > group.len() { '=' } else { shown });
        }
    }
    out
}

pub(super) fn url(text: &str) -> String {
    base64(text.as_bytes()).replace('+', "-").replace('/', "_").replace('=', "")
}

/// A key of row `index` of [`RULES`]: the text it stands in, and where in it the key is. The two are the same for all
/// rows but those of named values.
///
/// # Panics
/// If there is no such row.
#[must_use]
pub fn sample(index: usize, next: Next<'_>) -> (String, std::ops::Range<usize>) {
    let rule = RULES.get(index).copied().unwrap_or_else(unreachable_row);
    let prefix = rule.prefixes().nth(next(rule.prefixes().count())).unwrap_or_default();
    let mut out = String::from(prefix);
    let mut start = 0;
    if let Some(own) = special(&rule, next) {
        out.push_str(&own);
        return (out.clone(), 0..out.len());
    }
    for piece in rule.pieces() {
        match piece {
            Piece::Run(alphabet, least, most) => {
                let length = if least == most { least } else { least + next((most - least).min(24) + 1) };
                out.push_str(&random(alphabet & !set::EQUALS & !set::DOT, length, next));
            }
            Piece::Lit(literal) => out.push_str(literal),
            Piece::Glue => {
                out.push_str(["=", ": ", "\": \"", " = '", "=\""][next(5)]);
                start = out.len();
            }
            Piece::Pad | Piece::Pem => {}
        }
    }
    (out.clone(), start..out.len())
}

fn unreachable_row() -> Rule {
    panic!("no such row")
}

/// What follows the prefix, for rows whose proof looks inside.
fn special(rule: &Rule, next: Next<'_>) -> Option<String> {
    let b64 = set::BASE64URL;
    Some(match (rule.proof, rule.id) {
        (_, "private-key") => {
            let label = ["", " RSA", " EC", " OPENSSH", " ENCRYPTED"][next(5)];
            let body = random(set::BASE64, 64 * (1 + next(24)) + 20, next);
            let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..(at + 64).min(body.len())]).collect();
            format!("{label} PRIVATE KEY-----\n{}\n-----END{label} PRIVATE KEY-----", lines.join("\n"))
        }
        (Proof::OpenAi, _) => {
            let side = [74, 58, 20][next(3)];
            let marker = ["T3Blb", "kFJ"].concat();
            let alphabet = if side == 20 { set::ALNUM } else { b64 };
            format!("{}{marker}{}", random(alphabet, side, next), random(alphabet, side, next))
        }
        (Proof::EndsAa, _) => format!("0{}-{}AA", next(5), random(b64, 93, next)),
        (Proof::Jwt, _) => {
            let claims =
                format!("{{\"sub\":\"{}\",\"iat\":17{}}}", random(set::DIGIT, 12, next), random(set::DIGIT, 8, next));
            let token =
                format!("{}.{}.{}", url("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), url(&claims), random(b64, 43, next));
            token.strip_prefix("eyJ").unwrap_or_default().into()
        }
        (Proof::Host, _) => base64(format!("{}.clerk.accounts.dev$", random(set::LOWER, 6 + next(9), next)).as_bytes()),
        (Proof::Json, _) => {
            let body = base64(format!("{{\"v2\":\"{}\"}}", random(set::HEX, 32, next)).as_bytes());
            let team = if rule.pieces().count() > 4 { "acme:" } else { "" };
            format!("{team}happy-{}-{}|{body}", random(set::LOWER, 6, next), random(set::DIGIT, 3, next))
        }
        (Proof::Dsn, id) => {
            let secret =
                if id == "sentry-dsn-secret" { format!(":{}", random(set::HEX, 32, next)) } else { String::new() };
            let (key, org) = (random(set::HEX, 32, next), random(set::DIGIT, 7, next));
            format!("{key}{secret}@o{org}.ingest.us.sentry.io/{}", random(set::DIGIT, 8, next))
        }
        (Proof::Stripe, _) => match next(3) {
            0 => random(set::ALNUM, 24, next),
            _ => format!("51{}", random(set::ALNUM, 97, next)),
        },
        (_, "stripe-restricted" | "stripe-restricted-test" | "stripe-publishable") => {
            format!("51{}", random(set::ALNUM, 97, next))
        }
        (_, "clerk" | "clerk-test") => random(set::ALNUM, 40 + next(10), next),
        (_, "sentry-org") => {
            let json = format!(
                "{{\"iat\":17{}.5,\"url\":\"https://sentry.io\",\"org\":\"acme\"}}",
                random(set::DIGIT, 8, next)
            );
            let body = base64(json.as_bytes());
            format!("{}_{}", body.strip_prefix("eyJ").unwrap_or_default(), random(set::BASE64, 43, next))
        }
        (_, "github-app") => format!(
            "{}_eyJ{}.eyJ{}.{}",
            random(set::DIGIT, 7, next),
            random(b64, 30, next),
            random(b64, 200, next),
            random(b64, 342, next)
        ),
        (_, "slack") if rule.prefixes().count() > 1 => {
            format!(
                "{}-{}-{}",
                random(set::DIGIT, 12, next),
                random(set::DIGIT, 12, next),
                random(set::ALNUM, 24, next)
            )
        }
        (Proof::Mixed, "gemini") => format!("b8RN6{}", random(b64, 44, next)),
        _ => return None,
    })
}

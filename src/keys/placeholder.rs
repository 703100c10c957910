//! What stands in documentation, tests and templates where a key would.

use super::{Piece, Proof, Rule, class_of, set};

/// Words of such texts, in lower case. Long enough that no random key contains one by chance.
const WORDS: [&[u8]; 14] = [
    b"xxxx",
    b"example",
    b"placeholder",
    b"redacted",
    b"changeme",
    b"dummy",
    b"sample",
    b"secret",
    b"replace",
    b"insert",
    b"apikey",
    b"api_key",
    b"api-key",
    b"foobar",
];

/// Tokens that providers print in their documentation and samples, as the open rule sets and those pages have them, by
/// [`hash`]: their own text would make this Wasm one more place where scanners find them. By 32 bits one of a hundred
/// million keys in use is taken for one of them.
#[rustfmt::skip]
const KNOWN: [u32; 30] = [
    // Amazon's documentation.
    0x96bc_a470, 0x73c0_1441, 0x8eee_7128,
    // Stripe's.
    0xe972_e9a4, 0x1d14_fe37, 0x6e70_1be4, 0xe9df_0237,
    // GitHub's.
    0xef50_29cc, 0x22de_2f8f, 0xf21d_989d, 0x86f9_f31b, 0xa4e8_01b6,
    // jwt.io, and a local Supabase.
    0x1cc5_3023, 0x3b66_ee4d, 0x4edf_6051,
    // Firebase's samples.
    0xf095_1274, 0x0af7_ca9d, 0x4e13_51cb, 0xb878_2c2e, 0x1845_a427, 0x00d9_b068,
    0xaf8f_ab00, 0x722e_f8d0, 0xc8a5_10e9, 0x1751_c16c, 0xf50c_0e72, 0x6a41_f911,
    0x8ee1_d847, 0xb188_7211, 0x739d_dd87,
];

/// Whether a key stands in its provider's documentation, for all to see.
#[must_use]
pub(super) fn is_known(whole: &[u8]) -> bool {
    KNOWN.contains(&hash(whole))
}

/// Whether a key of this rule is one that nobody uses. `body` is what follows the prefix.
#[must_use]
pub fn is_placeholder(rule: &Rule, body: &[u8]) -> bool {
    // Their bodies are encoded text, which is neither random nor meant to be.
    if matches!(rule.pieces, [Piece::Pem]) {
        return false;
    }
    let encoded = matches!(rule.proof, Proof::Jwt | Proof::Host | Proof::Json);
    // Behind its 32 digits an address has a host.
    let body = if rule.proof == Proof::Dsn { body.get(..32).unwrap_or(body) } else { body };
    if encoded { words(body) } else { looks_made_up(body) }
}

/// Whether nobody's random generator made this.
#[must_use]
pub(super) fn looks_made_up(body: &[u8]) -> bool {
    words(body) || monotonous(body) || stepping(body) || periodic(body) || one_sided(body)
}

fn words(body: &[u8]) -> bool {
    WORDS.iter().any(|word| body.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))) || yours(body)
}

/// `your` is so short that of ten thousand long keys one has it: it counts where a word begins or ends.
fn yours(body: &[u8]) -> bool {
    let edge = |byte: Option<&u8>| byte.is_none_or(|byte| class_of(*byte) & set::ALNUM == 0);
    body.windows(4).enumerate().filter(|(_, part)| part.eq_ignore_ascii_case(b"your")).any(|(at, _)| {
        edge(at.checked_sub(1).and_then(|before| body.get(before))) || edge(body.get(at.saturating_add(4)))
    })
}

/// Fewer different characters than chance gives, or the same one many times in a row.
fn monotonous(body: &[u8]) -> bool {
    let mut seen = [0u8; 128];
    let (mut longest, mut current, mut last) = (0u32, 0u32, 0u8);
    for byte in body {
        if let Some(count) = seen.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
        current = if *byte == last { current.saturating_add(1) } else { 1 };
        longest = longest.max(current);
        last = *byte;
    }
    let different = seen.iter().filter(|count| **count > 0).count();
    let most = seen.iter().copied().max().map_or(0, usize::from);
    // Of 16 characters chance leaves at least 6 different ones, hexadecimal or not; of 40 at least 8.
    let least = if body.len() >= 32 { 8 } else { 6 };
    longest >= 6 || (body.len() >= 16 && different < least) || (body.len() >= 20 && most.saturating_mul(2) > body.len())
}

/// `abcdef`, `987654`: at least seven in a row, or a third of the whole in runs of four.
fn stepping(body: &[u8]) -> bool {
    let (mut direction, mut length, mut longest, mut total) = (0i16, 1usize, 1usize, 0usize);
    let mut close = |length: usize| {
        longest = longest.max(length);
        if length >= 4 {
            total = total.saturating_add(length);
        }
    };
    for pair in body.windows(2) {
        let [a, b] = *pair else { continue };
        let step = match (a, b) {
            (b'9', b'0') | (b'z', b'a') | (b'Z', b'A') => 1,
            _ => i16::from(b).saturating_sub(i16::from(a)),
        };
        if (step == 1 || step == -1) && step == direction {
            length = length.saturating_add(1);
        } else {
            close(length);
            (direction, length) = (step, if step == 1 || step == -1 { 2 } else { 1 });
        }
    }
    close(length);
    longest >= 7 || total.saturating_mul(3) > body.len()
}

/// The same piece again and again.
fn periodic(body: &[u8]) -> bool {
    let most = (body.len() / 2).min(20);
    (1..=most).any(|period| {
        let same = body.iter().zip(body.iter().skip(period)).filter(|(a, b)| a == b).count();
        same.saturating_mul(10) >= body.len().saturating_sub(period).saturating_mul(9)
    })
}

/// Words joined by dashes, or capitals only, where the alphabet has both cases.
fn one_sided(body: &[u8]) -> bool {
    let count = |set: u16| body.iter().filter(|byte| class_of(**byte) & set != 0).count();
    let (lower, upper, digits) = (count(set::LOWER), count(set::UPPER), count(set::DIGIT));
    let hex = count(set::HEX) == body.len();
    let joined = count(set::DASH | set::UNDERSCORE) >= 2 && upper == 0 && digits.saturating_mul(5) < lower;
    let letters = lower == body.len() || upper == body.len();
    !hex && body.len() >= 24
        && (joined || letters || (upper > 0 && digits.saturating_add(upper).saturating_mul(10) < lower))
}

/// FNV-1a.
#[must_use]
pub(super) fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::super::{Class, RULES, Severity, read};

    #[test]
    fn what_documentation_prints_is_a_sample_and_what_differs_from_it_is_a_key() {
        // In parts, so that no scanner finds them here.
        for parts in [
            ["AKIA", "IOSFODNN7EXAMPLE"],
            ["sk_test_", "4eC39HqLyjWDarjtT1zdp7dc"],
            ["ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"],
            ["AIzaSy", "AnLA7NfeLquW1tJFpx_eQCxoX-oo6YyIs"],
            [
                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6InNlcnZpY2Vfcm9sZSIsImV4cCI6MTk4MzgxMjk5Nn0.",
                "EGIM96RAZx35lJzdJsyH-qQwv8Hdp7fsn3W0YpN81IU",
            ],
        ] {
            let sample = parts.concat();
            let hits = |text: &str| -> Vec<_> {
                let all = RULES.iter().enumerate();
                all.flat_map(|(index, rule)| rule.prefixes.iter().map(move |prefix| (index, *prefix)))
                    .filter_map(|(index, prefix)| read(index, prefix, text.as_bytes(), 0))
                    .collect()
            };
            let found = hits(&sample);
            assert!(!found.is_empty(), "{sample}");
            for hit in found {
                assert_eq!((hit.class(), hit.severity()), (Class::Publishable, Severity::Info), "{sample}");
                assert!(hit.advice().contains("documentation"));
            }
            if parts[0] != "AKIA" {
                let other = sample.replacen("7", "8", 1).replacen("EGIM", "EGIN", 1);
                assert!(hits(&other).iter().any(|hit| hit.class() > Class::Publishable), "{other}");
            }
        }
    }
}

//! What stands in documentation, tests and templates where a key would.

use super::rule::Words;
use super::{Proof, Rule, find, is, run, run_before, set};

/// Words of such texts. Long enough that no random key contains one by chance.
const WORDS: &str =
    "xxxx|example|placeholder|redacted|changeme|dummy|sample|secret|replace|insert|apikey|api_key|api-key|foobar";

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
    if rule.is_pem() {
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
    Words(WORDS, "|").any(|word| find(body, word.as_bytes()).is_some()) || yours(body)
}

/// `your` is so short that of ten thousand long keys one has it: it counts where a word begins or ends.
fn yours(body: &[u8]) -> bool {
    let Some((before, your)) = find(body, b"your").and_then(|at| body.split_at_checked(at)) else { return false };
    run_before(before, set::ALNUM, 1) == 0 || run(your, set::ALNUM, 5) == 4
}

/// Fewer different characters than chance gives, or the same one many times in a row.
fn monotonous(body: &[u8]) -> bool {
    let mut seen = [0usize; 128];
    let (mut longest, mut current, mut last) = (0u32, 0u32, 0u8);
    let (mut different, mut most) = (0usize, 0usize);
    for byte in body {
        if let Some(count) = seen.get_mut(usize::from(*byte)) {
            different = different.wrapping_add(usize::from(*count == 0));
            *count = count.wrapping_add(1);
            most = most.max(*count);
        }
        current = if *byte == last { current.wrapping_add(1) } else { 1 };
        longest = longest.max(current);
        last = *byte;
    }
    // Of 16 characters chance leaves at least 6 different ones, hexadecimal or not; of 40 at least 8.
    let least = if body.len() >= 32 { 8 } else { 6 };
    longest >= 6 || (body.len() >= 16 && different < least) || (body.len() >= 20 && most > body.len() / 2)
}

/// `abcdef`, `987654`: at least seven in a row, or a third of the whole in runs of four.
fn stepping(body: &[u8]) -> bool {
    let (mut direction, mut length, mut longest, mut total) = (0i32, 1usize, 1usize, 0usize);
    for (at, a) in body.iter().enumerate() {
        // Behind the last there is no step.
        let step = match (*a, body.get(at.wrapping_add(1)).copied().unwrap_or(*a)) {
            (b'9', b'0') | (b'z', b'a') | (b'Z', b'A') => 1,
            (a, b) => i32::from(b).wrapping_sub(i32::from(a)),
        };
        let steps = step == 1 || step == -1;
        if steps && step == direction {
            length = length.wrapping_add(1);
            continue;
        }
        longest = longest.max(length);
        if length >= 4 {
            total = total.wrapping_add(length);
        }
        (direction, length) = (step, if steps { 2 } else { 1 });
    }
    longest >= 7 || total > body.len() / 3
}

/// The same piece again and again.
fn periodic(body: &[u8]) -> bool {
    let most = (body.len() / 2).min(20);
    (1..=most).any(|period| {
        let later = body.get(period..).unwrap_or_default();
        let same = body.iter().zip(later).filter(|(a, b)| a == b).count();
        same.wrapping_mul(10) >= later.len().wrapping_mul(9)
    })
}

/// Words joined by dashes, or capitals only, where the alphabet has both cases.
fn one_sided(body: &[u8]) -> bool {
    let (lower, upper, digits) = (count(body, set::LOWER), count(body, set::UPPER), count(body, set::DIGIT));
    let joined = count(body, set::DASH | set::UNDERSCORE) >= 2 && upper == 0 && digits.wrapping_mul(5) < lower;
    let letters = lower == body.len() || upper == body.len();
    let hex = run(body, set::HEX, body.len()) == body.len();
    !hex && body.len() >= 24
        && (joined || letters || (upper > 0 && digits.wrapping_add(upper).wrapping_mul(10) < lower))
}

#[inline(never)]
fn count(body: &[u8], sets: u32) -> usize {
    body.iter().filter(|byte| is(**byte, sets)).count()
}

/// FNV-1a.
#[must_use]
pub(super) fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::super::{Class, RULES, Severity, read};
    use super::*;

    /// Nothing repeats in it, and nothing steps.
    const MIXED: &[u8] = b"q7Zk2Xw9Lm4Tb8Rv3Np6Hd5Jc1Gf0Ys";

    /// `length` bytes of `different` kinds, in turn.
    fn turns(length: usize, different: usize) -> Vec<u8> {
        MIXED.iter().take(different).copied().cycle().take(length).collect()
    }

    #[test]
    fn fewer_kinds_than_chance_gives_are_monotonous() {
        for (length, different, made_up) in
            [(15, 5, false), (16, 5, true), (16, 6, false), (31, 6, false), (32, 7, true), (32, 8, false)]
        {
            assert_eq!(monotonous(&turns(length, different)), made_up, "{length} {different}");
        }
        for (times, made_up) in [(5, false), (6, true)] {
            assert_eq!(monotonous(&[&MIXED[..12], &vec![b'a'; times], &MIXED[12..]].concat()), made_up, "{times}");
        }
        // Of 20 more than half are the same, in no row.
        let half: Vec<u8> = MIXED.iter().take(10).flat_map(|byte| [b'a', *byte]).collect();
        assert!(!monotonous(&half));
        assert!(monotonous(&[b"a", &half[..19]].concat()));
    }

    #[test]
    fn a_piece_again_and_again_is_periodic_also_if_a_tenth_of_it_differs() {
        let body = turns(40, 8);
        for (others, made_up) in [(0, true), (3, true), (4, false)] {
            assert_eq!(periodic(&[&body[..40 - others], &vec![b'-'; others]].concat()), made_up, "{others}");
        }
        assert!(periodic(&turns(40, 20)));
        assert!(!periodic(&turns(42, 21)));
    }

    #[test]
    fn words_and_letters_of_one_case_are_one_sided() {
        for (body, made_up) in [
            ("abcdefghijklmnopqrstuvwx", true),
            ("abcdefghijklmnopqrstuvw", false),
            ("ABCDEFGHIJKLMNOPQRSTUVWX", true),
            ("abcdefabcdefabcdefabcdef", false),
            ("abcd-efgh-ijklm-nopq-rst", true),
            ("abcdefgh-ijklmnopqrstuvw", false),
            ("abcdefghij_klmnopqrs_345", true),
            ("abcdefghij_klmnopqrs_3456", false),
            ("abcdefghijklmnopqrstuvwxyzabcdeQ23", true),
            ("abcdefghijklmnopqrstuvwxyzabcdQ23", false),
        ] {
            assert_eq!(one_sided(body.as_bytes()), made_up, "{body}");
        }
    }

    #[test]
    fn seven_in_a_row_are_stepping_and_so_is_a_third_of_it_in_rows_of_four() {
        for (body, made_up) in [
            ("q7Zk2Xw9Labcdefg4Tb8Rv3Np6", true),
            ("q7Zk2Xw9Labcdef4Tb8Rv3Np6", false),
            ("q7Zk2Xw9L876543214Tb8Rv3Np6", true),
            ("q789012Xw9L", true),
            ("abcdq7Zefghk2Xw", true),
            ("abcq7Zefgk2Xhij", false),
        ] {
            assert_eq!(stepping(body.as_bytes()), made_up, "{body}");
        }
    }

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
                all.flat_map(|(index, rule)| rule.prefixes().map(move |prefix| (index, prefix)))
                    .filter_map(|(index, prefix)| read(index, prefix, text.as_bytes(), 0))
                    .collect()
            };
            let found = hits(&sample);
            assert!(!found.is_empty(), "{sample}");
            for hit in found {
                let (class, severity, advice) = hit.meaning();
                assert_eq!((class, severity), (Class::Publishable, Severity::Info), "{sample}");
                assert!(advice.as_str().contains("documentation"));
            }
            if parts[0] != "AKIA" {
                let other = sample.replacen("7", "8", 1).replacen("EGIM", "EGIN", 1);
                assert!(hits(&other).iter().any(|hit| hit.meaning().0 > Class::Publishable), "{other}");
            }
        }
    }
}

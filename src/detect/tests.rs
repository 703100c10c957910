#![allow(clippy::arithmetic_side_effects, clippy::string_slice, reason = "tests")]

use super::*;
use crate::keys::forms::forms;
use crate::keys::{Class, RULES, samples};
use crate::secret::Secret;

/// A generator of numbers, the same every time.
pub(super) fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((seed >> 33) % below.max(1) as u64).unwrap()
    }
}

pub(super) fn options() -> Options {
    Options { key: Secret::new(vec![7; 32]), publishable: true }
}

pub(super) fn found(text: &[u8]) -> Vec<Finding> {
    let mut all = Vec::new();
    scan(text, &options(), &mut |finding| all.push(finding));
    all
}

#[test]
fn every_kind_is_found_as_it_is() {
    let mut next = numbers(1);
    for (index, rule) in RULES.iter().enumerate() {
        for _ in 0..20 {
            let (text, span) = samples::sample(index, &mut next);
            let all = found(text.as_bytes());
            assert_eq!(all.len(), 1, "{}: {text} {all:?}", rule.id);
            assert_eq!(all[0].span, (span.start as u64, span.end as u64), "{text}");
            assert!(all[0].rule == rule.id || all[0].class >= rule.class, "{} for {}: {text}", all[0].rule, rule.id);
        }
    }
}

#[test]
fn places_are_told_in_bytes_units_lines_and_columns() {
    let (key, _) = samples::sample(0, &mut numbers(2));
    let all = found(format!("é😀\n  é {key}").as_bytes());
    assert_eq!(all[0].place, (2, 5));
    assert_eq!((all[0].span.0, all[0].utf16.0), (12, 8));
    assert_eq!(all[0].utf16.1 - all[0].utf16.0, key.len() as u64);
    assert_eq!(all[0].preview, format!("gsk_…{}", &key[key.len() - 4..]));
    assert!(!format!("{all:?}").contains(&key[4..40]));
}

#[test]
fn a_fingerprint_follows_the_key_and_what_keys_it() {
    let (key, _) = samples::sample(0, &mut numbers(3));
    let one = found(key.as_bytes()).remove(0);
    let encoded = samples::base64(format!("key={key}").as_bytes());
    assert_eq!(found(encoded.as_bytes())[0].fingerprint, one.fingerprint);
    let mut other = None;
    let options = Options { key: Secret::new(vec![8; 32]), publishable: true };
    scan(key.as_bytes(), &options, &mut |finding| other = Some(finding.fingerprint));
    assert_ne!(other, Some(one.fingerprint));
}

#[test]
fn publishable_keys_are_told_only_on_demand() {
    let index = RULES.iter().position(|rule| rule.class == Class::Publishable).unwrap();
    let (key, _) = samples::sample(index, &mut numbers(4));
    assert_eq!(found(key.as_bytes())[0].class, Class::Publishable);
    let mut count = 0;
    scan(key.as_bytes(), &Options { publishable: false, ..options() }, &mut |_| count += 1);
    assert_eq!(count, 0);
}

#[test]
fn base64_is_read_over_the_ends_of_lines_as_long_as_tools_write_them() {
    let mut next = numbers(8);
    for width in [64, 76] {
        for _ in 0..20 {
            let (key, _) = samples::sample(0, &mut next);
            // Where a line ends among the characters that a key is looked for by, nothing leads to it.
            let before = loop {
                let before = samples::random(0x3f, 30 + next(120), &mut next);
                if ((before.len() + 1) * 8 / 6) % width <= width - 8 {
                    break before;
                }
            };
            let text = samples::base64(format!("{before} {key}\n{before}").as_bytes());
            let starts = (0..text.len()).step_by(width);
            let lines: Vec<_> = starts.map(|at| &text[at..(at + width).min(text.len())]).collect();
            for end in ["\n", "\r\n", "\\n"] {
                let all = found(lines.join(end).as_bytes());
                assert_eq!(all.iter().map(|one| one.rule).collect::<Vec<_>>(), ["groq"], "{width} {end:?} {text}");
            }
        }
    }
}

#[test]
fn a_finding_in_base64_has_every_character_with_a_bit_of_the_key() {
    let (key, _) = samples::sample(0, &mut numbers(9));
    for before in ["?? ", "??? ", "???? "] {
        let text = samples::base64(format!("{before}{key}; and so on").as_bytes());
        let [one] = found(text.as_bytes()).try_into().unwrap();
        let (start, end) = (before.len() as u64, (before.len() + key.len()) as u64);
        let last = (end * 8).div_ceil(6);
        assert_eq!((one.span.0, one.encoding), (start * 8 / 6, Encoding::Base64), "{text}");
        assert!((last..=last + 1).contains(&one.span.1), "{text} {one:?}");
    }
}

#[test]
fn any_chunks_give_the_same() {
    let mut next = numbers(5);
    let mut text = Vec::new();
    while text.len() < 300_000 {
        let (key, _) = samples::sample(next(RULES.len()), &mut next);
        text.extend(samples::random(0x3f, next(9_000), &mut next).into_bytes());
        text.extend(b"\n ");
        text.extend(if next(3) == 0 { samples::base64(key.as_bytes()).into_bytes() } else { key.into_bytes() });
        text.extend(b" ");
    }
    let whole = found(&text);
    assert!(whole.len() > 40, "{}", whole.len());
    for most in [1_000, 70_000, 400_000] {
        let mut scanner = Scanner::new(options());
        let mut all = Vec::new();
        let mut rest = &text[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at((1 + next(most)).min(rest.len()));
            scanner.push(now, &mut |finding| all.push(finding));
            rest = later;
        }
        scanner.finish_with(&[], &mut |finding| all.push(finding));
        assert_eq!(all, whole);
    }
}

#[test]
fn every_kind_is_found_in_every_form() {
    let mut next = numbers(6);
    let mut missed = Vec::new();
    for (index, rule) in RULES.iter().enumerate() {
        for _ in 0..6 {
            let (key, span) = samples::sample(index, &mut next);
            for (form, text) in forms(&key, span.start, &mut next) {
                // Too short a run of base64, for half of a pair.
                if form == "base64" && key.len() < 24 {
                    continue;
                }
                let all = found(text.as_bytes());
                if !all.iter().any(|one| one.rule == rule.id || one.class > rule.class) {
                    missed.push(format!("{} {form}: {text}", rule.id));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} {}", missed.len(), missed[..missed.len().min(60)].join("\n"));
}

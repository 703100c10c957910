#![allow(clippy::arithmetic_side_effects, clippy::string_slice, reason = "tests")]

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{found, numbers, options};
use super::*;
use crate::keys::forms::forms;
use crate::keys::{RULES, samples};

/// A key, as it stands or in one of its forms; few seeds, so that some come twice.
fn key(seed: u64, plain: bool) -> String {
    let mut next = numbers(seed);
    let (key, span) = samples::sample(next(RULES.len()), &mut next);
    let mut all = forms(&key, span.start, &mut next);
    if plain { key } else { all.swap_remove(next(all.len())).1 }
}

/// The marks that the text's own keys would get, whole, numbered or begun: as if somebody knew them.
fn marked(seed: u64, number: usize) -> String {
    let Some(finding) = found(key(seed, true).as_bytes()).into_iter().next() else { return String::new() };
    let mark = mark(&finding);
    let inner = &mark[..mark.len() - 1];
    [mark.clone(), format!("{inner}:2]"), format!("{inner}:3]"), inner.to_owned(), format!("[{mark}")][number].clone()
}

/// Keys, marks, and what may stand around them.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{0,12}",
        "[\\[\\]a-zA-Z0-9_%+=\"'\\\\ .:/\n-]{0,30}",
        (0..9u64, any::<bool>()).prop_map(|(seed, plain)| key(seed, plain)),
        (any::<u64>(), any::<bool>()).prop_map(|(seed, plain)| key(seed, plain)),
        (0..9u64, 0..5usize).prop_map(|(seed, number)| marked(seed, number)),
        Just("[REDACTED:".to_owned()),
    ];
    vec((part, "[ \n\"]?"), 0..7).prop_map(|parts| parts.into_iter().flat_map(|(part, glue)| [part, glue]).collect())
}

fn secret() -> Options {
    Options { publishable: false, ..options() }
}

fn keys(text: &str) -> usize {
    let mut count = 0;
    scan(text.as_bytes(), &secret(), &mut |_| count += 1);
    count
}

proptest! {
    #[test]
    fn what_was_redacted_has_no_finding(text in text()) {
        let (clear, findings) = redact_all(&text, &secret(), None);
        prop_assert_eq!(keys(&clear), 0, "{}", clear);
        prop_assert_eq!(clear != text, !findings.is_empty());
        prop_assert!(findings.len() >= keys(&text));
        for finding in &findings {
            prop_assert!(finding.span.0 < finding.span.1 && finding.span.1 <= text.len() as u64);
        }
        prop_assert!(findings.is_sorted_by_key(|finding| finding.span.0));
        prop_assert_eq!(keys(&clean(&text).unwrap_or(text)), 0);
    }

    #[test]
    fn marks_are_put_back_exactly_whatever_the_text_held(text in text(), sizes in vec(1usize..20, 1..5)) {
        let mut marks = Restorer::apart_from(&text);
        let (masked, _) = redact_all(&text, &secret(), Some(&mut marks));
        prop_assert_eq!(keys(&masked), 0, "{}", masked);
        let (mut out, mut rest, mut sizes) = (String::new(), masked.as_str(), sizes.iter().cycle());
        while !rest.is_empty() {
            let mut at = (*sizes.next().unwrap()).min(rest.len());
            while !rest.is_char_boundary(at) {
                at += 1;
            }
            out.push_str(&marks.push(&rest[..at]));
            rest = &rest[at..];
        }
        out.push_str(&marks.finish());
        prop_assert_eq!(out, text);
    }

    #[test]
    fn any_chunks_give_the_same_findings(text in text(), before in 0usize..140_000, sizes in vec(1usize..90_000, 1..6)) {
        // Somewhere around the border of two blocks.
        let text = [" ".repeat(before), text].concat().into_bytes();
        let (mut all, mut scanner) = (Vec::new(), Scanner::new(options()));
        let (mut rest, mut sizes) = (text.as_slice(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            scanner.push(now, &mut |finding| all.push(finding));
            rest = later;
        }
        scanner.finish_with(&[], &mut |finding| all.push(finding));
        prop_assert_eq!(all, found(&text));
    }
}

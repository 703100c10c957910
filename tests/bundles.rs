//! The detector on what packages really publish, out of node_modules: a key of each kind planted in minified bundles is
//! found in every form, and nothing in them is taken for a secret that is none.

#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

use tidegate::detect::{Finding, Options, scan};
use tidegate::keys::forms::forms;
use tidegate::keys::samples::sample;
use tidegate::keys::{Class, RULES};
use tidegate::secret::Secret;

/// The forms that a bundle may have a key in.
const FORMS: [&str; 12] = [
    "constant",
    "minified",
    "json",
    "json twice",
    "html",
    "query",
    "template",
    "concat",
    "base64",
    "percent",
    "hex",
    "unicode",
];

/// Real keys that their packages publish on purpose: file, rule, why.
const KNOWN: &[(&str, &str, &str)] =
    &[("miniflare/dist/src/index.js", "private-key", "of its self-signed certificate for https on localhost")];

fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below.max(1) as u64).unwrap()
    }
}

fn found(text: &[u8]) -> Vec<Finding> {
    let options = Options { key: Secret::new(vec![1; 32]), publishable: true };
    let mut all = Vec::new();
    scan(text, &options, &mut |finding| all.push(finding));
    all
}

/// The scripts, pages and styles that installed packages have, in order; none where nothing is installed.
fn published() -> Vec<PathBuf> {
    fn walk(folder: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let name = entry.file_name().into_string().unwrap_or_default();
            // A link leads to this project itself.
            if kind.is_dir() && name != ".cache" {
                walk(&path, all);
            } else if kind.is_file()
                && [".js", ".mjs", ".cjs", ".html", ".css"].iter().any(|end| name.ends_with(end))
                && entry.metadata().unwrap().len() >= 4_096
            {
                all.push(path);
            }
        }
    }
    let mut all = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules"), &mut all);
    all.sort();
    if all.is_empty() {
        println!("skipped: nothing is installed in node_modules");
    }
    all
}

/// Lines of what people write are shorter.
fn is_minified(text: &[u8]) -> bool {
    text.len() / text.split(|byte| *byte == b'\n').count() > 160
}

#[test]
fn a_planted_key_of_each_kind_is_found_in_every_form() {
    let mut next = numbers(0xb0b);
    let (mut bundles, mut plants, mut missed) = (0usize, 0usize, Vec::new());
    let paths = published();
    for path in &paths {
        let text = fs::read(path).unwrap();
        if bundles == 54 || text.len() > 200_000 || !is_minified(&text) {
            continue;
        }
        let ends: Vec<usize> = (1..text.len()).filter(|at| text[at - 1] == b';').collect();
        if ends.len() < 20 {
            continue;
        }
        bundles += 1;
        let mut planted = Vec::new();
        for (index, rule) in RULES.iter().enumerate() {
            let (key, span) = sample(index, &mut next);
            for (form, text) in forms(&key, span.start, &mut next) {
                // Half of a pair is too short for base64; and a few forms each, so that the bundle stays what it is.
                let short = form == "base64" && key.len() < 20;
                if FORMS.contains(&form) && !short {
                    planted.push((ends[next(ends.len())], rule, form, text));
                }
            }
        }
        planted.sort_by_key(|(at, ..)| *at);
        let (mut full, mut from, mut spans) = (Vec::new(), 0, Vec::new());
        for (at, rule, form, plant) in &planted {
            full.extend(&text[from..*at]);
            from = *at;
            spans.push((full.len() as u64, *rule, *form));
            full.extend(plant.as_bytes());
            full.extend(b";");
        }
        full.extend(&text[from..]);
        let all = found(&full);
        plants += planted.len();
        for (index, (start, rule, form)) in spans.iter().enumerate() {
            let end = start + planted[index].3.len() as u64;
            let own = all.iter().filter(|one| one.span.0 < end && one.span.1 > *start);
            if !own.clone().any(|one| one.class >= rule.class) {
                missed.push(format!("{} {form} in {}: {}", rule.id, path.display(), planted[index].3));
            }
        }
    }
    println!("{bundles} bundles, {plants} plants, {} missed", missed.len());
    assert!(paths.is_empty() || bundles >= 50, "{bundles}");
    assert!(missed.is_empty(), "{} missed\n{}", missed.len(), missed[..missed.len().min(20)].join("\n"));
}

#[test]
fn no_secret_in_what_is_published() {
    let (mut files, mut bytes, mut secrets) = (0usize, 0usize, Vec::new());
    let paths = published();
    for path in &paths {
        if bytes > 60_000_000 {
            break;
        }
        let text = fs::read(path).unwrap();
        (files, bytes) = (files + 1, bytes + text.len());
        for one in found(&text).into_iter().filter(|one| one.class == Class::Secret) {
            let known = KNOWN.iter().any(|(file, rule, _)| path.ends_with(file) && *rule == one.rule);
            if !known {
                let (line, column) = one.place;
                secrets.push(format!(
                    "{} {} {} {}:{line}:{column}",
                    one.rule,
                    one.preview,
                    one.fingerprint,
                    path.display()
                ));
            }
        }
    }
    println!("{files} files, {bytes} bytes, {} secrets", secrets.len());
    assert!(paths.is_empty() || bytes >= 50_000_000, "{bytes}");
    assert!(secrets.is_empty(), "{}", secrets.join("\n"));
}

//! The dependency rule, read off the sources: leaf types ← policies ← attempt, gateway, testing ← wasm.
//! Policies never import one another; what joins them is the pipeline.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

const LEAVES: [&str; 17] = [
    "abort", "chat", "config", "copies", "error", "host", "json", "keys", "money", "pack", "record", "secret",
    "shelves", "text", "time", "value", "lib",
];
const POLICIES: [&str; 9] = ["admit", "cache", "detect", "price", "provider", "queue", "retry", "route", "vault"];
/// Each may use those before it.
const PIPELINE: [&str; 3] = ["attempt", "gateway", "testing"];
const BOUNDARY: &str = "wasm";

fn rank(module: &str) -> Option<usize> {
    let pipeline = || PIPELINE.iter().position(|own| *own == module).and_then(|place| place.checked_add(2));
    match module {
        _ if LEAVES.contains(&module) => Some(0),
        _ if POLICIES.contains(&module) => Some(1),
        BOUNDARY => Some(9),
        _ => pipeline(),
    }
}

/// Why `module` may not name `other`.
fn fault(module: &str, other: &str) -> Option<&'static str> {
    if module == other {
        return None;
    }
    let (Some(own), Some(theirs)) = (rank(module), rank(other)) else {
        return Some("names a module that has no layer: give it one in tests/layers.rs");
    };
    match (own, theirs) {
        (1, 1) => Some("is a policy that imports another"),
        _ if theirs > own => Some("imports from a layer above"),
        _ => None,
    }
}

/// The modules of this crate that a source names: `crate::name`, also out of `use crate::{a, b::c}`.
fn named(source: &str) -> Vec<String> {
    let code: String = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before == '_' || before.is_alphanumeric()) {
            continue;
        }
        let rest = &code[at + found.len()..];
        let word = |text: &str| -> String { text.chars().take_while(|c| *c == '_' || c.is_alphanumeric()).collect() };
        match rest.strip_prefix('{') {
            None => names.push(word(rest)),
            Some(list) => {
                let (mut depth, mut begins) = (1, true);
                for (place, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' => begins = true,
                        c if begins && depth == 1 && !c.is_whitespace() => {
                            names.push(word(&list[place..]));
                            begins = false;
                        }
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// `cache` for `src/cache.rs` and for all below `src/cache/`.
fn module_of(path: &Path) -> String {
    let first = path.components().next().unwrap();
    Path::new(first.as_os_str()).file_stem().unwrap().to_string_lossy().into_owned()
}

/// What breaks the rule in a file at `path`, below `src/`.
fn broken(path: &Path, source: &str) -> Vec<String> {
    let module = module_of(path);
    if module == "lib" {
        return Vec::new();
    }
    let fault = |other: &String| Some(format!("{}: crate::{other}: {}", path.display(), fault(&module, other)?));
    let mut broken: Vec<String> = named(source).iter().filter_map(fault).collect();
    // Inside admit/ the parts stand alone; the ledger, and the bytes of it, join them.
    let stem = path.file_stem().unwrap().to_string_lossy();
    let parts = ["budget", "breaker", "concurrency", "period"];
    if module == "admit" && parts.contains(&&*stem) {
        let siblings = parts.iter().filter(|part| **part != stem);
        let names = |part: &&&str| source.contains(&format!("super::{part}"));
        broken.extend(siblings.filter(names).map(|part| format!("{}: super::{part}", path.display())));
    }
    broken
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => sources(&path, found),
            Some(extension) if extension == "rs" => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn no_source_breaks_the_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > 60, "were the sources found?");
    let read = |path: &PathBuf| broken(path.strip_prefix(&root).unwrap(), &std::fs::read_to_string(path).unwrap());
    let broken: Vec<String> = paths.iter().flat_map(read).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_check_finds_what_is_broken() {
    let finds = |path: &str, source: &str| broken(Path::new(path), source).len();
    assert_eq!(finds("cache/exact.rs", "use crate::admit::Command;"), 1, "a policy, another policy");
    assert_eq!(finds("cache.rs", "fn f() -> crate::gateway::Gate {}"), 1, "a path, not a use");
    assert_eq!(finds("retry.rs", "use crate::{\n    error::Code,\n    vault::{kdf, keyring},\n};"), 1, "in a list");
    assert_eq!(finds("time.rs", "use crate::price::Table;"), 1, "a leaf, a policy");
    assert_eq!(finds("gateway/run.rs", "use crate::wasm::Core;"), 1);
    assert_eq!(finds("attempt.rs", "use crate::gateway::Gate;"), 1);
    assert_eq!(finds("gateway.rs", "use crate::testing::ManualHost;"), 1);
    assert_eq!(finds("novelty.rs", "use crate::error::Code;"), 1, "no layer");
    assert_eq!(finds("admit/breaker.rs", "use super::budget::Books;"), 1);
    assert_eq!(finds("error.rs", "$crate::gateway::Gate"), 1, "in a macro");

    assert_eq!(finds("cache/exact.rs", "use crate::{error::Code, time::Timestamp};\nuse crate::cache::Hit;"), 0);
    assert_eq!(finds("gateway/run.rs", "use crate::admit::Charge;\nuse crate::attempt::exchange;"), 0);
    assert_eq!(finds("wasm/core.rs", "use crate::gateway::Gate;"), 0);
    assert_eq!(finds("admit/ledger.rs", "use super::budget::Books;"), 0);
    assert_eq!(finds("time.rs", "//! See [`crate::gateway`].\nuse another_crate::price;"), 0);
}

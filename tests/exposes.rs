//! Reading a secret is loud: every `.expose()` in `src/` says why it is safe.

#![cfg(not(target_arch = "wasm32"))]

use std::path::{Path, PathBuf};

/// Lines, from 1, that read a secret without an `// EXPOSE:` comment on the same line or one of the
/// three before it. The tests at the end of a file are not looked at: their secrets are made up.
fn silent(source: &str) -> Vec<usize> {
    let code = source.split("\nmod tests {").next().unwrap_or(source);
    let reads = |line: &str| {
        let comment = line.trim_start().starts_with("//");
        !comment && (line.contains(".expose()") || line.contains(".expose_mut()") || line.contains("::expose"))
    };
    let mut silent = Vec::new();
    let mut explained = 0;
    for (number, line) in (1..).zip(code.lines()) {
        explained = if line.contains("// EXPOSE: ") { 4 } else { i32::max(explained, 1).saturating_sub(1) };
        if reads(line) && explained == 0 {
            silent.push(number);
        }
    }
    silent
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn every_reading_of_a_secret_is_explained() {
    let mut paths = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths).unwrap();
    let mut bad = Vec::new();
    let mut reads = 0;
    for path in paths {
        let source = std::fs::read_to_string(&path).unwrap();
        reads += source.matches("// EXPOSE: ").count();
        bad.extend(silent(&source).into_iter().map(|line| format!("{}:{line}", path.display())));
    }
    assert!(bad.is_empty(), "no // EXPOSE: comment within three lines:\n{}", bad.join("\n"));
    assert!(reads > 10, "the vault itself reads secrets; were its files found?");
}

#[test]
fn the_search_finds_what_is_silent() {
    assert_eq!(silent("let a = key.expose();"), [1]);
    assert_eq!(silent("x();\nlet a = key.expose_mut();"), [2]);
    assert_eq!(silent("keys.iter().map(Secret::expose)"), [1]);
    assert_eq!(silent("// EXPOSE: why\n1\n2\n3\nkey.expose()"), [5], "too far above");
    assert!(silent("// EXPOSE: why\n1\n2\nkey.expose()").is_empty());
    assert!(silent("key.expose() // EXPOSE: why").is_empty());
    assert!(silent("/// every `.expose()` says why").is_empty());
    assert!(silent("a();\n#[cfg(test)]\nmod tests {\nkey.expose()").is_empty());
}

//! The detector on a labelled set, made here from the shapes of keys and the places where they stand: recall, and false
//! alarms. Run with `--nocapture` for the figures. With `TIDEGATE_LABELLED` the set is written to that file as lines of
//! JSON, for others to be held against it (`benches/labelled.mjs`).

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

use tidegate::detect::{Finding, Options, scan};
use tidegate::keys::forms::forms;
use tidegate::keys::samples::{Next, base64, random, sample};
use tidegate::keys::{Class, RULES, Rule};
use tidegate::secret::Secret;

const HEX: u32 = 3;
const LOWER: u32 = 6;
const UPPER: u32 = 8 | 1 << 17;
const ALNUM: u32 = HEX | LOWER | UPPER;
const BASE64: u32 = ALNUM | 64;
const BASE64URL: u32 = ALNUM | 48;

fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below.max(1) as u64).unwrap()
    }
}

fn found(text: &str) -> Vec<Finding> {
    let options = Options { key: Secret::new(vec![1; 32]), publishable: true };
    let mut all = Vec::new();
    scan(text.as_bytes(), &options, &mut |finding| all.push(finding));
    all
}

fn uuid(next: Next<'_>) -> String {
    [8, 4, 4, 4, 12].map(|length| random(HEX, length, next)).join("-")
}

fn word(next: Next<'_>) -> String {
    let length = 3 + next(7);
    random(LOWER, length, next)
}

/// What is no key, by kind.
fn negatives(next: Next<'_>) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for rule in RULES.iter().filter(|rule| !rule.is_named() && rule.id != "private-key") {
        for prefix in rule.prefixes() {
            let words = [word(next), word(next), word(next)];
            let length = 28 + next(70);
            let (period, digits) = (random(ALNUM, 1 + next(8), next), "1234567890".repeat(12));
            let letters = "abcdefghijklmnopqrstuvwxyz".repeat(5);
            for body in [
                "x".repeat(length),
                "*".repeat(length),
                "0".repeat(length),
                "your-api-key-here".into(),
                "YOUR_API_KEY".into(),
                "<your key>".into(),
                "...".into(),
                digits[..length].to_owned(),
                letters[..length].to_owned(),
                period.repeat(200)[..length].to_owned(),
                format!("{}EXAMPLE", random(UPPER, 9, next)),
                words.join("_"),
                words.join("-"),
                random(ALNUM, 6, next),
            ] {
                all.push(("placeholder", format!("KEY=\"{prefix}{body}\"")));
            }
            all.push(("look-alike", format!("load_{}{prefix}{}", word(next), words.join("_"))));
        }
    }
    for _ in 0..150 {
        let (short, long) = (random(ALNUM, 12, next), random(ALNUM, 180, next));
        all.push(("uuid", format!("id: {}", uuid(next))));
        for length in [32, 40, 56, 64, 96, 128] {
            all.push(("hash", format!("\"hash\":\"{}\",", random(HEX, length, next))));
        }
        all.push(("integrity", format!("integrity=\"sha512-{}==\"", random(BASE64, 86, next))));
        all.push(("integrity", format!("\"sha384-{}\"", random(BASE64, 64, next))));
        all.push(("asset", format!("url(data:font/woff2;base64,{})", random(BASE64, 400 + next(3_000), next))));
        all.push(("asset", base64(random(BASE64URL, 300, next).as_bytes())));
        let minified: Vec<String> =
            (0..80).map(|_| format!("{}.{}({},{})", word(next), word(next), word(next), next(99))).collect();
        all.push(("minified", minified.join(";")));
        all.push(("look-alike", format!("const {}_sk_{} = gsk_{short};", word(next), word(next))));
        all.push(("look-alike", format!("x{}{long}", "gsk_")));
        all.push(("look-alike", format!("gsk_{long}")));
        all.push(("look-alike", format!("task-{} risk-{}", random(HEX, 32, next), random(HEX, 32, next))));
        all.push(("look-alike", format!("class=\"sk-{}-{} sk-circle\"", word(next), word(next))));
        all.push(("look-alike", format!("npm_config_{} hf_{} ghp_{}", word(next), word(next), word(next))));
        all.push(("look-alike", format!("sk-or-v1-{}", random(LOWER, 64, next))));
        all.push(("look-alike", format!("https://{}@example.com/{}", word(next), next(999))));
        all.push(("look-alike", format!("dev:{}|{}", word(next), word(next))));
    }
    for (index, rule) in RULES.iter().enumerate().filter(|(_, rule)| rule.class == Class::Publishable) {
        for _ in 0..10 {
            all.push(("publishable", format!("{} {}", rule.provider, sample(index, next).0)));
        }
    }
    all
}

/// A key in a text, and what it is.
struct Positive {
    rule: &'static Rule,
    form: &'static str,
    text: String,
}

fn positives() -> Vec<Positive> {
    let mut next = numbers(0x5eed);
    let mut all = Vec::new();
    for _ in 0..3 {
        for (index, rule) in RULES.iter().enumerate() {
            let (key, span) = sample(index, &mut next);
            for (form, text) in forms(&key, span.start, &mut next) {
                all.push(Positive { rule, form, text });
            }
        }
    }
    all
}

#[test]
fn recall_on_positives() {
    let all = positives();
    let missed: Vec<String> = all
        .iter()
        .filter(|one| !found(&one.text).iter().any(|finding| finding.class >= one.rule.class))
        .map(|one| format!("{} {}: {}", one.rule.id, one.form, one.text))
        .collect();
    println!("positives {}, missed {}", all.len(), missed.len());
    assert!(all.len() >= 1_500, "{}", all.len());
    assert!(missed.len() * 100 <= all.len(), "{}", missed.join("\n"));
}

#[test]
fn false_alarms_on_negatives() {
    let all = negatives(&mut numbers(0xa1a2));
    let alarms: Vec<String> = all
        .iter()
        .filter_map(|(kind, text)| {
            let worst =
                found(text).into_iter().filter(|one| one.class == Class::Secret).max_by_key(|one| one.severity)?;
            Some(format!("{kind}: {} in {text}", worst.rule))
        })
        .collect();
    println!("negatives {}, false alarms {}", all.len(), alarms.len());
    assert!(all.len() >= 1_500, "{}", all.len());
    assert!(alarms.len() * 1_000 <= all.len() * 3, "{}", alarms.join("\n"));
    let wrong = all.iter().filter(|(kind, _)| *kind == "publishable");
    for (_, text) in wrong {
        assert!(found(text).iter().any(|one| one.class == Class::Publishable), "{text}");
    }
}

#[test]
fn the_set_as_lines_of_json() {
    let Ok(path) = std::env::var("TIDEGATE_LABELLED") else {
        println!("skipped: TIDEGATE_LABELLED names no file");
        return;
    };
    let line = |label: &str, kind: &str, form: &str, text: &str| {
        serde_json::json!({ "label": label, "kind": kind, "form": form, "text": text }).to_string()
    };
    let positives = positives().into_iter().map(|one| line(one.rule.class.as_str(), one.rule.id, one.form, &one.text));
    // No secret stands in them; what was made to be seen may.
    let negatives = negatives(&mut numbers(0xa1a2)).into_iter().map(|(kind, text)| line("none", kind, "", &text));
    let lines: Vec<String> = positives.chain(negatives).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    println!("{} lines in {path}", lines.len());
}

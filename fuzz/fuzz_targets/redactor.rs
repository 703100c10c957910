//! Any text through the redactor: what is left has no keys, whatever stands around them, and names of ours stay.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::detect::{Options, clean, hostile, mark, redact, scan};
use tidegate::keys::Class;
use tidegate::secret::Secret;

fn options() -> Options {
    Options { key: Secret::new(vec![7; 32]), publishable: false }
}

fn keys(text: &str) -> usize {
    let mut count = 0;
    scan(text.as_bytes(), &options(), &mut |finding| count += usize::from(finding.class == Class::Secret));
    count
}

fuzz_target!(|text: &str| {
    hostile(text, &mut |_| {});
    let marked = redact(text, &options(), &mut |finding| Some(mark(finding)));
    for out in [marked, clean(text)].into_iter().flatten() {
        assert_eq!(keys(&out), 0, "{text:?} became {out:?}");
    }
});

//! Any text through the redactor: what is left has no keys, whatever stands around them, and marks that can be put back
//! give the text as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::detect::{Options, Restorer, clean, hostile, redact_all, scan};
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
    hostile(text, &mut |_, _| {});
    let (marked, _) = redact_all(text, &options(), None);
    for out in [marked, clean(text).unwrap_or_else(|| text.to_owned())] {
        assert_eq!(keys(&out), 0, "{text:?} became {out:?}");
    }
    let mut marks = Restorer::apart_from(text);
    let (masked, _) = redact_all(text, &options(), Some(&mut marks));
    let back = [marks.push(&masked), marks.finish()].concat();
    assert_eq!(back, text, "{masked:?}");
});

//! Any text through the redactor, as often as the gateway does it: what is left has no keys, whatever stands around them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::detect::{Options, PASSES, clean, hostile, mark, redact, scan};
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
    let mut marked = text.to_owned();
    for _ in 0..PASSES {
        let Some(next) = redact(&marked, &options(), &mut |finding| Some(mark(finding))) else { break };
        marked = next;
    }
    for out in [marked, clean(text).unwrap_or_else(|| text.to_owned())] {
        assert_eq!(keys(&out), 0, "{text:?} became {out:?}");
    }
});

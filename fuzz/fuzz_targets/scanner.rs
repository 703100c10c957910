//! Any bytes through the scanner: whole and in chunks the same, findings in order and apart, and what is redacted comes
//! back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::detect::{Finding, Options, Restorer, Scanner, redact, scan};
use tidegate::secret::Secret;

fn options() -> Options {
    Options { key: Secret::new(vec![7; 32]), publishable: true }
}

fuzz_target!(|input: (u16, &[u8])| {
    let (size, text) = input;
    let mut whole: Vec<Finding> = Vec::new();
    scan(text, &options(), &mut |finding| whole.push(finding));
    let mut end = 0;
    for finding in &whole {
        assert!(end <= finding.span.0 && finding.span.0 < finding.span.1 && finding.span.1 <= text.len() as u64);
        end = finding.span.1;
    }
    let mut chunked = Vec::new();
    let mut scanner = Scanner::new(options());
    for chunk in text.chunks(usize::from(size).max(1)) {
        scanner.push(chunk, &mut |finding| chunked.push(finding));
    }
    scanner.finish_with(&[], &mut |finding| chunked.push(finding));
    assert_eq!(whole, chunked);

    let Ok(text) = str::from_utf8(text) else { return };
    let mut restorer = Restorer::default();
    let clean = redact(text, &options(), &mut |finding| {
        let span = usize::try_from(finding.span.0).unwrap()..usize::try_from(finding.span.1).unwrap();
        Some(restorer.mark(finding, &text[span]))
    });
    if let Some(clean) = clean {
        let mut back: String = clean.chars().map(|piece| restorer.push(piece.encode_utf8(&mut [0; 4]))).collect();
        back.push_str(&restorer.finish());
        // A text that has marks already is not what a caller masks.
        assert!(back == text || text.contains("[REDACTED:"), "{text:?} became {back:?}");
    }
});

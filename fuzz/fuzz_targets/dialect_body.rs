//! Whole answers of every dialect, written for callers of every dialect. The first byte says from which and to
//! which.
#![no_main]

mod pair;

use libfuzzer_sys::fuzz_target;
use pair::{Pair, STAMP};
use tidegate::chat::Completion;
use tidegate::provider::{decode_body, encode_body};

fuzz_target!(|input: (u8, &str)| {
    let (Pair { from, to, .. }, body) = (Pair::of(input.0), input.1);
    let mut completion = Completion::default();
    let Some(()) = decode_body(from, "openrouter", body, &mut |delta| completion.push(&delta)) else { return };
    let written = encode_body(to, &completion, &STAMP);
    assert!(tidegate::json::fields(&written).is_ok(), "{written}");
});

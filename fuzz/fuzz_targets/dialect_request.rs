//! Requests in every dialect, to every dialect. The first byte says from which and to which.
#![no_main]

mod pair;

use libfuzzer_sys::fuzz_target;
use pair::Pair;
use tidegate::json;
use tidegate::provider::{Outgoing, decode_request, encode_request, path, rewrite_request};

fuzz_target!(|input: (u8, &str)| {
    let (Pair { from, to, flag }, body) = (Pair::of(input.0), input.1);
    let outgoing =
        Outgoing { provider: "x", model: "m/1", max_output_tokens: 64, stream: flag, relayed: false, most: None };
    assert!(!path(from, body, flag).contains(['?', '#', ' ']) || path(from, body, flag).ends_with("?alt=sse"));
    if let Ok(own) = json::fields(body) {
        let written = rewrite_request(from, &own, &outgoing);
        assert!(json::fields(&written).is_ok(), "{written}");
    }
    let Ok(neutral) = decode_request(from, body, Some("m"), flag) else { return };
    let Ok(fields) = json::fields(&neutral) else {
        // Only a chat completion request is taken as it is; others are written here.
        assert_eq!(from.as_str(), "chat", "{neutral}");
        return;
    };
    if let Ok(written) = encode_request(to, &fields, &outgoing) {
        assert!(json::fields(&written).is_ok(), "{written}");
    }
});

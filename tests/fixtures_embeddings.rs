//! An answer of OpenAI's that was recorded: read, and written for callers of both formats.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate::chat::Dialect;
use tidegate::provider::embeddings::{Reply, decode_body, encode_body};

/// The recording, from `TIDEGATE_FIXTURES` or from beside the project; `None` where there is none.
fn recorded(name: &str) -> Option<String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let folder = std::env::var_os("TIDEGATE_FIXTURES").map_or_else(beside, PathBuf::from);
    let text = std::fs::read_to_string(folder.join(name)).ok();
    if text.is_none() {
        eprintln!("skipped: {name} is not here");
    }
    text
}

fn floats(base64: &str) -> Vec<f32> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = base64.trim_end_matches('=').chars().map(|digit| alphabet.find(digit).unwrap());
    let bits: Vec<bool> = digits.flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1 == 1)).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0u8, |byte, bit| byte << 1 | u8::from(*bit));
    let bytes: Vec<u8> = bits.as_chunks::<8>().0.iter().map(|bits| byte(bits)).collect();
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
fn a_recorded_answer_is_read_and_written() {
    let Some(body) = recorded("openai/openai-embedding.json") else { return };
    let original: Value = serde_json::from_str(&body).unwrap();
    let answer = decode_body(Dialect::Chat, "openai", &body, 2).expect("an answer of two vectors");
    assert_eq!(answer.usage.map(|usage| usage.input), original["usage"]["prompt_tokens"].as_u64());

    let reply = Reply { model: "asked", listed: true, base64: false, estimated_tokens: 0 };
    let openai = encode_body(Dialect::Chat, &answer, &reply).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&openai).unwrap(), original, "the same for a caller of its own format");

    let google: Value = serde_json::from_str(&encode_body(Dialect::Google, &answer, &reply).unwrap()).unwrap();
    let coded = encode_body(Dialect::Chat, &answer, &Reply { base64: true, ..reply }).unwrap();
    let coded: Value = serde_json::from_str(&coded).unwrap();
    for index in 0..2 {
        let vector = &original["data"][index]["embedding"];
        assert_eq!(&google["embeddings"][index]["values"], vector);
        let expected: Vec<f32> =
            vector.as_array().unwrap().iter().map(|value| value.to_string().parse().unwrap()).collect();
        assert_eq!(floats(coded["data"][index]["embedding"].as_str().unwrap()), expected);
    }
}

//! What Gemini really sent, read and written again: the answer must stay the same. The recordings are not part
//! of this repository: `TIDEGATE_FIXTURES`, or `shared/fixtures` beside it, says where they are.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "tests"
)]

use std::fs;
use std::path::PathBuf;

use tidegate::chat::{Completion, Delta, Dialect, Finish};
use tidegate::provider::{Malformed, Stamp, StreamDecoder, StreamEncoder, decode_body, encode_body};

const STAMP: Stamp = Stamp { created_s: 1, include_usage: true };

/// The recordings whose names end so, with their contents.
fn recordings(ending: &str) -> Vec<(String, String)> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let folder = std::env::var_os("TIDEGATE_FIXTURES").map_or(default, PathBuf::from).join("google");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no recordings in {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_str().unwrap().ends_with(ending));
    files.sort();
    assert!(!files.is_empty(), "no recordings that end in {ending}");
    files.into_iter().map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

fn whole(body: &str) -> Option<Completion> {
    let mut completion = Completion::default();
    decode_body(Dialect::Google, "google", body, &mut |delta| completion.push(&delta))?;
    Some(completion)
}

/// A stream of one event per line: its meaning, what a caller of this dialect is sent for it, and whether it
/// ended well.
fn streamed<'a>(events: impl Iterator<Item = &'a str>) -> Result<(Completion, String, bool), Malformed> {
    let mut decoder = StreamDecoder::new(Dialect::Google, "google");
    let mut encoder = StreamEncoder::new(Dialect::Google, STAMP);
    let (mut completion, mut out) = (Completion::default(), String::new());
    for event in events {
        decoder.event("", event, &mut |delta| {
            assert!(!matches!(delta, Delta::Failed { .. }), "{delta:?}");
            completion.push(&delta);
            encoder.push(&delta, &mut out);
        })?;
    }
    encoder.push(&Delta::End, &mut out);
    Ok((completion, out, decoder.is_finished()))
}

#[test]
fn whole_answers_stay_the_same() {
    for (name, body) in recordings(".json") {
        if name.contains("-429-") {
            assert_eq!(whole(&body), None, "{name}");
            continue;
        }
        let completion = whole(&body).unwrap_or_else(|| panic!("{name}"));
        let usage = completion.usage.unwrap_or_else(|| panic!("{name}"));
        assert!(usage.output > usage.reasoning && usage.reasoning > 0, "{name}");
        assert!(completion.unmapped.is_empty() && !completion.id.is_empty(), "{name}");
        let choice = &completion.choices[0];
        if name.contains("tool-call") {
            assert_eq!(choice.finish, Some(Finish::ToolCalls), "{name}");
            assert_eq!(choice.calls[0].arguments, r#"{\"location\":\"San Francisco\"}"#, "{name}");
            assert!(choice.calls[0].extra.as_ref().unwrap().contains("thought_signature"), "{name}");
        } else {
            assert_eq!(choice.finish, Some(Finish::Stop), "{name}");
            assert!(choice.text.contains("strawberry") && choice.details.len() == 1, "{name}");
        }
        let encoded = encode_body(Dialect::Google, &completion, &STAMP);
        assert_eq!(whole(&encoded), Some(completion), "{name}");
    }
}

#[test]
fn streams_stay_the_same() {
    for (name, text) in recordings(".chunks.txt") {
        let (completion, sent, finished) = streamed(text.lines()).unwrap();
        assert!(finished && completion.usage.is_some() && completion.unmapped.is_empty(), "{name}");
        let choice = &completion.choices[0];
        assert_eq!(choice.finish == Some(Finish::ToolCalls), name.contains("tool-call"), "{name}");
        let arguments: Vec<_> = choice.calls.iter().map(|call| call.arguments.as_str()).collect();
        if name.contains("no-args") {
            assert_eq!(arguments, ["{}", r#"{\"id\":\"A\"}"#, r#"{\"id\":\"B\"}"#, r#"{\"id\":\"C\"}"#], "{name}");
            assert!(choice.reasoning.contains("Processing User Requests"), "{name}");
        }
        let events = sent.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
        let (again, _, finished) = streamed(events).unwrap();
        assert!(finished, "{name}");
        assert_eq!(again, completion, "{name}");
        // Cut anywhere before its last line it has not ended.
        let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
        for end in 0..lines.len() {
            assert!(!streamed(lines[..end].iter().copied()).unwrap().2, "{name} cut after {end}");
        }
    }
}

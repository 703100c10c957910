//! Recorded answers of the providers, read and written again. The recordings lie beside the project
//! (`TIDEGATE_FIXTURES`, or `../shared/fixtures`) and are no part of it; without them nothing is tested.
//!
//! That the providers' own SDKs read the same in them is compared in tests/conformance.

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

#[path = "fixtures/anthropic.rs"]
mod anthropic;
#[path = "fixtures/chat.rs"]
mod chat;
#[path = "fixtures/embeddings.rs"]
mod embeddings;
#[path = "fixtures/google.rs"]
mod google;
#[path = "fixtures/splits.rs"]
mod splits;

use std::fs;
use std::path::{Path, PathBuf};

use tidegate::chat::{Completion, Delta, Dialect};
use tidegate::provider::{Malformed, Stamp, StreamDecoder, StreamEncoder, decode_body, sse};

pub(crate) const STAMP: Stamp = Stamp::new(1_800_000_000, true);

/// Where the recordings are.
fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    std::env::var_os("TIDEGATE_FIXTURES").map_or_else(beside, PathBuf::from)
}

/// One recording by its name in the folder; `None` where there are none.
pub(crate) fn recording(name: &str) -> Option<String> {
    let text = fs::read_to_string(folder().join(name)).ok();
    if text.is_none() {
        eprintln!("skipped: {name} is not here");
    }
    text
}

/// A provider's recordings whose name ends so: name without the ending, and text.
pub(crate) fn recordings(provider: &str, ending: &str) -> Vec<(String, String)> {
    let folder = folder().join(provider);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: no recordings in {}", folder.display());
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(ending) {
            found.push((name.to_owned(), fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no recordings of {provider} that end in {ending}");
    found
}

/// The dialect that a folder's recordings are in.
pub(crate) fn dialect(provider: &str) -> Dialect {
    match provider {
        "anthropic" => Dialect::Anthropic,
        "google" => Dialect::Google,
        _ => Dialect::Chat,
    }
}

/// The events of a recording, one a line.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| ("", line))
}

/// The stream that a recording's events came in.
pub(crate) fn framed(dialect: Dialect, text: &str) -> String {
    let mut out = String::new();
    for (_, line) in lines(text) {
        if dialect == Dialect::Anthropic {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            out.push_str(&format!("event: {}\n", event["type"].as_str().unwrap()));
        }
        out.push_str(&format!("data: {line}\n\n"));
    }
    if dialect == Dialect::Chat {
        out.push_str("data: [DONE]\n\n");
    }
    out
}

/// What a whole answer says; `None` if it is none.
pub(crate) fn whole(provider: &str, body: &str) -> Option<Completion> {
    let mut completion = Completion::default();
    decode_body(dialect(provider), provider, body, &mut |delta| completion.push(&delta))?;
    Some(completion)
}

/// What events give, and whether the stream may end there.
pub(crate) fn streamed<'a>(
    dialect: Dialect,
    provider: &str,
    events: impl IntoIterator<Item = (&'a str, &'a str)>,
    sink: &mut dyn FnMut(Delta<'_>),
) -> Result<bool, Malformed> {
    let mut decoder = StreamDecoder::new(dialect, provider);
    for (name, data) in events {
        decoder.event(name, data, sink)?;
    }
    Ok(decoder.is_finished())
}

/// What a stream of SSE text says, which must end well.
pub(crate) fn read(dialect: Dialect, provider: &str, stream: &str) -> Completion {
    let (events, mut completion) = (frames(stream), Completion::default());
    let events = events.iter().map(|(name, data)| (name.as_str(), data.as_str()));
    let finished = streamed(dialect, provider, events, &mut |delta| {
        assert!(!matches!(delta, Delta::Failed { .. }), "{delta:?}");
        completion.push(&delta);
    });
    assert_eq!(finished, Ok(true), "{stream}");
    completion
}

/// A stream's events, written for a caller of `to`; and what they say.
pub(crate) fn translated(from: Dialect, provider: &str, to: Dialect, stream: &str) -> (Completion, String) {
    let (mut completion, mut out) = (Completion::default(), String::new());
    let (mut encoder, events) = (StreamEncoder::new(to, STAMP), frames(stream));
    let events = events.iter().map(|(name, data)| (name.as_str(), data.as_str()));
    let finished = streamed(from, provider, events, &mut |delta| {
        completion.push(&delta);
        if delta != Delta::End {
            encoder.push(&delta, &mut out);
        }
    });
    assert_eq!(finished, Ok(true), "{stream}");
    encoder.push(&Delta::End, &mut out);
    (completion, out)
}

/// The events of a stream.
pub(crate) fn frames(stream: &str) -> Vec<(String, String)> {
    let mut events = Vec::new();
    let mut sink = |frame: sse::Frame<'_>| events.push((frame.name.into_owned(), frame.data.unwrap().into_owned()));
    let mut decoder = sse::Decoder::default();
    decoder.push(stream.as_bytes(), &mut sink).unwrap();
    // One recording ends without its last blank line.
    decoder.finish(&mut sink);
    events
}

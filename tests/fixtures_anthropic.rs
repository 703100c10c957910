//! Recorded answers of Anthropic's API, read, written again and read again. The recordings lie beside the
//! project (`TIDEGATE_FIXTURES`, or `../shared/fixtures`); without them nothing is tested.
//!
//! `TIDEGATE_ENCODED` names a folder that what was written is put into, for a look with other clients.

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

use std::fs;
use std::path::{Path, PathBuf};

use tidegate::chat::{Completion, Delta, Dialect, Finish, Usage};
use tidegate::provider::{Malformed, Stamp, StreamDecoder, StreamEncoder, decode_body, encode_body, sse};

const STAMP: Stamp = Stamp { created_s: 1_800_000_000, include_usage: true };
/// A second answer begins inside the first: no answer at all.
const SPLICED: &str = "spliced-message-start";

/// Anthropic's recordings whose name ends so.
fn recordings(ending: &str) -> Vec<(String, String)> {
    recordings_of("anthropic", ending)
}

/// A provider's recordings whose name ends so: name without the ending, and text.
fn recordings_of(provider: &str, ending: &str) -> Vec<(String, String)> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let folder = std::env::var_os("TIDEGATE_FIXTURES").map_or_else(beside, PathBuf::from).join(provider);
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
    assert!(!found.is_empty());
    found
}

fn keep(name: &str, text: &str) {
    if let Some(folder) = std::env::var_os("TIDEGATE_ENCODED") {
        fs::write(Path::new(&folder).join(name), text).unwrap();
    }
}

fn whole(name: &str, body: &str) -> Completion {
    let mut completion = Completion::default();
    decode_body(Dialect::Anthropic, "anthropic", body, &mut |delta| completion.push(&delta)).expect(name);
    completion
}

/// What a stream gives, and whether it may end there.
fn streamed<'a>(
    events: impl IntoIterator<Item = (&'a str, &'a str)>,
    sink: &mut dyn FnMut(Delta<'_>),
) -> Result<bool, Malformed> {
    let mut decoder = StreamDecoder::new(Dialect::Anthropic, "anthropic");
    for (name, data) in events {
        decoder.event(name, data, sink)?;
    }
    Ok(decoder.is_finished())
}

fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| ("", line))
}

/// The events of a written stream.
fn frames(stream: &str) -> Vec<(String, String)> {
    let mut events = Vec::new();
    let mut sink = |frame: sse::Frame<'_>| events.push((frame.name.into_owned(), frame.data.unwrap().into_owned()));
    let mut decoder = sse::Decoder::default();
    decoder.push(stream.as_bytes(), &mut sink).unwrap();
    assert!(!decoder.is_holding());
    events
}

#[test]
fn every_body_comes_back_the_same() {
    for (name, body) in recordings(".json") {
        let mut first = whole(&name, &body);
        assert!(!first.id.is_empty() && first.usage.is_some(), "{name}");
        assert!(first.choices[0].finish.is_some(), "{name}");
        let written = encode_body(Dialect::Anthropic, &first, &STAMP);
        keep(&format!("{name}.json"), &written);
        first.unmapped.clear();
        assert_eq!(whole(&name, &written), first, "{name}");
    }
}

#[test]
fn every_stream_comes_back_the_same() {
    for (name, text) in recordings(".chunks.txt") {
        let (mut first, mut written) = (Completion::default(), String::new());
        let mut encoder = StreamEncoder::new(Dialect::Anthropic, STAMP);
        let finished = streamed(lines(&text), &mut |delta| {
            first.push(&delta);
            encoder.push(&delta, &mut written);
        });
        if name == SPLICED {
            assert_eq!(finished, Err(Malformed), "{name}");
            continue;
        }
        assert_eq!(finished, Ok(true), "{name}");
        keep(&format!("{name}.sse"), &written);
        let (events, mut again) = (frames(&written), Completion::default());
        let events = events.iter().map(|(name, data)| (name.as_str(), data.as_str()));
        assert_eq!(streamed(events, &mut |delta| again.push(&delta)), Ok(true), "{name}");
        first.unmapped.clear();
        assert_eq!(again, first, "{name}");
        // The same through a whole answer.
        let body = whole(&name, &encode_body(Dialect::Anthropic, &first, &STAMP));
        let text = |of: &Completion| of.choices.iter().map(|choice| choice.text.clone()).collect::<Vec<_>>();
        assert_eq!((text(&body), body.usage), (text(&first), first.usage), "{name}");
    }
}

#[test]
fn a_stream_cut_anywhere_is_not_finished() {
    for (name, text) in recordings(".chunks.txt") {
        let events: Vec<_> = lines(&text).collect();
        let end = events.len() - 1;
        for cut in 0..end {
            let finished = streamed(events[..cut].iter().copied(), &mut |_| {});
            assert_ne!(finished, Ok(true), "{name} after {cut} events");
        }
    }
}

#[test]
fn damaged_recordings_never_panic() {
    for (_, text) in recordings(".chunks.txt") {
        for (at, (_, event)) in lines(&text).enumerate() {
            for cut in (0..event.len()).filter(|cut| event.is_char_boundary(*cut)) {
                let damaged = lines(&text).take(at).chain([("", &event[..cut])]);
                assert_eq!(streamed(damaged, &mut |_| {}), Err(Malformed));
                if at > 3 {
                    break;
                }
            }
            // Every value of another kind: read or refused.
            for (from, to) in [(":\"", ":[\""), (":{", ":7,\"x\":{"), (":0", ":\"0\""), ("\"type\"", "\"kind\"")] {
                let damaged = event.replacen(from, to, 2);
                let all = lines(&text).take(at).chain([("", damaged.as_str())]).chain(lines(&text).skip(at + 1));
                let mut encoder = StreamEncoder::new(Dialect::Anthropic, STAMP);
                let mut out = String::new();
                let _finished = streamed(all, &mut |delta| encoder.push(&delta, &mut out));
            }
        }
    }
    for (_, body) in recordings(".json") {
        for cut in (0..body.trim_end().len()).filter(|cut| body.is_char_boundary(*cut)) {
            assert_eq!(decode_body(Dialect::Anthropic, "anthropic", &body[..cut], &mut |_| {}), None);
        }
    }
}

/// What other providers say, written in this dialect, says the same.
#[test]
fn streams_of_other_dialects_are_carried_whole() {
    for provider in ["groq", "deepseek", "openai", "openai-compatible"] {
        for (name, text) in recordings_of(provider, ".chunks.txt") {
            let (mut first, mut written) = (Completion::default(), String::new());
            let mut decoder = StreamDecoder::new(Dialect::Chat, provider);
            let mut encoder = StreamEncoder::new(Dialect::Anthropic, STAMP);
            for (_, data) in lines(&text).chain([("", "[DONE]")]) {
                let mut sink = |delta: Delta<'_>| {
                    first.push(&delta);
                    encoder.push(&delta, &mut written);
                };
                decoder.event("", data, &mut sink).unwrap();
            }
            keep(&format!("{name}.sse"), &written);
            let (events, mut again) = (frames(&written), Completion::default());
            let events = events.iter().map(|(name, data)| (name.as_str(), data.as_str()));
            assert_eq!(streamed(events, &mut |delta| again.push(&delta)), Ok(true), "{name}");
            keep(&format!("{name}.json"), &encode_body(Dialect::Anthropic, &first, &STAMP));
            let (first_choice, choice) = (&first.choices[0], &again.choices[0]);
            assert_eq!((&choice.text, &choice.reasoning), (&first_choice.text, &first_choice.reasoning), "{name}");
            assert_eq!((&choice.calls, choice.finish), (&first_choice.calls, first_choice.finish), "{name}");
            assert_eq!(again.usage.unwrap_or_default(), first.usage.unwrap_or_default(), "{name}");
        }
    }
}

/// A few facts of the recordings, read off them by hand.
#[test]
fn the_recordings_say_what_they_say() {
    let streams = recordings(".chunks.txt");
    let read = |wanted: &str| {
        let (_, text) = streams.iter().find(|(name, _)| name == wanted)?;
        let mut completion = Completion::default();
        streamed(lines(text), &mut |delta| completion.push(&delta)).unwrap();
        Some(completion)
    };
    let Some(cached) = read("anthropic-code-execution-20260120-prompt-cache.1") else { return };
    // 6 uncached, 3,337 written, 6,289 read: the end overwrites the beginning.
    let usage =
        Usage { input: 9_632, cached_input: 6_289, cache_write: 3_337, cache_write_1h: 0, output: 198, reasoning: 0 };
    assert_eq!(cached.usage, Some(usage));
    assert_eq!(cached.unmapped, ["server_tool_use", "server_tool_result"]);
    assert!(cached.choices[0].calls.is_empty());
    let restated = read("anthropic-message-delta-input-tokens").unwrap();
    assert_eq!(restated.usage.map(|usage| (usage.input, usage.output)), Some((61, 2)));
    let bare = read("anthropic-tool-no-args").unwrap();
    assert_eq!(bare.choices[0].calls[0].arguments, "{}");
    assert_eq!(bare.choices[0].finish, Some(Finish::ToolCalls));
    let doubled = read("duplicate-message-start").unwrap();
    assert_eq!(doubled.choices[0].text, "Hello, World!");
    assert_eq!(doubled.usage.map(|usage| (usage.input, usage.output)), Some((17, 227)));
    let refused = read("anthropic-refusal").unwrap();
    assert_eq!(refused.choices[0].finish, Some(Finish::ContentFilter));
    assert!(refused.choices[0].refusal.starts_with("This request triggered restrictions"));
    let thought = read("anthropic-clear-thinking.1").unwrap();
    assert_eq!(thought.choices[0].details.len(), 1);
    assert!(thought.choices[0].details[0].contains("\"signature\":\"E"));
    assert!(thought.choices[0].details[0].contains(&thought.choices[0].reasoning));
    let schema = read("anthropic-json-output-format.1").unwrap();
    assert!(schema.choices[0].text.starts_with("{\\\"characters\\\":[{"));
}

//! 100,000 streams cut at random, in all four dialects and in every form that the standard allows: what is handed
//! on and all that the reader remembers is the same as of the stream in one piece.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use tidegate::attempt::{Flow, Reading};
use tidegate::chat::{Completion, Dialect};
use tidegate::provider::{Stamp, StreamDecoder, sse};
use tidegate::testing::Dice;

const CHUNKINGS: u64 = 100_000;
/// Chunkings of one stream.
const EACH: u64 = 40;

/// Texts as they stand in JSON, with what is hard to cut in two.
const TEXTS: [&str; 6] = ["Hi", "", "na\\u00efve", "\u{fc}\u{1f30a}", "a\\nb \\\"c\\\"", "data: x\\n\\n"];

/// The events of an answer, each with its name.
fn events(dialect: Dialect, dice: &mut Dice) -> Vec<(&'static str, String)> {
    let texts: Vec<_> = (0..=dice.below(3)).map(|_| dice.pick(&TEXTS)).collect();
    let mut all = Vec::new();
    match dialect {
        Dialect::Chat => {
            for text in texts {
                all.push(("", format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}"#)));
            }
            all.push(("", r#"{"choices":[{"index":0,"delta":{"reasoning":"Hm"}}],"id":"c"}"#.into()));
            all.push(("", r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.into()));
            all.push(("", r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#.into()));
            all.push(("", "[DONE]".into()));
        }
        Dialect::Responses => {
            for text in texts {
                let delta = format!(r#"{{"type":"response.output_text.delta","output_index":0,"delta":"{text}"}}"#);
                all.push(("response.output_text.delta", delta));
            }
            let end = r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":2}}}"#;
            all.push(("response.completed", end.into()));
        }
        Dialect::Anthropic => {
            let start = r#"{"type":"message_start","message":{"id":"a","model":"m","usage":{"input_tokens":3,"output_tokens":1}}}"#;
            all.push(("message_start", start.into()));
            let block = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
            all.push(("content_block_start", block.into()));
            for text in texts {
                let delta = format!(
                    r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
                );
                all.push(("content_block_delta", delta));
            }
            all.push(("content_block_stop", r#"{"type":"content_block_stop","index":0}"#.into()));
            let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#;
            all.push(("message_delta", end.into()));
            all.push(("message_stop", r#"{"type":"message_stop"}"#.into()));
        }
        Dialect::Google => {
            for text in texts {
                all.push(("", format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}}}}]}}"#)));
            }
            let end = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}"#;
            all.push(("", end.into()));
        }
    }
    // Now and then something is wrong: that too must not depend on the cuts.
    if dice.once_in(8) {
        let at = dice.below(all.len() as u64) as usize;
        let wrong = dice.pick(&["{\"half", "{\"error\":{\"message\":\"x\",\"code\":500}}", "[]", "null", "{}"]);
        all.insert(at, ("", wrong.into()));
    }
    if dice.once_in(8) {
        all.truncate(dice.below(all.len() as u64) as usize);
    }
    all
}

/// Writes events as the standard allows: any end of line, fields in any order, data in several lines, comments.
fn written(events: &[(&str, String)], dice: &mut Dice) -> Vec<u8> {
    let mut out = String::new();
    if dice.once_in(3) {
        out.push('\u{feff}');
    }
    for (name, data) in events {
        let end = dice.pick(&["\n", "\n", "\r\n", "\r"]);
        if dice.once_in(4) {
            out.push_str(dice.pick(&[": comment", ":", ": OPENROUTER PROCESSING"]));
            out.push_str(&end.repeat(1 + dice.below(2) as usize));
        }
        let name = if name.is_empty() { String::new() } else { format!("event: {name}{end}") };
        let other = dice.pick(&["", "", "id: 7", "retry: 100", "unheard-of"]);
        let other = if other.is_empty() { String::new() } else { format!("{other}{end}") };
        let space = dice.pick(&["data: ", "data: ", "data:"]);
        // Between two fields of an object a line may end, inside a text it may not.
        let lines = if dice.once_in(4) { data.replacen(",\"", &format!(",{end}{space}\""), 1) } else { data.clone() };
        let data = format!("{space}{lines}{end}");
        let fields = if dice.once_in(2) { [&name, &other, &data] } else { [&data, &other, &name] };
        fields.into_iter().for_each(|field| out.push_str(field));
        out.push_str(&end.repeat(1 + dice.below(2) as usize));
    }
    let mut bytes = out.into_bytes();
    if dice.once_in(10) {
        bytes.truncate(dice.below(bytes.len() as u64) as usize);
    }
    bytes
}

fn push(flow: &mut Flow, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(flow.push(bytes).of(bytes));
}

/// Cuts off a piece: mostly a few bytes, sometimes none, sometimes nearly all.
fn piece<'a>(rest: &mut &'a [u8], dice: &mut Dice) -> &'a [u8] {
    let most = dice.pick(&[2, 4, 30, 30, 200, 1_000]);
    let length = (dice.below(most) as usize).min(rest.len());
    let (piece, left) = rest.split_at(length);
    *rest = left;
    piece
}

/// Name and data of each event of a stream.
fn told(stream: &[u8]) -> Vec<(String, String)> {
    let (mut decoder, mut events) = (sse::Decoder::default(), Vec::new());
    let mut sink = |frame: sse::Frame<'_>| {
        if let Some(data) = frame.data {
            events.push((frame.name.into_owned(), data.into_owned()));
        }
    };
    decoder.push(stream, &mut sink).unwrap();
    decoder.finish(&mut sink);
    events
}

/// What a stream says, read event by event and with nothing remembered from one to the next but what must be.
fn plainly(dialect: Dialect, stream: &[u8]) -> Completion {
    let (mut decoder, mut completion) = (StreamDecoder::new(dialect, "x"), Completion::default());
    for (name, data) in told(stream) {
        // Behind a finished answer something that is no event is the end.
        if !data.is_empty() && decoder.event(&name, &data, &mut |delta| completion.push(&delta)).is_err() {
            break;
        }
    }
    completion
}

fn run(dialect: Dialect) {
    let mut dice = Dice::new(dialect as u64 + 1);
    let mut outputs = 0;
    for turn in 0..CHUNKINGS / 4 / EACH {
        let stream = written(&events(dialect, &mut dice), &mut dice);
        let caller = Dialect::ALL[(turn % 4) as usize];
        let stamp = Stamp::new(1, dice.once_in(2));
        let reading = Reading::chat(dialect, caller, "x", stamp);
        let fresh = Flow::new(&reading);
        let (mut whole, mut expected) = (fresh.clone(), Vec::new());
        push(&mut whole, &stream, &mut expected);
        expected.extend(whole.finish());
        outputs += whole.outputs();
        if whole.trouble().is_none() {
            assert_eq!(whole.completion(), Some(&plainly(dialect, &stream)), "{:?}", String::from_utf8_lossy(&stream));
        }
        if caller == dialect && stamp.include_usage && whole.trouble().is_none() {
            // Or with the blank line that its last event lacked, or without events that say nothing.
            let more = expected.strip_prefix(stream.as_slice());
            let mut said = told(&stream);
            said.retain(|(_, data)| !data.is_empty());
            let same =
                matches!(more, Some(b"" | b"\n\n")) || said.len() < told(&stream).len() && said == told(&expected);
            assert!(same, "passed on as it came: {:?}", String::from_utf8_lossy(&stream));
        }
        for _ in 0..EACH {
            let (mut cut, mut out, mut rest) = (fresh.clone(), Vec::new(), stream.as_slice());
            let before = dice;
            while !rest.is_empty() {
                push(&mut cut, piece(&mut rest, &mut dice), &mut out);
            }
            out.extend(cut.finish());
            let shown = || format!("{before:?} for {caller:?}: {:?}", String::from_utf8_lossy(&stream));
            // The line feed of a CRLF may come after its event was handed on, or taken out.
            let same = if stream.contains(&b'\r') { told(&out) == told(&expected) } else { out == expected };
            assert!(same, "{}", shown());
            assert!(cut == whole, "{}", shown());
        }
    }
    assert!(outputs > CHUNKINGS / 4 / EACH, "the streams say something");
}

#[test]
fn chat_completions() {
    run(Dialect::Chat);
}

#[test]
fn responses() {
    run(Dialect::Responses);
}

#[test]
fn messages() {
    run(Dialect::Anthropic);
}

#[test]
fn gemini() {
    run(Dialect::Google);
}

/// The same for the frames alone, of bytes that are no events at all.
#[test]
fn any_bytes() {
    const BYTES: [&[u8]; 10] =
        [b"\r", b"\n", b"\r\n", b"data:", b"event: a", b"\xef\xbb\xbf", b": c", b"\xff", b"x", b"\n\n"];
    let read = |decoder: &mut sse::Decoder, bytes: &[u8], out: &mut Vec<(String, Option<String>, Vec<u8>)>| {
        let mut sink = |frame: sse::Frame<'_>| {
            let data = frame.data.map(std::borrow::Cow::into_owned);
            out.push((frame.name.into_owned(), data, frame.bytes.to_vec()));
        };
        decoder.push(bytes, &mut sink).unwrap();
    };
    let told = |frames: &[(String, Option<String>, Vec<u8>)]| {
        let events = frames.iter().filter_map(|(name, data, _)| Some((name.clone(), data.clone()?)));
        let bytes: Vec<u8> = frames.iter().flat_map(|(.., bytes)| bytes.clone()).collect();
        (events.collect::<Vec<_>>(), bytes)
    };
    let mut dice = Dice::new(7);
    for _ in 0..20_000 {
        let stream: Vec<u8> = (0..dice.below(24)).flat_map(|_| dice.pick(&BYTES).to_vec()).collect();
        let (mut whole, mut expected) = (sse::Decoder::default(), Vec::new());
        read(&mut whole, &stream, &mut expected);
        whole.finish(&mut |frame| expected.push((frame.name.into(), frame.data.map(Into::into), frame.bytes.into())));
        let (mut cut, mut frames, mut rest) = (sse::Decoder::default(), Vec::new(), stream.as_slice());
        while !rest.is_empty() {
            read(&mut cut, piece(&mut rest, &mut dice), &mut frames);
        }
        cut.finish(&mut |frame| frames.push((frame.name.into(), frame.data.map(Into::into), frame.bytes.into())));
        assert_eq!(told(&frames), told(&expected), "{:?}", String::from_utf8_lossy(&stream));
        assert_eq!(told(&frames).1, stream);
    }
}

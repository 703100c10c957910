use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::chat::{Completion, Delta, Dialect, Finish};
use crate::detect::{Options, scan};
use crate::json::Escaped;
use crate::provider::{Stamp, StreamDecoder, StreamEncoder, encode_body};

mod waits;

/// Two keys with all that has to be escaped.
const KEYS: [&str; 2] = ["-----BEGIN \"A\"-----\nMII/\\+ü", "sk-\u{1}plain"];
const GROQ: &str = "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";

/// The marks of a request with both keys, and what they are.
fn marks() -> (Restorer, [String; 2]) {
    let mut all = Vec::new();
    let options = Options { key: Secret::new(vec![7; 32]), publishable: true };
    scan(GROQ.as_bytes(), &options, &mut |finding| all.push(finding));
    let mut restorer = Restorer::default();
    let names = KEYS.map(|key| restorer.mark(&all[0], key));
    (restorer, names)
}

fn restoring(restore: Restore) -> (Box<Restoring>, [String; 2]) {
    let (restorer, names) = marks();
    (Restoring::new(restorer, restore).unwrap(), names)
}

/// A stream of `dialect`: `text` and the arguments of a call, each in pieces.
fn stream(dialect: Dialect, text: &[String], arguments: &[String]) -> String {
    let mut encoder = StreamEncoder::new(dialect, Stamp::new(0, true));
    let mut out = String::new();
    let mut push = |delta: &Delta<'_>| encoder.push(delta, &mut out);
    push(&Delta::Start { id: Escaped::from_text("a1"), model: Escaped::from_text("m") });
    for piece in text {
        push(&Delta::Text { choice: 0, text: Escaped::from_text(piece) });
    }
    if !arguments.is_empty() {
        let (id, name) = (Escaped::from_text("c1"), Escaped::from_text("f"));
        push(&Delta::ToolCall { choice: 0, index: 0, id, name, extra: None });
    }
    for piece in arguments {
        push(&Delta::ToolArguments { choice: 0, index: 0, json: Escaped::from_text(piece) });
    }
    push(&Delta::Finish { choice: 0, reason: Finish::Stop });
    push(&Delta::Usage { usage: crate::chat::Usage::default(), cost: None });
    push(&Delta::End);
    out
}

/// What a client makes of it: the text, and the arguments of the call.
fn read(dialect: Dialect, stream: &[u8]) -> (String, String) {
    let (mut decoder, mut completion) = (StreamDecoder::new(dialect, ""), Completion::default());
    let mut frames = Decoder::default();
    let mut sink = |frame: Frame<'_>| {
        let data = frame.data.unwrap_or_default();
        if !data.is_empty() {
            decoder.event(&frame.name, &data, &mut |delta| completion.push(&delta)).unwrap();
        }
    };
    frames.push(stream, &mut sink).unwrap();
    frames.finish(&mut sink);
    assert!(decoder.is_finished());
    let plain = |text: &str| Escaped::trusted(text).text().unwrap().into_owned();
    let choice = &completion.choices[0];
    (plain(&choice.text), choice.calls.first().map(|call| plain(&call.arguments)).unwrap_or_default())
}

fn cut(text: &str, sizes: &[usize]) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut rest, mut sizes, mut out) = (chars.as_slice(), sizes.iter().cycle(), Vec::new());
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap_or(&7)).clamp(1, rest.len());
        out.push(rest[..size].iter().collect());
        rest = &rest[size..];
    }
    out
}

fn through(restoring: &mut Restoring, bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (mut out, mut rest, mut sizes) = (Vec::new(), bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((*sizes.next().unwrap_or(&9)).clamp(1, rest.len()));
        out.extend(restoring.push(piece));
        rest = after;
    }
    out.extend(restoring.finish());
    out
}

/// Marks, and what looks like them, in any order.
fn text() -> impl Strategy<Value = String> {
    let [one, two] = marks().1;
    let begun = one.split_at(20).0.to_owned();
    let parts = prop_oneof![
        Just(one.clone()),
        Just(two),
        Just(begun),
        Just(one.replace(']', " ]")),
        Just("[".to_owned()),
        Just("[[REDACTED:".to_owned()),
        "[a-zé\"\\\\\n\\[\\]]{0,6}",
    ];
    vec(parts, 0..8).prop_map(|parts| parts.concat())
}

fn restored(text: &str, escaped: bool) -> String {
    let names = marks().1;
    names.iter().zip(KEYS).fold(text.to_owned(), |text, (name, key)| {
        let mut inside = String::new();
        push_escaped(&mut inside, key);
        text.replace(name.as_str(), if escaped { &inside } else { key })
    })
}

proptest! {
    #[test]
    fn any_pieces_give_the_same_text(
        said in text(),
        argued in text(),
        sizes in vec(1usize..30, 1..6),
        bytes in vec(1usize..300, 1..6),
        which in 0usize..4,
    ) {
        let dialect = Dialect::ALL[which];
        // What a tool is called with is one JSON document.
        let mut inside = String::from("{\"a\":\"");
        push_escaped(&mut inside, &argued);
        inside.push_str("\"}");
        let came = stream(dialect, &cut(&said, &sizes), &cut(&inside, &sizes));
        // White space before a call is no text there.
        let said = if dialect == Dialect::Anthropic && said.trim().is_empty() { String::new() } else { said };
        let (mut both, _) = restoring(Restore::All);
        let out = through(&mut both, came.as_bytes(), &bytes);
        prop_assert_eq!(read(dialect, &out), (restored(&said, false), restored(&inside, true)));
        // Into texts only.
        let (mut own, _) = restoring(Restore::Text);
        let out = through(&mut own, came.as_bytes(), &bytes);
        prop_assert_eq!(read(dialect, &out), (restored(&said, false), inside));
    }

    #[test]
    fn what_has_no_mark_keeps_its_bytes(said in "(\\[(RED)?|[a-z\"\n]){0,12}", sizes in vec(1usize..9, 1..4), which in 0usize..4) {
        let came = stream(Dialect::ALL[which], &cut(&said, &sizes), &[]);
        let (mut restoring, _) = restoring(Restore::All);
        let out = through(&mut restoring, came.as_bytes(), &sizes);
        prop_assert_eq!(String::from_utf8(out).unwrap(), came);
    }

    #[test]
    fn noise_is_no_panic(noise in "\\PC*", bytes in vec(any::<u8>(), 0..200)) {
        let (mut own, [mark, _]) = restoring(Restore::All);
        let noisy = [noise.as_str(), mark.as_str(), "\"}\n\n"].concat();
        through(&mut own, noisy.as_bytes(), &[3]);
        through(&mut own, &bytes, &[3]);
        own.whole(&noise, false);
    }
}

#[test]
fn whole_answers_of_every_dialect_get_the_keys_back() {
    for dialect in Dialect::ALL {
        let (mut own, [one, two]) = restoring(Restore::All);
        let mut completion = Completion::default();
        let said = ["Use ", &one, " and ", &two, "."].concat();
        let argued = ["{\"key\":\"", &two, "\"}"].concat();
        completion.push(&Delta::Text { choice: 0, text: Escaped::from_text(&said) });
        let (id, name) = (Escaped::from_text("c"), Escaped::from_text("f"));
        completion.push(&Delta::ToolCall { choice: 0, index: 0, id, name, extra: None });
        completion.push(&Delta::ToolArguments { choice: 0, index: 0, json: Escaped::from_text(&argued) });
        completion.push(&Delta::Finish { choice: 0, reason: Finish::ToolCalls });
        let body = encode_body(dialect, &completion, &Stamp::new(0, false));
        let out = own.whole(&body, false);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(!out.contains("[REDACTED"), "{out}");
        let text = value.to_string();
        // Where the arguments are a text in the answer their key is escaped once more.
        assert!(text.contains("plain"), "{text}");
        let mut again = Completion::default();
        crate::provider::decode_body(dialect, "", &out, &mut |delta| again.push(&delta)).unwrap();
        let plain = |text: &str| Escaped::trusted(text).text().unwrap().into_owned();
        assert_eq!(plain(&again.choices[0].text), ["Use ", KEYS[0], " and ", KEYS[1], "."].concat());
        let arguments: serde_json::Value = serde_json::from_str(&plain(&again.choices[0].calls[0].arguments)).unwrap();
        assert_eq!(arguments["key"], KEYS[1]);
    }
}

#[test]
fn an_event_waits_only_as_long_as_it_may_be_a_mark() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    let event = |text: &str| {
        let mut out = String::from("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":");
        crate::json::push_text(&mut out, text);
        out.push_str("}}]}\n\n");
        out
    };
    let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
    assert_eq!(own.push(event("ok [").as_bytes()), b"");
    assert_eq!(own.push(event("no").as_bytes()), [event("ok ["), event("no")].concat().as_bytes());
    let (left, right) = mark.split_at(9);
    assert_eq!(own.push(event(left).as_bytes()), b"");
    assert_eq!(own.push(usage.as_bytes()), b"", "order is kept");
    let out = String::from_utf8(own.push(event(right).as_bytes())).unwrap();
    assert!(out.contains(usage) && out.contains("BEGIN"), "{out}");
    assert_eq!(own.push(event(left).as_bytes()), b"");
    assert_eq!(own.push(b"data: [DONE]\n\n"), [&event(left), "data: [DONE]\n\n"].concat().as_bytes());
    // A provider that says the beginning of a mark and then anything but its rest holds up nothing for long.
    own.push(event(left).as_bytes());
    let many = event("x").replace("\"index\":0", "\"index\":1").repeat(MOST_HELD);
    let out = own.push(many.as_bytes());
    assert!(out.len() > many.len() / 2, "{}", out.len());
}

#[test]
fn reasoning_links_and_other_marks_are_left_alone() {
    let (mut own, [mark, _]) = restoring(Restore::All);
    let other = mark.replace("groq:", "groq:0");
    for body in [
        format!(
            r#"{{"choices":[{{"message":{{"content":"{other}","reasoning":"{mark}","annotations":[{{"url":"{mark}","content":"{mark}"}}]}}}}]}}"#
        ),
        format!(
            r#"{{"content":[{{"type":"thinking","thinking":"{mark}","signature":"s"}},{{"type":"text","text":"","citations":[{{"text":"{mark}"}}]}}]}}"#
        ),
        format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{mark}","thought":true}}]}}}}]}}"#),
        format!(r#"{{"output":[{{"type":"reasoning","summary":[{{"type":"summary_text","text":"{mark}"}}]}}]}}"#),
    ] {
        assert_eq!(own.whole(&body, false), body);
    }
}

#[test]
fn what_a_tool_is_called_with_is_no_reasoning_whatever_it_says() {
    let (mut own, [mark, _]) = restoring(Restore::All);
    let call = |kind: &str, key: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"f","args":{{"type":"{kind}","thought":true,"key":{key}}}}}}}]}}}}]}}"#
        )
    };
    let mut inside = String::new();
    crate::json::push_text(&mut inside, KEYS[0]);
    for kind in ["thinking", "reasoning", "text"] {
        assert_eq!(own.whole(&call(kind, &format!("\"{mark}\"")), false), call(kind, &inside));
    }
}

#[test]
fn what_custom_tools_are_given_is_a_calls_and_refusals_are_texts() {
    let event = |kind: &str, text: &str| {
        let mut out = format!("data: {{\"type\":\"response.{kind}.delta\",\"item_id\":\"i\",\"delta\":");
        crate::json::push_text(&mut out, text);
        out + "}\n\n"
    };
    for (kind, text) in [("custom_tool_call_input", false), ("refusal", true), ("output_text", true)] {
        for restore in [Restore::All, Restore::Text] {
            let (mut own, [mark, _]) = restoring(restore);
            let out = through(&mut own, event(kind, &mark).as_bytes(), &[11]);
            let back = text || restore == Restore::All;
            assert_eq!(String::from_utf8(out).unwrap(), event(kind, if back { KEYS[0] } else { &mark }), "{kind}");
        }
    }
}

/// One event with a piece of some answers, as chat completions or Gemini write it. `ends`: the answer is at its end.
fn several(google: bool, pieces: &[(usize, &str, bool)]) -> String {
    let choices = pieces.iter().map(|(index, text, ends)| {
        let mut quoted = String::new();
        crate::json::push_text(&mut quoted, text);
        match (google, *ends) {
            (true, false) => format!(r#"{{"content":{{"parts":[{{"text":{quoted}}}]}},"index":{index}}}"#),
            (true, true) => {
                format!(r#"{{"content":{{"parts":[{{"text":{quoted}}}]}},"finishReason":"STOP","index":{index}}}"#)
            }
            (false, false) => format!(r#"{{"index":{index},"delta":{{"content":{quoted}}}}}"#),
            (false, true) => {
                format!(r#"{{"index":{index},"delta":{{"content":{quoted}}},"finish_reason":"stop"}}"#)
            }
        }
    });
    let all = choices.collect::<Vec<_>>().join(",");
    format!("data: {{\"{}\":[{all}]}}\n\n", if google { "candidates" } else { "choices" })
}

/// The text of each answer, as a client puts it together.
fn answers(google: bool, stream: &[u8]) -> [String; 3] {
    let mut out = [const { String::new() }; 3];
    for data in str::from_utf8(stream).unwrap().split("\n\n").filter_map(|event| event.strip_prefix("data: ")) {
        let event: serde_json::Value = serde_json::from_str(data).unwrap();
        for choice in event[if google { "candidates" } else { "choices" }].as_array().unwrap() {
            let text = if google { &choice["content"]["parts"][0]["text"] } else { &choice["delta"]["content"] };
            out[usize::try_from(choice["index"].as_u64().unwrap()).unwrap()].push_str(text.as_str().unwrap());
        }
    }
    out
}

proptest! {
    /// Each answer's marks are in pieces, the pieces of several answers come in any order, some in one event, and one
    /// answer ends while others go on.
    #[test]
    fn several_answers_that_come_in_turns_get_their_keys_back(
        said in [text(), text(), text()],
        sizes in vec(1usize..30, 1..6),
        turns in vec((0usize..3, any::<bool>()), 1..12),
        bytes in vec(1usize..300, 1..6),
        google: bool,
    ) {
        let mut left = said.each_ref().map(|said| VecDeque::from(cut(said, &sizes)));
        let (mut came, mut turns) = (String::new(), turns.iter().cycle());
        while left.iter().any(|left| !left.is_empty()) {
            let (first, both) = turns.next().unwrap();
            let mut now = Vec::new();
            for index in [*first, (*first).wrapping_add(1) % 3, (*first).wrapping_add(2) % 3] {
                if now.len() <= usize::from(*both) && let Some(piece) = left[index].pop_front() {
                    now.push((index, piece, left[index].is_empty()));
                }
            }
            let now: Vec<_> = now.iter().map(|(index, piece, ends)| (*index, piece.as_str(), *ends)).collect();
            came.push_str(&several(google, &now));
        }
        let (mut own, _) = restoring(Restore::Text);
        let out = through(&mut own, came.as_bytes(), &bytes);
        prop_assert_eq!(answers(google, &out), said.each_ref().map(|said| restored(said, false)));
    }
}

#[test]
fn two_answers_that_end_at_once_end_no_third() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    let (left, right) = mark.split_at(9);
    for event in [
        several(false, &[(0, left, false)]),
        several(false, &[(1, "b", true), (2, "c", true)]),
        several(false, &[(0, right, true)]),
    ] {
        let out = own.push(event.as_bytes());
        assert_eq!(out.is_empty(), !event.contains(right), "{}", String::from_utf8_lossy(&out));
        if !out.is_empty() {
            assert_eq!(answers(false, &out), [KEYS[0], "b", "c"].map(str::to_owned));
        }
    }
}

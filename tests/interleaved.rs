//! Pieces of an answer in any order in which providers send them, written as a stream of each dialect and read again: nothing
//! may be missing, and nothing may be anywhere else.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use tidegate::chat::{Completion, Delta, Dialect, Finish, Usage};
use tidegate::json::Escaped;
use tidegate::provider::{Stamp, StreamDecoder, StreamEncoder, sse};

#[derive(Clone, Copy, Debug)]
enum Step {
    Text,
    Reasoning,
    /// A call begins.
    Call,
    /// A piece of the arguments of one of the calls that have begun.
    Arguments(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Text),
        2 => Just(Step::Reasoning),
        2 => Just(Step::Call),
        6 => (0..4u32).prop_map(Step::Arguments),
    ];
    proptest::collection::vec(step, 0..24)
}

/// The pieces that the steps stand for; arguments of each call are one object, however often they are added to.
fn pieces(steps: &[Step], sink: &mut dyn FnMut(Delta<'_>)) {
    let stamp = |text: &str, sink: &mut dyn FnMut(Delta<'_>), is_text: bool| {
        let text = Escaped::trusted(text);
        sink(if is_text { Delta::Text { choice: 0, text } } else { Delta::Reasoning { choice: 0, text } });
    };
    sink(Delta::Start { id: Escaped::trusted("id"), model: Escaped::trusted("m") });
    let mut calls: Vec<u32> = Vec::new();
    let arguments = |index: u32, json: &str, sink: &mut dyn FnMut(Delta<'_>)| {
        sink(Delta::ToolArguments { choice: 0, index, json: Escaped::trusted(json) });
    };
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Text => stamp(&format!("t{at} "), sink, true),
            Step::Reasoning => stamp(&format!("r{at} "), sink, false),
            Step::Call => {
                let index = u32::try_from(calls.len()).unwrap();
                let (id, name) = (format!("c{index}"), format!("f{index}"));
                let (id, name) = (Escaped::trusted(&id), Escaped::trusted(&name));
                sink(Delta::ToolCall { choice: 0, index, id, name, extra: None });
                calls.push(0);
            }
            Step::Arguments(index) => {
                if let Some(count) = calls.get_mut(*index as usize) {
                    let before = if *count == 0 { "{" } else { "," };
                    arguments(*index, &format!("{before}\\\"a{at}\\\":{at}"), sink);
                    *count = count.saturating_add(1);
                }
            }
        }
    }
    for (index, count) in (0u32..).zip(&calls) {
        arguments(index, if *count == 0 { "{}" } else { "}" }, sink);
    }
    let reason = if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
    sink(Delta::Finish { choice: 0, reason });
    sink(Delta::Usage { usage: Usage { input: 9, output: 5, ..Usage::default() }, cost: None });
    sink(Delta::End);
}

fn through(dialect: Dialect, steps: &[Step]) -> Completion {
    let stamp = Stamp::new(5, true);
    let (mut encoder, mut out) = (StreamEncoder::new(dialect, stamp), String::new());
    pieces(steps, &mut |delta| encoder.push(&delta, &mut out));
    let (mut decoder, mut completion) = (StreamDecoder::new(dialect, "x"), Completion::default());
    let mut frames = sse::Decoder::default();
    let mut read = |frame: sse::Frame<'_>| {
        if let Some(data) = &frame.data {
            decoder.event(&frame.name, data, &mut |delta| completion.push(&delta)).unwrap();
        }
    };
    frames.push(out.as_bytes(), &mut read).unwrap();
    assert!(decoder.is_finished(), "{out}");
    completion
}

proptest! {
    #[test]
    fn every_dialect_says_what_the_pieces_say(steps in steps()) {
        let mut said = Completion::default();
        pieces(&steps, &mut |delta| said.push(&delta));
        for dialect in Dialect::ALL {
            let own = through(dialect, &steps);
            let (one, other) = (&said.choices[0], &own.choices[0]);
            prop_assert_eq!(&one.text, &other.text, "{:?}", dialect);
            // In Responses each stretch of reasoning is a paragraph.
            prop_assert_eq!(&one.reasoning, &other.reasoning.replace("\\n\\n", ""), "{:?}", dialect);
            let calls = |choice: &tidegate::chat::Choice| {
                choice.calls.iter().map(|call| (call.id.clone(), call.name.clone(), call.arguments.clone())).collect::<Vec<_>>()
            };
            prop_assert_eq!(calls(one), calls(other), "{:?}", dialect);
            prop_assert_eq!(one.finish, other.finish, "{:?}", dialect);
            prop_assert_eq!(said.usage, own.usage, "{:?}", dialect);
        }
    }
}

//! Streams of every dialect, handed on to callers of every dialect. The first byte says from which and to which,
//! and the second where the stream is cut. What is handed on does not depend on the cut, and is a stream of events
//! that the caller's own dialect reads.
#![no_main]

mod pair;

use libfuzzer_sys::fuzz_target;
use pair::{Pair, STAMP};
use tidegate::attempt::{Flow, Reading};
use tidegate::chat::{Choice, Completion, Delta, Dialect, Finish};
use tidegate::provider::sse::{Decoder, Frame};
use tidegate::provider::{Stamp, StreamDecoder};

fn push(flow: &mut Flow, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(flow.push(bytes).of(bytes));
}

/// What a stream says, read event by event.
fn plainly(dialect: Dialect, stream: &[u8]) -> Completion {
    let (mut decoder, mut completion) = (StreamDecoder::new(dialect, "groq"), Completion::default());
    let (mut ended, mut broken) = (false, false);
    let mut sink = |frame: Frame<'_>| {
        let Some(data) = frame.data.as_deref().filter(|data| !data.is_empty() && !broken) else { return };
        // Behind the end only what the answer cost counts.
        let over = ended && (decoder.is_finished() || decoder.is_refused());
        let read = decoder.event(&frame.name, data, &mut |delta| {
            ended |= matches!(delta, Delta::End);
            if !over || matches!(delta, Delta::Usage { .. }) {
                completion.push(&delta);
            }
        });
        // Between a finished answer and its end something that is no event is the end.
        broken = read.is_err() && !over;
    };
    let mut frames = Decoder::default();
    frames.push(stream, &mut sink).expect("an input is shorter than a frame may be");
    frames.finish(&mut sink);
    completion
}

/// The text of the first answer, and how many tools it calls.
fn said(completion: &Completion) -> Option<(String, usize)> {
    let choice = completion.choices.first()?;
    Some(([&*choice.text, &*choice.refusal].concat(), choice.calls.len()))
}

/// Not one that broke off, where half a call may be missing, nor one that calls nothing by its name.
fn is_usual(choice: &Choice) -> bool {
    matches!(choice.finish, Some(Finish::Stop | Finish::ToolCalls))
        && choice.calls.iter().all(|call| !call.name.is_empty())
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (Pair { from, to, flag }, cut, stream) = (Pair::of(input.0), usize::from(input.1), input.2);
    let stamp = Stamp { include_usage: flag, ..STAMP };
    let reading = Reading { model: "m", ..Reading::chat(from, to, "groq", stamp) };
    let (mut whole, mut halves) = (Flow::new(&reading), Flow::new(&reading));
    let (mut out, mut parts) = (Vec::new(), Vec::new());
    push(&mut whole, stream, &mut out);
    let (left, right) = stream.split_at(cut.min(stream.len()));
    push(&mut halves, left, &mut parts);
    push(&mut halves, right, &mut parts);
    out.extend(whole.finish());
    parts.extend(halves.finish());
    assert!(whole == halves);
    if whole.trouble().is_none() {
        assert_eq!(whole.completion(), Some(&plainly(from, stream)));
    }
    if from == to {
        return;
    }
    assert_eq!(out, parts);
    let (mut decoder, mut again) = (StreamDecoder::new(to, "groq"), Completion::default());
    let mut sink = |frame: Frame<'_>| {
        let Some(data) = &frame.data else { return };
        assert!(decoder.event(&frame.name, data, &mut |delta| again.push(&delta)).is_ok(), "{data}");
    };
    let mut frames = Decoder::default();
    frames.push(&out, &mut sink).expect("an input is shorter than a frame may be");
    frames.finish(&mut sink);
    assert!(!whole.is_finished() || decoder.is_finished(), "{}", String::from_utf8_lossy(&out));
    if let (None, true, Some(kept)) = (whole.trouble(), whole.is_finished(), whole.completion())
        && kept.choices.iter().all(is_usual)
        && again.choices.iter().all(is_usual)
    {
        assert_eq!(said(&again), said(kept), "{}", String::from_utf8_lossy(&out));
    }
});

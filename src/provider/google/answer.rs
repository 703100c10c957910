//! Whole answers.

use super::reader::Reader;
use super::{signature, writer};
use crate::chat::{Choice, Completion, Delta};
use crate::json;
use crate::provider::Stamp;

/// Reads a 2xx answer piece by piece; `None` if it is none of this dialect.
pub(in crate::provider) fn decode_body(body: &str, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
    let mut reader = Reader::default();
    reader.response(&json::fields(body).ok()?, sink)?;
    // Without a finish reason a candidate has not come to its end (ai.google.dev/api/generate-content#Candidate).
    if !reader.is_finished() {
        return None;
    }
    sink(Delta::End);
    Some(())
}

/// Writes a whole answer.
pub(in crate::provider) fn encode_body(completion: &Completion, _stamp: &Stamp) -> String {
    let mut out = String::with_capacity(512);
    out.push_str("{\"candidates\":[");
    for (index, choice) in (0u32..).zip(&completion.choices) {
        let (parts, malformed) = parts(choice);
        writer::candidate(&mut out, index, &parts, Some(writer::reason(choice.finish, malformed)));
    }
    out.push(']');
    writer::tail(&mut out, completion.usage.as_ref(), &completion.model, &completion.id);
    out
}

/// The parts of one answer, and whether a call had to be left out. A refusal is a text here.
fn parts(choice: &Choice) -> (String, bool) {
    let (mut out, mut malformed) = (String::new(), false);
    for (inner, thought) in [(&choice.reasoning, true), (&choice.text, false), (&choice.refusal, false)] {
        if !inner.is_empty() {
            writer::text(&mut out, inner, thought);
        }
    }
    for item in &choice.details {
        signature::push_any(&mut out, item);
    }
    for (index, call) in choice.calls.iter().enumerate() {
        match writer::arguments(&call.arguments) {
            Some(args) => writer::call(&mut out, call, &args, index == 0),
            None => malformed = true,
        }
    }
    (out, malformed)
}

#[cfg(test)]
mod tests;

//! Whole answers.

use super::read::{self, Reader};
use super::stream::StreamEncoder;
use crate::chat::{Completion, Delta};
use crate::json;
use crate::provider::Stamp;

/// Reads a 2xx answer piece by piece; `None` if it is none of this dialect, has failed, or is not there yet
/// (`queued`, `in_progress`: a background response).
pub(in crate::provider) fn decode_body(provider: &str, body: &str, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
    let fields = json::fields(body).ok()?;
    let output = json::items(fields.field("output")?.get()).ok()?;
    let done = match fields.field("status") {
        Some(status) => matches!(json::text(status).as_deref(), Some("completed" | "incomplete")),
        None => true,
    };
    if !done || fields.field("error").is_some_and(|raw| raw.get() != "null") {
        return None;
    }
    read::start(&fields, sink);
    let mut reader = Reader::new(provider);
    for (index, item) in (0u64..).zip(output) {
        reader.item(index, item, true, sink).ok()?;
    }
    reader.conclude(&fields, false, sink);
    sink(Delta::End);
    Some(())
}

/// Writes a whole answer. There is one answer to a request in this dialect: the first.
pub(in crate::provider) fn encode_body(completion: &Completion, stamp: &Stamp) -> String {
    StreamEncoder::new(*stamp).body(completion)
}

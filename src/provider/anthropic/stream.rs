//! Streams.

mod encode;

pub use encode::StreamEncoder;

use super::answer::start;
use super::blocks::{Blocks, finish};
use super::usage::{Tokens, tell_usage};
use crate::chat::Delta;
use crate::json::{self, Escaped, Fields};
use crate::provider::Malformed;

/// Reads a stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamDecoder {
    /// The message's id, escaped, once it began.
    id: Option<String>,
    blocks: Blocks,
    tokens: Tokens,
    /// Whether a stop reason came, and whether the terminal event did.
    stopped: bool,
    ended: bool,
}

impl StreamDecoder {
    pub(in crate::provider) fn event(
        &mut self,
        name: &str,
        data: &str,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        // Some proxies end every stream as OpenAI does.
        if self.ended || data.trim() == "[DONE]" {
            return Ok(());
        }
        let fields = json::fields(data).map_err(|_| Malformed)?;
        self.read(name, data, &fields, sink).ok_or(Malformed)
    }

    fn read(&mut self, name: &str, data: &str, fields: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
        let kind = fields.field("type").and_then(json::text);
        let group = |name: &str| json::fields(fields.field(name)?.get()).ok();
        let index = fields.field("index").and_then(json::uint);
        match kind.as_deref().unwrap_or(name) {
            "message_start" => return self.begin(&group("message")?, sink),
            "content_block_start" => return self.blocks.start(index?, &group("content_block")?, sink),
            "content_block_delta" => return self.blocks.delta(index?, &group("delta")?, sink),
            "content_block_stop" => self.blocks.stop(index?, sink),
            "message_delta" => {
                self.blocks.stop_all(sink);
                // A later one may repeat the reason beside newer counts.
                let delta = group("delta")?;
                self.stopped = self.stopped || finish(&delta, sink);
                self.usage(fields, sink);
            }
            "message_stop" => {
                self.blocks.stop_all(sink);
                self.ended = true;
                sink(Delta::End);
            }
            "error" => {
                let wrapped = fields.field("error").is_some_and(|raw| raw.get() != "null");
                let body = if wrapped { data.into() } else { ["{\"error\":", data, "}"].concat().into() };
                sink(Delta::Failed { body });
            }
            // Pings, and events that the API may add at any time.
            _ => {}
        }
        Some(())
    }

    /// Proxies repeat the beginning at times: once is enough. One with another id is a second answer in the
    /// same stream, made by a proxy that lost the first one in the middle: no answer at all.
    fn begin(&mut self, message: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
        let id = message.field("id").and_then(Escaped::of).unwrap_or_default();
        match &self.id {
            Some(known) if known != id.get() => return None,
            Some(_) => {}
            None => {
                self.id = Some(id.get().into());
                start(message, sink);
            }
        }
        self.usage(message, sink);
        Some(())
    }

    fn usage(&mut self, of: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        tell_usage(&mut self.tokens, of, sink);
    }

    /// The terminal event is not optional, nor is a reason.
    pub(in crate::provider) const fn is_finished(&self) -> bool {
        self.ended && self.stopped
    }
}

#[cfg(test)]
mod tests;

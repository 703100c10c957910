//! Behind the cache: the keys of a request put back into its answer, in place of the marks that were sent.
//!
//! What passes here is written in the caller's dialect already, so one walk over JSON serves all dialects, whole answers
//! and streams, what a provider wrote and what was translated. A request's own marks are the only ones that count: no
//! answer can ask for a key of another request.
//!
//! A mark may come in pieces. Then the events that carry them wait, and all behind them, until it is whole, or is none:
//! the first piece becomes the key, the others become empty, and everything else keeps its bytes.

mod pieces;

use std::collections::VecDeque;
use std::ops::Range;

use crate::config::Restore;
use crate::detect::{At, Restorer};
use crate::json::push_escaped;
use crate::provider::sse::{Decoder, Frame};
use crate::secret::Secret;
use pieces::{Ends, Piece, pieces};

/// Most events that wait for the rest of a mark, and most bytes of them. A mark in single characters is under 100.
const MOST_HELD: usize = 256;
const MOST_WEIGHT: usize = 1 << 20;
/// Most texts at once that wait for the rest of a mark; the marks of more than that stay. Each piece is looked for among
/// them, and a provider may put a hundred thousand into one event.
const MOST_OPEN: usize = 256;

/// Puts the keys of one request back.
pub(super) struct Restoring {
    marks: Restorer,
    /// Whether tool calls get them too.
    all: bool,
    frames: Decoder,
    /// Events that wait, the first of them being number `first`.
    held: VecDeque<Held>,
    first: usize,
    weight: usize,
    open: Vec<Open>,
}

/// An event, and what is to be changed in its data.
struct Held {
    bytes: Vec<u8>,
    name: String,
    data: String,
    edits: Vec<(Range<usize>, String)>,
}

/// A text that goes on from event to event, and ended with what may become a mark.
struct Open {
    lane: u64,
    path: u64,
    /// What may become one.
    text: String,
    /// Where it stands: events by number, and places in their data.
    parts: Vec<(usize, Range<usize>)>,
}

impl Restoring {
    /// For the marks of one request; `None` if there is nothing to be put back.
    pub(super) fn new(marks: Restorer, restore: Restore) -> Option<Box<Self>> {
        if marks.is_empty() || restore == Restore::Off {
            return None;
        }
        let (frames, held, open) = (Decoder::default(), VecDeque::new(), Vec::new());
        Some(Box::new(Self { marks, all: restore == Restore::All, frames, held, first: 0, weight: 0, open }))
    }

    /// A whole answer: JSON, or a stream of events.
    #[inline(never)]
    pub(super) fn whole(&mut self, body: &str, events: bool) -> String {
        if events {
            let mut out = self.push(body.as_bytes());
            out.extend(self.finish());
            return String::from_utf8(out).unwrap_or_default();
        }
        self.take(Held { bytes: Vec::new(), name: String::new(), data: body.into(), edits: Vec::new() });
        self.open.clear();
        let mut out = String::new();
        for mut held in self.held.drain(..) {
            held.write(&mut out);
        }
        out
    }

    /// Takes bytes of a stream, and gives what can be handed out by now.
    #[inline(never)]
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (mut frames, mut out) = (std::mem::take(&mut self.frames), Vec::new());
        // What comes here was cut into frames before, under the same limit.
        let _ = frames.push(bytes, &mut |frame| self.frame(&frame, &mut out));
        self.frames = frames;
        out
    }

    /// The stream is at its end: gives what still waits.
    #[inline(never)]
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let (mut frames, mut out) = (std::mem::take(&mut self.frames), Vec::new());
        frames.finish(&mut |frame| self.frame(&frame, &mut out));
        self.open.clear();
        self.release(&mut out);
        out
    }

    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        let data = frame.data.as_deref().unwrap_or_default();
        self.weight = self.weight.saturating_add(frame.bytes.len());
        self.take(Held {
            bytes: frame.bytes.into(),
            name: frame.name.as_ref().into(),
            data: data.into(),
            edits: Vec::new(),
        });
        if self.held.len() > MOST_HELD || self.weight > MOST_WEIGHT {
            self.open.clear();
        }
        self.release(out);
    }

    /// Takes an event in, looks for marks that it ends or holds, and closes the texts that it says are at their end.
    fn take(&mut self, held: Held) {
        let number = self.first.saturating_add(self.held.len());
        let data = held.data.clone();
        self.held.push_back(held);
        let all = self.all;
        if data.is_empty() {
            return;
        }
        let Ends { all, lanes } = pieces(&data, all, &mut |piece| self.piece(number, &piece));
        self.open.retain(|open| !all && !lanes.contains(&open.lane));
    }

    fn piece(&mut self, number: usize, piece: &Piece<'_>) {
        if piece.text.is_empty() {
            return;
        }
        let known = self.open.iter().position(|open| (open.lane, open.path) == (piece.lane, piece.path));
        let mut open = match known.filter(|_| piece.goes_on) {
            Some(known) => self.open.swap_remove(known),
            None => Open { lane: piece.lane, path: piece.path, text: String::new(), parts: Vec::new() },
        };
        open.text.push_str(piece.text);
        open.parts.push((number, piece.start..piece.start.saturating_add(piece.text.len())));
        let mut at = 0usize;
        loop {
            let rest = open.text.get(at..).unwrap_or_default();
            let Some(next) = rest.find('[') else { return };
            at = at.saturating_add(next);
            let (length, key) = match self.marks.at(rest.get(next..).unwrap_or_default()) {
                At::Mark(length, key) => (length, written(key, piece.twice)),
                At::Begun if piece.goes_on => break,
                At::Begun | At::Nothing => {
                    at = at.saturating_add(1);
                    continue;
                }
            };
            let mut key = Some(key);
            for (number, span) in open.within(at..at.saturating_add(length)) {
                if let Some(held) = number.checked_sub(self.first).and_then(|index| self.held.get_mut(index)) {
                    held.edits.push((span, key.take().unwrap_or_default()));
                }
            }
            at = at.saturating_add(length);
        }
        if self.open.len() < MOST_OPEN {
            open.parts = open.within(at..open.text.len());
            open.text.drain(..at);
            self.open.push(open);
        }
    }

    /// Hands out the events that nothing waits for any more.
    fn release(&mut self, out: &mut Vec<u8>) {
        let waiting = self.open.iter().filter_map(|open| open.parts.first()).map(|(number, _)| *number).min();
        while waiting.is_none_or(|waiting| self.first < waiting)
            && let Some(mut held) = self.held.pop_front()
        {
            self.first = self.first.saturating_add(1);
            self.weight = self.weight.saturating_sub(held.bytes.len());
            if held.edits.is_empty() {
                out.append(&mut held.bytes);
            } else {
                held.write_event(out);
            }
        }
    }
}

impl Open {
    /// Where a part of the text stands.
    fn within(&self, range: Range<usize>) -> Vec<(usize, Range<usize>)> {
        let mut begin = 0usize;
        let mut found = Vec::new();
        for (number, span) in &self.parts {
            let end = begin.saturating_add(span.len());
            let (from, to) = (range.start.max(begin), range.end.min(end));
            if from < to {
                let place = |at: usize| span.start.saturating_add(at.saturating_sub(begin));
                found.push((*number, place(from)..place(to)));
            }
            begin = end;
        }
        found
    }
}

impl Held {
    /// The data as it is now.
    fn write(&mut self, out: &mut String) {
        self.edits.sort_unstable_by_key(|(span, _)| span.start);
        let mut done = 0usize;
        for (span, key) in &self.edits {
            out.push_str(self.data.get(done..span.start).unwrap_or_default());
            out.push_str(key);
            done = span.end;
        }
        out.push_str(self.data.get(done..).unwrap_or_default());
    }

    fn write_event(&mut self, out: &mut Vec<u8>) {
        let mut data = String::with_capacity(self.data.len());
        self.write(&mut data);
        if !self.name.is_empty() {
            for piece in ["event: ", &self.name, "\n"] {
                out.extend_from_slice(piece.as_bytes());
            }
        }
        for line in data.split('\n') {
            for piece in ["data: ", line, "\n"] {
                out.extend_from_slice(piece.as_bytes());
            }
        }
        out.push(b'\n');
    }
}

/// A key as it stands in a JSON string; `twice`: in the text of a JSON document in a JSON string.
fn written(key: &Secret<String>, twice: bool) -> String {
    let (mut once, mut out) = (String::new(), String::new());
    // EXPOSE: goes back to who sent it, in the answer to the same request.
    push_escaped(&mut once, key.expose());
    if !twice {
        return once;
    }
    push_escaped(&mut out, &once);
    out
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;

//! A stream on its way through: cut into events, observed, and handed on unchanged or written anew.

use super::Reading;
use super::known::Known;
use crate::chat::{Completion, Delta};
use crate::provider::sse::{Decoder, Frame};
use crate::provider::{Answer, StreamDecoder, StreamEncoder, with_x_groq};

/// How much of an answer is kept for the cache and for an error's partial text, in bytes of its stream.
const MAX_KEPT: usize = 2 << 20;
/// The longest answer that is written anew, in the same bytes: some dialects say all of it once more at its end, so it is
/// kept until then, several times over.
const MAX_WRITTEN: usize = 8 << 20;

/// What came of some bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pushed {
    /// Hand out the same bytes.
    Same,
    /// Hand out so many of them, from the beginning.
    Part(usize),
    /// Hand out these instead; maybe none.
    Bytes(Vec<u8>),
}

impl Pushed {
    /// What to hand out of `bytes`, which were pushed.
    #[must_use]
    pub fn of<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Same => bytes,
            Self::Part(length) => bytes.get(..*length).unwrap_or(bytes),
            Self::Bytes(other) => other,
        }
    }
}

/// What is wrong with a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The provider says that it failed: a JSON object with an `error` in it.
    Failed(String),
    /// An event that is none, or one too long; or an answer that is too long to be written anew.
    Malformed,
    /// Pictures, sound or files, or calls, which cannot be written in the caller's dialect.
    Media,
}

/// One stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flow {
    frames: Decoder,
    events: Events,
    /// Whether its end was handed out.
    closed: bool,
}

/// What the events are read into.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Events {
    decoder: StreamDecoder,
    known: Known,
    /// Writes the stream anew, for a caller of another dialect.
    encoder: Option<StreamEncoder>,
    hides_usage: bool,
    /// Whether the caller reads usage where only Groq tells it, and another provider answers.
    x_groq: bool,
    /// How many answers must end.
    choices: u32,
    answer: Answer,
    kept: Option<Completion>,
    /// Bytes of the events that are kept.
    weight: usize,
    outputs: u64,
    /// How many there were when usage was last told.
    told_at: u64,
    /// Whether output came after which nothing is retried.
    committed: bool,
    reasoning_commits: bool,
    /// Whether the terminal event came.
    over: bool,
    trouble: Option<Trouble>,
    text: String,
}

impl Flow {
    /// A stream that `reading` tells how to read and how to hand on.
    #[must_use]
    pub fn new(reading: &Reading<'_>) -> Self {
        let translates = reading.caller != reading.dialect;
        Self {
            frames: Decoder::default(),
            events: Events {
                decoder: StreamDecoder::new(reading.dialect, reading.provider),
                known: Known::default(),
                encoder: translates.then(|| StreamEncoder::new(reading.caller, reading.stamp)),
                hides_usage: !translates && !reading.stamp.include_usage,
                x_groq: !translates && reading.stamp.is_groqs() && reading.provider != "groq",
                choices: reading.choices,
                answer: Answer { relayed: reading.relayed, translated: translates, ..Answer::default() },
                kept: Some(Completion::default()),
                weight: 0,
                outputs: 0,
                told_at: 0,
                committed: false,
                reasoning_commits: reading.reasoning_commits,
                over: false,
                trouble: None,
                text: String::new(),
            },
            closed: false,
        }
    }

    /// Takes bytes in. After [`trouble`](Self::trouble) nothing is handed out any more.
    pub fn push(&mut self, bytes: &[u8]) -> Pushed {
        let mut passing = Passing {
            bytes,
            passed: 0,
            out: self.frames.held().map(|held| Vec::with_capacity(held.saturating_add(bytes.len()))),
        };
        let events = &mut self.events;
        let mut rest = bytes;
        while !rest.is_empty() {
            let again = if self.frames.is_between() { events.again(rest) } else { None };
            let length = match again {
                Some(length) => {
                    passing.pass(rest.get(..length).unwrap_or_default());
                    length
                }
                None => match self.frames.step(rest, &mut |frame| events.frame(&frame, &mut passing)) {
                    Ok(length) => length,
                    Err(_) => {
                        events.trouble.get_or_insert(Trouble::Malformed);
                        break;
                    }
                },
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        if events.encoder.is_some() {
            return Pushed::Bytes(std::mem::take(&mut events.text).into_bytes());
        }
        passing.end()
    }

    /// The end of the bytes: what is still to be handed out.
    pub fn finish(&mut self) -> Vec<u8> {
        if std::mem::replace(&mut self.closed, true) {
            return Vec::new();
        }
        let mut passing = Passing { bytes: &[], passed: 0, out: Some(Vec::new()) };
        let events = &mut self.events;
        let was_finished = events.is_finished();
        let mut said = false;
        self.frames.finish(&mut |frame| {
            events.frame(&frame, &mut passing);
            said = frame.data.is_some_and(|data| !data.starts_with("[DONE]"));
        });
        if was_finished && events.trouble == Some(Trouble::Malformed) {
            // Half a frame behind a whole answer does no harm.
            events.trouble = None;
        }
        if events.encoder.is_none() {
            let mut out = passing.out.unwrap_or_default();
            // What a client reads only behind a blank line must not be lost with it.
            if said && !out.is_empty() && !out.ends_with(b"\r\r") && events.is_finished() {
                out.extend_from_slice(b"\n\n");
            }
            return out;
        }
        if events.trouble.is_none() && events.is_finished() {
            events.write(&Delta::End);
        }
        std::mem::take(&mut events.text).into_bytes()
    }

    /// Writes an error in the caller's dialect.
    pub fn encoder_mut(&mut self) -> Option<&mut StreamEncoder> {
        self.events.encoder.as_mut()
    }

    /// Whether output came after which nothing is retried.
    #[must_use]
    pub const fn has_committed(&self) -> bool {
        self.events.committed
    }

    /// Pieces of output so far.
    #[must_use]
    pub const fn outputs(&self) -> u64 {
        self.events.outputs
    }

    /// Whether the stream may end here.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.events.trouble.is_none() && self.events.is_finished()
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Trouble> {
        self.events.trouble.as_ref()
    }

    /// What the gateway knows of the answer so far.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.events.answer
    }

    /// What is known of it at its end. Usage that was told before the last output is no usage: it counts what
    /// was there by then.
    #[must_use]
    pub fn final_answer(&self) -> Answer {
        let mut answer = self.events.answer.clone();
        if self.events.told_at < self.events.outputs {
            answer.usage = None;
            answer.cost = None;
        }
        answer.doubt();
        answer
    }

    /// The answer so far, unless it is too large to keep.
    #[must_use]
    pub const fn completion(&self) -> Option<&Completion> {
        self.events.kept.as_ref()
    }
}

impl Events {
    /// Whether every answer that was asked for ended, as the dialect demands.
    fn is_finished(&self) -> bool {
        self.decoder.is_finished() && (self.answer.ended >= self.choices || self.decoder.is_refused())
    }

    /// The event that `bytes` begin with, if it is like the one before: its length.
    fn again(&mut self, bytes: &[u8]) -> Option<usize> {
        let (piece, length) = self.known.read(bytes).filter(|_| self.trouble.is_none())?;
        let weight = piece.weight();
        // `Known` has looked: the text is not empty, so it is output.
        self.outputs = self.outputs.saturating_add(1);
        self.committed |= self.reasoning_commits || !piece.is_reasoning();
        if let Some(kept) = &mut self.kept {
            kept.push(&piece);
        }
        if let Some(encoder) = &mut self.encoder {
            encoder.push(&piece, &mut self.text);
        }
        self.weigh(weight);
        Some(length)
    }

    fn frame(&mut self, frame: &Frame<'_>, passing: &mut Passing<'_>) {
        if self.trouble.is_some() {
            return passing.drop(frame.bytes);
        }
        // It came in several chunks, and is like the one before.
        if self.again(frame.bytes).is_some() {
            return passing.pass(frame.bytes);
        }
        let data = match frame.data.as_deref() {
            // A comment keeps the caller's connection alive too. A translation has none.
            None => return passing.pass(frame.bytes),
            // It says nothing, and most clients fall over it: they read it as JSON.
            Some("") => return passing.drop(frame.bytes),
            Some(data) => data,
        };
        let was_over = self.over && self.is_finished();
        let Self { decoder, known, encoder, answer, kept, outputs, told_at, committed, over, trouble, text, .. } = self;
        let reasoning_commits = self.reasoning_commits;
        let (mut pieces, mut told) = (0u32, false);
        let mut weight = 0usize;
        known.forget();
        let read = decoder.event(&frame.name, data, &mut |delta| {
            // Nothing behind the end belongs to the answer, no error either, but what it cost.
            if was_over && !matches!(delta, Delta::Usage { .. } | Delta::Dearer { .. }) {
                return;
            }
            answer.push(&delta);
            if let Some(kept) = kept {
                kept.push(&delta);
            }
            if delta.commits() {
                *outputs = outputs.saturating_add(1);
                *committed |= reasoning_commits || !delta.is_reasoning();
            }
            pieces = pieces.saturating_add(1);
            weight = weight.saturating_add(delta.weight());
            if pieces == 1 {
                known.keep(frame.bytes, &delta);
            }
            if let Delta::Usage { .. } = &delta {
                told = true;
                *told_at = *outputs;
            }
            match (&delta, encoder.as_mut()) {
                (Delta::Failed { body }, _) => *trouble = Some(Trouble::Failed(body.as_ref().into())),
                // Written at the end of the bytes: usage may come after the terminal event.
                (Delta::End, _) => *over = true,
                (_, None) => {}
                (_, Some(encoder)) => encoder.push(&delta, text),
            }
        });
        // OpenAI's clients read nothing behind this mark, no error either: before an end it is not handed on.
        let is_mark = data.starts_with("[DONE]");
        // Nothing behind the end belongs to the answer: an error there would make a failure of it, and for clients alone.
        if (read.is_err() && !was_over) || (is_mark && !self.is_finished()) {
            self.trouble.get_or_insert(Trouble::Malformed);
        } else if self.encoder.is_some() && self.answer.media {
            self.trouble.get_or_insert(Trouble::Media);
        }
        if pieces != 1 || self.trouble.is_some() || !self.known.piece().is_some_and(|piece| self.decoder.repeats(piece))
        {
            self.known.forget();
        }
        self.weigh(weight);
        if self.x_groq
            && told
            && self.trouble.is_none()
            && let Some(event) = with_x_groq(data)
        {
            return passing.put(&["data: ", &event, "\n\n"].concat());
        }
        let hidden =
            (was_over && !is_mark) || self.trouble.is_some() || (self.hides_usage && self.decoder.is_usage_only());
        if hidden { passing.drop(frame.bytes) } else { passing.pass(frame.bytes) }
    }

    fn weigh(&mut self, weight: usize) {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_KEPT {
            self.kept = None;
        }
        if self.encoder.as_ref().is_some_and(|encoder| self.weight > MAX_WRITTEN || encoder.is_full()) {
            self.trouble.get_or_insert(Trouble::Malformed);
        }
    }

    fn write(&mut self, delta: &Delta<'_>) {
        if let Some(encoder) = &mut self.encoder {
            encoder.push(delta, &mut self.text);
        }
    }
}

/// Frames handed on as they came: without a copy as long as they are the very bytes that came in.
struct Passing<'a> {
    bytes: &'a [u8],
    /// How many of `bytes` are handed on, from the beginning.
    passed: usize,
    out: Option<Vec<u8>>,
}

impl Passing<'_> {
    fn pass(&mut self, frame: &[u8]) {
        match &mut self.out {
            Some(out) => out.extend_from_slice(frame),
            None => self.passed = self.passed.saturating_add(frame.len()),
        }
    }

    fn drop(&mut self, frame: &[u8]) {
        let (bytes, passed) = (self.bytes, self.passed);
        let out = self.out.get_or_insert_with(|| bytes.get(..passed).unwrap_or_default().to_vec());
        // It came behind the carriage return that ended the frame before, which clients read only with it.
        if frame.first() == Some(&b'\n') {
            out.push(b'\n');
        }
    }

    /// Hands something else on in place of a frame.
    fn put(&mut self, other: &str) {
        self.drop(&[]);
        self.pass(other.as_bytes());
    }

    fn end(self) -> Pushed {
        match self.out {
            Some(out) => Pushed::Bytes(out),
            None if self.passed == self.bytes.len() => Pushed::Same,
            None if self.passed > 0 => Pushed::Part(self.passed),
            None => Pushed::Bytes(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests;

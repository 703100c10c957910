//! Server-sent events (WHATWG HTML, 9.2.6) out of bytes, however they are cut.
//!
//! Besides what it says, each frame keeps its bytes: a stream that is passed on unchanged costs no copy. No
//! event allocates unless its data stands in several lines or is no UTF-8.

use std::borrow::Cow;

/// The longest frame that is read, in bytes. Images inline can be megabytes; what is longer is an attack or
/// no stream of events at all.
pub const MAX_FRAME: usize = 4 << 20;

/// One frame: everything up to and with the blank line that ends it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// The bytes as they came.
    pub bytes: &'a [u8],
    /// The last `event` field; empty if there is none.
    pub name: Cow<'a, str>,
    /// The `data` lines, joined; `None` for a frame without one (comments, blank lines).
    pub data: Option<Cow<'a, str>>,
}

/// A frame is longer than [`MAX_FRAME`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// Cuts a stream into frames. Give it bytes as they come, then [`finish`](Self::finish).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decoder {
    /// The beginning of a frame whose end has not come yet.
    held: Vec<u8>,
    /// How far `held` was looked through, and where its last line begins.
    scan: Scan,
    /// Whether the stream's first bytes were looked at for a byte order mark.
    begun: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Scan {
    at: usize,
    line: usize,
    /// The last byte ended a line as a carriage return: a line feed after it belongs to it.
    after_return: bool,
}

impl Decoder {
    /// Takes bytes in and gives out the frames that they complete.
    ///
    /// # Errors
    /// [`TooLong`]; the stream cannot be read on.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(Frame<'_>)) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            let taken = self.step(bytes, sink)?;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes bytes in up to the end of the first frame that they complete, and gives it out. Returns how many it took:
    /// all, if they complete none.
    ///
    /// # Errors
    /// [`TooLong`]; the stream cannot be read on.
    pub fn step(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Frame<'_>)) -> Result<usize, TooLong> {
        let had = self.held.len();
        if had == 0
            && let Some(end) = self.scan.frame_end(bytes)
        {
            sink(self.read(bytes.get(..end).unwrap_or(bytes)));
            return Ok(end);
        }
        // If the frame ends in these bytes as most servers end frames, no more of them has to be copied.
        let blank = if had == 0 { None } else { bytes.windows(2).position(|two| two == b"\n\n") };
        let bytes = blank.and_then(|blank| bytes.get(..blank.saturating_add(2))).unwrap_or(bytes);
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        // What was held has no end of a frame in it: one can only lie in what has come now.
        let end = if had == 0 { None } else { self.scan.frame_end(&held) };
        if let Some(end) = end {
            sink(self.read(held.get(..end).unwrap_or(&held)));
            held.clear();
        }
        self.held = held;
        match end {
            Some(end) => Ok(end.saturating_sub(had)),
            None if self.held.len() > MAX_FRAME => Err(TooLong),
            None => Ok(bytes.len()),
        }
    }

    /// Whether the next byte begins a frame, whatever it is.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.held.is_empty() && !self.scan.after_return
    }

    /// The end of the stream. A last frame without its blank line counts too: some servers leave it out.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Frame<'_>)) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            sink(self.read(&held));
        }
        self.scan = Scan::default();
    }

    /// How many bytes are held whose frame is not complete; nothing for none.
    #[must_use]
    pub const fn held(&self) -> Option<usize> {
        if self.held.is_empty() { None } else { Some(self.held.len()) }
    }

    fn read<'a>(&mut self, bytes: &'a [u8]) -> Frame<'a> {
        let mut text = bytes;
        if !self.begun {
            self.begun = true;
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        let mut frame = Frame { bytes, name: Cow::Borrowed(""), data: None };
        while !text.is_empty() {
            let (line, rest) = text.split_at_checked(line_end(text).unwrap_or(text.len())).unwrap_or((text, &[]));
            text = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
            if let Some(value) = field(line, b"data") {
                let value = String::from_utf8_lossy(value);
                match &mut frame.data {
                    None => frame.data = Some(value),
                    Some(data) => {
                        let data = data.to_mut();
                        data.push('\n');
                        data.push_str(&value);
                    }
                }
            } else if let Some(value) = field(line, b"event") {
                frame.name = String::from_utf8_lossy(value);
            }
        }
        frame
    }
}

impl Scan {
    /// Where the first frame ends; if it does not, remembers how far was looked.
    fn frame_end(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            let rest = bytes.get(self.at..)?;
            if self.after_return {
                let next = rest.first()?;
                self.after_return = false;
                if *next == b'\n' {
                    self.step(1);
                    self.line = self.at;
                    continue;
                }
            }
            let Some(length) = line_end(rest) else {
                self.at = bytes.len();
                return None;
            };
            let blank = self.at == self.line && length == 0;
            self.after_return = rest.get(length) == Some(&b'\r');
            self.step(length.saturating_add(1));
            self.line = self.at;
            if blank {
                let mut end = self.at;
                if self.after_return && bytes.get(end) == Some(&b'\n') {
                    // Its line feed came with it; one that comes later is skipped then.
                    end = end.saturating_add(1);
                    self.after_return = false;
                }
                *self = Self { after_return: self.after_return, ..Self::default() };
                return Some(end);
            }
        }
    }

    const fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }
}

/// The value of a line `name: value`, if it is of this name.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name)?;
    match rest.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => rest.is_empty().then_some(rest),
    }
}

/// Where the first carriage return or line feed is. Eight bytes at a time.
fn line_end(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    // The high bit of each zero byte. Bytes after the first such may be wrong, through the borrow.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0usize;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ ONES.wrapping_mul(0x0a)) | zeros(word ^ ONES.wrapping_mul(0x0d));
        if found != 0 {
            return Some(length.saturating_add((found.trailing_zeros() / 8) as usize));
        }
        length = length.saturating_add(8);
    }
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    Some(length.saturating_add(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (String, Option<String>, Vec<u8>);

    fn read(pieces: &[&[u8]]) -> Vec<Read> {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        let mut sink = |frame: Frame<'_>| {
            let data = frame.data.map(Cow::into_owned);
            frames.push((frame.name.into_owned(), data, frame.bytes.to_vec()));
        };
        for piece in pieces {
            decoder.push(piece, &mut sink).unwrap();
        }
        decoder.finish(&mut sink);
        frames
    }

    fn events(bytes: &[u8]) -> Vec<(String, String)> {
        read(&[bytes]).into_iter().filter_map(|(name, data, _)| Some((name, data?))).collect()
    }

    fn event(name: &str, data: &str) -> (String, String) {
        (name.into(), data.into())
    }

    #[test]
    fn reads_every_form_of_the_standard() {
        assert_eq!(events(b"data: a\n\ndata:b\r\n\r\ndata: c\r\r"), [event("", "a"), event("", "b"), event("", "c")]);
        assert_eq!(events(b"\xef\xbb\xbfdata: a\n\n"), [event("", "a")]);
        assert_eq!(events(b"event: x\ndata: 1\ndata:  2\n\n"), [event("x", "1\n 2")]);
        assert_eq!(events(b"event: x\r\ndata: 1\r\ndata: 2\r\n\r\n"), [event("x", "1\n2")]);
        assert_eq!(events(b": comment\n\ndata\n\nid: 7\nretry: 1\ndata: y\n\n"), [event("", ""), event("", "y")]);
        assert_eq!(events(b"data: no blank line"), [event("", "no blank line")]);
        assert_eq!(events(b"dataset: no\ndata: \xff\n\n"), [event("", "\u{fffd}")]);
        assert_eq!(events(b""), []);
        assert_eq!(events(b"data: a\r\rdata: b\r\r"), [event("", "a"), event("", "b")]);
        assert_eq!(events(b"data: a\r\n\ndata: b\n\n"), [event("", "a"), event("", "b")]);
        assert_eq!(events(b"data: a\n\n\xef\xbb\xbfdata: b\n\n"), [event("", "a")], "a mark is one at the beginning");
    }

    #[test]
    fn a_frame_is_all_that_belongs_to_it_and_an_end_is_none() {
        let bytes = |pieces: &[&[u8]]| read(pieces).into_iter().map(|(_, _, bytes)| bytes).collect::<Vec<_>>();
        assert_eq!(bytes(&[b"data: a\r\n\r\ndata: b\n\n"]), [&b"data: a\r\n\r\n"[..], b"data: b\n\n"]);
        assert_eq!(bytes(&[b"data: a\n\n\n"]), [&b"data: a\n\n"[..], b"\n"]);
        assert_eq!(bytes(&[b"data: a\r", b"\rdata: b\n\n"]), [&b"data: a\r\r"[..], b"data: b\n\n"]);
    }

    #[test]
    fn every_cut_gives_the_same_events_and_the_same_bytes() {
        let stream = "\u{feff}: hi\r\n\r\nevent: a\r\ndata: {\"x\":\"\u{1f600}\"}\r\n\r\n\n\ndata: 1\rdata: 2\r\rdata: [DONE]\n\n";
        let whole = events(stream.as_bytes());
        for cut in 0..=stream.len() {
            let (left, right) = stream.as_bytes().split_at(cut);
            let frames = read(&[left, right]);
            let bytes: Vec<u8> = frames.iter().flat_map(|(_, _, bytes)| bytes.clone()).collect();
            assert_eq!(bytes, stream.as_bytes(), "{cut}");
            let cut_events: Vec<_> = frames.into_iter().filter_map(|(name, data, _)| Some((name, data?))).collect();
            assert_eq!(cut_events, whole, "{cut}");
        }
    }

    #[test]
    fn between_frames_is_where_no_byte_belongs_to_the_last_one() {
        for (bytes, between) in [
            ("", true),
            ("data: a\n\n", true),
            ("data: a\n", false),
            ("data: a\r\n\r\n", true),
            ("data: a\r\n\r", false),
        ] {
            let mut decoder = Decoder::default();
            decoder.push(bytes.as_bytes(), &mut |_| {}).unwrap();
            assert_eq!(decoder.is_between(), between, "{bytes:?}");
        }
    }

    #[test]
    fn a_frame_without_end_is_refused() {
        let mut decoder = Decoder::default();
        let mut pushed = 0;
        let refused = loop {
            if decoder.push(&[b'x'; 1 << 16], &mut |_| {}).is_err() {
                break true;
            }
            pushed += 1 << 16;
            if pushed > 2 * MAX_FRAME {
                break false;
            }
        };
        assert!(refused);
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(&vec![b'x'; MAX_FRAME], &mut |_| {}), Ok(()));
        assert_eq!(decoder.push(b"x", &mut |_| {}), Err(TooLong));
    }
}

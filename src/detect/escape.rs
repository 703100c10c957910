//! Text with its escapes and joints taken away: `\x67`, `\u0067`, `\u{67}`, `%67`, `%2567`, `\/`, and `"a" + "b"`.

use super::finding::Encoding;
use crate::keys::{is, run, run_before, set};

/// A part of a text in another form, with the way back.
pub(super) struct View {
    pub(super) text: Vec<u8>,
    /// Where each byte, and the end, stands in the text that it was made of.
    origin: Vec<u32>,
    pub(super) encoding: Encoding,
    /// Past the last byte that was taken.
    pub(super) end: usize,
    /// Whether it would have gone on.
    cut: bool,
}

impl View {
    pub(super) const fn of(encoding: Encoding) -> Self {
        Self { text: Vec::new(), origin: Vec::new(), encoding, end: 0, cut: false }
    }

    /// Adds a byte that stands at `at`, or is decoded from there.
    #[inline(never)]
    pub(super) fn take(&mut self, byte: u8, at: usize) {
        self.text.push(byte);
        self.origin.push(u32::try_from(at).unwrap_or(u32::MAX));
    }

    pub(super) fn ended(mut self, at: usize, cut: bool) -> Self {
        self.origin.push(u32::try_from(at).unwrap_or(u32::MAX));
        (self.end, self.cut) = (at, cut);
        self
    }

    /// Where a byte of the view stands in the text.
    #[inline(never)]
    pub(super) fn place(&self, at: u64) -> u64 {
        usize::try_from(at).ok().and_then(|at| self.origin.get(at)).map_or(0, |at| u64::from(*at))
    }

    /// Where the next view may begin: of one that was cut the last bytes are looked at again.
    pub(super) const fn resume(&self, overlap: usize) -> usize {
        if self.cut { self.end.saturating_sub(overlap) } else { self.end }
    }
}

/// Longest text that is taken at once, and how far back a word may reach that an escape stands in.
const MOST: usize = 8_192;
const BACK: usize = 1_024;

/// The word around the escape at `at`, decoded; `None` if there is nothing to decode. It begins no earlier than
/// `least`.
#[inline(never)]
pub(super) fn decoded(text: &[u8], at: usize, least: usize) -> Option<View> {
    let mut view = View::of(unit(text, at)?.encoding);
    let least = least.max(at.saturating_sub(BACK));
    // Each a shorter beginning of the text: before the word, before what parts it from its name, before the name.
    let before = |text: &[u8], sets: u32, most: usize| {
        let from = least.min(text.len());
        text.len().wrapping_sub(run_before(text.get(from..).unwrap_or_default(), sets, most))
    };
    let word = before(text.get(..at)?, set::INSIDE, BACK);
    // The name before the word tells what it is.
    let glue = before(text.get(..word)?, set::GLUE, 24);
    let mut at = before(text.get(..glue)?, set::INSIDE | set::BLANK, 48);
    let stop = word.wrapping_add(MOST);
    // A private key is the one with blanks and ends of lines.
    let mut sets = set::INSIDE;
    while at < stop
        && let Some(byte) = text.get(at)
    {
        let unit = if at < word { None } else { unit(text, at) };
        let length = if let Some(unit) = unit {
            view.encoding = view.encoding.max(unit.encoding);
            if unit.encoding != Encoding::Concat {
                view.take(unit.byte, at);
            }
            unit.length
        } else if at < word || is(*byte, sets) {
            view.take(*byte, at);
            1
        } else {
            break;
        };
        if view.text.ends_with(b"-----B") {
            sets |= set::BACKSLASH | set::LINE_END | set::BLANK;
        }
        at = at.wrapping_add(length);
    }
    Some(view.ended(at, at >= stop))
}

/// The strings on both sides of the plus at `at`, if it joins two.
pub(super) fn joined(text: &[u8], at: usize, least: usize) -> Option<View> {
    const BLANKS: u32 = set::BLANK | set::LINE_END;
    let mut before = text.get(..at)?;
    loop {
        before = before.get(..before.len().wrapping_sub(run_before(before, BLANKS, 80)))?;
        // In an escaped string the ends of lines are escaped too.
        match before {
            [rest @ .., b'\\', b'n' | b'r' | b't'] if at.wrapping_sub(rest.len()) < 80 => before = rest,
            [rest @ .., quote] if is(*quote, set::QUOTE) => {
                before = rest;
                break;
            }
            _ => return None,
        }
    }
    let start = before.len().wrapping_sub(run_before(before, set::BACKSLASH, 4));
    if start < least { None } else { decoded(text, start, least) }
}

struct Unit {
    /// Of no meaning for a joint.
    byte: u8,
    length: usize,
    encoding: Encoding,
}

/// The escape or joint at `at`.
fn unit(text: &[u8], at: usize) -> Option<Unit> {
    let rest = text.get(at..)?;
    if let [b'%', digits @ ..] = rest {
        // Encoded again, a percent sign is `%25`.
        let (mut digits, mut length) = (digits, 3usize);
        while length < 9
            && let [b'2', b'5', again @ ..] = digits
            && hex(again, 2).is_some()
        {
            digits = again;
            length = length.wrapping_add(2);
        }
        return Some(Unit { byte: hex(digits, 2)?, length, encoding: Encoding::Percent });
    }
    let slashes = run(rest, set::BACKSLASH, 4);
    let after = rest.get(slashes..)?;
    // What stands before the digits, how many those are, and what is behind them.
    let (before, count, behind, encoding) = match after {
        [quote, ..] if is(*quote, set::QUOTE) => {
            return Some(Unit { byte: 0, length: joint(rest)?, encoding: Encoding::Concat });
        }
        _ if slashes == 0 => return None,
        [b'/', ..] => return Some(Unit { byte: b'/', length: slashes.wrapping_add(1), encoding: Encoding::Json }),
        [b'x', ..] => (1, 2, 0, Encoding::Hex),
        [b'u', b'{', digits @ ..] => {
            let count = run(digits, set::ANY_HEX, 6);
            if digits.get(count) != Some(&b'}') {
                return None;
            }
            (2, count, 1, Encoding::Json)
        }
        [b'u', ..] => (1, 4, 0, Encoding::Json),
        _ => return None,
    };
    let length = slashes.wrapping_add(before).wrapping_add(count).wrapping_add(behind);
    Some(Unit { byte: hex(after.get(before..)?, count)?, length, encoding })
}

/// So many hexadecimal digits, of a byte that is ASCII and can be seen.
#[inline(never)]
fn hex(text: &[u8], digits: usize) -> Option<u8> {
    let mut number = 0u32;
    for byte in text.get(..digits)? {
        if !is(*byte, set::ANY_HEX) {
            return None;
        }
        // The digits of a letter's code count from 1.
        let above = if *byte < b'A' { 0 } else { 9 };
        number = number << 4 | u32::from(byte & 15).wrapping_add(above);
    }
    let byte = u8::try_from(number).ok()?;
    (matches!(byte, b' '..=b'~') || is(byte, set::BLANK | set::LINE_END)).then_some(byte)
}

/// The end of one string and the beginning of the next: a quote, a plus, a quote, blanks between them. Its length.
fn joint(rest: &[u8]) -> Option<usize> {
    let plus = blanks(rest, quote(rest, 0)?);
    if rest.get(plus) != Some(&b'+') {
        return None;
    }
    quote(rest, blanks(rest, plus.wrapping_add(1)))
}

/// Past the quote at `at`, which may be escaped.
#[inline(never)]
fn quote(text: &[u8], at: usize) -> Option<usize> {
    let at = at.wrapping_add(run(text.get(at..)?, set::BACKSLASH, 4));
    is(*text.get(at)?, set::QUOTE).then_some(at.wrapping_add(1))
}

/// Past the blanks and ends of lines at `at`, real or escaped; of a few, for a text may be of nothing else.
#[inline(never)]
pub(super) fn blanks(text: &[u8], mut at: usize) -> usize {
    for _ in 0..32 {
        let rest = text.get(at..).unwrap_or_default();
        at = at.wrapping_add(match rest {
            [b' ' | b'\t' | b'\n' | b'\r', ..] => run(rest, set::BLANK | set::LINE_END, 64),
            [b'\\', b'n' | b'r' | b't', ..] => 2,
            [b'\\', b'\\', b'n' | b'r' | b't', ..] => 3,
            _ => break,
        });
    }
    at
}

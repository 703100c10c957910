//! Text with its escapes and joints taken away: `\x67`, `\u0067`, `\u{67}`, `%67`, `%2567`, `\/`, and `"a" + "b"`.

use super::finding::Encoding;

/// A part of a text in another form, with the way back.
pub(super) struct View {
    pub(super) text: Vec<u8>,
    /// Where each byte, and the end, stands in the text that it was made of.
    pub(super) origin: Vec<u32>,
    pub(super) encoding: Encoding,
    /// Past the last byte that was taken.
    pub(super) end: usize,
    /// Whether it would have gone on.
    pub(super) cut: bool,
}

impl View {
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
pub(super) fn decoded(text: &[u8], at: usize, least: usize) -> Option<View> {
    let first = unit(text, at)?;
    let least = least.max(at.saturating_sub(BACK));
    let before = text.get(least..at)?;
    let word = run_before(before, usize::MAX, is_inside);
    let word = at.saturating_sub(word);
    // A name before it tells what the word is.
    let before = text.get(least..word)?;
    let glue = run_before(before, 24, |byte| b" \t\"'`=:>,\\".contains(&byte));
    let named = before.get(..before.len().saturating_sub(glue))?;
    let name = run_before(named, 48, |byte| is_inside(byte) || byte == b' ');
    let mut at = word.saturating_sub(glue).saturating_sub(name);
    let stop = word.saturating_add(MOST);
    let (mut out, mut origin, mut encoding) = (Vec::new(), Vec::new(), first.encoding);
    // A private key is the one with blanks and ends of lines.
    let mut pem = false;
    while at < stop {
        let byte = text.get(at).copied().unwrap_or(b' ');
        let length = match unit(text, at).filter(|_| at >= word) {
            Some(unit) => {
                encoding = encoding.max(unit.encoding);
                if let Some(byte) = unit.byte {
                    out.push(byte);
                    origin.push(u32::try_from(at).unwrap_or(u32::MAX));
                }
                unit.length
            }
            None if at < word || is_inside(byte) || pem && b" \\\r\n".contains(&byte) && at < text.len() => {
                out.push(byte);
                origin.push(u32::try_from(at).unwrap_or(u32::MAX));
                1
            }
            None => break,
        };
        pem = pem || out.ends_with(b"-----B");
        at = at.saturating_add(length);
    }
    origin.push(u32::try_from(at).unwrap_or(u32::MAX));
    Some(View { text: out, origin, encoding, end: at, cut: at >= stop })
}

/// The strings on both sides of the plus at `at`, if it joins two.
pub(super) fn joined(text: &[u8], at: usize, least: usize) -> Option<View> {
    let before = text.get(at.saturating_sub(80)..at)?;
    let blank = |byte: u8| b" \t\r\n".contains(&byte);
    let mut blanks = run_before(before, usize::MAX, blank);
    // In an escaped string the ends of lines are escaped too.
    while let [.., b'\\', b'n' | b'r' | b't'] = before.get(..before.len().saturating_sub(blanks))? {
        blanks = blanks.saturating_add(2);
        let rest = before.get(..before.len().saturating_sub(blanks))?;
        blanks = blanks.saturating_add(run_before(rest, usize::MAX, blank));
    }
    let mut start = at.saturating_sub(blanks).checked_sub(1)?;
    if !b"\"'`".contains(text.get(start)?) {
        return None;
    }
    start = start.saturating_sub(run_before(text.get(..start)?, 4, |byte| byte == b'\\'));
    if start < least { None } else { decoded(text, start, least) }
}

/// How many bytes of a kind a text ends with, but no more than `most`. One function for all, since each that an
/// iterator is made into is bytes.
#[inline(never)]
pub(super) fn run_before(text: &[u8], most: usize, is: fn(u8) -> bool) -> usize {
    let mut run = 0usize;
    while run < most
        && let Some(at) = text.len().checked_sub(run.saturating_add(1))
        && text.get(at).is_some_and(|byte| is(*byte))
    {
        run = run.saturating_add(1);
    }
    run
}

/// What may stand in a key, or in what comes directly before it.
fn is_inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.+/=:|@".contains(&byte)
}

struct Unit {
    /// Nothing for a joint.
    byte: Option<u8>,
    length: usize,
    encoding: Encoding,
}

/// The escape or joint at `at`.
fn unit(text: &[u8], at: usize) -> Option<Unit> {
    let rest = text.get(at..)?;
    match rest.first()? {
        b'%' => {
            // Encoded again, a percent sign is `%25`.
            let mut digits = rest.get(1..)?;
            let mut length = 3usize;
            while let Some(again) =
                digits.strip_prefix(b"25").filter(|again| hex(again, 2).is_some()).filter(|_| length < 9)
            {
                digits = again;
                length = length.saturating_add(2);
            }
            let byte = hex(digits, 2)?;
            Some(Unit { byte: Some(byte), length, encoding: Encoding::Percent })
        }
        b'\\' => {
            let slashes = rest.iter().take(4).take_while(|byte| **byte == b'\\').count();
            let after = rest.get(slashes..)?;
            let of = |byte, length: usize, encoding| {
                Some(Unit { byte: Some(byte), length: slashes.saturating_add(length), encoding })
            };
            match after.first()? {
                b'x' => of(hex(after.get(1..)?, 2)?, 3, Encoding::Hex),
                b'u' if after.get(1) == Some(&b'{') => {
                    let digits = after.get(2..)?.iter().take(6).take_while(|byte| **byte != b'}').count();
                    let closed = after.get(digits.saturating_add(2)) == Some(&b'}');
                    let byte = hex(after.get(2..)?, digits)?;
                    if closed { of(byte, digits.saturating_add(3), Encoding::Json) } else { None }
                }
                b'u' => of(hex(after.get(1..)?, 4)?, 5, Encoding::Json),
                b'/' => of(b'/', 1, Encoding::Json),
                b'"' | b'\'' | b'`' => joint(rest),
                _ => None,
            }
        }
        b'"' | b'\'' | b'`' => joint(rest),
        _ => None,
    }
}

/// So many hexadecimal digits, of a byte that is ASCII and can be seen.
fn hex(text: &[u8], digits: usize) -> Option<u8> {
    if digits == 0 {
        return None;
    }
    let mut number = 0u32;
    for byte in text.get(..digits)? {
        number = number.wrapping_mul(16).wrapping_add(char::from(*byte).to_digit(16)?);
    }
    u8::try_from(number).ok().filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}

/// The end of one string and the beginning of the next: a quote, a plus, a quote, blanks between them.
fn joint(rest: &[u8]) -> Option<Unit> {
    let quote = |at: usize| {
        let slashes = rest.get(at..)?.iter().take(4).take_while(|byte| **byte == b'\\').count();
        let at = at.saturating_add(slashes);
        rest.get(at).filter(|byte| b"\"'`".contains(byte)).map(|_| at.saturating_add(1))
    };
    let blanks = |mut at: usize| {
        for _ in 0..64 {
            match rest.get(at..).unwrap_or_default() {
                [b' ' | b'\t' | b'\n' | b'\r', ..] => at = at.saturating_add(1),
                [b'\\', b'n' | b'r' | b't', ..] => at = at.saturating_add(2),
                [b'\\', b'\\', b'n' | b'r' | b't', ..] => at = at.saturating_add(3),
                _ => break,
            }
        }
        at
    };
    let plus = blanks(quote(0)?);
    if rest.get(plus) != Some(&b'+') {
        return None;
    }
    let length = quote(blanks(plus.saturating_add(1)))?;
    Some(Unit { byte: None, length, encoding: Encoding::Concat })
}

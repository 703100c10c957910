//! Text out of base64, of either alphabet, also in lines.

use super::escape::{View, run_before};
use super::finding::Encoding;
use super::prefilter::SHORTEST;
use crate::keys::{class_of, set, sextet};

/// Longest run that is decoded at once, and how far back of a lead it is.
const MOST: usize = 8_192;
const BACK: usize = 256;

const DIGITS: u16 = set::BASE64 | set::DASH | set::UNDERSCORE;

/// Decodes the run around the group of four that begins at `group`, beginning no earlier than `least`. `most`
/// characters at most are taken behind the group.
pub(super) fn decoded(text: &[u8], group: usize, least: usize, most: usize) -> Option<View> {
    let least = least.max(group.saturating_sub(BACK));
    let before = run_before(text.get(least..group)?, usize::MAX, |byte| class_of(byte) & DIGITS != 0);
    let from = group.saturating_sub(before & !3);
    let stop = group.saturating_add(most.min(MOST)).min(text.len());
    let (mut out, mut origin) = (Vec::new(), Vec::new());
    let (mut bits, mut held, mut at, mut taken, mut line) = (0u32, 0u32, from, 0usize, 0usize);
    let mut place = from;
    while at < stop {
        let Some(value) = text.get(at).copied().and_then(sextet) else {
            // Lines of 64 or 76 characters, as `base64` writes them.
            let next = at.saturating_add(line_end(text.get(at..)?));
            if next > at && matches!(line.saturating_add(if taken == line { before & 3 } else { 0 }), 64 | 76) {
                (at, line) = (next, 0);
                continue;
            }
            break;
        };
        if held == 0 {
            place = at;
        }
        bits = bits << 6 | u32::from(value);
        held = held.wrapping_add(6);
        if held >= 8 {
            held = held.wrapping_sub(8);
            #[expect(clippy::cast_possible_truncation, reason = "the low byte is meant")]
            out.push((bits >> (held & 31)) as u8);
            origin.push(u32::try_from(place).unwrap_or(u32::MAX));
            place = at;
        }
        taken = taken.saturating_add(1);
        line = line.saturating_add(1);
        at = at.saturating_add(1);
    }
    if taken < SHORTEST.min(most) {
        return None;
    }
    origin.push(u32::try_from(at).unwrap_or(u32::MAX));
    Some(View { text: out, origin, encoding: Encoding::Base64, end: at, cut: at >= stop })
}

/// A line's end, real or escaped.
fn line_end(rest: &[u8]) -> usize {
    match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        [b'\\', b'r', b'\\', b'n', ..] => 4,
        [b'\\', b'n', ..] => 2,
        [b'\\', b'\\', b'n', ..] => 3,
        _ => 0,
    }
}

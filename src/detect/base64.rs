//! Text out of base64, of either alphabet, also in lines.

use super::escape::{View, blanks};
use super::finding::Encoding;
use super::prefilter::SHORTEST;
use crate::keys::{run_before, set, sextet};

/// Longest run that is decoded at once, and how far back of a lead it is.
const MOST: usize = 8_192;
const BACK: usize = 256;

/// Decodes the run around the group of four that begins at `group`, beginning no earlier than `least`. `most` characters
/// at most are taken behind it.
pub(super) fn decoded(text: &[u8], group: usize, least: usize, most: usize) -> Option<View> {
    let least = least.max(group.saturating_sub(BACK));
    let mut before = run_before(text.get(least..group)?, set::BASE64_ANY, BACK);
    let start = group.wrapping_sub(before);
    // The letter of an escaped line end is none of the line's.
    if let Some([b'\\', b'n' | b'r' | b't']) = text.get(start.saturating_sub(1)..start.wrapping_add(1)) {
        before = before.saturating_sub(1);
    }
    let from = group.wrapping_sub(before & !3);
    let stop = group.wrapping_add(most.min(MOST)).min(text.len());
    let mut view = View::of(Encoding::Base64);
    let (mut bits, mut held, mut at) = (0u32, 0u32, from);
    // Of the first line some may stand before `from`.
    let (mut taken, mut line) = (0usize, before & 3);
    let mut place = from;
    while at < stop {
        let Some(value) = text.get(at).copied().and_then(sextet) else {
            // Lines of 64 or 76 characters, as `base64` writes them.
            let next = blanks(text, at);
            if next == at || !matches!(line, 64 | 76) {
                break;
            }
            (at, line) = (next, 0);
            continue;
        };
        if held == 0 {
            place = at;
        }
        bits = bits << 6 | u32::from(value);
        held = held.wrapping_add(6);
        if held >= 8 {
            held = held.wrapping_sub(8);
            #[expect(clippy::cast_possible_truncation, reason = "the low byte is meant")]
            view.take((bits >> (held & 31)) as u8, place);
            place = at;
        }
        taken = taken.wrapping_add(1);
        line = line.wrapping_add(1);
        at = at.wrapping_add(1);
    }
    (taken >= SHORTEST).then(|| view.ended(at, at >= stop))
}

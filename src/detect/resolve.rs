//! One finding for each span: secrets before the rest, then the longest, then the most specific.

use super::finding::Found;
use crate::keys::Class;

/// Adds a finding to those that are kept, which are in the text's order and do not overlap: it takes the place of those
/// that it goes before, or goes.
pub(super) fn add(kept: &mut Vec<Found>, one: Found) {
    let (start, end) = one.span();
    let from = kept.partition_point(|other| other.span().1 <= start);
    let rest = kept.get(from..).unwrap_or_default();
    let overlapped = rest.iter().take_while(|other| other.span().0 < end).count();
    if rest.iter().take(overlapped).all(|other| goes_before(&one, other)) {
        for _ in 0..overlapped {
            kept.remove(from);
        }
        kept.insert(from, one);
    }
}

fn goes_before(one: &Found, other: &Found) -> bool {
    let secret = |found: &Found| found.class() == Class::Secret;
    let length = |found: &Found| found.end.saturating_sub(found.start);
    if secret(one) != secret(other) {
        return secret(one);
    }
    if length(one) != length(other) {
        return length(one) > length(other);
    }
    // Rows are in the order of how specific they are.
    (one.encoding, one.hit.rule) < (other.encoding, other.hit.rule)
}

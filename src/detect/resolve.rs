//! One finding for each span: secrets before the rest, then the longest, then the most specific.

use super::finding::Finding;
use crate::keys::Class;

/// Adds a finding to those that are kept, which are in the text's order and do not overlap: it takes the place of those
/// that it goes before, or goes.
pub(super) fn add(kept: &mut Vec<Finding>, one: Finding) {
    let (start, end) = one.span;
    let mut at = kept.len();
    while let Some(before) = at.checked_sub(1)
        && let Some(other) = kept.get(before)
        && other.span.1 > start
    {
        if other.span.0 < end && !goes_before(&one, other) {
            return;
        }
        at = before;
    }
    while kept.get(at).is_some_and(|other| other.span.0 < end) {
        kept.remove(at);
    }
    kept.insert(at, one);
}

fn goes_before(one: &Finding, other: &Finding) -> bool {
    let secret = |found: &Finding| found.class == Class::Secret;
    let length = |found: &Finding| found.span.1.wrapping_sub(found.span.0);
    if secret(one) != secret(other) {
        return secret(one);
    }
    if length(one) != length(other) {
        return length(one) > length(other);
    }
    // Rows are in the order of how specific they are.
    (one.encoding, one.row) < (other.encoding, other.row)
}

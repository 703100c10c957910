//! One finding for each span: secrets before the rest, then the longest, then the most specific.

use std::cmp::Reverse;

use super::finding::Found;
use crate::keys::Class;

/// Leaves of findings that overlap the one that counts, in the order of the text.
pub(super) fn resolve(found: &mut Vec<Found>) {
    found.sort_by_key(|one| {
        let length = one.end.saturating_sub(one.start);
        (Reverse(one.class() == Class::Secret), Reverse(length), one.encoding, one.hit.rule, one.span())
    });
    let mut kept: Vec<Found> = Vec::new();
    for one in found.drain(..) {
        // Those kept do not overlap, so the first that ends behind the beginning decides.
        let at = kept.partition_point(|other| other.span().1 <= one.span().0);
        if kept.get(at).is_none_or(|other| other.span().0 >= one.span().1) {
            kept.insert(at, one);
        }
    }
    *found = kept;
}

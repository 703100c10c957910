//! JSON text, written piece by piece.

use crate::json::{Escaped, push_text};

/// Whether an escaped text is empty or white space alone: the API takes no such text back. Nobody writes a page of it,
/// and long texts are not read for it.
pub(super) fn is_blank(inner: &str) -> bool {
    inner.len() < 200 && Escaped::trusted(inner).text().is_some_and(|text| text.trim().is_empty())
}

/// Appends all pieces.
pub(super) fn put(out: &mut String, pieces: &[&str]) {
    for piece in pieces {
        out.push_str(piece);
    }
}

/// A comma, unless this is the first of its list or object.
pub(super) fn comma(out: &mut String) {
    if !out.is_empty() && !out.ends_with(['[', '{']) {
        out.push(',');
    }
}

/// A field whose value is JSON text already.
pub(super) fn field(out: &mut String, name: &str, json: &str) {
    comma(out);
    push_text(out, name);
    out.push(':');
    out.push_str(json);
}

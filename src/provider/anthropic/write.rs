//! JSON text, written piece by piece.

use crate::json::push_text;

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

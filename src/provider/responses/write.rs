//! JSON written member by member.

/// Appends all pieces.
pub(super) fn push_all(out: &mut String, pieces: &[&str]) {
    for piece in pieces {
        out.push_str(piece);
    }
}

/// A comma, unless an object or a list has just been opened. Only to be called between values: there the
/// last character is never inside a text.
pub(super) fn separate(out: &mut String) {
    if !out.is_empty() && !out.ends_with(['{', '[']) {
        out.push(',');
    }
}

/// Appends a member whose value is JSON text. `name` needs no escapes.
pub(super) fn member(out: &mut String, name: &str, value: &str) {
    separate(out);
    push_all(out, &["\"", name, "\":", value]);
}

/// Appends a member whose value is a text, escaped already.
pub(super) fn quoted(out: &mut String, name: &str, inner: &str) {
    separate(out);
    push_all(out, &["\"", name, "\":\"", inner, "\""]);
}

/// Appends an item of a list or an object that is whole.
pub(super) fn item(out: &mut String, value: &str) {
    separate(out);
    out.push_str(value);
}

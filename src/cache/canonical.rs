//! The canonical form of JSON, fed into a hash piece by piece.
//!
//! Inputs of the same form say the same: whitespace, the order of fields and the way a string is escaped
//! do not count. Numbers count by their literal text: `1` and `1.0` differ, which costs a hit and no
//! more. Every piece carries a tag and its length or count, so no two structures run together into the
//! same bytes.

use super::hash::Hash;
use crate::error::{Error, Result};
use crate::json::{self, Fields, Item, Raw};

/// Levels of arrays and objects in one another, beyond which input is refused.
const MAX_DEPTH: u8 = 128;

/// Kinds of pieces. The values are part of the form: changing one changes every fingerprint.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Tag {
    /// `null`, `true`, `false` or a number, by its text.
    Literal = b'l',
    /// A text, decoded.
    Text = b's',
    /// The beginning of an array: its items follow.
    List = b'[',
    /// The end of an array, with the number of its items.
    Close = b']',
    /// An object: names and values follow, sorted by name.
    Map = b'{',
}

/// Feeds an object.
///
/// # Errors
/// `invalid_request` if a name occurs twice (readers disagree on which one counts), if the nesting is
/// deeper than 128 levels, or if a string is no Unicode text.
pub(super) fn map(hash: &mut Hash, fields: Fields<'_>) -> Result<()> {
    map_at(hash, fields, MAX_DEPTH)
}

/// `depth` counts down: the levels that may still be opened, this one included.
fn map_at(hash: &mut Hash, mut fields: Fields<'_>, depth: u8) -> Result<()> {
    let inner = deeper(depth)?;
    if !fields.sort() {
        return Err(Error::invalid("", "must not name a field twice").into());
    }
    hash.head(Tag::Map, fields.len());
    for (name, raw) in fields.iter() {
        hash.piece(Tag::Text, name);
        value(hash, raw, inner)?;
    }
    Ok(())
}

fn value(hash: &mut Hash, raw: Raw<'_>, depth: u8) -> Result<()> {
    // A raw value begins with its first token: whitespace before it is not part of it.
    match raw.get().as_bytes().first() {
        Some(b'{') => map_at(hash, json::fields(raw.get())?, depth)?,
        Some(b'[') => {
            let inner = deeper(depth)?;
            hash.tag(Tag::List);
            let (mut count, mut refused) = (0usize, None);
            let whole = json::each(raw.get(), &mut |item| {
                count = count.saturating_add(1);
                let fed = match item {
                    Item::Object(fields) => map_at(hash, fields, inner),
                    Item::Other(raw) => value(hash, raw, inner),
                };
                fed.map_err(|error| refused = Some(error)).ok()
            });
            if let Some(error) = refused {
                return Err(error);
            }
            whole.ok_or_else(|| Error::invalid("", "must be JSON"))?;
            hash.head(Tag::Close, count);
        }
        Some(b'"') => {
            let decoded = json::text(raw).ok_or_else(|| Error::invalid("", "must hold Unicode text only"))?;
            hash.piece(Tag::Text, &decoded);
        }
        _ => hash.piece(Tag::Literal, raw.get()),
    }
    Ok(())
}

fn deeper(depth: u8) -> Result<u8> {
    depth.checked_sub(1).ok_or_else(|| Error::invalid("", "must not be nested deeper than 128 levels").into())
}

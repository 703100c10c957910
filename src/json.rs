//! JSON text read one level at a time: the fields of an object, the items of an array, a text, a whole
//! number. Values below stay raw slices of the input, so nothing becomes a tree and no number a float.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// The fields of a JSON object, in the order of the input. A name that occurs twice is kept twice.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The field of this name, the last if there are several; `null` is a value like any other.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// How many fields there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the object is `{}`.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a name occurs twice.
    #[must_use]
    pub fn has_repeated(&self) -> bool {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }

    /// Sorts by name; false if a name occurs twice.
    pub(crate) fn sort(&mut self) -> bool {
        self.0.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.0.windows(2).all(|pair| !matches!(pair, [(a, _), (b, _)] if a == b))
    }
}

impl<'a> FromIterator<(&'a str, &'a RawValue)> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a RawValue)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }
}

/// The items of a JSON array.
pub type Items<'a> = Vec<&'a RawValue>;

/// Reads one object. The whole input must be valid JSON, except that escapes inside the values (lone
/// surrogates) are looked at only when a value is read.
///
/// # Errors
/// `invalid_request` for anything that is not one object; callers for whom that is another error map it.
pub fn fields(json: &str) -> Result<Fields<'_>> {
    serde_json::from_str(json).map_err(|_| Error::invalid("", "must be a JSON object").into())
}

/// Reads one array, under the same rules as [`fields`].
///
/// # Errors
/// `invalid_request` for anything that is not one array.
pub fn items(json: &str) -> Result<Items<'_>> {
    let list: List<'_> = serde_json::from_str(json).map_err(|_| Error::invalid("", "must be a JSON array"))?;
    Ok(list.0)
}

/// The text of a JSON string, borrowed unless it holds escapes; `None` for other values and for escapes
/// that are no Unicode text (lone surrogates).
#[must_use]
pub fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    // A raw value was checked for control characters and its closing quote: only escapes are left to do.
    if inner.as_bytes().contains(&b'\\') {
        serde_json::from_str(value.get()).ok().map(|Key(text)| text)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A whole number from 0, written plainly: `12`, but not `12.0`, `1e3` or `-0`.
#[must_use]
pub fn uint(value: &RawValue) -> Option<u64> {
    value.get().parse().ok()
}

/// A string that borrows where it can: `Cow`'s own implementation always copies.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Owned(text.into())))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Key(name), value)) = access.next_entry()? {
            fields.push((name, value));
        }
        Ok(Fields(fields))
    }
}

struct List<'a>(Items<'a>);

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(List(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn fields_keep_their_order_and_their_text() {
        let read = fields(r#" { "b" : [1, 2 ] ,"\u0061":"x\ny", "b": null } "#).unwrap();
        let all: Vec<_> = read.iter().map(|(name, value)| (name, value.get())).collect();
        assert_eq!(all, [("b", "[1, 2 ]"), ("a", r#""x\ny""#), ("b", "null")]);
        assert_eq!(read.field("b").unwrap().get(), "null", "the last wins");
        assert!(read.field("c").is_none());
        assert_eq!((read.len(), read.is_empty()), (3, false));
        assert!(fields("{}").unwrap().is_empty());
    }

    #[test]
    fn only_whole_valid_input_is_read() {
        for bad in ["", "[]", "null", "{", "{}x", "{\"a\"}", "{a:1}", "{\"a\":01}", "{\"a\":NaN}", "{\"\\ud800\":1}"] {
            assert!(fields(bad).is_err(), "{bad}");
        }
        for bad in ["", "{}", "\"a\"", "[", "[1,]", "[1] 2", "[\"\u{1}\"]"] {
            assert!(items(bad).is_err(), "{bad}");
        }
        let read = items(" [1, {\"a\":[]} ] ").unwrap();
        assert_eq!(read.iter().map(|item| item.get()).collect::<Vec<_>>(), ["1", "{\"a\":[]}"]);
    }

    #[test]
    fn texts_are_decoded_and_borrow_where_they_can() {
        assert!(matches!(text(raw("\"plain é\"")), Some(Cow::Borrowed("plain é"))));
        assert_eq!(text(raw(r#""\ud83d\ude00\"\\""#)).unwrap(), "😀\"\\");
        for other in ["1", "null", "[]", r#""\ud800""#] {
            assert_eq!(text(raw(other)), None, "{other}");
        }
    }

    #[test]
    fn whole_numbers_are_exact() {
        assert_eq!(uint(raw("18446744073709551615")), Some(u64::MAX));
        assert_eq!(uint(raw("0")), Some(0));
        for other in ["18446744073709551616", "-1", "-0", "1.0", "1e3", "\"1\"", "null"] {
            assert_eq!(uint(raw(other)), None, "{other}");
        }
    }
}

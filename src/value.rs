//! A tree of plain data: what configuration, status, events and figures are made of on their way in and
//! out. One type, so that one reader and one serialiser serve everything that is not a message body.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::json::push_text;
use crate::record::push_int;

/// JSON-like data. Objects keep the order of their fields.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// `null` or `undefined`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; amounts in nano-USD, milliseconds and counts are such.
    Int(i64),
    /// Any other number. Read from the configuration, never written.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Map(Vec<(String, Self)>),
}

impl Value {
    /// A field of an object.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Puts a field of an object in place of the one of this name, or adds it.
    pub fn set(&mut self, name: &str, value: Self) {
        if let Self::Map(fields) = self {
            match fields.iter_mut().find(|(key, _)| key == name) {
                Some((_, own)) => *own = value,
                None => fields.push((name.into(), value)),
            }
        }
    }

    /// Lets every text in it be changed; the names of fields stay.
    pub fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Text(text) => change(text),
            Self::List(items) => items.iter_mut().for_each(|item| item.each_text(change)),
            Self::Map(fields) => fields.iter_mut().for_each(|(_, value)| value.each_text(change)),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => {}
        }
    }

    /// A number of JavaScript's one kind: whole ones that it holds exactly are whole here too.
    #[must_use]
    pub fn number(number: f64) -> Self {
        const SAFE: f64 = 9_007_199_254_740_991.0;
        if number.trunc() == number && number.abs() <= SAFE {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
            return Self::Int(number as i64);
        }
        Self::Float(number)
    }

    /// An object from its fields; fields that are `Null` are left out.
    #[must_use]
    pub fn map<const N: usize>(fields: [(&str, Self); N]) -> Self {
        let present = fields.into_iter().filter(|(_, value)| *value != Self::Null);
        Self::Map(present.map(|(name, value)| (name.into(), value)).collect())
    }
}

impl Value {
    /// Appends the value as JSON text. A number that is not whole becomes `null`: none is ever written.
    pub fn push_json(&self, out: &mut String) {
        match self {
            Self::Null | Self::Float(_) => out.push_str("null"),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Int(number) => {
                if *number < 0 {
                    out.push('-');
                }
                push_int(out, number.unsigned_abs());
            }
            Self::Text(text) => push_text(out, text),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { '[' } else { ',' });
                    item.push_json(out);
                }
                out.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Self::Map(fields) => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    push_text(out, name);
                    out.push(':');
                    value.push_json(out);
                }
                out.push_str(if fields.is_empty() { "{}" } else { "}" });
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<crate::time::Timestamp> for Value {
    fn from(instant: crate::time::Timestamp) -> Self {
        Self::Int(instant.as_millis())
    }
}

impl From<crate::money::NanoUsd> for Value {
    fn from(amount: crate::money::NanoUsd) -> Self {
        amount.as_nano().into()
    }
}

impl From<std::time::Duration> for Value {
    fn from(span: std::time::Duration) -> Self {
        u64::try_from(span.as_millis()).unwrap_or(u64::MAX).into()
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// Nesting deeper than this is no configuration.
const MAX_DEPTH: u8 = 32;

struct ValueVisitor(u8);

impl ValueVisitor {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("nested too deeply"))
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for ValueVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain data")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            fields.push((key, map.next_value_seed(self.deeper()?)?));
        }
        Ok(Value::Map(fields))
    }
}

/// For tests and tools, which write configurations as JSON; in the Wasm `wasm/convert.rs` reads them.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor(MAX_DEPTH))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            // Floats are read, never written: formatting one costs 20 KB of Wasm.
            Self::Float(_) => serializer.serialize_unit(),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_json() {
        let text = r#"{"a":[1,-2,true,null,"x"],"b":{"c":3}}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        assert_eq!(value.field("b").and_then(|b| b.field("c")), Some(&Value::Int(3)));
        assert_eq!(serde_json::from_str::<Value>("0.5").unwrap(), Value::Float(0.5));
        assert_eq!(serde_json::from_str::<Value>("5.0").unwrap(), Value::Int(5));
    }

    #[test]
    fn refuses_what_is_nested_too_deeply() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(serde_json::from_str::<Value>(&deep(32)).is_ok());
        assert!(serde_json::from_str::<Value>(&deep(34)).is_err());
    }
}

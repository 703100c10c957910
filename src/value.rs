//! A tree of plain data: what configuration, status, events and figures are made of on their way in and
//! out. One type, so that one reader and one serialiser serve everything that is not a message body.

#[cfg(any(test, feature = "testing"))]
mod serde;

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

//! Reading one object of the raw configuration, field by field.

use std::borrow::Cow;
use std::time::Duration;

use crate::error::FieldError;
use crate::money::{NanoUsd, Rate};
use crate::text::decimal;
use crate::value::Value;

/// A day: no timer or wait is longer.
const MAX_SPAN_MS: i64 = 86_400_000;

/// One object of the raw configuration: fields are taken by name, what is left over is an error.
pub(super) struct Section<'a> {
    fields: &'a [(String, Value)],
    taken: Vec<&'static str>,
    path: String,
    bad: &'a mut Vec<FieldError>,
}

impl<'a> Section<'a> {
    pub(super) fn open(raw: &'a Value, path: String, bad: &'a mut Vec<FieldError>) -> Self {
        let fields = match raw {
            Value::Map(fields) => fields.as_slice(),
            Value::Null => &[],
            _ => {
                bad.push(FieldError { path: path.clone(), problem: "must be an object".into() });
                &[]
            }
        };
        Self { fields, taken: Vec::new(), path, bad }
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        match (self.path.is_empty(), name.is_empty()) {
            (true, _) => name.into(),
            (_, true) => self.path.clone(),
            _ => [&self.path, ".", name].concat(),
        }
    }

    // Inlined: a branch that refuses is then long enough for scripts/split-outline.mjs to take it out of the first Wasm.
    #[inline]
    pub(super) fn fail(&mut self, name: &str, problem: &'static str) {
        self.tell(name, problem.into());
    }

    #[inline(never)]
    pub(super) fn tell(&mut self, name: &str, problem: Cow<'static, str>) {
        let path = self.path_of(name);
        self.bad.push(FieldError { path, problem });
    }

    pub(super) fn allow(&mut self, name: &'static str) {
        self.taken.push(name);
    }

    /// The field's value; `null` and `undefined` count as absent.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        self.taken.push(name);
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    /// Whether the field is there at all.
    #[cfg(feature = "edge")]
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(key, value)| key == name && *value != Value::Null)
    }

    pub(super) fn close(self) {
        // Nor is a field known that another build knows: what is absent may be said to be so.
        for (key, _) in self.fields.iter().filter(|(_, value)| *value != Value::Null) {
            if !self.taken.iter().any(|name| name == key) {
                let path = self.path_of(shown(key));
                let known = ["is not a known field; known are ", &self.taken.join(", ")].concat();
                self.bad.push(FieldError { path, problem: known.into() });
            }
        }
    }

    pub(super) fn section(&mut self, name: &'static str, read: impl FnOnce(&mut Section<'_>)) {
        let Some(raw) = self.take(name) else { return };
        let mut section = Section::open(raw, self.path_of(name), self.bad);
        read(&mut section);
        section.close();
    }

    /// An object whose keys are ids.
    pub(super) fn entries(&mut self, name: &'static str, mut read: impl FnMut(&str, &mut Section<'_>)) {
        let Some(raw) = self.take(name) else { return };
        let Value::Map(entries) = raw else { return self.fail(name, "must be an object") };
        for (id, raw) in entries {
            let path = [self.path_of(name).as_str(), ".", shown(id)].concat();
            let mut section = Section::open(raw, path, self.bad);
            read(id, &mut section);
            section.close();
        }
    }

    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Section<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let raw = self.take(name)?;
        let Value::List(items) = raw else {
            self.fail(name, "must be a list");
            return None;
        };
        let mut list = Vec::new();
        for (index, raw) in items.iter().enumerate() {
            let path = [&self.path_of(name), "[", &decimal(index as u64), "]"].concat();
            let mut section = Section::open(raw, path, self.bad);
            list.extend(read(&mut section));
            section.close();
        }
        Some(list)
    }

    pub(super) fn text(&mut self, name: &'static str, max: usize) -> Option<String> {
        match self.take(name)? {
            Value::Text(text) if text.len() <= max => Some(text.clone()),
            _ => {
                self.fail(name, "must be a text of reasonable length");
                None
            }
        }
    }

    pub(super) fn name(&mut self, name: &'static str, out: &mut String) {
        match self.take(name) {
            None => {}
            Some(Value::Text(text)) if is_name(text) => out.clone_from(text),
            Some(_) => self.fail(name, "must be 1 to 64 letters, digits, dots, dashes or underscores"),
        }
    }

    pub(super) fn flag(&mut self, name: &'static str, out: &mut bool) {
        match self.take(name) {
            None => {}
            Some(Value::Bool(value)) => *out = *value,
            Some(_) => self.fail(name, "must be true or false"),
        }
    }

    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, out: &mut T, choices: &[(&str, T)]) {
        let Some(value) = self.take(name) else { return };
        let chosen = choices.iter().find(|(text, _)| matches!(value, Value::Text(own) if own == text));
        match chosen {
            Some((_, choice)) => *out = *choice,
            None => self.tell(name, one_of(&choices.iter().map(|(text, _)| *text).collect::<Vec<_>>()).into()),
        }
    }

    /// A whole number between two others.
    pub(super) fn number(&mut self, name: &'static str, out: &mut u32, min: u32, max: u32) {
        let Some(value) = self.take(name) else { return };
        match whole(value, min, max) {
            Some(number) => *out = number,
            None => self.tell(name, between(min, max).into()),
        }
    }

    /// A whole number whose bounds need words of their own.
    pub(super) fn whole(&mut self, name: &'static str, out: &mut u32, min: u32, max: u32, problem: &'static str) {
        let Some(value) = self.take(name) else { return };
        match whole(value, min, max) {
            Some(number) => *out = number,
            None => self.fail(name, problem),
        }
    }

    pub(super) fn span(&mut self, name: &'static str, out: &mut Duration, min: i64) {
        match self.take(name) {
            None => {}
            Some(Value::Int(ms)) if (min..=MAX_SPAN_MS).contains(ms) => *out = Duration::from_millis(ms.unsigned_abs()),
            Some(_) => self.tell(name, milliseconds(min).into()),
        }
    }

    pub(super) fn usd(&mut self, name: &'static str, out: &mut NanoUsd) {
        let Some(value) = self.take(name) else { return };
        match usd(value) {
            Some(amount) if amount <= MAX_USD => *out = amount,
            _ => self.fail(name, "must be dollars from 0 to 9000000, a number or a text such as '0.25'"),
        }
    }

    pub(super) fn rate(&mut self, name: &'static str, required: bool) -> Option<Rate> {
        let value = self.take(name);
        // A price per token in place of one per million is the usual slip: with it a cap would let anything through.
        let fits = |amount: &NanoUsd| *amount == NanoUsd::ZERO || (MIN_RATE..=MAX_RATE).contains(amount);
        let rate = value.and_then(usd).filter(fits);
        if (required || value.is_some()) && rate.is_none() {
            self.fail(name, "must be dollars per million tokens: 0, or from 0.001 to 100000");
        }
        rate.map(|amount| Rate::per_million(amount.as_nano()))
    }
}

// Functions of their own, which only a refusal calls: the words then load with the second part of the Wasm.

#[inline(never)]
fn between(min: u32, max: u32) -> String {
    ["must be a whole number from ", &decimal(min.into()), " to ", &decimal(max.into())].concat()
}

#[inline(never)]
fn milliseconds(min: i64) -> String {
    ["must be a whole number of milliseconds from ", &decimal(min.unsigned_abs()), " to 86400000 (a day)"].concat()
}

#[inline(never)]
fn one_of(names: &[&str]) -> String {
    let mut out = String::from("must be ");
    for (at, name) in names.iter().enumerate() {
        let before = match names.len().wrapping_sub(at) {
            _ if at == 0 => "'",
            1 => "' or '",
            _ => "', '",
        };
        out.push_str(before);
        out.push_str(name);
    }
    out.push('\'');
    out
}

/// More nano-dollars than JavaScript's whole numbers hold.
const MAX_USD: NanoUsd = NanoUsd::new(9_000_000_000_000_000);
/// Above what the dearest single token costs ($0.0006), so that a price per token is refused, and below what a million of the
/// cheapest do ($0.003).
const MIN_RATE: NanoUsd = NanoUsd::new(1_000_000);
const MAX_RATE: NanoUsd = NanoUsd::new(100_000_000_000_000);

pub(super) fn whole(value: &Value, min: u32, max: u32) -> Option<u32> {
    match value {
        Value::Int(number) => u32::try_from(*number).ok().filter(|number| (min..=max).contains(number)),
        _ => None,
    }
}

fn usd(value: &Value) -> Option<NanoUsd> {
    match value {
        Value::Text(text) => NanoUsd::parse_usd(text),
        Value::Int(dollars) => {
            u64::try_from(*dollars).ok().and_then(|dollars| dollars.checked_mul(1_000_000_000)).map(NanoUsd::new)
        }
        // The one float of the crate: 0.1 is given as the nearest binary fraction, so it is rounded to
        // the nearest nano-dollar before it becomes money.
        Value::Float(dollars) if *dollars >= 0.0 && *dollars < 9_000_000.0 =>
        {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 53 bits, not negative")]
            Some(NanoUsd::new((*dollars * 1e9 + 0.5) as u64))
        }
        _ => None,
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let ok = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(ok)
}

/// A name as an error shows it. A hostile one may be of any length, and an error is for reading; cut short, a key would no
/// longer be known for one.
fn shown(name: &str) -> &str {
    if name.len() <= 64 { name } else { "(a name of over 64 bytes)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_right_is_said_in_words() {
        assert_eq!(between(0, 10), "must be a whole number from 0 to 10");
        assert_eq!(one_of(&["vault"]), "must be 'vault'");
        assert_eq!(one_of(&["refuse", "worst"]), "must be 'refuse' or 'worst'");
        assert_eq!(one_of(&["mask", "refuse", "warn", "off"]), "must be 'mask', 'refuse', 'warn' or 'off'");
    }
}

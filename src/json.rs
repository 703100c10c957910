//! JSON text read one level at a time: the fields of an object, the items of an array, a text, a whole
//! number. Values below stay slices of the input, so nothing becomes a tree and no number a float.
//!
//! Written here, because a general parser brings the reading and the printing of floats with it: 30 KB of
//! Wasm. The tests hold it against `serde_json`.

use std::borrow::Cow;
use std::str::Chars;

use crate::error::{Error, Result};

mod scan;
#[cfg(test)]
mod tests;

pub(crate) use scan::inside;
use scan::{Scanner, plain};

/// One JSON value as it is written, without whitespace around it. Valid, except that its escapes may stand
/// for lone surrogates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The JSON text.
    #[must_use]
    pub const fn get(self) -> &'a str {
        self.0
    }
}

/// The fields of a JSON object, in the order of the input. A name that occurs twice is kept twice.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'a> Fields<'a> {
    /// The field of this name, the last if there are several; `null` is a value like any other.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Raw<'a>> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
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
        let few = &self.0;
        if few.len() <= 16 {
            return few
                .iter()
                .enumerate()
                .any(|(at, (name, _))| few.iter().skip(at.wrapping_add(1)).any(|(other, _)| other == name));
        }
        // Through the one sort that there is: a second one is 2 KB of Wasm.
        !self.iter().collect::<Fields<'_>>().sort()
    }

    /// Gives other names to the fields for which `name` has one.
    pub(crate) fn rename(&mut self, name: fn(&str) -> Option<String>) {
        for (key, _) in &mut self.0 {
            if let Some(other) = name(key) {
                *key = Cow::Owned(other);
            }
        }
    }

    /// Sorts by name; false if a name occurs twice.
    pub(crate) fn sort(&mut self) -> bool {
        self.0.sort_unstable_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
        self.0.windows(2).all(|pair| !matches!(pair, [(a, _), (b, _)] if a == b))
    }
}

/// Where the fields of an object lie in its text: name and value of each. Who kept them need not read the object again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Vec<[std::ops::Range<usize>; 2]>);

impl Places {
    /// Where `fields`, which were read out of `text`, lie in it; nothing if a name is not there as it is written.
    pub(crate) fn of(fields: &Fields<'_>, text: &str) -> Option<Self> {
        let place = |part: &str| {
            let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
            start..start.wrapping_add(part.len())
        };
        let places = fields.0.iter().map(|(name, value)| match name {
            Cow::Borrowed(name) => Some([place(name), place(value.get())]),
            Cow::Owned(_) => None,
        });
        places.collect::<Option<_>>().map(Self)
    }

    /// The fields of that text; nothing if it is another.
    pub(crate) fn fields<'a>(&self, text: &'a str) -> Option<Fields<'a>> {
        let read = |[name, value]: &[std::ops::Range<usize>; 2]| {
            Some((Cow::Borrowed(text.get(name.clone())?), Raw(text.get(value.clone())?)))
        };
        self.0.iter().map(read).collect::<Option<_>>().map(Fields)
    }
}

impl<'a> FromIterator<(&'a str, Raw<'a>)> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, Raw<'a>)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }
}

/// The items of a JSON array.
pub type Items<'a> = Vec<Raw<'a>>;

/// Reads one object. The whole input must be valid JSON, except that escapes inside the values (lone
/// surrogates) are looked at only when a value is read.
///
/// # Errors
/// `invalid_request` for anything that is not one object; callers for whom that is another error map it.
pub fn fields(json: &str) -> Result<Fields<'_>> {
    read_fields(json).ok_or_else(|| Error::invalid("", "must be a JSON object").into())
}

fn read_fields(json: &str) -> Option<Fields<'_>> {
    let mut scanner = Scanner::new(json);
    let fields = object(&mut scanner)?;
    scanner.end()?;
    Some(fields)
}

fn object<'a>(scanner: &mut Scanner<'a>) -> Option<Fields<'a>> {
    let mut fields = Vec::with_capacity(8);
    scanner.expect(b'{')?;
    if !scanner.take(b'}') {
        loop {
            let (name, plain) = scanner.name()?;
            let name = if plain { Cow::Borrowed(name) } else { Cow::Owned(unescape(name)?) };
            fields.push((name, Raw(scanner.value()?)));
            if scanner.take(b'}') {
                break;
            }
            scanner.expect(b',')?;
        }
    }
    Some(Fields(fields))
}

/// Where a name occurs twice in one object, however deep: the first such place. `None` too for what is no JSON, and below
/// 64 levels, where nothing is looked at.
#[cfg(feature = "edge")]
#[must_use]
pub fn repeated(json: &str) -> Option<String> {
    repeated_within(json, 64)
}

#[cfg(feature = "edge")]
fn repeated_within(json: &str, levels: usize) -> Option<String> {
    let levels = levels.checked_sub(1)?;
    if let Some(items) = read_items(json) {
        return items.iter().enumerate().find_map(|(at, item)| {
            let path = repeated_within(item.get(), levels)?;
            Some(["[", &at.to_string(), "]", if path.starts_with('[') { "" } else { "." }, &path].concat())
        });
    }
    let fields = read_fields(json)?;
    let mut sorted = fields.iter().collect::<Fields<'_>>();
    if !sorted.sort() {
        return sorted.0.windows(2).find_map(|pair| match pair {
            [(a, _), (b, _)] if a == b => Some(a.clone().into_owned()),
            _ => None,
        });
    }
    fields.iter().find_map(|(name, value)| {
        let path = repeated_within(value.get(), levels)?;
        Some([name, if path.starts_with('[') { "" } else { "." }, &path].concat())
    })
}

/// One item of an array.
#[derive(Debug)]
pub enum Item<'a> {
    /// An object, read already.
    Object(Fields<'a>),
    /// Anything else.
    Other(Raw<'a>),
}

/// Gives the items of an array to `sink`, until it says `None`. Who reads objects anyway walks along them once, where
/// [`items`] and [`fields`] do so twice. `None` too for what is no array; what comes before that is seen may have been
/// given by then.
pub fn each<'a>(json: &'a str, sink: &mut dyn FnMut(Item<'a>) -> Option<()>) -> Option<()> {
    let mut scanner = Scanner::new(json);
    scanner.expect(b'[')?;
    if !scanner.take(b']') {
        loop {
            sink(if scanner.is_next(b'{') {
                Item::Object(object(&mut scanner)?)
            } else {
                Item::Other(Raw(scanner.value()?))
            })?;
            if scanner.take(b']') {
                break;
            }
            scanner.expect(b',')?;
        }
    }
    scanner.end()
}

/// Reads one array, under the same rules as [`fields`].
///
/// # Errors
/// `invalid_request` for anything that is not one array.
pub fn items(json: &str) -> Result<Items<'_>> {
    read_items(json).ok_or_else(|| Error::invalid("", "must be a JSON array").into())
}

fn read_items(json: &str) -> Option<Items<'_>> {
    let mut scanner = Scanner::new(json);
    let mut items = Vec::new();
    scanner.expect(b'[')?;
    if !scanner.take(b']') {
        loop {
            items.push(Raw(scanner.value()?));
            if scanner.take(b']') {
                break;
            }
            scanner.expect(b',')?;
        }
    }
    scanner.end()?;
    Some(items)
}

/// The text of a JSON string, borrowed unless it holds escapes; `None` for other values and for escapes
/// that are no Unicode text (lone surrogates).
#[must_use]
pub fn text(value: Raw<'_>) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    // A raw value was checked for control characters and its closing quote: only escapes are left to do.
    if plain(inner.as_bytes()) == inner.len() { Some(Cow::Borrowed(inner)) } else { unescape(inner).map(Cow::Owned) }
}

/// Text as it stands between the quotes of a JSON string, escapes and all: it can be taken from one document
/// and put into another without being read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Escaped<'a>(Cow<'a, str>);

impl<'a> Escaped<'a> {
    /// The inside of a JSON string; `None` for other values.
    #[must_use]
    pub fn of(value: Raw<'a>) -> Option<Self> {
        Some(Self(Cow::Borrowed(value.get().strip_prefix('"')?.strip_suffix('"')?)))
    }

    /// What was taken from an `Escaped` before.
    #[must_use]
    pub const fn trusted(inner: &'a str) -> Self {
        Self(Cow::Borrowed(inner))
    }

    /// Escapes a text.
    #[must_use]
    pub fn from_text(text: &'a str) -> Self {
        if plain(text.as_bytes()) == text.len() {
            return Self(Cow::Borrowed(text));
        }
        let mut out = String::with_capacity(text.len().saturating_add(16));
        push_escaped(&mut out, text);
        Self(Cow::Owned(out))
    }

    /// The escaped text.
    #[must_use]
    pub fn get(&self) -> &str {
        &self.0
    }

    /// The text itself; `None` for escapes that are no Unicode text (half a pair of surrogates).
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        if plain(self.0.as_bytes()) == self.0.len() {
            Some(Cow::Borrowed(&self.0))
        } else {
            unescape(&self.0).map(Cow::Owned)
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, on its own.
    #[must_use]
    pub fn into_owned(self) -> Escaped<'static> {
        Escaped(Cow::Owned(self.0.into_owned()))
    }
}

/// Appends `text` as a JSON string.
pub fn push_text(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

/// Appends `text` escaped, without the quotes.
pub fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some((run, special)) = rest.split_at_checked(plain(rest.as_bytes())) {
        out.push_str(run);
        let mut after = special.chars();
        match after.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some(control) => {
                out.push_str("\\u00");
                for digit in [u32::from(control) >> 4, u32::from(control) & 15] {
                    out.extend(char::from_digit(digit, 16));
                }
            }
            None => return,
        }
        rest = after.as_str();
    }
}

/// A whole number from 0, written plainly: `12`, but not `12.0`, `1e3` or `-0`.
#[must_use]
pub fn uint(value: Raw<'_>) -> Option<u64> {
    value.get().parse().ok()
}

/// The text of a string's inside, in runs up to the next backslash.
fn unescape(mut inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    loop {
        let (run, rest) = inner.split_at_checked(plain(inner.as_bytes()))?;
        out.push_str(run);
        let mut rest = rest.chars();
        if rest.next().is_none() {
            return Some(out);
        }
        out.push(match rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => unicode(&mut rest)?,
            other => other, // quote, backslash, slash
        });
        inner = rest.as_str();
    }
}

/// The character of `\uXXXX`, or of two that are a pair of surrogates.
fn unicode(rest: &mut Chars<'_>) -> Option<char> {
    let mut code = unit(rest)?;
    if matches!(code, 0xd800..0xdc00) {
        let paired = rest.next() == Some('\\') && rest.next() == Some('u');
        let low = unit(rest).filter(|low| paired && matches!(low, 0xdc00..0xe000))?;
        code = ((code & 0x3ff) << 10 | (low & 0x3ff)).wrapping_add(0x1_0000);
    }
    char::from_u32(code)
}

fn unit(rest: &mut Chars<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit << 4 | rest.next()?.to_digit(16)?;
    }
    Some(unit)
}

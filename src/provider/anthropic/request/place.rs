//! Where in a request something is, and the refusals that name it.

use std::borrow::Cow;

use crate::error::{Code, Error, Result};
use crate::json::{self, Fields, Raw};
use crate::record::push_int;

/// For what the other dialects have no word for.
pub(super) const NO_FORM: &str = "is nothing that the gateway can carry to this API";
/// For a value of the wrong kind.
pub(super) const TEXT: &str = "must be a text";
/// For a value of the wrong kind.
pub(super) const OBJECT: &str = "must be a JSON object without repeated fields";
/// For a value of the wrong kind.
pub(super) const NUMBER: &str = "must be a number";

/// `messages[3].content[0]`: written out only when something is wrong there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    up: Option<&'a Place<'a>>,
    name: &'a str,
    index: Option<usize>,
}

impl<'a> Place<'a> {
    /// A field of the request.
    pub(super) const fn field(name: &'a str) -> Self {
        Self { up: None, name, index: None }
    }

    /// A field of what is here.
    pub(super) const fn of(&'a self, name: &'a str) -> Self {
        Self { up: Some(self), name, index: None }
    }

    /// An item of the list that is here.
    pub(super) const fn item(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }

    fn write(&self, out: &mut String) {
        if let Some(up) = self.up {
            up.write(out);
            out.push('.');
        }
        out.push_str(self.name);
        if let Some(index) = self.index {
            out.push('[');
            push_int(out, index as u64);
            out.push(']');
        }
    }

    /// The refusal of what is here.
    pub(super) fn error(&self, problem: &'static str) -> Box<Error> {
        let mut path = String::new();
        self.write(&mut path);
        Error::invalid(&path, problem).into()
    }

    /// The refusal of what is here, since it costs more than the tokens that are counted.
    pub(super) fn unpriced(&self) -> Box<Error> {
        let mut path = String::new();
        self.write(&mut path);
        Error::field(Code::UnpricedInput, &path, "must be left out: the provider runs it, at a price that has no bound")
            .into()
    }

    /// The refusal of one field of what is here.
    pub(super) fn refuse<T>(&self, name: &str, problem: &'static str) -> Result<T> {
        Err(self.of(name).error(problem))
    }

    /// The object here.
    pub(super) fn object<'r>(&self, raw: Raw<'r>) -> Result<Fields<'r>> {
        json::fields(raw.get()).ok().filter(|fields| !fields.has_repeated()).ok_or_else(|| self.error(OBJECT))
    }

    /// The list here.
    pub(super) fn list<'r>(&self, raw: Raw<'r>) -> Result<json::Items<'r>> {
        json::items(raw.get()).map_err(|_| self.error("must be a list"))
    }

    /// The text here.
    pub(super) fn text<'r>(&self, raw: Raw<'r>) -> Result<Cow<'r, str>> {
        json::text(raw).ok_or_else(|| self.error(TEXT))
    }

    /// The text in a field of an object here, which must have it.
    pub(super) fn said<'r>(&self, fields: &Fields<'r>, name: &str) -> Result<Raw<'r>> {
        present(fields, name).filter(|raw| json::text(*raw).is_some()).ok_or_else(|| self.of(name).error(TEXT))
    }

    /// Refuses other letters in the names of an object that goes on as it is: some servers read names in any case, and what
    /// was looked at would not be what is run.
    pub(super) fn in_small_letters(&self, fields: &Fields<'_>) -> Result<()> {
        let small = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        match fields.iter().find(|(name, _)| !small(name)) {
            Some((name, _)) => self.refuse(name, "must be written in small letters"),
            None => Ok(()),
        }
    }

    /// Refuses the fields that are not among `known`, by name. Null is no value.
    pub(super) fn known(&self, fields: &Fields<'_>, known: &[&str]) -> Result<()> {
        match fields.iter().find(|(name, raw)| raw.get() != "null" && !known.contains(name)) {
            Some((name, _)) => self.refuse(name, NO_FORM),
            None => Ok(()),
        }
    }
}

/// A field that is not null.
pub(super) fn present<'a>(fields: &Fields<'a>, name: &str) -> Option<Raw<'a>> {
    fields.field(name).filter(|raw| raw.get() != "null")
}

/// Whether a value is a number.
pub(super) fn is_number(raw: Raw<'_>) -> bool {
    raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

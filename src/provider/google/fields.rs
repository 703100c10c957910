//! Reading and writing JSON as this API has it: names in `camelCase` or in `snake_case` (protobuf's JSON
//! mapping takes both), and lists of one item written without the list.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::json::{self, Fields, Items, Raw};
use crate::text::decimal;

const OBJECT: &str = "must be a JSON object without repeated fields";

/// The fields of an object under their `camelCase` names.
pub(super) fn object<'a>(json: &'a str, path: &str) -> Result<Fields<'a>> {
    let mut fields = json::fields(json).map_err(|_| Error::invalid(path, OBJECT))?;
    fields.rename(camel);
    if fields.has_repeated() {
        return Err(Error::invalid(path, OBJECT).into());
    }
    Ok(fields)
}

fn camel(name: &str) -> Option<String> {
    if !name.contains('_') {
        return None;
    }
    let (mut out, mut raise) = (String::with_capacity(name.len()), false);
    for character in name.chars() {
        if character == '_' {
            raise = !out.is_empty();
        } else {
            out.push(if raise { character.to_ascii_uppercase() } else { character });
            raise = false;
        }
    }
    Some(out)
}

/// The fields of an object under the names they have: those of a function, or of the neutral form.
pub(super) fn plain<'a>(raw: Raw<'a>, path: &str) -> Result<Fields<'a>> {
    json::fields(raw.get()).map_err(|_| Error::invalid(path, "must be a JSON object").into())
}

/// The items of a list; one object stands for a list of it.
pub(super) fn list<'a>(raw: Raw<'a>, path: &str) -> Result<Items<'a>> {
    if raw.get().starts_with('{') {
        return Ok(Vec::from([raw]));
    }
    json::items(raw.get()).map_err(|_| Error::invalid(path, "must be a list").into())
}

pub(super) fn text<'a>(raw: Raw<'a>, path: &str) -> Result<Cow<'a, str>> {
    json::text(raw).ok_or_else(|| Error::invalid(path, "must be a text").into())
}

/// Checks that `raw` is a number and gives its text.
pub(super) fn number<'a>(raw: Raw<'a>, path: &str) -> Result<&'a str> {
    let number = raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if number { Ok(raw.get()) } else { Err(Error::invalid(path, "must be a number").into()) }
}

/// Whether a value says nothing: absent and `null` are the same in protobuf's JSON mapping.
pub(super) fn is_null(raw: Raw<'_>) -> bool {
    raw.get() == "null"
}

/// A field that says something.
pub(super) fn given<'a>(fields: &Fields<'a>, name: &str) -> Option<Raw<'a>> {
    fields.field(name).filter(|raw| !is_null(*raw))
}

/// `path.name`, or `name` at the top.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { [path, ".", name].concat() }
}

/// `path[3]`.
pub(super) fn item(path: &str, index: usize) -> String {
    [path, "[", &decimal(index as u64), "]"].concat()
}

/// Refuses a field that only Gemini has.
pub(super) fn refuse(path: &str) -> Box<Error> {
    Error::invalid(path, "must be left out: no provider but Google has it").into()
}

/// Refuses a neutral field that Gemini does not have.
pub(super) fn lacking(path: &str) -> Box<Error> {
    Error::invalid(path, "must be left out: Gemini has nothing like it").into()
}

/// Refuses the neutral fields that are none of these.
pub(super) fn known(fields: &Fields<'_>, names: &[&str], path: &str) -> Result<()> {
    let other = fields.iter().find(|(name, raw)| !names.contains(name) && !is_null(*raw));
    other.map_or(Ok(()), |(name, _)| Err(lacking(&join(path, name))))
}

/// Whether Gemini reads what is at an address as a film, whatever type is said beside it.
pub(super) fn is_film(url: &str) -> bool {
    let host = url.split(['/', '?', '#']).nth(2).unwrap_or("").to_ascii_lowercase();
    let host = host.rsplit('@').next().unwrap_or("").split(':').next().unwrap_or("");
    ["youtube.com", "youtu.be", "youtube-nocookie.com"]
        .iter()
        .any(|own| host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// A comma, unless an object or a list has just begun.
pub(super) fn comma(out: &mut String) {
    if !matches!(out.as_bytes().last(), None | Some(b'{' | b'[')) {
        out.push(',');
    }
}

pub(super) fn push(out: &mut String, pieces: &[&str]) {
    for piece in pieces {
        out.push_str(piece);
    }
}

/// Appends a field whose value is JSON.
pub(super) fn field(out: &mut String, name: &str, json: &str) {
    comma(out);
    push(out, &["\"", name, "\":", json]);
}

/// Appends a field whose value is a text that is escaped already.
pub(super) fn escaped(out: &mut String, name: &str, inner: &str) {
    comma(out);
    push(out, &["\"", name, "\":\"", inner, "\""]);
}

/// Appends a field whose value is a text.
pub(super) fn text_field(out: &mut String, name: &str, text: &str) {
    field(out, name, "");
    json::push_text(out, text);
}

/// Appends JSON without the whitespace between its parts: a server-sent event has to be one line.
pub(super) fn compact(out: &mut String, json: &str) {
    let (mut inside, mut escape) = (false, false);
    out.extend(json.chars().filter(|character| {
        if inside {
            inside = escape || *character != '"';
            escape = !escape && *character == '\\';
            return true;
        }
        inside = *character == '"';
        !matches!(character, ' ' | '\n' | '\r' | '\t')
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one_name() {
        let fields = object(r#"{"system_instruction":1,"topK":2,"_x":3}"#, "").unwrap();
        let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["systemInstruction", "topK", "x"]);
        assert!(object(r#"{"topK":1,"top_k":2}"#, "").is_err());
    }

    #[test]
    fn whitespace_goes_only_between_the_parts() {
        let mut out = String::new();
        compact(&mut out, "{ \"a b\\\"\\\\\" :\n [ 1,\t\"\\\" x\" ] }");
        assert_eq!(out, r#"{"a b\"\\":[1,"\" x"]}"#);
    }
}

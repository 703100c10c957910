//! A JSON Schema as Gemini holds to it. It takes no notice of `const`, which is not among what it reads
//! (ai.google.dev/gemini-api/docs/structured-output#json_schema_support); `enum` is.

use crate::json::{self, Fields, Raw, push_text};
use crate::provider::google::fields::push;
use crate::text::contains;

/// As deep as schemas are looked into.
const LEVELS: usize = 64;

/// Appends a schema, with each `const` as an `enum` of one.
pub(super) fn encode(out: &mut String, raw: Raw<'_>) {
    // Most have none: they keep their text.
    schema(out, raw, if contains(raw.get(), "\"const\"") { LEVELS } else { 0 });
}

/// The same for the inside of an object.
pub(super) fn members(out: &mut String, fields: &Fields<'_>) {
    inside(out, fields, LEVELS);
}

fn schema(out: &mut String, raw: Raw<'_>, levels: usize) {
    match (levels.checked_sub(1), json::fields(raw.get())) {
        (Some(levels), Ok(fields)) => {
            out.push('{');
            inside(out, &fields, levels);
            out.push('}');
        }
        _ => out.push_str(raw.get()),
    }
}

fn inside(out: &mut String, fields: &Fields<'_>, levels: usize) {
    let constant = fields.field("const").is_some();
    let mut first = true;
    for (name, raw) in fields.iter().filter(|(name, _)| !constant || *name != "enum") {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        if name == "const" {
            push(out, &["\"enum\":[", raw.get(), "]"]);
            continue;
        }
        push_text(out, name);
        out.push(':');
        match name {
            "properties" | "$defs" | "definitions" => map(out, raw, levels),
            "items" | "additionalProperties" | "anyOf" | "oneOf" | "allOf" | "prefixItems" => list(out, raw, levels),
            _ => out.push_str(raw.get()),
        }
    }
}

/// Schemas by name.
fn map(out: &mut String, raw: Raw<'_>, levels: usize) {
    let Ok(fields) = json::fields(raw.get()) else { return out.push_str(raw.get()) };
    out.push('{');
    for (index, (name, raw)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_text(out, name);
        out.push(':');
        schema(out, raw, levels);
    }
    out.push('}');
}

/// One schema or several.
fn list(out: &mut String, raw: Raw<'_>, levels: usize) {
    let Ok(items) = json::items(raw.get()) else { return schema(out, raw, levels) };
    out.push('[');
    for (index, raw) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        schema(out, raw, levels);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(schema: &str) -> String {
        let list = ["[", schema, "]"].concat();
        let mut out = String::new();
        encode(&mut out, json::items(&list).unwrap()[0]);
        out
    }

    #[test]
    fn a_const_is_an_enum_of_one_wherever_it_stands() {
        let plain = r#"{ "type":"object", "properties":{"a":{"enum":["a"]}} }"#;
        assert_eq!(written(plain), plain, "what has none keeps its text");
        assert_eq!(
            written(
                r#"{"anyOf":[{"properties":{"const":{"type":"string","const":"a","enum":["a","b"]}}},{"items":{"const":1}}],"$defs":{"x":{"additionalProperties":{"const":{"const":null}}}},"default":{"const":1}}"#
            ),
            r#"{"anyOf":[{"properties":{"const":{"type":"string","enum":["a"]}}},{"items":{"enum":[1]}}],"$defs":{"x":{"additionalProperties":{"enum":[{"const":null}]}}},"default":{"const":1}}"#
        );
        let deep = format!("{}{}{}", r#"{"items":"#.repeat(100), r#"{"const":1}"#, "}".repeat(100));
        assert_eq!(written(&deep), deep, "deeper than anybody looks");
    }
}

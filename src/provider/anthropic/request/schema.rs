//! What a schema must be that the API holds an answer or a call to (platform.claude.com, "Structured outputs", "JSON
//! Schema limitations"): closed objects, and no bounds on numbers, lengths and lists. Without the bounds it would be
//! another schema, so it is refused and not changed.

use super::place::{Place, present};
use crate::error::Result;
use crate::json::{self, Raw};

/// As deep as schemas are looked into.
const LEVELS: usize = 64;

/// Refused wherever they stand.
const BOUNDS: [&str; 16] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "not",
    "if",
    "oneOf",
    "prefixItems",
];

/// Checks a schema that the API is to hold to.
pub(super) fn strict(place: &Place<'_>, raw: Raw<'_>) -> Result<()> {
    check(place, raw, LEVELS)
}

fn check(place: &Place<'_>, raw: Raw<'_>, levels: usize) -> Result<()> {
    // `true` and `false` are schemas, too.
    let Ok(fields) = json::fields(raw.get()) else { return Ok(()) };
    let Some(levels) = levels.checked_sub(1) else { return Err(place.error("is too deep")) };
    let is = |kind: Raw<'_>| kind.get() == "\"object\"";
    let kind = present(&fields, "type");
    let named = kind.and_then(|kind| json::items(kind.get()).ok()).unwrap_or_default();
    if kind.is_some_and(is) || named.into_iter().any(is) || present(&fields, "properties").is_some() {
        let open = present(&fields, "additionalProperties").is_none_or(|raw| raw.get() != "false");
        if open {
            return place.refuse("additionalProperties", "must be false for this API");
        }
    }
    for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
        let own = place.of(name);
        match name {
            "minItems" if matches!(raw.get(), "0" | "1") => {}
            "minItems" => return Err(own.error("must be 0 or 1 for this API")),
            "properties" | "$defs" | "definitions" => {
                for (name, raw) in json::fields(raw.get()).unwrap_or_default().iter() {
                    check(&own.of(name), raw, levels)?;
                }
            }
            "anyOf" | "allOf" => {
                for (index, raw) in json::items(raw.get()).unwrap_or_default().into_iter().enumerate() {
                    check(&own.item(index), raw, levels)?;
                }
            }
            "items" => check(&own, raw, levels)?,
            _ if BOUNDS.contains(&name) => return Err(own.error("must be left out for this API")),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Detail;

    /// The field that a refusal names; empty for a schema that is taken.
    fn refused(schema: &str) -> String {
        let list = ["[", schema, "]"].concat();
        let raw = json::items(&list).unwrap()[0];
        match strict(&Place::field("schema"), raw) {
            Ok(()) => String::new(),
            Err(error) => match error.detail {
                Detail::Fields(fields) => fields[0].path.clone(),
                other => panic!("{other:?}"),
            },
        }
    }

    /// What the API's errors name: "For 'object' type, 'additionalProperties' must be explicitly set to false", "For
    /// 'integer' type, property 'minimum' is not supported", "For 'array' type, 'minItems' values other than 0 or 1 are
    /// not supported".
    #[test]
    fn what_the_api_cannot_hold_to_is_named() {
        let closed = |inner: &str| {
            format!(r#"{{"type":"object","properties":{{"a":{inner}}},"required":["a"],"additionalProperties":false}}"#)
        };
        for fine in [
            r#"{"type":"integer","enum":[1,2]}"#,
            r#"{"type":["string","null"],"format":"date"}"#,
            r##"{"type":"array","minItems":1,"items":{"$ref":"#/$defs/b"}}"##,
            r#"{"anyOf":[{"type":"string","pattern":"^a+$"},{"const":null}]}"#,
            r#"{"type":"object","properties":{"minimum":{"type":"string"}},"additionalProperties":false}"#,
        ] {
            assert_eq!(refused(&closed(fine)), "", "{fine}");
        }
        for (inner, named) in [
            (r#"{"type":"object"}"#, ".additionalProperties"),
            (r#"{"properties":{}}"#, ".additionalProperties"),
            (r#"{"type":["object","null"],"additionalProperties":{"type":"string"}}"#, ".additionalProperties"),
            (r#"{"type":"integer","minimum":1}"#, ".minimum"),
            (r#"{"type":"string","maxLength":4}"#, ".maxLength"),
            (r#"{"type":"array","items":{"type":"number","multipleOf":2}}"#, ".items.multipleOf"),
            (r#"{"type":"array","minItems":2}"#, ".minItems"),
            (r#"{"anyOf":[{"type":"null"},{"type":"object","properties":{}}]}"#, ".anyOf[1].additionalProperties"),
        ] {
            assert_eq!(refused(&closed(inner)), format!("schema.properties.a{named}"), "{inner}");
        }
        let defs = r##"{"$defs":{"b":{"type":"object"}},"$ref":"#/$defs/b"}"##;
        assert_eq!(refused(defs), "schema.$defs.b.additionalProperties");
        let deep = format!("{}1{}", r#"{"items":"#.repeat(100), "}".repeat(100));
        assert!(refused(&deep).starts_with("schema.items.items"));
    }
}

//! Gemini's `Schema` (a part of OpenAPI 3.0, ai.google.dev/api/caching#Schema) as JSON Schema: type names in
//! small letters, `nullable` as a type of its own, counts that protobuf writes as texts as numbers.

use crate::error::{Error, Result};
use crate::json::{self, Raw, push_text};
use crate::provider::google::fields::{comma, field, item, join, list, object, plain, push, refuse, text};

/// Gemini itself takes about as many levels.
const DEEPEST: usize = 32;

/// Appends the schema.
pub(super) fn decode(json: &str, path: &str, out: &mut String) -> Result<()> {
    schema(json, path, DEEPEST, out)
}

fn schema(json: &str, path: &str, levels: usize, out: &mut String) -> Result<()> {
    let Some(levels) = levels.checked_sub(1) else {
        return Err(Error::invalid(path, "must not be nested as deep").into());
    };
    let fields = object(json, path)?;
    let nullable = fields.field("nullable").is_some_and(|raw| raw.get() == "true");
    out.push('{');
    for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
        let path = &join(path, name);
        match name {
            "type" => {
                let kind = text(raw, path)?.to_ascii_lowercase();
                if kind != "type_unspecified" {
                    field(out, name, if nullable { "[" } else { "" });
                    push_text(out, &kind);
                    out.push_str(if nullable { ",\"null\"]" } else { "" });
                }
            }
            "properties" | "defs" => {
                // Their names are the caller's own and keep their spelling.
                let own = plain(raw, path)?;
                field(out, if name == "defs" { "$defs" } else { name }, "{");
                for (name, raw) in own.iter() {
                    comma(out);
                    push_text(out, name);
                    out.push(':');
                    schema(raw.get(), &join(path, name), levels, out)?;
                }
                out.push('}');
            }
            "items" => {
                field(out, name, "");
                schema(raw.get(), path, levels, out)?;
            }
            "additionalProperties" if matches!(raw.get(), "true" | "false") => field(out, name, raw.get()),
            "additionalProperties" => {
                field(out, name, "");
                schema(raw.get(), path, levels, out)?;
            }
            "anyOf" | "prefixItems" => {
                field(out, name, "[");
                for (index, raw) in list(raw, path)?.into_iter().enumerate() {
                    comma(out);
                    schema(raw.get(), &item(path, index), levels, out)?;
                }
                if nullable && name == "anyOf" && fields.field("type").is_none() {
                    comma(out);
                    out.push_str("{\"type\":\"null\"}");
                }
                out.push(']');
            }
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                field(out, name, &count(raw, path)?);
            }
            "enum" if nullable => {
                field(out, name, "[");
                for raw in list(raw, path)? {
                    comma(out);
                    out.push_str(raw.get());
                }
                comma(out);
                out.push_str("null]");
            }
            "example" => {
                field(out, "examples", "");
                push(out, &["[", raw.get(), "]"]);
            }
            "ref" => field(out, "$ref", raw.get()),
            "format" if raw.get() == "\"enum\"" => {}
            "nullable" => {}
            // The names of the properties once more. Longer than these it would be input that nobody counts.
            "propertyOrdering" if raw.get().len() <= length(fields.field("properties")) => {}
            "title" | "description" | "format" | "enum" | "default" | "required" | "minimum" | "maximum"
            | "pattern" => field(out, name, raw.get()),
            _ => return Err(refuse(path)),
        }
    }
    out.push('}');
    Ok(())
}

fn length(raw: Option<Raw<'_>>) -> usize {
    raw.map_or(0, |raw| raw.get().len())
}

/// A count, which protobuf's JSON mapping writes as a text.
fn count(raw: Raw<'_>, path: &str) -> Result<String> {
    let digits = json::text(raw).unwrap_or(raw.get().into());
    let count: Option<u64> = digits.parse().ok();
    count.map(|_| digits.into_owned()).ok_or_else(|| Error::invalid(path, "must be a whole number").into())
}

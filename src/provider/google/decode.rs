//! A caller's request in neutral form. What shapes the answer and no other provider has is refused by name:
//! cached content, Google's own tools, its Files API. `labels`, `serviceTier` and `store`
//! are hints and are left out; so is the order of a schema's properties, which they stand in anyway.

mod config;
mod contents;
mod part;
mod schema;
mod tools;

use super::fields::{field, given, object, refuse, text, text_field};
use crate::error::Result;

/// Reads a caller's request and writes it in neutral form.
pub(in crate::provider) fn decode_request(body: &str, model: Option<&str>, stream: bool) -> Result<String> {
    let request = object(body, "")?;
    for (name, raw) in request.iter().filter(|(_, raw)| !matches!(raw.get(), "null" | "[]" | "{}")) {
        match name {
            "contents" | "systemInstruction" | "generationConfig" | "tools" | "toolConfig" => {}
            "labels" | "serviceTier" | "store" | "safetySettings" => {}
            // The path's model counts; Google takes a repetition of it.
            "model" => drop(text(raw, name)?),
            _ => return Err(refuse(name)),
        }
    }
    let mut out = String::with_capacity(body.len().saturating_add(256));
    out.push('{');
    if let Some(model) = model {
        text_field(&mut out, "model", model.strip_prefix("models/").unwrap_or(model));
    }
    if stream {
        field(&mut out, "stream", "true");
        field(&mut out, "stream_options", "{\"include_usage\":true}");
    }
    // Carried under a name that no other dialect has: only Google's own models take such a request.
    if let Some(settings) = given(&request, "safetySettings").filter(|raw| raw.get() != "[]") {
        field(&mut out, "safety_settings", settings.get());
    }
    let detail = config::decode(given(&request, "generationConfig"), &mut out)?;
    contents::decode(given(&request, "systemInstruction"), given(&request, "contents"), detail, &mut out)?;
    tools::decode(given(&request, "tools"), given(&request, "toolConfig"), &mut out)?;
    out.push('}');
    Ok(out)
}

#[cfg(test)]
mod tests;

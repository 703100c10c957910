//! Requests, from either format into either.

use super::{EmbeddingsRequest, bare, object};
use crate::chat::Dialect;
use crate::error::{Code, Error, Result};
use crate::json::{self, Fields, Raw, push_text};
use crate::text::decimal;

/// Reads a caller's request and writes it in the neutral form. `model` is what the path names and `batch`
/// which call it is (Gemini); OpenAI has both in the body.
///
/// # Errors
/// `invalid_request` that names the field, for what is malformed and for what has no neutral form;
/// `unpriced_input` for parts that are no text; `unsupported_endpoint` for a dialect without embeddings.
pub fn decode_request(dialect: Dialect, body: &str, model: Option<&str>, batch: bool) -> Result<String> {
    match dialect {
        Dialect::Chat | Dialect::Responses => Ok(body.into()),
        Dialect::Anthropic => Err(Code::UnsupportedEndpoint.into()),
        Dialect::Google => decode_google(body, model, batch),
    }
}

/// Writes a neutral request for a provider of the other format than the caller's.
///
/// # Errors
/// `invalid_request` that names the field of the neutral request that the dialect cannot carry, or
/// `unsupported_endpoint` for a dialect without embeddings: the target is then left out of the plan. `user` is
/// a hint and dropped; an encoding that the provider does not have is made of its answer.
pub fn encode_request(dialect: Dialect, request: &EmbeddingsRequest<'_>, model: &str) -> Result<String> {
    match dialect {
        Dialect::Chat | Dialect::Responses => {
            let given = |name: &&str| request.fields.field(name).is_some_and(|raw| raw.get() != "null");
            match ["task_type", "title"].into_iter().find(given) {
                Some(name) => Err(Error::invalid(name, NOT_CARRIED).into()),
                None => Ok(rewrite_openai(&request.fields, model)),
            }
        }
        Dialect::Anthropic => Err(Code::UnsupportedEndpoint.into()),
        Dialect::Google => encode_google(request, model),
    }
}

/// Writes a request for a provider of the caller's own format. `request` is the caller's body, not the neutral
/// form; only the model changes.
#[must_use]
pub fn rewrite_request(dialect: Dialect, request: &Fields<'_>, model: &str) -> String {
    match dialect {
        Dialect::Chat | Dialect::Responses | Dialect::Anthropic => rewrite_openai(request, model),
        Dialect::Google => rewrite_google(request, model),
    }
}

const NOT_CARRIED: &str = "cannot be carried to a provider of this kind";

fn rewrite_openai(request: &Fields<'_>, model: &str) -> String {
    let mut out = String::from("{\"model\":");
    push_text(&mut out, model);
    push_others(&mut out, request);
    out.push('}');
    out
}

/// Every field but the model, as it came.
fn push_others(out: &mut String, fields: &Fields<'_>) {
    for (name, raw) in fields.iter().filter(|(name, _)| *name != "model") {
        out.push(',');
        push_text(out, name);
        out.push(':');
        out.push_str(raw.get());
    }
}

/// Opens an object with the model's resource name.
fn push_resource(out: &mut String, model: &str) {
    out.push_str("{\"model\":");
    push_text(out, &["models/", bare(model)].concat());
}

fn rewrite_google(request: &Fields<'_>, model: &str) -> String {
    let mut out = String::new();
    let Some(requests) = request.field("requests").and_then(|raw| json::items(raw.get()).ok()) else {
        push_resource(&mut out, model);
        push_others(&mut out, request);
        out.push('}');
        return out;
    };
    out.push_str("{\"requests\":[");
    for (index, raw) in requests.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        // It was read before, so it is an object.
        let fields = json::fields(raw.get()).unwrap_or_default();
        push_resource(&mut out, model);
        push_others(&mut out, &fields);
        out.push('}');
    }
    out.push_str("]}");
    out
}

fn encode_google(request: &EmbeddingsRequest<'_>, model: &str) -> Result<String> {
    let mut options = String::new();
    for (name, raw) in request.fields.iter().filter(|(_, raw)| raw.get() != "null") {
        let own = match name {
            "dimensions" => "outputDimensionality",
            "task_type" => "taskType",
            "title" => "title",
            "model" | "input" | "encoding_format" | "user" => continue,
            _ => return Err(Error::invalid(name, NOT_CARRIED).into()),
        };
        for piece in [",\"", own, "\":", raw.get()] {
            options.push_str(piece);
        }
    }
    let mut out = String::from(if request.listed { "{\"requests\":[" } else { "" });
    for (index, text) in request.inputs.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_resource(&mut out, model);
        out.push_str(",\"content\":{\"parts\":[{\"text\":");
        push_text(&mut out, text);
        out.push_str("}]}");
        out.push_str(&options);
        out.push('}');
    }
    out.push_str(if request.listed { "]}" } else { "" });
    Ok(out)
}

fn decode_google(body: &str, model: Option<&str>, batch: bool) -> Result<String> {
    let fields = object(body, "")?;
    let mut out = String::from("{");
    if let Some(model) = model {
        out.push_str("\"model\":");
        push_text(&mut out, model);
        out.push(',');
    }
    out.push_str("\"input\":");
    if !batch {
        let one = Content::read(&fields, "")?;
        out.push_str(one.text.get());
        one.push_options(&mut out);
        out.push('}');
        return Ok(out);
    }
    // Each request has the model again, and all of one batch have the same.
    if let Some((name, _)) = fields.iter().find(|(name, _)| !matches!(*name, "requests" | "model")) {
        return Err(Error::invalid(name, "is not supported").into());
    }
    let requests = fields.field("requests").and_then(|raw| json::items(raw.get()).ok());
    let requests = requests.filter(|requests| !requests.is_empty());
    let requests = requests.ok_or_else(|| Error::invalid("requests", "must be a list of at least one request"))?;
    let mut first: Option<Content<'_>> = None;
    for (index, raw) in requests.iter().enumerate() {
        let path = ["requests[", &decimal(index as u64), "]"].concat();
        let own = Content::read(&object(raw.get(), &path)?, &path)?;
        out.push(if index == 0 { '[' } else { ',' });
        out.push_str(own.text.get());
        match &first {
            None => first = Some(own),
            Some(first) if first.options == own.options => {}
            Some(_) => return Err(Error::invalid(&path, "must have the same options as the first request").into()),
        }
    }
    out.push(']');
    if let Some(first) = first {
        first.push_options(&mut out);
    }
    out.push('}');
    Ok(out)
}

/// One text with its options.
struct Content<'a> {
    /// A JSON string.
    text: Raw<'a>,
    /// By the names in [`OPTIONS`].
    options: [Option<Raw<'a>>; 3],
}

/// Options in the neutral form, in Gemini's, and in the other spelling that its servers take.
const OPTIONS: [(&str, &str, &str); 3] = [
    ("dimensions", "outputDimensionality", "output_dimensionality"),
    ("task_type", "taskType", "task_type"),
    ("title", "title", "title"),
];

impl<'a> Content<'a> {
    fn read(fields: &Fields<'a>, path: &str) -> Result<Self> {
        let at = |name: &str| if path.is_empty() { name.into() } else { [path, ".", name].concat() };
        let (mut text, mut options) = (None, [None; 3]);
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            let place = OPTIONS.iter().position(|(_, own, other)| [*own, *other].contains(&name));
            match (name, place.and_then(|place| options.get_mut(place))) {
                (_, Some(option)) => *option = Some(raw),
                ("content", None) => text = Some(only_text(raw, &at("content"))?),
                ("model", None) => {}
                _ => return Err(Error::invalid(&at(name), "is not supported").into()),
            }
        }
        let text = text.ok_or_else(|| Error::invalid(&at("content"), "must be given"))?;
        Ok(Self { text, options })
    }

    fn push_options(&self, out: &mut String) {
        for ((name, ..), raw) in OPTIONS.iter().zip(self.options) {
            if let Some(raw) = raw {
                for piece in [",\"", name, "\":", raw.get()] {
                    out.push_str(piece);
                }
            }
        }
    }
}

/// The one text of a content. Of several parts Gemini makes one vector, which no other provider does.
fn only_text<'a>(raw: Raw<'a>, path: &str) -> Result<Raw<'a>> {
    let content = object(raw.get(), path)?;
    if let Some((name, _)) = content.iter().find(|(name, _)| !matches!(*name, "parts" | "role")) {
        return Err(Error::invalid(&[path, ".", name].concat(), "is not supported").into());
    }
    let path = [path, ".parts"].concat();
    let parts = content.field("parts").and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default();
    let [part] = parts.as_slice() else { return Err(Error::invalid(&path, "must be a list of one text").into()) };
    let part = object(part.get(), &path)?;
    match (part.field("text"), part.len()) {
        (Some(text), 1) if json::text(text).is_some() => Ok(text),
        (Some(_), 1) => Err(Error::invalid(&path, "must be a list of one text").into()),
        _ => Err(Error::field(Code::UnpricedInput, &path, "must be a list of one text").into()),
    }
}

#[cfg(test)]
mod tests;

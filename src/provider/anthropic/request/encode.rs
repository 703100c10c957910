//! A neutral request in this dialect.

use super::effort::Effort;
use super::models::Age;
use super::place::{NO_FORM, NUMBER, Place, is_number, present};
use super::{head, messages, sampling, schema, tools};
use crate::error::Result;
use crate::json::{self, Fields, Raw, push_text};
use crate::provider::Outgoing;
use crate::provider::anthropic::write::{comma, field, put};

/// Writes a neutral request in this dialect.
///
/// Left out, since they do not shape the answer: `metadata`, `store`, `prompt_cache_key`,
/// `prompt_cache_retention`, `safety_identifier`, `service_tier`, `stream_options`, OpenRouter's `usage`, and
/// fields at the value that means nothing (`n: 1`, a penalty of 0, a `top_p` of 1). `user` becomes `metadata.user_id`
/// where the API takes it. Everything else that has no counterpart is refused by its name, and so is what this model
/// does not take ([`Age`]).
pub(in crate::provider) fn encode_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<String> {
    let length: usize = request.iter().map(|(_, raw)| raw.get().len()).sum();
    let mut out = head(outgoing, length);
    let age = Age::of(outgoing.model);
    let (mut effort, mut end) = (Effort::default(), messages::End::default());
    let (mut choice, mut parallel, mut has_tools, mut format) = (None, true, false, String::new());
    for (name, raw) in request.iter().filter(|(_, raw)| raw.get() != "null") {
        let place = Place::field(name);
        match (name, raw.get()) {
            ("model" | "max_tokens" | "max_completion_tokens" | "stream" | "stream_options" | "usage", _)
            | ("metadata" | "store" | "prompt_cache_key" | "prompt_cache_retention", _)
            | ("safety_identifier" | "service_tier", _)
            | ("n", "1")
            | ("logprobs", "false")
            | ("logit_bias", "{}")
            | ("modalities", "[\"text\"]") => {}
            ("presence_penalty" | "frequency_penalty", zero)
                if zero.bytes().all(|b| matches!(b, b'0' | b'.' | b'-')) => {}
            ("messages", _) => end = messages::encode(&mut out, raw)?,
            ("temperature" | "top_p" | "top_k", _) if is_number(raw) => {}
            ("temperature" | "top_p" | "top_k", _) => return Err(place.error(NUMBER)),
            ("stop", _) => stop(&mut out, &place, raw)?,
            ("user", user) => {
                if is_opaque(&place.text(raw)?) {
                    put(&mut out, &[",\"metadata\":{\"user_id\":", user, "}"]);
                }
            }
            ("tools", _) => has_tools = tools::encode(&mut out, raw, age)?,
            ("tool_choice", _) => choice = Some(raw),
            ("parallel_tool_calls", flag @ ("true" | "false")) => parallel = flag == "true",
            ("parallel_tool_calls", _) => return Err(place.error("must be true or false")),
            ("response_format", _) => format = response_format(&place, raw, age)?,
            ("reasoning_effort", _) => effort.word(raw, &place, "reasoning_effort")?,
            ("reasoning", _) => effort.object(raw)?,
            _ => return Err(place.error(NO_FORM)),
        }
    }
    if has_tools {
        tools::encode_choice(&mut out, choice, parallel, effort.thinks() || age == Age::Unforced)?;
    }
    sampling::encode(&mut out, request, age, effort.thinks())?;
    if end.begun && (age >= Age::Words || age == Age::Budget && effort.thinks()) {
        return Err(Place::field("messages").error("must not end with what the model said: it does not go on with it"));
    }
    let word = effort.push(&mut out, outgoing, age, end.unthought)?;
    if word.is_some() || !format.is_empty() {
        out.push_str(",\"output_config\":{");
        if let Some(word) = word {
            put(&mut out, &["\"effort\":\"", word, "\""]);
        }
        if !format.is_empty() {
            field(&mut out, "format", &format);
        }
        out.push('}');
    }
    out.push('}');
    Ok(out)
}

/// Whether the API takes this as a person's id. It refuses what looks like a person's address ("user_id appears to
/// contain an email address", "… a phone number") or has more than 256 characters; nothing but a hint is left out then.
fn is_opaque(user: &str) -> bool {
    let dials = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | '.' | ' ');
    user.len() <= 256 && !user.contains('@') && !(user.len() > 6 && user.chars().all(dials))
}

/// One text or several. The API refuses such that are white space alone.
fn stop(out: &mut String, place: &Place<'_>, raw: Raw<'_>) -> Result<()> {
    let items = if json::text(raw).is_some() { vec![raw] } else { place.list(raw)? };
    if items.is_empty() {
        return Ok(());
    }
    out.push_str(",\"stop_sequences\":[");
    for item in items {
        if place.text(item)?.trim().is_empty() {
            return Err(place.error("must not be white space alone for this API"));
        }
        comma(out);
        out.push_str(item.get());
    }
    out.push(']');
    Ok(())
}

/// The value of `output_config.format`; nothing for plain text. The API follows every schema strictly and has
/// no form of "some JSON". A schema's name tells the model nothing; its description goes into the schema.
fn response_format(place: &Place<'_>, raw: Raw<'_>, age: Age) -> Result<String> {
    let fields = place.object(raw)?;
    match json::text(place.said(&fields, "type")?).as_deref() {
        Some("text") => {
            place.known(&fields, &["type"])?;
            return Ok(String::new());
        }
        Some("json_schema") => {}
        _ => return place.refuse("type", "must be text or json_schema for this API"),
    }
    place.known(&fields, &["type", "json_schema"])?;
    let own = place.of("json_schema");
    let format = own.object(fields.field("json_schema").ok_or_else(|| own.error("is missing"))?)?;
    own.known(&format, &["name", "strict", "schema", "description"])?;
    let at = own.of("schema");
    let raw = format.field("schema").ok_or_else(|| at.error("is missing"))?;
    if age != Age::Foreign {
        schema::strict(&at, raw)?;
    }
    let schema = at.object(raw)?;
    let mut out = String::from("{\"type\":\"json_schema\",\"schema\":{");
    if let Some(raw) = present(&format, "description") {
        let text = own.of("description").text(raw)?;
        if schema.field("description").is_some() {
            return own.refuse("description", "cannot stand beside the schema's own");
        }
        out.push_str("\"description\":");
        push_text(&mut out, &text);
    }
    for (name, raw) in schema.iter() {
        field(&mut out, name, raw.get());
    }
    out.push_str("}}");
    Ok(out)
}

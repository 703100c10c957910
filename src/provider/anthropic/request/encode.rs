//! A neutral request in this dialect.

use super::effort::Effort;
use super::place::{NO_FORM, NUMBER, Place, is_number, present};
use super::{head, messages, tools};
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw, push_text};
use crate::provider::Outgoing;
use crate::provider::anthropic::write::{comma, field, put};

/// Writes a neutral request in this dialect.
///
/// Left out, since they do not shape the answer: `metadata`, `store`, `prompt_cache_key`,
/// `prompt_cache_retention`, `safety_identifier`, `service_tier`, `stream_options`, OpenRouter's `usage`, and
/// fields at the value that means nothing (`n: 1`, a penalty of 0). `user` becomes `metadata.user_id`.
/// Everything else that has no counterpart is refused by its name.
pub(in crate::provider) fn encode_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<String> {
    let length: usize = request.iter().map(|(_, raw)| raw.get().len()).sum();
    let mut out = head(outgoing, length);
    let mut effort = Effort::default();
    let (mut choice, mut parallel, mut has_tools, mut format) = (None, true, false, String::new());
    let mut unthought = false;
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
            ("messages", _) => unthought = messages::encode(&mut out, raw)?,
            ("temperature", number) => {
                if !is_number(raw) {
                    return Err(place.error(NUMBER));
                }
                if !up_to_one(number) {
                    return Err(place.error("must be a number from 0 to 1 for this API, written plainly"));
                }
                field(&mut out, name, number);
            }
            ("top_p" | "top_k", number) if is_number(raw) => field(&mut out, name, number),
            ("top_p" | "top_k", _) => return Err(place.error(NUMBER)),
            ("stop", _) => stop(&mut out, &place, raw)?,
            ("user", user) => {
                place.text(raw)?;
                put(&mut out, &[",\"metadata\":{\"user_id\":", user, "}"]);
            }
            ("tools", _) => has_tools = tools::encode(&mut out, raw)?,
            ("tool_choice", _) => choice = Some(raw),
            ("parallel_tool_calls", flag @ ("true" | "false")) => parallel = flag == "true",
            ("parallel_tool_calls", _) => return Err(place.error("must be true or false")),
            ("response_format", _) => format = response_format(&place, raw)?,
            ("reasoning_effort", _) => effort.word(raw, &place, "reasoning_effort")?,
            ("reasoning", _) => effort.object(raw)?,
            _ => return Err(place.error(NO_FORM)),
        }
    }
    if has_tools {
        tools::encode_choice(&mut out, choice, parallel, effort.thinks())?;
    }
    if effort.thinks() {
        // The API refuses to draw otherwise while the model thinks.
        sampling(request)?;
    }
    let word = effort.push(&mut out, outgoing, unthought)?;
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

fn sampling(request: &Fields<'_>) -> Result<()> {
    const PROBLEM: &str = "cannot be set while the model reasons";
    if present(request, "top_k").is_some() {
        return Err(Error::invalid("top_k", PROBLEM).into());
    }
    let one =
        |number: &str| number.strip_prefix('1').is_some_and(|rest| rest.bytes().all(|b| matches!(b, b'.' | b'0')));
    match present(request, "temperature") {
        Some(raw) if !one(raw.get()) => Err(Error::invalid("temperature", PROBLEM).into()),
        _ => Ok(()),
    }
}

/// A JSON number from 0 to 1 without an exponent.
fn up_to_one(number: &str) -> bool {
    let zeros = |text: &str| text.bytes().all(|byte| byte == b'0');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match number.split_once('.').unwrap_or((number, "")) {
        ("0", fraction) => digits(fraction),
        ("1" | "-0", fraction) => zeros(fraction),
        _ => false,
    }
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
fn response_format(place: &Place<'_>, raw: Raw<'_>) -> Result<String> {
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
    let schema = at.object(format.field("schema").ok_or_else(|| at.error("is missing"))?)?;
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

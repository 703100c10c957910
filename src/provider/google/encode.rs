//! A neutral request for Gemini. What has no field there is refused by its neutral name; these hints are left
//! out: `user`, `metadata`, `store`, `service_tier`, `safety_identifier`, `prompt_cache_key`,
//! `prompt_cache_retention`, `cache_control`, `prediction`, `usage`, `include_reasoning`, the `strict` and
//! `name` of a response's schema (Gemini holds to every schema, and knows no names), the `detail` of images but
//! for `low`, and the `filename` of files.

mod messages;
mod parts;
mod schema;
mod tools;

use super::fields::{comma, field, given, known, lacking, number, plain, push, text_field};
use super::thinking;
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw};
use crate::provider::Outgoing;
use crate::record::push_int;
use crate::text::contains;

/// Writes a neutral request in this dialect.
pub(in crate::provider) fn encode_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<String> {
    let length: usize = request.iter().map(|(_, raw)| raw.get().len()).sum();
    let mut out = String::with_capacity(length.saturating_add(256));
    let mut config = String::from("{\"maxOutputTokens\":");
    push_int(&mut config, outgoing.max_output_tokens.into());
    for (name, raw) in request.iter().filter(|(_, raw)| raw.get() != "null") {
        config_field(name, raw, outgoing.model, &mut config)?;
    }
    thinking::encode(request, outgoing.model, &mut config)?;
    out.push('{');
    let messages = given(request, "messages").ok_or_else(|| Error::invalid("messages", "must be a list"))?;
    let low_detail = messages::encode(messages, outgoing.model, &mut out)?;
    let has_functions = tools::encode(request, &mut out)?;
    if has_functions && contains(outgoing.model, "gemini-2") && asks_for_json(request) {
        // "Function calling with a response mime type: 'application/json' is unsupported", before Gemini 3.
        return Err(Error::invalid("response_format", "cannot stand beside tools for this model").into());
    }
    if low_detail {
        text_field(&mut config, "mediaResolution", "MEDIA_RESOLUTION_LOW");
    }
    field(&mut out, "generationConfig", &config);
    out.push_str("}}");
    Ok(out)
}

/// One field of the request, unless it belongs elsewhere.
fn config_field(name: &str, raw: Raw<'_>, model: &str, out: &mut String) -> Result<()> {
    let own = match name {
        "temperature" => "temperature",
        "top_p" => "topP",
        "top_k" => "topK",
        "seed" => "seed",
        // A penalty of 0 is none, and one answer is what there is anyway.
        "presence_penalty" | "frequency_penalty" if matches!(raw.get(), "0" | "0.0") => return Ok(()),
        "n" if raw.get() == "1" => return Ok(()),
        // "Penalty is not enabled for this model", says the API of each since Gemini 2.5.
        "presence_penalty" | "frequency_penalty" if contains(model, "gemini-") && !contains(model, "gemini-2.0") => {
            return Err(Error::invalid(name, "is not taken by this model").into());
        }
        "presence_penalty" => "presencePenalty",
        "frequency_penalty" => "frequencyPenalty",
        // "Multiple candidates is not enabled for this model", says that of each Gemini 3.
        "n" if contains(model, "gemini-3") => return Err(Error::invalid(name, "must be 1 for this model").into()),
        "n" => "candidateCount",
        "stop" => return stop(raw, out),
        "response_format" => return response_format(raw, out),
        "messages" | "tools" | "tool_choice" | "reasoning" | "reasoning_effort" => return Ok(()),
        "model" | "max_tokens" | "max_completion_tokens" | "stream" | "stream_options" => return Ok(()),
        "user"
        | "metadata"
        | "store"
        | "service_tier"
        | "safety_identifier"
        | "prompt_cache_key"
        | "prompt_cache_retention"
        | "cache_control"
        | "prediction"
        | "usage"
        | "include_reasoning" => return Ok(()),
        "parallel_tool_calls" if matches!(raw.get(), "true" | "false") => return Ok(()),
        "logprobs" if raw.get() == "false" => return Ok(()),
        "logit_bias" if raw.get() == "{}" => return Ok(()),
        "modalities" if raw.get() == "[\"text\"]" => return Ok(()),
        _ => return Err(lacking(name)),
    };
    field(out, own, number(raw, name)?);
    Ok(())
}

/// Whether the answer is to be JSON.
fn asks_for_json(request: &Fields<'_>) -> bool {
    let format = given(request, "response_format").and_then(|raw| json::fields(raw.get()).ok());
    format.and_then(|own| own.field("type")).is_some_and(|kind| json::text(kind).as_deref() != Some("text"))
}

fn stop(raw: Raw<'_>, out: &mut String) -> Result<()> {
    let items = if json::text(raw).is_some() { Ok(Vec::from([raw])) } else { json::items(raw.get()) };
    let items = items.ok().filter(|items| items.iter().all(|item| json::text(*item).is_some()));
    let items = items.ok_or_else(|| Error::invalid("stop", "must be a text or a list of texts"))?;
    if !items.is_empty() {
        field(out, "stopSequences", "[");
        for item in items {
            comma(out);
            out.push_str(item.get());
        }
        out.push(']');
    }
    Ok(())
}

fn response_format(raw: Raw<'_>, out: &mut String) -> Result<()> {
    const PATH: &str = "response_format";
    let fields = plain(raw, PATH)?;
    known(&fields, &["type", "json_schema"], PATH)?;
    match fields.field("type").and_then(json::text).as_deref() {
        Some("text") => {}
        Some("json_object") => text_field(out, "responseMimeType", "application/json"),
        Some("json_schema") => {
            const PATH: &str = "response_format.json_schema";
            let own = plain(
                given(&fields, "json_schema").ok_or_else(|| Error::invalid(PATH, "must be a JSON object"))?,
                PATH,
            )?;
            known(&own, &["name", "description", "schema", "strict"], PATH)?;
            text_field(out, "responseMimeType", "application/json");
            let Some(schema) = given(&own, "schema") else { return Ok(()) };
            field(out, "responseJsonSchema", "");
            schema_with(given(&own, "description"), schema, out)?;
        }
        _ => return Err(Error::invalid("response_format.type", "must be text, json_object or json_schema").into()),
    }
    Ok(())
}

/// The description stands beside the schema there and inside it here.
fn schema_with(description: Option<Raw<'_>>, schema: Raw<'_>, out: &mut String) -> Result<()> {
    const PATH: &str = "response_format.json_schema.schema";
    let own = plain(schema, PATH)?;
    let Some(description) = description else {
        schema::encode(out, schema);
        return Ok(());
    };
    if own.field("description").is_some() {
        const PATH: &str = "response_format.json_schema.description";
        return Err(Error::invalid(PATH, "cannot stand beside the schema's own").into());
    }
    push(out, &["{\"description\":", description.get()]);
    if !own.is_empty() {
        out.push(',');
        schema::members(out, &own);
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests;

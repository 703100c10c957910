//! A caller's request in neutral form.

use super::place::{NO_FORM, NUMBER, Place, is_number, present};
use super::{effort, tools, turns};
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw};
use crate::provider::anthropic::write::{field, put};

/// Reads a caller's request and writes it in neutral form.
///
/// Left out, since they do not shape the answer: `service_tier`, cache marks outside of content parts, the
/// metadata beside `user_id` (which becomes `user`), what earlier answers cited, and what of the conversation need not be
/// read again (`context_management`).
pub(in crate::provider) fn decode_request(body: &str) -> Result<String> {
    let request = json::fields(body).ok().filter(|fields| !fields.has_repeated());
    let request = request.ok_or_else(|| Error::invalid("", super::place::OBJECT))?;
    let mut out = String::with_capacity(body.len().saturating_add(256));
    out.push('{');
    let place = Place::field("model");
    let model = present(&request, "model").ok_or_else(|| place.error("must name a model"))?;
    place.text(model)?;
    field(&mut out, "model", model.get());
    let messages = present(&request, "messages").ok_or_else(|| Place::field("messages").error("must be a list"))?;
    turns::decode(&mut out, present(&request, "system"), messages)?;
    let (mut wanted, mut format) = (None, None);
    for (name, raw) in request.iter().filter(|(_, raw)| raw.get() != "null") {
        let place = Place::field(name);
        match name {
            "model" | "messages" | "system" | "thinking" | "service_tier" | "cache_control" => {}
            "max_tokens" if json::uint(raw).is_some_and(|bound| bound > 0) => field(&mut out, name, raw.get()),
            "max_tokens" => return Err(place.error("must be a whole number of tokens, at least 1")),
            "stream" if matches!(raw.get(), "true" | "false") => field(&mut out, name, raw.get()),
            "stream" => return Err(place.error("must be true or false")),
            "temperature" | "top_p" | "top_k" if is_number(raw) => field(&mut out, name, raw.get()),
            "temperature" | "top_p" | "top_k" => return Err(place.error(NUMBER)),
            "stop_sequences" => {
                for (index, item) in place.list(raw)?.into_iter().enumerate() {
                    place.item(index).text(item)?;
                }
                if raw.get() != "[]" {
                    field(&mut out, "stop", raw.get());
                }
            }
            "metadata" => {
                let fields = place.object(raw)?;
                if present(&fields, "user_id").is_some() {
                    field(&mut out, "user", place.said(&fields, "user_id")?.get());
                }
            }
            "tools" => tools::decode(&mut out, raw)?,
            "tool_choice" => tools::decode_choice(&mut out, raw)?,
            "output_config" => {
                let fields = place.object(raw)?;
                place.known(&fields, &["effort", "format"])?;
                wanted = present(&fields, "effort");
                format = format.or(present(&fields, "format"));
            }
            "context_management" => edits(raw)?,
            // Its name while it was a beta.
            "output_format" => format = Some(raw),
            _ => return Err(place.error(NO_FORM)),
        }
    }
    effort::decode(&mut out, &request, wanted)?;
    if let Some(raw) = format {
        schema(&mut out, raw)?;
    }
    out.push('}');
    Ok(out)
}

/// What the provider does to a conversation that gets long. Clearing costs nothing; a summary is one more answer of the
/// model's, of all that it has read (platform.claude.com, "Compaction").
fn edits(raw: Raw<'_>) -> Result<()> {
    let place = Place::field("context_management");
    let fields = place.object(raw)?;
    place.known(&fields, &["edits"])?;
    let edits = place.of("edits");
    for (index, raw) in
        present(&fields, "edits").map(|raw| edits.list(raw)).transpose()?.into_iter().flatten().enumerate()
    {
        let edit = edits.item(index);
        let own = edit.object(raw)?;
        edit.in_small_letters(&own)?;
        let kind = edit.said(&own, "type").map(json::text)?.unwrap_or_default();
        if !["clear_tool_uses_20", "clear_thinking_20"].iter().any(|own| kind.starts_with(own)) {
            return Err(edit.of("type").unpriced());
        }
    }
    Ok(())
}

/// A JSON schema that the answer follows. The neutral form wants a name for it.
fn schema(out: &mut String, raw: Raw<'_>) -> Result<()> {
    let place = Place::field("output_config");
    let place = place.of("format");
    let fields: Fields<'_> = place.object(raw)?;
    place.known(&fields, &["type", "schema"])?;
    if json::text(place.said(&fields, "type")?).as_deref() != Some("json_schema") {
        return place.refuse("type", "must be json_schema");
    }
    let schema = fields.field("schema").filter(|raw| json::fields(raw.get()).is_ok());
    let schema = schema.ok_or_else(|| place.of("schema").error("must be a JSON object"))?;
    let before = ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\",\"strict\":true,\"schema\":";
    put(out, &[before, schema.get(), "}}"]);
    Ok(())
}

//! From a caller's request to the neutral form, field by field.

use super::super::write::{member, quoted, separate};
use super::input::Messages;
use super::{TEXT, UNKNOWN, at, copy, is_text, list, object, only, said, text_of};
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw};

/// What lies at OpenAI, where no other provider can read it.
const STORED: &str = "must be absent: what OpenAI stored is not here. Send the conversation in `input`";
const BOOLEAN: &str = "must be true or false";
const NUMBER: &str = "must be a number";

/// Reads a caller's request and writes it in neutral form.
///
/// Left out, because they do not shape the answer: `metadata`, `user`, `safety_identifier`, `store`,
/// `service_tier`, `prompt_cache_key`, `prompt_cache_retention`, `prompt_cache_options` and cache breakpoints,
/// `stream_options` (obfuscation), `max_tool_calls` (of built-in tools, which are refused), `reasoning.summary`
/// (how much of the reasoning is shown), ids and statuses of items, `phase`, and annotations of earlier answers.
///
/// # Errors
/// `invalid_request` that names the field, for what is malformed and for what has no neutral form.
pub(in crate::provider) fn decode_request(body: &str) -> Result<String> {
    let fields = json::fields(body).ok().filter(|fields| !fields.has_repeated());
    let fields = fields.ok_or_else(|| Error::invalid("", "must be a JSON object without repeated fields"))?;
    let mut out = String::with_capacity(body.len().saturating_add(200));
    out.push('{');
    for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
        field(name, raw, &mut out)?;
    }
    let mut messages = Messages::default();
    if let Some(instructions) = said(&fields, "instructions") {
        if !is_text(instructions) {
            return Err(Error::invalid("instructions", TEXT).into());
        }
        messages.system(instructions);
    }
    messages
        .read(said(&fields, "input").ok_or_else(|| Error::invalid("input", "must be a text or a list of items"))?)?;
    let messages = messages.finish();
    if messages == "[]" {
        return Err(Error::invalid("input", "must say something").into());
    }
    member(&mut out, "messages", &messages);
    out.push('}');
    Ok(out)
}

fn field(name: &str, raw: Raw<'_>, out: &mut String) -> Result<()> {
    let fail = |problem| Err(Error::invalid(name, problem).into());
    let value = raw.get();
    match name {
        "input" | "instructions" => {}
        "model" if is_text(raw) => member(out, name, value),
        "model" => return fail(TEXT),
        "stream" | "parallel_tool_calls" => match value {
            "true" | "false" => member(out, name, value),
            _ => return fail(BOOLEAN),
        },
        "temperature" | "top_p" => match value.as_bytes().first() {
            Some(b'-' | b'0'..=b'9') => member(out, name, value),
            _ => return fail(NUMBER),
        },
        "max_output_tokens" => match json::uint(raw) {
            Some(1..=0xffff_ffff) => member(out, "max_completion_tokens", value),
            _ => return fail("must be a whole number of tokens, at least 1"),
        },
        "tools" => tools(raw, out)?,
        "tool_choice" => tool_choice(raw, out)?,
        "text" => text(raw, out)?,
        "reasoning" => {
            let reasoning = object(raw, name)?;
            only(&reasoning, &["effort", "summary", "generate_summary"], name)?;
            if said(&reasoning, "effort").is_some() {
                member(out, "reasoning_effort", text_of(&reasoning, "effort", name)?.get());
            }
        }
        "include" => {
            for (index, item) in list(raw, name)?.into_iter().enumerate() {
                if item.get() != "\"reasoning.encrypted_content\"" {
                    return Err(Error::invalid(&at(name, index, ""), UNKNOWN).into());
                }
            }
        }
        "truncation" if value == "\"disabled\"" => {}
        "truncation" => return fail("must be \"disabled\": no other provider cuts the input"),
        "background" if value == "false" => {}
        "background" => return fail("must be false: answers are not kept for later"),
        "top_logprobs" if value == "0" => {}
        "previous_response_id" | "conversation" | "prompt" => return fail(STORED),
        "metadata"
        | "user"
        | "safety_identifier"
        | "store"
        | "service_tier"
        | "stream_options"
        | "max_tool_calls"
        | "prompt_cache_key"
        | "prompt_cache_retention"
        | "prompt_cache_options" => {}
        _ => return fail(UNKNOWN),
    }
    Ok(())
}

fn tools(raw: Raw<'_>, out: &mut String) -> Result<()> {
    member(out, "tools", "[");
    for (index, raw) in list(raw, "tools")?.into_iter().enumerate() {
        let path = at("tools", index, "");
        let tool = object(raw, &path)?;
        if json::text(text_of(&tool, "type", &path)?).as_deref() != Some("function") {
            let problem = "must be function: built-in and custom tools run only at a provider that speaks Responses";
            return Err(Error::invalid(&at("tools", index, ".type"), problem).into());
        }
        only(&tool, &["type", "name", "description", "parameters", "strict"], &path)?;
        text_of(&tool, "name", &path)?;
        separate(out);
        out.push_str("{\"type\":\"function\",\"function\":{");
        copy(&tool, &["name", "description", "parameters", "strict"], out);
        out.push_str("}}");
    }
    out.push(']');
    Ok(())
}

fn tool_choice(raw: Raw<'_>, out: &mut String) -> Result<()> {
    const PATH: &str = "tool_choice";
    if is_text(raw) {
        return match json::text(raw).as_deref() {
            Some("none" | "auto" | "required") => {
                member(out, PATH, raw.get());
                Ok(())
            }
            _ => Err(Error::invalid(PATH, "must be none, auto, required or an object").into()),
        };
    }
    let choice = object(raw, PATH)?;
    match json::text(text_of(&choice, "type", PATH)?).as_deref() {
        Some("function") => {
            only(&choice, &["type", "name"], PATH)?;
            member(out, PATH, "");
            function(&choice, PATH, out)
        }
        Some("allowed_tools") => {
            only(&choice, &["type", "mode", "tools"], PATH)?;
            member(out, PATH, "{\"type\":\"allowed_tools\",\"allowed_tools\":{");
            member(out, "mode", text_of(&choice, "mode", PATH)?.get());
            member(out, "tools", "[");
            let tools = said(&choice, "tools").ok_or_else(|| Error::invalid("tool_choice.tools", "must be a list"))?;
            for (index, raw) in list(tools, "tool_choice.tools")?.into_iter().enumerate() {
                let path = at("tool_choice.tools", index, "");
                let tool = object(raw, &path)?;
                only(&tool, &["type", "name"], &path)?;
                if json::text(text_of(&tool, "type", &path)?).as_deref() != Some("function") {
                    return Err(Error::invalid(&at("tool_choice.tools", index, ".type"), "must be function").into());
                }
                separate(out);
                function(&tool, &path, out)?;
            }
            out.push_str("]}}");
            Ok(())
        }
        _ => Err(Error::invalid("tool_choice.type", "must be function or allowed_tools").into()),
    }
}

/// `{"type":"function","function":{"name":…}}`.
fn function(tool: &Fields<'_>, path: &str, out: &mut String) -> Result<()> {
    out.push_str("{\"type\":\"function\",\"function\":{");
    member(out, "name", text_of(tool, "name", path)?.get());
    out.push_str("}}");
    Ok(())
}

fn text(raw: Raw<'_>, out: &mut String) -> Result<()> {
    let text = object(raw, "text")?;
    only(&text, &["format", "verbosity"], "text")?;
    copy(&text, &["verbosity"], out);
    let Some(format) = said(&text, "format") else { return Ok(()) };
    const PATH: &str = "text.format";
    let format = object(format, PATH)?;
    member(out, "response_format", "{");
    let kind = json::text(text_of(&format, "type", PATH)?);
    match kind.as_deref() {
        Some(kind @ ("text" | "json_object")) => {
            only(&format, &["type"], PATH)?;
            quoted(out, "type", kind);
        }
        Some("json_schema") => {
            only(&format, &["type", "name", "description", "schema", "strict"], PATH)?;
            text_of(&format, "name", PATH)?;
            quoted(out, "type", "json_schema");
            member(out, "json_schema", "{");
            copy(&format, &["name", "description", "schema", "strict"], out);
            out.push('}');
        }
        _ => return Err(Error::invalid("text.format.type", "must be text, json_object or json_schema").into()),
    }
    out.push('}');
    Ok(())
}

//! From a caller's request to the neutral form, field by field.

use super::super::write::{member, quoted};
use super::input::Messages;
use super::tools::{tool_choice, tools};
use super::{TEXT, UNKNOWN, at, copy, is_text, list, object, only, said, text_of};
use crate::error::{Error, Result};
use crate::json::{self, Raw};

/// What lies at OpenAI, where no other provider can read it.
const STORED: &str = "must be absent: what OpenAI stored is not here. Send the conversation in `input`";
/// What may be asked for beside the answer, by how it begins, and is in none: reasoning comes back unasked, and what
/// OpenAI runs is refused as a tool.
const NOTHING_TO_INCLUDE: [&str; 6] = [
    "reasoning.encrypted_content\"",
    "web_search_call.",
    "file_search_call.",
    "code_interpreter_call.",
    "computer_call_output.",
    "message.input_image.",
];
const BOOLEAN: &str = "must be true or false";
const NUMBER: &str = "must be a number";

/// Reads a caller's request and writes it in neutral form.
///
/// Left out, because they do not shape the answer: `metadata`, `client_metadata`, `user`, `safety_identifier`, `store`,
/// `service_tier`, `prompt_cache_key`, `prompt_cache_retention`, `prompt_cache_options` and cache breakpoints,
/// `stream_options` (obfuscation), `truncation` (what is too long is refused by the one asked), `include` of what tools of
/// OpenAI's gave, `max_tool_calls` (of built-in tools, which are refused), `reasoning.summary`
/// (how much of the reasoning is shown) and `reasoning.context` (which of OpenAI's own goes back to it), ids and statuses
/// of items, `phase`, and annotations of earlier answers.
///
/// Tools in a namespace, and those that come within the conversation, are tools like others. Those that the client runs
/// though they are no functions, and calls of them, are written as OpenAI's `custom`, which no other dialect carries.
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
    let given = said(&fields, "tools");
    if let Some(raw) = given {
        tools(raw, "tools", &mut messages.tools)?;
    }
    if let Some(instructions) = said(&fields, "instructions") {
        if !is_text(instructions) {
            return Err(Error::invalid("instructions", TEXT).into());
        }
        messages.system(instructions);
    }
    messages
        .read(said(&fields, "input").ok_or_else(|| Error::invalid("input", "must be a text or a list of items"))?)?;
    let (messages, tools) = messages.finish();
    if given.is_some() || !tools.is_empty() {
        member(&mut out, "tools", &["[", &tools, "]"].concat());
    }
    if messages == "[]" {
        return Err(Error::invalid("input", "must have at least one message").into());
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
        "tools" => {}
        "tool_choice" => tool_choice(raw, out)?,
        "text" => text(raw, out)?,
        "reasoning" => {
            let reasoning = object(raw, name)?;
            only(&reasoning, &["effort", "summary", "generate_summary", "context"], name)?;
            if said(&reasoning, "effort").is_some() {
                member(out, "reasoning_effort", text_of(&reasoning, "effort", name)?.get());
            }
        }
        "include" => {
            for (index, item) in list(raw, name)?.into_iter().enumerate() {
                if item.get() == "\"message.output_text.logprobs\"" {
                    member(out, "logprobs", "true");
                    continue;
                }
                if !item
                    .get()
                    .strip_prefix('"')
                    .is_some_and(|item| NOTHING_TO_INCLUDE.iter().any(|of| item.starts_with(of)))
                {
                    return Err(Error::invalid(&at(name, index, ""), UNKNOWN).into());
                }
            }
        }
        "truncation" if matches!(value, "\"auto\"" | "\"disabled\"") => {}
        "truncation" => return fail("must be auto or disabled"),
        "background" if value == "false" => {}
        "background" => return fail("must be false: answers are not kept for later"),
        "top_logprobs" if value == "0" => {}
        "top_logprobs" if json::uint(raw).is_some() => member(out, name, value),
        "top_logprobs" => return fail("must be a whole number"),
        "previous_response_id" | "conversation" | "prompt" => return fail(STORED),
        "metadata"
        | "user"
        | "safety_identifier"
        | "store"
        | "service_tier"
        | "client_metadata"
        | "stream_options"
        | "max_tool_calls"
        | "prompt_cache_key"
        | "prompt_cache_retention"
        | "prompt_cache_options" => {}
        _ => return fail(UNKNOWN),
    }
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

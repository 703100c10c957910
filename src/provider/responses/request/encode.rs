//! From the neutral form to a provider of this dialect, field by field.

use super::super::write::{member, push_all, separate};
use super::{TEXT, at, copy, head, is_text, list, messages, object, only, said, text_of};
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw};
use crate::provider::Outgoing;
use crate::provider::openai_compatible::check;

const NO_FORM: &str = "has no form in OpenAI's Responses";

/// Writes a neutral request in this dialect.
///
/// `metadata`, `user`, `safety_identifier`, `service_tier`, `store` and the prompt cache's fields have the same
/// names here and are carried. Left out are cache marks, reasoning that is not OpenAI's own (nobody else's is
/// accepted), a tool result's `name` (its id says which), and how answers are to be reported
/// (`stream_options`, `usage`).
///
/// # Errors
/// `invalid_request` that names the field of the neutral request that has no form here.
pub(in crate::provider) fn encode_request(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<String> {
    let length: usize = request.iter().map(|(name, raw)| name.len().saturating_add(raw.get().len())).sum();
    let mut out = head(outgoing, length.saturating_add(300));
    check(request, outgoing)?;
    for (name, raw) in request.iter().filter(|(_, raw)| raw.get() != "null") {
        field(name, raw, &mut out)?;
    }
    // Chat completions are not stored unless it is asked for, responses are.
    if said(request, "store").is_none() {
        member(&mut out, "store", "false");
    }
    reasoning(request, &mut out)?;
    text(request, &mut out)?;
    out.push('}');
    Ok(out)
}

fn field(name: &str, raw: Raw<'_>, out: &mut String) -> Result<()> {
    let value = raw.get();
    match name {
        "messages" => return messages::encode(raw, out),
        "tools" => return tools(raw, out),
        "tool_choice" => return tool_choice(raw, out),
        "temperature"
        | "top_p"
        | "parallel_tool_calls"
        | "metadata"
        | "user"
        | "safety_identifier"
        | "service_tier"
        | "store"
        | "prompt_cache_key"
        | "prompt_cache_retention" => member(out, name, value),
        // Written elsewhere in the request, or about how the answer is reported and not what it is.
        "model"
        | "stream"
        | "max_tokens"
        | "max_completion_tokens"
        | "reasoning_effort"
        | "reasoning"
        | "response_format"
        | "verbosity"
        | "stream_options"
        | "usage"
        | "cache_control" => {}
        _ if is_default(name, value) => {}
        _ => return Err(Error::invalid(name, NO_FORM).into()),
    }
    Ok(())
}

/// Fields that have no form here may say what holds anyway.
fn is_default(name: &str, value: &str) -> bool {
    match name {
        "n" => value == "1",
        "frequency_penalty" | "presence_penalty" | "top_logprobs" => matches!(value, "0" | "0.0"),
        "logprobs" => value == "false",
        "stop" => value == "[]",
        "logit_bias" => value == "{}",
        "modalities" => json::items(value).is_ok_and(|all| matches!(all.as_slice(), [one] if one.get() == "\"text\"")),
        _ => false,
    }
}

fn tools(raw: Raw<'_>, out: &mut String) -> Result<()> {
    member(out, "tools", "[");
    for (index, raw) in list(raw, "tools")?.into_iter().enumerate() {
        let path = at("tools", index, "");
        let tool = object(raw, &path)?;
        only(&tool, &["type", "function", "cache_control"], &path)?;
        let function = function(&tool, &path)?;
        only(&function, &["name", "description", "parameters", "strict"], &[&path, ".function"].concat())?;
        separate(out);
        out.push_str("{\"type\":\"function\"");
        copy(&function, &["name", "description", "parameters", "strict"], out);
        if said(&function, "parameters").is_none() {
            member(out, "parameters", "{\"type\":\"object\",\"properties\":{}}");
        }
        // Here a schema is strict unless it says otherwise, in chat completions the other way round.
        if said(&function, "strict").is_none() {
            member(out, "strict", "false");
        }
        out.push('}');
    }
    out.push(']');
    Ok(())
}

/// The `function` of a tool, of a call or of a choice, which has a name.
pub(super) fn function<'a>(of: &Fields<'a>, path: &str) -> Result<Fields<'a>> {
    if said(of, "type").is_some_and(|kind| json::text(kind).as_deref() != Some("function")) {
        return Err(Error::invalid(&[path, ".type"].concat(), "must be function").into());
    }
    let path = [path, ".function"].concat();
    let function = said(of, "function").ok_or_else(|| Error::invalid(&path, "must be an object"))?;
    let function = object(function, &path)?;
    text_of(&function, "name", &path)?;
    Ok(function)
}

fn tool_choice(raw: Raw<'_>, out: &mut String) -> Result<()> {
    const PATH: &str = "tool_choice";
    if is_text(raw) {
        member(out, PATH, raw.get());
        return Ok(());
    }
    let choice = object(raw, PATH)?;
    let flat = |out: &mut String, of: &Fields<'_>, path: &str| -> Result<()> {
        only(of, &["type", "function"], path)?;
        let function = function(of, path)?;
        only(&function, &["name"], &[path, ".function"].concat())?;
        push_all(out, &["{\"type\":\"function\",\"name\":", text_of(&function, "name", path)?.get(), "}"]);
        Ok(())
    };
    if said(&choice, "type").and_then(json::text).as_deref() != Some("allowed_tools") {
        member(out, PATH, "");
        return flat(out, &choice, PATH);
    }
    const ALLOWED: &str = "tool_choice.allowed_tools";
    only(&choice, &["type", "allowed_tools"], PATH)?;
    let allowed = said(&choice, "allowed_tools").ok_or_else(|| Error::invalid(ALLOWED, "must be an object"))?;
    let allowed = object(allowed, ALLOWED)?;
    only(&allowed, &["mode", "tools"], ALLOWED)?;
    member(out, PATH, "{\"type\":\"allowed_tools\"");
    member(out, "mode", text_of(&allowed, "mode", ALLOWED)?.get());
    member(out, "tools", "[");
    const TOOLS: &str = "tool_choice.allowed_tools.tools";
    let tools = said(&allowed, "tools").ok_or_else(|| Error::invalid(TOOLS, "must be a list"))?;
    for (index, raw) in list(tools, TOOLS)?.into_iter().enumerate() {
        let path = at(TOOLS, index, "");
        separate(out);
        flat(out, &object(raw, &path)?, &path)?;
    }
    out.push_str("]}");
    Ok(())
}

/// `reasoning_effort`, or OpenRouter's `reasoning`, whose budget in tokens becomes an effort.
fn reasoning(request: &Fields<'_>, out: &mut String) -> Result<()> {
    const PATH: &str = "reasoning";
    let (mut effort, mut summary) = (None, None);
    if let Some(raw) = said(request, PATH) {
        let reasoning = object(raw, PATH)?;
        only(&reasoning, &["effort", "max_tokens", "enabled", "exclude", "summary"], PATH)?;
        summary = said(&reasoning, "summary");
        effort = match (said(&reasoning, "effort"), said(&reasoning, "max_tokens")) {
            (Some(_), _) => Some(text_of(&reasoning, "effort", PATH)?.get()),
            (None, Some(budget)) => {
                let budget = json::uint(budget);
                Some(effort_of(budget.ok_or_else(|| Error::invalid("reasoning.max_tokens", "must be a whole number"))?))
            }
            (None, None) => (reasoning.field("enabled").map(Raw::get) == Some("false")).then_some("\"none\""),
        };
    }
    if let Some(raw) = said(request, "reasoning_effort") {
        if !is_text(raw) {
            return Err(Error::invalid("reasoning_effort", TEXT).into());
        }
        effort = Some(raw.get());
    }
    if effort.is_some() || summary.is_some() {
        member(out, PATH, "{");
        if let Some(effort) = effort {
            member(out, "effort", effort);
        }
        if let Some(summary) = summary {
            member(out, "summary", summary.get());
        }
        out.push('}');
    }
    // What is not stored must come back with the next request. Models that do not reason refuse to be asked.
    if effort.is_some_and(|effort| effort != "\"none\"") {
        member(out, "include", "[\"reasoning.encrypted_content\"]");
    }
    Ok(())
}

/// The effort that spends about as much as a budget in tokens.
const fn effort_of(budget: u64) -> &'static str {
    match budget {
        0 => "\"none\"",
        1..=1024 => "\"minimal\"",
        1025..=4096 => "\"low\"",
        4097..=16384 => "\"medium\"",
        _ => "\"high\"",
    }
}

/// `response_format` and `verbosity`.
fn text(request: &Fields<'_>, out: &mut String) -> Result<()> {
    const PATH: &str = "response_format";
    let (format, verbosity) = (said(request, PATH), said(request, "verbosity"));
    if format.is_none() && verbosity.is_none() {
        return Ok(());
    }
    member(out, "text", "{");
    if let Some(raw) = format {
        let format = object(raw, PATH)?;
        let kind = text_of(&format, "type", PATH)?;
        member(out, "format", "{");
        member(out, "type", kind.get());
        if kind.get() == "\"json_schema\"" {
            const SCHEMA: &str = "response_format.json_schema";
            only(&format, &["type", "json_schema"], PATH)?;
            let schema = said(&format, "json_schema").ok_or_else(|| Error::invalid(SCHEMA, "must be an object"))?;
            let schema = object(schema, SCHEMA)?;
            only(&schema, &["name", "description", "schema", "strict"], SCHEMA)?;
            copy(&schema, &["name", "description", "schema", "strict"], out);
            if said(&schema, "strict").is_none() {
                member(out, "strict", "false");
            }
        } else {
            only(&format, &["type"], PATH)?;
        }
        out.push('}');
    }
    if let Some(verbosity) = verbosity {
        member(out, "verbosity", verbosity.get());
    }
    out.push('}');
    Ok(())
}

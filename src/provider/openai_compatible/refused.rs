//! What OpenAI and Groq answer with a 400 of a request that was written for another API: to be known before it is sent,
//! so that another target gets it.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw};
use crate::provider::Outgoing;
use crate::text::{contains, decimal};

/// As deep as schemas are looked into.
const LEVELS: usize = 64;

/// Refuses what the target's model does not take, by its neutral name.
pub(in crate::provider) fn check(request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<()> {
    let openai = outgoing.provider == "openai";
    if openai {
        let stops = request.field("stop").and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default();
        if stops.len() > 4 {
            return Err(Error::invalid("stop", "must not be more than four for this API").into());
        }
        reasoning(request, outgoing.model)?;
    }
    let groq = outgoing.provider == "groq";
    let tools = request.field("tools").is_some_and(|raw| !matches!(raw.get(), "null" | "[]"));
    let kind = object(request.field("response_format")).field("type").and_then(json::text);
    if groq && tools && kind.is_some_and(|kind| kind != "text") {
        // "json mode cannot be combined with tool/function calling"
        return Err(Error::invalid("response_format", "cannot stand beside tools for this API").into());
    }
    if openai || groq { strict(request) } else { Ok(()) }
}

/// Refuses what only one other dialect has: Gemini's safety settings, an effort of Anthropic's that is about the text alone,
/// tools that are no functions, calls of them, and texts that are to be cited. And probabilities, which are not translated.
pub(super) fn others_own(request: &Fields<'_>) -> Result<()> {
    for (field, problem) in [
        ("safety_settings", "must be left out for other models than Google's"),
        ("output_config", "must be left out where thinking is disabled, for other models than Anthropic's"),
    ] {
        if request.field(field).is_some() {
            return Err(Error::invalid(field, problem).into());
        }
    }
    for field in ["logprobs", "top_logprobs"] {
        if request.field(field).is_some_and(|raw| !matches!(raw.get(), "null" | "false" | "0")) {
            return Err(Error::invalid(field, "must be left out: probabilities are not translated").into());
        }
    }
    let is_other = |raw: &Raw<'_>| object(Some(*raw)).field("type").is_some_and(|kind| kind.get() != "\"function\"");
    let problem = "must be functions alone: others go only to a target that speaks Responses";
    if items(request.field("tools")).iter().any(is_other) {
        return Err(Error::invalid("tools", problem).into());
    }
    for (index, message) in items(request.field("messages")).into_iter().enumerate() {
        let message = object(Some(message));
        let refuse =
            |name, problem| Error::invalid(&["messages[", &decimal(index as u64), name].concat(), problem).into();
        if items(message.field("tool_calls")).iter().any(is_other) {
            return Err(refuse("].tool_calls", problem));
        }
        // Of most messages nothing need be read.
        let content = message.field("content").filter(|raw| contains(raw.get(), "\"citations\""));
        if items(content).into_iter().any(|part| object(Some(part)).field("citations").is_some()) {
            return Err(refuse("].content", "must ask for no citations: only Anthropic's models give them"));
        }
    }
    Ok(())
}

/// The effort that is asked for, as the target's model has it, in JSON; empty for one that is not said. Between `low` and
/// `high` all that reason take the same words.
///
/// Groq ("reasoning_effort must be one of none or default", of Qwen): gpt-oss takes `low`, `medium` and `high`, and Llama
/// does not reason. OpenAI: `minimal` was GPT-5's alone, `xhigh` came after GPT-5.1.
pub(super) fn effort(asked: &str, outgoing: &Outgoing<'_>) -> Result<String> {
    const PATH: &str = "reasoning_effort";
    let is = |names: &[&str]| names.iter().any(|name| outgoing.model.starts_with(name));
    let before = is(&["o1", "o3", "o4", "gpt-5-", "gpt-5.1"]) || outgoing.model == "gpt-5";
    let own = match (outgoing.provider, asked) {
        (_, "") => "",
        ("groq", own) if contains(outgoing.model, "gpt-oss") => match own {
            "\"minimal\"" => "\"low\"",
            "\"xhigh\"" => "\"high\"",
            "\"none\"" => return Err(Error::invalid(PATH, "must not be none: this model always reasons").into()),
            other => other,
        },
        ("groq", "\"none\"") if contains(outgoing.model, "qwen") => "\"none\"",
        ("groq", _) if contains(outgoing.model, "qwen") => "\"default\"",
        ("groq", "\"none\"") if contains(outgoing.model, "llama") => "",
        ("groq", _) if contains(outgoing.model, "llama") => {
            return Err(Error::invalid(PATH, "is not taken by this model").into());
        }
        ("openai", "\"none\"") if reasons(outgoing.model) == Reasons::Never => "",
        ("openai", "\"minimal\"") if !(is(&["gpt-5-"]) || outgoing.model == "gpt-5") => "\"low\"",
        ("openai", "\"xhigh\"") if before => "\"high\"",
        (_, other) => other,
    };
    Ok(own.into())
}

/// Whether a model reasons: it always does, by itself, or only if it is asked to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reasons {
    Never,
    /// Its effort is `none` unless another is asked for.
    Asked,
    /// Its effort may be `none`.
    Unasked,
    Always,
}

/// As LiteLLM's table (`default_reasoning_effort`, `supports_none_reasoning_effort`) and the Vercel AI SDK's catalogue have
/// it (@ai-sdk/openai 4.0.118). Of a model that is not known nothing is refused.
fn reasons(model: &str) -> Reasons {
    let is = |names: &[&str]| names.iter().any(|name| model.starts_with(name));
    if is(&["o1", "o3", "o4", "gpt-6-astra", "gpt-6.1-sol"]) {
        return Reasons::Always;
    }
    if is(&["gpt-5.1", "gpt-5.2", "gpt-5.4"]) {
        return Reasons::Asked;
    }
    if is(&["gpt-5.", "gpt-6"]) {
        return Reasons::Unasked;
    }
    if is(&["gpt-5"]) && !is(&["gpt-5-chat"]) { Reasons::Always } else { Reasons::Never }
}

/// A model that reasons draws its words by itself ("Unsupported value: 'temperature' does not support 0.7 with this model.
/// Only the default (1) value is supported.") and none of those that can takes `stop`, penalties or a bias.
fn reasoning(request: &Fields<'_>, model: &str) -> Result<()> {
    let given = |name: &str| request.field(name).filter(|raw| raw.get() != "null");
    let own = reasons(model);
    let wanted = object(given("reasoning"));
    let effort = given("reasoning_effort").or_else(|| wanted.field("effort").filter(|raw| raw.get() != "null"));
    let is_none = effort.is_some_and(|raw| raw.get() == "\"none\"");
    let asked = (effort.is_some() || wanted.field("max_tokens").is_some()) && !is_none;
    if own == Reasons::Never {
        // "Unsupported parameter: 'reasoning_effort' is not supported with this model."
        let known = ["gpt-3", "gpt-4", "gpt-5-chat"].iter().any(|name| model.starts_with(name));
        return if known && asked {
            Err(Error::invalid("reasoning_effort", "is not taken by this model").into())
        } else {
            Ok(())
        };
    }
    if own == Reasons::Always && is_none {
        return Err(Error::invalid("reasoning_effort", "must not be none: this model always reasons").into());
    }
    let reasons = asked || own > Reasons::Asked && !is_none;
    let is_default = |name: &str, raw: Raw<'_>| match name {
        "temperature" | "top_p" => matches!(raw.get(), "1" | "1.0"),
        "presence_penalty" | "frequency_penalty" => matches!(raw.get(), "0" | "0.0"),
        "logprobs" => raw.get() == "false",
        "logit_bias" => raw.get() == "{}",
        _ => raw.get() == "[]",
    };
    let drawn = ["temperature", "top_p", "logprobs"].into_iter().filter(|_| reasons);
    for name in drawn.chain(["presence_penalty", "frequency_penalty", "logit_bias", "stop"]) {
        if given(name).is_some_and(|raw| !is_default(name, raw)) {
            return Err(Error::invalid(name, "is not taken by this model").into());
        }
    }
    Ok(())
}

/// A strict schema requires each of its properties, and allows no other ("'required' is required to be supplied and to be
/// an array including every key in properties").
fn strict(request: &Fields<'_>) -> Result<()> {
    const PROBLEM: &str =
        "must name all properties in `required` and have `additionalProperties: false`, to be strict here";
    let is_strict = |own: &Fields<'_>| own.field("strict").is_some_and(|raw| raw.get() == "true");
    let refuse = |path: &str| Err(Error::invalid(path, PROBLEM).into());
    let format = object(request.field("response_format")).field("json_schema");
    let own = object(format);
    if is_strict(&own) && !own.field("schema").is_some_and(|schema| is_strictly(schema, LEVELS)) {
        return refuse("response_format.json_schema.schema");
    }
    let tools = request.field("tools").and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default();
    for (index, tool) in tools.into_iter().enumerate() {
        let own = object(object(Some(tool)).field("function"));
        if is_strict(&own) && own.field("parameters").is_some_and(|schema| !is_strictly(schema, LEVELS)) {
            return refuse(&["tools[", &decimal(index as u64), "].function.parameters"].concat());
        }
    }
    Ok(())
}

/// The fields of an object; none of anything else.
fn items(raw: Option<Raw<'_>>) -> Vec<Raw<'_>> {
    raw.and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default()
}

fn object(raw: Option<Raw<'_>>) -> Fields<'_> {
    raw.and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default()
}

fn is_strictly(schema: Raw<'_>, levels: usize) -> bool {
    let (Ok(fields), Some(levels)) = (json::fields(schema.get()), levels.checked_sub(1)) else { return levels > 0 };
    let is_object = fields.field("type").is_some_and(|kind| kind.get() == "\"object\"");
    let closed = fields.field("additionalProperties").is_some_and(|raw| raw.get() == "false");
    if is_object && !closed {
        return false;
    }
    fields.iter().all(|(name, raw)| match name {
        "properties" => {
            let required = fields.field("required").and_then(|raw| json::items(raw.get()).ok()).unwrap_or_default();
            let required: BTreeSet<_> = required.into_iter().filter_map(json::text).collect();
            closed && object(Some(raw)).iter().all(|(name, raw)| required.contains(name) && is_strictly(raw, levels))
        }
        "$defs" | "definitions" => object(Some(raw)).iter().all(|(_, raw)| is_strictly(raw, levels)),
        "anyOf" => json::items(raw.get()).unwrap_or_default().into_iter().all(|raw| is_strictly(raw, levels)),
        "items" => is_strictly(raw, levels),
        "allOf" | "oneOf" | "not" | "if" | "patternProperties" => false,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Detail;

    fn refused(body: &str, provider: &str, model: &str) -> String {
        let outgoing = Outgoing { provider, model, max_output_tokens: 64, stream: false, relayed: false, most: None };
        match check(&json::fields(body).unwrap(), &outgoing) {
            Ok(()) => String::new(),
            Err(error) => match error.detail {
                Detail::Fields(fields) => fields[0].path.clone(),
                other => panic!("{other:?}"),
            },
        }
    }

    #[test]
    fn a_model_that_reasons_draws_by_itself() {
        const WARM: &str = r#""temperature":0.7"#;
        const EFFORT: &str = r#""reasoning_effort""#;
        for (fields, model, named) in [
            (WARM.to_owned(), "gpt-4.1-mini", ""),
            (WARM.to_owned(), "gpt-5-chat-latest", ""),
            (WARM.to_owned(), "o3-mini", "temperature"),
            (WARM.to_owned(), "gpt-5-nano", "temperature"),
            (WARM.to_owned(), "gpt-5.4-mini", ""),
            (WARM.to_owned(), "gpt-6-sol", "temperature"),
            (format!(r#"{WARM},{EFFORT}:"low""#), "gpt-5.4-mini", "temperature"),
            (format!(r#"{WARM},"reasoning":{{"max_tokens":2000}}"#), "gpt-5.1", "temperature"),
            (format!(r#"{WARM},{EFFORT}:"none""#), "gpt-6-sol", ""),
            (format!(r#"{EFFORT}:"none""#), "gpt-5", "reasoning_effort"),
            (format!(r#"{EFFORT}:"none""#), "gpt-4.1", ""),
            (format!(r#"{EFFORT}:"low""#), "gpt-4.1", "reasoning_effort"),
            (r#""reasoning":{"max_tokens":2000}"#.to_owned(), "gpt-4o-mini", "reasoning_effort"),
            (format!(r#"{EFFORT}:"low""#), "ft:gpt", ""),
            (format!(r#"{EFFORT}:"none""#), "gpt-6.1-sol", "reasoning_effort"),
            (r#""temperature":1,"top_p":1.0,"stop":[],"presence_penalty":0,"logprobs":null"#.to_owned(), "o3", ""),
            (r#""top_p":0.5"#.to_owned(), "gpt-5-mini", "top_p"),
            (r#""stop":["END"]"#.to_owned(), "gpt-5.2", "stop"),
            (r#""stop":["a","b","c","d"]"#.to_owned(), "gpt-4o", ""),
            (r#""stop":["a","b","c","d","e"]"#.to_owned(), "gpt-4o", "stop"),
            (r#""stop":["END"],"presence_penalty":1"#.to_owned(), "gpt-4o", ""),
        ] {
            let body = format!("{{{fields}}}");
            assert_eq!(refused(&body, "openai", model), named, "{fields} {model}");
            assert_eq!(refused(&body, "mine", model), "", "of another maker's models nothing is known");
        }
    }

    #[test]
    fn an_effort_is_one_that_the_model_takes() {
        const QWEN: &str = "qwen/qwen3.8-27b";
        const OSS: &str = "openai/gpt-oss-20b";
        for (provider, model, asked, own) in [
            ("groq", OSS, "", Some("")),
            ("groq", OSS, "minimal", Some("low")),
            ("groq", OSS, "medium", Some("medium")),
            ("groq", OSS, "xhigh", Some("high")),
            ("groq", OSS, "none", None),
            ("groq", QWEN, "high", Some("default")),
            ("groq", QWEN, "none", Some("none")),
            ("groq", "llama-3.3-70b-versatile", "none", Some("")),
            ("groq", "llama-3.3-70b-versatile", "low", None),
            ("groq", "some/new-model", "low", Some("low")),
            ("openai", "gpt-5-mini", "minimal", Some("minimal")),
            ("openai", "gpt-4.1", "none", Some("")),
            ("openai", "gpt-5.4", "minimal", Some("low")),
            ("openai", "o3", "minimal", Some("low")),
            ("openai", "gpt-5.1", "xhigh", Some("high")),
            ("openai", "gpt-5.4", "xhigh", Some("xhigh")),
            ("mine", "m", "minimal", Some("minimal")),
        ] {
            let outgoing =
                Outgoing { provider, model, max_output_tokens: 64, stream: false, relayed: false, most: None };
            let quoted = |word: &str| if word.is_empty() { String::new() } else { format!("\"{word}\"") };
            assert_eq!(effort(&quoted(asked), &outgoing).ok(), own.map(quoted), "{model} {asked}");
        }
    }

    #[test]
    fn groq_answers_in_json_or_with_calls() {
        let body = |tools: &str, kind: &str| format!(r#"{{"tools":{tools},"response_format":{{"type":"{kind}"}}}}"#);
        let tool = r#"[{"type":"function","function":{"name":"f"}}]"#;
        assert_eq!(refused(&body(tool, "json_object"), "groq", "m"), "response_format");
        for (tools, kind, provider) in
            [(tool, "text", "groq"), ("[]", "json_object", "groq"), (tool, "json_object", "openai")]
        {
            assert_eq!(refused(&body(tools, kind), provider, "m"), "", "{tools} {kind} {provider}");
        }
    }

    #[test]
    fn a_strict_schema_has_the_form_that_is_taken() {
        const WHOLE: &str = r#"{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"],"additionalProperties":false}"#;
        let format = |strict: bool, schema: &str| {
            format!(
                r#"{{"response_format":{{"type":"json_schema","json_schema":{{"name":"n","strict":{strict},"schema":{schema}}}}}}}"#
            )
        };
        let tool = |schema: &str| {
            format!(
                r#"{{"tools":[{{"type":"function","function":{{"name":"f","strict":true,"parameters":{schema}}}}}]}}"#
            )
        };
        let inside = |schema: &str| WHOLE.replace(r#"{"type":["string","null"]}"#, schema);
        let lists = format!(r#"{{"type":"array","items":{WHOLE}}}"#);
        for fine in [WHOLE.to_owned(), inside(WHOLE), inside(&lists), inside(r#"{"anyOf":[{"type":"null"}]}"#)] {
            assert_eq!(refused(&format(true, &fine), "openai", "gpt-4.1"), "", "{fine}");
            assert_eq!(refused(&tool(&fine), "groq", "openai/gpt-oss-20b"), "", "{fine}");
        }
        let open = WHOLE.replace(r#","additionalProperties":false"#, "");
        let optional = WHOLE.replace(r#""required":["a"],"#, "");
        for other in [
            inside(&optional),
            inside(&format!(r#"{{"type":"array","items":{open}}}"#)),
            inside(r#"{"oneOf":[]}"#),
            inside(r#"{"type":"object"}"#),
            open,
            optional,
            format!("{}1{}", r#"{"items":"#.repeat(99), "}".repeat(99)),
        ] {
            assert_eq!(
                refused(&format(true, &other), "openai", "gpt-4.1"),
                "response_format.json_schema.schema",
                "{other}"
            );
            assert_eq!(refused(&tool(&other), "groq", "m"), "tools[0].function.parameters", "{other}");
            assert_eq!(refused(&format(false, &other), "openai", "gpt-4.1"), "");
            assert_eq!(refused(&tool(&other), "mistral", "m"), "");
        }
    }
}

//! `tools` and `tool_choice`.

use super::schema;
use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw, push_text};
use crate::provider::google::fields::{comma, field, given, item, join, known, lacking, plain, push, text};

/// Writes `tools` and `toolConfig`. Parameters stay JSON Schema (`parametersJsonSchema`). A strict function
/// asks for `VALIDATED`, the mode that holds arguments to their schema. Says whether there is any.
pub(super) fn encode(request: &Fields<'_>, out: &mut String) -> Result<bool> {
    let (mut functions, mut count, mut strict) = (String::new(), 0, false);
    if let Some(tools) = given(request, "tools") {
        let tools = json::items(tools.get()).map_err(|_| Error::invalid("tools", "must be a list"))?;
        count = tools.len();
        for (index, raw) in tools.into_iter().enumerate() {
            strict |= function(raw, &item("tools", index), &mut functions)?;
        }
    }
    let choice = given(request, "tool_choice").map(|raw| choice(raw, strict, count)).transpose()?;
    // Gemini has no way to say that a function be called once, and often makes several calls at a time where it may choose.
    let alone = choice.as_ref().is_some_and(|(_, alone)| *alone);
    if !alone && given(request, "parallel_tool_calls").is_some_and(|raw| raw.get() == "false") {
        return Err(lacking("parallel_tool_calls"));
    }
    if functions.is_empty() {
        return Ok(false);
    }
    field(out, "tools", "");
    push(out, &["[{\"functionDeclarations\":[", &functions, "]}]"]);
    let config = choice.map(|(config, _)| config).or_else(|| strict.then(|| mode("VALIDATED", "")));
    if let Some(config) = config {
        field(out, "toolConfig", &config);
    }
    Ok(true)
}

/// Writes one declaration; says whether it is a strict one.
fn function(raw: Raw<'_>, path: &str, out: &mut String) -> Result<bool> {
    let mut strict = false;
    let tool = plain(raw, path)?;
    if tool.field("type").and_then(json::text).as_deref() != Some("function") {
        return Err(lacking(&join(path, "type")));
    }
    known(&tool, &["type", "function", "cache_control"], path)?;
    let path = join(path, "function");
    let function = plain(tool.field("function").ok_or_else(|| lacking(&path))?, &path)?;
    comma(out);
    out.push('{');
    for (name, raw) in function.iter().filter(|(_, raw)| raw.get() != "null") {
        match name {
            "name" | "description" => {
                text(raw, &join(&path, name))?;
                field(out, name, raw.get());
            }
            // Whoever takes nothing has no schema: one has to be of an object.
            "parameters" if raw.get() == "{}" => {}
            "parameters" => {
                field(out, "parametersJsonSchema", "");
                schema::encode(out, raw);
            }
            "strict" => strict = raw.get() == "true",
            "cache_control" => {}
            _ => return Err(lacking(&join(&path, name))),
        }
    }
    out.push('}');
    Ok(strict)
}

fn bad() -> Box<Error> {
    const PROBLEM: &str = "must be none, auto, required, a function or a list of allowed functions";
    Error::invalid("tool_choice", PROBLEM).into()
}

/// What Gemini is told of a choice, and whether it leaves no two calls to make: none at all, or a forced one of a function
/// that no other can stand beside, as where an object of a schema is asked for. `count`: of how many functions.
fn choice(raw: Raw<'_>, strict: bool, count: usize) -> Result<(String, bool)> {
    let auto = if strict { "VALIDATED" } else { "AUTO" };
    if let Some(word) = json::text(raw) {
        return match word.as_ref() {
            "none" => Ok((mode("NONE", ""), true)),
            "auto" => Ok((mode(auto, ""), false)),
            "required" => Ok((mode("ANY", ""), count == 1)),
            _ => Err(bad()),
        };
    }
    let fields = json::fields(raw.get()).map_err(|_| bad())?;
    let mut names = String::new();
    match fields.field("type").and_then(json::text).as_deref() {
        Some("function") => {
            named(&fields, "tool_choice", &mut names)?;
            Ok((mode("ANY", &names), true))
        }
        Some("allowed_tools") => {
            known(&fields, &["type", "allowed_tools"], "tool_choice")?;
            let own = fields.field("allowed_tools").and_then(|raw| json::fields(raw.get()).ok()).ok_or_else(bad)?;
            let tools = own.field("tools").and_then(|raw| json::items(raw.get()).ok()).ok_or_else(bad)?;
            known(&own, &["mode", "tools"], "tool_choice.allowed_tools")?;
            let allowed = tools.len();
            for tool in tools {
                let tool = json::fields(tool.get()).map_err(|_| bad())?;
                named(&tool, "tool_choice.allowed_tools.tools", &mut names)?;
            }
            match own.field("mode").and_then(json::text).as_deref() {
                Some("required") => Ok((mode("ANY", &names), allowed == 1)),
                // Names go with this mode, and not with `AUTO`.
                Some("auto") => Ok((mode("VALIDATED", &names), false)),
                _ => Err(bad()),
            }
        }
        _ => Err(bad()),
    }
}

/// Appends the name of a function that is `{"type":"function","function":{"name":…}}`.
fn named(tool: &Fields<'_>, path: &str, names: &mut String) -> Result<()> {
    known(tool, &["type", "function"], path)?;
    let function =
        tool.field("function").filter(|_| tool.field("type").is_some_and(|kind| kind.get() == "\"function\""));
    let function = function.and_then(|raw| json::fields(raw.get()).ok()).ok_or_else(bad)?;
    known(&function, &["name"], path)?;
    let name = function.field("name").and_then(json::text).ok_or_else(bad)?;
    comma(names);
    push_text(names, &name);
    Ok(())
}

fn mode(mode: &str, names: &str) -> String {
    let allowed = if names.is_empty() { ["", "", ""] } else { [",\"allowedFunctionNames\":[", names, "]"] };
    ["{\"functionCallingConfig\":{\"mode\":\"", mode, "\"", &allowed.concat(), "}}"].concat()
}

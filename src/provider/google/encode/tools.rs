//! `tools` and `tool_choice`.

use crate::error::{Error, Result};
use crate::json::{self, Fields, Raw, push_text};
use crate::provider::google::fields::{comma, field, given, item, join, known, lacking, plain, push, text};

/// Writes `tools` and `toolConfig`. Parameters stay JSON Schema (`parametersJsonSchema`). A strict function
/// asks for `VALIDATED`, the mode that holds arguments to their schema.
pub(super) fn encode(request: &Fields<'_>, out: &mut String) -> Result<()> {
    let (mut functions, mut strict) = (String::new(), false);
    if let Some(tools) = given(request, "tools") {
        let tools = json::items(tools.get()).map_err(|_| Error::invalid("tools", "must be a list"))?;
        for (index, raw) in tools.into_iter().enumerate() {
            strict |= function(raw, &item("tools", index), &mut functions)?;
        }
    }
    let choice = given(request, "tool_choice").map(|raw| choice(raw, strict)).transpose()?;
    let alone = choice.as_deref().is_some_and(|choice| is_alone(choice, &functions));
    if given(request, "parallel_tool_calls").is_some_and(|raw| raw.get() == "false") && !alone {
        return Err(lacking("parallel_tool_calls"));
    }
    if functions.is_empty() {
        return Ok(());
    }
    field(out, "tools", "");
    push(out, &["[{\"functionDeclarations\":[", &functions, "]}]"]);
    let choice = choice.unwrap_or_else(|| if strict { mode("VALIDATED", "") } else { String::new() });
    if !choice.is_empty() {
        field(out, "toolConfig", &choice);
    }
    Ok(())
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
            "parameters" => field(out, "parametersJsonSchema", raw.get()),
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

fn choice(raw: Raw<'_>, strict: bool) -> Result<String> {
    let auto = if strict { "VALIDATED" } else { "AUTO" };
    if let Some(word) = json::text(raw) {
        return match word.as_ref() {
            "none" => Ok(mode("NONE", "")),
            "auto" => Ok(mode(auto, "")),
            "required" => Ok(mode("ANY", "")),
            _ => Err(bad()),
        };
    }
    let fields = json::fields(raw.get()).map_err(|_| bad())?;
    let mut names = String::new();
    match fields.field("type").and_then(json::text).as_deref() {
        Some("function") => {
            named(&fields, "tool_choice", &mut names)?;
            Ok(mode("ANY", &names))
        }
        Some("allowed_tools") => {
            known(&fields, &["type", "allowed_tools"], "tool_choice")?;
            let own = fields.field("allowed_tools").and_then(|raw| json::fields(raw.get()).ok()).ok_or_else(bad)?;
            let tools = own.field("tools").and_then(|raw| json::items(raw.get()).ok()).ok_or_else(bad)?;
            known(&own, &["mode", "tools"], "tool_choice.allowed_tools")?;
            for tool in tools {
                let tool = json::fields(tool.get()).map_err(|_| bad())?;
                named(&tool, "tool_choice.allowed_tools.tools", &mut names)?;
            }
            match own.field("mode").and_then(json::text).as_deref() {
                Some("required") => Ok(mode("ANY", &names)),
                // Names go with this mode, and not with `AUTO`.
                Some("auto") => Ok(mode("VALIDATED", &names)),
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

/// Whether a function must be called that no other can stand beside, as where an object of a schema is asked for. Gemini
/// has no way to say that it be called once; elsewhere it often makes several calls at a time.
fn is_alone(choice: &str, functions: &str) -> bool {
    let count = |list: &str| json::items(&["[", list, "]"].concat()).map_or(0, |items| items.len());
    let Some((_, forced)) = choice.split_once("\"mode\":\"ANY\"") else { return choice.contains("\"NONE\"") };
    match forced.split_once('[').and_then(|(_, names)| names.split_once("]}}")) {
        Some((names, _)) => count(names) == 1,
        None => count(functions) == 1,
    }
}

fn mode(mode: &str, names: &str) -> String {
    let allowed = if names.is_empty() { ["", "", ""] } else { [",\"allowedFunctionNames\":[", names, "]"] };
    ["{\"functionCallingConfig\":{\"mode\":\"", mode, "\"", &allowed.concat(), "}}"].concat()
}

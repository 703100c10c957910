//! `tools` and `toolConfig`.

use super::schema;
use crate::error::{Error, Result};
use crate::json::{Raw, push_text};
use crate::provider::google::fields::{comma, field, given, item, join, list, object, push, refuse, text};

/// Writes `tools` and `tool_choice`; without a function there is nothing to choose.
pub(super) fn decode(tools: Option<Raw<'_>>, config: Option<Raw<'_>>, out: &mut String) -> Result<()> {
    let mut functions = String::new();
    let tools = tools.map_or(Ok(Vec::new()), |raw| list(raw, "tools"))?;
    for (index, raw) in tools.into_iter().enumerate() {
        let path = item("tools", index);
        for (name, raw) in object(raw.get(), &path)?.iter().filter(|(_, raw)| raw.get() != "null") {
            let path = join(&path, name);
            if name != "functionDeclarations" {
                return Err(refuse(&path));
            }
            for (index, raw) in list(raw, &path)?.into_iter().enumerate() {
                function(raw, &item(&path, index), &mut functions)?;
            }
        }
    }
    let choice = config.map_or(Ok(String::new()), choice)?;
    if !functions.is_empty() {
        field(out, "tools", "");
        push(out, &["[", &functions, "]"]);
        if !choice.is_empty() {
            field(out, "tool_choice", &choice);
        }
    }
    Ok(())
}

fn function(raw: Raw<'_>, path: &str, out: &mut String) -> Result<()> {
    let fields = object(raw.get(), path)?;
    comma(out);
    out.push_str("{\"type\":\"function\",\"function\":{");
    let mut named = false;
    for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
        let path = join(path, name);
        match name {
            "name" => {
                named = !text(raw, &path)?.is_empty();
                field(out, name, raw.get());
            }
            "description" => {
                text(raw, &path)?;
                field(out, name, raw.get());
            }
            "parameters" if given(&fields, "parametersJsonSchema").is_none() => {
                field(out, "parameters", "");
                schema::decode(raw.get(), &path, out)?;
            }
            "parametersJsonSchema" => field(out, "parameters", raw.get()),
            "behavior" if matches!(raw.get(), "\"UNSPECIFIED\"" | "\"BLOCKING\"") => {}
            _ => return Err(refuse(&path)),
        }
    }
    if !named {
        return Err(Error::invalid(&join(path, "name"), "must be a text that is not empty").into());
    }
    out.push_str("}}");
    Ok(())
}

/// `VALIDATED` is `AUTO` with arguments held to the schema. `streamFunctionCallArguments` changes only how
/// the answer is cut, and is left out.
fn choice(raw: Raw<'_>) -> Result<String> {
    const PATH: &str = "toolConfig.functionCallingConfig";
    let (mut mode, mut names) = (String::from("AUTO"), Vec::new());
    for (name, raw) in object(raw.get(), "toolConfig")?.iter().filter(|(_, raw)| raw.get() != "null") {
        match (name, raw.get()) {
            ("functionCallingConfig", _) => {}
            ("includeServerSideToolInvocations", "false") => continue,
            _ => return Err(refuse(&join("toolConfig", name))),
        }
        for (name, raw) in object(raw.get(), PATH)?.iter().filter(|(_, raw)| raw.get() != "null") {
            let path = join(PATH, name);
            match name {
                "mode" => mode = text(raw, &path)?.to_ascii_uppercase(),
                "allowedFunctionNames" => {
                    for raw in list(raw, &path)? {
                        names.push(text(raw, &path)?);
                    }
                }
                "streamFunctionCallArguments" => {}
                _ => return Err(refuse(&path)),
            }
        }
    }
    let function = |out: &mut String, name: &str| {
        comma(out);
        out.push_str("{\"type\":\"function\",\"function\":{\"name\":");
        push_text(out, name);
        out.push_str("}}");
    };
    let mut out = String::new();
    match (mode.as_str(), names.as_slice()) {
        ("AUTO" | "VALIDATED" | "MODE_UNSPECIFIED", []) => out.push_str("\"auto\""),
        ("NONE", _) => out.push_str("\"none\""),
        ("ANY", []) => out.push_str("\"required\""),
        ("ANY", [name]) => function(&mut out, name),
        ("ANY" | "VALIDATED" | "AUTO", names) => {
            let mode = if mode == "ANY" { "required" } else { "auto" };
            push(&mut out, &["{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"", mode, "\",\"tools\":["]);
            for name in names {
                function(&mut out, name);
            }
            out.push_str("]}}");
        }
        _ => {
            let problem = "must be AUTO, ANY, NONE or VALIDATED";
            return Err(Error::invalid(&join(PATH, "mode"), problem).into());
        }
    }
    Ok(out)
}

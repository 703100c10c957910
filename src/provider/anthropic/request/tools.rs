//! Tools, and which of them may be called.

use super::models::Age;
use super::place::{NO_FORM, Place, present};
use crate::error::Result;
use crate::json::{self, Fields, Raw};
use crate::provider::anthropic::write::{comma, field, put};

/// Tools that the client runs and Anthropic describes. A target of another dialect cannot carry them.
const CLIENTS_OWN: [&str; 4] = ["bash_20", "text_editor_20", "memory_20", "computer_20"];

/// More than such a description has tokens (platform.claude.com, "Tool use": 245 for the shell, 700 for the editor, 735 and
/// 499 more for the computer), which are counted by the bytes of the request.
const DEFINITION_BYTES: usize = 2_000;
/// There are four, each in some versions: more would fill the memory with bytes that only count.
const MOST_DESCRIBED: u32 = 16;

/// Appends a caller's tools. Those that the provider runs itself (web search, code execution) have a fee for each use and
/// are refused; those that the client runs by Anthropic's description are written as OpenAI's `custom`, which no other
/// dialect carries. How finely a tool's input is streamed does not matter and is left out.
pub(super) fn decode(out: &mut String, raw: Raw<'_>) -> Result<()> {
    const KNOWN: [&str; 8] = [
        "type",
        "name",
        "description",
        "input_schema",
        "strict",
        "cache_control",
        "eager_input_streaming",
        "defer_loading",
    ];
    let tools = Place::field("tools");
    let list = tools.list(raw)?;
    if list.is_empty() {
        return Ok(());
    }
    out.push_str(",\"tools\":[");
    let mut described = 0u32;
    for (index, raw) in list.into_iter().enumerate() {
        let place = tools.item(index);
        let fields = place.object(raw)?;
        let kind = present(&fields, "type").map(|_| place.said(&fields, "type")).transpose()?;
        match kind.and_then(json::text).as_deref() {
            None | Some("custom") => {}
            Some(kind) if CLIENTS_OWN.iter().any(|own| kind.starts_with(own)) => {
                place.in_small_letters(&fields)?;
                described = described.saturating_add(1);
                if described > MOST_DESCRIBED {
                    return place
                        .refuse("type", "is one of too many: of Anthropic's own tools a request has at most 16");
                }
                comma(out);
                put(out, &["{\"type\":\"custom\",\"custom\":", raw.get(), &" ".repeat(DEFINITION_BYTES), "}"]);
                continue;
            }
            Some(_) => return Err(place.of("type").unpriced()),
        }
        place.known(&fields, &KNOWN)?;
        if present(&fields, "defer_loading").is_some_and(|raw| raw.get() != "false") {
            return place.refuse("defer_loading", NO_FORM);
        }
        let name = place.said(&fields, "name")?;
        let schema = present(&fields, "input_schema").filter(|raw| json::fields(raw.get()).is_ok());
        let schema = schema.ok_or_else(|| place.of("input_schema").error("must be a JSON object"))?;
        comma(out);
        put(out, &["{\"type\":\"function\",\"function\":{\"name\":", name.get()]);
        if present(&fields, "description").is_some() {
            field(out, "description", place.said(&fields, "description")?.get());
        }
        field(out, "parameters", schema.get());
        strict(out, &place, &fields)?;
        out.push_str("}}");
    }
    out.push(']');
    Ok(())
}

fn strict(out: &mut String, place: &Place<'_>, fields: &Fields<'_>) -> Result<()> {
    match present(fields, "strict").map(Raw::get) {
        Some("true") => field(out, "strict", "true"),
        Some("false") | None => {}
        Some(_) => return place.refuse("strict", "must be true or false"),
    }
    Ok(())
}

/// Appends a caller's `tool_choice`, which says too whether tools may be called in parallel.
pub(super) fn decode_choice(out: &mut String, raw: Raw<'_>) -> Result<()> {
    let place = Place::field("tool_choice");
    let fields = place.object(raw)?;
    place.known(&fields, &["type", "name", "disable_parallel_tool_use"])?;
    match json::text(place.said(&fields, "type")?).as_deref() {
        Some("auto") => field(out, "tool_choice", "\"auto\""),
        Some("any") => field(out, "tool_choice", "\"required\""),
        Some("none") => field(out, "tool_choice", "\"none\""),
        Some("tool") => {
            let name = place.said(&fields, "name")?;
            put(out, &[",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":", name.get(), "}}"]);
        }
        _ => return place.refuse("type", "must be auto, any, tool or none"),
    }
    match present(&fields, "disable_parallel_tool_use").map(Raw::get) {
        Some("true") => field(out, "parallel_tool_calls", "false"),
        Some("false") | None => {}
        Some(_) => return place.refuse("disable_parallel_tool_use", "must be true or false"),
    }
    Ok(())
}

/// Appends neutral tools. True if there is any.
pub(super) fn encode(out: &mut String, raw: Raw<'_>, age: Age) -> Result<bool> {
    let tools = Place::field("tools");
    let list = tools.list(raw)?;
    if list.is_empty() {
        return Ok(false);
    }
    out.push_str(",\"tools\":[");
    for (index, raw) in list.into_iter().enumerate() {
        let place = tools.item(index);
        let outer = place.object(raw)?;
        if json::text(place.said(&outer, "type")?).as_deref() != Some("function") {
            return place.refuse("type", NO_FORM);
        }
        place.known(&outer, &["type", "function", "cache_control"])?;
        let own = place.of("function");
        let function = own.object(outer.field("function").ok_or_else(|| own.error("is missing"))?)?;
        own.known(&function, &["name", "description", "parameters", "strict"])?;
        comma(out);
        put(out, &["{\"name\":", own.said(&function, "name")?.get()]);
        if present(&function, "description").is_some() {
            field(out, "description", own.said(&function, "description")?.get());
        }
        input_schema(out, &own, &function, age)?;
        strict(out, &own, &function)?;
        if let Some(mark) = present(&outer, "cache_control") {
            field(out, "cache_control", mark.get());
        }
        out.push('}');
    }
    out.push(']');
    Ok(true)
}

/// Appends the schema of what a function takes. The API wants an object of one kind, also where there are no
/// parameters.
fn input_schema(out: &mut String, own: &Place<'_>, function: &Fields<'_>, age: Age) -> Result<()> {
    let at = own.of("parameters");
    let raw = present(function, "parameters");
    let schema = raw.map(|raw| json::fields(raw.get()).map_err(|_| at.error("must be a JSON object"))).transpose()?;
    let Some((raw, schema)) = raw.zip(schema).filter(|(_, schema)| !schema.is_empty()) else {
        field(out, "input_schema", "{\"type\":\"object\",\"properties\":{}}");
        return Ok(());
    };
    if age != Age::Foreign {
        if let Some(name) = ["anyOf", "oneOf", "allOf"].into_iter().find(|name| present(&schema, name).is_some()) {
            return at.refuse(name, "is not taken at the top of a schema by this API");
        }
        if present(function, "strict").is_some_and(|raw| raw.get() == "true") {
            super::schema::strict(&at, raw)?;
        }
    }
    if present(&schema, "type").is_some() {
        field(out, "input_schema", raw.get());
        return Ok(());
    }
    out.push_str(",\"input_schema\":{\"type\":\"object\"");
    for (name, raw) in schema.iter().filter(|(name, _)| *name != "type") {
        field(out, name, raw.get());
    }
    out.push('}');
    Ok(())
}

/// Appends `tool_choice` for the neutral field of this name and `parallel_tool_calls`. A request without
/// tools needs neither, and one whose model thinks cannot force a call, nor can any to a model that decides by itself
/// (`free`): the API refuses that.
pub(super) fn encode_choice(out: &mut String, choice: Option<Raw<'_>>, parallel: bool, free: bool) -> Result<()> {
    let place = Place::field("tool_choice");
    let mut named = None;
    let kind = match choice.map(json::text) {
        None => "auto",
        Some(Some(word)) => match word.as_ref() {
            "auto" => "auto",
            "required" => "any",
            "none" => "none",
            _ => return Err(place.error("must be auto, required, none or a function")),
        },
        Some(None) => {
            let outer = place.object(choice.ok_or_else(|| place.error(NO_FORM))?)?;
            if json::text(place.said(&outer, "type")?).as_deref() != Some("function") {
                return place.refuse("type", NO_FORM);
            }
            place.known(&outer, &["type", "function"])?;
            let own = place.of("function");
            let function = own.object(outer.field("function").ok_or_else(|| own.error("is missing"))?)?;
            own.known(&function, &["name"])?;
            named = Some(own.said(&function, "name")?);
            "tool"
        }
    };
    if free && matches!(kind, "any" | "tool") {
        return Err(place.error("cannot force a call while this model reasons"));
    }
    let serial = !parallel && kind != "none";
    if choice.is_none() && !serial {
        return Ok(());
    }
    put(out, &[",\"tool_choice\":{\"type\":\"", kind, "\""]);
    if let Some(name) = named {
        field(out, "name", name.get());
    }
    out.push_str(if serial { ",\"disable_parallel_tool_use\":true}" } else { "}" });
    Ok(())
}

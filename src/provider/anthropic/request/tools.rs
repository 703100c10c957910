//! Tools, and which of them may be called.

use super::place::{NO_FORM, Place, present};
use crate::error::Result;
use crate::json::{self, Fields, Raw};
use crate::provider::anthropic::write::{comma, field, put};

/// Appends a caller's tools. Those that the provider runs itself (web search, code execution) have no
/// counterpart; how finely a tool's input is streamed does not matter and is left out.
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
    for (index, raw) in list.into_iter().enumerate() {
        let place = tools.item(index);
        let fields = place.object(raw)?;
        if present(&fields, "type").is_some_and(|kind| json::text(kind).as_deref() != Some("custom")) {
            return place.refuse("type", NO_FORM);
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
pub(super) fn encode(out: &mut String, raw: Raw<'_>) -> Result<bool> {
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
        let schema = present(&function, "parameters");
        if schema.is_some_and(|raw| json::fields(raw.get()).is_err()) {
            return own.refuse("parameters", "must be a JSON object");
        }
        // A function without parameters: the API wants a schema all the same.
        let schema = schema.map(Raw::get).filter(|schema| *schema != "{}");
        field(out, "input_schema", schema.unwrap_or("{\"type\":\"object\",\"properties\":{}}"));
        strict(out, &own, &function)?;
        if let Some(mark) = present(&outer, "cache_control") {
            field(out, "cache_control", mark.get());
        }
        out.push('}');
    }
    out.push(']');
    Ok(true)
}

/// Appends `tool_choice` for the neutral field of this name and `parallel_tool_calls`. A request without
/// tools needs neither, and one whose model thinks cannot force a call: the API refuses that.
pub(super) fn encode_choice(out: &mut String, choice: Option<Raw<'_>>, parallel: bool, thinks: bool) -> Result<()> {
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
    if thinks && matches!(kind, "any" | "tool") {
        return Err(place.error("cannot force a call while the model reasons"));
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

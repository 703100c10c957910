//! From a caller's tools, and what it says of them, to the neutral form.

use super::super::namespace::{MARK, joined};
use super::super::write::{member, push_all, quoted, separate};
use super::{at, copy, is_text, list, object, only, said, text_of};
use crate::error::{Code, Error, Result};
use crate::json::{self, Escaped, Fields, Raw};

/// Tools that the client runs, though they are no functions: what they say and what comes of them is text, so that they
/// cost what they read. A target of another dialect cannot carry them.
const CLIENTS_OWN: [&str; 3] = ["custom", "local_shell", "apply_patch"];

/// The longest name of a namespace, in bytes as it is written (OpenAI's longest is 64): each of its tools repeats it.
const LONGEST: usize = 128;

/// Appends the tools of a list, with commas between.
///
/// # Errors
/// `invalid_request` for what is malformed, `unpriced_input` for what the provider runs: each call has a fee, and what it
/// fetches is read.
pub(super) fn tools(raw: Raw<'_>, path: &str, out: &mut String) -> Result<()> {
    list(raw, path)?.into_iter().enumerate().try_for_each(|(index, raw)| tool(raw, &at(path, index, ""), "", "", out))
}

/// `space` is the name of the namespace that it is in, `about` what is said of that; both escaped, and empty for none.
fn tool(raw: Raw<'_>, path: &str, space: &str, about: &str, out: &mut String) -> Result<()> {
    let tool = object(raw, path)?;
    let kind = json::text(text_of(&tool, "type", path)?).unwrap_or_default();
    let is = |of: &Fields<'_>, name: &str, word: &str| of.field(name).and_then(json::text).as_deref() == Some(word);
    match kind.as_ref() {
        "function" => {
            only(&tool, &["type", "name", "description", "parameters", "strict", "defer_loading"], path)?;
            let name = name_in(space, text_of(&tool, "name", path)?, path)?;
            separate(out);
            push_all(out, &["{\"type\":\"function\",\"function\":{\"name\":\"", &name, "\""]);
            if about.is_empty() {
                copy(&tool, &["description"], out);
            } else {
                let own = said(&tool, "description").and_then(Escaped::of).unwrap_or_default();
                quoted(out, "description", &[about, "\\n\\n", own.get()].concat());
            }
            copy(&tool, &["parameters", "strict"], out);
            out.push_str("}}");
        }
        "namespace" if space.is_empty() => {
            only(&tool, &["type", "name", "description", "tools"], path)?;
            let name = Escaped::of(text_of(&tool, "name", path)?).unwrap_or_default();
            if name.get().len() > LONGEST {
                return Err(Error::invalid(&[path, ".name"].concat(), "must be at most 128 bytes").into());
            }
            let mut about = said(&tool, "description").and_then(Escaped::of).unwrap_or_default();
            let path = [path, ".tools"].concat();
            let tools = said(&tool, "tools").ok_or_else(|| Error::invalid(&path, "must be a list"))?;
            for (index, raw) in list(tools, &path)?.into_iter().enumerate() {
                // The first of them says it for all.
                let about = core::mem::take(&mut about);
                self::tool(raw, &at(&path, index, ""), name.get(), about.get(), out)?;
            }
        }
        "namespace" => return Err(Error::invalid(&[path, ".type"].concat(), "must not be within a namespace").into()),
        own if CLIENTS_OWN.contains(&own)
            || own == "tool_search" && is(&tool, "execution", "client")
            || own == "shell" && is(&inner(&tool, "environment"), "type", "local") =>
        {
            in_small_letters(&tool, path)?;
            separate(out);
            push_all(out, &["{\"type\":\"custom\",\"custom\":", raw.get(), "}"]);
        }
        _ => {
            let problem = "must be left out: the provider runs it, at a price that has no bound";
            return Err(Error::field(Code::UnpricedInput, &[path, ".type"].concat(), problem).into());
        }
    }
    Ok(())
}

/// The fields of an object in another; none if there is none.
fn inner<'a>(of: &Fields<'a>, name: &str) -> Fields<'a> {
    of.field(name).and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default()
}

/// Refuses other letters in the names of an object that goes on as it is: some servers read names in any case, and what was
/// looked at would not be what is run.
pub(super) fn in_small_letters(fields: &Fields<'_>, path: &str) -> Result<()> {
    let small = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match fields.iter().find(|(name, _)| !small(name)) {
        Some((name, _)) => Err(Error::invalid(&[path, ".", name].concat(), "must be written in small letters").into()),
        None => Ok(()),
    }
}

/// The name, escaped, of a tool or of a call in a namespace or in none.
fn name_in(space: &str, name: Raw<'_>, path: &str) -> Result<String> {
    let name = Escaped::of(name).unwrap_or_default();
    if [space, name.get()].iter().any(|own| own.contains(MARK)) {
        return Err(Error::invalid(&[path, ".name"].concat(), "must not have `-__-` in it").into());
    }
    Ok(if space.is_empty() { name.get().into() } else { joined(space, name.get()) })
}

/// The name, escaped, that a call or a choice has.
pub(super) fn name_of(of: &Fields<'_>, path: &str) -> Result<String> {
    let space = match said(of, "namespace") {
        Some(_) => Escaped::of(text_of(of, "namespace", path)?).unwrap_or_default(),
        None => Escaped::default(),
    };
    name_in(space.get(), text_of(of, "name", path)?, path)
}

pub(super) fn tool_choice(raw: Raw<'_>, out: &mut String) -> Result<()> {
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
            member(out, PATH, "");
            function(&choice, PATH, out)
        }
        Some("custom") => {
            only(&choice, &["type", "name", "namespace"], PATH)?;
            member(out, PATH, "{\"type\":\"custom\",\"custom\":{");
            quoted(out, "name", &name_of(&choice, PATH)?);
            out.push_str("}}");
            Ok(())
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
                if json::text(text_of(&tool, "type", &path)?).as_deref() != Some("function") {
                    return Err(Error::invalid(&at("tool_choice.tools", index, ".type"), "must be function").into());
                }
                separate(out);
                function(&tool, &path, out)?;
            }
            out.push_str("]}}");
            Ok(())
        }
        _ => Err(Error::invalid("tool_choice.type", "must be function, custom or allowed_tools").into()),
    }
}

/// `{"type":"function","function":{"name":…}}`.
fn function(tool: &Fields<'_>, path: &str, out: &mut String) -> Result<()> {
    only(tool, &["type", "name", "namespace"], path)?;
    out.push_str("{\"type\":\"function\",\"function\":{");
    quoted(out, "name", &name_of(tool, path)?);
    out.push_str("}}");
    Ok(())
}

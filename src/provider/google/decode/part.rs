//! One part of a content.

use crate::error::{Error, Result};
use crate::json::{Escaped, Fields, Raw, push_text};
use crate::provider::google::fields::{comma, given, is_film, join, object, push, refuse, text};
use crate::provider::google::signature;
use crate::text::contains;

/// What a part holds.
pub(super) enum Kind<'a> {
    Text(Escaped<'a>),
    /// Bytes, in base64.
    Inline(Fields<'a>),
    /// A file by its address.
    File(Fields<'a>),
    Call(Fields<'a>),
    Response(Fields<'a>),
    /// A signature alone.
    Nothing,
}

pub(super) struct Part<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) thought: bool,
    pub(super) signature: Option<Escaped<'a>>,
}

impl<'a> Part<'a> {
    pub(super) fn read(raw: Raw<'a>, path: &str) -> Result<Self> {
        let fields = object(raw.get(), path)?;
        let mut part = Self { kind: Kind::Nothing, thought: false, signature: signature::of_part(&fields) };
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            let path = join(path, name);
            let kind = match name {
                "text" => Kind::Text(Escaped::of(raw).ok_or_else(|| Error::invalid(&path, "must be a text"))?),
                "inlineData" => Kind::Inline(object(raw.get(), &path)?),
                "fileData" => Kind::File(object(raw.get(), &path)?),
                "functionCall" => Kind::Call(object(raw.get(), &path)?),
                "functionResponse" => Kind::Response(object(raw.get(), &path)?),
                "thought" => {
                    part.thought = raw.get() == "true";
                    continue;
                }
                "thoughtSignature" => continue,
                _ => return Err(refuse(&path)),
            };
            if !matches!(part.kind, Kind::Nothing) {
                return Err(Error::invalid(&path, "must be the only content of its part").into());
            }
            part.kind = kind;
        }
        Ok(part)
    }
}

/// Writes inline bytes as a neutral part: images, the sounds and the documents that OpenAI's form knows.
pub(super) fn inline(blob: &Fields<'_>, detail: Option<&str>, path: &str, out: &mut String) -> Result<()> {
    let path = join(path, "inlineData");
    only(blob, &["mimeType", "data", "displayName"], &path)?;
    let part = |name: &str| {
        let path = join(&path, name);
        text(given(blob, name).ok_or_else(|| Error::invalid(&path, "must be a text"))?, &path)
    };
    let (mime, data) = (part("mimeType")?.to_ascii_lowercase(), part("data")?);
    // Clients may write base64 as for URLs; other providers want the usual digits.
    let data = data.replace('-', "+").replace('_', "/");
    comma(out);
    let url = |out: &mut String| {
        push_text(out, &["data:", &mime, ";base64,", &data].concat());
    };
    match mime.as_str() {
        "audio/wav" | "audio/x-wav" | "audio/mp3" | "audio/mpeg" => {
            out.push_str("{\"type\":\"input_audio\",\"input_audio\":{\"data\":");
            push_text(out, &data);
            let format = if mime.ends_with("wav") { "wav" } else { "mp3" };
            push(out, &[",\"format\":\"", format, "\"}}"]);
        }
        "application/pdf" => {
            out.push_str("{\"type\":\"file\",\"file\":{\"filename\":");
            push_text(out, &given(blob, "displayName").and_then(crate::json::text).unwrap_or("document.pdf".into()));
            out.push_str(",\"file_data\":");
            url(out);
            out.push_str("}}");
        }
        image if image.starts_with("image/") => {
            out.push_str("{\"type\":\"image_url\",\"image_url\":{\"url\":");
            url(out);
            end_image(out, detail);
        }
        _ => return Err(refuse(&join(&path, "mimeType"))),
    }
    Ok(())
}

/// Writes a file by its address: images that anyone can load. Google's own stores are open to Google alone.
pub(super) fn file(file: &Fields<'_>, detail: Option<&str>, path: &str, out: &mut String) -> Result<()> {
    let path = join(path, "fileData");
    only(file, &["mimeType", "fileUri", "displayName"], &path)?;
    let mime = given(file, "mimeType").and_then(crate::json::text);
    let uri_path = join(&path, "fileUri");
    let uri = text(given(file, "fileUri").ok_or_else(|| Error::invalid(&uri_path, "must be a text"))?, &uri_path)?;
    if !uri.starts_with("https://") && !uri.starts_with("http://")
        || contains(&uri, "generativelanguage.googleapis.com")
    {
        return Err(refuse(&uri_path));
    }
    if !mime.is_some_and(|mime| mime.starts_with("image/")) {
        return Err(Error::invalid(&join(&path, "mimeType"), "must be that of an image").into());
    }
    if is_film(&uri) {
        return Err(Error::invalid(&uri_path, "must be the address of an image").into());
    }
    comma(out);
    out.push_str("{\"type\":\"image_url\",\"image_url\":{\"url\":");
    push_text(out, &uri);
    end_image(out, detail);
    Ok(())
}

fn end_image(out: &mut String, detail: Option<&str>) {
    if let Some(detail) = detail {
        push(out, &[",\"detail\":\"", detail, "\""]);
    }
    out.push_str("}}");
}

/// Refuses a field that is none of these.
pub(super) fn only(fields: &Fields<'_>, names: &[&str], path: &str) -> Result<()> {
    let other = fields.iter().find(|(name, raw)| !names.contains(name) && raw.get() != "null");
    other.map_or(Ok(()), |(name, _)| Err(refuse(&join(path, name))))
}

//! Images and documents: a source here, a `data:` URL there. The bytes stay as they are written.

use super::place::{NO_FORM, Place, present};
use super::sources;
use crate::error::Result;
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::anthropic::write::{field, put};
use crate::text::{contains, split_once};

/// What the API takes (platform.claude.com, "Vision").
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const PDF: &str = "application/pdf";

/// The inside of a text.
pub(super) fn inner<'a>(place: &Place<'_>, fields: &Fields<'a>, name: &str) -> Result<&'a str> {
    let raw = place.said(fields, name)?;
    Ok(raw.get().strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or_default())
}

/// Appends a caller's image or document as a content part. What was put in the API's own file store cannot
/// be sent elsewhere, and a document by URL, a PDF's context and its citations have no counterpart.
pub(super) fn decode(out: &mut String, kind: &str, place: &Place<'_>, fields: &Fields<'_>) -> Result<()> {
    let own = place.of("source");
    let source = own.object(fields.field("source").ok_or_else(|| own.error("is missing"))?)?;
    let of = json::text(own.said(&source, "type")?).unwrap_or_default();
    match of.as_ref() {
        "url" => own.known(&source, &["type", "url"])?,
        "base64" => own.known(&source, &["type", "media_type", "data"])?,
        "text" | "content" if kind == "document" => {
            place.known(fields, &["type", "source", "cache_control", "title", "context", "citations"])?;
            return sources::document(out, place, fields, &source);
        }
        _ => return own.refuse("type", NO_FORM),
    }
    if kind == "image" {
        place.known(fields, &["type", "source", "cache_control"])?;
        out.push_str("{\"type\":\"image_url\",\"image_url\":{\"url\":\"");
        match of.as_ref() {
            "base64" => data(out, &own, &source)?,
            "url" => out.push_str(inner(&own, &source, "url")?),
            _ => return own.refuse("type", NO_FORM),
        }
        out.push_str("\"}");
        return Ok(());
    }
    place.known(fields, &["type", "source", "cache_control", "title", "citations"])?;
    if present(fields, "citations").is_some_and(|raw| !contains(raw.get(), "false")) {
        return place.refuse("citations", NO_FORM);
    }
    let title = present(fields, "title").map(|_| inner(place, fields, "title")).transpose()?;
    match of.as_ref() {
        "base64" => {
            // The other API wants a name beside the bytes.
            let title = title.unwrap_or("document.pdf");
            put(out, &["{\"type\":\"file\",\"file\":{\"filename\":\"", title, "\",\"file_data\":\""]);
            data(out, &own, &source)?;
            out.push_str("\"}");
        }
        _ => return own.refuse("type", NO_FORM),
    }
    Ok(())
}

/// Appends a `data:` URL.
fn data(out: &mut String, place: &Place<'_>, source: &Fields<'_>) -> Result<()> {
    put(out, &["data:", inner(place, source, "media_type")?, ";base64,", inner(place, source, "data")?]);
    Ok(())
}

/// Appends a neutral `image_url` or `file` part as a block, still open. How much detail of an image is looked
/// at (`detail`) is the provider's own choice here.
pub(super) fn encode(out: &mut String, kind: &str, place: &Place<'_>, part: &Fields<'_>) -> Result<()> {
    place.known(part, &["type", kind, "cache_control"])?;
    let own = place.of(kind);
    let fields = own.object(part.field(kind).ok_or_else(|| own.error("is missing"))?)?;
    if kind == "file" {
        own.known(&fields, &["filename", "file_data"])?;
        let at = own.of("file_data");
        let source = data_url(inner(&own, &fields, "file_data")?).filter(|(kind, _)| kind == PDF);
        let (_, bytes) = source.ok_or_else(|| at.error("must be a PDF as a base64 data: URL"))?;
        base64(out, "document", PDF, bytes);
        if let Some(title) = present(&fields, "filename").filter(|raw| json::text(*raw).is_some()) {
            field(out, "title", title.get());
        }
        return Ok(());
    }
    own.known(&fields, &["url", "detail"])?;
    let url = inner(&own, &fields, "url")?;
    if !url.starts_with("data:") {
        put(out, &["{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"", url, "\"}"]);
        return Ok(());
    }
    let known = data_url(url).and_then(|(kind, bytes)| {
        let kind = if kind == "image/jpg" { "image/jpeg" } else { &kind };
        Some((IMAGES.iter().find(|own| **own == kind)?, bytes))
    });
    let at = own.of("url");
    let (kind, bytes) = known.ok_or_else(|| at.error("must be a JPEG, PNG, GIF or WebP as a base64 data: URL"))?;
    base64(out, "image", kind, bytes);
    Ok(())
}

fn base64(out: &mut String, block: &str, kind: &str, bytes: &str) {
    let source = "\",\"source\":{\"type\":\"base64\",\"media_type\":\"";
    put(out, &["{\"type\":\"", block, source, kind, "\",\"data\":\"", bytes, "\"}"]);
}

/// Media type and base64 of a `data:` URL, both out of escaped text: base64 holds nothing but `\/` then.
fn data_url(url: &str) -> Option<(String, &str)> {
    let (kind, bytes) = split_once(url.strip_prefix("data:")?, ";base64,")?;
    Some((Escaped::trusted(kind).text()?.to_ascii_lowercase(), bytes))
}

/// Appends a part's or block's cache mark, a hint.
pub(super) fn mark(out: &mut String, fields: &Fields<'_>) {
    if let Some(mark) = present(fields, "cache_control").map(Raw::get) {
        field(out, "cache_control", mark);
    }
}

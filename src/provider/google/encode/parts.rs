//! The parts of one message's content.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::json::{self, Escaped, Fields, Raw, push_text};
use crate::provider::google::fields::{comma, given, is_film, item, join, known, lacking, plain, push, text_field};
use crate::provider::google::writer;
use crate::text::contains;

/// Images by the detail that was asked for. Gemini has one setting for the whole request.
#[derive(Default)]
pub(super) struct Images {
    low: u32,
    other: u32,
}

impl Images {
    /// Whether all images are of low detail.
    pub(super) fn are_low(&self) -> Result<bool> {
        if self.low > 0 && self.other > 0 {
            return Err(Error::invalid("messages", "must ask for the same detail of all images").into());
        }
        Ok(self.low > 0)
    }
}

/// Writes a content as parts. `images` is none where only texts may stand. A text without a letter is no part: Gemini
/// takes it for one without data ("required oneof field 'data' must have one initialized field").
pub(super) fn content(raw: Raw<'_>, path: &str, mut images: Option<&mut Images>, out: &mut String) -> Result<()> {
    if let Some(text) = Escaped::of(raw) {
        said(out, &text);
        return Ok(());
    }
    let items = json::items(raw.get()).map_err(|_| Error::invalid(path, "must be a text or a list of parts"))?;
    for (index, raw) in items.into_iter().enumerate() {
        let path = item(path, index);
        let part = plain(raw, &path)?;
        let kind = part.field("type").and_then(json::text).unwrap_or_default();
        known(&part, &["type", &kind, "cache_control"], &path)?;
        let inner = |name: &str| {
            let inner = part.field(name).and_then(Escaped::of);
            inner.ok_or_else(|| Box::new(Error::invalid(&join(&path, name), "must be a text")))
        };
        match (kind.as_ref(), images.as_deref_mut()) {
            ("text", _) => said(out, &inner("text")?),
            ("refusal", None) => said(out, &inner("refusal")?),
            ("image_url", Some(images)) => image(&own(&part, "image_url", &path)?, &path, images, out)?,
            ("input_audio", Some(_)) => {
                let path = join(&path, "input_audio");
                let audio = own(&part, "input_audio", &path)?;
                known(&audio, &["data", "format"], &path)?;
                let mime = match audio.field("format").and_then(json::text).as_deref() {
                    Some("wav") => "audio/wav",
                    Some("mp3") => "audio/mp3",
                    _ => return Err(Error::invalid(&join(&path, "format"), "must be wav or mp3").into()),
                };
                let data = audio.field("data").and_then(json::text);
                inline(mime, &data.ok_or_else(|| Error::invalid(&join(&path, "data"), "must be a text"))?, out);
            }
            ("file", Some(_)) => {
                let path = join(&path, "file");
                let file = own(&part, "file", &path)?;
                known(&file, &["filename", "file_data"], &path)?;
                let url = given(&file, "file_data").and_then(json::text).ok_or_else(|| lacking(&path))?;
                let (mime, data) = data_url(&url).ok_or_else(|| not_data(&join(&path, "file_data")))?;
                inline(mime, data, out);
            }
            _ => return Err(lacking(&join(&path, "type"))),
        }
    }
    Ok(())
}

fn said(out: &mut String, text: &Escaped<'_>) {
    if !text.is_empty() {
        writer::text(out, text.get(), false);
    }
}

/// All texts of a content in one, escaped.
pub(super) fn texts<'a>(raw: Raw<'a>, path: &str) -> Result<Cow<'a, str>> {
    if let Some(text) = json::text(raw) {
        return Ok(text);
    }
    let items = json::items(raw.get()).map_err(|_| Error::invalid(path, "must be a text or a list of parts"))?;
    let mut out = String::new();
    for (index, raw) in items.into_iter().enumerate() {
        let path = item(path, index);
        let part = plain(raw, &path)?;
        let text = part.field("text").filter(|_| part.field("type").is_some_and(|kind| kind.get() == "\"text\""));
        let text = text.and_then(json::text).ok_or_else(|| Error::invalid(&path, "must be a text part"))?;
        known(&part, &["type", "text", "cache_control"], &path)?;
        out.push_str(&text);
    }
    Ok(out.into())
}

fn own<'a>(part: &Fields<'a>, name: &str, path: &str) -> Result<Fields<'a>> {
    let fields = part.field(name).and_then(|raw| json::fields(raw.get()).ok());
    fields
        .ok_or_else(|| Error::invalid(path, "must have an object that is named as its type, such as image_url").into())
}

fn not_data(path: &str) -> Box<Error> {
    Error::invalid(path, "must be a data URL in base64").into()
}

/// An image inline, or by an address that Gemini loads itself.
fn image(image: &Fields<'_>, path: &str, images: &mut Images, out: &mut String) -> Result<()> {
    known(image, &["url", "detail"], &join(path, "image_url"))?;
    let path = join(path, "image_url.url");
    let url = image.field("url").and_then(json::text).ok_or_else(|| Error::invalid(&path, "must be a text"))?;
    let low = image.field("detail").is_some_and(|raw| raw.get() == "\"low\"");
    let count = if low { &mut images.low } else { &mut images.other };
    *count = count.saturating_add(1);
    if let Some((mime, data)) = data_url(&url) {
        // A film or a document called an image would cost hundreds of times what is reserved for it.
        if !mime.starts_with("image/") {
            return Err(Error::invalid(&path, "must be of a type that begins with image/").into());
        }
        inline(mime, data, out);
    } else if url.starts_with("https://") || url.starts_with("http://") {
        if is_film(&url) {
            return Err(Error::invalid(&path, "must be the address of an image").into());
        }
        comma(out);
        out.push_str("{\"fileData\":{");
        // Always said: without it Gemini takes the address of a film for one.
        text_field(out, "mimeType", mime_of(&url).unwrap_or("image/jpeg"));
        text_field(out, "fileUri", &url);
        out.push_str("}}");
    } else {
        return Err(Error::invalid(&path, "must be a data URL in base64, or begin with https://").into());
    }
    Ok(())
}

fn inline(mime: &str, data: &str, out: &mut String) {
    comma(out);
    out.push_str("{\"inlineData\":{");
    text_field(out, "mimeType", mime);
    text_field(out, "data", data);
    out.push_str("}}");
}

fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    let mime = mime.split(';').next().filter(|mime| !mime.is_empty())?;
    Some((mime, data))
}

/// The type that an address's ending stands for (ai.google.dev/gemini-api/docs/image-understanding).
fn mime_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    Some(match path.rsplit('.').next()?.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        _ => return None,
    })
}

/// The result of a function: an object as it is, any other text under `result`. So is one with a `$ref`, which Gemini would
/// take for the name of a part (ai.google.dev/gemini-api/docs/function-calling, "Multimodal function responses").
pub(super) fn result(text: &str, out: &mut String) {
    if json::fields(text).is_ok() && !contains(text, "\"$ref\"") {
        crate::provider::google::fields::compact(out, text);
    } else {
        out.push_str("{\"result\":");
        push_text(out, text);
        out.push('}');
    }
}

/// The arguments of a call, which the neutral form writes as a text.
pub(super) fn arguments(raw: Option<Raw<'_>>, path: &str, out: &mut String) -> Result<()> {
    let inner = raw.map_or(Some(Escaped::default()), Escaped::of);
    let args = inner.and_then(|inner| writer::arguments(inner.get()));
    push(out, &[&args.ok_or_else(|| Error::invalid(path, "must be the text of a JSON object"))?]);
    Ok(())
}

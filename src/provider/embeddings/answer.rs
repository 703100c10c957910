//! Answers, from either format into either.

use super::float;
use crate::chat::{Dialect, Usage};
use crate::json::{self, Escaped, Raw};
use crate::money::NanoUsd;
use crate::provider::openai_compatible::charged;
use crate::record::push_int;

/// An answer as the gateway reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Embeddings<'a> {
    /// The model, as the provider names it; empty if it does not (Gemini).
    pub model: Escaped<'a>,
    /// One vector for each input, in their order: a JSON list of numbers, or a text that is base64.
    pub vectors: Vec<Raw<'a>>,
    /// Tokens, if the provider said.
    pub usage: Option<Usage>,
    /// What the provider says that it charged.
    pub cost: Option<NanoUsd>,
}

/// What a translated answer depends on beside what the provider said.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The model that was asked, for answers that do not name theirs.
    pub model: &'a str,
    /// As the request had it.
    pub listed: bool,
    /// As the request had it.
    pub base64: bool,
    /// Input tokens to tell when the provider said none.
    pub estimated_tokens: u64,
}

/// Reads a 2xx answer to a request of so many inputs; `None` if it is none of this dialect or has another
/// number of vectors.
#[must_use]
pub fn decode_body<'a>(dialect: Dialect, provider: &str, body: &'a str, inputs: usize) -> Option<Embeddings<'a>> {
    let answer = match dialect {
        Dialect::Chat | Dialect::Responses => decode_openai(provider, body, inputs)?,
        Dialect::Anthropic => return None,
        Dialect::Google => decode_google(body)?,
    };
    (answer.vectors.len() == inputs && answer.vectors.iter().all(|raw| is_vector(*raw))).then_some(answer)
}

fn decode_openai<'a>(provider: &str, body: &'a str, inputs: usize) -> Option<Embeddings<'a>> {
    let fields = json::fields(body).ok()?;
    let data = json::items(fields.field("data")?.get()).ok()?;
    let mut vectors = vec![None; inputs];
    for (place, item) in data.iter().enumerate() {
        let item = json::fields(item.get()).ok()?;
        let index = match item.field("index") {
            Some(index) => usize::try_from(json::uint(index)?).ok()?,
            None => place,
        };
        // Each place once: a vector must not be taken for another input's.
        let slot = vectors.get_mut(index).filter(|slot: &&mut Option<_>| slot.is_none())?;
        *slot = Some(item.field("embedding")?);
    }
    let usage = fields.field("usage").and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
    let count = |name: &str| usage.field(name).and_then(json::uint);
    Some(Embeddings {
        model: fields.field("model").and_then(Escaped::of).unwrap_or_default(),
        vectors: vectors.into_iter().collect::<Option<_>>()?,
        usage: count("prompt_tokens").or_else(|| count("total_tokens")).map(input),
        cost: charged(&usage, provider),
    })
}

fn decode_google(body: &str) -> Option<Embeddings<'_>> {
    let fields = json::fields(body).ok()?;
    let several = fields.field("embeddings").map(|raw| json::items(raw.get()).ok());
    let embeddings = several.unwrap_or_else(|| fields.field("embedding").map(|one| vec![one]))?;
    let mut vectors = Vec::with_capacity(embeddings.len());
    for embedding in embeddings {
        vectors.push(json::fields(embedding.get()).ok()?.field("values")?);
    }
    // The models of today do not tell any; newer ones do.
    let usage = fields.field("usageMetadata").and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
    let usage = usage.field("promptTokenCount").and_then(json::uint).map(input);
    Some(Embeddings { model: Escaped::default(), vectors, usage, cost: None })
}

fn input(tokens: u64) -> Usage {
    Usage { input: tokens, ..Usage::default() }
}

/// A list of numbers, or a text.
fn is_vector(raw: Raw<'_>) -> bool {
    let number =
        |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' | b',' | b' ' | b'\n' | b'\r' | b'\t');
    match raw.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(numbers) => !numbers.trim().is_empty() && numbers.bytes().all(number),
        None => raw.get().starts_with('"'),
    }
}

/// Writes an answer for a caller of the other format than the provider's; one of the same format gets the
/// provider's own text.
///
/// `None` if a vector is in an encoding that the caller does not read: base64 where it did not ask for it.
#[must_use]
pub fn encode_body(dialect: Dialect, answer: &Embeddings<'_>, reply: &Reply<'_>) -> Option<String> {
    let length: usize = answer.vectors.iter().map(|raw| raw.get().len().saturating_add(60)).sum();
    let mut out = String::with_capacity(length.saturating_add(200));
    match dialect {
        Dialect::Chat | Dialect::Responses => encode_openai(&mut out, answer, reply)?,
        Dialect::Anthropic => return None,
        Dialect::Google => encode_google(&mut out, answer, reply)?,
    }
    Some(out)
}

fn encode_openai(out: &mut String, answer: &Embeddings<'_>, reply: &Reply<'_>) -> Option<()> {
    out.push_str("{\"object\":\"list\",\"data\":[");
    for (index, raw) in answer.vectors.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        out.push_str("{\"object\":\"embedding\",\"index\":");
        push_int(out, index as u64);
        out.push_str(",\"embedding\":");
        match (reply.base64, raw.get().starts_with('[')) {
            (true, true) => {
                out.push('"');
                float::push_base64(out, raw.get())?;
                out.push('"');
            }
            (false, true) | (true, false) => out.push_str(raw.get()),
            (false, false) => return None,
        }
        out.push('}');
    }
    out.push_str("],\"model\":\"");
    let asked = Escaped::from_text(reply.model);
    out.push_str(if answer.model.is_empty() { asked.get() } else { answer.model.get() });
    let tokens = answer.usage.map_or(reply.estimated_tokens, |usage| usage.input);
    for name in ["\",\"usage\":{\"prompt_tokens\":", ",\"total_tokens\":"] {
        out.push_str(name);
        push_int(out, tokens);
    }
    out.push_str("}}");
    Some(())
}

fn encode_google(out: &mut String, answer: &Embeddings<'_>, reply: &Reply<'_>) -> Option<()> {
    out.push_str(if reply.listed { "{\"embeddings\":[" } else { "{\"embedding\":" });
    for (index, raw) in answer.vectors.iter().enumerate() {
        if !raw.get().starts_with('[') {
            return None;
        }
        out.push_str(if index == 0 { "" } else { "," });
        for piece in ["{\"values\":", raw.get(), "}"] {
            out.push_str(piece);
        }
    }
    out.push_str(if reply.listed { "]}" } else { "}" });
    Some(())
}

#[cfg(test)]
mod tests;

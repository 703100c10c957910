//! Embeddings. Two formats are spoken: OpenAI's, which is also the neutral form, and Gemini's. Vectors stay the
//! JSON text that the provider wrote; they are read only for a caller who wants them in another encoding.
//!
//! Vectors of different models have nothing to do with each other: who plans a request must not let another
//! model stand in for the one that was asked.
//!
//! A request of Gemini's may carry `taskType` and `title`. They stand in the neutral form as `task_type` and
//! `title`, and only a Gemini target takes them.

mod answer;
mod float;
mod request;

use std::borrow::Cow;

pub use answer::{Embeddings, Reply, decode_body, encode_body};
pub use request::{decode_request, encode_request, rewrite_request};

use super::endpoint;
use crate::chat::{Dialect, utf16_units};
use crate::error::{Code, Error, Result};
use crate::json::{self, Fields};

/// A neutral request: OpenAI's embeddings.
#[derive(Debug)]
pub struct EmbeddingsRequest<'a> {
    /// The requested model, if the caller names one.
    pub model: Option<Cow<'a, str>>,
    /// What is to be embedded: at least one text, each with a vector of its own.
    pub inputs: Vec<Cow<'a, str>>,
    /// Whether the caller gave a list, even of one: Gemini has another call for these, and another answer.
    pub listed: bool,
    /// How long the vectors shall be.
    pub dimensions: Option<u32>,
    /// Whether the vectors shall come as base64 of 32-bit floats, as OpenAI's clients ask by themselves.
    pub base64: bool,
    /// Every field as it came, in order.
    pub fields: Fields<'a>,
}

impl<'a> EmbeddingsRequest<'a> {
    /// Reads a neutral request.
    ///
    /// # Errors
    /// `invalid_request` that names the field; `unpriced_input` for token numbers instead of texts, which
    /// only one model's tokenizer can tell anything of.
    pub fn parse(body: &'a str) -> Result<Self> {
        const INPUT: &str = "must be a text or a list of texts";
        let fields = object(body, "")?;
        let present = |name: &str| fields.field(name).filter(|raw| raw.get() != "null");
        let model = match present("model") {
            None => None,
            Some(raw) => Some(json::text(raw).ok_or_else(|| Error::invalid("model", "must be a text"))?),
        };
        let input = present("input").ok_or_else(|| Error::invalid("input", INPUT))?;
        let listed = input.get().starts_with('[');
        let items = if listed { json::items(input.get())? } else { vec![input] };
        let tokens = |text: &str| text.starts_with(|c: char| matches!(c, '[' | '-') || c.is_ascii_digit());
        if listed && items.iter().any(|item| tokens(item.get())) {
            return Err(Error::field(Code::UnpricedInput, "input", INPUT).into());
        }
        let inputs: Option<Vec<_>> = items.into_iter().map(json::text).collect();
        let inputs = inputs.filter(|texts| !texts.is_empty()).ok_or_else(|| Error::invalid("input", INPUT))?;
        let dimensions = match present("dimensions") {
            None => None,
            Some(raw) => Some(
                json::uint(raw)
                    .and_then(|count| u32::try_from(count).ok())
                    .filter(|count| *count > 0)
                    .ok_or_else(|| Error::invalid("dimensions", "must be a whole number, at least 1"))?,
            ),
        };
        let base64 = match present("encoding_format").map(|raw| raw.get()) {
            None | Some("\"float\"") => false,
            Some("\"base64\"") => true,
            Some(_) => return Err(Error::invalid("encoding_format", "must be float or base64").into()),
        };
        Ok(Self { model, inputs, listed, dimensions, base64, fields })
    }

    /// Length of all texts, in UTF-16 units, as JavaScript's `length` counts.
    #[must_use]
    pub fn utf16_units(&self) -> u64 {
        self.inputs.iter().map(|text| utf16_units(text)).sum()
    }
}

/// What follows the base URL; `listed` as the request has it. `None` for a dialect without embeddings.
#[must_use]
pub fn path(dialect: Dialect, model: &str, listed: bool) -> Option<String> {
    match dialect {
        Dialect::Chat | Dialect::Responses => Some("/embeddings".into()),
        Dialect::Anthropic => None,
        Dialect::Google => {
            let call = if listed { ":batchEmbedContents" } else { ":embedContent" };
            Some(["/models/", &endpoint::encode(bare(model)), call].concat())
        }
    }
}

/// Gemini's models go by two names: `gemini-x` and `models/gemini-x`.
fn bare(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

/// An object without repeated fields.
fn object<'a>(json: &'a str, path: &str) -> Result<Fields<'a>> {
    let fields = json::fields(json).ok().filter(|fields| !fields.has_repeated());
    fields.ok_or_else(|| Error::invalid(path, "must be a JSON object without repeated fields").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Detail;

    fn bad(body: &str) -> (Code, String) {
        let error = EmbeddingsRequest::parse(body).unwrap_err();
        match error.detail {
            Detail::Fields(fields) => (error.code, fields[0].path.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_what_it_needs_and_keeps_the_rest() {
        let body =
            r#"{"model":"m","input":["a\u00e9","","😀"],"dimensions":256,"encoding_format":"base64","new":[1.50]}"#;
        let request = EmbeddingsRequest::parse(body).unwrap();
        assert_eq!(request.model.as_deref(), Some("m"));
        assert_eq!(request.inputs, ["aé", "", "😀"]);
        assert_eq!((request.listed, request.dimensions, request.base64), (true, Some(256), true));
        assert_eq!(request.fields.field("new").map(|raw| raw.get()), Some("[1.50]"));
        assert_eq!(request.utf16_units(), 4);
        let least = EmbeddingsRequest::parse(r#"{"input":"x","model":null,"dimensions":null}"#).unwrap();
        assert_eq!((least.inputs.len(), least.listed, least.base64, least.dimensions), (1, false, false, None));
        assert_eq!(least.model, None);
    }

    #[test]
    fn a_model_stays_in_its_segment_of_the_path() {
        assert_eq!(path(Dialect::Chat, "m", true).as_deref(), Some("/embeddings"));
        assert_eq!(path(Dialect::Anthropic, "m", true), None);
        for model in ["gemini-embedding-001", "models/gemini-embedding-001"] {
            let expected = "/models/gemini-embedding-001:embedContent";
            assert_eq!(path(Dialect::Google, model, false).as_deref(), Some(expected));
        }
        let expected = "/models/..%2Fa%3Ab%3F%C3%A9:batchEmbedContents";
        assert_eq!(path(Dialect::Google, "../a:b?é", true).as_deref(), Some(expected));
    }

    #[test]
    fn names_the_bad_field() {
        use Code::{InvalidRequest, UnpricedInput};
        assert_eq!(bad("[]"), (InvalidRequest, String::new()));
        let bad = |fields: &str| bad(&format!("{{{fields}}}"));
        let invalid = |path: &str| (InvalidRequest, path.to_owned());
        assert_eq!(bad(""), invalid("input"));
        assert_eq!(bad(r#""input":"a","input":"b""#), invalid(""));
        for input in ["null", "7", "{}", "[]", "true", "[null]", r#"[{"text":"a"}]"#, r#""\ud800""#] {
            assert_eq!(bad(&format!("\"input\":{input}")), invalid("input"), "{input}");
        }
        for tokens in ["[1,2]", "[[1,2],[3]]", "[ 1 ]", "[-1]"] {
            assert_eq!(bad(&format!("\"input\":{tokens}")), (UnpricedInput, "input".into()), "{tokens}");
        }
        for dimensions in ["0", "1.5", "\"1\"", "-1", "99999999999"] {
            assert_eq!(bad(&format!("\"input\":\"a\",\"dimensions\":{dimensions}")), invalid("dimensions"));
        }
        assert_eq!(bad(r#""input":"a","encoding_format":"hex""#), invalid("encoding_format"));
        assert_eq!(bad(r#""input":"a","model":1"#), invalid("model"));
    }
}

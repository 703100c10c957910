//! Provider-neutral chat types. What the gateway does not need to understand is carried through as the
//! caller wrote it: each field keeps its JSON text.

mod completion;
mod delta;
mod dialect;
#[cfg(feature = "dialects")]
mod left_out;

use std::borrow::Cow;

pub use completion::{Choice, Completion, MOST_CALLS, ToolCall, with_text};
pub use delta::{Delta, Finish};
pub use dialect::Dialect;
#[cfg(feature = "dialects")]
pub use left_out::LeftOut;

use crate::error::{Error, Result};
use crate::json::{self, Fields, Item, Raw};
use crate::text::decimal;

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Instructions (`system`, `developer`).
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool's result (`tool`, `function`).
    Tool,
}

/// One piece of a message's content.
#[derive(Clone, PartialEq, Debug)]
pub enum Part<'a> {
    /// Text, decoded.
    Text(Cow<'a, str>),
    /// An image, by URL or inline.
    Image {
        /// Whether the caller asked for low detail.
        low_detail: bool,
    },
    /// Audio, a file, or something newer: its price has no bound that we know.
    Other,
}

/// One message.
#[derive(Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// Its content in order; empty for an assistant that only calls tools.
    pub parts: Vec<Part<'a>>,
    /// Everything else that the model reads (tool calls, names, reasoning), as JSON text.
    pub other: Vec<Raw<'a>>,
}

/// A chat request in the shape of OpenAI's chat completions, which most providers speak.
#[derive(Debug)]
pub struct ChatRequest<'a> {
    /// The requested model, if the caller names one.
    pub model: Option<Cow<'a, str>>,
    /// At least one message.
    pub messages: Vec<Message<'a>>,
    /// Tool definitions.
    pub tools: Vec<Raw<'a>>,
    /// Most output tokens (`max_completion_tokens`, else `max_tokens`).
    pub max_output_tokens: Option<u32>,
    /// How many answers (`n`).
    pub choices: u32,
    /// Whether the caller asked for a stream.
    pub stream: bool,
    /// Whether the answer is drawn at random: any temperature other than zero, or none given.
    pub sampled: bool,
    /// Every field as it came, in order.
    pub fields: Fields<'a>,
}

/// Whether `stream_options` asks for usage.
fn asks_for_usage(options: Raw<'_>) -> bool {
    json::fields(options.get()).is_ok_and(|own| own.field("include_usage").is_some_and(|flag| flag.get() == "true"))
}

impl<'a> ChatRequest<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// `invalid_request` that names the field. A repeated field is refused, because readers disagree on
    /// which of the two counts.
    pub fn parse(body: &'a str) -> Result<Self> {
        let fields = object(body).ok_or_else(|| Error::invalid("", OBJECT))?;
        let mut request = Self {
            model: None,
            messages: Vec::new(),
            tools: Vec::new(),
            max_output_tokens: None,
            choices: 1,
            stream: false,
            sampled: true,
            fields: Fields::default(),
        };
        let mut max_tokens = None;
        for (name, raw) in fields.iter() {
            if raw.get() == "null" {
                continue;
            }
            match name {
                "model" => {
                    request.model = Some(json::text(raw).ok_or_else(|| Error::invalid("model", "must be a text"))?)
                }
                "messages" => request.messages = messages(raw)?,
                "tools" => {
                    request.tools = json::items(raw.get()).map_err(|_| Error::invalid("tools", "must be a list"))?;
                }
                "max_completion_tokens" => request.max_output_tokens = Some(tokens(raw, "max_completion_tokens")?),
                "max_tokens" => max_tokens = Some(tokens(raw, "max_tokens")?),
                "n" => {
                    let choices = json::uint(raw).and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=128).contains(n));
                    request.choices =
                        choices.ok_or_else(|| Error::invalid("n", "must be a whole number from 1 to 128"))?;
                }
                "stream" => {
                    request.stream = match raw.get() {
                        "true" => true,
                        "false" => false,
                        _ => return Err(Error::invalid("stream", "must be true or false").into()),
                    }
                }
                "temperature" => request.sampled = !is_zero(raw.get()),
                _ => {}
            }
        }
        request.max_output_tokens = request.max_output_tokens.or(max_tokens);
        if request.messages.is_empty() {
            return Err(Error::invalid("messages", "must be a list of at least one message").into());
        }
        request.fields = fields;
        Ok(request)
    }

    /// Whether the caller wants usage in the stream.
    #[must_use]
    pub fn include_usage(&self) -> bool {
        self.fields.field("stream_options").is_some_and(asks_for_usage)
    }

    /// Length of all texts in the messages, in UTF-16 units, as JavaScript's `length` counts.
    #[must_use]
    pub fn utf16_units(&self) -> u64 {
        let parts = self.messages.iter().flat_map(|message| &message.parts);
        let texts = parts.filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None });
        texts.map(|text| utf16_units(text)).sum()
    }
}

/// Length in UTF-16 units: a UTF-8 byte that begins a character stands for one unit, or for two from four
/// bytes on.
pub(crate) fn utf16_units(text: &str) -> u64 {
    let unit = |byte: u8| u8::from(byte & 0xc0 != 0x80).wrapping_add(u8::from(byte >= 0xf0));
    // In bytes as far as a byte can count, so that sixteen are counted at once.
    let some = |bytes: &[u8]| u64::from(bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(unit(*byte))));
    text.as_bytes().chunks(96).map(some).sum()
}

/// A JSON number that is zero: only zeros before an exponent.
fn is_zero(number: &str) -> bool {
    let mantissa = number.split(['e', 'E']).next().unwrap_or("");
    mantissa.bytes().any(|byte| byte == b'0') && mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'))
}

fn tokens(raw: Raw<'_>, name: &str) -> Result<u32> {
    let count = json::uint(raw).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    count.ok_or_else(|| Error::invalid(name, "must be a whole number of tokens, at least 1").into())
}

const OBJECT: &str = "must be a JSON object without repeated fields";

/// Readers disagree on which of two equal fields counts, so what we priced might not be what is run.
fn object(json: &str) -> Option<Fields<'_>> {
    json::fields(json).ok().filter(|fields| !fields.has_repeated())
}

/// Builds `messages[3].role` only when it is needed.
fn at(index: usize, field: &str) -> String {
    ["messages[", &decimal(index as u64), "]", field].concat()
}

fn messages(raw: Raw<'_>) -> Result<Vec<Message<'_>>> {
    let (mut messages, mut refused) = (Vec::with_capacity(4), None);
    let listed = json::each(raw.get(), &mut |item| match message(messages.len(), item) {
        Ok(message) => {
            messages.push(message);
            Some(())
        }
        Err(error) => {
            refused = Some(error);
            None
        }
    });
    if let Some(error) = refused {
        return Err(error);
    }
    listed.ok_or_else(|| Error::invalid("messages", "must be a list"))?;
    Ok(messages)
}

fn message(index: usize, item: Item<'_>) -> Result<Message<'_>> {
    let fields = match item {
        Item::Object(fields) if !fields.has_repeated() => fields,
        Item::Object(_) | Item::Other(_) => return Err(Error::invalid(&at(index, ""), OBJECT).into()),
    };
    let (mut role, mut parts, mut other, mut refers) = (None, Vec::new(), Vec::new(), false);
    for (name, raw) in fields.iter() {
        match name {
            "role" => {
                role = match json::text(raw).as_deref() {
                    Some("system" | "developer") => Some(Role::System),
                    Some("user") => Some(Role::User),
                    Some("assistant") => Some(Role::Assistant),
                    Some("tool" | "function") => Some(Role::Tool),
                    _ => None,
                }
            }
            "content" => parts = content(index, raw, &mut other)?,
            // An earlier answer by its id: nothing here says how long it is.
            "audio" if raw.get() != "null" => refers = true,
            _ => other.push(raw),
        }
    }
    if refers {
        parts.push(Part::Other);
    }
    let role = role.ok_or_else(|| {
        Error::invalid(&at(index, ".role"), "must be system, developer, user, assistant, tool or function")
    })?;
    Ok(Message { role, parts, other })
}

/// `other` is what is counted by its bytes beside the parts.
fn content<'a>(index: usize, raw: Raw<'a>, other: &mut Vec<Raw<'a>>) -> Result<Vec<Part<'a>>> {
    const PROBLEM: &str = "must be a text without lone surrogates, a list of parts, or null";
    if raw.get() == "null" {
        return Ok(Vec::new());
    }
    if let Some(text) = json::text(raw) {
        return Ok(vec![Part::Text(text)]);
    }
    let items = json::items(raw.get()).map_err(|_| Error::invalid(&at(index, ".content"), PROBLEM))?;
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        let fields = object(item.get()).ok_or_else(|| Error::invalid(&at(index, ".content"), PROBLEM))?;
        let kind = fields.field("type").and_then(json::text);
        parts.push(match kind.as_deref() {
            Some("text") => {
                if cfg!(feature = "dialects") && fields.field("citations").is_some() {
                    // The provider cuts it into pieces with a name each, so that the model can cite them.
                    other.push(item);
                }
                let text = fields.field("text").and_then(json::text);
                Part::Text(text.ok_or_else(|| {
                    Error::invalid(&at(index, ".content"), "has a text part without a text, or with lone surrogates")
                })?)
            }
            Some("refusal") => Part::Text(fields.field("refusal").and_then(json::text).unwrap_or_default()),
            Some("image_url") => {
                // Said twice, it may be the dearer one that counts.
                let image = fields.field("image_url").and_then(|image| object(image.get()));
                let detail = image.as_ref().and_then(|image| image.field("detail")).and_then(json::text);
                Part::Image { low_detail: detail.as_deref() == Some("low") }
            }
            Some(_) => Part::Other,
            None => return Err(Error::invalid(&at(index, ".content"), "has a part without a type").into()),
        });
    }
    Ok(parts)
}

/// Tokens of one answer, in OpenTelemetry's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// All input tokens, the cached ones included.
    pub input: u64,
    /// Input tokens that the provider read from its cache.
    pub cached_input: u64,
    /// Input tokens that the provider wrote to its cache.
    pub cache_write: u64,
    /// Of `cache_write`: kept for an hour instead of minutes.
    pub cache_write_1h: u64,
    /// All output tokens, reasoning included.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Detail};

    fn bad_field(body: &str) -> String {
        let error = ChatRequest::parse(body).unwrap_err();
        assert_eq!(error.code, Code::InvalidRequest, "{body}");
        match error.detail {
            Detail::Fields(fields) => fields.first().map(|field| field.path.clone()).unwrap_or_default(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_output_bound_is_the_newer_name_before_the_older_and_at_least_one() {
        let bound = |fields: &str| {
            let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{fields}}}"#);
            ChatRequest::parse(&body).map(|request| request.max_output_tokens)
        };
        for (fields, tokens) in [
            (r#""max_tokens":1"#, 1),
            (r#""max_completion_tokens":7"#, 7),
            (r#""max_completion_tokens":7,"max_tokens":9"#, 7),
            (r#""max_tokens":9,"max_completion_tokens":7"#, 7),
            (r#""max_tokens":9,"max_completion_tokens":null"#, 9),
        ] {
            assert_eq!(bound(fields).unwrap(), Some(tokens), "{fields}");
        }
        for fields in [r#""max_tokens":0"#, r#""max_completion_tokens":0"#, r#""max_tokens":4294967296"#] {
            assert!(bound(fields).is_err(), "{fields}");
        }
    }

    #[test]
    fn half_a_character_is_told_as_such() {
        // What is left of an emoji in a text that was cut: providers refuse it in words of their own.
        for content in [r#""cut \ud83c""#, r#""\udf0a cut""#, r#"[{"type":"text","text":"cut \ud83c"}]"#] {
            let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#);
            let Detail::Fields(fields) = ChatRequest::parse(&body).unwrap_err().detail else { panic!("{body}") };
            assert_eq!(fields[0].path, "messages[0].content");
            assert!(fields[0].problem.contains("lone surrogates"), "{}", fields[0].problem);
        }
        assert!(ChatRequest::parse(r#"{"messages":[{"role":"user","content":"whole \ud83c\udf0a"}]}"#).is_ok());
    }

    #[test]
    fn reads_what_it_needs_and_keeps_the_rest() {
        let body = r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"What is \u0041?"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AA","detail":"low"}},{"type":"input_audio"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},{"role":"tool","tool_call_id":"1","content":"4"}],
            "tools":[{"type":"function"}],"max_tokens":10,"n":2,"temperature":0.0,"response_format":{"type":"json_object"},
            "reasoning_effort":"low","brand_new":{"a":[1]}}"#;
        let request = ChatRequest::parse(body).unwrap();
        assert_eq!(request.model.as_deref(), Some("m"));
        assert_eq!(
            (request.choices, request.max_output_tokens, request.stream, request.sampled),
            (2, Some(10), false, false)
        );
        assert_eq!(request.messages.len(), 4);
        let expected = [Part::Text("What is A?".into()), Part::Image { low_detail: true }, Part::Other];
        assert_eq!(request.messages[1].parts, expected);
        assert_eq!(request.messages[2].other.len(), 1);
        assert_eq!(request.tools.len(), 1);
        let kept = request.fields.field("brand_new").map(|raw| raw.get());
        assert_eq!(kept, Some(r#"{"a":[1]}"#));
        assert_eq!(request.utf16_units(), 9 + 10 + 1);
    }

    #[test]
    fn names_the_bad_field() {
        let user = r#"{"role":"user","content":"x"}"#;
        assert_eq!(bad_field("[]"), "");
        assert_eq!(bad_field("not json"), "");
        assert_eq!(bad_field("{}"), "messages");
        assert_eq!(bad_field(r#"{"messages":[]}"#), "messages");
        assert_eq!(bad_field(r#"{"messages":[{"role":"wizard","content":""}]}"#), "messages[0].role");
        assert_eq!(bad_field(r#"{"messages":[{"role":"user","content":7}]}"#), "messages[0].content");
        assert_eq!(bad_field(&format!(r#"{{"messages":[{user}],"max_tokens":0}}"#)), "max_tokens");
        assert_eq!(bad_field(&format!(r#"{{"messages":[{user}],"n":1.5}}"#)), "n");
        assert_eq!(bad_field(&format!(r#"{{"messages":[{user}],"stream":"yes"}}"#)), "stream");
        assert_eq!(bad_field(&format!(r#"{{"messages":[{user}],"max_tokens":1,"max_tokens":2}}"#)), "");
    }

    #[test]
    fn zero_is_recognised_in_every_spelling() {
        for zero in ["0", "0.0", "-0", "0e5", "0.00E-1"] {
            assert!(is_zero(zero), "{zero}");
        }
        for other in ["1", "0.1", "1e-9", "null", "\"0\""] {
            assert!(!is_zero(other), "{other}");
        }
    }

    #[test]
    fn units_are_javascripts() {
        for text in ["", "abc", "ß", "漢字", "😀", "a😀b"] {
            assert_eq!(utf16_units(text), text.encode_utf16().count() as u64);
        }
    }
}

//! One place that knows all dialects: each function hands over to the dialect's own module. The modules have
//! the same parts under the same names.

use super::endpoint::Unasked;
use super::{anthropic, google, openai_compatible as chat, responses};
use crate::chat::{Completion, Delta, Dialect};
use crate::error::{Code, Error, Result};
use crate::json::Fields;
use crate::money::Rate;

/// Whether this build has every dialect, or chat completions alone. A constant condition: what it rules out is not
/// linked.
const ALL: bool = cfg!(feature = "dialects");

/// Whether this build has embeddings.
pub const VECTORS: bool = ALL;

/// Whether what translates between dialects loads first: whoever needs this build needs it before a first answer.
pub const TRANSLATES_FIRST: bool = ALL;

/// Whether this build can speak a dialect.
#[must_use]
pub const fn is_built(dialect: Dialect) -> bool {
    ALL || matches!(dialect, Dialect::Chat)
}

/// What is said when it cannot.
#[must_use]
pub fn not_built() -> Error {
    Error::field(Code::UnsupportedEndpoint, "dialects", "must be 'all' in the configuration")
}

/// What the gateway decided about a request that goes out.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The provider's id, for its quirks.
    pub provider: &'a str,
    /// The provider's name of the model.
    pub model: &'a str,
    /// Most output tokens of one answer.
    pub max_output_tokens: u32,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Whether the target is a gateway like this one: what was put into the conversation for other providers is for
    /// whoever stands behind it.
    pub relayed: bool,
    /// The prices of input and of output that were reserved for: who passes requests on by price is told them.
    pub most: Option<(Rate, Rate)>,
}

/// What a translated answer carries beside what the provider said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// When the request came, in seconds since 1970.
    pub created_s: u64,
    /// Whether the caller reads usage where a stream of chat completions tells it, asked for
    /// (`stream_options.include_usage`) or not; dialects whose streams always carry usage do not look at it.
    pub include_usage: bool,
    /// Where the caller reads usage that it did not ask for, and so whose client it is: OpenRouter's read reasoning in `reasoning_details` where there are any.
    pub unasked: Unasked,
}

impl Stamp {
    /// For a caller who reads usage where it is asked for.
    #[must_use]
    pub const fn new(created_s: u64, include_usage: bool) -> Self {
        Self { created_s, include_usage, unasked: Unasked::Nowhere }
    }

    /// Whether the caller is a client of OpenRouter's.
    pub(in crate::provider) fn is_openrouters(&self) -> bool {
        self.unasked == Unasked::Chunk
    }

    /// Whether the caller is a client of Groq's.
    pub(crate) fn is_groqs(&self) -> bool {
        self.unasked == Unasked::XGroq
    }
}

/// Reads a caller's request and writes it as a chat completion request, the neutral form. `model` is what the
/// path names (Gemini), `stream` what the path asks for; the other dialects have both in the body.
///
/// # Errors
/// `invalid_request` that names the field, for what is malformed and for what has no neutral form.
pub fn decode_request(dialect: Dialect, body: &str, model: Option<&str>, stream: bool) -> Result<String> {
    match dialect {
        Dialect::Chat => Ok(body.into()),
        Dialect::Responses if ALL => responses::decode_request(body),
        Dialect::Anthropic if ALL => anthropic::decode_request(body),
        Dialect::Google if ALL => google::decode_request(body, model, stream),
        Dialect::Responses | Dialect::Anthropic | Dialect::Google => Err(not_built().into()),
    }
}

/// Writes a neutral request for a provider of another dialect than the caller's.
///
/// # Errors
/// `invalid_request` that names the field of the neutral request that the dialect cannot carry: the target is
/// then left out of the plan. Nothing that shapes the answer is dropped; hints that do not (`user`,
/// `metadata`, `store`, `prompt_cache_key`, `service_tier`, cache marks) are.
pub fn encode_request(dialect: Dialect, request: &Fields<'_>, outgoing: &Outgoing<'_>) -> Result<String> {
    match dialect {
        Dialect::Chat => chat::encode_request(request, outgoing),
        Dialect::Responses if ALL => responses::encode_request(request, outgoing),
        Dialect::Anthropic if ALL => anthropic::encode_request(request, outgoing),
        Dialect::Google if ALL => google::encode_request(request, outgoing),
        Dialect::Responses | Dialect::Anthropic | Dialect::Google => Err(not_built().into()),
    }
}

/// Writes a request for a provider of the caller's own dialect. Fields that nothing changes keep their text;
/// the model, the output bound and the stream flag are the target's. What other providers' answers brought into the
/// conversation and this one refuses is taken out, unless a gateway is asked.
#[must_use]
pub fn rewrite_request(dialect: Dialect, request: &Fields<'_>, outgoing: &Outgoing<'_>) -> String {
    match dialect {
        Dialect::Chat => chat::rewrite_request(request, outgoing),
        Dialect::Responses if ALL => responses::rewrite_request(request, outgoing),
        Dialect::Anthropic if ALL => anthropic::rewrite_request(request, outgoing),
        Dialect::Google if ALL => google::rewrite_request(request, outgoing),
        Dialect::Responses | Dialect::Anthropic | Dialect::Google => String::new(),
    }
}

/// What follows the base URL: `/chat/completions`. A model in a path is percent-encoded.
#[must_use]
pub fn path(dialect: Dialect, model: &str, stream: bool) -> String {
    match dialect {
        Dialect::Chat => "/chat/completions".into(),
        Dialect::Responses if ALL => "/responses".into(),
        Dialect::Anthropic if ALL => "/messages".into(),
        Dialect::Google if ALL => google::path(model, stream),
        Dialect::Responses | Dialect::Anthropic | Dialect::Google => String::new(),
    }
}

/// Reads a whole 2xx answer piece by piece; `None` if it is none of this dialect.
#[must_use]
pub fn decode_body(dialect: Dialect, provider: &str, body: &str, sink: &mut dyn FnMut(Delta<'_>)) -> Option<()> {
    match dialect {
        Dialect::Chat => chat::decode_body(provider, body, sink),
        Dialect::Responses if ALL => responses::decode_body(provider, body, sink),
        Dialect::Anthropic if ALL => anthropic::decode_body(body, sink),
        Dialect::Google if ALL => google::decode_body(body, sink),
        Dialect::Responses | Dialect::Anthropic | Dialect::Google => None,
    }
}

/// Writes a whole answer for a caller.
#[must_use]
pub fn encode_body(dialect: Dialect, completion: &Completion, stamp: &Stamp) -> String {
    match dialect {
        Dialect::Chat => chat::encode_body(completion, stamp),
        Dialect::Responses if ALL => responses::encode_body(completion, stamp),
        Dialect::Anthropic if ALL => anthropic::encode_body(completion, stamp),
        Dialect::Google if ALL => google::encode_body(completion, stamp),
        Dialect::Responses | Dialect::Anthropic | Dialect::Google => String::new(),
    }
}

/// The body of an error as the clients of a dialect read it.
///
/// `message` is one sentence without content or keys; `account` is the JSON object that stands under
/// `error.tidegate`.
#[must_use]
pub fn encode_error(dialect: Dialect, error: &Error, message: &str, account: &str) -> String {
    match dialect {
        Dialect::Chat => chat::encode_error(error, message, account),
        Dialect::Responses if ALL => responses::encode_error(error, message, account),
        Dialect::Anthropic if ALL => anthropic::encode_error(error, message, account),
        Dialect::Google if ALL => google::encode_error(error, message, account),
        Dialect::Responses | Dialect::Anthropic | Dialect::Google => chat::encode_error(error, message, account),
    }
}

/// Reads a provider's stream, event by event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StreamDecoder {
    /// Chat completions.
    Chat(chat::StreamDecoder),
    /// Responses.
    Responses(responses::StreamDecoder),
    /// Messages.
    Anthropic(anthropic::StreamDecoder),
    /// Gemini.
    Google(google::StreamDecoder),
}

/// An event that is none of the dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl StreamDecoder {
    /// A decoder for one stream of `provider`.
    #[must_use]
    pub fn new(dialect: Dialect, provider: &str) -> Self {
        match dialect {
            Dialect::Chat => Self::Chat(chat::StreamDecoder::new(provider)),
            Dialect::Responses if ALL => Self::Responses(responses::StreamDecoder::new(provider)),
            Dialect::Anthropic if ALL => Self::Anthropic(anthropic::StreamDecoder::default()),
            Dialect::Google if ALL => Self::Google(google::StreamDecoder::default()),
            Dialect::Responses | Dialect::Anthropic | Dialect::Google => Self::Chat(chat::StreamDecoder::new(provider)),
        }
    }

    /// Reads one event: its `event` field (empty if there is none) and its data. Emits what is in it, which
    /// may be nothing.
    ///
    /// # Errors
    /// `Malformed` for data that is no event of the dialect.
    pub fn event(&mut self, name: &str, data: &str, sink: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        match self {
            Self::Chat(own) => own.event(name, data, sink),
            Self::Responses(own) if ALL => own.event(name, data, sink),
            Self::Anthropic(own) if ALL => own.event(name, data, sink),
            Self::Google(own) if ALL => own.event(name, data, sink),
            Self::Responses(_) | Self::Anthropic(_) | Self::Google(_) => Err(Malformed),
        }
    }

    /// Whether the stream may end here: every answer finished, or the terminal event came, as the dialect
    /// demands. An end elsewhere is a cut.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match self {
            Self::Chat(own) => own.is_finished(),
            Self::Responses(own) if ALL => own.is_finished(),
            Self::Anthropic(own) if ALL => own.is_finished(),
            Self::Google(own) if ALL => own.is_finished(),
            Self::Responses(_) | Self::Anthropic(_) | Self::Google(_) => false,
        }
    }

    /// Whether there is one end, however many answers were asked for: the prompt was refused. Only Gemini tells that apart.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self, Self::Google(own) if ALL && own.is_refused())
    }

    /// Whether the last event was nothing but the usage that the gateway asked for: it is taken out again for a
    /// caller who did not ask. Only chat completions have such events.
    #[must_use]
    pub const fn is_usage_only(&self) -> bool {
        matches!(self, Self::Chat(own) if own.is_usage_only())
    }

    /// Whether an event that follows on one like it, which brought `piece` and nothing else, and differs from it only in
    /// the text of that piece, brings the same with that text and changes nothing else here.
    #[must_use]
    pub const fn repeats(&self, piece: &Delta<'_>) -> bool {
        match piece {
            Delta::Text { .. } | Delta::ToolArguments { .. } => matches!(self, Self::Chat(_) | Self::Anthropic(_)),
            // Anthropic's decoder also collects what the model thought, to go with its signature: the event changes it.
            Delta::Reasoning { .. } => matches!(self, Self::Chat(_)),
            _ => false,
        }
    }
}

/// An event of a chat completion stream with its usage where Groq's clients read it; `None` for one without usage.
#[must_use]
pub fn with_x_groq(data: &str) -> Option<String> {
    chat::with_x_groq(data)
}

/// Writes a stream for a caller, piece by piece, as server-sent events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StreamEncoder {
    /// Chat completions.
    Chat(chat::StreamEncoder),
    /// Responses.
    Responses(responses::StreamEncoder),
    /// Messages.
    Anthropic(anthropic::StreamEncoder),
    /// Gemini.
    Google(google::StreamEncoder),
}

impl StreamEncoder {
    /// An encoder for one caller.
    #[must_use]
    pub fn new(dialect: Dialect, stamp: Stamp) -> Self {
        match dialect {
            Dialect::Chat => Self::Chat(chat::StreamEncoder::new(stamp)),
            Dialect::Responses if ALL => Self::Responses(responses::StreamEncoder::new(stamp)),
            Dialect::Anthropic if ALL => Self::Anthropic(anthropic::StreamEncoder::new(stamp)),
            Dialect::Google if ALL => Self::Google(google::StreamEncoder::new(stamp)),
            Dialect::Responses | Dialect::Anthropic | Dialect::Google => Self::Chat(chat::StreamEncoder::new(stamp)),
        }
    }

    /// Writes one piece; `Delta::End` writes the terminal event. `Failed` and `Unmapped` write nothing.
    pub fn push(&mut self, delta: &Delta<'_>, out: &mut String) {
        match self {
            Self::Chat(own) => own.push(delta, out),
            Self::Responses(own) if ALL => own.push(delta, out),
            Self::Anthropic(own) if ALL => own.push(delta, out),
            Self::Google(own) if ALL => own.push(delta, out),
            Self::Responses(_) | Self::Anthropic(_) | Self::Google(_) => {}
        }
    }

    /// Whether what comes is no answer any more, but a mistake or an attack: more of it would be kept than fits.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        match self {
            Self::Responses(own) if ALL => own.is_full(),
            Self::Chat(_) | Self::Responses(_) | Self::Anthropic(_) | Self::Google(_) => false,
        }
    }

    /// Writes an error into the stream, after which nothing comes: such that the dialect's own clients raise
    /// it. `body` is what [`encode_error`] gave for this dialect.
    pub fn error(&mut self, error: &Error, body: &str, out: &mut String) {
        match self {
            Self::Chat(own) => own.error(error, body, out),
            Self::Responses(own) if ALL => own.error(error, body, out),
            Self::Anthropic(own) if ALL => own.error(error, body, out),
            Self::Google(own) if ALL => own.error(error, body, out),
            Self::Responses(_) | Self::Anthropic(_) | Self::Google(_) => {}
        }
    }
}

#[cfg(all(test, feature = "dialects"))]
mod tests;

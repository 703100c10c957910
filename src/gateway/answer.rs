//! What the caller gets: the provider's own JSON, and beside it what the gateway did.

use std::rc::Rc;
use std::time::Duration;

#[cfg(feature = "dialects")]
use crate::chat::LeftOut;
use crate::chat::{Choice, Completion, Dialect, Finish, Usage};
#[cfg(feature = "edge")]
use crate::error::{Allowance, AttemptError};
use crate::json::{self, Escaped, push_text};
use crate::money::NanoUsd;
use crate::provider::{Stamp, StreamEncoder, decode_body, encode_body};
use crate::record::push_int;

/// Where the cost comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CostSource {
    /// The provider said what it charged.
    Reported,
    /// Usage times price.
    Computed,
    /// The provider gave no usage: the bound that was reserved.
    Estimated,
}

impl CostSource {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Computed => "computed",
            Self::Estimated => "estimated",
        }
    }
}

/// What the cache had to do with an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheState {
    /// It was answered from the cache.
    Hit,
    /// Asked, not there.
    Miss,
    /// Not asked.
    Bypass,
    /// An equal request in flight answered both.
    Joined,
}

impl CacheState {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
            Self::Joined => "joined",
        }
    }
}

/// An answer as it came from a target, before it is handed to one or several callers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Served {
    /// The provider's JSON.
    pub body: Rc<str>,
    /// `provider/model` of who answered; empty for a degraded reply.
    pub target: String,
    /// Attempts made, from 1.
    pub attempts: u32,
    /// Tokens, as billed.
    pub usage: Usage,
    /// What all attempts cost together.
    pub cost: NanoUsd,
    /// What the one that answered cost: what whoever is given the answer again saves.
    pub own_cost: NanoUsd,
    /// Where the cost of the last attempt comes from.
    pub cost_source: CostSource,
    /// A reply of ours because every target failed.
    pub degraded: bool,
    /// What of the answer has no place in what was written.
    #[cfg(feature = "dialects")]
    pub left_out: LeftOut,
    /// What failed before.
    #[cfg(feature = "edge")]
    pub tried: Box<[AttemptError]>,
}

/// What one caller gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// A whole answer in the caller's dialect: JSON text, or a stream of events if the caller asked for one.
    pub body: Rc<str>,
    /// Whether it is a stream of events.
    pub events: bool,
    /// What the gateway did.
    pub meta: Meta,
}

impl Reply {
    /// The answer with the account as its field `tidegate`: one text to hand over, and one to read. A field of this name
    /// that a provider sent goes: in JSON the last one counts.
    #[must_use]
    pub fn to_json(&self) -> String {
        // What was read as an object ends with its brace.
        let inside = self.body.trim_end();
        let inside = inside.strip_suffix('}').unwrap_or(inside).trim_end();
        let meta = self.meta.to_json();
        let mut out = String::with_capacity(inside.len().saturating_add(meta.len()).saturating_add(16));
        out.push_str(inside);
        out.push_str(if inside.ends_with('{') { "\"tidegate\":" } else { ",\"tidegate\":" });
        out.push_str(&meta);
        out.push('}');
        out
    }

    /// The same as a stream of events.
    pub(super) fn into_events(self, dialect: Dialect, stamp: Stamp) -> Self {
        Self { body: as_events(dialect, &self.body, stamp).into(), events: true, meta: self.meta }
    }
}

/// What the gateway did for one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    /// Id of the request, also in its events and its record.
    pub request_id: String,
    /// `provider/model` of who answered.
    pub target: String,
    /// Attempts made for this caller; 0 for a hit or a joined answer.
    pub attempts: u32,
    /// What the cache had to do with it.
    pub cache: CacheState,
    /// Age of a hit.
    pub age: Option<Duration>,
    /// What a hit or a joined answer would have cost: what its answer did, without failed attempts before it.
    pub saved: Option<NanoUsd>,
    /// What the caller pays.
    pub cost: NanoUsd,
    /// Where the cost comes from.
    pub cost_source: CostSource,
    /// Tokens billed for this request.
    pub usage: Usage,
    /// A reply of ours because every target failed.
    pub degraded: bool,
    /// What the provider said that has no place in the caller's dialect. What is given again does not tell it.
    #[cfg(feature = "dialects")]
    pub left_out: LeftOut,
    /// What is reserved for a stream that goes on: its cost so far is not known.
    pub reserved: Option<NanoUsd>,
    /// What is left of the caller's rate.
    #[cfg(feature = "edge")]
    pub allowance: Option<Box<Allowance>>,
    /// What failed before the answer: else nobody would learn why a fallback gave it.
    #[cfg(feature = "edge")]
    pub tried: Box<[AttemptError]>,
}

impl Meta {
    /// As JSON text, with the names of the public API.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        out.push_str("{\"requestId\":");
        push_text(&mut out, &self.request_id);
        out.push_str(",\"target\":");
        push_text(&mut out, &self.target);
        out.push_str(",\"cache\":\"");
        out.push_str(self.cache.as_str());
        out.push_str("\",\"costSource\":\"");
        out.push_str(self.cost_source.as_str());
        out.push('"');
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let numbers = [
            ("attempts", Some(self.attempts.into())),
            ("costNanoUsd", Some(self.cost.as_nano())),
            ("ageMs", self.age.map(millis)),
            ("savedNanoUsd", self.saved.map(NanoUsd::as_nano)),
            ("reservedNanoUsd", self.reserved.map(NanoUsd::as_nano)),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                push_number(&mut out, ",\"", name, number);
            }
        }
        if self.degraded {
            out.push_str(",\"degraded\":true");
        }
        #[cfg(feature = "dialects")]
        self.left_out.push_json(&mut out);
        #[cfg(feature = "edge")]
        push_tried(&mut out, &self.tried);
        push_number(&mut out, ",\"usage\":{\"", "inputTokens", self.usage.input);
        push_number(&mut out, ",\"", "cachedInputTokens", self.usage.cached_input);
        push_number(&mut out, ",\"", "outputTokens", self.usage.output);
        push_number(&mut out, ",\"", "reasoningTokens", self.usage.reasoning);
        out.push_str("}}");
        out
    }
}

#[cfg(feature = "edge")]
fn push_tried(out: &mut String, tried: &[AttemptError]) {
    for (index, one) in tried.iter().enumerate() {
        out.push_str(if index == 0 { ",\"tried\":[{\"target\":" } else { ",{\"target\":" });
        push_text(out, &one.target);
        for piece in [",\"code\":\"", one.code.as_str(), "\""] {
            out.push_str(piece);
        }
        if let Some(status) = one.status {
            push_number(out, ",\"", "status", status.into());
        }
        out.push_str(if index.saturating_add(1) == tried.len() { "}]" } else { "}" });
    }
}

fn push_number(out: &mut String, before: &str, name: &str, number: u64) {
    out.push_str(before);
    out.push_str(name);
    out.push_str("\":");
    push_int(out, number);
}

/// The answer of a hit, for a caller of another dialect: another id, and a usage of zero, since nothing is billed a
/// second time.
#[must_use]
#[inline(never)]
pub(super) fn repeat(caller: Dialect, body: &str, id: &str, stamp: &Stamp) -> String {
    let mut completion = completion(caller, body);
    completion.id = Escaped::from_text(id).get().into();
    completion.usage = Some(Usage::default());
    encode_body(caller, &completion, stamp)
}

/// The same for chat completions: all that follows after the id.
#[must_use]
pub(super) fn after_id(body: &str) -> String {
    const NO_USAGE: &str = ",\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}";
    let mut out = String::with_capacity(body.len().saturating_add(NO_USAGE.len()));
    out.push_str(NO_USAGE);
    // What is stored was read as an object before; should it not be one, the answer is an empty one.
    for (name, raw) in json::fields(body).unwrap_or_default().iter() {
        // Groq repeats id and usage in a field of its own.
        if matches!(name, "id" | "usage" | "x_groq") {
            continue;
        }
        out.push(',');
        push_text(&mut out, name);
        out.push(':');
        out.push_str(raw.get());
    }
    out.push('}');
    out
}

/// A whole answer in neutral form. What is given was read before; should it be no answer, it is an empty one.
fn completion(caller: Dialect, body: &str) -> Completion {
    let mut completion = Completion::default();
    let _ = decode_body(caller, "", body, &mut |delta| completion.push(&delta));
    completion
}

/// A whole answer as a stream, for a caller who asked for one.
#[must_use]
fn as_events(caller: Dialect, body: &str, stamp: Stamp) -> String {
    let mut encoder = StreamEncoder::new(caller, stamp);
    let mut out = String::with_capacity(body.len().saturating_mul(2));
    completion(caller, body).deltas(&mut |delta| encoder.push(&delta, &mut out));
    out
}

/// The reply when every target failed and the configuration asks for one.
#[must_use]
pub(super) fn degraded(caller: Dialect, id: &str, text: &str, stamp: &Stamp) -> String {
    let choice =
        Choice { text: Escaped::from_text(text).get().into(), finish: Some(Finish::Stop), ..Choice::default() };
    let completion = Completion {
        id: Escaped::from_text(id).get().into(),
        model: "tidegate/degraded".into(),
        choices: vec![choice],
        usage: Some(Usage::default()),
        ..Completion::default()
    };
    encode_body(caller, &completion, stamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "edge")]
    use crate::error::Code;

    #[test]
    fn a_repeated_answer_has_a_new_id_and_bills_nothing() {
        let body = r#"{"id":"a","choices":[{"message":{"content":"\u0041"}}],"usage":{"prompt_tokens":9},"x_groq":{"id":"a"},"model":"m"}"#;
        let again = ["{\"id\":\"b\"", &after_id(body)].concat();
        assert_eq!(
            again,
            r#"{"id":"b","usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0},"choices":[{"message":{"content":"\u0041"}}],"model":"m"}"#
        );
        assert!(json::fields(&again).is_ok());
    }

    #[test]
    fn what_we_write_is_json() {
        let meta = Meta {
            request_id: "tg-1".into(),
            target: "a\"/b".into(),
            attempts: 2,
            cache: CacheState::Hit,
            age: Some(Duration::from_millis(5)),
            saved: Some(NanoUsd::new(7)),
            cost: NanoUsd::ZERO,
            cost_source: CostSource::Computed,
            usage: Usage { input: 1, output: 2, reasoning: 1, ..Usage::default() },
            degraded: true,
            #[cfg(feature = "dialects")]
            left_out: {
                let mut left_out = LeftOut::default();
                left_out.add("logprobs");
                left_out
            },
            reserved: None,
            #[cfg(feature = "edge")]
            allowance: None,
            #[cfg(feature = "edge")]
            tried: [Some(401), None]
                .map(|status| AttemptError { attempt: 1, target: "b\"".into(), code: Code::Authentication, status })
                .into(),
        };
        for body in ["{}", " { } ", "{\"a\":{}}\n"] {
            let text = Reply { body: body.into(), events: false, meta: meta.clone() }.to_json();
            let read = json::fields(&text).unwrap();
            assert_eq!(read.field("tidegate").map(|raw| raw.get().into()), Some(meta.to_json()), "{text}");
        }
        let text = meta.to_json();
        let read = json::fields(&text).unwrap();
        assert_eq!(read.field("target").and_then(json::text).as_deref(), Some("a\"/b"));
        assert_eq!(read.field("savedNanoUsd").and_then(json::uint), Some(7));
        assert_eq!(read.field("ageMs").and_then(json::uint), Some(5));
        #[cfg(feature = "dialects")]
        assert_eq!(read.field("leftOut").map(|raw| raw.get()), Some(r#"["logprobs"]"#));
        #[cfg(feature = "edge")]
        assert_eq!(
            read.field("tried").map(|raw| raw.get()),
            Some(r#"[{"target":"b\"","code":"authentication","status":401},{"target":"b\"","code":"authentication"}]"#)
        );
        assert_eq!(
            read.field("usage").map(|raw| raw.get()),
            Some(r#"{"inputTokens":1,"cachedInputTokens":0,"outputTokens":2,"reasoningTokens":1}"#)
        );
        let stamp = Stamp::new(5, false);
        assert!(json::fields(&degraded(Dialect::Chat, "x", "later\n\"please\"", &stamp)).is_ok());
    }
}

//! Streams.

use super::answer::{failed, finish, head, pieces, reason, start};
use super::usage::{push_usage, usage};
use crate::chat::{Delta, Usage};
use crate::error::Error;
use crate::json::{self, Fields, Raw};
use crate::provider::{Malformed, Stamp};
use crate::record::push_int;

/// Tool calls that are counted; what is above is a mistake or an attack, and keeps its number.
const MOST_CALLS: usize = 512;

/// Reads a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamDecoder {
    provider: String,
    started: bool,
    calls: Vec<Begun>,
    /// Answers that began and have not ended.
    open: u128,
    /// Answers that ended.
    ended: u128,
    /// Whether the last event was nothing but usage.
    usage_only: bool,
}

impl StreamDecoder {
    pub(in crate::provider) fn new(provider: &str) -> Self {
        Self { provider: provider.into(), started: false, calls: Vec::new(), open: 0, ended: 0, usage_only: false }
    }

    pub(in crate::provider) fn event(
        &mut self,
        name: &str,
        data: &str,
        sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        self.usage_only = false;
        if data.trim() == "[DONE]" {
            sink(Delta::End);
            return Ok(());
        }
        let fields = json::fields(data).map_err(|_| Malformed)?;
        if fields.field("error").is_some_and(|raw| raw.get() != "null") || name == "error" {
            sink(Delta::Failed { body: data.into() });
            return Ok(());
        }
        if let Some(error) = stopped(&fields) {
            // In the form that all errors have. What stands beside it says whether there was output.
            let rest = data.trim_start().strip_prefix('{').unwrap_or("}");
            sink(Delta::Failed { body: ["{\"error\":", error.get(), ",", rest].concat().into() });
            return Ok(());
        }
        let choices = match fields.field("choices") {
            Some(raw) if raw.get() != "null" => {
                let choices = json::items(raw.get()).map_err(|_| Malformed)?;
                self.usage_only = choices.is_empty() && fields.field("usage").is_some_and(|raw| raw.get() != "null");
                choices
            }
            // A usage-only chunk, or one that a proxy made up to keep the line alive.
            _ => Vec::new(),
        };
        // Azure's first chunk has neither: it says what its filters found in the prompt.
        let named = |name: &str| fields.field(name).is_some_and(|raw| !matches!(raw.get(), "null" | "\"\""));
        if !self.started && (named("id") || named("model")) {
            self.started = true;
            start(&fields, sink);
        }
        let mut broken = false;
        for choice in choices {
            broken |= self.choice(choice, sink)?;
        }
        usage(&fields, &self.provider, sink);
        if broken {
            sink(Delta::Failed { body: data.into() });
        }
        Ok(())
    }

    /// True if the answer broke off.
    fn choice(&mut self, choice: Raw<'_>, sink: &mut dyn FnMut(Delta<'_>)) -> Result<bool, Malformed> {
        let choice = json::fields(choice.get()).map_err(|_| Malformed)?;
        let index = choice.field("index").and_then(json::uint).unwrap_or(0);
        let index = u32::try_from(index).ok().filter(|index| *index < u128::BITS).ok_or(Malformed)?;
        let bit = 1u128 << index;
        self.open |= bit;
        if let Some(delta) = choice.field("delta").filter(|raw| raw.get() != "null") {
            let calls = &mut self.calls;
            let delta = json::fields(delta.get()).map_err(|_| Malformed)?;
            pieces(index, &delta, &mut |delta| sink(numbered(delta, calls)));
        }
        if failed(&choice) {
            return Ok(true);
        }
        // Some say it once more beside the usage: an answer ends once.
        if let Some(reason) = choice.field("finish_reason").and_then(finish).filter(|_| self.ended & bit == 0) {
            self.ended |= bit;
            sink(Delta::Finish { choice: index, reason });
        }
        Ok(false)
    }

    /// `[DONE]` is optional, a finish reason for every answer is not.
    pub(in crate::provider) const fn is_finished(&self) -> bool {
        self.open != 0 && self.open == self.ended
    }

    /// Whether the last event was nothing but the usage that was asked for.
    pub(in crate::provider) const fn is_usage_only(&self) -> bool {
        self.usage_only
    }
}

/// Why Groq stopped early (`x_groq.error`, a text; github.com/groq/groq-typescript, `ChatCompletionChunk`).
fn stopped<'a>(fields: &Fields<'a>) -> Option<Raw<'a>> {
    let group = json::fields(fields.field("x_groq")?.get()).ok()?;
    group.field("error").filter(|raw| !matches!(raw.get(), "null" | "\"\""))
}

/// A tool call that has begun, as the provider names it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Begun {
    choice: u32,
    index: u32,
    id: String,
}

/// Counts the tool calls of an answer from 0, in the order in which they begin: some servers count what they did
/// not send as well, and clients fall over the gap. Gemini's compatible API, and others that send calls whole, give
/// each the number 0: a call that begins with another id is another call.
fn numbered<'a>(mut delta: Delta<'a>, calls: &mut Vec<Begun>) -> Delta<'a> {
    let begins = match &delta {
        Delta::ToolCall { id, .. } => id.get(),
        _ => "",
    };
    let begins = String::from(begins);
    if let Delta::ToolCall { choice, index, .. } | Delta::ToolArguments { choice, index, .. } = &mut delta {
        // Of those of one number the last one goes on.
        let last = |calls: &[Begun]| calls.iter().rposition(|one| (one.choice, one.index) == (*choice, *index));
        let known = last(calls).and_then(|at| calls.get_mut(at));
        let is_new = known.is_none_or(|known| {
            if known.id.is_empty() {
                known.id.clone_from(&begins);
            }
            !begins.is_empty() && known.id != begins
        });
        if is_new && calls.len() < MOST_CALLS {
            calls.push(Begun { choice: *choice, index: *index, id: begins });
        }
        if let Some(at) = last(calls) {
            let before = calls.get(..at).unwrap_or_default().iter().filter(|one| one.choice == *choice).count();
            *index = u32::try_from(before).unwrap_or(u32::MAX);
        }
    }
    delta
}

/// Writes a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEncoder {
    stamp: Stamp,
    id: String,
    model: String,
    started: u128,
    usage: Option<Usage>,
}

impl StreamEncoder {
    pub(in crate::provider) const fn new(stamp: Stamp) -> Self {
        Self { stamp, id: String::new(), model: String::new(), started: 0, usage: None }
    }

    pub(in crate::provider) fn push(&mut self, delta: &Delta<'_>, out: &mut String) {
        match delta {
            Delta::Start { id, model } => {
                self.id = id.get().into();
                self.model = model.get().into();
            }
            Delta::Text { choice, text } => self.chunk(*choice, &["\"content\":\"", text.get(), "\""], None, out),
            Delta::Refusal { choice, text } => self.chunk(*choice, &["\"refusal\":\"", text.get(), "\""], None, out),
            Delta::Reasoning { choice, text } => {
                self.chunk(*choice, &["\"reasoning\":\"", text.get(), "\""], None, out)
            }
            Delta::ReasoningDetail { choice, item } => {
                self.chunk(*choice, &["\"reasoning_details\":[", item, "]"], None, out);
            }
            Delta::ToolCall { choice, index, id, name, extra } => {
                let mut number = String::new();
                push_int(&mut number, u64::from(*index));
                let (before, extra) = match extra {
                    Some(extra) => ("\",\"arguments\":\"\"},\"extra_content\":", extra.as_ref()),
                    None => ("\",\"arguments\":\"\"}", ""),
                };
                let call = [
                    "\"tool_calls\":[{\"index\":",
                    &number,
                    ",\"id\":\"",
                    id.get(),
                    "\",\"type\":\"function\",\"function\":{\"name\":\"",
                    name.get(),
                    before,
                    extra,
                    "}]",
                ];
                self.chunk(*choice, &call, None, out);
            }
            Delta::ToolArguments { choice, index, json } => {
                let mut number = String::new();
                push_int(&mut number, u64::from(*index));
                let call =
                    ["\"tool_calls\":[{\"index\":", &number, ",\"function\":{\"arguments\":\"", json.get(), "\"}}]"];
                self.chunk(*choice, &call, None, out);
            }
            Delta::Finish { choice, reason: why } => self.chunk(*choice, &[], Some(reason(Some(*why))), out),
            Delta::Usage { usage, .. } => self.usage = Some(*usage),
            Delta::End => self.end(out),
            Delta::Dearer { .. } | Delta::Failed { .. } | Delta::Unmapped(_) => {}
        }
    }

    /// The first chunk of an answer says who speaks.
    fn chunk(&mut self, choice: u32, delta: &[&str], finish: Option<&str>, out: &mut String) {
        out.push_str("data: ");
        head(out, &self.id, &self.model, "chat.completion.chunk", &self.stamp);
        out.push_str(",\"choices\":[{\"index\":");
        push_int(out, u64::from(choice));
        out.push_str(",\"delta\":{");
        let bit = 1u128.checked_shl(choice).unwrap_or(0);
        if self.started & bit == 0 {
            self.started |= bit;
            out.push_str("\"role\":\"assistant\"");
            if !delta.is_empty() {
                out.push(',');
            }
        }
        for piece in delta {
            out.push_str(piece);
        }
        out.push_str("},\"logprobs\":null,\"finish_reason\":");
        match finish {
            Some(reason) => {
                for piece in ["\"", reason, "\""] {
                    out.push_str(piece);
                }
            }
            None => out.push_str("null"),
        }
        out.push_str("}]}\n\n");
    }

    fn end(&mut self, out: &mut String) {
        if let Some(usage) = self.usage.take().filter(|_| self.stamp.include_usage) {
            out.push_str("data: ");
            head(out, &self.id, &self.model, "chat.completion.chunk", &self.stamp);
            out.push_str(",\"choices\":[],\"usage\":");
            push_usage(out, &usage);
            out.push_str("}\n\n");
        }
        out.push_str("data: [DONE]\n\n");
    }

    /// OpenAI's clients raise an `APIError` for an event with an `error` in it.
    #[expect(clippy::unused_self, reason = "the same shape in every dialect")]
    pub(in crate::provider) fn error(&mut self, _error: &Error, body: &str, out: &mut String) {
        for piece in ["data: ", body, "\n\n"] {
            out.push_str(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Completion, Finish};
    use crate::json::Escaped;

    fn calls(events: &[&str]) -> Vec<(String, String, String)> {
        let (mut decoder, mut completion) = (StreamDecoder::new("openai"), Completion::default());
        for calls in events {
            let data = format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{"tool_calls":[{calls}]}}}}]}}"#);
            decoder.event("", &data, &mut |delta| completion.push(&delta)).unwrap();
        }
        let calls = completion.choices.remove(0).calls.into_iter();
        calls.map(|call| (call.id, call.name, call.arguments)).collect()
    }

    fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
        (id.into(), name.into(), arguments.into())
    }

    #[test]
    fn an_answer_ends_once_and_the_pieces_of_a_custom_call_are_output() {
        let mut decoder = StreamDecoder::new("openai");
        let mut read = |choice: &str| {
            let (mut ends, mut output) = (0, 0);
            let data = format!(r#"{{"id":"c","choices":[{{"index":0,{choice}}}]}}"#);
            let mut sink = |delta: Delta<'_>| {
                ends += u32::from(matches!(delta, Delta::Finish { .. }));
                output += u32::from(delta.commits());
            };
            decoder.event("", &data, &mut sink).unwrap();
            (ends, output)
        };
        let begun = r#""delta":{"tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"f","input":""}}]}"#;
        let piece = r#""delta":{"tool_calls":[{"index":0,"custom":{"input":"SELECT"}}]}"#;
        assert!(read(begun).1 > 0);
        assert_eq!(read(piece), (0, 1), "it is no silence");
        assert_eq!(read(r#""delta":{},"finish_reason":"tool_calls""#), (1, 0));
        assert_eq!(read(r#""delta":{},"finish_reason":"tool_calls""#), (0, 0), "beside the usage, once more");
    }

    #[test]
    fn an_answer_that_groq_stopped_early_has_failed() {
        let read = |more: &str| {
            let data = format!(
                r#" {{"id":"c","choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],"x_groq":{more}}}"#
            );
            let (mut decoder, mut failed) = (StreamDecoder::new("groq"), None);
            let mut sink = |delta: Delta<'_>| {
                if let Delta::Failed { body } = delta {
                    failed = Some(body.into_owned());
                }
            };
            decoder.event("", &data, &mut sink).unwrap();
            (failed, decoder.is_finished())
        };
        let (failed, finished) = read(r#"{"id":"r","error":"over_capacity"}"#);
        let body = failed.expect("it was taken for a whole answer");
        let body = json::fields(&body).unwrap();
        assert_eq!(body.field("error").and_then(json::text).as_deref(), Some("over_capacity"));
        assert!(body.field("choices").is_some() && !finished);
        for whole in [r#"{"id":"r"}"#, r#"{"error":null}"#, r#"{"error":""}"#, "null"] {
            assert_eq!(read(whole), (None, true), "{whole}");
        }
    }

    #[test]
    fn an_event_named_error_is_one_whatever_is_in_it() {
        let mut decoder = StreamDecoder::new("openai");
        let mut failed = Vec::new();
        let mut sink = |delta: Delta<'_>| match delta {
            Delta::Failed { body } => failed.push(body.into_owned()),
            other => panic!("{other:?}"),
        };
        let body = r#"{"message":"overloaded"}"#;
        decoder.event("error", body, &mut sink).unwrap();
        assert_eq!(failed, [body]);
    }

    #[test]
    fn nothing_at_all_and_an_answer_without_its_end_are_not_finished() {
        let mut decoder = StreamDecoder::new("openai");
        decoder.event("", "[DONE]", &mut |_| {}).unwrap();
        assert!(!decoder.is_finished());
        let choice = |index: u32, reason: &str| {
            format!(r#"{{"choices":[{{"index":{index},"delta":{{"content":"x"}},"finish_reason":{reason}}}]}}"#)
        };
        for (event, finished) in [
            (choice(0, "null"), false),
            (choice(0, "\"stop\""), true),
            (choice(1, "null"), false),
            (choice(1, "\"stop\""), true),
        ] {
            decoder.event("", &event, &mut |_| {}).unwrap();
            assert_eq!(decoder.is_finished(), finished, "{event}");
        }
    }

    #[test]
    fn what_is_written_says_who_speaks_once_and_ends_with_usage_only_if_it_was_asked_for() {
        for include_usage in [false, true] {
            let mut encoder = StreamEncoder::new(Stamp { created_s: 1, include_usage });
            let mut out = String::new();
            let text = |text: &'static str| Delta::Text { choice: 0, text: Escaped::trusted(text) };
            for delta in [
                text("a"),
                text("b"),
                Delta::ToolArguments { choice: 0, index: 2, json: Escaped::trusted("{}") },
                Delta::Finish { choice: 0, reason: Finish::Stop },
                Delta::Usage { usage: Usage { input: 3, output: 2, ..Usage::default() }, cost: None },
                Delta::End,
            ] {
                encoder.push(&delta, &mut out);
            }
            let events: Vec<_> = out.split_terminator("\n\n").collect();
            let deltas: Vec<_> =
                events.iter().filter_map(|event| event.split_once("\"delta\":")?.1.split_once(",\"logprobs")).collect();
            assert_eq!(
                deltas.iter().map(|(delta, _)| *delta).collect::<Vec<_>>(),
                [
                    r#"{"role":"assistant","content":"a"}"#,
                    r#"{"content":"b"}"#,
                    r#"{"tool_calls":[{"index":2,"function":{"arguments":"{}"}}]}"#,
                    "{}"
                ]
            );
            assert!(deltas[3].1.contains(r#""finish_reason":"stop""#), "{out}");
            assert_eq!(out.contains(r#""choices":[],"usage":{"prompt_tokens":3,"#), include_usage, "{out}");
            assert_eq!(events.last(), Some(&"data: [DONE]"));
        }
    }

    #[test]
    fn whole_calls_of_one_number_are_told_apart_by_their_ids() {
        for index in [r#""index":0,"#, ""] {
            let one = |id: &str| format!(r#"{{{index}"id":"{id}","function":{{"name":"f","arguments":"{{}}"}}}}"#);
            let apart = calls(&[&one("a"), &one("b"), &one("c")]);
            assert_eq!(apart, [call("a", "f", "{}"), call("b", "f", "{}"), call("c", "f", "{}")], "{index:?}");
        }
    }

    #[test]
    fn pieces_of_one_call_stay_together() {
        let begin = r#"{"index":3,"id":"a","function":{"name":"f","arguments":"{"}}"#;
        let more = r#"{"index":3,"function":{"arguments":"}"}}"#;
        // Some repeat name and id, some send an empty id, some the id only once it is known.
        let repeated = r#"{"index":3,"id":"a","function":{"name":"f","arguments":"}"}}"#;
        let emptied = r#"{"index":3,"id":"","function":{"arguments":"}"}}"#;
        for end in [more, repeated, emptied] {
            assert_eq!(calls(&[begin, end]), [call("a", "f", "{}")], "{end}");
        }
        let nameless = r#"{"index":3,"id":"","function":{"name":"f","arguments":"{"}}"#;
        assert_eq!(calls(&[nameless, repeated]), [call("a", "f", "{}")]);
        let second = r#"{"index":5,"id":"b","function":{"name":"g","arguments":"{}"}}"#;
        assert_eq!(calls(&[begin, second, more]), [call("a", "f", "{}"), call("b", "g", "{}")]);
    }
}

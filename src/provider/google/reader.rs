//! Cuts a `GenerateContentResponse` into pieces: the whole one of `generateContent`, or one of a stream's.

use super::fields::{compact, given};
use super::partial::Partial;
use super::signature;
use crate::chat::{Delta, Finish, Usage};
use crate::json::{self, Escaped, Fields, Raw, push_escaped};
use crate::text::decimal;

type Sink<'s> = &'s mut dyn FnMut(Delta<'_>);

/// What is known of one answer's pieces so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reader {
    id: String,
    started: bool,
    /// Whether the prompt was refused: then there is one end, however many answers were asked for.
    refused: bool,
    candidates: Vec<Candidate>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Candidate {
    index: u32,
    calls: u32,
    /// The arguments of the last call, while they come in pieces.
    partial: Option<Partial>,
    finished: bool,
}

impl Reader {
    /// Takes one response in; `None` for what is none.
    pub(super) fn response(&mut self, response: &Fields<'_>, sink: Sink<'_>) -> Option<()> {
        if !self.started {
            let text = |name: &str| given(response, name).and_then(Escaped::of).unwrap_or_default();
            let (id, model) = (text("responseId"), text("modelVersion"));
            self.started = !id.is_empty() || !model.is_empty();
            if self.started {
                self.id = id.get().into();
                sink(Delta::Start { id, model });
            }
        }
        if let Some(candidates) = given(response, "candidates") {
            for candidate in json::items(candidates.get()).ok()? {
                self.candidate(&json::fields(candidate.get()).ok()?, sink)?;
            }
        }
        // A prompt that was refused has no candidates: the first is one that was withheld whole.
        let feedback = given(response, "promptFeedback").and_then(|raw| json::fields(raw.get()).ok());
        if feedback.is_some_and(|feedback| given(&feedback, "blockReason").is_some()) && self.candidates.is_empty() {
            at(&mut self.candidates, 0)?.finished = true;
            self.refused = true;
            sink(Delta::Finish { choice: 0, reason: Finish::ContentFilter });
        }
        if let Some(usage) = given(response, "usageMetadata").and_then(usage) {
            sink(Delta::Usage { usage, cost: None });
        }
        Some(())
    }

    /// Whether every candidate that began has a finish reason.
    pub(super) fn is_finished(&self) -> bool {
        !self.candidates.is_empty() && self.candidates.iter().all(|candidate| candidate.finished)
    }

    /// Whether the prompt was refused: no other answer comes then.
    pub(super) const fn is_refused(&self) -> bool {
        self.refused
    }

    fn candidate(&mut self, fields: &Fields<'_>, sink: Sink<'_>) -> Option<()> {
        // Zero is left out.
        let index = given(fields, "index").map_or(Some(0), json::uint)?;
        let index = u32::try_from(index).ok().filter(|index| *index < 128)?;
        let own = at(&mut self.candidates, index)?;
        if let Some(content) = given(fields, "content")
            && let Some(parts) = given(&json::fields(content.get()).ok()?, "parts")
        {
            for part in json::items(parts.get()).ok()? {
                own.part(&self.id, &json::fields(part.get()).ok()?, sink)?;
            }
        }
        for (name, _) in fields.iter().filter(|(_, raw)| !matches!(raw.get(), "null" | "{}" | "[]")) {
            match name {
                "groundingMetadata" | "groundingAttributions" | "citationMetadata" | "urlContextMetadata" => {
                    sink(Delta::Unmapped("annotations"));
                }
                "logprobsResult" => sink(Delta::Unmapped("logprobs")),
                _ => {}
            }
        }
        let reason = given(fields, "finishReason").and_then(json::text);
        // Protobuf's JSON mapping leaves out a value that was not set, or writes its name.
        let is_set = |reason: &str| !matches!(reason, "" | "FINISH_REASON_UNSPECIFIED");
        if let Some(reason) = reason.filter(|reason| !own.finished && is_set(reason)) {
            own.close(sink);
            own.finished = true;
            sink(Delta::Finish { choice: index, reason: finish(&reason, own.calls > 0) });
        }
        Some(())
    }
}

fn at(candidates: &mut Vec<Candidate>, index: u32) -> Option<&mut Candidate> {
    let place = candidates.iter().position(|own| own.index == index);
    let place = place.unwrap_or_else(|| {
        candidates.push(Candidate { index, calls: 0, partial: None, finished: false });
        candidates.len().saturating_sub(1)
    });
    candidates.get_mut(place)
}

impl Candidate {
    fn part(&mut self, id: &str, part: &Fields<'_>, sink: Sink<'_>) -> Option<()> {
        let choice = self.index;
        let signature = signature::of_part(part);
        if let Some(call) = given(part, "functionCall") {
            return self.call(id, &json::fields(call.get()).ok()?, signature, sink);
        }
        let thought = part.field("thought").is_some_and(|raw| raw.get() == "true");
        if let Some(text) = given(part, "text") {
            let text = Escaped::of(text)?;
            match (text.is_empty(), thought) {
                (true, _) => {}
                (false, true) => sink(Delta::Reasoning { choice, text }),
                (false, false) => sink(Delta::Text { choice, text }),
            }
        }
        for (name, raw) in part.iter() {
            match name {
                "inlineData" => sink(Delta::Unmapped(media(raw))),
                "fileData" => sink(Delta::Unmapped("files")),
                "executableCode" | "codeExecutionResult" | "toolCall" | "toolResponse" => {
                    sink(Delta::Unmapped("server tools"));
                }
                "audioTranscription" => sink(Delta::Unmapped("audio")),
                _ => {}
            }
        }
        if let Some(signature) = signature {
            let item = signature::detail_of_caller(signature.get(), thought);
            sink(Delta::ReasoningDetail { choice, item: item.into() });
        }
        Some(())
    }

    /// A call comes whole, or begins with its name and goes on in parts without one while `willContinue`.
    fn call(&mut self, id: &str, call: &Fields<'_>, signature: Option<Escaped<'_>>, sink: Sink<'_>) -> Option<()> {
        let choice = self.index;
        let more = call.field("willContinue").is_some_and(|raw| raw.get() == "true");
        let name = given(call, "name").and_then(Escaped::of).filter(|name| !name.is_empty());
        if let Some(name) = name {
            self.close(sink);
            let index = self.calls;
            self.calls = self.calls.saturating_add(1);
            let made = made_up(id, index);
            let own = given(call, "id").and_then(Escaped::of).filter(|id| !id.is_empty());
            let extra = signature.as_ref().map(signature::extra);
            sink(Delta::ToolCall { choice, index, id: own.unwrap_or(Escaped::trusted(&made)), name, extra });
            self.partial = Some(Partial::default());
        }
        let partial = self.partial.as_mut()?;
        if let Some(args) = given(call, "args").filter(|args| args.get() != "{}") {
            json::fields(args.get()).ok()?;
            self.partial = None;
            self.arguments(args.get(), sink);
            return Some(());
        }
        if let Some(pieces) = given(call, "partialArgs") {
            for piece in json::items(pieces.get()).ok()? {
                if partial.push(&json::fields(piece.get()).ok()?).is_none() {
                    // What is put together without it would be another call.
                    sink(Delta::Unmapped("arguments"));
                }
            }
        }
        if !more {
            self.close(sink);
        }
        Some(())
    }

    /// Ends the call whose arguments came in pieces.
    fn close(&mut self, sink: Sink<'_>) {
        if let Some(partial) = self.partial.take() {
            self.arguments(&partial.json(), sink);
        }
    }

    fn arguments(&self, args: &str, sink: Sink<'_>) {
        let (mut line, mut escaped) = (String::with_capacity(args.len()), String::with_capacity(args.len()));
        compact(&mut line, args);
        push_escaped(&mut escaped, &line);
        let index = self.calls.saturating_sub(1);
        sink(Delta::ToolArguments { choice: self.index, index, json: Escaped::trusted(&escaped) });
    }
}

/// Calls without an id get one that no other call of the conversation has: Anthropic refuses repeated ids,
/// and some providers take no more than 40 letters, digits, `_` and `-`.
fn made_up(answer: &str, index: u32) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = !answer.is_empty() && answer.len() <= 30 && answer.bytes().all(plain);
    let answer = if fits { [answer, "_"].concat() } else { String::new() };
    ["call_", &answer, &decimal(u64::from(index))].concat()
}

fn media(raw: Raw<'_>) -> &'static str {
    let kind = json::fields(raw.get()).ok().and_then(|blob| blob.field("mimeType").and_then(json::text));
    match kind.as_deref().and_then(|kind| kind.split_once('/')) {
        Some(("image", _)) => "images",
        Some(("audio", _)) => "audio",
        _ => "files",
    }
}

/// ai.google.dev/api/generate-content#FinishReason. An answer that calls functions ends with `STOP`.
fn finish(reason: &str, calls: bool) -> Finish {
    match reason {
        "STOP" if calls => Finish::ToolCalls,
        "STOP" => Finish::Stop,
        "MAX_TOKENS" | "CONTINUATION" => Finish::Length,
        // The answer broke off in a call: most dialects have no other word for one that did not come to its end.
        "MALFORMED_FUNCTION_CALL"
        | "MALFORMED_RESPONSE"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::ContentFilter,
        _ => Finish::Other,
    }
}

/// Counts of zero are left out; one without a prompt says nothing yet. What the provider's own tools put into
/// the prompt is counted beside it, thoughts beside the answer.
fn usage(raw: Raw<'_>) -> Option<Usage> {
    let fields = json::fields(raw.get()).ok()?;
    let count = |name: &str| given(&fields, name).map_or(Some(0), json::uint);
    let prompt = given(&fields, "promptTokenCount").and_then(json::uint)?;
    let reasoning = count("thoughtsTokenCount")?;
    let input = prompt.saturating_add(count("toolUsePromptTokenCount")?);
    Some(Usage {
        input,
        cached_input: count("cachedContentTokenCount").unwrap_or(0).min(input),
        cache_write: 0,
        cache_write_1h: 0,
        output: count("candidatesTokenCount")?.saturating_add(reasoning),
        reasoning,
    })
}

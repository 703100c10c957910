//! One exchange with one target: send, read up to the commit point, classify.

mod flow;
mod known;

use std::pin::Pin;
use std::time::Duration;

pub use flow::{Flow, Pushed, Trouble};

use crate::abort::{Abort, Raced, race};
use crate::chat::{Completion, Dialect};
use crate::error::{Code, Detail, NetworkKind, TimeoutKind};
use crate::host::{
    Chunks, Clock, Rest, Timer, Transport, UpstreamBody, UpstreamRequest, UpstreamResponse, of_the_rest,
};
use crate::provider::{Answer, Stamp, TRANSLATES_FIRST, VECTORS, decode_body, embeddings, sse};
use crate::retry::{classify, may_be_error};
use crate::time::Timestamp;

/// The longest whole answer that is read, in bytes.
const MAX_BODY: usize = 32 << 20;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// An answer of a model.
    #[default]
    Chat,
    /// Vectors.
    Embeddings {
        /// How many inputs.
        inputs: usize,
        /// Whether the caller gave a list.
        listed: bool,
        /// Whether the caller wants base64.
        base64: bool,
    },
}

/// How an answer is to be read, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// What the provider speaks.
    pub dialect: Dialect,
    /// What the caller speaks.
    pub caller: Dialect,
    /// The provider's id, for its quirks.
    pub provider: &'a str,
    /// What a translated answer carries.
    pub stamp: Stamp,
    /// What was asked for.
    pub kind: Kind,
    /// The model that was asked.
    pub model: &'a str,
    /// Answers that were asked for, where each has an end of its own.
    pub choices: u32,
    /// Whether reasoning is output after which nothing is retried.
    pub reasoning_commits: bool,
    /// Whether the target is a gateway, which tells no tokens for what cost it none.
    pub relayed: bool,
}

impl<'a> Reading<'a> {
    /// One answer to a chat request, whose reasoning counts as output.
    #[must_use]
    pub const fn chat(dialect: Dialect, caller: Dialect, provider: &'a str, stamp: Stamp) -> Self {
        Self {
            dialect,
            caller,
            provider,
            stamp,
            kind: Kind::Chat,
            model: "",
            choices: 1,
            reasoning_commits: true,
            relayed: false,
        }
    }
}

/// The timers of one exchange, each from its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    /// A whole answer must be there.
    pub attempt: Duration,
    /// A stream's headers must be there.
    pub headers: Duration,
    /// A stream's first output must be there.
    pub first_output: Duration,
}

/// How an exchange ended.
#[derive(Debug)]
pub enum Exchange<C> {
    /// A whole answer: what the gateway reads of it, and its text.
    Answered(Answer, String),
    /// A whole answer in neutral form, to be written anew: for a caller of another dialect, or for one who asked
    /// for a stream and did not get one.
    Collected(Answer, Completion),
    /// A stream that has committed.
    Streaming(Box<Committed<C>>),
    /// No answer.
    Failed(Failure),
    /// What came cannot be read: it needs the rest of the program, which cannot be had.
    Stranded,
    /// The caller aborted.
    Aborted {
        /// Whether the request had been sent by then.
        sent: bool,
    },
}

/// A stream after its first output. Nothing of it is retried any more.
#[derive(Debug)]
pub struct Committed<C> {
    /// What of it was read so far.
    pub flow: Flow,
    /// Bytes to be handed out first.
    pub head: Vec<u8>,
    /// The rest; `None` if all was read.
    pub chunks: Option<C>,
}

/// Why there is no answer, and what follows for money and for the next try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// The provider's HTTP status, or the one that an error inside a 2xx stands for.
    pub status: Option<u16>,
    /// The wait that the provider asks for.
    pub wait: Option<Duration>,
    /// The provider forbids a retry.
    pub stop: bool,
    /// The provider may bill the attempt all the same.
    pub billed: bool,
    /// Network or timeout kind.
    pub detail: Detail,
}

impl Failure {
    /// An attempt that the provider may bill.
    #[must_use]
    pub const fn billed(code: Code, detail: Detail) -> Self {
        Self { code, status: None, wait: None, stop: false, billed: true, detail }
    }

    /// The timer of this kind ran out: the request was sent, nobody knows how far the provider came.
    fn late(kind: TimeoutKind) -> Self {
        Self::billed(Code::Timeout, Detail::Timeout(kind))
    }

    /// It answered 2xx with something that is no answer: it may well have run the model.
    fn malformed(status: u16) -> Self {
        Self { status: Some(status), ..Self::billed(Code::UpstreamMalformed, Detail::Status(status)) }
    }

    /// A fetch without a response. Browsers do not say whether anything was sent, so it counts as possibly billed unless
    /// the browser was offline before: an answer that no page may read was paid for, too.
    pub(crate) fn lost(kind: NetworkKind) -> Self {
        // Where the provider does not let this origin in, trying again changes nothing.
        let stop = kind == NetworkKind::Cors;
        Self { stop, billed: kind != NetworkKind::Offline, ..Self::billed(Code::UpstreamFailed, Detail::Network(kind)) }
    }

    /// An answer that broke off: it had been asked for, whatever has become of the network since.
    fn cut() -> Self {
        Self::lost(NetworkKind::Network)
    }

    /// What the provider says about it, if it is a failure.
    fn read(response: &Head<'_>, body: &[u8], now: Timestamp) -> Option<Self> {
        let header = |name: &str| {
            let found = response.headers.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.as_str())
        };
        let verdict = classify(response.status, &header, body, now)?;
        Some(Self {
            code: verdict.code,
            status: Some(verdict.status),
            wait: verdict.wait,
            stop: verdict.stop,
            billed: verdict.billed,
            detail: Detail::Status(verdict.status),
        })
    }

    /// What an error event before the first output stands for.
    fn embedded(body: &str, now: Timestamp) -> Self {
        let head = Head { status: 200, headers: &[] };
        Self::read(&head, body.as_bytes(), now).unwrap_or_else(|| Self::malformed(200))
    }
}

struct Head<'a> {
    status: u16,
    headers: &'a [(String, String)],
}

/// Sends `request` and reads the answer: all of it, or up to the first output of a stream.
pub async fn exchange<H: Transport + Rest + Timer + Clock>(
    host: &H,
    request: UpstreamRequest<'_>,
    reading: &Reading<'_>,
    timers: &Timers,
    abort: &Abort,
) -> Exchange<H::Chunks> {
    if abort.is_aborted() {
        return Exchange::Aborted { sent: false };
    }
    let streams = request.stream;
    let began = host.now();
    let (span, kind) =
        if streams { (timers.headers, TimeoutKind::Headers) } else { (timers.attempt, TimeoutKind::Attempt) };
    let response = match race(host.send(request), host.sleep(span), abort).await {
        Raced::Done(Ok(response)) => response,
        Raced::Done(Err(kind)) => return Exchange::Failed(Failure::lost(kind)),
        Raced::TimedOut => return Exchange::Failed(Failure::late(kind)),
        Raced::Aborted => return Exchange::Aborted { sent: true },
    };
    let UpstreamResponse { status, headers, body } = response;
    let head = Head { status, headers: &headers };
    // What most answers are: nothing of it has to be judged, nor written anew by what loads later.
    let first = TRANSLATES_FIRST || reading.caller == reading.dialect;
    let good = (200..300).contains(&status) && !streams && first;
    let plain = matches!(&body, UpstreamBody::Whole(body) if good && !may_be_error(body));
    if !plain && !host.rest().await {
        return Exchange::Stranded;
    }
    match body {
        UpstreamBody::Whole(body) if plain => answered(status, body, reading, streams),
        UpstreamBody::Whole(body) => read(&head, body, reading, streams, host.now()),
        UpstreamBody::Open(chunks) => {
            let passed = host.now().since(began);
            let left = timers.first_output.saturating_sub(passed);
            begin(host, head, chunks, reading, left, abort).await
        }
    }
}

/// Reads a stream up to its first output, which must be there within `left`.
#[inline(never)]
fn begin<'a, H: Transport + Timer + Clock>(
    host: &'a H,
    head: Head<'a>,
    chunks: H::Chunks,
    reading: &'a Reading<'a>,
    left: Duration,
    abort: &'a Abort,
) -> Pin<Box<dyn Future<Output = Exchange<H::Chunks>> + 'a>> {
    of_the_rest(async move {
        match race(first_output(host, &head, chunks, reading), host.sleep(left), abort).await {
            Raced::Done(exchange) => exchange,
            Raced::TimedOut => Exchange::Failed(Failure::late(TimeoutKind::FirstOutput)),
            Raced::Aborted => Exchange::Aborted { sent: true },
        }
    })
}

/// Reads a stream up to its first output.
async fn first_output<H: Transport + Clock>(
    host: &H,
    response: &Head<'_>,
    mut chunks: H::Chunks,
    reading: &Reading<'_>,
) -> Exchange<H::Chunks> {
    let mut flow = Flow::new(reading);
    let mut head = Vec::new();
    let mut begun = false;
    loop {
        let chunk = match chunks.next().await {
            Ok(chunk) => chunk,
            Err(_) => return Exchange::Failed(Failure::cut()),
        };
        let ended = chunk.is_none();
        let bytes = chunk.unwrap_or_default();
        if !begun {
            let visible = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            // JSON or HTML instead of events, whatever the headers say.
            if matches!(visible, Some(b'{' | b'[' | b'<')) || !(200..300).contains(&response.status) {
                return whole(host, response, bytes, chunks, reading).await;
            }
            begun = visible.is_some();
        }
        head.extend_from_slice(flow.push(&bytes).of(&bytes));
        if ended {
            head.extend(flow.finish());
        }
        if head.len() > sse::MAX_FRAME {
            // Megabytes and nothing said: it is kept in memory until something is.
            return Exchange::Failed(Failure::malformed(response.status));
        }
        match flow.trouble() {
            // Output that came with the trouble has not been handed out: there is still time for another try.
            Some(Trouble::Failed(body)) => {
                let failure = Failure::embedded(body, host.now());
                // Output that nobody saw was generated all the same.
                let ran = flow.outputs() > 0;
                return Exchange::Failed(Failure { billed: failure.billed || ran, ..failure });
            }
            Some(Trouble::Malformed) => return Exchange::Failed(Failure::malformed(response.status)),
            Some(Trouble::Media) => {
                return Exchange::Failed(Failure { stop: true, ..Failure::malformed(response.status) });
            }
            None => {}
        }
        match (ended, flow.has_committed() || flow.is_finished()) {
            (false, true) => return Exchange::Streaming(Committed { flow, head, chunks: Some(chunks) }.into()),
            (true, _) if flow.is_finished() => {
                return Exchange::Streaming(Committed { flow, head, chunks: None }.into());
            }
            // Cut before anybody saw anything of it.
            (true, _) => return Exchange::Failed(Failure::malformed(response.status)),
            (false, false) => {}
        }
    }
}

/// Reads to the end what turned out to be no stream of events.
async fn whole<H: Transport + Clock>(
    host: &H,
    response: &Head<'_>,
    mut body: Vec<u8>,
    mut chunks: H::Chunks,
    reading: &Reading<'_>,
) -> Exchange<H::Chunks> {
    loop {
        match chunks.next().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= MAX_BODY => body.extend(chunk),
            Ok(Some(_)) => return Exchange::Failed(Failure::malformed(response.status)),
            Ok(None) => return read(response, body, reading, true, host.now()),
            Err(_) => return Exchange::Failed(Failure::cut()),
        }
    }
}

fn read<C>(response: &Head<'_>, body: Vec<u8>, reading: &Reading<'_>, streams: bool, now: Timestamp) -> Exchange<C> {
    if let Some(failure) = Failure::read(response, &body, now) {
        return Exchange::Failed(failure);
    }
    answered(response.status, body, reading, streams)
}

/// Reads an answer that is no failure.
fn answered<C>(status: u16, body: Vec<u8>, reading: &Reading<'_>, streams: bool) -> Exchange<C> {
    let unread =
        Answer { relayed: reading.relayed, translated: reading.caller != reading.dialect, ..Answer::default() };
    if VECTORS && let Kind::Embeddings { inputs, listed, base64 } = reading.kind {
        let text = String::from_utf8(body).ok();
        let read = text.and_then(|text| {
            let vectors = embeddings::decode_body(reading.dialect, reading.provider, &text, inputs)?;
            let mut answer = Answer { usage: vectors.usage, cost: vectors.cost, complete: true, ended: 1, ..unread };
            answer.doubt();
            if reading.caller == reading.dialect {
                return Some((answer, text));
            }
            let reply = embeddings::Reply { model: reading.model, listed, base64, estimated_tokens: 0 };
            Some((answer, embeddings::encode_body(reading.caller, &vectors, &reply)?))
        });
        return match read {
            Some((answer, text)) => Exchange::Answered(answer, text),
            None => Exchange::Failed(Failure::malformed(status)),
        };
    }
    let translates = streams || reading.caller != reading.dialect;
    let mut answer = unread;
    let mut completion = translates.then(Completion::default);
    let text = String::from_utf8(body).ok();
    let decoded = text.as_deref().and_then(|text| {
        decode_body(reading.dialect, reading.provider, text, &mut |delta| {
            answer.push(&delta);
            if let Some(completion) = &mut completion {
                completion.push(&delta);
            }
        })
    });
    answer.doubt();
    // Some servers give one answer whatever is asked for: it is the caller's to see, and is not kept.
    answer.complete &= answer.ended >= reading.choices;
    match (decoded, completion, text) {
        // What the caller would not see must not look like the whole answer; the same question would bring the same.
        (Some(()), Some(_), _) if answer.media => {
            Exchange::Failed(Failure { stop: true, ..Failure::malformed(status) })
        }
        (Some(()), Some(completion), Some(_)) => Exchange::Collected(answer, completion),
        (Some(()), None, Some(text)) => Exchange::Answered(answer, text),
        _ => Exchange::Failed(Failure::malformed(status)),
    }
}

#[cfg(test)]
mod tests;

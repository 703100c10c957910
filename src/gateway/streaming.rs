//! A stream after its commit point. It stays out of futures: whoever reads the provider's bytes pushes them
//! through, at the caller's pace, and says how they ended. Only then the ledger is asked again.

use std::pin::Pin;
use std::time::Duration;

use super::answer::{CacheState, CostSource, Meta, Served};
use super::context::StreamEnd;
use super::problem::{failure, problem};
use super::restore::Restoring;
use super::run::{Commit, Run, store};
use super::told::tell;
use super::{Guest, Host, request_end};
use crate::attempt::{Committed, Flow, Pushed, Trouble};
use crate::cache::Controls;
use crate::chat::Usage;
use crate::error::{Code, Detail, Error, NetworkKind, TimeoutKind};
use crate::host::of_the_rest;
use crate::money::NanoUsd;
use crate::provider::{Answer, StreamEncoder, encode_body};
use crate::time::Timestamp;

/// How the provider's bytes ended, or why nobody reads them any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The last byte came.
    End,
    /// The network failed.
    Lost(NetworkKind),
    /// A timer of the stream ran out.
    Late,
    /// The caller left.
    Left,
}

/// A stream on its way to its caller.
pub struct Streaming<H: Host> {
    run: Run<H>,
    controls: Controls,
    commit: Commit,
    flow: Flow,
    head: Vec<u8>,
    chunks: Option<H::Chunks>,
    idle_until: Timestamp,
    /// How long the caller did not read, in all.
    unread: Duration,
    cache: CacheState,
    guest: Option<Guest>,
    /// Puts the request's keys back on the way out. What is kept, and a cut stream's partial text, has the marks.
    restoring: Option<Box<Restoring>>,
}

/// What a stream came to.
#[derive(Clone, Debug)]
pub struct Closed {
    /// What is still to be handed out: the end of the stream, or an error in the caller's dialect.
    pub trailing: Vec<u8>,
    /// What the gateway did.
    pub meta: Meta,
    /// Why it did not end well: `stream_interrupted`, `aborted`.
    pub error: Option<Error>,
    /// The text that arrived before it was cut, escaped as in JSON.
    pub partial: Option<String>,
}

impl Closed {
    /// The account as JSON text: [`Meta`], and `error` and `partialText` of a stream that was cut.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = self.meta.to_json();
        if let Some(error) = &self.error {
            out.pop();
            out.push_str(",\"error\":");
            problem(error).push_json(&mut out);
            if let Some(partial) = &self.partial {
                for piece in [",\"partialText\":\"", partial, "\""] {
                    out.push_str(piece);
                }
            }
            out.push('}');
        }
        out
    }
}

impl<H: Host> Streaming<H> {
    #[inline(never)]
    pub(super) fn new(
        run: Run<H>,
        controls: Controls,
        commit: Commit,
        committed: Committed<H::Chunks>,
        now: Timestamp,
    ) -> Self {
        let idle_until = now.after(run.context.gate.config.timeouts.idle);
        let Committed { flow, head, chunks } = committed;
        Self {
            run,
            controls,
            commit,
            flow,
            head,
            chunks,
            idle_until,
            unread: Duration::ZERO,
            cache: CacheState::Miss,
            guest: None,
            restoring: None,
        }
    }

    #[inline(never)]
    pub(super) fn boarded(
        mut self: Box<Self>,
        cache: CacheState,
        guest: Guest,
        restoring: Option<Box<Restoring>>,
    ) -> Box<Self> {
        self.cache = cache;
        self.guest = Some(guest);
        self.restoring = restoring;
        if let Some(restoring) = &mut self.restoring {
            self.head = restoring.push(&self.head);
        }
        self
    }

    /// Ends it for a caller who wants no stream.
    #[inline(never)]
    pub(super) fn leave<'a>(self: Box<Self>) -> Pin<Box<dyn Future<Output = Closed> + 'a>>
    where
        H: 'a,
    {
        of_the_rest(self.finish(Ending::Left))
    }

    /// The rest of the provider's bytes, to be read by whoever drives this stream; `None` if all came before
    /// the commit point.
    pub fn take_chunks(&mut self) -> Option<H::Chunks> {
        self.chunks.take()
    }

    /// What was read up to the commit point, to be handed out first.
    pub fn take_head(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.head)
    }

    /// Takes the provider's bytes in; and says whether no timer had run out by then. One look at the clock for both.
    pub fn push(&mut self, bytes: &[u8]) -> (Pushed, bool) {
        let before = self.flow.outputs();
        let mut pushed = self.flow.push(bytes);
        if let Some(restoring) = &mut self.restoring {
            pushed = Pushed::Bytes(restoring.push(pushed.of(bytes)));
        }
        let now = self.run.context.host.now();
        // What only keeps the connection alive does not count.
        if self.flow.outputs() > before {
            self.idle_until = now.after(self.run.context.gate.config.timeouts.idle);
        }
        (pushed, now < self.run.deadline && now < self.idle_until)
    }

    /// Whether there is nothing more to be read: the provider said that it failed, or what it sends is no
    /// stream.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.flow.trouble().is_some()
    }

    /// How long until a timer may run out: none between two outputs, none of the whole request. To be asked
    /// again after each wait; zero means that one has run out.
    pub fn time_left(&mut self) -> Duration {
        let now = self.run.context.host.now();
        // A clock that was set back begins the waits anew, once: else they would last until it is where it was.
        let timeouts = &self.run.context.gate.config.timeouts;
        self.idle_until = self.idle_until.min(now.after(timeouts.idle));
        self.run.deadline = self.run.deadline.min(now.after(timeouts.total));
        self.idle_until.since(now).min(self.run.deadline.since(now))
    }

    /// The caller did not read for a while: that is nobody's silence. The time for the whole runs on.
    pub fn paused(&mut self, span: Duration) {
        self.idle_until = self.idle_until.after(span);
        self.unread = self.unread.saturating_add(span);
    }

    /// Whether the caller stood still for as long as a provider may, or for half of the time for the whole: that it
    /// ran out says nothing of the provider then. Else a few who do not read would open everybody's circuit.
    fn is_unread(&self, now: Timestamp) -> bool {
        let timeouts = &self.run.context.gate.config.timeouts;
        let long = self.unread >= timeouts.idle || self.unread.saturating_mul(2) >= timeouts.total;
        long && now < self.idle_until
    }

    /// What is known while it goes on.
    #[must_use]
    pub fn meta(&self) -> Meta {
        let usage = self.flow.answer().usage;
        Meta { reserved: Some(self.commit.bound), ..self.account(CostSource::Estimated, usage) }
    }

    fn account(&self, cost_source: CostSource, usage: Option<Usage>) -> Meta {
        Meta {
            request_id: (*self.run.context.request_id).into(),
            target: self.run.name(self.commit.index),
            attempts: self.run.attempts,
            cache: self.cache,
            age: None,
            saved: None,
            cost: self.run.cost,
            cost_source,
            usage: usage.unwrap_or_default(),
            degraded: false,
            #[cfg(feature = "dialects")]
            left_out: self.flow.answer().left_out,
            reserved: None,
            #[cfg(feature = "edge")]
            allowance: self.run.context.standing.as_ref().and_then(|standing| standing.allowance()).map(Box::new),
            #[cfg(feature = "edge")]
            tried: self.run.failed.as_slice().into(),
        }
    }

    /// Ends the stream: settles, stores, records, and says what is still to be handed out.
    pub async fn finish(mut self: Box<Self>, ending: Ending) -> Closed {
        let mut trailing = if ending == Ending::End { self.flow.finish() } else { Vec::new() };
        let end = match ending {
            _ if self.flow.is_finished() => StreamEnd::Complete,
            Ending::Left => StreamEnd::Left,
            Ending::Late if self.is_unread(self.run.context.host.now()) => StreamEnd::Unread,
            Ending::End | Ending::Lost(_) | Ending::Late => StreamEnd::Cut,
        };
        if end == StreamEnd::Complete && ending != Ending::End {
            // Everything was said before the connection went: the caller gets a clean end.
            trailing = self.flow.finish();
        }
        if let Some(mut restoring) = self.restoring.take() {
            trailing = restoring.push(&trailing);
            trailing.extend(restoring.finish());
        }
        let commit = self.commit.clone();
        let answer = self.flow.final_answer();
        let earlier = self.run.cost;
        let (end, cost_source) = self.run.close(&commit, end, &answer).await;
        let context = self.run.context.clone();
        let now = context.host.now();
        let error = match end {
            StreamEnd::Complete => None,
            StreamEnd::Cut | StreamEnd::Unread => Some(self.interrupted(ending, now)),
            StreamEnd::Left => Some(Error::new(Code::Aborted)),
        };
        if end == StreamEnd::Complete {
            self.keep(now, cost_source, self.run.cost.saturating_sub(earlier), &answer);
        }
        if matches!(end, StreamEnd::Cut | StreamEnd::Unread)
            && let Some(error) = &error
        {
            self.write_error(error, &mut trailing);
        }
        context.keep_record(&self.run.prepared);
        // As billed: a bound that stands for counts that cannot be is not told with them.
        let meta = self.account(cost_source, answer.usage);
        if context.host.listens() {
            let result = match &error {
                None => Ok(&meta),
                Some(error) => Err((error.code, meta.cost)),
            };
            let started = self.run.prepared.started;
            let mut event = request_end(&context.request_id, result, started, now);
            if error.is_some() {
                event.set("target", meta.target.as_str().into());
            }
            tell(&*context.host, "request-end", event);
        }
        let partial = || self.flow.completion()?.choices.first().map(|choice| choice.text.clone());
        let partial = if error.is_some() { partial() } else { None };
        drop(self.guest.take());
        Closed { trailing, meta, error, partial }
    }

    /// What the caller is told about a cut.
    fn interrupted(&self, ending: Ending, now: Timestamp) -> Error {
        let detail = match (ending, self.flow.trouble()) {
            (Ending::Lost(kind), _) => Detail::Network(kind),
            (Ending::Late, _) if self.run.deadline.since(now).is_zero() => Detail::Timeout(TimeoutKind::Total),
            (Ending::Late, _) => Detail::Timeout(TimeoutKind::Idle),
            (_, Some(Trouble::Failed(_) | Trouble::Malformed | Trouble::Media) | None) => Detail::None,
        };
        let context = &self.run.context;
        let mut error = Error::new(Code::StreamInterrupted).with(detail);
        error.provider = context.gate.config.targets.get(self.commit.index).map(|target| target.provider.clone());
        error.attempt = Some(self.run.attempts);
        error.attempts.clone_from(&self.run.failed);
        error.request_id = Some((*context.request_id).into());
        error.cost = self.run.cost;
        error
    }

    fn write_error(&mut self, error: &Error, trailing: &mut Vec<u8>) {
        let context = &self.run.context;
        let (_, _, body) = failure(context.caller, problem(error));
        // It must not run into a last frame without its blank line.
        let mut out = String::from(if trailing.is_empty() { "" } else { "\n\n" });
        match self.flow.encoder_mut() {
            Some(encoder) => encoder.error(error, &body, &mut out),
            None => StreamEncoder::new(context.caller, context.stamp).error(error, &body, &mut out),
        }
        trailing.extend(out.into_bytes());
    }

    /// Stores the answer whole.
    fn keep(&self, now: Timestamp, cost_source: CostSource, own_cost: NanoUsd, answer: &Answer) {
        let Some(completion) = self.flow.completion() else { return };
        let context = &self.run.context;
        let served = Served {
            body: encode_body(context.caller, completion, &context.stamp).into(),
            target: self.run.name(self.commit.index),
            attempts: self.run.attempts,
            usage: answer.usage.unwrap_or_default(),
            cost: self.run.cost,
            own_cost,
            cost_source,
            degraded: false,
            #[cfg(feature = "dialects")]
            left_out: answer.left_out,
            #[cfg(feature = "edge")]
            tried: Box::default(),
        };
        let (prepared, by_fallback) = (&self.run.prepared, self.commit.by_fallback);
        store(context, prepared, &self.controls, &served, answer, by_fallback, now);
    }
}

//! The host as one request sees it: everything that a decision depends on passes through here, so that
//! it can be recorded and replayed.

mod ends;
mod ledger;
pub(super) mod notices;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

pub(super) use ends::StreamEnd;
use ends::{read_answer, with_answer};

use super::Host;
use super::ask::{AskText, outgoing};
use super::gate::{Gate, OwnKey};
use super::notes::Head;
use super::offers::Offer;
use super::prepare::Prepared;
#[cfg(feature = "edge")]
use super::standing::Standing;
use super::told::tell;
use crate::abort::{Abort, Raced, race};
use crate::attempt::{Committed, Exchange, Failure, Flow, Reading, Timers, exchange};
use crate::chat::Dialect;
use crate::error::{Code, Detail, NetworkKind};
use crate::host::UpstreamRequest;
use crate::money::NanoUsd;
use crate::provider::{Answer, Outgoing, Stamp, TRANSLATES_FIRST};
use crate::record::{Field, Outcome, Tape};
use crate::retry::WaitReason;
use crate::time::Timestamp;
use crate::value::Value;

/// One request's view of its host.
pub(super) struct Context<H> {
    pub(super) host: Rc<H>,
    pub(super) gate: Rc<Gate>,
    pub(super) request_id: Rc<str>,
    pub(super) tenant: Rc<str>,
    pub(super) ask: AskText,
    /// The key that the request brought.
    pub(super) own_key: Option<Rc<OwnKey>>,
    /// The betas of Anthropic's API that go upstream.
    #[cfg(feature = "dialects")]
    pub(super) betas: Option<Rc<str>>,
    /// The trace context that goes upstream.
    #[cfg(feature = "edge")]
    pub(super) trace: Option<Rc<str>>,
    /// What the caller speaks.
    pub(super) caller: Dialect,
    /// Whether the caller asked for a stream.
    pub(super) stream: bool,
    pub(super) stamp: Stamp,
    /// How many answers are asked for.
    pub(super) choices: u32,
    pub(super) abort: Abort,
    pub(super) tape: RefCell<Tape>,
    /// The concurrency slot that the ledger gave this request.
    pub(super) slot: Cell<Option<u64>>,
    /// Where the request stands with its caller's limits.
    #[cfg(feature = "edge")]
    pub(super) standing: Option<Rc<Standing>>,
    /// Whether they have refused it.
    #[cfg(feature = "edge")]
    pub(super) refused: Cell<bool>,
    /// Whether its settlement may follow its answer.
    #[cfg(feature = "edge")]
    pub(super) posts: bool,
}

/// An admitted attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) reservation: u64,
    pub(super) bound: NanoUsd,
    pub(super) lease_until: Timestamp,
}

impl<H: Host> Context<H> {
    fn decide(&self, fields: &[Field<'_>]) -> Option<Outcome> {
        self.tape.borrow_mut().decide(fields)
    }

    fn came(&self, fields: &[Field<'_>]) {
        self.tape.borrow_mut().came(fields);
    }

    /// Tells an event, unless this is a replay.
    pub(super) fn emit(&self, name: &'static str, event: impl FnOnce() -> Value) {
        if !self.tape.borrow().is_replay() && self.host.listens() {
            tell(&*self.host, name, event());
        }
    }

    /// Ends the tape and keeps what is on it.
    pub(super) fn keep_record(&self, prepared: &Prepared) {
        let tape = self.tape.replace(Tape::recording());
        let head = Head::of(prepared, self.stream);
        self.gate.keep_record(prepared.fingerprint, Some(head), tape.finish().0);
    }

    pub(super) fn now(&self) -> Timestamp {
        if let Some(mut past) = self.decide(&["now".into()]) {
            return Timestamp::from_millis(i64::try_from(past.int()).unwrap_or(i64::MAX));
        }
        let now = self.host.now();
        self.came(&[now.into()]);
        now
    }

    pub(super) fn draw(&self) -> u64 {
        if let Some(mut past) = self.decide(&["draw".into()]) {
            return past.int();
        }
        let number = draw(&*self.host);
        self.came(&[number.into()]);
        number
    }

    /// Whether the gate's retry budget has room for one more; takes it.
    pub(super) fn may_retry(&self, now: Timestamp) -> bool {
        if let Some(mut past) = self.decide(&["retry-budget".into()]) {
            return past.int() == 1;
        }
        let granted = self.gate.state.borrow_mut().retry.try_retry(now);
        self.came(&[granted.into()]);
        granted
    }

    /// Waits; false if the caller aborted meanwhile.
    pub(super) async fn wait(&self, span: Duration, reason: WaitReason) -> bool {
        if let Some(mut past) = self.decide(&["wait".into(), millis(span).into(), reason.as_str().into()]) {
            return past.int() == 1;
        }
        let done = race(self.host.sleep(span), std::future::pending(), &self.abort).await == Raced::Done(());
        self.came(&[done.into()]);
        done
    }

    /// Sends one attempt to the target of this index.
    pub(super) async fn exchange(&self, index: usize, offer: &Offer, timers: &Timers) -> Exchange<H::Chunks> {
        let max_output = offer.max_output;
        let span = millis(if self.stream { timers.first_output } else { timers.attempt });
        if let Some(past) = self.decide(&["send".into(), index.into(), max_output.into(), span.into()]) {
            return replay_exchange(past, self);
        }
        let exchange = match self.send(index, offer, timers).await {
            // What follows a failure is in the second part of the Wasm.
            Exchange::Failed(_) if !self.host.rest().await => Exchange::Stranded,
            exchange => exchange,
        };
        match &exchange {
            Exchange::Answered(answer, _) | Exchange::Collected(answer, _) => {
                self.came(&with_answer("ok", answer));
            }
            Exchange::Streaming(_) => self.came(&["stream".into()]),
            // A kind of its own: nobody was asked, so other decisions follow than from a failure.
            Exchange::Failed(Failure { detail: Detail::Network(NetworkKind::Offline), .. }) => {
                self.came(&["offline".into()])
            }
            Exchange::Failed(failure) => self.came(&[
                "no".into(),
                failure.code.as_str().into(),
                failure.status.map_or("-".into(), |status| Field::from(u32::from(status))),
                failure.wait.map_or("-".into(), |wait| Field::from(millis(wait))),
                failure.stop.into(),
                failure.billed.into(),
            ]),
            Exchange::Stranded => self.came(&["stranded".into()]),
            Exchange::Aborted { sent } => self.came(&["aborted".into(), (*sent).into()]),
        }
        exchange
    }

    /// Notes how a stream ended and what is known of its answer; in a replay, tells it.
    pub(super) fn stream_end(&self, end: StreamEnd, answer: &Answer) -> (StreamEnd, Answer) {
        let Some(mut past) = self.decide(&["stream".into()]) else {
            self.came(&with_answer(end.as_str(), answer));
            return (end, answer.clone());
        };
        let end = StreamEnd::parse(&past.word());
        (end, read_answer(&mut past))
    }

    async fn send(&self, index: usize, offer: &Offer, timers: &Timers) -> Exchange<H::Chunks> {
        let config = &self.gate.config;
        let refuse = |code: Code| {
            let detail = Detail::None;
            Exchange::Failed(Failure { code, status: None, wait: None, stop: true, billed: false, detail })
        };
        let Some(target) = config.targets.get(index) else { return refuse(Code::Internal) };
        let dialect = self.gate.dialect(target, self.caller);
        // The vault may have been locked since the plan was made.
        let own_key = self.own_key.as_deref();
        let Some(headers) = self.gate.headers(target, dialect, self.host.in_browser(), own_key) else {
            return refuse(Code::VaultLocked);
        };
        #[cfg(feature = "edge")]
        let headers = traced(headers, self.trace.as_deref());
        #[cfg(feature = "dialects")]
        let headers = with_betas(headers, self.betas.as_deref().filter(|_| dialect == self.caller));
        if !TRANSLATES_FIRST && dialect != self.caller && !self.host.rest().await {
            return Exchange::Stranded;
        }
        if own_key.is_none() {
            self.gate.note_use(target.carrier(), self.host.now());
        }
        let Some(base) = config.base_url(target.carrier()) else { return refuse(Code::Internal) };
        let outgoing = Outgoing { most: Some(offer.most), ..outgoing(target, offer.max_output, self.stream) };
        let Some(path) = self.ask.path(dialect, &outgoing) else { return refuse(Code::UnsupportedEndpoint) };
        let Ok(body) = self.ask.write(dialect, self.caller, &outgoing) else { return refuse(Code::InvalidRequest) };
        let request = UpstreamRequest {
            url: [base, &path].concat(),
            provider: target.carrier(),
            headers,
            body,
            stream: self.stream,
        };
        let reading = Reading {
            dialect,
            caller: self.caller,
            // A relay passes on what the provider said.
            provider: &target.provider,
            stamp: self.stamp,
            kind: self.ask.kind,
            model: &target.model,
            choices: if matches!(dialect, Dialect::Chat | Dialect::Google) { self.choices } else { 1 },
            reasoning_commits: config.reasoning_commits,
            relayed: target.relay.is_some(),
        };
        exchange(&*self.host, request, &reading, timers, &self.abort).await
    }
}

/// Any 64 random bits.
pub(super) fn draw<H: Host>(host: &H) -> u64 {
    let mut bytes = [0; 8];
    host.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The headers with Anthropic's betas among them.
#[cfg(feature = "dialects")]
fn with_betas(mut headers: super::gate::Headers, betas: Option<&str>) -> super::gate::Headers {
    headers.extend(betas.map(|betas| ("anthropic-beta".into(), crate::secret::Secret::new(betas.into()))));
    headers
}

/// The headers with the trace context among them.
#[cfg(feature = "edge")]
fn traced(mut headers: super::gate::Headers, trace: Option<&str>) -> super::gate::Headers {
    headers.extend(trace.map(|trace| ("traceparent".into(), crate::secret::Secret::new(trace.into()))));
    headers
}

#[inline(never)]
fn replay_exchange<H: Host>(mut past: Outcome, context: &Context<H>) -> Exchange<H::Chunks> {
    match past.word().as_str() {
        "ok" => Exchange::Answered(read_answer(&mut past), String::new()),
        "stream" => {
            let reading = Reading::chat(context.caller, context.caller, "", context.stamp);
            Exchange::Streaming(Committed { flow: Flow::new(&reading), head: Vec::new(), chunks: None }.into())
        }
        "no" => Exchange::Failed(Failure {
            code: Code::parse(&past.word()).unwrap_or(Code::Internal),
            status: past.word().parse::<u64>().ok().and_then(|status| u16::try_from(status).ok()),
            wait: past.word().parse().ok().map(Duration::from_millis),
            stop: past.int() == 1,
            billed: past.int() == 1,
            detail: Detail::None,
        }),
        "offline" => Exchange::Failed(Failure::lost(NetworkKind::Offline)),
        "stranded" => Exchange::Stranded,
        _ => Exchange::Aborted { sent: past.int() == 1 },
    }
}

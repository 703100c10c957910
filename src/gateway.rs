//! The pipeline: the only place with order, awaits and fallbacks.
//!
//! ```text
//!  1 validate   request parsed into types, size limits
//!  2 screen     keys in messages: masked, refused, or told
//!  4 cache      fingerprint, hit, join
//!  5 plan       targets in order: able, priced, keyed
//!    for each target (fallback), for each attempt (retry)
//!  6   admit    this attempt's upper bound, its breaker permit, the request's slot
//!  7   send     under min(attempt timeout, remaining deadline)
//!  8   parse
//!  9   settle   a failed attempt: released or at its bound; then retry, next target or stop
//! 11 settle     the bill
//! 12 store      only complete, successful, allowed answers
//! 13 record     one event, one decision record
//! 14 restore    the request's keys put back in place of the marks that were sent
//! ```

mod answer;
mod ask;
mod call;
mod context;
mod facts;
mod flight;
mod gate;
mod memo;
mod models;
mod notes;
mod offers;
mod problem;
mod replay;
mod restore;
mod run;
mod screen;
#[cfg(feature = "edge")]
mod shelf;
#[cfg(feature = "edge")]
mod standing;
mod streaming;
mod told;

use std::rc::Rc;

pub use answer::{CacheState, CostSource, Meta, Reply, Served};
pub use call::{Call, Host, Wants};
pub use gate::{Gate, OwnKey};
pub use models::models;
pub use problem::{error_body, failure, problem};
pub use replay::{Replayed, replay};
#[cfg(feature = "edge")]
pub use shelf::{Finding, Shelf};
#[cfg(feature = "edge")]
pub use standing::enter;
pub use streaming::{Closed, Ending, Streaming};
#[cfg(feature = "edge")]
pub use told::announced;

use crate::abort::Abort;
use crate::admit;
use crate::attempt::Kind;
use crate::cache::{self, Fingerprint};
use crate::chat::{Dialect, Usage};
use crate::error::{Code, Error, Result};
use crate::money::NanoUsd;
use crate::provider::Stamp;
use crate::record::{Tape, hex};
use crate::time::Timestamp;
use ask::{AskText, Read};
use context::{Context, draw};
use facts::{Facts, Reach};
use flight::{Flight, Waited};
use gate::is_final_upstream;
use memo::Seen;
use notes::{Head, note_cached, note_refused, request_end};
use restore::Restoring;
use run::Led;
#[cfg(feature = "edge")]
use standing::Standing;
use told::Patterns;

/// An answer, or the beginning of one.
pub enum Opened<H: Host> {
    /// All of it.
    Whole(Reply),
    /// A stream that has committed.
    Stream(Box<Streaming<H>>),
}

/// Version of decision records: 2 knows streams and dialects.
pub(crate) const RECORD_VERSION: u32 = 2;

/// What follows from the request alone.
struct Prepared {
    request_id: Rc<str>,
    fingerprint: Fingerprint,
    facts: Rc<Facts>,
    reach: Rc<Reach>,
    started: Timestamp,
    /// What of it is worth a look, if that is asked for.
    patterns: Option<Rc<Patterns>>,
    ask: AskText,
    stamp: Stamp,
    /// Where it stands with its caller's limits, where there are any.
    #[cfg(feature = "edge")]
    standing: Option<Rc<Standing>>,
    /// The same request, if it was answered from the cache before; else its namespace, to remember it by.
    seen: Result<Rc<Seen>, String>,
}

/// Takes one request through the whole gateway, up to the first output if it asks for a stream.
///
/// # Errors
/// Every code of the table in [`crate::error`], with all failed attempts attached.
pub async fn open<H: Host + 'static>(gate: &Rc<Gate>, host: &Rc<H>, mut call: Call) -> Result<Opened<H>> {
    let started = host.now();
    let request_id: Rc<str> = ["tg-", &hex(&draw(&**host).to_be_bytes())].concat().into();
    let guest = Guest::enter(gate);
    #[cfg(feature = "edge")]
    let standing = call.caller.clone().map(|caller| Standing::new(caller, call.wants));
    let mut patterns = None;
    if gate.config.patterns && host.rest().await {
        patterns = Some(told::patterns(&**host, &call, &request_id)).filter(|all| !all.is_empty()).map(Rc::new);
    }
    let screened = screen::screen(gate, &**host, &mut call, &request_id);
    let mut restoring = None;
    let screened = screened.map(|marks| {
        let vectors = matches!(call.wants, Wants::Embeddings { .. });
        restoring = if vectors { None } else { Restoring::new(marks, gate.config.restore) };
    });
    let prepared = screened.and_then(|()| prepare(gate, &call, request_id.clone(), started));
    let prepared = prepared.map(|(prepared, streams)| (Prepared { patterns: patterns.clone(), ..prepared }, streams));
    let result = match prepared {
        // Events, whoever they come from, are the rest's; so is what puts keys back.
        Ok((prepared, streams)) if (streams || restoring.is_some()) && !host.rest().await => {
            note_refused(gate, &request_id, patterns.as_deref(), prepared.started, Code::Internal);
            Err(Code::Internal.into())
        }
        #[cfg(feature = "edge")]
        Ok((prepared, streams)) => {
            let prepared = Prepared { standing: standing.clone(), ..prepared };
            answer(gate, host, &call, prepared.into(), streams).await
        }
        #[cfg(not(feature = "edge"))]
        Ok((prepared, streams)) => answer(gate, host, &call, prepared.into(), streams).await,
        Err(error) => {
            note_refused(gate, &request_id, patterns.as_deref(), started, error.code);
            Err(error)
        }
    };
    #[cfg(feature = "edge")]
    let result = match &standing {
        Some(standing) => standing.enter(&**host).await.and(result),
        None => result,
    };
    let ended = match result {
        Ok(Led::Streaming(streaming)) => {
            let cache = if call.controls.may_read(&gate.config.cache) { CacheState::Miss } else { CacheState::Bypass };
            return Ok(Opened::Stream(streaming.boarded(cache, guest, restoring)));
        }
        #[cfg(feature = "edge")]
        Ok(Led::Served(mut reply)) => {
            reply.meta.allowance = standing.and_then(|standing| standing.allowance()).map(Box::new);
            Ok(reply)
        }
        #[cfg(not(feature = "edge"))]
        Ok(Led::Served(reply)) => Ok(reply),
        Err(mut error) => {
            #[cfg(feature = "edge")]
            if let Some(standing) = standing {
                error.allowance = standing.allowance();
            }
            // Its own, also where the error is one that others got before or get with it.
            error.request_id = Some((*request_id).into());
            Err(error)
        }
    };
    if host.listens() {
        let result = ended.as_ref().map(|reply| &reply.meta).map_err(|error| (error.code, error.cost));
        told::tell(&**host, "request-end", request_end(&request_id, result, started, host.now()));
    }
    let restored = ended.map(|mut reply| {
        if let Some(mut restoring) = restoring {
            reply.body = restoring.whole(&reply.body, reply.events).into();
        }
        reply
    });
    restored.map(Opened::Whole)
}

/// Takes one request through the whole gateway and gives the whole answer.
///
/// # Errors
/// As [`open`]; `unsupported_endpoint` for a request that asks for a stream.
pub async fn chat<H: Host + 'static>(gate: &Rc<Gate>, host: &Rc<H>, call: Call) -> Result<Reply> {
    match open(gate, host, call).await? {
        Opened::Whole(reply) => Ok(reply),
        Opened::Stream(streaming) => {
            streaming.leave().await;
            Err(Error::field(Code::UnsupportedEndpoint, "stream", "must be false where a whole answer is wanted")
                .into())
        }
    }
}

/// Step 1, and the fingerprint of step 4; and whether a stream is asked for.
fn prepare(gate: &Gate, call: &Call, request_id: Rc<str>, started: Timestamp) -> Result<(Prepared, bool)> {
    if call.tenant.len() > admit::LONGEST_NAME {
        return Err(Error::invalid("tenant", "must be at most 1024 bytes long").into());
    }
    let mut namespace = call.controls.namespace.clone().unwrap_or_default();
    if let Some(own) = &call.own_key {
        // Who may use one key may not read what was paid with another.
        namespace.push('\u{1}');
        namespace.push_str(&hex(&cache::partition(&own.key, &gate.fingerprint_key)));
    }
    let seen = gate.state.borrow_mut().memo.find(call, &namespace);
    let read = match &seen {
        Some(seen) => seen.read.clone(),
        None => AskText::read(call, gate, &namespace)?,
    };
    let Read { ask, facts, streams, include_usage, fingerprint } = read;
    let created_s = u64::try_from(started.as_millis() / 1_000).unwrap_or(0);
    let stamp = Stamp { created_s, include_usage };
    let own_key = call.own_key.as_deref();
    let keyed = gate.config.targets.iter().map(|target| gate.is_keyed(target, own_key)).collect();
    let (able, lacking) = ask.able(call.dialect, streams, facts.requested, gate);
    let reach = Reach { keyed, able, lacking, locked: gate.state.borrow().locked }.into();
    let seen = seen.ok_or(namespace);
    let prepared = Prepared {
        request_id,
        fingerprint,
        facts,
        reach,
        started,
        patterns: None,
        ask,
        stamp,
        #[cfg(feature = "edge")]
        standing: None,
        seen,
    };
    Ok((prepared, streams))
}

/// Step 4: the cache, the errors not to be repeated, the requests in flight; then the exchange.
async fn answer<H: Host + 'static>(
    gate: &Rc<Gate>,
    host: &Rc<H>,
    call: &Call,
    prepared: Rc<Prepared>,
    streams: bool,
) -> Result<Led<H, Reply>> {
    let reads = call.controls.may_read(&gate.config.cache);
    let fingerprint = prepared.fingerprint;
    let whole =
        |reply: Reply| Led::Served(if streams { reply.into_events(call.dialect, prepared.stamp) } else { reply });
    #[cfg(feature = "edge")]
    let mut looked = None;
    loop {
        let now = host.now();
        if call.abort.is_aborted() {
            note_cached(gate, &prepared, "aborted");
            return Err(Code::Aborted.into());
        }
        if reads {
            let hit = gate.state.borrow_mut().cache.lookup(&fingerprint, now);
            if let Some(hit) = hit {
                note_cached(gate, &prepared, "hit");
                if let Err(namespace) = &prepared.seen {
                    let Prepared { ask, facts, stamp, .. } = &*prepared;
                    let (ask, facts, include_usage) = (ask.clone(), facts.clone(), stamp.include_usage);
                    let read = Read { ask, facts, streams, include_usage, fingerprint };
                    gate.state.borrow_mut().memo.keep(call, namespace.clone(), read);
                }
                return Ok(whole(from_cache(call.dialect, &prepared, hit)));
            }
        }
        #[cfg(feature = "edge")]
        if reads && looked.is_none() {
            // A stream is in the cache only once it has ended: too late for who waits.
            looked = gate.look(fingerprint, !streams, &**host).await;
            if looked.is_some() {
                continue;
            }
        }
        let repeated = if call.controls.refresh { None } else { gate.final_error(&fingerprint, now) };
        if let Some(error) = repeated {
            note_cached(gate, &prepared, "final-error");
            return Err(error.into());
        }
        let state = if reads { CacheState::Miss } else { CacheState::Bypass };
        // A stream is shared only once it is whole, that is, through the cache.
        if streams || !(reads && gate.joins) {
            let context = context(gate, host, call, &prepared, streams, call.abort.clone());
            return match run::lead(context, prepared.clone(), call.controls.clone()).await? {
                Led::Served(served) => Ok(whole(own(&prepared.request_id, &served, state))),
                Led::Streaming(streaming) => Ok(Led::Streaming(streaming)),
            };
        }
        let (boarded, leads) = board(gate, host, call, &prepared);
        let waited = boarded.flight.clone().wait(&call.abort).await;
        drop(boarded);
        match waited {
            Waited::Left => {
                note_cached(gate, &prepared, "left");
                return Err(Code::Aborted.into());
            }
            Waited::Landed(Ok(served)) if leads => {
                return Ok(Led::Served(own(&prepared.request_id, &served, state)));
            }
            Waited::Landed(Ok(served)) => {
                note_cached(gate, &prepared, "joined");
                return Ok(Led::Served(joined(call.dialect, &prepared, &served)));
            }
            // The leader's own refusal, abort or deadline is not the joiner's: the next one leads.
            Waited::Landed(Err(error)) if leads => return Err(unshare(error)),
            Waited::Landed(Err(error)) if is_final_upstream(error.code) => {
                note_cached(gate, &prepared, "joined-error");
                // Who led it pays.
                let mut error = unshare(error);
                error.cost = NanoUsd::ZERO;
                return Err(error);
            }
            Waited::Landed(Err(_)) => {}
        }
    }
}

/// Gets on the flight of this question, or begins one.
fn board<'a, H: Host + 'static>(
    gate: &'a Rc<Gate>,
    host: &Rc<H>,
    call: &Call,
    prepared: &Rc<Prepared>,
) -> (Boarded<'a>, bool) {
    let known = gate.state.borrow().flights.iter().find(|(own, _)| *own == prepared.fingerprint).cloned();
    if let Some((_, flight)) = known {
        return (Boarded { gate, flight }, false);
    }
    // The flight has a flag of its own: one caller's abort is not the others'.
    let abort = Abort::new();
    let context = context(gate, host, call, prepared, false, abort.clone());
    let controls = call.controls.clone();
    let prepared = prepared.clone();
    let fingerprint = prepared.fingerprint;
    let work = async move {
        match run::lead(context, prepared, controls).await {
            Ok(Led::Served(served)) => Ok(Rc::new(served)),
            // Whole answers only: a stream was not asked for.
            Ok(Led::Streaming(_)) => Err(Rc::new(Code::Internal.into())),
            Err(error) => Err(Rc::new(*error)),
        }
    };
    let flight = Flight::new(abort, work);
    gate.state.borrow_mut().flights.push((fingerprint, flight.clone()));
    (Boarded { gate, flight }, true)
}

/// A place on a flight. A flight that landed, or that nobody waits on, takes nobody on board any more.
struct Boarded<'a> {
    gate: &'a Gate,
    flight: Rc<Flight>,
}

impl Drop for Boarded<'_> {
    fn drop(&mut self) {
        if self.flight.is_over() {
            self.gate.state.borrow_mut().flights.retain(|(_, other)| !Rc::ptr_eq(other, &self.flight));
        }
    }
}

fn context<H: Host>(
    gate: &Rc<Gate>,
    host: &Rc<H>,
    call: &Call,
    prepared: &Prepared,
    stream: bool,
    abort: Abort,
) -> Rc<Context<H>> {
    Rc::new(Context {
        host: host.clone(),
        gate: gate.clone(),
        request_id: prepared.request_id.clone(),
        tenant: call.tenant.clone(),
        ask: prepared.ask.clone(),
        own_key: call.own_key.clone(),
        #[cfg(feature = "edge")]
        trace: call.trace.clone(),
        caller: call.dialect,
        stream,
        stamp: prepared.stamp,
        choices: prepared.facts.choices,
        abort,
        tape: Tape::recording().into(),
        slot: None.into(),
        #[cfg(feature = "edge")]
        standing: prepared.standing.clone(),
        #[cfg(feature = "edge")]
        refused: false.into(),
        #[cfg(feature = "edge")]
        posts: call.posts,
    })
}

fn unshare(error: Rc<Error>) -> Box<Error> {
    Box::new(Rc::try_unwrap(error).unwrap_or_else(|shared| (*shared).clone()))
}

impl Reply {
    /// The same as a stream of events.
    fn into_events(self, dialect: Dialect, stamp: Stamp) -> Self {
        Self { body: answer::as_events(dialect, &self.body, stamp).into(), events: true, meta: self.meta }
    }
}

/// The reply to the one whose request was sent.
fn own(request_id: &Rc<str>, served: &Served, cache: CacheState) -> Reply {
    Reply {
        body: served.body.clone(),
        events: false,
        meta: Meta {
            request_id: (**request_id).into(),
            target: served.target.clone(),
            attempts: served.attempts,
            cache,
            age: None,
            saved: None,
            cost: served.cost,
            cost_source: served.cost_source,
            usage: served.usage,
            degraded: served.degraded,
            reserved: None,
            #[cfg(feature = "edge")]
            allowance: None,
        },
    }
}

fn joined(dialect: Dialect, prepared: &Prepared, served: &Served) -> Reply {
    let id = &prepared.request_id;
    let meta = free_meta(id, &served.target, CacheState::Joined, served.cost);
    let body = again(dialect, prepared, &served.body);
    Reply { body, events: false, meta: Meta { degraded: served.degraded, ..meta } }
}

/// An answer given again. Vectors have no id, and their usage is told by the account.
fn again(dialect: Dialect, prepared: &Prepared, body: &Rc<str>) -> Rc<str> {
    match prepared.ask.kind {
        Kind::Chat if dialect == Dialect::Chat => {
            let mut fresh = None;
            let mut kept = prepared.seen.as_ref().ok().map(|seen| seen.again.borrow_mut());
            let again = kept.as_deref_mut().unwrap_or(&mut fresh);
            if !again.as_ref().is_some_and(|(own, _)| Rc::ptr_eq(own, body)) {
                *again = Some((body.clone(), answer::after_id(body)));
            }
            let rest = again.as_ref().map_or("}", |(_, rest)| rest);
            let mut out = String::with_capacity(rest.len().saturating_add(48));
            for piece in ["{\"id\":\"", &prepared.request_id, "\"", rest] {
                out.push_str(piece);
            }
            out.into()
        }
        Kind::Chat => answer::repeat(dialect, body, &prepared.request_id, &prepared.stamp).into(),
        Kind::Embeddings { .. } => body.clone(),
    }
}

fn from_cache(dialect: Dialect, prepared: &Prepared, hit: cache::Hit) -> Reply {
    let id = &prepared.request_id;
    let meta = free_meta(id, &hit.answer.target, CacheState::Hit, hit.answer.cost);
    let body = again(dialect, prepared, &hit.answer.body);
    Reply { body, events: false, meta: Meta { age: Some(hit.age), ..meta } }
}

fn free_meta(request_id: &Rc<str>, target: &str, cache: CacheState, saved: NanoUsd) -> Meta {
    Meta {
        request_id: (**request_id).into(),
        target: target.into(),
        attempts: 0,
        cache,
        age: None,
        saved: Some(saved),
        cost: NanoUsd::ZERO,
        cost_source: CostSource::Computed,
        usage: Usage::default(),
        degraded: false,
        reserved: None,
        #[cfg(feature = "edge")]
        allowance: None,
    }
}

/// Counts a request while it is worked on, also when its future is dropped.
struct Guest(Rc<Gate>);

impl Guest {
    fn enter(gate: &Rc<Gate>) -> Self {
        let mut state = gate.state.borrow_mut();
        state.in_flight = state.in_flight.saturating_add(1);
        Self(gate.clone())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut state = self.0.state.borrow_mut();
        state.in_flight = state.in_flight.saturating_sub(1);
    }
}

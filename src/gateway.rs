//! The pipeline: the only place with order, awaits and fallbacks.
//!
//! ```text
//!  1 validate   request parsed into types, size limits
//!  2 screen     (keys in messages: a later capability)
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
//! ```

mod answer;
mod context;
mod facts;
mod flight;
mod gate;
mod offers;
mod replay;
mod run;

use std::rc::Rc;

pub use answer::{CacheState, CostSource, Meta, Reply, Served};
pub use gate::Gate;
pub use replay::{Replayed, replay};

use crate::abort::Abort;
use crate::admit;
use crate::cache::{self, Controls, Fingerprint, Scope};
use crate::chat::{ChatRequest, Usage};
use crate::error::{Code, Error, Result};
use crate::host::{Clock, Entropy, Ledger, Observer, Timer, Transport, ZoneRules};
use crate::money::NanoUsd;
use crate::record::{Field, Tape, hex};
use crate::time::Timestamp;
use crate::value::Value;
use context::{Context, draw, millis};
use facts::Facts;
use flight::{Flight, Waited};
use gate::is_final_upstream;

/// Everything that the pipeline asks of its host.
pub trait Host:
    Clock + ZoneRules + Entropy + Timer + Transport + Observer + Ledger<Command = admit::Command, Reply = admit::Reply>
{
}

impl<H> Host for H where
    H: Clock
        + ZoneRules
        + Entropy
        + Timer
        + Transport
        + Observer
        + Ledger<Command = admit::Command, Reply = admit::Reply>
{
}

/// One request to the gate.
pub struct Call {
    /// A chat request as JSON text.
    pub body: Rc<str>,
    /// Whose request it is; caches and breakers never cross tenants.
    pub tenant: Rc<str>,
    /// What the caller asks of the cache.
    pub controls: Controls,
    /// Aborts the request.
    pub abort: Abort,
}

/// What follows from the request alone.
#[derive(Clone)]
struct Prepared {
    request_id: Rc<str>,
    fingerprint: Fingerprint,
    facts: Facts,
    keyed: Vec<bool>,
    /// Whether the vault was locked when the request came.
    locked: bool,
    started: Timestamp,
}

/// Takes one chat request through the whole gateway.
///
/// # Errors
/// Every code of the table in [`crate::error`], with all failed attempts attached.
pub async fn chat<H: Host + 'static>(gate: &Rc<Gate>, host: &Rc<H>, call: Call) -> Result<Reply> {
    let started = host.now();
    let request_id: Rc<str> = ["tg-", &hex(&draw(&**host).to_be_bytes())].concat().into();
    let _guest = Guest::enter(gate);
    let result = match prepare(gate, &call, request_id.clone(), started) {
        Ok(prepared) => answer(gate, host, &call, prepared).await,
        Err(error) => {
            note_refused(gate, &request_id, started, error.code);
            Err(error)
        }
    };
    if host.listens() {
        host.notice("request-end", request_end(&request_id, &result, started, host.now()));
    }
    result
}

/// Steps 1 and 2, and the fingerprint of step 4.
fn prepare(gate: &Gate, call: &Call, request_id: Rc<str>, started: Timestamp) -> Result<Prepared> {
    let request = ChatRequest::parse(&call.body)?;
    let facts = Facts::of(&request, &gate.config)?;
    let scope = Scope {
        tenant: &call.tenant,
        namespace: call.controls.namespace.as_deref().unwrap_or(""),
        requested: request.model.as_deref().unwrap_or("auto"),
        targets: &gate.target_names,
    };
    let fingerprint = cache::fingerprint(&scope, request.fields.iter())?;
    let keyed = gate.config.targets.iter().map(|target| gate.has_key(&target.provider)).collect();
    let locked = gate.state.borrow().locked;
    Ok(Prepared { request_id, fingerprint, facts, keyed, locked, started })
}

/// Step 4: the cache, the errors not to be repeated, the requests in flight; then the exchange.
async fn answer<H: Host + 'static>(gate: &Rc<Gate>, host: &Rc<H>, call: &Call, prepared: Prepared) -> Result<Reply> {
    let reads = call.controls.may_read(&gate.config.cache);
    let fingerprint = prepared.fingerprint;
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
                return Ok(from_cache(&prepared.request_id, hit));
            }
        }
        if let Some(error) = gate.final_error(&fingerprint, now) {
            note_cached(gate, &prepared, "final-error");
            return Err(error.into());
        }
        let state = if reads { CacheState::Miss } else { CacheState::Bypass };
        if !(reads && gate.joins) {
            let abort = call.abort.clone();
            let served = run::lead(context(gate, host, call, &prepared, abort), &prepared, call.controls.clone()).await;
            return served.map(|served| own(&prepared.request_id, served, state)).map_err(unshare);
        }
        let (boarded, leads) = board(gate, host, call, &prepared);
        let waited = boarded.flight.clone().wait(&call.abort).await;
        drop(boarded);
        match waited {
            Waited::Left => {
                note_cached(gate, &prepared, "left");
                return Err(Code::Aborted.into());
            }
            Waited::Landed(Ok(served)) if leads => return Ok(own(&prepared.request_id, served, state)),
            Waited::Landed(Ok(served)) => {
                note_cached(gate, &prepared, "joined");
                return Ok(joined(&prepared.request_id, &served));
            }
            // The leader's own refusal, abort or deadline is not the joiner's: the next one leads.
            Waited::Landed(Err(error)) if leads => return Err(unshare(error)),
            Waited::Landed(Err(error)) if is_final_upstream(error.code) => {
                note_cached(gate, &prepared, "joined-error");
                return Err(unshare(error));
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
    prepared: &Prepared,
) -> (Boarded<'a>, bool) {
    let known = gate.state.borrow().flights.iter().find(|(own, _)| *own == prepared.fingerprint).cloned();
    if let Some((_, flight)) = known {
        return (Boarded { gate, flight }, false);
    }
    // The flight has a flag of its own: one caller's abort is not the others'.
    let abort = Abort::new();
    let context = context(gate, host, call, prepared, abort.clone());
    let controls = call.controls.clone();
    let prepared = prepared.clone();
    let fingerprint = prepared.fingerprint;
    let flight = Flight::new(abort, async move { run::lead(context, &prepared, controls).await });
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

fn context<H: Host>(gate: &Rc<Gate>, host: &Rc<H>, call: &Call, prepared: &Prepared, abort: Abort) -> Context<H> {
    Context {
        host: host.clone(),
        gate: gate.clone(),
        request_id: prepared.request_id.clone(),
        tenant: call.tenant.clone(),
        body: call.body.clone(),
        abort,
        tape: Tape::recording().into(),
        slot: None.into(),
    }
}

fn unshare(error: Rc<Error>) -> Box<Error> {
    Box::new(Rc::try_unwrap(error).unwrap_or_else(|shared| (*shared).clone()))
}

/// The reply to the one whose request was sent.
fn own(request_id: &Rc<str>, served: Rc<Served>, cache: CacheState) -> Reply {
    Reply {
        body: served.body.clone(),
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
        },
    }
}

fn joined(request_id: &Rc<str>, served: &Served) -> Reply {
    let meta = free_meta(request_id, &served.target, CacheState::Joined, served.cost);
    Reply { body: answer::repeat(&served.body, request_id).into(), meta: Meta { degraded: served.degraded, ..meta } }
}

fn from_cache(request_id: &Rc<str>, hit: cache::Hit) -> Reply {
    let meta = free_meta(request_id, &hit.answer.target, CacheState::Hit, hit.answer.cost);
    Reply { body: answer::repeat(&hit.answer.body, request_id).into(), meta: Meta { age: Some(hit.age), ..meta } }
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
    }
}

impl Prepared {
    /// Writes the head of the record: who asked when, and all that follows from the request alone.
    fn open_record(&self, tape: &mut Tape, version: u64, fingerprint: &str) {
        open_record(tape, version, &self.request_id, fingerprint, self.started);
        self.facts.write(tape);
        let mut fields: Vec<Field<'_>> = vec!["keyed".into(), self.locked.into()];
        fields.extend(self.keyed.iter().map(|keyed| Field::from(*keyed)));
        tape.line(&fields);
    }
}

/// The lines that every record begins with.
fn open_record(tape: &mut Tape, version: u64, request_id: &str, fingerprint: &str, started: Timestamp) {
    tape.line(&["tidegate-record".into(), 1u32.into(), version.into()]);
    tape.line(&["request".into(), request_id.into(), fingerprint.into(), started.into()]);
}

/// The record of a request that was refused before anything was decided.
fn note_refused(gate: &Gate, request_id: &str, started: Timestamp, code: Code) {
    let mut tape = Tape::recording();
    open_record(&mut tape, gate.config.version, request_id, "-", started);
    tape.line(&["end".into(), code.as_str().into(), 0u32.into()]);
    gate.keep_record(Fingerprint::NONE, tape.finish().0);
}

/// The record of a request that took no decision of its own.
fn note_cached(gate: &Gate, prepared: &Prepared, how: &str) {
    let mut tape = Tape::recording();
    prepared.open_record(&mut tape, gate.config.version, "-");
    tape.line(&["cache".into(), how.into()]);
    gate.keep_record(prepared.fingerprint, tape.finish().0);
}

fn request_end(request_id: &str, result: &Result<Reply>, started: Timestamp, now: Timestamp) -> Value {
    let (meta, code) = match result {
        Ok(reply) => (Some(&reply.meta), None),
        Err(error) => (None, Some(error.code.as_str())),
    };
    Value::map([
        ("requestId", request_id.into()),
        ("ok", result.is_ok().into()),
        ("code", code.into()),
        ("target", meta.map(|meta| meta.target.as_str()).into()),
        ("cache", meta.map(|meta| meta.cache.as_str()).into()),
        ("costNanoUsd", meta.map_or(NanoUsd::ZERO, |meta| meta.cost).into()),
        ("durationMs", millis(now.since(started)).into()),
        ("inputTokens", meta.map_or(0, |meta| meta.usage.input).into()),
        ("outputTokens", meta.map_or(0, |meta| meta.usage.output).into()),
        ("at", now.into()),
    ])
}

/// Counts a request while it is worked on, also when its future is dropped.
struct Guest<'a>(&'a Gate);

impl<'a> Guest<'a> {
    fn enter(gate: &'a Gate) -> Self {
        let mut state = gate.state.borrow_mut();
        state.in_flight = state.in_flight.saturating_add(1);
        Self(gate)
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.borrow_mut();
        state.in_flight = state.in_flight.saturating_sub(1);
    }
}

//! What answers a question without an exchange of its own, and the exchange that several may share.

use std::rc::Rc;

use super::answer::{CacheState, Reply};
use super::ask::Read;
use super::call::{Call, Host};
use super::context::Context;
use super::flight::{Flight, Waited};
use super::gate::{Gate, is_final_upstream};
use super::notes::note_cached;
use super::prepare::Prepared;
use super::replies::{from_cache, joined, own};
use super::run::{self, Led};
use crate::abort::Abort;
use crate::error::{Code, Error, Result};
use crate::money::NanoUsd;
use crate::record::Tape;

/// The cache, the errors not to be repeated, the requests in flight; then the exchange.
pub(super) async fn answer<H: Host + 'static>(
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
        let flight = &boarded.flight;
        let waited = flight.clone().wait(&call.abort).await;
        match waited {
            Waited::Left => {
                if leads {
                    flight.pass_on();
                }
                note_cached(gate, &prepared, "left");
                return Err(Code::Aborted.into());
            }
            Waited::Landed(Ok(served)) if leads => {
                return Ok(Led::Served(own(&prepared.request_id, &served, state)));
            }
            Waited::Landed(Ok(served)) => {
                note_cached(gate, &prepared, "joined");
                return Ok(Led::Served(joined(call.dialect, &prepared, &served, flight.inherit())));
            }
            // The leader's own refusal, abort or deadline is not the joiner's: the next one leads.
            Waited::Landed(Err(error)) if leads => return Err(unshare(error)),
            Waited::Landed(Err(error)) if is_final_upstream(error.code) => {
                note_cached(gate, &prepared, "joined-error");
                let mut error = unshare(error);
                if !flight.inherit() {
                    error.cost = NanoUsd::ZERO;
                    #[cfg(feature = "edge")]
                    {
                        error.asked = None;
                    }
                }
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
        #[cfg(feature = "dialects")]
        betas: call.betas.clone(),
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

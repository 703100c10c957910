//! The pipeline: the only place with order, awaits and fallbacks.
//!
//! ```text
//! screen      keys in the messages: masked, refused, or told
//! prepare     the request parsed into types, its size checked, its fingerprint taken
//! share       from the cache, with the same request in flight, or as an error that is not to be asked for again
//! plan        targets in order: able, priced, keyed
//!   for each target (fallback), for each attempt (retry)
//!   admit     this attempt's upper bound, its breaker's permit, the request's slot; with the first, the caller's limits
//!   send      under min(attempt timeout, remaining deadline)
//!   read      all of a whole answer, a stream up to its first output
//!   settle    a failed attempt: released or at its bound; then retry, next target or stop
//! settle      the bill; of a stream when it has ended
//! store       only complete, successful, allowed answers
//! record      one event, one decision record
//! restore     the request's keys put back in place of the marks that were sent
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
mod prepare;
mod problem;
#[cfg(feature = "edge")]
mod refused;
mod replay;
mod replies;
mod restore;
mod run;
mod screen;
mod shared;
#[cfg(feature = "edge")]
mod shelf;
#[cfg(feature = "edge")]
mod standing;
mod status;
mod streaming;
mod told;

use std::rc::Rc;

pub use answer::{CacheState, CostSource, Meta, Reply, Served};
pub use call::{Call, Host, Wants};
pub use gate::{Gate, OwnKey};
pub use models::models;
pub use problem::{failure, problem};
pub use replay::{Replayed, replay};
#[cfg(feature = "edge")]
pub use shelf::{Finding, Shelf};
#[cfg(feature = "edge")]
pub use standing::enter;
pub use status::status;
pub use streaming::{Closed, Ending, Streaming};
#[cfg(feature = "edge")]
pub use told::announced;

use crate::error::{Code, Error, Result};
use crate::record::hex;
use context::draw;
use notes::{note_refused, request_end};
use prepare::{Prepared, prepare};
use restore::Restoring;
use run::Led;
use shared::answer;
#[cfg(feature = "edge")]
use standing::Standing;

/// An answer, or the beginning of one.
pub enum Opened<H: Host> {
    /// All of it.
    Whole(Reply),
    /// A stream that has committed.
    Stream(Box<Streaming<H>>),
}

/// Version of decision records: 2 knows streams and dialects.
pub(crate) const RECORD_VERSION: u32 = 2;

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
    #[cfg(feature = "edge")]
    let known = standing.as_ref().and_then(|standing| standing.known(gate, started));
    #[cfg(not(feature = "edge"))]
    let known: Option<Box<Error>> = None;
    let mut patterns = None;
    if known.is_none() && gate.config.patterns && host.rest().await {
        patterns = Some(told::patterns(&**host, &call, &request_id)).filter(|all| !all.is_empty()).map(Rc::new);
    }
    let screened = match known {
        Some(refusal) => Err(refusal),
        None => screen::screen(gate, &**host, &mut call, &request_id),
    };
    let mut restoring = None;
    let screened = screened.map(|marks| {
        let vectors = matches!(call.wants, Wants::Embeddings { .. });
        restoring = if vectors { None } else { Restoring::new(marks, gate.config.restore) };
    });
    let prepared = screened.and_then(|()| prepare(gate, &call, request_id.clone(), started));
    let prepared = prepared.map(|(prepared, streams)| (Prepared { patterns: patterns.clone(), ..prepared }, streams));
    let result = match prepared {
        // The code for streams, and what puts keys back, is in the second part of the Wasm.
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
        Some(standing) => standing.enter(gate, &**host).await.and(result),
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
                standing.remember(gate, &error, host.now());
            }
            // This request's own, also where it shares the error with others.
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

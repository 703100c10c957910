//! What the request alone decides: what it asks, its fingerprint, and which targets it can reach.

use std::rc::Rc;

use super::ask::{AskText, Read};
use super::call::Call;
use super::facts::{Facts, Reach};
use super::gate::Gate;
use super::memo::Seen;
#[cfg(feature = "edge")]
use super::standing::Standing;
use super::told::Patterns;
use crate::admit;
use crate::cache::{self, Fingerprint};
use crate::error::{Error, Result};
use crate::provider::{Stamp, Unasked};
use crate::record::hex;
use crate::time::Timestamp;

/// What follows from the request alone.
pub(super) struct Prepared {
    pub(super) request_id: Rc<str>,
    pub(super) fingerprint: Fingerprint,
    pub(super) facts: Rc<Facts>,
    pub(super) reach: Rc<Reach>,
    pub(super) started: Timestamp,
    /// What of it is worth a look, if that is asked for.
    pub(super) patterns: Option<Rc<Patterns>>,
    pub(super) ask: AskText,
    pub(super) stamp: Stamp,
    /// Where it stands with its caller's limits, where there are any.
    #[cfg(feature = "edge")]
    pub(super) standing: Option<Rc<Standing>>,
    /// The same request, if it was answered from the cache before; else its namespace, to remember it by.
    pub(super) seen: Result<Rc<Seen>, String>,
}

/// Reads a request; and whether it asks for a stream.
pub(super) fn prepare(gate: &Gate, call: &Call, request_id: Rc<str>, started: Timestamp) -> Result<(Prepared, bool)> {
    if call.tenant.len() > admit::LONGEST_NAME {
        return Err(Error::invalid("tenant", "must be at most 1024 bytes long").into());
    }
    let mut namespace = call.controls.namespace.clone().unwrap_or_default();
    #[cfg(feature = "dialects")]
    if let Some(betas) = &call.betas {
        // With other betas the same text is another question.
        namespace.push('\u{2}');
        namespace.push_str(betas);
    }
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
    let include_usage = include_usage || call.unasked == Unasked::Chunk;
    let stamp = Stamp { unasked: call.unasked, ..Stamp::new(created_s, include_usage) };
    let own_key = call.own_key.as_deref();
    let keyed = gate.config.targets.iter().map(|target| gate.is_keyed(target, own_key)).collect();
    #[cfg(feature = "dialects")]
    let betas = call.betas.as_deref();
    #[cfg(not(feature = "dialects"))]
    let betas = None;
    let (able, lacking) = ask.able(call.dialect, betas, streams, facts.requested, gate);
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

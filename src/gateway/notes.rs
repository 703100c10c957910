//! What the pipeline notes of a request around its decisions: how a record begins, what ends without one, and the event that
//! tells how it ended.

use std::rc::Rc;

use super::context::millis;
use super::facts::{Facts, Reach};
use super::prepare::Prepared;
use super::told::Patterns;
use super::{Gate, Meta, RECORD_VERSION};
use crate::cache::Fingerprint;
use crate::error::{Code, Result};
use crate::money::NanoUsd;
use crate::record::Tape;
use crate::time::Timestamp;
use crate::value::Value;

/// The head of a record: who asked when, and all that follows from the request alone. Written out when it is read, since
/// few records ever are.
#[derive(Clone)]
pub(super) struct Head {
    request_id: Rc<str>,
    started: Timestamp,
    stream: bool,
    patterns: Option<Rc<Patterns>>,
    facts: Rc<Facts>,
    reach: Rc<Reach>,
}

impl Head {
    pub(super) fn of(prepared: &Prepared, stream: bool) -> Self {
        let Prepared { request_id, started, patterns, facts, reach, .. } = prepared;
        let (request_id, patterns) = (request_id.clone(), patterns.clone());
        Self { request_id, started: *started, stream, patterns, facts: facts.clone(), reach: reach.clone() }
    }

    pub(super) fn write(&self, tape: &mut Tape, version: u64, fingerprint: &str) {
        open_record(tape, version, &self.request_id, fingerprint, self.started, self.stream);
        write_patterns(tape, self.patterns.as_deref());
        self.facts.write(tape);
        self.reach.write(tape);
    }
}

/// The lines that every record begins with.
pub(super) fn open_record(
    tape: &mut Tape,
    version: u64,
    request_id: &str,
    fingerprint: &str,
    started: Timestamp,
    stream: bool,
) {
    tape.line(&["tidegate-record".into(), RECORD_VERSION.into(), version.into()]);
    tape.line(&["request".into(), request_id.into(), fingerprint.into(), started.into(), stream.into()]);
}

/// A line for each kind that was found.
pub(super) fn write_patterns(tape: &mut Tape, patterns: Option<&Patterns>) {
    for (pattern, count) in patterns.into_iter().flatten() {
        tape.line(&["pattern".into(), pattern.as_str().into(), (*count).into()]);
    }
}

/// The record of a request that was refused before anything was decided.
pub(super) fn note_refused(gate: &Gate, request_id: &str, patterns: Option<&Patterns>, started: Timestamp, code: Code) {
    let mut tape = Tape::recording();
    open_record(&mut tape, gate.config.version, request_id, "-", started, false);
    write_patterns(&mut tape, patterns);
    tape.line(&["end".into(), code.as_str().into(), 0u32.into()]);
    gate.keep_record(Fingerprint::NONE, None, tape.finish().0);
}

/// The record of a request that took no decision of its own.
pub(super) fn note_cached(gate: &Gate, prepared: &Prepared, how: &str) {
    let text = ["cache\t", how, "\n"].concat();
    gate.keep_record(prepared.fingerprint, Some(Head::of(prepared, false)), text);
}

pub(super) fn request_end(
    request_id: &str,
    result: Result<&Meta, (Code, NanoUsd)>,
    started: Timestamp,
    now: Timestamp,
) -> Value {
    let meta = result.ok();
    let failed = result.err();
    Value::map([
        ("requestId", request_id.into()),
        ("ok", result.is_ok().into()),
        ("code", failed.map(|(code, _)| code.as_str()).into()),
        ("target", meta.map(|meta| meta.target.as_str()).into()),
        ("cache", meta.map(|meta| meta.cache.as_str()).into()),
        ("costNanoUsd", failed.map_or_else(|| meta.map_or(NanoUsd::ZERO, |meta| meta.cost), |(_, cost)| cost).into()),
        ("durationMs", millis(now.since(started)).into()),
        ("inputTokens", meta.map_or(0, |meta| meta.usage.input).into()),
        ("outputTokens", meta.map_or(0, |meta| meta.usage.output).into()),
        ("at", now.into()),
    ])
}

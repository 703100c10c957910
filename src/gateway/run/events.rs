//! The events of attempts and waits.

use std::time::Duration;

use super::Run;
use crate::error::Code;
use crate::gateway::Host;
use crate::gateway::context::millis;
use crate::money::NanoUsd;
use crate::retry::WaitReason;
use crate::time::Timestamp;
use crate::value::Value;

impl<H: Host> Run<H> {
    /// The first output of a stream came.
    pub(super) fn emit_output(&self, index: usize, (started, at): (Timestamp, Timestamp)) {
        self.context.emit("first-output", || {
            Value::map([
                ("requestId", (&*self.context.request_id).into()),
                ("attempt", self.attempts.into()),
                ("target", self.name(index).into()),
                ("durationMs", millis(at.since(started)).into()),
                ("at", at.into()),
            ])
        });
    }

    pub(super) fn emit_start(&self, index: usize, retry: bool, at: Timestamp) {
        self.context.emit("attempt-start", || {
            Value::map([
                ("requestId", (&*self.context.request_id).into()),
                ("attempt", self.attempts.into()),
                ("target", self.name(index).into()),
                ("retry", retry.into()),
                ("at", at.into()),
            ])
        });
    }

    pub(super) fn emit_end(
        &self,
        index: usize,
        failure: Option<(Code, Option<u16>)>,
        cost: NanoUsd,
        (started, at): (Timestamp, Timestamp),
    ) {
        self.context.emit("attempt-end", || {
            Value::map([
                ("requestId", (&*self.context.request_id).into()),
                ("attempt", self.attempts.into()),
                ("target", self.name(index).into()),
                ("ok", failure.is_none().into()),
                ("code", failure.map(|(code, _)| code.as_str()).into()),
                ("status", failure.and_then(|(_, status)| status).map(u32::from).into()),
                ("durationMs", millis(at.since(started)).into()),
                ("costNanoUsd", cost.into()),
                ("at", at.into()),
            ])
        });
    }

    pub(super) fn emit_wait(&self, index: usize, wait: Duration, reason: WaitReason, at: Timestamp) {
        self.context.emit("wait", || {
            Value::map([
                ("requestId", (&*self.context.request_id).into()),
                ("target", self.name(index).into()),
                ("waitMs", wait.into()),
                ("reason", reason.as_str().into()),
                ("at", at.into()),
            ])
        });
    }
}

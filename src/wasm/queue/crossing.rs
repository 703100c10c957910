//! Errors, times and randomness on their way between JavaScript and the queue's machine.

use std::time::Duration;

use wasm_bindgen::prelude::*;

use crate::error::{Code, Result};
use crate::queue::Outcome;
use crate::time::Timestamp;
use crate::value::Value;
use crate::wasm::convert::error;

/// After how long it is looked whether another build runs, which may read a ledger that this one does not.
const UNREAD: Duration = Duration::from_secs(60);

/// An error object of the gateway as an outcome.
pub(super) fn failed(problem: &Value) -> Outcome {
    let code = match problem.field("code") {
        Some(Value::Text(code)) => Code::parse(code),
        _ => None,
    };
    let wait = match problem.field("retryAfterMs") {
        Some(Value::Int(millis)) => u64::try_from(*millis).ok().map(Duration::from_millis),
        _ => None,
    };
    let code = code.unwrap_or(Code::Internal);
    // Of a request that had begun, it is the ledger that cannot be read, not the item.
    let unread = code == Code::VaultCorrupt && problem.field("requestId").is_some();
    Outcome::Failed { code, wait: wait.or_else(|| unread.then_some(UNREAD)) }
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|_| Code::Internal.into())
}

pub(super) fn typed<T>(result: Result<T>) -> Result<T, JsValue> {
    result.map_err(|failed| error(&failed))
}

/// JavaScript's dates and our arrivals end long before 2^53.
#[expect(clippy::cast_precision_loss, reason = "within 53 bits")]
pub(super) fn number(whole: i64) -> JsValue {
    JsValue::from_f64(whole as f64)
}

#[expect(clippy::cast_possible_truncation, reason = "whole, and within 53 bits")]
pub(super) const fn whole(number: f64) -> i64 {
    number as i64
}

pub(super) const fn instant(millis: f64) -> Timestamp {
    Timestamp::from_millis(whole(millis))
}

pub(super) const fn id_of(holder: f64) -> u64 {
    whole(holder).unsigned_abs()
}

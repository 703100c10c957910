//! What the ledger tells, as events.

use crate::admit::{Notice, without_key};
use crate::time::Timestamp;
use crate::value::Value;

pub(in crate::gateway) fn notice_name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Threshold { .. } => "budget-threshold",
        Notice::CircuitOpen { .. } => "circuit-open",
        Notice::CircuitHalfOpen { .. } => "circuit-half-open",
        Notice::CircuitClosed { .. } => "circuit-closed",
        #[cfg(feature = "edge")]
        Notice::BudgetOf { .. } => "budget-threshold",
        Notice::Overshoot { .. } => "budget-overshoot",
        Notice::LeaseExpired { .. } => "lease-expired",
    }
}

pub(in crate::gateway) fn notice_event(notice: &Notice, at: Timestamp) -> Value {
    let at = at.into();
    match notice {
        Notice::Threshold { percent, spent, limit, .. } => Value::map([
            ("percent", (*percent).into()),
            ("spentNanoUsd", (*spent).into()),
            ("limitNanoUsd", (*limit).into()),
            ("at", at),
        ]),
        #[cfg(feature = "edge")]
        Notice::BudgetOf { of, per, who, percent, spent, limit, .. } => Value::map([
            ("of", of.as_str().into()),
            ("per", per.as_str().into()),
            ("who", who.as_deref().into()),
            ("percent", (*percent).into()),
            ("spentNanoUsd", (*spent).into()),
            ("limitNanoUsd", (*limit).into()),
            ("at", at),
        ]),
        Notice::CircuitOpen { target, until, .. } => {
            Value::map([("target", without_key(target).into()), ("until", (*until).into()), ("at", at)])
        }
        Notice::CircuitHalfOpen { target, .. } | Notice::CircuitClosed { target, .. } => {
            Value::map([("target", without_key(target).into()), ("at", at)])
        }
        Notice::Overshoot { amount, .. } => Value::map([("overshootNanoUsd", (*amount).into()), ("at", at)]),
        Notice::LeaseExpired { .. } => Value::map([("at", at)]),
    }
}
